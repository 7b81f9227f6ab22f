package buildcontext

import (
	"crypto/sha1"
	"path"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// ChangeKind is what becomes of a file.
type ChangeKind int

const (
	Changed ChangeKind = iota // its bytes, in some way; a new file if it isn't there
	Added                     // it is new; its bytes differ if it is there already
	Removed
	Mode // its permissions, in some way
)

// String returns "changed", "added", "removed" or "mode".
func (k ChangeKind) String() string {
	return [...]string{Changed: "changed", Added: "added", Removed: "removed", Mode: "mode"}[k]
}

// Change is something that is done to a context.
type Change struct {
	Path string // of a file, or of a directory: then to all files below it
	Kind ChangeKind
}

// Edit returns the tree as it would be after changes, one after another. What a
// changed file holds isn't known, only that it is something else than before;
// equal changes of equal trees are equal. Parents of what is added are implied.
// What .dockerignore leaves out stays out: [Tree.LeftOut] of the result names
// it. A change of .dockerignore is that of a file, and leaves in and out what it
// did before.
func (t *Tree) Edit(changes ...Change) *Tree {
	m, err := t.ignore.matcher()
	if err != nil {
		m = nil // it was read before, so that its patterns are sound
	}
	edited := &Tree{root: t.root, ignore: t.ignore, skipped: t.skipped, list: t.list, leftOut: slices.Clone(t.leftOut)}
	for _, c := range changes {
		p := clean(c.Path)
		if p == "" {
			continue
		}
		if edited.root.find(p) == nil {
			p = edited.below(p)
			if out, err := m.ignores(p); err == nil && out {
				edited.leftOut = append(edited.leftOut, p)
				continue
			}
		}
		edited.root = edit(edited.root, p, c.Kind)
	}
	slices.Sort(edited.leftOut)
	edited.leftOut = slices.Compact(edited.leftOut)
	return edited
}

// below returns a path with the links among its directories followed, where
// they lead to directories.
func (t *Tree) below(p string) string {
	dir, name := path.Split(p)
	if at, n, err := t.resolve(dir, true); err == nil && n != nil && n.entry.IsDir() {
		return path.Join(at, name)
	}
	return p
}

// edit returns a tree after one change.
func edit(root *node, p string, kind ChangeKind) *node {
	n := root.find(p)
	switch {
	case n == nil && kind != Changed && kind != Added:
		return root
	case n == nil:
		return root.set(edited(&Entry{Path: p, Mode: 0o644}))
	case kind == Removed:
		return root.remove(p)
	}
	n.each(func(k *node) {
		switch {
		case kind == Mode && (n == k || !k.entry.IsDir()):
			root = root.set(withMode(k.entry))
		case kind != Mode && !k.entry.IsDir():
			root = root.set(edited(k.entry))
		}
	})
	return root
}

// edited returns an entry that holds something else.
func edited(e *Entry) *Entry {
	c := *e
	c.mtime = 0 // no one's
	h := sha1.New()
	h.Write([]byte("edited\x00" + e.Path))
	if e.body != nil && e.body.edited {
		h.Write(e.body.id[:])
	}
	c.body = known(contentID(h.Sum(nil)), nil)
	c.body.edited = true
	return &c
}

// withMode returns an entry that is no longer executable, or now is.
func withMode(e *Entry) *Entry {
	c := *e
	c.Mode ^= 0o111
	return &c
}

// Match returns the paths that a glob names, sorted: *, ?, [a-z], {a,b}, and **
// for any number of directories. What a directory's name matches is all below
// it, or the directory if it is empty. A path that is there is named as it
// stands, whatever characters it has, and one without wildcards that isn't there
// is returned as a new path.
func (t *Tree) Match(glob string) []string {
	p := clean(glob)
	if n := t.root.find(p); n != nil {
		return names(nil, n)
	}
	if !strings.ContainsAny(p, `*?[{\`) || !doublestar.ValidatePattern(p) {
		return []string{p}
	}
	var found []string
	for _, k := range t.root.kids {
		found = match(found, k, p)
	}
	slices.SortFunc(found, comparePaths)
	return found
}

// match appends the paths at and below a node that a valid glob names.
func match(found []string, n *node, glob string) []string {
	if doublestar.MatchUnvalidated(glob, n.entry.Path) {
		return names(found, n)
	}
	for _, k := range n.kids {
		found = match(found, k, glob)
	}
	return found
}

// names appends the paths of all at and below a node that isn't a directory
// with something in it.
func names(found []string, n *node) []string {
	if len(n.kids) == 0 && n.entry.Path != "" {
		return append(found, n.entry.Path)
	}
	for _, k := range n.kids {
		found = names(found, k)
	}
	return found
}
