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

// File is a dead copy whose path has the name of a secret.
type File struct {
	waste.DeadCopy
	Kind string // what the name says: "private key", "AWS credentials"
}

// Files returns the dead copies whose names say that they are secrets, and
// whose content isn't live elsewhere: those that somebody tried to hide. They
// are in the order of the layers that wrote them, then of their paths.
func Files(m waste.Image, dead *waste.Dead) []File {
	var files []File
	for _, c := range dead.Copies {
		if kind := KindOf(m.Tree.Path(c.Path)); kind != "" {
			files = append(files, File{c, kind})
		}
	}
	files = slices.DeleteFunc(files, liveElsewhere(m, files))
	slices.SortFunc(files, func(a, b File) int {
		return cmp.Or(cmp.Compare(a.Ref.Layer, b.Ref.Layer), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Ref.Row, b.Ref.Row))
	})
	return files
}

// content is what tells bodies apart.
type content struct {
	hash layer.Hash
	size int64
}

// liveElsewhere returns a test of whether a file's content is also that of a
// live copy, as that of a file is which was merely given another owner: the
// image doesn't hide it.
func liveElsewhere(m waste.Image, files []File) func(File) bool {
	live := map[content]bool{}
	for _, f := range files {
		live[contentOf(m.Tree, f.Ref)] = false
	}
	if len(live) > 0 {
		m.LiveCopies(func(_ waste.Copy, e *layer.Entry) {
			c := content{e.Hash, e.Size}
			if _, wanted := live[c]; wanted {
				live[c] = true
			}
		})
	}
	return func(f File) bool { return live[contentOf(m.Tree, f.Ref)] }
}

func contentOf(t *tree.Tree, r tree.Ref) content {
	e, _ := t.Entry(r)
	return content{e.Hash, e.Size}
}
