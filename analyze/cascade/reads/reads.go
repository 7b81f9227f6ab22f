// Package reads tells which files of its contexts a build reads: what each COPY,
// ADD and bind mount takes, what .dockerignore leaves out, and what nothing
// reads. The common call is [Of].
package reads

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/layerscope/layerscope/analyze/buildcontext"
	"github.com/layerscope/layerscope/analyze/cascade"
)

// Sum counts files: everything that isn't a directory.
type Sum struct {
	Files int
	Bytes int64 // of regular files
}

func (s *Sum) add(e *buildcontext.Entry) {
	s.Files++
	s.Bytes += e.Size
}

// Read is what an instruction takes of a context.
type Read struct {
	Step     *cascade.Step
	Role     cascade.Role
	Context  string   // "" for the build's own
	Patterns []string // as the instruction has them, from the context's root
	Sum
	Largest []*buildcontext.Entry // the three largest of its files
	Err     error                 // a [*buildcontext.NoMatchError] if there is nothing; builders fail then
}

// Group is a file, or a directory of which all files are alike.
type Group struct {
	Path string // a directory's ends with a slash
	Sum
}

// Context is what a build makes of one context.
type Context struct {
	Name       string // "" for the build's own
	All        Sum    // after .dockerignore
	IgnoreFile string // path of the .dockerignore that counts, "" if there is none
	Ignored    []buildcontext.Ignored
	Unread     Sum     // what no instruction takes that the target needs
	Groups     []Group // of Unread, the largest first
}

// Report is what a build reads.
type Report struct {
	Reads    []Read // in the order of the instructions
	Contexts []Context
}

// Of returns what a build reads of the contexts whose files are known. Only
// instructions that the target needs read anything. The error is of reading the
// contexts.
func Of(ctx context.Context, b cascade.Build) (*Report, error) {
	r := &Report{}
	read := map[*buildcontext.Entry]bool{}
	for _, l := range localEdges(b) {
		one := Read{Step: l.step, Role: l.edge.Role, Context: l.edge.From.Context, Patterns: l.edge.Paths()}
		entries, err := l.tree.Files(ctx, l.edge.Content)
		if _, ok := errors.AsType[*buildcontext.NoMatchError](err); ok {
			one.Err = err
		} else if err != nil {
			return nil, fmt.Errorf("reading what %s on line %s takes: %w", l.step.Keyword, l.step.Lines, err)
		}
		for _, e := range entries {
			read[e] = true
			if !e.IsDir() {
				one.add(e)
			}
		}
		one.Largest = largest(entries)
		r.Reads = append(r.Reads, one)
	}
	for _, name := range slices.Sorted(maps.Keys(b.Contexts)) {
		c, err := contextOf(ctx, b, name, read)
		if err != nil {
			return nil, err
		}
		r.Contexts = append(r.Contexts, c)
	}
	return r, nil
}

// largest returns the three largest files.
func largest(entries []*buildcontext.Entry) []*buildcontext.Entry {
	files := slices.DeleteFunc(slices.Clone(entries), (*buildcontext.Entry).IsDir)
	slices.SortStableFunc(files, func(a, b *buildcontext.Entry) int { return cmp.Compare(b.Size, a.Size) })
	return slices.Clone(files[:min(len(files), 3)])
}

// local is an edge that reads a context.
type local struct {
	step *cascade.Step
	edge *cascade.Edge
	tree *buildcontext.Tree
}

// localEdges returns the edges that read contexts whose files are known, in the
// order of the instructions.
func localEdges(b cascade.Build) []local {
	var all []local
	for _, n := range b.Graph.Nodes {
		for i := range n.In {
			e := &n.In[i]
			if tree := b.Contexts[e.From.Context]; e.From.Kind == cascade.KindLocal && e.Content != nil && tree != nil {
				all = append(all, local{b.Graph.Steps[n.Step], e, tree})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b local) int { return cmp.Compare(a.step.Index, b.step.Index) })
	return all
}

// contextOf sums up a context, of which some entries are read.
func contextOf(ctx context.Context, b cascade.Build, name string, read map[*buildcontext.Entry]bool) (Context, error) {
	tree := b.Contexts[name]
	c := Context{Name: name, IgnoreFile: tree.IgnoreFile()}
	var err error
	if c.Ignored, err = tree.Ignored(ctx); err != nil {
		return c, fmt.Errorf("counting what .dockerignore leaves out: %w", err)
	}
	own := map[string]bool{}
	if name == "" && b.Dockerfile != "" {
		own[b.Dockerfile], own[b.Dockerfile+".dockerignore"] = true, true
	}
	own[".dockerignore"] = true
	var unread []*buildcontext.Entry
	kept := map[string]bool{"": true} // directories with a file that is read
	for _, e := range tree.Entries() {
		if e.IsDir() {
			continue
		}
		c.All.add(e)
		if !read[e] && !own[e.Path] {
			c.Unread.add(e)
			unread = append(unread, e)
			continue
		}
		for dir := path.Dir(e.Path); dir != "." && !kept[dir]; dir = path.Dir(dir) {
			kept[dir] = true
		}
	}
	c.Groups = groups(unread, kept)
	return c, nil
}

// groups puts files together by the outermost directory that has no file that
// is read.
func groups(unread []*buildcontext.Entry, kept map[string]bool) []Group {
	byPath := map[string]*Group{}
	for _, e := range unread {
		at := e.Path
		for i, ch := range e.Path {
			if ch == '/' && !kept[e.Path[:i]] {
				at = e.Path[:i+1]
				break
			}
		}
		g := byPath[at]
		if g == nil {
			g = &Group{Path: at}
			byPath[at] = g
		}
		g.add(e)
	}
	var all []Group
	for _, g := range byPath {
		all = append(all, *g)
	}
	slices.SortFunc(all, func(a, b Group) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(b.Files, a.Files), strings.Compare(a.Path, b.Path))
	})
	return all
}

// Readers returns the instructions that take a file of the build's own context
// as it is, in order.
func Readers(ctx context.Context, b cascade.Build, file string) ([]*cascade.Step, error) {
	var steps []*cascade.Step
	for _, l := range localEdges(b) {
		if l.edge.From.Context != "" || slices.Contains(steps, l.step) {
			continue
		}
		entries, err := l.tree.Files(ctx, l.edge.Content)
		if _, ok := errors.AsType[*buildcontext.NoMatchError](err); ok {
			continue
		} else if err != nil {
			return nil, fmt.Errorf("reading what %s on line %s takes: %w", l.step.Keyword, l.step.Lines, err)
		}
		if slices.ContainsFunc(entries, func(e *buildcontext.Entry) bool { return e.Path == file }) {
			steps = append(steps, l.step)
		}
	}
	return steps, nil
}
