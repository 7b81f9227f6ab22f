// Package stages says what the stages of one Dockerfile store, what the other
// stages take of each, and what each leaves behind. The common calls are [Read],
// which tells what there is to build, and then, with the images of the stages,
// [Plan.Report].
//
// Of each stage that is known
//
//	stored = shipped + taken + left behind
//
// in bytes of copies, exactly. The target ships all that it stores. A stage that
// a needed one is FROM leaves nothing behind either: all of it, what is dead too,
// is in the other's image, and counts there. Of any other stage a live copy is
// taken if an instruction of a stage that the target needs copies it (COPY
// --from), and everything else is left behind. What is mounted is told apart: how
// much of it a command reads isn't known.
package stages

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/cascade"
	"github.com/layerscope/layerscope/analyze/cause"
	"github.com/layerscope/layerscope/analyze/dockerfile"
)

// ErrNoImage says that of a stage no image is known.
var ErrNoImage = errors.New("the stage's image isn't known")

// ErrUnsure says that what an instruction takes isn't known: its paths have
// variables that the environment of an image may set, and that isn't known.
var ErrUnsure = errors.New("its paths have variables of an image that isn't known")

// Options are how the Dockerfile is built.
type Options struct {
	Target   string            // --target; "" is the last stage
	Args     map[string]string // --build-arg
	Platform string            // --platform; "" is linux on the machine's architecture
}

// Plan is the stages of a Dockerfile, of which nothing is built yet.
type Plan struct {
	File   *dockerfile.File
	Stages []*cascade.Stage // all of the file
	Target int              // index of the target

	empty   []bool // of each stage whether it has no files
	options cascade.Options
}

// Read reads which stages there are. The error is one of [cascade.New]'s.
func Read(f *dockerfile.File, opt Options) (*Plan, error) {
	p := &Plan{File: f, options: cascade.Options{Target: opt.Target, Args: opt.Args, Platform: opt.Platform}}
	g, err := cascade.New(f, p.options)
	if err != nil {
		return nil, err
	}
	p.Stages, p.Target = needed(g), g.Target.Index
	p.empty = make([]bool, len(p.Stages))
	for i, s := range p.Stages {
		empty := s.Base == "scratch"
		if s.Below >= 0 { // always a stage further up, whose triggers may make some
			empty = p.empty[s.Below] && !slices.ContainsFunc(p.Stages[s.Below].Instructions, isTrigger)
		}
		p.empty[i] = empty && !slices.ContainsFunc(s.Instructions, makesFiles)
	}
	return p, nil
}

// needed returns the stages, of which those are Needed that the target is from
// or takes something of, or that such a stage does. To the graph stages that are
// alike are one.
func needed(g *cascade.Graph) []*cascade.Stage {
	stages := make([]*cascade.Stage, len(g.Stages))
	for i, s := range g.Stages {
		c := *s
		c.Needed = false
		stages[i] = &c
	}
	taken := make([][]int, len(stages)) // stages that a stage takes of
	for _, t := range g.Takes {
		taken[t.By] = append(taken[t.By], t.Of)
	}
	todo := []int{g.Target.Index}
	for len(todo) > 0 {
		s := stages[todo[len(todo)-1]]
		todo = todo[:len(todo)-1]
		if s.Needed {
			continue
		}
		s.Needed = true
		if s.Below >= 0 {
			todo = append(todo, s.Below)
		}
		todo = append(todo, taken[s.Index]...)
	}
	return stages
}

// Empty tells whether a stage has no files: it is from scratch, and no
// instruction of it makes any. Builders refuse to build what has no instruction
// at all, and engines to hand out what has no layer.
func (p *Plan) Empty(s *cascade.Stage) bool { return p.empty[s.Index] }

// settings are instructions that make no files.
var settings = []string{
	"ARG", "CMD", "ENTRYPOINT", "ENV", "EXPOSE", "HEALTHCHECK", "LABEL", "MAINTAINER", "ONBUILD", "SHELL", "STOPSIGNAL", "USER", "VOLUME",
}

func isTrigger(ins *dockerfile.Instruction) bool { return ins.Keyword == "ONBUILD" }

func makesFiles(ins *dockerfile.Instruction) bool { return !slices.Contains(settings, ins.Keyword) }

// chain returns the stage, the stage that it is from, and so on.
func (p *Plan) chain(s *cascade.Stage) []*cascade.Stage {
	chain := []*cascade.Stage{s}
	for s.Below >= 0 {
		s = p.Stages[s.Below]
		chain = append(chain, s)
	}
	return chain
}

