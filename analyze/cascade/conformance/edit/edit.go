// Package edit edits Dockerfiles and build contexts by rule: each kind of edit
// that there is a rule for, for each instruction that it applies to. What a
// builder does after such an edit, and what our engine says that it does, can
// then be held against each other.
package edit

import (
	"bytes"
	"maps"
	"math/rand/v2"
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
	return slices.DeleteFunc(candidates(dockerfile, args), func(e Edit) bool { return !parses(e.Dockerfile) })
}

// Sample returns at most n of the edits that All returns, of as many kinds as
// can be, without making sure of the others. The same seed chooses the same.
func Sample(dockerfile []byte, args map[string]string, n int, seed uint64) []Edit {
	byKind := map[string][]Edit{}
	var names []string
	for _, e := range candidates(dockerfile, args) {
		if byKind[e.Kind] == nil {
			names = append(names, e.Kind)
		}
		byKind[e.Kind] = append(byKind[e.Kind], e)
	}
	r := rand.New(rand.NewPCG(seed, uint64(len(dockerfile))))
	r.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	var edits []Edit
	for len(edits) < n && len(names) > 0 {
		var left []string // kinds that there is more of
		for _, name := range names {
			of := byKind[name]
			i := r.IntN(len(of))
			if len(edits) < n && parses(of[i].Dockerfile) {
				edits = append(edits, of[i])
			}
			if byKind[name] = slices.Delete(of, i, i+1); len(byKind[name]) > 0 {
				left = append(left, name)
			}
		}
		names = left
	}
	return edits
}

// candidates returns every edit that changes something. The text after some may
// be no Dockerfile.
func candidates(dockerfile []byte, args map[string]string) []Edit {
	d := newDocument(dockerfile)
	if d == nil {
		return nil
	}
	var edits []Edit
	add := func(e Edit) {
		if !bytes.Equal(e.Dockerfile, dockerfile) || e.Args != nil && !maps.Equal(e.Args, args) {
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
	return names
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
