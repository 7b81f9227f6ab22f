package tree

import (
	"slices"
	"strings"

	"github.com/layerscope/layerscope/analyze/layer"
)

// finish puts the nodes in depth-first order and adds up the layers' bytes.
func (b *builder) finish() *Tree {
	t := b.t
	t.layerStart = append(t.layerStart, int32(len(t.events)))
	b.renumber(b.order())
	b.sum()
	return t
}

// order returns the old numbers of the nodes in depth-first order. It walks
// without recursion and reuses one slice for the children being sorted.
func (b *builder) order() []int32 {
	order := make([]int32, 0, len(b.t.parent))
	stack := []int32{int32(Root)}
	var children []int32
	for len(stack) > 0 {
		n := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		order = append(order, n)
		children = children[:0]
		for c := b.child[n]; c >= 0; c = b.sibling[c] {
			children = append(children, c)
		}
		// Siblings are linked newest first, which is close to the order
		// wanted here: the stack takes the last name first.
		slices.SortFunc(children, func(x, y int32) int {
			return strings.Compare(b.t.Name(Node(y)), b.t.Name(Node(x)))
		})
		stack = append(stack, children...)
	}
	return order
}

// renumber gives every node its place in order as its number.
func (b *builder) renumber(order []int32) {
	t := b.t
	place := make([]int32, len(order)) // new number by old
	for n, old := range order {
		place[old] = int32(n)
	}
	parent := make([]int32, len(order))
	name := make([]nameRef, len(order))
	last := make([]int32, len(order))
	for n, old := range order {
		if p := t.parent[old]; p >= 0 {
			parent[n] = place[p]
		}
		name[n], last[n] = t.name[old], t.last[old]
	}
	t.parent, t.name, t.last = parent, name, last
	for i := range t.events {
		t.events[i].node = place[t.events[i].node]
	}
	t.end = make([]int32, len(order))
	for n := len(order) - 1; n >= 0; n-- {
		t.end[n] = max(t.end[n], int32(n+1))
		if n > 0 {
			t.end[parent[n]] = max(t.end[parent[n]], t.end[n])
		}
	}
}

// sum adds up what is stored and what of it is live. By then refs counts the
// final paths.
func (b *builder) sum() {
	t := b.t
	t.sums = make([]Sums, len(t.layers))
	for k, x := range t.layers {
		s := &t.sums[k]
		for row, e := range x.All() {
			if e.Type != layer.File {
				continue
			}
			s.Stored += e.Size
			if t.refs[t.first[k]+int32(row)] > 0 {
				s.Live += e.Size
			}
		}
		s.Dead = s.Stored - s.Live
	}
}
