// Package waste finds the bytes of an image that it could do without: copies
// that are dead, which is a fact ([FindDead], design §5), and copies that are
// there twice ([FindDuplicates]) or match a class of what images rarely need
// (package disposable), which is advice.
//
// All of it is told by layer; analyze.Image has the step that made each.
package waste

import (
	"github.com/layerscope/layerscope/analyze/layer"
	"github.com/layerscope/layerscope/analyze/tree"
)

// Unknown stands for compressed bytes that the source doesn't tell.
const Unknown int64 = -1

// Image is an image to look for waste in.
type Image struct {
	Tree *tree.Tree
	// Compressed tells of each layer whether it was read as it is fetched
	// from a registry. Only then its files' shares of those bytes are known.
	Compressed []bool
	// Env is the environment that containers of the image get, as the config
	// has it: NAME=value each.
	Env []string
}

// Copy is one copy: the stored bytes of a regular file of one layer.
type Copy struct {
	Ref  tree.Ref  // the entry that stores it
	Path tree.Node // a path that refers, or last referred, to it

	Bytes int64 // at least 1
	// Compressed is an estimate of the copy's share of its layer's compressed
	// bytes, Unknown where those are.
	Compressed int64
}

// Copy returns the copy that r stores, to be shown at a path; r is of a File.
func (m Image) Copy(r tree.Ref, path tree.Node) Copy {
	e, _ := m.Tree.Entry(r)
	c := Copy{Ref: r, Path: path, Bytes: e.Size, Compressed: Unknown}
	if m.Compressed[r.Layer] {
		c.Compressed = e.Compressed
	}
	return c
}

// Sum is what copies add up to.
type Sum struct {
	Bytes      int64
	Compressed int64 // estimated; Unknown if that of any copy is
	Copies     int
}

// Add adds a copy.
func (s *Sum) Add(c Copy) { *s = s.Plus(Sum{c.Bytes, c.Compressed, 1}) }

// Plus adds up; with something unknown the sum's compressed bytes are.
func (s Sum) Plus(o Sum) Sum {
	s.Bytes += o.Bytes
	s.Copies += o.Copies
	if s.Compressed == Unknown || o.Compressed == Unknown {
		s.Compressed = Unknown
	} else {
		s.Compressed += o.Compressed
	}
	return s
}

// Tally is the sum of some copies, and their sums by the layer that stores
// them.
type Tally struct {
	Sum
	Layers []Sum
}

// NewTally returns the tally of no copies of an image.
func (m Image) NewTally() Tally { return Tally{Layers: make([]Sum, m.Tree.Layers())} }

// Add adds a copy.
func (t *Tally) Add(c Copy) {
	t.Sum.Add(c)
	t.Layers[c.Ref.Layer].Add(c)
}

// Of returns the sum of the copies of the layers for which in is true.
func (t *Tally) Of(in func(layer int) bool) Sum {
	var s Sum
	for k, l := range t.Layers {
		if in(k) {
			s = s.Plus(l)
		}
	}
	return s
}

// LiveCopies calls visit for each live copy with the first path that refers to
// it, in the order of the paths.
func (m Image) LiveCopies(visit func(Copy, *layer.Entry)) {
	linked := map[tree.Ref]bool{} // copies of several links that were visited
	for n, st := range m.Tree.Standing(m.Tree.Layers() - 1) {
		e, _ := m.Tree.Entry(st.Inode)
		if e == nil || e.Type != layer.File || e.Size == 0 || linked[st.Inode] {
			continue
		}
		if m.Tree.LiveRefs(st.Inode) > 1 {
			linked[st.Inode] = true
		}
		visit(m.Copy(st.Inode, n), e)
	}
}
