package tree

import "github.com/layerscope/layerscope/analyze/internal/children"

// Finder finds paths of the image as of a layer as [Tree.Resolve] does, but
// without looking through directories: for those who have many to find. It
// takes some eight bytes of memory for each node, and is safe for concurrent
// use.
type Finder struct {
	w     walker
	names children.Table // of the nodes that stand
}

// Finder returns a finder of the paths that stand once layers 0 to k are
// stacked.
func (t *Tree) Finder(k int) *Finder {
	f := &Finder{w: walker{Tree: t, k: k}}
	f.w.child = f.Child
	f.names.Grow(t.Len())
	hash := func(n int32) uint64 { return children.Hash(t.parent[n], t.Name(Node(n))) }
	for n := range t.Standing(k) {
		if n != Root {
			f.names.Insert(hash(int32(n)), int32(n), hash)
		}
	}
	return f
}

// Child returns what stands in a directory under a name; false if nothing
// does. A link isn't followed.
func (f *Finder) Child(dir Node, name string) (Node, bool) {
	t := f.w.Tree
	n := f.names.Find(children.Hash(int32(dir), name), func(n int32) bool {
		return t.parent[n] == int32(dir) && t.Name(Node(n)) == name
	})
	return Node(n), n >= 0
}

// Resolve returns the node that a path leads to, as [Tree.Resolve] does, with
// the same errors; but that of a path that isn't there doesn't say which layer
// removed it.
func (f *Finder) Resolve(path string) (Node, error) { return f.w.resolve(path) }
