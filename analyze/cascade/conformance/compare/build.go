// Package compare holds the product's predictions against those of BuildKit's
// frontend, vertex by vertex.
package compare

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/layerscope/layerscope/analyze/buildcontext"
	"github.com/layerscope/layerscope/analyze/cascade"
	"github.com/layerscope/layerscope/analyze/cascade/conformance/frontend"
	"github.com/layerscope/layerscope/analyze/dockerfile"
)

// Build is a build for both engines.
type Build struct {
	Dockerfile   []byte
	Dockerignore []byte // of "Dockerfile.dockerignore"; nil if there is none
	Target       string
	Platform     string
	Args         map[string]string
	Contexts     map[string]string // "docker-image://REF", or "" for a folder of Folders
	NoCache      []string
	Inside       bool // the Dockerfile is in the context, where a COPY may take it
	// Folders are the build's context, "", and named ones. Of one that isn't
	// there nothing is known.
	Folders map[string]*Folder
	// Images tells what images are configured with; nil knows none.
	Images func(reference string) *cascade.Image
}

// Folder is a context's folder as both engines read it. Files in it don't change
// any more.
type Folder struct {
	Tree   *buildcontext.Tree
	Folder *frontend.Folder
}

// NewFolder reads a context. dockerfile is the path of the Dockerfile; "" for a
// named context.
func NewFolder(ctx context.Context, dir, dockerfile string) (*Folder, error) {
	tree, err := buildcontext.Read(ctx, dir, buildcontext.Options{Dockerfile: dockerfile})
	if err != nil {
		return nil, err
	}
	return &Folder{tree, frontend.NewFolder(dir)}, nil
}

// Pair is what both engines make of a build.
type Pair struct {
	Build
	Ours   cascade.Build // without a Graph if refused
	Theirs *frontend.Graph
	// Refusals are nil, or why each engine refuses the build.
	OurRefusal, TheirRefusal error

	once sync.Once
	join *join
}

// Convert gives a build to both engines. The error is another than that one of
// them refuses it.
func Convert(ctx context.Context, b Build) (*Pair, error) {
	p := &Pair{Build: b}
	if err := p.ours(); err != nil {
		return nil, err
	}
	their := frontend.Build{
		Dockerfile: b.Dockerfile, Dockerignore: b.Dockerignore, Target: b.Target, Platform: b.Platform, Args: b.Args,
		NoCache: b.NoCache, Contexts: map[string]string{}, Folders: map[string]*frontend.Folder{},
	}
	for name, what := range b.Contexts {
		if what == "" {
			what = "local:" + name
		}
		their.Contexts[name] = what
	}
	for name, f := range b.Folders {
		their.Folders[name] = f.Folder
	}
	if b.Images != nil {
		their.Images = func(reference, _ string) *frontend.Image {
			i := b.Images(reference)
			if i == nil {
				return nil
			}
			return &frontend.Image{
				Digest: i.Digest, Env: i.Env, Shell: i.Shell, OnBuild: i.OnBuild, WorkingDir: i.WorkingDir, User: i.User,
				Platform: i.Platform, Empty: i.Empty,
			}
		}
	}
	var err error
	p.Theirs, err = frontend.Convert(ctx, their)
	if _, refused := errors.AsType[*frontend.Refused](err); refused {
		p.TheirRefusal, err = err, nil
	}
	return p, err
}

// images makes a function what a prediction asks.
type images func(reference string) *cascade.Image

func (f images) Image(reference, _ string) *cascade.Image { return f(reference) }

func (p *Pair) ours() error {
	f, err := dockerfile.Parse("Dockerfile", p.Dockerfile)
	if err != nil {
		if _, ok := errors.AsType[*dockerfile.Error](err); !ok {
			return fmt.Errorf("our parser: %w", err)
		}
		p.OurRefusal = err
		return nil
	}
	opt := cascade.Options{Target: p.Target, Platform: p.Platform, Args: p.Args, Contexts: map[string]string{}, NoCache: p.NoCache}
	for name, what := range p.Contexts {
		if what == "" {
			what = "./" + name
		}
		opt.Contexts[name] = what
	}
	if p.Images != nil {
		opt.Images = images(p.Images)
	}
	p.Ours.Contexts = map[string]*buildcontext.Tree{}
	for name, f := range p.Folders {
		p.Ours.Contexts[name] = f.Tree
	}
	if p.Inside {
		p.Ours.Dockerfile = "Dockerfile"
	}
	p.Ours.Graph, p.OurRefusal = cascade.New(f, opt)
	return nil
}

// Refused tells whether an engine refuses the build.
func (p *Pair) Refused() bool { return p.OurRefusal != nil || p.TheirRefusal != nil }

// lineOf returns the line that a refusal of either engine names; 0 for none.
func lineOf(err error) int {
	if e, ok := errors.AsType[*frontend.Refused](err); ok {
		return e.Line
	}
	if e, ok := errors.AsType[*cascade.Error](err); ok {
		return e.Line
	}
	if e, ok := errors.AsType[*dockerfile.Error](err); ok {
		return e.Line
	}
	return 0
}

// Difference is something that the engines don't agree on.
type Difference struct {
	// What is what they don't agree on: "refused", "line", "vertex", "inputs",
	// "label", "state", "unsettled", "settled".
	What string
	Line int // of the instruction; 0 for none
	Node string
	Ours string
	Them string
}

func (d Difference) String() string {
	return fmt.Sprintf("%s of %s on line %d: ours %s, the frontend's %s", d.What, d.Node, d.Line, d.Ours, d.Them)
}

// Refusals compares whether the engines refuse a build, and where.
func (p *Pair) Refusals() *Difference {
	a, b := p.OurRefusal, p.TheirRefusal
	text := func(err error) string {
		if err == nil {
			return "takes it"
		}
		line, _, _ := strings.Cut(err.Error(), "\n")
		return line
	}
	switch {
	case (a == nil) != (b == nil):
		return &Difference{What: "refused", Line: max(lineOf(a), lineOf(b)), Node: "the file", Ours: text(a), Them: text(b)}
	case lineOf(a) != lineOf(b) && lineOf(b) != 0:
		return &Difference{What: "line", Line: lineOf(b), Node: "the refusal", Ours: text(a), Them: text(b)}
	}
	return nil
}
