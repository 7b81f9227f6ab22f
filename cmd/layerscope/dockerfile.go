package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/dockerfile"
)

// dockerfileFlags are --file and --target, of the commands that tell the lines
// of a Dockerfile.
type dockerfileFlags struct {
	cmd          *cobra.Command
	file, target string
}

// dockerfileFlag adds --file and --target to a command, which then analyzes
// images with [app.analyzeWith].
func dockerfileFlag(cmd *cobra.Command) *dockerfileFlags {
	f := &dockerfileFlags{cmd: cmd}
	cmd.Flags().StringVarP(&f.file, "file", "f", "", "the Dockerfile that the image was built from")
	cmd.Flags().StringVar(&f.target, "target", "", "the stage of it that was built")
	return f
}

// analyzeWith analyzes the image that ref names, and finds its steps' lines in
// the Dockerfile if there is one: what is wrong with that is told before the
// image is read.
func (a *app) analyzeWith(ctx context.Context, ref string, f *dockerfileFlags) (*analyze.Image, error) {
	if !f.cmd.Flags().Changed("file") {
		if f.cmd.Flags().Changed("target") {
			return nil, &usageError{errors.New("--target wants a --file"), f.cmd}
		}
		return a.analyze(ctx, ref)
	}
	df, err := dockerfile.Read(f.file)
	if err != nil {
		return nil, err
	}
	if _, err := df.Target(f.target); err != nil {
		return nil, err
	}
	m, err := a.analyze(ctx, ref)
	if err != nil {
		return nil, err
	}
	return m.WithDockerfile(df, f.target)
}
