package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/spf13/cobra"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/gate"
	"github.com/layerscope/layerscope/analyze/source"
)

// options are the flags that all commands have.
type options struct {
	platform     *v1.Platform
	tag          string
	insecure     bool
	pull         bool
	host         string
	context      string
	maxLayerSize int64
	base         string // of the commands that have baseFlag

	bytes      bool
	ascii      bool
	noTUI      bool
	mouse      bool
	noProgress bool
}

// register makes the flags. Their descriptions are what shells show when they
// complete; the usage texts say more.
func (o *options) register(root *cobra.Command) {
	f := root.PersistentFlags()
	f.Func("platform", "which of an image for several platforms", o.setPlatform)
	f.StringVar(&o.tag, "tag", "", "which of an archive of several images")
	f.BoolVar(&o.insecure, "insecure", false, "accept plain HTTP and any certificate")
	f.BoolVar(&o.pull, "pull", false, "have the daemon pull what it hasn't got")
	f.StringVarP(&o.host, "host", "H", "", "daemon to ask")
	f.StringVar(&o.context, "context", "", "docker context to use")
	f.Func("max-layer-size", "most that a layer may unpack to", o.setMaxLayerSize)
	f.BoolVar(&o.bytes, "bytes", false, "integers of bytes instead of kB, MB, GB")
	f.BoolVar(&o.ascii, "ascii", false, "nothing but ASCII")
	f.BoolVar(&o.noTUI, "no-tui", false, "write the report even to a terminal")
	f.BoolVar(&o.mouse, "mouse", true, "use the mouse")
	f.BoolVar(&o.noProgress, "no-progress", false, "don't show progress")
}

func (o *options) setPlatform(s string) (err error) {
	o.platform, err = parsePlatform(s)
	return err
}

func parsePlatform(s string) (*v1.Platform, error) {
	p, err := v1.ParsePlatform(s)
	if err != nil || p.OS == "" || p.Architecture == "" {
		return nil, fmt.Errorf("%q isn't a platform such as linux/amd64 or linux/arm/v7", s)
	}
	return p, nil
}

func (o *options) setMaxLayerSize(s string) error {
	n, err := gate.ParseSize(s)
	if err == nil {
		o.maxLayerSize = n
	}
	return err
}

// analyzeOptions are how an image is opened and read.
func (a *app) analyzeOptions() analyze.Options {
	return analyze.Options{
		Source: source.Options{
			Platform:  a.platform,
			Tag:       a.tag,
			Insecure:  a.insecure,
			Pull:      a.pull,
			Host:      a.host,
			Context:   a.context,
			Stdin:     a.in,
			UserAgent: "layerscope/" + toolVersion(),
		},
		MaxLayerSize: a.maxLayerSize,
		Base:         a.base,
	}
}

// The formats of what is written.
const (
	formatText     = "text"
	formatJSON     = "json"
	formatMarkdown = "markdown"
	formatSARIF    = "sarif"
)

// formatFlag adds --format to a command: text, JSON, and what else it writes.
func formatFlag(cmd *cobra.Command, format *string, more ...string) {
	*format = formatText
	choiceFlag(cmd, "format", "how it is written", format, append([]string{formatText, formatJSON}, more...)...)
}

// baseFlag adds --base to a command that tells the base's bytes from the
// image's own.
func (a *app) baseFlag(cmd *cobra.Command) {
	cmd.Flags().Func("base", "image that it was built on", func(s string) error {
		if s == "" {
			return errors.New("it names no image")
		}
		a.base = s
		return nil
	})
	// The error is for a flag that isn't there.
	_ = cmd.RegisterFlagCompletionFunc("base", func(cmd *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
		return a.completeImage(cmd, nil, begun)
	})
}

// numberFlag adds a flag that takes a number, 0 or more: what, as its error
// names it.
func numberFlag(cmd *cobra.Command, name, usage, what string, value *int) {
	cmd.Flags().Func(name, usage, func(s string) error {
		n, err := strconv.Atoi(s)
		if err != nil || n < 0 {
			return fmt.Errorf("%q isn't %s", s, what)
		}
		*value = n
		return nil
	})
}

// choiceFlag adds a flag that takes one of a few words.
func choiceFlag(cmd *cobra.Command, name, usage string, value *string, choices ...string) {
	cmd.Flags().Func(name, usage, func(s string) error {
		if !slices.Contains(choices, s) {
			return fmt.Errorf("it is one of %s", strings.Join(choices, ", "))
		}
		*value = s
		return nil
	})
	completeFlag(cmd, name, choices...)
}
