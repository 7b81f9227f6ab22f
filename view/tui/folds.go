package tui

import (
	"maps"

	"github.com/layerscope/layerscope/analyze/tree"
)

// folds is which directories are open: all, none or as is handy
// (rowBuilder.open), and what the user made different, by path: a layer that is
// looked at before the others are read has nodes of its own.
type folds struct {
	all     foldAll
	flipped map[string]bool
}

type foldAll uint8

const (
	asHandy foldAll = iota
	allOpen
	allClosed
)

// set makes one directory open or closed.
func (f *folds) set(path string, open bool) {
	if f.flipped == nil {
		f.flipped = map[string]bool{}
	}
	f.flipped[path] = open
}

func (f folds) clone() folds {
	f.flipped = maps.Clone(f.flipped)
	return f
}

// nodes returns what the user flipped as nodes of t.
func (f folds) nodes(t *tree.Tree) map[tree.Node]bool {
	nodes := make(map[tree.Node]bool, len(f.flipped))
	for path, open := range f.flipped {
		if n, ok := t.Lookup(path); ok {
			nodes[n] = open
		}
	}
	return nodes
}
