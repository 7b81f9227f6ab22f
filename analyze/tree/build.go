package tree

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/layerscope/layerscope/analyze/internal/children"
	"github.com/layerscope/layerscope/analyze/layer"
)

// Options are how layers are stacked. The zero value is right for Linux.
type Options struct {
	// Windows takes the Files/ prefix off the paths of the layers, under
	// which a Windows layer keeps its filesystem.
	Windows bool
}

// MaxLayers is the most layers a tree may have. Engines take 127.
const MaxLayers = math.MaxUint16

// Build stacks layers, bottom first, by the rules of design §5. It fails if
// there are more than [MaxLayers], or more entries than 31 bits can count, or
// ctx is done.
func Build(ctx context.Context, layers []*layer.Index, opts Options) (*Tree, error) {
	if len(layers) > MaxLayers {
		return nil, fmt.Errorf("stacking layers: %d are more than %d", len(layers), MaxLayers)
	}
	total, largest := 0, 0
	for _, x := range layers {
		total += x.Len()
		largest = max(largest, x.Len()+x.Dirs())
	}
	if total > math.MaxInt32-1 {
		return nil, fmt.Errorf("stacking layers: %d entries are more than %d", total, math.MaxInt32-1)
	}
	b := newBuilder(layers, opts)
	b.grow(total, largest)
	for k, x := range layers {
		if err := b.stack(ctx, k, x); err != nil {
			return nil, fmt.Errorf("stacking layer %d: %w", k, err)
		}
	}
	return b.finish(), nil
}

// builder stacks layer after layer. It keeps nodes in the order they come;
// finish puts them in depth-first order.
//
// A node's children are listed, child and then sibling after sibling, from when
// they come to stand until the directory is cleared, so that clearing walks over
// each of them once for each time it came.
type builder struct {
	t       *Tree
	opts    Options
	sibling []int32 // next in the parent's list, -1 at its end, or unlisted
	child   []int32 // first in the node's list, -1 if it is empty
	names   children.Table

	x       *layer.Index // the layer being stacked
	k       int
	dirNode []int32 // its directories' nodes; unset until needed
}

const (
	unset    int32 = -1 // in dirNode
	unlisted int32 = -2 // in sibling
)

func newBuilder(layers []*layer.Index, opts Options) *builder {
	b := &builder{t: &Tree{layers: layers}, opts: opts}
	b.t.first = make([]int32, 1, len(layers)+1)
	b.newNode(-1, nameRef{-1, 0})
	b.push(0, implied, implied, Set, true)
	return b
}

// grow makes room for an event for each of n entries, and for the nodes that
// the largest layer makes at most: growing step by step would hold each slice
// twice and leave three times as much to the garbage collector.
func (b *builder) grow(n, nodes int) {
	t := b.t
	t.refs = make([]int32, n)
	t.events = slices.Grow(t.events, n+nodes/16)
	t.parent = slices.Grow(t.parent, nodes)
	t.name = slices.Grow(t.name, nodes)
	t.last = slices.Grow(t.last, nodes)
	b.child = slices.Grow(b.child, nodes)
	b.sibling = slices.Grow(b.sibling, nodes)
	b.names.Grow(nodes)
}

// stack adds layer k. Whiteouts come first, wherever they stand in the tar:
// they apply to the layers below only.
func (b *builder) stack(ctx context.Context, k int, x *layer.Index) error {
	t := b.t
	b.x, b.k = x, k
	t.layerStart = append(t.layerStart, int32(len(t.events)))
	t.first = append(t.first, t.first[k]+int32(x.Len()))
	b.dirNode = make([]int32, x.Dirs())
	for i := range b.dirNode {
		b.dirNode[i] = unset
	}
	b.dirNode[0] = int32(Root)
	if b.opts.Windows {
		b.stripFiles()
	}
	for _, e := range x.All() {
		switch e.Type {
		case layer.Whiteout:
			b.whiteout(e)
		case layer.Opaque:
			b.opaque(e)
		}
	}
	return b.additions(ctx)
}

// stripFiles makes the directory Files the root.
func (b *builder) stripFiles() {
	for d := 1; d < b.x.Dirs(); d++ {
		if b.x.DirParent(d) == 0 && b.x.DirName(d) == "Files" {
			b.dirNode[d] = int32(Root)
		}
	}
}

// isFiles reports whether an entry is the Files directory of a Windows layer.
func (b *builder) isFiles(e *layer.Entry) bool {
	return b.opts.Windows && e.Type == layer.Dir && b.x.Dir(e) == 0 && b.x.Name(e) == "Files"
}

