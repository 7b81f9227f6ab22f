// Package tree stacks layers: it turns the indexes of an image's layers into
// one [Tree] that knows, for every path, what stood there after each layer,
// and of every stored byte whether the final filesystem still refers to it.
// The common calls are [Build], then [Tree.Final], [Tree.At] or
// [Tree.Changes] for something to show.
//
// A tree holds no copy of the image for each layer. Every path is one node;
// every time a layer sets or removes it is one event; the state after layer k
// is the node's last event of a layer up to k. Removing a directory records an
// event for each path that vanishes with it, so no question needs the
// ancestors. A path can only vanish as often as it came: the cost is linear in
// the entries, whatever the whiteouts.
package tree

import (
	"iter"
	"slices"
	"strings"

	"github.com/layerscope/layerscope/analyze/layer"
)

// Node is a path of the image, at any layer. Nodes are numbered in depth-first
// order, children by name bytewise: a directory's subtree is the range
// [n, End(n)).
type Node int32

// Root is the root directory.
const Root Node = 0

// Ref names one entry of the image: entry Row of layer Layer. Implied stands
// for a directory that has no entry: missing parents are implied.
type Ref struct {
	Layer int32
	Row   int32
}

// Implied is the Ref of a directory without an entry of its own.
var Implied = Ref{-1, -1}

// ImpliedMode is the mode of such a directory; root owns it.
const ImpliedMode = 0o755

// State is what stands at a path.
type State struct {
	// Entry is the entry that put it there.
	Entry Ref
	// Inode is the entry that holds type, metadata and bytes: Entry itself,
	// but for a hard link the entry it leads to. A hard link whose target
	// doesn't exist is its own inode.
	Inode Ref
}

// Cause says why a path's state ended.
type Cause uint8

// The causes. Set is not an end by itself: the path was given a new state.
const (
	Set       Cause = iota // the layer has an entry, or an implied directory, for the path
	Deleted                // a whiteout of the path or of an ancestor, or an opaque ancestor
	Displaced              // an ancestor became something other than a directory
)

// event is a change of one node by one layer. Events are in order of time.
type event struct {
	node  int32
	prev  int32 // the node's event before, -1 if none
	entry int32 // global entry number, or a constant below
	inode int32
	layer uint16
	cause Cause
	dir   bool // a directory stands at the path now
}

// entry and inode of an event, besides global numbers.
const (
	none    int32 = -1 // nothing stands at the path
	implied int32 = -2 // an implied directory
)

// Tree is the stacked image. It is immutable and safe for concurrent use.
type Tree struct {
	layers []*layer.Index
	first  []int32 // global number of each layer's entry 0; one more at the end

	parent []int32
	end    []int32
	name   []nameRef
	last   []int32 // each node's last event, none if it never stood

	events     []event
	layerStart []int32 // first event of each layer; one more at the end

	refs  []int32 // by global number: final paths that refer to the entry's copy
	sums  []Sums
	files int

	brokenHardlinks   int
	danglingWhiteouts int
}

// nameRef finds a node's name in the index that first named it.
type nameRef struct {
	layer int32
	entry int32 // entry row, or ^number of a directory
}

// Sums are the bytes of one layer's copies (design §5). Stored = Live + Dead.
type Sums struct {
	Stored, Live, Dead int64
}

// Layers returns the number of layers.
func (t *Tree) Layers() int { return len(t.layers) }

// Len returns the number of nodes, the root included: every path that stood at
// some layer.
func (t *Tree) Len() int { return len(t.parent) }

// Sums returns the bytes of layer k.
func (t *Tree) Sums(k int) Sums { return t.sums[k] }

// Files returns how many paths of the final filesystem aren't directories.
func (t *Tree) Files() int { return t.files }

// BrokenHardlinks returns how many hard links there are, of all layers, whose
// target isn't there.
func (t *Tree) BrokenHardlinks() int { return t.brokenHardlinks }

// DanglingWhiteouts returns how many whiteouts there are, of all layers, of paths
// that the layers below don't have. They do nothing.
func (t *Tree) DanglingWhiteouts() int { return t.danglingWhiteouts }

// Parent returns n's directory; the root's is the root.
func (t *Tree) Parent(n Node) Node { return Node(t.parent[n]) }

// End returns the node after n's subtree.
func (t *Tree) End(n Node) Node { return Node(t.end[n]) }

// Name returns the last component of n's path as raw bytes, "" for the root.
func (t *Tree) Name(n Node) string {
	r := t.name[n]
	if r.layer < 0 {
		return ""
	}
	x := t.layers[r.layer]
	if r.entry < 0 {
		return x.DirName(int(^r.entry))
	}
	return x.Name(x.At(int(r.entry)))
}

