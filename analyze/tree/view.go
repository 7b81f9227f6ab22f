package tree

import (
	"slices"

	"github.com/layerscope/layerscope/analyze/layer"
)

// Change is what a step did to a path.
type Change uint8

// The changes.
const (
	Unchanged Change = iota // nothing; the path is there because of what is below it, or the view isn't of changes
	Added
	Modified // content, type or metadata, or merely stored again
	Removed
)

// Mark returns the change's sign on screen and in text: "+", "~", "-" or " ".
func (c Change) Mark() string { return [...]string{" ", "+", "~", "-"}[c] }

// String returns the change's name as JSON has it.
func (c Change) String() string {
	return [...]string{"unchanged", "added", "modified", "removed"}[c]
}

// View is a filesystem to look at: the image up to a layer, or what one layer
// changed. Its items are in depth-first order, children by name, item 0 the
// root; the items of a directory's subtree are the range [i, End(i)). It is
// immutable and safe for concurrent use.
type View struct {
	t     *Tree
	layer int
	items []item
}

type item struct {
	node    int32
	end     int32
	event   int32 // the state shown: before the layer if it was removed
	files   int32
	change  Change
	total   int64
	removed int64
}

// Item is one path of a view.
type Item struct {
	Node   Node
	Change Change
	// State is what stands at the path; of a Removed path, what stood.
	State State
	// Type is State's type; a hard link has the type of what it leads to.
	Type layer.Type
	// Size is the bytes of a regular file, 0 for all else.
	Size int64
	// Total is the bytes of the copies below and at the path: in a view of
	// the image each copy of a hard link once, at its first path, so that
	// the root's Total is the image's live bytes; in a view of changes what
	// the layer added or stored again.
	Total int64
	// Removed is the bytes of the regular files that the layer removed at
	// and below the path.
	Removed int64
	// Files counts the paths below and at the path that aren't directories.
	Files int
}

// Layer returns the layer whose changes, or up to which the image, is viewed.
func (v *View) Layer() int { return v.layer }

// Tree returns the tree that the view is of.
func (v *View) Tree() *Tree { return v.t }

// Len returns the number of items; it is at least 1, for the root.
func (v *View) Len() int { return len(v.items) }

// End returns the item after i's subtree.
func (v *View) End(i int) int { return int(v.items[i].end) }

// At returns item i.
func (v *View) At(i int) Item {
	it := &v.items[i]
	st := v.t.state(it.event)
	e, _ := v.t.Entry(st.Inode)
	out := Item{Node: Node(it.node), Change: it.change, State: st, Type: layer.Dir, Total: it.total, Removed: it.removed, Files: int(it.files)}
	if e != nil {
		out.Type, out.Size = e.Type, e.Size
	}
	return out
}

// Find returns the item of a node, false if the view doesn't have it.
func (v *View) Find(n Node) (int, bool) {
	return slices.BinarySearchFunc(v.items, int32(n), func(it item, n int32) int { return int(it.node - n) })
}

// Final returns the final filesystem.
func (t *Tree) Final() *View { return t.At(len(t.layers) - 1) }

// At returns the filesystem after layers 0 to k; -1 is the empty one.
func (t *Tree) At(k int) *View {
	v := &View{t: t, layer: k}
	for n := range t.parent {
		e := t.eventAt(Node(n), k)
		if n == int(Root) && e < 0 {
			e = rootEvent
		}
		if t.stands(e) {
			v.items = append(v.items, item{node: int32(n), event: e})
		}
	}
	v.rollUp()
	return v
}

// rootEvent is the event by which the root stands before any layer.
const rootEvent = 0

// Changes returns what layer k changed, with the directories that lead there.
func (t *Tree) Changes(k int) *View {
	v := &View{t: t, layer: k}
	seen := newBitset(len(t.parent))
	for _, e := range t.events[t.layerStart[k]:t.layerStart[k+1]] {
		if seen.add(e.node) {
			v.addChange(Node(e.node))
		}
	}
	v.addAncestors(seen)
	slices.SortFunc(v.items, func(a, b item) int { return int(a.node - b.node) })
	v.rollUp()
	return v
}

