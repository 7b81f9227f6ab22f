package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/build"
	"github.com/layerscope/layerscope/analyze/cascade"
	"github.com/layerscope/layerscope/analyze/progress"
	"github.com/layerscope/layerscope/analyze/stages"
	"github.com/layerscope/layerscope/view/report"
)

// stagesFlags are the flags of the command stages.
type stagesFlags struct {
	cascadeFlags          // those that tell a build: file, target, args
	images       []string // STAGE=REF
	keep         bool
	passed       []string // to docker build
}

func newStages(a *app) *cobra.Command {
	f := &stagesFlags{}
	f.builder = string(cascade.BuildKit)
	cmd := &cobra.Command{
		Use:   "stages [CONTEXT] [-- ARGS]",
		Short: "Tell what each stage of a Dockerfile leaves behind",
		Long:  stagesUsage,
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if n := cmd.ArgsLenAtDash(); n >= 0 {
				args, f.passed = args[:n], args[n:]
			}
			if err := f.checkPassed(); err != nil {
				return err
			}
			if len(args) > 1 {
				return f.usageError("unexpected argument %q", args[1])
			}
			dir := "."
			if len(args) > 0 {
				dir = args[0]
			}
			return a.stages(cmd.Context(), dir, f)
		},
	}
	f.cmd = cmd
	flags := cmd.Flags()
	flags.StringVarP(&f.file, "file", "f", "", "the Dockerfile")
	flags.StringVar(&f.target, "target", "", "the stage that is built for")
	flags.StringArrayVar(&f.args, "build-arg", nil, "a build argument")
	flags.StringArrayVar(&f.images, "image", nil, "an image of a stage: STAGE=REF")
	flags.BoolVar(&f.keep, "keep", false, "keep the images that are built")
	formatFlag(cmd, &f.format)
	return cmd
}

// stages tells what the stages of a Dockerfile store and leave behind.
func (a *app) stages(ctx context.Context, dir string, f *stagesFlags) error {
	in, plan, err := a.readStages(dir, f)
	if err != nil {
		return err
	}
	given, err := f.given(plan)
	if err != nil {
		return err
	}
	about := report.Stages{Dockerfile: in.shown, Context: in.dir}
	var images map[int]*analyze.Image
	var left error // images that can't be removed: no reason to keep the report back
	if given != nil {
		images, err = a.analyzeStages(ctx, plan, given)
		about.Context = ""
	} else {
		images, left, err = a.buildStages(ctx, in, plan, f, &about)
	}
	if err != nil {
		return err
	}
	about.Report, err = plan.Report(ctx, images)
	if err != nil {
		return err
	}
	if f.format == formatJSON {
		err = report.StagesJSON(a.out, about, tool())
	} else {
		err = report.StagesText(a.out, about, a.textOptions())
	}
	return cmp.Or(err, left)
}

// readStages reads the Dockerfile.
func (a *app) readStages(dir string, f *stagesFlags) (*buildInput, *stages.Plan, error) {
	if dir == stdinPath {
		return nil, nil, f.usageError("CONTEXT is a directory; a Dockerfile on standard input is -f -")
	}
	in, err := a.readDockerfile(dir, &f.cascadeFlags)
	if err != nil {
		return nil, nil, err
	}
	o := in.options
	plan, err := stages.Read(in.file, stages.Options{Target: o.Target, Args: o.Args, Platform: o.Platform})
	if err != nil {
		return nil, nil, in.advise(err)
	}
	return in, plan, nil
}

// given returns the references of --image by stage; nil for none.
func (f *stagesFlags) given(plan *stages.Plan) (map[int]string, error) {
	if len(f.images) == 0 {
		return nil, nil
	}
	if f.keep || len(f.passed) > 0 {
		return nil, f.usageError("with --image nothing is built: --keep and arguments for docker are for nothing")
	}
	given := map[int]string{}
	for _, kv := range f.images {
		name, ref, ok := strings.Cut(kv, "=")
		if !ok || name == "" || ref == "" {
			return nil, f.usageError("--image %q isn't STAGE=REF", kv)
		}
		stage, err := plan.File.Target(name)
		if err != nil {
			return nil, err
		}
		if _, twice := given[stage.Index]; twice {
			return nil, f.usageError("--image gives stage %s twice", name)
		}
		given[stage.Index] = ref
	}
	return given, nil
}

// stageName returns what a stage is called: its name, else its number.
func stageName(s *cascade.Stage) string {
	if s.Name != "" {
		return s.Name
	}
	return strconv.Itoa(s.Index)
}

