package tree

import (
	"errors"
	"fmt"
	"strings"

	"github.com/layerscope/layerscope/analyze/layer"
)

// MissingError says that nothing stands at a path.
type MissingError struct {
	Path string // as it was asked for
	At   string // what on the way there is missing, from the root, links followed
	// Removed is the layer that removed what stood at At, -1 if nothing did
	// before.
	Removed int
}

func (e *MissingError) Error() string { return fmt.Sprintf("%q isn't in the image", e.Path) }

// The other errors of [Tree.Resolve], wrapped.
var (
	ErrNotDir = errors.New("not a directory")
	ErrLoop   = errors.New("too many levels of symbolic links")
)

// maxLinks is how many symbolic links Linux follows on the way to a file
// (path_resolution(7)).
const maxLinks = 40

// Resolve returns the node that a path leads to once layers 0 to k are stacked.
// Symbolic links are followed, the last component's too, within the image:
// their targets start at its root and ".." never leaves it. The path may or may
// not begin with a slash. The error is a *[MissingError] or wraps ErrNotDir or
// ErrLoop.
func (t *Tree) Resolve(path string, k int) (Node, error) {
	return walker{t, k, t.child}.resolve(path)
}

// walker follows paths in the image as of layer k.
type walker struct {
	*Tree
	k     int
	child func(dir Node, name string) (Node, bool)
}

func (t walker) resolve(path string) (Node, error) {
	n, links := Root, 0
	todo := strings.Split(path, "/")
	for len(todo) > 0 {
		name := todo[0]
		todo = todo[1:]
		next, target, err := t.walk(n, name)
		if err != nil {
			return 0, resolveError(path, err)
		}
		if target == "" {
			n = next
			continue
		}
		if links++; links > maxLinks {
			return 0, resolveError(path, ErrLoop)
		}
		if strings.HasPrefix(target, "/") {
			n = Root
		}
		todo = append(strings.Split(target, "/"), todo...)
	}
	return n, nil
}

// walk goes from n to a name in it; where that is a symbolic link it stays and
// returns the link's target.
func (t walker) walk(n Node, name string) (next Node, target string, err error) {
	if name == "" {
		return n, "", nil // a slash too many, or at the end
	}
	if n != Root && t.typeAt(n, t.k) != layer.Dir {
		return 0, "", ErrNotDir
	}
	switch name {
	case ".":
		return n, "", nil
	case "..":
		return t.Parent(n), "", nil
	}
	c, ok := t.child(n, name)
	if !ok {
		return 0, "", &MissingError{At: join(t.Path(n), name), Removed: -1}
	}
	s, ok := t.StateAt(c, t.k)
	if !ok {
		return 0, "", &MissingError{At: t.Path(c), Removed: t.removedBy(c, t.k)}
	}
	if e, x := t.Entry(s.Inode); e != nil && e.Type == layer.Symlink {
		return n, x.Link(e), nil
	}
	return c, "", nil
}

// typeAt returns the type of what stands at n.
func (t *Tree) typeAt(n Node, k int) layer.Type {
	s, _ := t.StateAt(n, k)
	return t.Type(s.Inode)
}

// removedBy returns the layer up to k that left nothing at n, or -1.
func (t *Tree) removedBy(n Node, k int) int {
	e := t.eventAt(n, k)
	if e < 0 {
		return -1
	}
	return int(t.events[e].layer)
}

func resolveError(path string, err error) error {
	if missing, ok := errors.AsType[*MissingError](err); ok {
		missing.Path = path
		return missing
	}
	return fmt.Errorf("%q: %w", path, err)
}

func join(dir, name string) string {
	if dir == "" {
		return name
	}
	return dir + "/" + name
}
