package tree

import (
	"cmp"
	"iter"

	"github.com/layerscope/layerscope/analyze/layer"
)

// Death is the end of a copy: how the last path that referred to it ceased to.
type Death struct {
	// Copy is the entry whose bytes no final path refers to.
	Copy Ref
	// Path is the last path that referred to the copy; of several that went
	// with the same layer the first in order.
	Path Node
	// Layer is the layer by which that path went. It is the copy's own where
	// the layer's tar says one thing and then another.
	Layer int
	// Gone is Set if something stands at the path after that layer, which is
	// then Next; else it says why nothing does.
	Gone Cause
	Next State
}

// Deaths yields the copies that are dead, in the order of their layers and rows.
// It takes one pass over the events.
func (t *Tree) Deaths() iter.Seq[Death] {
	return func(yield func(Death) bool) {
		ends := t.ends()
		for k, x := range t.layers {
			for row, e := range x.All() {
				g := t.first[k] + int32(row)
				if e.Type != layer.File || e.Size == 0 || t.refs[g] > 0 {
					continue
				}
				if !yield(t.death(Ref{int32(k), int32(row)}, ends[g])) {
					return
				}
			}
		}
	}
}

// DeadNames yields each path that ever led to a dead copy, with that copy, in the
// order of time. What comes again is yielded again.
func (t *Tree) DeadNames() iter.Seq2[Ref, Node] {
	return func(yield func(Ref, Node) bool) {
		for _, ev := range t.events {
			if ev.inode < 0 || t.refs[ev.inode] > 0 {
				continue
			}
			r := t.ref(ev.inode)
			if e, _ := t.Entry(r); e.Type == layer.File && e.Size > 0 && !yield(r, Node(ev.node)) {
				return
			}
		}
	}
}

// end is how a copy ended: with the event by which its last path went to
// another state, and the last event of that path by the same layer. Both are
// one more than the event's number, so that the zero end is none.
type end struct{ by, after int32 }

// ends returns, by global number, how copies ended. It goes through the events
// from the last to the first: what it meets first of a copy is its end.
func (t *Tree) ends() []end {
	ends := make([]end, len(t.refs))
	last := make([]int32, len(t.parent)) // the node's last event by the layer that is gone through, plus one
	for i := int32(len(t.events)) - 1; i >= 0; i-- {
		ev := &t.events[i]
		if a := last[ev.node]; a == 0 || t.events[a-1].layer != ev.layer {
			last[ev.node] = i + 1
		}
		if ev.prev < 0 {
			continue
		}
		g := t.events[ev.prev].inode
		if g < 0 || g == ev.inode || t.refs[g] > 0 {
			continue
		}
		if was := ends[g].by - 1; was < 0 || t.events[was].layer == ev.layer && ev.node < t.events[was].node {
			ends[g] = end{i + 1, last[ev.node]}
		}
	}
	return ends
}

func (t *Tree) death(copy Ref, e end) Death {
	d := Death{Copy: copy, Path: Root, Layer: int(copy.Layer)}
	if e.by == 0 {
		return d // a file at the root's own path, which stays a directory
	}
	by, after := &t.events[e.by-1], &t.events[e.after-1]
	d.Path, d.Layer = Node(by.node), int(by.layer)
	if after.entry != none {
		d.Next = t.state(e.after - 1)
	} else {
		d.Gone = cmp.Or(by.cause, after.cause) // set again, and then removed
	}
	return d
}