// addChange adds n with what the layer made of it.
func (v *View) addChange(n Node) {
	t := v.t
	before, after := t.eventAt(n, v.layer-1), t.eventAt(n, v.layer)
	if n == Root {
		before = max(before, rootEvent)
	}
	was, is := t.stands(before), t.stands(after)
	switch {
	case was && is:
		v.items = append(v.items, item{node: int32(n), event: after, change: t.modified(before, after)})
	case is:
		v.items = append(v.items, item{node: int32(n), event: after, change: Added})
	case was:
		v.items = append(v.items, item{node: int32(n), event: before, change: Removed})
	}
}

// modified says whether a path that stood before and after was changed. A
// directory that is merely named again, as the parents of what a layer holds
// are, wasn't; anything else was at least stored again.
func (t *Tree) modified(before, after int32) Change {
	if !t.events[before].dir || !t.events[after].dir {
		return Modified
	}
	x, xi := t.Entry(t.ref(t.events[before].inode))
	y, yi := t.Entry(t.ref(t.events[after].inode))
	if x == nil && y == nil {
		return Unchanged
	}
	xm, ym := meta{mode: ImpliedMode}, meta{mode: ImpliedMode}
	if x != nil {
		xm = meta{x.Mode, x.UID, x.GID}
	}
	if y != nil {
		ym = meta{y.Mode, y.UID, y.GID}
	}
	if xm != ym {
		return Modified
	}
	if x != nil && y != nil && xi.XattrValues(x) != yi.XattrValues(y) {
		return Modified
	}
	return Unchanged
}

type meta struct{ mode, uid, gid uint32 }

// addAncestors adds the directories above what changed. One that stood neither
// before nor after has nothing below it that changed either.
func (v *View) addAncestors(seen bitset) {
	t := v.t
	if seen.add(int32(Root)) {
		v.items = append(v.items, item{node: int32(Root), event: max(t.eventAt(Root, v.layer), rootEvent)})
	}
	for i := 0; i < len(v.items); i++ {
		p := t.parent[v.items[i].node]
		if !seen.add(p) {
			continue
		}
		e := t.eventAt(Node(p), v.layer)
		v.items = append(v.items, item{node: p, event: e})
	}
}

// rollUp sets the ends of subtrees and adds sizes up to the root.
func (v *View) rollUp() {
	t := v.t
	counted := newBitset(int(t.first[len(t.first)-1]))
	open := make([]int, 0, 32) // items whose subtree isn't over
	for i := range v.items {
		it := &v.items[i]
		for len(open) > 0 && it.node >= t.end[v.items[open[len(open)-1]].node] {
			open = v.shut(open, i)
		}
		open = append(open, i)
		v.own(it, counted)
	}
	for len(open) > 0 {
		open = v.shut(open, len(v.items))
	}
}

// shut ends the innermost open item at end and adds its sums to its parent's.
func (v *View) shut(open []int, end int) []int {
	last := len(open) - 1
	it := &v.items[open[last]]
	it.end = int32(end)
	if last > 0 {
		p := &v.items[open[last-1]]
		p.total += it.total
		p.removed += it.removed
		p.files += it.files
	}
	return open[:last]
}

// own sets the sums of one item without what is below it.
func (v *View) own(it *item, counted bitset) {
	ev := v.t.events[it.event]
	if ev.dir {
		return
	}
	it.files = 1
	e, _ := v.t.Entry(v.t.ref(ev.inode))
	if e.Size == 0 || !counted.add(ev.inode) {
		return
	}
	switch {
	case it.change == Removed:
		it.removed = e.Size
	case it.change == Unchanged, v.t.first[v.layer] <= ev.inode:
		it.total = e.Size
	}
}

// bitset is a set of small integers.
type bitset []uint64

func newBitset(n int) bitset { return make(bitset, (n+63)/64) }

// add adds i and reports whether it wasn't there.
func (s bitset) add(i int32) bool {
	w, bit := i>>6, uint64(1)<<(i&63)
	if s[w]&bit != 0 {
		return false
	}
	s[w] |= bit
	return true
}
