package buildcontext

import "io/fs"

// After returns the tree as a BuildKit has it that was sent another before, in
// an earlier build, and still holds it. It is told of changes by size, time and
// mode alone (fsutil's DiffMetadata), and takes no note of some:
//   - a directory that was there keeps the mode and the extended attributes
//     that it came with;
//   - a file, link or device of the same mode, size, time and target keeps the
//     bytes and extended attributes that it came with. A name that is sent as
//     another of a file is what is held of that one.
//
// What it makes no hash of makes nothing run again. A BuildKit that was pruned
// since gets the tree as it is. What an [Tree.Edit] changes has another time.
func (t *Tree) After(before *Tree) *Tree {
	held := *t
	held.root = t.root.after(before.root, map[string]*Entry{})
	if len(t.root.kids) == 0 && len(before.root.kids) > 0 {
		held.root = &node{entry: emptied}
	}
	return &held
}

// emptied is the root of a context that had files: it has no digest of its own,
// as always when something was received, while one that never had any has.
var emptied = &Entry{Mode: fs.ModeDir}

// after returns what is held of a node. first are the entries held of files
// with several names, by the first of them.
func (n *node) after(before *node, first map[string]*Entry) *node {
	e := n.entry
	switch {
	case before != nil && e.unnoticed(before.entry):
		e = before.entry
	case e.first != "" && first[e.first] != nil:
		c := *first[e.first]
		c.Path, c.first = e.Path, e.first
		e = &c
	}
	if n.entry.inode != 0 && n.entry.first == "" {
		first[e.Path] = e
	}
	if n == before {
		return n
	}
	kids := make([]*node, len(n.kids))
	same := e == n.entry
	for i, k := range n.kids {
		var was *node
		if before != nil {
			if j, ok := before.kid(k.name); ok {
				was = before.kids[j]
			}
		}
		kids[i] = k.after(was, first)
		same = same && kids[i] == k
	}
	if same {
		return n
	}
	return n.with(e, kids)
}

// unnoticed tells whether an entry is taken for what was in its place.
func (e *Entry) unnoticed(before *Entry) bool {
	if e.IsDir() || before.IsDir() {
		return e.IsDir() && before.IsDir()
	}
	return e.mtime != 0 && e.mtime == before.mtime && e.Mode == before.Mode && e.Size == before.Size &&
		e.Link == before.Link && e.device == before.device && e.first == before.first
}
