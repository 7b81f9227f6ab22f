package buildcontext

import (
	"fmt"
	"path"
	"strings"
)

// maxLinks is how many symbolic links BuildKit follows for one path.
const maxLinks = 255

// resolve returns the node of a path and its path without links. A link at the
// path's end is followed if last is set. A .. is applied to names, whatever is
// there, and stays in the root. The node is nil if there is none.
func (t *Tree) resolve(p string, last bool) (string, *node, error) {
	p = clean(p)
	if n := t.root.find(p); n != nil && (!last || !n.entry.isLink()) {
		return p, n, nil
	}
	if p == "" {
		return p, t.root, nil
	}
	at, rest := "", p
	n := t.root
	for links := 0; rest != ""; {
		var name string
		name, rest, _ = strings.Cut(rest, "/")
		next := clean(path.Join(at, name))
		n = t.root.find(next)
		if n == nil || !n.entry.isLink() {
			at = next
			continue
		}
		if !last && rest == "" {
			return next, n, nil
		}
		if links++; links > maxLinks {
			return "", nil, fmt.Errorf("following %q: %w", p, ErrLinks)
		}
		rest = n.entry.Link + "/" + rest
		if path.IsAbs(n.entry.Link) {
			at = ""
		}
	}
	return at, n, nil
}
