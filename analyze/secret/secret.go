// Package secret finds what an image tells that it seems to hide: files with
// names of secrets that are dead, but which everybody who pulls the image can
// read ([Files]), and build arguments and variables in its history that look
// like credentials ([Values]). It tells names and places, never contents: what
// is shown of an image beside that goes through a [Redactor].
package secret

import (
	"cmp"
	"slices"

	"github.com/layerscope/layerscope/analyze/layer"
	"github.com/layerscope/layerscope/analyze/tree"
	"github.com/layerscope/layerscope/analyze/waste"
)

// File is a dead copy of which a path has the name of a secret.
type File struct {
	// DeadCopy's Path is the path of that name: the last that led to the copy
	// or, if that one says nothing, the first in order of those that do.
	waste.DeadCopy
	Kind string // what the name says: "private key", "AWS credentials"
}

// Files returns the dead copies whose names say that they are secrets, and
// whose content isn't live elsewhere: those that somebody tried to hide. They
// are in the order of the layers that wrote them, then of their paths.
func Files(m waste.Image, dead *waste.Dead) []File {
	named := map[tree.Ref]tree.Node{} // the first path of each copy that says secret
	for r, n := range m.Tree.DeadNames() {
		if at, ok := named[r]; (!ok || n < at) && KindOf(m.Tree.Path(n)) != "" {
			named[r] = n
		}
	}
	var files []File
	for _, c := range dead.Copies {
		n, ok := named[c.Ref]
		if !ok {
			continue
		}
		kind := KindOf(m.Tree.Path(c.Path))
		if kind == "" {
			kind, c.Path = KindOf(m.Tree.Path(n)), n
		}
		files = append(files, File{c, kind})
	}
	files = slices.DeleteFunc(files, liveElsewhere(m, files))
	slices.SortFunc(files, func(a, b File) int {
		return cmp.Or(cmp.Compare(a.Ref.Layer, b.Ref.Layer), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Ref.Row, b.Ref.Row))
	})
	return files
}

// liveElsewhere returns a test of whether a file's content is also that of a
// live copy, as that of a file is which was merely given another owner: the
// image doesn't hide it.
func liveElsewhere(m waste.Image, files []File) func(File) bool {
	live := map[layer.Content]bool{}
	for _, f := range files {
		live[contentOf(m.Tree, f.Ref)] = false
	}
	if len(live) > 0 {
		m.LiveCopies(func(_ waste.Copy, e *layer.Entry) {
			c := e.Content()
			if _, wanted := live[c]; wanted {
				live[c] = true
			}
		})
	}
	return func(f File) bool { return live[contentOf(m.Tree, f.Ref)] }
}

func contentOf(t *tree.Tree, r tree.Ref) layer.Content {
	e, _ := t.Entry(r)
	return e.Content()
}
