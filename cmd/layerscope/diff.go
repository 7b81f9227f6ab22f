package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/spf13/cobra"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/gate"
	"github.com/layerscope/layerscope/analyze/progress"
	"github.com/layerscope/layerscope/analyze/source"
	"github.com/layerscope/layerscope/diff"
	"github.com/layerscope/layerscope/view/report"
)

// diffFlags are the flags of the diff command.
type diffFlags struct {
	cmd        *cobra.Command
	strict     bool
	layersOnly bool
	budget     *int64
	exitCode   bool
	all        bool
	format     string

	oldPlatform *v1.Platform // of OLD, instead of --platform
	oldTag      string       // of OLD, instead of --tag
}

func newDiff(a *app) *cobra.Command {
	f := &diffFlags{}
	f.cmd = &cobra.Command{
		Use:               "diff OLD NEW",
		Short:             "Write what differs between two images",
		Long:              diffUsage,
		Args:              wants("OLD", "NEW"),
		ValidArgsFunction: a.completeImages,
		RunE:              func(cmd *cobra.Command, args []string) error { return a.diff(cmd.Context(), args[0], args[1], f) },
	}
	flags := f.cmd.Flags()
	flags.BoolVar(&f.strict, "strict", false, "files whose times differ are different")
	flags.BoolVar(&f.layersOnly, "layers-only", false, "compare manifests, read no layer")
	flags.Func("budget", "fail if NEW stores more than that over OLD", f.setBudget)
	flags.BoolVar(&f.exitCode, "exit-code", false, "exit with 1 if they differ")
	flags.BoolVar(&f.all, "all", false, "lists without limits")
	flags.Func("old-platform", "platform of OLD", func(s string) (err error) {
		f.oldPlatform, err = parsePlatform(s)
		return err
	})
	flags.StringVar(&f.oldTag, "old-tag", "", "tag of OLD in its archive")
	completeFlag(f.cmd, "old-platform", platforms...)
	formatFlag(f.cmd, &f.format, formatMarkdown)
	return f.cmd
}

// ofOld changes how OLD is opened.
func (f *diffFlags) ofOld(o *analyze.Options) {
	if f.oldPlatform != nil {
		o.Source.Platform = f.oldPlatform
	}
	if f.oldTag != "" {
		o.Source.Tag = f.oldTag
	}
}

// setBudget reads by how much NEW may grow: "+5MB", "5MB", or "-1MB" if it must
// shrink.
func (f *diffFlags) setBudget(s string) error {
	size, sign := s, int64(1)
	if rest, ok := strings.CutPrefix(s, "-"); ok {
		size, sign = rest, -1
	} else {
		size = strings.TrimPrefix(s, "+")
	}
	n, err := gate.ParseSize(size)
	if err != nil || strings.HasPrefix(size, "+") {
		return fmt.Errorf("%q isn't a size such as 5MB, +5MB or -1MB", s)
	}
	n *= sign
	f.budget = &n
	return nil
}

// errDiffer says that images differ, where that was asked.
var errDiffer = errors.New("the images differ")

// diff compares two images and writes what differs. A NEW that is over its
// budget is a gateError, whatever else is asked.
func (a *app) diff(ctx context.Context, old, new string, f *diffFlags) error {
	switch {
	case old == string(source.Stdin) && new == old:
		return &usageError{errors.New("OLD and NEW can't both be standard input"), f.cmd}
	case f.layersOnly && f.budget != nil:
		return &usageError{errors.New("--budget is for what the images store, which --layers-only doesn't read"), f.cmd}
	case f.layersOnly && f.strict:
		return &usageError{errors.New("--strict is for files, which --layers-only doesn't read"), f.cmd}
	}
	c := report.Comparison{Budget: f.budget}
	var err error
	if f.layersOnly {
		c.Diff, err = a.compareManifests(ctx, old, new, f)
	} else {
		c.Diff, err = a.compareImages(ctx, old, new, f)
	}
	if err != nil {
		return err
	}
	if err := a.writeDiff(c, f); err != nil {
		return err
	}
	if over := c.OverBudget(a.textOptions()); over != "" {
		return &gateError{[]string{over}}
	}
	if f.exitCode && !c.Same() {
		return errDiffer
	}
	return nil
}

