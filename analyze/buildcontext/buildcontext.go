// Package buildcontext knows the files of a build context as a builder gets
// them: which are there after .dockerignore, what a COPY, an ADD or a bind
// mount selects of them, and whether two selections are the same to a builder.
//
// [Read] takes a [Tree] of a directory, [Git] one of a revision, and
// [Tree.Edit] what it would be after a change. [Differ] and [Tree.Digest]
// compare what [Selection]s take of trees, by the rules of BuildKit's content
// hash (cache/contenthash of the version in go.mod): a file's type, mode, size,
// link target, extended attributes and bytes count, and names below what is
// selected; times and owners don't. BuildKit's own hash isn't linked in; a
// differential test holds the two together (analyze/cascade/conformance/content).
//
// A file is read when it is first compared, once, and only inside of the
// context: links that lead out of it lead nowhere.
package buildcontext

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Tree is the files of a build context after .dockerignore. It is immutable
// and safe for concurrent use.
type Tree struct {
	root    *node
	ignore  *ignoreFile // nil for none
	skipped []skipped   // what ignore leaves out
	list    lister      // lists what is below a directory that wasn't walked; nil if there is none
	leftOut []string    // edits that ignore leaves out
}

// Entry is a file, a directory, a link or another thing of a context. It must
// not be changed.
type Entry struct {
	Path     string      // relative to the context, with slashes; any bytes but NUL
	Mode     fs.FileMode // type, permissions, setuid, setgid and sticky
	UID, GID int         // as on the disk; builders but buildah take them for 0
	Size     int64       // bytes of a regular file, 0 of others; of a hypothetical new file 0
	Link     string      // what a symbolic link says

	device uint64 // number of a device
	inode  uint64 // of what has other names too; 0 for what has none
	first  string // the first of its names, if that isn't this one
	mtime  int64  // nanoseconds; 0 if it is no one's
	body   *body  // what the entry holds beyond this; nil for nothing
}

// IsDir tells whether the entry is a directory.
func (e *Entry) IsDir() bool { return e.Mode.IsDir() }

func (e *Entry) isLink() bool { return e.Mode&fs.ModeSymlink != 0 }

// File is a file of a tree that is made in memory.
type File struct {
	Path string
	// Mode is 0644 if it is zero, 0777 for a link. [fs.ModeDir] makes a
	// directory, which is needed for empty ones and those that aren't 0755.
	Mode     fs.FileMode
	UID, GID int
	Body     string
	Link     string // makes a symbolic link
	Xattrs   map[string]string
}

// New returns a tree of files in memory, without a .dockerignore: for tests,
// and for builds that have no context. Parents are implied; of files of one
// path the last stands.
func New(files ...File) *Tree {
	t := &Tree{root: newRoot()}
	for _, f := range files {
		e := &Entry{Path: clean(f.Path), Mode: f.Mode, UID: f.UID, GID: f.GID, Link: f.Link}
		if e.Path == "" {
			continue
		}
		switch {
		case f.Link != "":
			e.Mode |= fs.ModeSymlink
			if e.Mode.Perm() == 0 {
				e.Mode |= 0o777
			}
		case e.Mode == 0:
			e.Mode = 0o644
		}
		if e.Mode.IsRegular() {
			e.Size = int64(len(f.Body))
		}
		e.body = memoryBody(f.Body, f.Xattrs)
		t.root = t.root.set(e)
	}
	return t
}

// Has tells whether there is something at a path.
func (t *Tree) Has(path string) bool { return t.root.find(clean(path)) != nil }

// Lookup returns what is at a path. Links are not followed.
func (t *Tree) Lookup(path string) (*Entry, bool) {
	n := t.root.find(clean(path))
	if n == nil || n == t.root {
		return nil, false
	}
	return n.entry, true
}

// Entries returns everything of the tree but its root, directories before what
// is in them, each directory's names in the order of their bytes.
func (t *Tree) Entries() []*Entry {
	var all []*Entry
	t.root.each(func(n *node) { all = append(all, n.entry) })
	return all[1:]
}

// LeftOut returns the paths that [Tree.Edit] was to change and that
// .dockerignore leaves out, so that the tree is as it would be without them.
func (t *Tree) LeftOut() []string { return slices.Clone(t.leftOut) }

// clean returns a path as entries have it; "" for the root. A .. doesn't leave
// the root.
func clean(p string) string { return path.Clean("/" + p)[1:] }

// Error says what can't be read of a context.
type Error struct {
	Dir  string // the context as given
	Path string // in the context; "" for the context itself
	Err  error
}

func (e *Error) Error() string {
	if e.Path != "" {
		return fmt.Sprintf("reading the build context %s: %s: %v", e.Dir, e.Path, e.Err)
	}
	return fmt.Sprintf("reading the build context %s: %v", e.Dir, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// Advice says what helps; "" if nothing is known to.
func (e *Error) Advice() string {
	switch {
	case errors.Is(e.Err, fs.ErrPermission) && e.Path != "":
		return "a build needs to read it too: change its permissions, or leave it out by .dockerignore"
	case errors.Is(e.Err, ErrNotDirectory), errors.Is(e.Err, fs.ErrNotExist) && e.Path == "":
		return "give the directory that the build is given, as in docker build DIR"
	case errors.Is(e.Err, ErrChanged):
		return "try again once nothing writes to the context"
	}
	return ""
}

// What is wrong with a context or a file of it, beside what the file system
// says.
var (
	ErrNotDirectory = errors.New("not a directory")
	ErrChanged      = errors.New("changed while it was read")
	ErrLinks        = errors.New("too many symbolic links")
)

// plain returns an error without the path that [os] puts before it.
func plain(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}

// NoMatchError says that a selection takes nothing, at which builders fail.
type NoMatchError struct {
	Pattern string // as the Dockerfile has it, without a leading slash
	Ignored string // the pattern of .dockerignore that leaves it out; "" if none does
}

func (e *NoMatchError) Error() string {
	p := strings.TrimPrefix(e.Pattern, "/")
	if p == "" {
		p = "."
	}
	return fmt.Sprintf("nothing in the build context matches %q", p)
}

// Advice tells of a .dockerignore that leaves the file out; "" if none does.
func (e *NoMatchError) Advice() string {
	if e.Ignored == "" {
		return ""
	}
	return fmt.Sprintf("the pattern %q of .dockerignore leaves it out", e.Ignored)
}
