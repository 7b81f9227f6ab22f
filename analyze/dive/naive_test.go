package dive_test

import (
	"archive/tar"
	"errors"
	"io"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/layerscope/layerscope/analyze/dive"
	"github.com/layerscope/layerscope/analyze/synth"
)

// This file is dive's way to its numbers, step by step: a tree of maps for each
// layer, made of archive/tar's headers, and for every whiteout all layers below
// stacked again.

type naiveNode struct {
	parent   *naiveNode
	name     string
	size     int64
	dir      bool
	children map[string]*naiveNode
}

func newNaive(parent *naiveNode, name string) *naiveNode {
	return &naiveNode{parent: parent, name: name, children: map[string]*naiveNode{}}
}

func (n *naiveNode) copy(parent *naiveNode) *naiveNode {
	c := newNaive(parent, n.name)
	c.size, c.dir = n.size, n.dir
	for name, child := range n.children {
		c.children[name] = child.copy(c)
	}
	return c
}

// visit calls f for all below n, children first, until it says no.
func (n *naiveNode) visit(f func(*naiveNode) bool) bool {
	for _, name := range slices.Sorted(maps.Keys(n.children)) {
		if !n.children[name].visit(f) {
			return false
		}
	}
	return n.parent == nil || f(n)
}

// path is the node's path without the prefix of a whiteout.
func (n *naiveNode) path() string {
	p := strings.TrimPrefix(n.name, ".wh.")
	for a := n.parent; a != nil && a.parent != nil; a = a.parent {
		p = a.name + "/" + p
	}
	return "/" + p
}

func (n *naiveNode) whiteout() bool { return strings.HasPrefix(n.name, ".wh.") }

// sum is the bytes at and below n.
func (n *naiveNode) sum() int64 {
	sum := n.size
	for _, child := range n.children {
		sum += child.sum()
	}
	return sum
}

func components(p string) []string {
	return slices.DeleteFunc(strings.Split(p, "/"), func(c string) bool { return c == "" })
}

func (n *naiveNode) get(p string) *naiveNode {
	for _, c := range components(p) {
		if n = n.children[c]; n == nil {
			return nil
		}
	}
	return n
}

func (n *naiveNode) add(p string, size int64, dir bool) {
	parts := components(path.Clean(p))
	for _, c := range parts {
		if n.children[c] == nil {
			if strings.HasPrefix(c, ".wh..wh..") {
				return
			}
			n.children[c] = newNaive(n, c)
		}
		n = n.children[c]
	}
	if len(parts) > 0 {
		n.size, n.dir = size, dir
	}
}

func (n *naiveNode) stack(upper *naiveNode) {
	upper.visit(func(u *naiveNode) bool {
		if !u.whiteout() {
			n.add(u.path(), u.size, u.dir)
		} else if gone := n.get(u.path()); gone != nil && gone != n {
			delete(gone.parent.children, gone.name)
		}
		return true
	})
}

type naiveTally struct {
	cum, min int64
	n        int
}

// naive computes the numbers from the layers' tars.
func naive(t testing.TB, layers []synth.Layer) dive.Numbers {
	t.Helper()
	var trees []*naiveNode
	var sizes []int64
	for _, l := range layers {
		tree, size := naiveTree(t, l)
		trees, sizes = append(trees, tree), append(sizes, size)
	}
	var n dive.Numbers
	n.EfficiencyScore, n.WastedBytes = naiveEfficiency(trees)
	for k, size := range sizes {
		n.SizeBytes += size
		if k > 0 {
			n.UserSizeBytes += size
		}
	}
	n.UserWastedPercent = float64(uint64(n.WastedBytes)) / float64(uint64(n.UserSizeBytes))
	return n
}

func naiveTree(t testing.TB, l synth.Layer) (*naiveNode, int64) {
	t.Helper()
	r := l.Open(synth.None)
	defer r.Close()
	root, sum := newNaive(nil, ""), int64(0)
	for tr := tar.NewReader(r); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return root, sum
		}
		if err != nil {
			t.Fatal(err)
		}
		if name := path.Clean(h.Name); name != "." {
			info := h.FileInfo()
			sum += info.Size()
			root.add(name, info.Size(), info.IsDir())
		}
	}
}

func naiveEfficiency(trees []*naiveNode) (score float64, wasted int64) {
	tallies := map[string]*naiveTally{}
	var inefficient []*naiveTally
	for i, tree := range trees {
		tree.visit(func(n *naiveNode) bool {
			if len(n.children) > 0 {
				return true
			}
			key, size := n.path(), n.size
			d := tallies[key]
			if d == nil {
				d = &naiveTally{min: -1}
				tallies[key] = d
			}
			if n.whiteout() {
				stacked := trees[0].copy(nil)
				for _, below := range trees[:i] {
					stacked.stack(below)
				}
				prev := stacked.get(key)
				if prev == nil {
					return false
				}
				if size = 0; prev.dir {
					size = prev.sum()
				}
			}
			d.cum += size
			if d.min < 0 || size < d.min {
				d.min = size
			}
			if d.n++; d.n == 2 {
				inefficient = append(inefficient, d)
			}
			return true
		})
	}
	var least, all int64
	for _, d := range tallies {
		least += d.min
		all += d.cum
	}
	for _, d := range inefficient {
		wasted += d.cum
	}
	if all == 0 {
		return 1, wasted
	}
	return float64(least) / float64(all), wasted
}