func (a *app) writeDiff(c report.Comparison, f *diffFlags) error {
	switch f.format {
	case formatJSON:
		return report.DiffJSON(a.out, c, tool())
	case formatMarkdown:
		return report.DiffMarkdown(a.out, c, a.textOptions())
	}
	return report.Diff(a.out, c, report.DiffOptions{TextOptions: a.textOptions(), All: f.all})
}

// The images, as usage and errors name them.
const (
	oldImage = "OLD"
	newImage = "NEW"
)

// compareManifests compares two images' layers, of which none is read.
func (a *app) compareManifests(ctx context.Context, old, new string, f *diffFlags) (*diff.Diff, error) {
	before, err := a.describe(ctx, old, f.ofOld)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", oldImage, err)
	}
	after, err := a.describe(ctx, new)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", newImage, err)
	}
	return &diff.Diff{
		Old: before.Redacted(), New: after.Redacted(),
		Layers: diff.CompareLayers(before, after),
	}, nil
}

// describe returns what is known of an image before its layers are read, with
// the progress shown.
func (a *app) describe(ctx context.Context, ref string, ask ...func(*analyze.Options)) (*analyze.Image, error) {
	opts, err := a.opening(ref, ask)
	if err != nil {
		return nil, err
	}
	opts.Source.Progress = new(progress.Progress)
	defer a.showProgress(opts.Source.Progress.Snapshot)()
	return analyze.Describe(ctx, ref, opts)
}

// compareImages reads two images side by side and compares them.
func (a *app) compareImages(ctx context.Context, old, new string, f *diffFlags) (*diff.Diff, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	before, err := a.start(ctx, old, withPackages, f.ofOld)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", oldImage, err)
	}
	after, err := a.start(ctx, new, withPackages)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", newImage, err)
	}
	if err := a.waitBoth(ctx, before, after); err != nil {
		return nil, err
	}
	// Both are done, and well.
	x, _ := before.Wait()
	y, _ := after.Wait()
	return diff.Compare(ctx, x, y, diff.Options{Strict: f.strict})
}

// waitBoth waits for two jobs with their progress shown, until one fails.
func (a *app) waitBoth(ctx context.Context, old, new *analyze.Job) error {
	defer a.showProgress(func() progress.Snapshot { return bothOf(old, new) })()
	before, after := old.Done(), new.Done()
	for before != nil || after != nil {
		select {
		case <-before:
			if _, err := old.Wait(); err != nil {
				return fmt.Errorf("%s: %w", oldImage, err)
			}
			before = nil
		case <-after:
			if _, err := new.Wait(); err != nil {
				return fmt.Errorf("%s: %w", newImage, err)
			}
			after = nil
		case <-ctx.Done():
			end := time.After(grace)
			for _, j := range []*analyze.Job{old, new} {
				select {
				case <-j.Done():
				case <-end:
				}
			}
			return ctx.Err()
		}
	}
	return nil
}

// bothOf adds up how far two jobs are, and says what each is at.
func bothOf(old, new *analyze.Job) progress.Snapshot {
	a, b := old.Progress(), new.Progress()
	sum := progress.Snapshot{
		Bytes: a.Bytes + b.Bytes, Layers: a.Layers + b.Layers, LayersDone: a.LayersDone + b.LayersDone,
	}
	if a.Total > 0 && b.Total > 0 {
		sum.Total = a.Total + b.Total
	}
	phase := func(j *analyze.Job, s progress.Snapshot) string {
		select {
		case <-j.Done():
			return "read"
		default:
			return s.Phase
		}
	}
	sum.Phase = fmt.Sprintf("%s: %s, %s: %s", oldImage, phase(old, a), newImage, phase(new, b))
	return sum
}
