package cascade

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/distribution/reference"

	"github.com/layerscope/layerscope/analyze/buildcontext"
	"github.com/layerscope/layerscope/analyze/dockerfile"
)

// Change is what is changed between a build that was and the one to come. The
// zero Change changes nothing.
type Change struct {
	// Lines are lines of the Dockerfile, of the edited one if there is one,
	// whose instructions are edited, however.
	Lines []int
	// File is the edited Dockerfile, which need not be finished; nil if it isn't
	// edited.
	File *dockerfile.File
	// Contexts are the contexts' files after the change, those that change.
	Contexts map[string]*buildcontext.Tree
	Args     map[string]string // build arguments that get another value
	Bases    []string          // images whose digest has moved, as the Dockerfile or a user names them
}

// With returns the build after a change, and what it takes for given. The error
// is a [*LineError], a [*BaseError], or one of [New].
func (b Build) With(c Change) (after Build, assume Assume, err error) {
	after = b
	opt := b.Graph.Options
	opt.Args = maps.Clone(opt.Args)
	if opt.Args == nil {
		opt.Args = map[string]string{}
	}
	maps.Copy(opt.Args, c.Args)
	if opt.Moved, err = b.Graph.moved(c.Bases); err != nil {
		return after, assume, err
	}
	file := b.Graph.File
	if c.File != nil {
		file, opt.Unfinished = c.File, true
	}
	if c.File != nil || len(c.Args) > 0 || len(c.Bases) > 0 {
		if after.Graph, err = New(file, opt); err != nil {
			return after, assume, err
		}
	}
	for _, line := range c.Lines {
		s, err := after.Graph.StepAt(line)
		if err != nil {
			return after, assume, err
		}
		assume.Steps = append(assume.Steps, s.Index)
	}
	after.Contexts = map[string]*buildcontext.Tree{}
	maps.Copy(after.Contexts, b.Contexts)
	maps.Copy(after.Contexts, c.Contexts)
	if tree := after.Contexts[""]; tree != nil && b.Dockerfile != "" && (c.File != nil || len(c.Lines) > 0) {
		after.Contexts[""] = tree.Edit(buildcontext.Change{Path: b.Dockerfile, Kind: buildcontext.Changed})
	}
	return after, assume, nil
}

// BaseError says that no stage is from an image.
type BaseError struct {
	Name string
	Used []string
}

func (e *BaseError) Error() string { return fmt.Sprintf("no stage is from the image %s", e.Name) }

// Advice names the images that are used.
func (e *BaseError) Advice() string {
	if len(e.Used) == 0 {
		return "the build needs no image"
	}
	return "the build needs " + strings.Join(e.Used, ", ")
}

// Bases returns the images that the build needs, in full.
func (g *Graph) Bases() []string {
	var refs []string
	for _, n := range g.Nodes {
		if n.Kind == KindImage {
			refs = append(refs, n.Context)
		}
	}
	return refs
}

// moved returns the references in full of images as they are named.
func (g *Graph) moved(names []string) ([]string, error) {
	var all []string
	bases := g.Bases()
	for _, name := range names {
		full := name
		if ref, err := reference.ParseNormalizedNamed(name); err == nil {
			full = reference.TagNameOnly(ref).String()
		}
		if !slices.Contains(bases, full) {
			return nil, &BaseError{name, bases}
		}
		all = append(all, full)
	}
	return all, nil
}

// SettleError says that nothing that is built again is read by a name.
type SettleError struct {
	Name string
	Read []string // what is
}

func (e *SettleError) Error() string {
	return fmt.Sprintf("nothing that may be built again is read from %q", e.Name)
}

// Advice names what is read.
func (e *SettleError) Advice() string {
	if len(e.Read) == 0 {
		return "no instruction hangs on the bytes of what is built again"
	}
	return "there are " + strings.Join(e.Read, ", ")
}

// Settle returns an [Assume].Content that knows of content that is built again
// what a user says of it: by a stage's name, or by a path that is read or that
// is above it. The error is a [*SettleError].
func (g *Graph) Settle(same, differs []string) (func(*Node, *Edge) (bool, bool), error) {
	if len(same)+len(differs) == 0 {
		return nil, nil
	}
	known := map[*Edge]bool{}
	var read []string
	for _, n := range g.Nodes {
		for i := range n.In {
			if e := &n.In[i]; e.Firebreak() && e.From.Kind != KindLocal && e.From.Kind != KindInline {
				read = append(read, g.Origin(e.From)+" "+strings.Join(e.Paths(), " "))
			}
		}
	}
	slices.Sort(read)
	for i, name := range slices.Concat(same, differs) {
		found := false
		for _, n := range g.Nodes {
			for j := range n.In {
				e := &n.In[j]
				if e.Firebreak() && e.From.Kind != KindLocal && g.reads(e, name) {
					known[e], found = i < len(same), true
				}
			}
		}
		if !found {
			return nil, &SettleError{name, slices.Compact(read)}
		}
	}
	return func(_ *Node, e *Edge) (bool, bool) {
		s, ok := known[e]
		return s, ok
	}, nil
}

// reads tells whether an edge reads a stage, an image or a path of a name.
func (g *Graph) reads(e *Edge, name string) bool {
	if g.Origin(e.From) == name {
		return true
	}
	return slices.ContainsFunc(e.Paths(), func(p string) bool {
		p, name := strings.TrimPrefix(p, "/"), strings.Trim(path.Clean(name), "/")
		return p == name || strings.HasPrefix(p, name+"/")
	})
}

// A Failure is an instruction that the builder fails at, as one that copies
// what isn't there.
type Failure struct {
	Step *Step
	Err  error
}

func (e *Failure) Error() string {
	return fmt.Sprintf("%s on line %s: %v", e.Step.Keyword, e.Step.Lines, e.Err)
}

func (e *Failure) Unwrap() error { return e.Err }

// Check returns the first instruction that the builder would fail at for what
// the contexts hold, as a [*Failure], or what is wrong with reading them.
func (b Build) Check(ctx context.Context) error {
	for _, n := range b.Graph.Nodes {
		for i := range n.In {
			e := &n.In[i]
			tree := b.Contexts[e.From.Context]
			if e.From.Kind != KindLocal || e.Content == nil || tree == nil {
				continue
			}
			if _, err := tree.Files(ctx, e.Content); err != nil {
				if _, ok := errors.AsType[*buildcontext.NoMatchError](err); ok {
					return &Failure{b.Graph.Steps[n.Step], err}
				}
				return fmt.Errorf("reading what %s on line %s takes: %w", b.Graph.Steps[n.Step].Keyword, b.Graph.Steps[n.Step].Lines, err)
			}
		}
	}
	return nil
}
