package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/layerscope/layerscope/view/report"
)

// version can be set at link time (-ldflags "-X main.version=v1.2.3") where
// the build information doesn't know it: in a build from a source archive.
var version string

func newVersion(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Write the version",
		Long:  versionUsage,
		Args:  wants(),
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprint(a.out, versionLine())
			return err
		},
	}
}

func versionLine() string {
	return fmt.Sprintf("layerscope %s (%s, %s/%s)\n", toolVersion(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// tool is how reports name the program.
func tool() report.Tool { return report.Tool{Name: "layerscope", Version: toolVersion()} }

// toolVersion returns the module's version, as the go command stamped it.
func toolVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(unknown)"
}
