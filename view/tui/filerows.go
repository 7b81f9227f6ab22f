package tui

import (
	"fmt"
	"strings"

	"github.com/layerscope/layerscope/analyze/layer"
	"github.com/layerscope/layerscope/analyze/tree"
	"github.com/layerscope/layerscope/view/text"
)

// fileRows are the rows of a listing: size, mark of the change, mode and owner
// where there is room, and the name, indented, with what it links to.
type fileRows struct {
	look *look
	*listing
}

// Len returns the number of rows.
func (r fileRows) Len() int { return len(r.rows) }

// Widths of a list from which on mode and owner are shown.
const (
	modeFrom  = 56
	ownerFrom = 72
)

// Row returns the cells of row i.
func (r fileRows) Row(i, width int) []cell {
	row := r.rows[i]
	it := r.view.At(int(row.item))
	size, sizeRole := r.size(it)
	cells := []cell{{text: size, width: r.sizeWidth(), right: true, role: sizeRole}}
	if !r.subject.whole {
		cells = append(cells, cell{text: it.Change.Mark(), width: 1, role: roleOfChange(it.Change)})
	}
	if width >= modeFrom {
		cells = append(cells, cell{text: modeOf(r.view.Tree(), it), width: len("drwxr-xr-x"), role: roleDim})
	}
	if width >= ownerFrom {
		cells = append(cells, cell{text: ownerOf(r.view.Tree(), it), width: len("65534:65534"), role: roleDim})
	}
	cells = fill(cells, width, cell{role: nameRole(row, it)})
	last := &cells[len(cells)-1]
	last.text = r.name(row, it, last.width)
	return cells
}

// size returns an item's bytes, with a sign if they are what was removed.
func (r fileRows) size(it tree.Item) (string, role) {
	switch n, removed := shownBytes(it); {
	case removed && n > 0:
		return "-" + r.look.size(n), roleRemoved
	case n == 0:
		return r.look.size(n), roleDim
	default:
		return r.look.size(n), roleOfChange(it.Change)
	}
}

// sizeWidth is the same for all rows; the root has the most bytes.
func (r fileRows) sizeWidth() int {
	root := r.view.At(0)
	w := r.look.sizeWidth(max(root.Total, root.Removed))
	if root.Removed > 0 {
		w++ // for the sign
	}
	return w
}

// name returns an item's name as it stands in the tree, cut in the middle if
// need be. Far down, the indent stops growing: the name matters more.
func (r fileRows) name(row fileRow, it tree.Item, width int) string {
	const step = 2
	prefix := strings.Repeat(" ", min(step*int(row.depth), width/2))
	switch {
	case !row.is(rowFolds):
		prefix += "  "
	case row.is(rowOpen):
		prefix += r.look.open + " "
	default:
		prefix += r.look.closed + " "
	}
	name := text.Printable(r.view.Tree().Name(it.Node))
	if it.Type == layer.Dir {
		name += "/"
	}
	if kind, target := linkOf(r.view.Tree(), it); kind != noLink {
		name += " " + r.look.arrow(kind) + " " + text.Printable(target)
	}
	return prefix + text.TruncateMiddle(name, width-text.Width(prefix))
}

func roleOfChange(c tree.Change) role {
	switch c {
	case tree.Added:
		return roleAdded
	case tree.Modified:
		return roleChanged
	case tree.Removed:
		return roleRemoved
	}
	return roleText
}

func nameRole(row fileRow, it tree.Item) role {
	switch {
	case row.is(rowHit):
		return roleHit
	case it.Change == tree.Removed:
		return roleRemoved
	case it.Type == layer.Dir:
		return roleDir
	case it.Type == layer.Symlink:
		return roleLink
	}
	return roleText
}

// link is how an item leads to another.
type link uint8

const (
	noLink link = iota
	symbolic
	hard
)

func (k *look) arrow(l link) string {
	if l == hard {
		return k.hardlink
	}
	return k.symlink
}

// linkOf returns what an item leads to: the target of a symbolic link as it is
// written, or the path from the root that a hard link was made from.
func linkOf(t *tree.Tree, it tree.Item) (link, string) {
	e, x := t.Entry(it.State.Entry)
	switch {
	case e == nil:
		return noLink, ""
	case e.Type == layer.Hardlink:
		return hard, "/" + x.Link(e)
	case e.Type == layer.Symlink:
		return symbolic, x.Link(e)
	}
	return noLink, ""
}

// modeOf returns type and permissions as ls writes them.
func modeOf(t *tree.Tree, it tree.Item) string {
	e, _ := t.Entry(it.State.Inode)
	mode := modeBits(e)
	b := []byte(typeLetter(it.Type) + "rwxrwxrwx")
	for i := range 9 {
		if mode&(1<<(8-i)) == 0 {
			b[1+i] = '-'
		}
	}
	for _, s := range []struct {
		bit    uint32
		at     int
		letter byte
	}{{0o4000, 3, 's'}, {0o2000, 6, 's'}, {0o1000, 9, 't'}} {
		switch {
		case mode&s.bit == 0:
		case b[s.at] == 'x':
			b[s.at] = s.letter
		default:
			b[s.at] = s.letter - 'a' + 'A'
		}
	}
	return string(b)
}

func typeLetter(t layer.Type) string {
	switch t {
	case layer.Dir:
		return "d"
	case layer.Symlink:
		return "l"
	case layer.Char:
		return "c"
	case layer.Block:
		return "b"
	case layer.Fifo:
		return "p"
	}
	return "-"
}

// ownerOf returns the numeric owner and group.
func ownerOf(t *tree.Tree, it tree.Item) string {
	e, _ := t.Entry(it.State.Inode)
	if e == nil {
		return "0:0"
	}
	return fmt.Sprintf("%d:%d", e.UID, e.GID)
}