// Build tells how docker builds a stage: target is its --target, "" for none,
// and text the Dockerfile to build, nil for the file as it is. Older builders
// take no numbers for targets, so that a stage whose name doesn't tell it from
// the others is built as the last of a file that ends with it.
func (p *Plan) Build(s *cascade.Stage) (target string, text []byte) {
	if s.Index == len(p.Stages)-1 {
		return "", nil
	}
	same := 0
	for _, o := range p.Stages {
		if strings.EqualFold(o.Name, s.Name) {
			same++
		}
	}
	if s.Name != "" && same == 1 {
		return s.Name, nil
	}
	lines := bytes.SplitAfter(p.File.Source, []byte("\n"))
	return "", bytes.Join(lines[:p.Stages[s.Index+1].From.Lines.Start-1], nil)
}

// Sum is files and bytes.
type Sum struct {
	Files int   // paths that aren't directories
	Bytes int64 // of copies, each once
}

// Take is what an instruction takes of a stage.
type Take struct {
	cascade.Take
	// Sum is what it takes, or what of a mount can be read; it is zero if Err
	// isn't nil.
	Sum
	// Err says why it isn't known: [ErrNoImage] or [ErrUnsure]; or why the stage
	// doesn't have it, as a [*tree.MissingError].
	Err error
}

// Stage is a stage and what becomes of its bytes.
type Stage struct {
	*cascade.Stage
	// Image is the stage's; nil if it isn't known, or Empty.
	Image *analyze.Image
	// Empty tells that the stage has no files: it stores nothing.
	Empty  bool
	Target bool // it is what the build is for

	// Heirs are the stages that are FROM this one and that the target needs;
	// all of this stage is theirs.
	Heirs []int
	// Takes are what instructions of other stages take of it, in the order of
	// the stages that take; of stages that the target needs.
	Takes []Take

	// Known tells whether the sums below are known: the stage's image is, and
	// what each COPY takes of it.
	Known   bool
	Stored  int64 // analyze.Unknown if the image isn't known
	Shipped int64 // the target's, or an heir's
	// Taken is what is copied out: each file once, however many instructions
	// copy it; nothing of a stage that has heirs or is the target.
	Taken Sum
	// Left is what nobody takes: live copies as Files, and dead ones.
	Left LeftBehind
}

// LeftBehind are copies that nobody takes.
type LeftBehind struct {
	Bytes  int64
	Copies int
	Parts  []cause.Part // in the order of [cause.Part.Compare]
}

// Report is what becomes of the bytes of all stages.
type Report struct {
	*Plan
	All   []*Stage // of the file, in its order
	Graph *cascade.Graph
}

// Report says what becomes of the bytes of the stages, whose images are given
// by their index; those that aren't there aren't known. Each image must be
// complete and have its packages. The error is one of [cascade.New]'s, or that
// of ctx.
func (p *Plan) Report(ctx context.Context, images map[int]*analyze.Image) (*Report, error) {
	opt := p.options
	opt.Images = p.environments(images)
	g, err := cascade.New(p.File, opt)
	if err != nil {
		return nil, err
	}
	r := &Report{Plan: p, Graph: g}
	for i, s := range needed(g) {
		r.All = append(r.All, &Stage{Stage: s, Image: p.withLines(images[i], s), Empty: p.Empty(s), Target: i == p.Target, Stored: analyze.Unknown})
	}
	for _, t := range g.Takes {
		of := r.All[t.Of]
		of.Takes = append(of.Takes, Take{Take: t})
	}
	for _, s := range r.All {
		if s.Needed && s.Below >= 0 {
			below := r.All[s.Below]
			below.Heirs = append(below.Heirs, s.Index)
		}
	}
	for _, s := range r.All {
		if err := s.account(ctx); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// withLines returns a stage's image with what the Dockerfile tells of it, as
// where its base ends. An image that was given for the stage may be of another.
func (p *Plan) withLines(m *analyze.Image, s *cascade.Stage) *analyze.Image {
	if m == nil {
		return nil
	}
	if known, err := m.WithStage(p.File, s.Stage); err == nil {
		return known
	}
	return m
}

// account finds what becomes of the stage's bytes.
func (s *Stage) account(ctx context.Context) error {
	if s.Image == nil && !s.Empty {
		for i := range s.Takes {
			s.Takes[i].Err = ErrNoImage
		}
		return nil
	}
	l := newLedger(s.Image)
	s.Known, s.Stored = true, l.stored
	for i := range s.Takes {
		t := &s.Takes[i]
		counts := t.Role == cascade.RoleCopy
		if t.Unsure {
			t.Err = ErrUnsure
		} else {
			t.Sum, t.Err = l.take(ctx, t.Selections, counts)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		s.Known = s.Known && (t.Err == nil || !counts)
	}
	switch {
	case s.Target || len(s.Heirs) > 0:
		s.Known, s.Shipped = true, s.Stored
	case s.Known:
		s.Taken = l.taken
		if s.Image != nil {
			s.Left = l.left(s.Image, s.Image.Causes(true))
		}
	}
	return nil
}
