package buildcontext

import (
	"cmp"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync/atomic"
)

// node is a place of a tree. Trees share nodes: a node never changes but for
// the digests that it remembers.
type node struct {
	name  string
	entry *Entry
	kids  []*node // of a directory, in the order of their names' bytes

	sum atomic.Pointer[Digest] // of a directory, by BuildKit's rules
}

func newRoot() *node { return &node{entry: &Entry{Mode: fs.ModeDir | 0o755}} }

func newNode(e *Entry) *node { return &node{name: path.Base(e.Path), entry: e} }

// impliedDir returns a directory that nothing is known of but that it must be
// there.
func impliedDir(path string) *Entry { return &Entry{Path: path, Mode: fs.ModeDir | 0o755} }

// kid returns a child's place, and whether it is there.
func (n *node) kid(name string) (int, bool) {
	return slices.BinarySearchFunc(n.kids, name, func(k *node, name string) int { return cmp.Compare(k.name, name) })
}

// find returns the node of a path; nil if there is none.
func (n *node) find(path string) *node {
	for path != "" {
		var name string
		name, path, _ = strings.Cut(path, "/")
		i, ok := n.kid(name)
		if !ok {
			return nil
		}
		n = n.kids[i]
	}
	return n
}

// each calls f for a node and all below it, parents first.
func (n *node) each(f func(*node)) {
	f(n)
	for _, k := range n.kids {
		k.each(f)
	}
}

// with returns a copy of a node with another entry and other children.
func (n *node) with(e *Entry, kids []*node) *node {
	return &node{name: n.name, entry: e, kids: kids}
}

// put returns a copy of a directory where a child stands in the place of the
// one of its name.
func (n *node) put(k *node) *node {
	i, ok := n.kid(k.name)
	kids := slices.Clone(n.kids)
	if ok {
		kids[i] = k
	} else {
		kids = slices.Insert(kids, i, k)
	}
	return n.with(n.entry, kids)
}

// set returns a tree in which an entry stands at its path: parents are made,
// and what isn't a directory becomes one where a parent must be. A directory
// keeps what is in it.
func (n *node) set(e *Entry) *node { return n.setBelow(e, e.Path) }

func (n *node) setBelow(e *Entry, rest string) *node {
	name, rest, deeper := strings.Cut(rest, "/")
	i, ok := n.kid(name)
	var k *node
	switch {
	case !deeper:
		k = &node{name: name, entry: e}
		if ok && e.IsDir() {
			k.kids = n.kids[i].kids
		}
	case ok && n.kids[i].entry.IsDir():
		k = n.kids[i].setBelow(e, rest)
	default:
		k = (&node{name: name, entry: impliedDir(e.Path[:len(e.Path)-len(rest)-1])}).setBelow(e, rest)
	}
	return n.put(k)
}

// remove returns a tree without what is at a path.
func (n *node) remove(path string) *node {
	name, rest, deeper := strings.Cut(path, "/")
	i, ok := n.kid(name)
	switch {
	case !ok:
		return n
	case deeper:
		if k := n.kids[i].remove(rest); k != n.kids[i] {
			return n.put(k)
		}
		return n
	}
	return n.with(n.entry, slices.Delete(slices.Clone(n.kids), i, i+1))
}
