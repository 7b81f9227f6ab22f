package tree

import (
	"strings"

	"github.com/layerscope/layerscope/analyze/internal/children"
	"github.com/layerscope/layerscope/analyze/layer"
)

// This file finds and makes the builder's nodes. A node is found by its parent
// and name through a hash table of node numbers; the names themselves stay in
// the layers' indexes.

func (b *builder) newNode(parent int32, name nameRef) int32 {
	t := b.t
	n := int32(len(t.parent))
	t.parent = append(t.parent, parent)
	t.name = append(t.name, name)
	t.last = append(t.last, none)
	b.child = append(b.child, -1)
	b.sibling = append(b.sibling, unlisted)
	return n
}

// node returns the child of parent with a name, made if it isn't there.
func (b *builder) node(parent int32, name string, ref nameRef) int32 {
	h := children.Hash(parent, name)
	if n := b.names.Find(h, func(n int32) bool { return b.is(n, parent, name) }); n >= 0 {
		return n
	}
	n := b.newNode(parent, ref)
	b.names.Insert(h, n, func(n int32) uint64 { return children.Hash(b.t.parent[n], b.t.Name(Node(n))) })
	return n
}

func (b *builder) is(n, parent int32, name string) bool {
	return b.t.parent[n] == parent && b.t.Name(Node(n)) == name
}

// existing returns the child of parent with a name, or none.
func (b *builder) existing(parent int32, name string) int32 {
	return b.names.Find(children.Hash(parent, name), func(n int32) bool { return b.is(n, parent, name) })
}

// dir returns the node of the layer's directory d, made if it isn't there.
func (b *builder) dir(d int) int32 {
	n, todo := b.nearest(d)
	for i := len(todo) - 1; i >= 0; i-- {
		d = todo[i]
		n = b.node(n, b.x.DirName(d), nameRef{int32(b.k), ^int32(d)})
		b.dirNode[d] = n
	}
	return n
}

// entryNode returns the node of an entry, made if it isn't there.
func (b *builder) entryNode(row int32, e *layer.Entry) int32 {
	name := b.x.Name(e)
	if name == "" {
		return int32(Root)
	}
	return b.node(b.dir(b.x.Dir(e)), name, nameRef{int32(b.k), row})
}

// findDir returns the node of the layer's directory d if it is there, or none.
func (b *builder) findDir(d int) int32 {
	n, todo := b.nearest(d)
	for i := len(todo) - 1; i >= 0 && n >= 0; i-- {
		n = b.existing(n, b.x.DirName(todo[i]))
	}
	return n
}

// nearest returns the node of the layer's directory d, or of the nearest above
// it whose node is known, and the directories from there down to d, d first.
func (b *builder) nearest(d int) (n int32, todo []int) {
	for b.dirNode[d] == unset {
		todo = append(todo, d)
		d = b.x.DirParent(d)
	}
	return b.dirNode[d], todo
}

// find returns the node of a name in the layer's directory d, or none.
func (b *builder) find(d int, name string) int32 {
	n := b.findDir(d)
	if n < 0 {
		return none
	}
	return b.existing(n, name)
}

// lookup returns the node of a clean path, or none.
func (b *builder) lookup(path string) int32 {
	if b.opts.Windows {
		path = strings.TrimPrefix(path, "Files/")
	}
	n := int32(Root)
	for path != "" && n >= 0 {
		var name string
		name, path, _ = strings.Cut(path, "/")
		n = b.existing(n, name)
	}
	return n
}
