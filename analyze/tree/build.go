package tree

import (
	"errors"
	"math"
	"slices"

	"github.com/layerscope/layerscope/analyze/layer"
)

// Options are how layers are stacked. The zero value is right for Linux.
type Options struct {
	// Windows takes the Files/ prefix off the paths of the layers, under
	// which a Windows layer keeps its filesystem.
	Windows bool
}

// errTooMany is far from any real image: the entries of all layers are counted
// in 31 bits.
var errTooMany = errors.New("stacking layers: more than 2147483647 entries")

// Build stacks layers, bottom first, by the rules of design §5.
func Build(layers []*layer.Index, opts Options) (*Tree, error) {
	b := newBuilder(layers, opts)
	total, largest := 0, 0
	for _, x := range layers {
		total += x.Len()
		largest = max(largest, x.Len()+x.Dirs())
		if total > math.MaxInt32-1 || len(layers) > math.MaxUint16 {
			return nil, errTooMany
		}
	}
	b.grow(total, largest)
	for k, x := range layers {
		b.stack(k, x)
	}
	return b.finish(), nil
}

// builder stacks layer after layer. It keeps nodes in the order they come,
// linked as siblings; finish puts them in depth-first order.
type builder struct {
	t       *Tree
	opts    Options
	sibling []int32 // next child of the same parent, -1 at the end
	child   []int32 // first child, -1 if none
	below   []int32 // paths below the node that stand now: what needs no walk when it is 0
	names   table

	x       *layer.Index // the layer being stacked
	k       int
	dirNode []int32 // its directories' nodes; unset until needed
}

const unset int32 = -1

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
	b.below = slices.Grow(b.below, nodes)
	b.names.grow(nodes)
}

// stack adds layer k. Whiteouts come first, wherever they stand in the tar:
// they apply to the layers below only.
func (b *builder) stack(k int, x *layer.Index) {
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
	b.additions()
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
func (b *builder) additions() {
	var links []int32 // rows of hard links whose target isn't there yet
	for row, e := range b.x.All() {
		switch e.Type {
		case layer.Ignored:
			continue
		case layer.Whiteout, layer.Opaque:
			// Engines make the directory that a whiteout stands in.
			b.ensureDir(b.dir(b.x.Dir(e)))
			continue
		}
		if !b.add(int32(row), e, e.Type != layer.Hardlink) {
			links = append(links, int32(row))
		}
	}
	// No engine unpacks a link before its target, but a tar may be written
	// so; what still leads nowhere is broken.
	for _, row := range links {
		if !b.add(row, b.x.At(int(row)), false) {
			b.add(row, b.x.At(int(row)), true)
			b.t.stats.BrokenHardlinks++
		}
	}
}

// add sets the path of entry row. Unless it may stand for itself it is a hard
// link, and not set if its target isn't there.
func (b *builder) add(row int32, e *layer.Entry, itself bool) bool {
	g := b.t.first[b.k] + row
	inode := g
	if !itself {
		if inode = b.linkTarget(e); inode < 0 {
			return false
		}
	}
	if b.isFiles(e) {
		return true
	}
	n := b.entryNode(row, e)
	if n == int32(Root) {
		if e.Type == layer.Dir { // the root stays a directory
			b.push(n, g, inode, Set, true)
		}
		return true
	}
	b.ensureDir(b.t.parent[n])
	if b.isDir(n) && e.Type != layer.Dir {
		b.clear(n, Displaced)
	}
	b.push(n, g, inode, Set, e.Type == layer.Dir)
	return true
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
	if n < 0 || !b.stands(n) {
		b.t.stats.DanglingWhiteouts++
		return
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
	if b.below[n] == 0 {
		return
	}
	// Depth first without recursion: paths may be thousands deep.
	stack := []int32{n}
	for len(stack) > 0 {
		top := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		for c := b.child[top]; c >= 0; c = b.sibling[c] {
			if b.below[c] > 0 {
				stack = append(stack, c)
			}
			if b.stands(c) {
				b.push(c, none, none, cause, false)
			}
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
	was := prev >= 0 && t.events[prev].entry != none
	if was {
		b.count(t.events[prev].inode, -1)
	}
	b.count(inode, +1)
	t.last[n] = int32(len(t.events))
	t.events = append(t.events, event{node: n, prev: prev, entry: entry, inode: inode, layer: uint16(b.k), cause: cause, dir: dir})
	switch is := entry != none; {
	case is && !was:
		b.standing(n, +1)
	case was && !is:
		b.standing(n, -1)
	}
}

// count counts paths that refer to an inode.
func (b *builder) count(inode, by int32) {
	if inode >= 0 {
		b.t.refs[inode] += by
	}
}

// standing counts n in below of its ancestors.
func (b *builder) standing(n, by int32) {
	for p := b.t.parent[n]; p >= 0; p = b.t.parent[p] {
		b.below[p] += by
	}
}

func (b *builder) stands(n int32) bool {
	e := b.t.last[n]
	return e >= 0 && b.t.events[e].entry != none
}

func (b *builder) isDir(n int32) bool {
	e := b.t.last[n]
	return e >= 0 && b.t.events[e].dir
}
