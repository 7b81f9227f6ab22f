package buildcontext

import "io/fs"

// After returns the tree as a BuildKit has it that was sent another before, in
// an earlier build, and still holds it. It is told of changes by size, time and
// mode alone (fsutil's DiffMetadata), and takes no note of some:
//   - a directory that was there keeps the mode and the extended attributes
//     that it came with;
//   - a file, link or device of the same mode, size, time and target keeps the
//     bytes and extended attributes that it came with.
//
// What it makes no hash of makes nothing run again. A BuildKit that was pruned
// since gets the tree as it is. What an [Tree.Edit] changes has another time.
func (t *Tree) After(before *Tree) *Tree {
	held := *t
	held.root = t.root.after(before.root)
	if len(t.root.kids) == 0 && len(before.root.kids) > 0 {
		held.root = &node{entry: emptied}
	}
	return &held
}

// emptied is the root of a context that had files: it has no digest of its own,
// as always when something was received, while one that never had any has.
var emptied = &Entry{Mode: fs.ModeDir}

func (n *node) after(before *node) *node {
	if n == before {
		return n
	}
	e := n.entry
	if e.unnoticed(before.entry) {
		e = before.entry
	}
	if !n.entry.IsDir() {
		if e == n.entry {
			return n
		}
		return n.with(e, nil)
	}
	kids := make([]*node, len(n.kids))
	same := e == n.entry
	for i, k := range n.kids {
		kids[i] = k
		if j, ok := before.kid(k.name); ok {
			kids[i] = k.after(before.kids[j])
		}
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
		e.Link == before.Link && e.device == before.device
}
