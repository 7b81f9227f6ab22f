package report

import (
	"bufio"
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/layer"
	"github.com/layerscope/layerscope/analyze/tree"
	"github.com/layerscope/layerscope/view/text"
)

// numLargest is how many of the largest files a report names.
const numLargest = 10

// largest writes the largest files of the final image with the steps that
// wrote them.
func (s style) largest(w *bufio.Writer, m *analyze.Image) {
	files := largestFiles(m.Tree, numLargest)
	if len(files) == 0 {
		return
	}
	fmt.Fprintln(w, "\nLargest files")
	t := table{style: s, cutLast: text.TruncateMiddle}
	t.columns = []column{{title: "SIZE"}, {title: "STEP"}, {title: "PATH", left: true}}
	for _, f := range files {
		path := s.name("/" + m.Tree.Path(f.Node))
		if n := m.Tree.LiveRefs(f.State.Inode); n > 1 {
			path += fmt.Sprintf(" (and %s)", count(n-1, "link"))
		}
		t.rows = append(t.rows, []string{s.size(f.Size), strconv.Itoa(m.Layers[f.State.Inode.Layer].Step), path})
	}
	t.write(w)
}

// largestFiles returns the n largest files of the final image, largest first,
// those of a size by path; of a file with several links the first.
func largestFiles(t *tree.Tree, n int) []tree.Item {
	var top []tree.Item
	v := t.Final()
	linked := map[tree.Ref]bool{}
	for i := range v.Len() {
		it := v.At(i)
		if it.Type != layer.File || it.Size == 0 || len(top) == n && it.Size <= top[n-1].Size {
			continue
		}
		if linked[it.State.Inode] {
			continue
		}
		if t.LiveRefs(it.State.Inode) > 1 {
			linked[it.State.Inode] = true
		}
		at, _ := slices.BinarySearchFunc(top, it, func(a, b tree.Item) int {
			return cmp.Or(cmp.Compare(b.Size, a.Size), -1) // behind those of the same size
		})
		top = slices.Insert(top, at, it)
		top = top[:min(len(top), n)]
	}
	return top
}
