package report

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/layerscope/layerscope/analyze/layer"
	"github.com/layerscope/layerscope/analyze/tree"
	"github.com/layerscope/layerscope/view/text"
)

// Tree writes a listing as a tree: each path with its bytes, a directory with
// those of all below it, and the step that wrote it; or, of changes, with the
// bytes added and removed.
func Tree(w io.Writer, l Listing, opts TextOptions) error {
	if !l.Image.Complete {
		return ErrIncomplete
	}
	t := treeText{style: style{opts}, Listing: &l}
	return writeAll(w, t.write)
}

type treeText struct {
	style
	*Listing
	width [2]int // of the two columns of numbers
}

func (t *treeText) write(w *bufio.Writer) {
	titles := [2]string{"SIZE", "STEP"}
	top := t.View.At(t.Item)
	widest := [2]string{t.size(top.Total), strconv.Itoa(len(t.Image.Steps))}
	if t.Changes {
		titles = [2]string{"ADDED", "REMOVED"}
		widest[1] = t.size(top.Removed)
	}
	for i := range t.width {
		t.width[i] = max(text.Width(titles[i]), text.Width(widest[i]))
		if !t.Bytes && (i == 0 || t.Changes) {
			t.width[i] = max(t.width[i], humanWidth)
		}
	}
	fmt.Fprintln(w, t.numbers(titles[0], titles[1])+t.mark(" ")+"PATH")
	for r := range t.rows() {
		it := t.View.At(r.item)
		fmt.Fprintln(w, t.itemNumbers(it)+t.mark(it.Change.Mark())+t.indent(r)+t.label(r, it))
	}
}

// humanWidth is the most cells a size for people takes ("1000 kB").
const humanWidth = 7

func (t *treeText) numbers(a, b string) string {
	return gap + text.PadLeft(a, t.width[0]) + gap + text.PadLeft(b, t.width[1]) + gap
}

func (t *treeText) itemNumbers(it tree.Item) string {
	switch n := t.step(it); {
	case t.Changes:
		return t.numbers(t.some(it.Total), t.some(it.Removed))
	case n < 0:
		return t.numbers(t.size(it.Total), t.unknown())
	default:
		return t.numbers(t.size(it.Total), strconv.Itoa(n))
	}
}

// some returns a number of bytes, nothing for none.
func (t *treeText) some(n int64) string {
	if n == 0 {
		return ""
	}
	return t.size(n)
}

// mark returns the column that says what became of a path.
func (t *treeText) mark(mark string) string {
	if !t.Changes {
		return ""
	}
	return mark + " "
}

// maxIndent is the deepest level drawn: a hostile image has directories
// thousands deep, and lines would grow with them.
const maxIndent = 64

// indent draws the branches that lead to a row.
func (t *treeText) indent(r row) string {
	through, tee, corner := "│   ", "├── ", "└── "
	if t.ASCII {
		through, tee, corner = "|   ", "|-- ", "`-- "
	}
	last := r.last[:min(len(r.last), maxIndent)]
	if len(last) == 0 {
		return ""
	}
	var b strings.Builder
	for _, l := range last[:len(last)-1] {
		if l {
			b.WriteString("    ")
		} else {
			b.WriteString(through)
		}
	}
	if last[len(last)-1] {
		return b.String() + corner
	}
	return b.String() + tee
}

// label names an item, the first by its path, and says what isn't a plain file.
func (t *treeText) label(r row, it tree.Item) string {
	name := t.View.Tree().Name(it.Node)
	if r.depth == 0 {
		name = t.path(it)
	}
	name = t.name(name)
	e, x := t.View.Tree().Entry(it.State.Inode)
	switch it.Type {
	case layer.Dir:
		return strings.TrimSuffix(name, "/") + "/"
	case layer.Symlink:
		return name + " -> " + t.name(x.Link(e))
	case layer.Hardlink:
		return name + " (hard link to " + t.name("/"+x.Link(e)) + ", which " + t.broken(it) + ")"
	case layer.Char, layer.Block:
		major, minor := x.Device(e)
		return fmt.Sprintf("%s (%s %d, %d)", name, it.Type, major, minor)
	case layer.Fifo:
		return name + " (fifo)"
	}
	if it.Size > 0 && it.Total == 0 && it.Removed == 0 {
		return fmt.Sprintf("%s (hard link, its %s count elsewhere)", name, t.size(it.Size))
	}
	return name
}

// broken says why a hard link leads nowhere: what its target was when its layer
// was unpacked.
func (t *treeText) broken(it tree.Item) string {
	all := t.View.Tree()
	e, x := all.Entry(it.State.Entry)
	n, ok := all.Lookup(x.Link(e))
	if !ok {
		return "isn't there"
	}
	switch s, stands := all.StateAt(n, int(it.State.Entry.Layer)); {
	case !stands:
		return "isn't there"
	case all.Type(s.Inode) == layer.Dir:
		return "is a directory"
	}
	return "wasn't there yet"
}
