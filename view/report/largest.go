package report

import (
	"bufio"
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/tree"
	"github.com/layerscope/layerscope/view/text"
)

// largest writes the largest files of the final image with the steps that
// wrote them.
func (s style) largest(w *bufio.Writer, m *analyze.Image) {
	files := largestFiles(m.Tree, fewRows)
	if len(files) == 0 {
		return
	}
	fmt.Fprintln(w, "\nLargest files")
	t := table{style: s, cutLast: text.TruncateMiddle}
	t.columns = []column{{title: "SIZE"}, {title: "STEP"}, {title: "PATH", left: true}}
	for _, f := range files {
		path := s.name(rooted(m.Tree, f.node))
		if n := m.Tree.LiveRefs(f.inode); n > 1 {
			path += fmt.Sprintf(" (and %s)", text.Plural(n-1, "link"))
		}
		t.add(s.size(f.size), strconv.Itoa(m.Layers[f.inode.Layer].Step), path)
	}
	t.write(w)
}

// file is a regular file of the final image.
type file struct {
	node  tree.Node
	inode tree.Ref
	size  int64
}

// largestFiles returns the n largest files of the final image, largest first,
// those of a size by path; of a file with several links the first.
func largestFiles(t *tree.Tree, n int) []file {
	var top []file
	linked := map[tree.Ref]bool{}
	for node, st := range t.Standing(t.Layers() - 1) {
		e, _ := t.Entry(st.Inode)
		if e == nil || e.Size == 0 || len(top) == n && e.Size <= top[n-1].size || linked[st.Inode] {
			continue
		}
		if t.LiveRefs(st.Inode) > 1 {
			linked[st.Inode] = true
		}
		f := file{node, st.Inode, e.Size}
		at, _ := slices.BinarySearchFunc(top, f, func(a, b file) int {
			return cmp.Or(cmp.Compare(b.size, a.size), -1) // behind those of the same size
		})
		top = slices.Insert(top, at, f)
		top = top[:min(len(top), n)]
	}
	return top
}
