package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/view/report"
)

// numPackages is how many packages are listed unless all are asked for.
const numPackages = 30

func newPackages(a *app) *cobra.Command {
	var format string
	var all bool
	cmd := a.imageCommand("packages", "Write what each package takes of an image", packagesUsage, func(ctx context.Context, ref string) error {
		m, err := a.analyze(ctx, ref, withPackages)
		if err != nil {
			return err
		}
		if format == formatJSON {
			return report.PackagesJSON(a.out, m, tool())
		}
		limit := numPackages
		if all {
			limit = report.AllPackages
		}
		return report.Packages(a.out, m, limit, a.textOptions())
	})
	cmd.Flags().BoolVar(&all, "all", false, "list all packages")
	formatFlag(cmd, &format)
	return cmd
}

// withPackages asks for the packages of what is analyzed.
func withPackages(o *analyze.Options) { o.Packages = true }