// analyzeStages analyzes images of stages.
func (a *app) analyzeStages(ctx context.Context, plan *stages.Plan, refs map[int]string) (map[int]*analyze.Image, error) {
	images := map[int]*analyze.Image{}
	for _, s := range plan.Stages {
		ref, ok := refs[s.Index]
		if !ok {
			continue
		}
		m, err := a.analyze(ctx, ref, withPackages)
		if err != nil {
			return nil, fmt.Errorf("reading the image of stage %s: %w", stageName(s), err)
		}
		images[s.Index] = m
	}
	return images, nil
}

// buildStages builds the stages and analyzes their images. Those are removed
// again, but if they are to be kept and all went well.
func (a *app) buildStages(ctx context.Context, in *buildInput, plan *stages.Plan, f *stagesFlags, about *report.Stages) (images map[int]*analyze.Image, left, err error) {
	opt := build.Options{Host: a.host, Context: a.context, Dir: in.dir, File: in.path, Args: f.dockerArgs(a)}
	if in.path == "" {
		opt.Text = in.file.Source
	}
	b, err := build.Open(ctx, opt)
	if err != nil {
		return nil, nil, err
	}
	defer func() { left = b.Close(ctx, f.keep && err == nil) }()
	refs, err := a.buildEach(ctx, b, plan, f)
	if err != nil {
		a.showOutput(ctx, err)
		return nil, nil, err
	}
	about.Builder, about.Kept = string(cascade.Classic), f.keep
	if b.BuildKit() {
		about.Builder = string(cascade.BuildKit)
	}
	images, err = a.analyzeStages(ctx, plan, refs)
	return images, nil, err
}

// showOutput shows what a command wrote that made a build fail.
func (a *app) showOutput(ctx context.Context, err error) {
	failed, ok := errors.AsType[*build.Error](err)
	if !ok || ctx.Err() != nil {
		return
	}
	for _, line := range failed.Output {
		fmt.Fprintln(a.err, "  "+errorLine(line))
	}
}

// docker's arguments that aren't passed on: those of which layerscope must know,
// and those that keep from it what it must be told.
var (
	ownArguments    = []string{"--file", "-f", "--target", "--build-arg", "--platform"}
	mutingArguments = []string{"--iidfile", "--quiet", "-q", "--output", "-o", "--push"}
)

// checkPassed returns an error if docker can't be given an argument.
func (f *stagesFlags) checkPassed() error {
	for _, arg := range f.passed {
		name, _, _ := strings.Cut(arg, "=")
		if len(name) > 2 && name[0] == '-' && name[1] != '-' {
			name = name[:2] // with its value, or more of them
		}
		switch {
		case slices.Contains(ownArguments, name):
			return f.usageError("%s stands before the --: it isn't docker's alone", name)
		case slices.Contains(mutingArguments, name):
			return f.usageError("%s can't be passed to docker: the stages' images, and what it says of them, are needed here", name)
		}
	}
	return nil
}

// dockerArgs returns the arguments that docker build gets.
func (f *stagesFlags) dockerArgs(a *app) []string {
	var args []string
	for _, kv := range f.args {
		args = append(args, "--build-arg", kv)
	}
	if a.platform != nil {
		args = append(args, "--platform", a.platform.String())
	}
	if a.pull {
		args = append(args, "--pull")
	}
	return append(args, f.passed...)
}

// buildEach builds the stages one by one and returns their images' references.
// Without a target that are all of them.
func (a *app) buildEach(ctx context.Context, b *build.Builder, plan *stages.Plan, f *stagesFlags) (map[int]string, error) {
	var todo []*cascade.Stage
	for _, s := range plan.Stages {
		if !plan.Empty(s) && (s.Needed || f.target == "") {
			todo = append(todo, s)
		}
	}
	p := &progress.Progress{}
	defer a.showProgress(p.Snapshot)()
	refs := map[int]string{}
	for i, s := range todo {
		doing := fmt.Sprintf("building stage %d of %d (%s)", i+1, len(todo), stageName(s))
		p.SetPhase(doing)
		target, text := plan.Build(s)
		id, err := b.Build(ctx, build.Target{
			Name: stageName(s), Target: target, Text: text, Tell: func(line string) { p.SetPhase(doing + ": " + line) },
		})
		if err != nil {
			return nil, err
		}
		refs[s.Index] = "docker://" + id
	}
	return refs, nil
}
