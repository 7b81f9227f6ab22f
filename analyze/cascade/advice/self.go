package advice

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/layerscope/layerscope/analyze/cascade"
	"github.com/layerscope/layerscope/analyze/dockerfile"
)

// findSelf finds the Dockerfile and .dockerignore among what is copied.
func findSelf(f *finder) ([]Finding, error) {
	if f.tree == nil {
		return nil, nil
	}
	var files []string
	for _, name := range []string{f.b.Dockerfile, f.b.Dockerfile + ".dockerignore", ".dockerignore"} {
		if slices.Contains(files, name) || name == "" || !f.tree.Has(name) {
			continue
		}
		if f.names(name) || f.mentions(path.Base(name)) || !plainPattern(name) || len(f.readersOf(name)) == 0 {
			continue // it is wanted
		}
		files = append(files, name)
	}
	if len(files) == 0 {
		return nil, nil
	}
	v, edit, ok := f.rewritten(nil, files, files)
	if !ok {
		return nil, nil
	}
	change, steps := commentChanges(), f.readersOf(files[0])
	if files[0] != f.b.Dockerfile {
		change = fileChanges(files[0])
	}
	saves, err := f.saving(change, v)
	if saves == nil || err != nil {
		return nil, err
	}
	of := "them"
	if len(files) == 1 {
		of = "it"
	}
	var rule *Rule
	if files[0] != f.b.Dockerfile {
		rule = titled("dockerfile-in-context", ".dockerignore is among what it copies")
	}
	return []Finding{{
		Rule: rule, Step: steps[0].Index, Lines: linesOf(steps), Edit: edit, Saves: saves,
		Text: fmt.Sprintf("%s takes %s along: any edit of %s, even of a comment, reruns %s.",
			on(steps[0]), list(files), of, again(saves.Before)),
	}}, nil
}

// titled returns a rule with another title; nil if there is none of that ID.
func titled(id, title string) *Rule {
	for _, r := range Rules() {
		if r.ID == id {
			r.Title = title // of this copy alone: the table is made anew each time
			return r
		}
	}
	return nil
}

// readersOf returns the steps that read a file of the context.
func (f *finder) readersOf(name string) []*cascade.Step {
	var steps []*cascade.Step
	for _, s := range f.readers() {
		for _, e := range f.takes[s.Index] {
			if e.Path == name {
				steps = append(steps, s)
				break
			}
		}
	}
	return steps
}

// plainPattern tells whether a path is a pattern of .dockerignore that matches
// it alone.
func plainPattern(name string) bool {
	return name != "" && !strings.ContainsAny(name, "*?[]\\^!#\n\r") && strings.TrimSpace(name) == name
}

func linesOf(steps []*cascade.Step) []dockerfile.Range {
	var lines []dockerfile.Range
	for _, s := range steps {
		lines = append(lines, s.Lines)
	}
	return lines
}
