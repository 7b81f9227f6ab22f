package tui

import (
	"github.com/gdamore/tcell/v2"
	"github.com/rivo/tview"
	"github.com/rivo/uniseg"

	"github.com/layerscope/layerscope/view/text"
)

// cell is the text of one column of a row. The text may come from an image;
// what reaches a screen goes through table or put, and nothing else does.
type cell struct {
	text  string
	width int // on screen
	right bool
	role  role
}

// table returns the cell for a tview table. It is the only place where one is
// made.
func (c cell) table(t *theme) *tview.TableCell {
	tc := tview.NewTableCell(text.Cell(c.padded()))
	tc.SetStyle(t.style(c.role))
	return tc
}

// padded returns the text, printable, in exactly the cell's width: columns must
// not move with what happens to be visible in them.
func (c cell) padded() string {
	s := text.Printable(c.text)
	if c.right {
		return text.PadLeft(s, c.width)
	}
	return text.Pad(s, c.width)
}

// put draws text that may come from an image into at most width cells and
// returns how many it took. It is the only place where text is drawn but by
// tview's widgets.
func put(s tcell.Screen, x, y, width int, str string, style tcell.Style) int {
	str = text.Truncate(text.Printable(str), width)
	at := x
	for state := -1; str != ""; {
		var cluster string
		var w int
		cluster, str, w, state = uniseg.FirstGraphemeClusterInString(str, state)
		runes := []rune(cluster)
		s.SetContent(at, y, runes[0], runes[1:], style)
		at += w
	}
	return at - x
}

// span is a piece of a line.
type span struct {
	text string
	role role
}

// putLine draws spans one after the other and returns the cells they took.
func putLine(s tcell.Screen, t *theme, r rect, spans []span) int {
	at := 0
	for _, p := range spans {
		at += put(s, r.x+at, r.y, r.w-at, p.text, t.style(p.role))
	}
	return at
}

// lineWidth returns the cells that spans take.
func lineWidth(spans []span) int {
	w := 0
	for _, p := range spans {
		w += text.Width(text.Printable(p.text))
	}
	return w
}
