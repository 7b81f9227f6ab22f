package tree

import (
	"slices"
	"strings"

	"github.com/layerscope/layerscope/analyze/internal/children"
	"github.com/layerscope/layerscope/analyze/layer"
)

// finish puts the nodes in depth-first order and adds up the layers' bytes.
func (b *builder) finish() *Tree {
	t := b.t
	t.layerStart = append(t.layerStart, int32(len(t.events)))
	b.names, b.child, b.sibling, b.dirNode = children.Table{}, nil, nil, nil // the rest needs the room
	b.renumber(b.order())
	b.sum()
	return t
}

// order returns the old numbers of the nodes in depth-first order. It walks
// without recursion.
func (b *builder) order() []int32 {
	children, start := b.byParent()
	order := make([]int32, 0, len(b.t.parent))
	stack := []int32{int32(Root)}
	for len(stack) > 0 {
		n := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		order = append(order, n)
		below := children[start[n]:start[n+1]]
		slices.SortFunc(below, func(x, y int32) int { // the last first, as the stack turns them round
			return strings.Compare(b.t.Name(Node(y)), b.t.Name(Node(x)))
		})
		stack = append(stack, below...)
	}
	return order
}

// byParent returns all nodes but the root, those of a parent together: the
// children of n are children[start[n]:start[n+1]], the newest first.
func (b *builder) byParent() (children, start []int32) {
	parent := b.t.parent
	start = make([]int32, len(parent)+1)
	for _, p := range parent[1:] {
		start[p+1]++
	}
	for n := range parent {
		start[n+1] += start[n]
	}
	children = make([]int32, len(parent)-1)
	next := slices.Clone(start)
	for n := len(parent) - 1; n > 0; n-- {
		p := parent[n]
		children[next[p]] = int32(n)
		next[p]++
	}
	return children, start
}

// renumber gives every node its place in order as its number.
func (b *builder) renumber(order []int32) {
	t := b.t
	place := make([]int32, len(order)) // new number by old
	for n, old := range order {
		place[old] = int32(n)
	}
	for old, p := range t.parent {
		t.parent[old] = place[max(p, 0)] // the root is its own parent
	}
	t.parent = reorder(t.parent, order)
	t.name = reorder(t.name, order)
	t.last = reorder(t.last, order)
	for i := range t.events {
		t.events[i].node = place[t.events[i].node]
	}
	t.end = make([]int32, len(order))
	for n := len(order) - 1; n >= 0; n-- {
		t.end[n] = max(t.end[n], int32(n+1))
		if n > 0 {
			t.end[t.parent[n]] = max(t.end[t.parent[n]], t.end[n])
		}
	}
}

// reorder returns s in another order, with no room to spare.
func reorder[T any](s []T, order []int32) []T {
	out := make([]T, len(order))
	for n, old := range order {
		out[n] = s[old]
	}
	return out
}

// sum adds up what is stored and what of it is live, and counts the final
// files. By then refs counts the final paths.
func (b *builder) sum() {
	t := b.t
	for _, e := range t.last {
		if t.stands(e) && !t.events[e].dir {
			t.files++
		}
	}
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