// additions sets the paths that the layer has entries for, in the tar's order:
// of a path that stands twice the last counts.
func (b *builder) additions(ctx context.Context) error {
	const often = 1 << 12
	for row, e := range b.x.All() {
		if row%often == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		switch e.Type {
		case layer.Ignored:
		case layer.Whiteout, layer.Opaque:
			// Engines make the directory that a whiteout stands in.
			b.ensureDir(b.dir(b.x.Dir(e)))
		default:
			b.add(int32(row), e)
		}
	}
	return nil
}

// add sets the path of entry row.
func (b *builder) add(row int32, e *layer.Entry) {
	if b.isFiles(e) {
		return
	}
	g := b.t.first[b.k] + row
	inode := g
	if e.Type == layer.Hardlink {
		if inode = b.linkTarget(e); inode < 0 {
			// No engine unpacks a link before its target, or without.
			b.t.brokenHardlinks++
			inode = g
		}
	}
	isDir := e.Type == layer.Dir
	n := b.entryNode(row, e)
	if n == int32(Root) {
		if isDir { // the root stays a directory
			b.push(n, g, inode, Set, true)
		}
		return
	}
	b.ensureDir(b.t.parent[n])
	if !isDir && b.isDir(n) {
		b.clear(n, Displaced)
	}
	b.push(n, g, inode, Set, isDir)
}

// linkTarget returns the inode at a hard link's target, none if there is
// nothing or a directory.
func (b *builder) linkTarget(e *layer.Entry) int32 {
	n := b.lookup(b.x.Link(e))
	if n < 0 || b.t.last[n] < 0 || b.isDir(n) {
		return none
	}
	return b.t.events[b.t.last[n]].inode
}

// whiteout removes a path of the layers below.
func (b *builder) whiteout(e *layer.Entry) {
	n := b.find(b.x.Dir(e), b.x.Name(e))
	if n < 0 || !b.stood(n) {
		b.t.danglingWhiteouts++
		return
	}
	if !b.stands(n) {
		return // another whiteout of the layer was as good
	}
	b.clear(n, Deleted)
	b.push(n, none, none, Deleted, false)
}

// opaque removes all that the layers below have in a directory.
func (b *builder) opaque(e *layer.Entry) {
	if n := b.findDir(b.x.Dir(e)); n >= 0 {
		b.clear(n, Deleted)
	}
}

// clear removes what stands below n.
func (b *builder) clear(n int32, cause Cause) {
	// Depth first without recursion: paths may be thousands deep. Each listed
	// node is walked over once, so no counts of what is below are needed: they
	// would cost each event its depth.
	stack := []int32{n}
	for len(stack) > 0 {
		top := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		c := b.child[top]
		b.child[top] = -1
		for c >= 0 {
			next := b.sibling[c]
			b.sibling[c] = unlisted
			if b.child[c] >= 0 {
				stack = append(stack, c)
			}
			if b.stands(c) {
				b.push(c, none, none, cause, false)
			}
			c = next
		}
	}
}

// ensureDir makes n a directory, implied where there is none, and its parents.
func (b *builder) ensureDir(n int32) {
	var missing []int32
	for !b.isDir(n) {
		missing = append(missing, n)
		n = b.t.parent[n]
	}
	for i := len(missing) - 1; i >= 0; i-- {
		b.push(missing[i], implied, implied, Set, true)
	}
}

// push records an event and keeps the counts that hang on it.
func (b *builder) push(n, entry, inode int32, cause Cause, dir bool) {
	t := b.t
	prev := t.last[n]
	was := t.stands(prev)
	if was {
		b.count(t.events[prev].inode, -1)
	}
	b.count(inode, +1)
	t.last[n] = int32(len(t.events))
	t.events = append(t.events, event{node: n, prev: prev, entry: entry, inode: inode, layer: uint16(b.k), cause: cause, dir: dir})
	if entry != none && !was {
		b.list(n)
	}
}

// list puts n on its parent's list of children, if it isn't there.
func (b *builder) list(n int32) {
	if p := b.t.parent[n]; p >= 0 && b.sibling[n] == unlisted {
		b.sibling[n], b.child[p] = b.child[p], n
	}
}

// count counts paths that refer to an inode.
func (b *builder) count(inode, by int32) {
	if inode >= 0 {
		b.t.refs[inode] += by
	}
}

func (b *builder) stands(n int32) bool { return b.t.stands(b.t.last[n]) }

// stood tells whether something stood at n in the layers below.
func (b *builder) stood(n int32) bool {
	e := b.t.last[n]
	for e >= 0 && int(b.t.events[e].layer) == b.k {
		e = b.t.events[e].prev
	}
	return b.t.stands(e)
}

func (b *builder) isDir(n int32) bool {
	e := b.t.last[n]
	return e >= 0 && b.t.events[e].dir
}
