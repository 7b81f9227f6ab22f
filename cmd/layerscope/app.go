package main

import (
	"context"
	"os"
	"time"

	"golang.org/x/term"

	"github.com/spf13/cobra"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/source"
	"github.com/layerscope/layerscope/view/report"
)

// app is what the commands share: the standard streams and the global flags.
type app struct {
	in, out, err *os.File
	plugin       bool // called by docker
	options
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// useScreens tells whether to show the terminal UI: there must be a person at
// both ends.
func (a *app) useScreens() bool {
	switch os.Getenv("CI") {
	case "", "0", "false":
	default:
		return false
	}
	return !a.noTUI && isTerminal(a.in) && isTerminal(a.out) && os.Getenv("TERM") != "dumb"
}

// textOptions are how text is written to standard output: cut to its width
// only where that is a terminal's.
func (a *app) textOptions() report.TextOptions {
	o := report.TextOptions{Bytes: a.bytes, ASCII: a.ascii}
	if width, _, err := term.GetSize(int(a.out.Fd())); err == nil {
		o.Width = width
	}
	return o
}

// imageCommand returns a command that does something with one image.
func (a *app) imageCommand(name, short, usage string, run func(ctx context.Context, ref string) error) *cobra.Command {
	return &cobra.Command{
		Use:               name + " IMAGE",
		Short:             short,
		Long:              usage,
		Args:              wants("IMAGE"),
		ValidArgsFunction: a.completeImage,
		RunE:              func(cmd *cobra.Command, args []string) error { return run(cmd.Context(), args[0]) },
	}
}

// start begins to analyze the image that ref names. What more is done to it
// than most commands need, ask says.
func (a *app) start(ctx context.Context, ref string, ask ...func(*analyze.Options)) (*analyze.Job, error) {
	opts, err := a.opening(ref, ask)
	if err != nil {
		return nil, err
	}
	return analyze.Start(ctx, ref, opts), nil
}

// opening returns how an image is opened and read, given what is to be otherwise
// than the flags say.
func (a *app) opening(ref string, ask []func(*analyze.Options)) (analyze.Options, error) {
	opts := a.analyzeOptions()
	for _, f := range ask {
		f(&opts)
	}
	return opts, a.checkStdin(ref)
}

// checkStdin returns an error if an image is to come from a terminal.
func (a *app) checkStdin(ref string) error {
	if ref == string(source.Stdin) && isTerminal(a.in) {
		return &source.HintError{Err: errNoStdin, Hint: "pipe an archive in: docker save IMAGE | layerscope -"}
	}
	return nil
}

// analyze analyzes the image that ref names, with the progress shown.
func (a *app) analyze(ctx context.Context, ref string, ask ...func(*analyze.Options)) (*analyze.Image, error) {
	job, err := a.start(ctx, ref, ask...)
	if err != nil {
		return nil, err
	}
	return a.wait(ctx, job)
}

// grace is how long a job that was cancelled has to tidy up. One that doesn't
// notice, stuck in a read, isn't waited for.
const grace = 500 * time.Millisecond

// wait waits for a job with its progress shown.
func (a *app) wait(ctx context.Context, job *analyze.Job) (*analyze.Image, error) {
	defer a.showProgress(job.Progress)()
	select {
	case <-job.Done():
	case <-ctx.Done():
		select {
		case <-job.Done():
		case <-time.After(grace):
		}
		return nil, ctx.Err()
	}
	return job.Wait()
}
