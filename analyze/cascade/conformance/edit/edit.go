// Package edit edits Dockerfiles and build contexts by rule: each kind of edit
// that there is a rule for, for each instruction that it applies to. What a
// builder does after such an edit, and what our engine says that it does, can
// then be held against each other.
package edit

import (
	"bytes"
	"maps"
	"slices"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// Edit is a Dockerfile, edited.
type Edit struct {
	Kind       string // one of Kinds
	Line       int    // of the instruction in the original, from 1; 0 if it is of none
	Dockerfile []byte // after the edit
	// Args are the build arguments after the edit; nil if they stay.
	Args map[string]string
}

// All returns every edit of every kind that applies to a Dockerfile that is
// built with args: first the instructions' from top to bottom, then those of
// the whole file and of the arguments. An edit that changes nothing, or after
// which the text is no Dockerfile, is left out. There are none of a text that
// is no Dockerfile to begin with.
func All(dockerfile []byte, args map[string]string) []Edit {
	d := newDocument(dockerfile)
	if d == nil {
		return nil
	}
	var edits []Edit
	add := func(e Edit) {
		same := bytes.Equal(e.Dockerfile, dockerfile) && (e.Args == nil || maps.Equal(e.Args, args))
		if !same && parses(e.Dockerfile) {
			edits = append(edits, e)
		}
	}
	for _, s := range d.spots {
		for _, k := range kinds {
			if !k.of(s) {
				continue
			}
			for _, text := range k.make(d, s) {
				add(Edit{Kind: k.name, Line: s.start, Dockerfile: []byte(text)})
			}
		}
	}
	for _, k := range fileKinds {
		for _, text := range k.make(d) {
			add(Edit{Kind: k.name, Dockerfile: []byte(text)})
		}
	}
	for _, k := range argKinds {
		for _, e := range k.make(d, args) {
			e.Kind = k.name
			if e.Dockerfile == nil {
				e.Dockerfile = dockerfile
			}
			add(e)
		}
	}
	return edits
}

// Kinds returns the names of all kinds of edit, in the order of All.
func Kinds() []string {
	var names []string
	for _, k := range kinds {
		names = append(names, k.name)
	}
	for _, k := range fileKinds {
		names = append(names, k.name)
	}
	for _, k := range argKinds {
		names = append(names, k.name)
	}
	return slices.Compact(names)
}

// kind is a kind of edit of one instruction. There may be several ways to make
// it.
type kind struct {
	name string
	on   []string // keywords; nil for any
	make func(d *document, s *spot) []string
}

func (k kind) of(s *spot) bool { return k.on == nil || slices.Contains(k.on, s.keyword) }

// fileKind is a kind of edit of the whole text.
type fileKind struct {
	name string
	make func(d *document) []string
}

// argKind is a kind of edit of the build arguments.
type argKind struct {
	name string
	make func(d *document, args map[string]string) []Edit
}

var kinds = slices.Concat(anyKinds, insertKinds, runKinds, heredocKinds, mountKinds, envKinds, configKinds, copyKinds, fromKinds)

// parses tells whether BuildKit takes a text for a Dockerfile.
func parses(text []byte) bool {
	r, err := parser.Parse(bytes.NewReader(text))
	if err != nil {
		return false
	}
	// Without a linter the package panics at a "# check=" above an instruction.
	_, _, err = instructions.Parse(r.AST, linter.New(&linter.Config{SkipAll: true}))
	return err == nil
}