// Path returns n's path relative to the root, "" for the root.
func (t *Tree) Path(n Node) string {
	var parts []string
	for ; n != Root; n = t.Parent(n) {
		parts = append(parts, t.Name(n))
	}
	slices.Reverse(parts)
	return strings.Join(parts, "/")
}

// Lookup returns the node of a path, which may begin or end with a slash or
// hold "." and ".."; false if no layer has it. Links are not followed.
func (t *Tree) Lookup(path string) (Node, bool) {
	n := Root
	for _, c := range strings.Split(path, "/") {
		switch c {
		case "", ".":
			continue
		case "..":
			n = t.Parent(n)
			continue
		}
		var ok bool
		if n, ok = t.child(n, c); !ok {
			return 0, false
		}
	}
	return n, true
}

// child finds a name among n's children, which can't be indexed: their places
// depend on the sizes of the subtrees between them.
func (t *Tree) child(n Node, name string) (Node, bool) {
	for c := n + 1; c < t.End(n); c = t.End(c) {
		if t.Name(c) == name {
			return c, true
		}
	}
	return 0, false
}

// StateAt returns what stands at n once layers 0 to k are stacked; false if
// nothing does. k is -1 for the empty image.
func (t *Tree) StateAt(n Node, k int) (State, bool) {
	e := t.eventAt(n, k)
	if !t.stands(e) {
		return State{}, false
	}
	return t.state(e), true
}

// Since returns the layer that brought the content of the file that stands at n in
// the end: layers above it may have stored the same again, as chown does. It is
// -1 if no regular file stands there.
func (t *Tree) Since(n Node) int {
	k := len(t.layers) - 1
	e := t.eventAt(n, k)
	now := t.fileAt(e)
	if now == nil {
		return -1
	}
	for {
		k = int(t.events[e].layer)
		e = t.eventAt(n, k-1)
		was := t.fileAt(e)
		if was == nil || was.Content() != now.Content() {
			return k
		}
	}
}

// fileAt returns the regular file that a path leads to after event e, nil if it
// leads to none.
func (t *Tree) fileAt(e int32) *layer.Entry {
	if !t.stands(e) {
		return nil
	}
	if f, _ := t.Entry(t.ref(t.events[e].inode)); f != nil && f.Type == layer.File {
		return f
	}
	return nil
}

// Standing yields the paths that stand once layers 0 to k are stacked, in the
// order of their numbers. It takes no memory, where a [View] takes some for
// each path.
func (t *Tree) Standing(k int) iter.Seq2[Node, State] {
	return func(yield func(Node, State) bool) {
		for n := range t.parent {
			e := t.eventAt(Node(n), k)
			if t.stands(e) && !yield(Node(n), t.state(e)) {
				return
			}
		}
	}
}

// eventAt returns n's last event of a layer up to k, or none.
func (t *Tree) eventAt(n Node, k int) int32 {
	e := t.last[n]
	for e >= 0 && int(t.events[e].layer) > k {
		e = t.events[e].prev
	}
	return e
}

// stands reports whether something stands at a path whose last event is e, or
// none.
func (t *Tree) stands(e int32) bool { return e >= 0 && t.events[e].entry != none }

func (t *Tree) state(e int32) State {
	return State{Entry: t.ref(t.events[e].entry), Inode: t.ref(t.events[e].inode)}
}

// ref turns a global entry number into layer and row.
func (t *Tree) ref(g int32) Ref {
	if g < 0 {
		return Implied
	}
	k, ok := slices.BinarySearch(t.first, g)
	if !ok {
		k--
	}
	for t.first[k+1] == g { // layers without entries share a number with the next
		k++
	}
	return Ref{int32(k), g - t.first[k]}
}

// LiveRefs returns how many final paths refer to the copy that entry r holds:
// more than one with hard links, 0 if the copy is dead.
func (t *Tree) LiveRefs(r Ref) int {
	if r == Implied {
		return 0
	}
	return int(t.refs[t.first[r.Layer]+r.Row])
}

// Entry returns the entry that r names, nil for Implied, and the index that
// holds its strings.
func (t *Tree) Entry(r Ref) (*layer.Entry, *layer.Index) {
	if r == Implied {
		return nil, nil
	}
	x := t.layers[r.Layer]
	return x.At(int(r.Row)), x
}

// Type returns the type of what r names; Implied is a directory.
func (t *Tree) Type(r Ref) layer.Type {
	e, _ := t.Entry(r)
	if e == nil {
		return layer.Dir
	}
	return e.Type
}
