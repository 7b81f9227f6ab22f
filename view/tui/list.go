package tui

import (
	"github.com/gdamore/tcell/v2"
	"github.com/rivo/tview"
)

// rows are what a list shows. They are asked for what is on the screen only.
type rows interface {
	Len() int
	// Row returns the cells of row i for a list of some width. All rows have
	// as many cells, and of the same widths, one column of the screen apart.
	Row(i, width int) []cell
}

// fill adds a last cell that takes the rest of a row's width.
func fill(cells []cell, width int, last cell) []cell {
	for _, c := range cells {
		width -= c.width + 1
	}
	last.width = max(0, width)
	return append(cells, last)
}

// noRows is a list with nothing in it.
type noRows struct{}

func (noRows) Len() int            { return 0 }
func (noRows) Row(int, int) []cell { return nil }

// list is a virtual table with one row selected. It handles no keys: what they
// do is in the registry of actions.
type list struct {
	*tview.Table
	theme *theme
	rows  rows

	moved  func() // the selected row changed
	opened func() // it was double-clicked

	drawn map[int][]*tview.TableCell // rows of this draw: tview asks for a cell three times
}

func newList(t *theme) *list {
	l := &list{Table: tview.NewTable(), theme: t, rows: noRows{}, moved: func() {}, opened: func() {}}
	l.SetBackgroundColor(tcell.ColorDefault)
	l.SetBordersColor(tcell.ColorDefault) // of the gaps between columns
	l.SetSelectable(true, false)
	l.SetContent(listContent{l: l})
	return l
}

// show replaces the rows and selects one of them.
func (l *list) show(r rows, row int) {
	l.rows, l.drawn = r, nil
	l.at(row)
}

// row returns the selected row, -1 if there is none.
func (l *list) row() int {
	row, _ := l.GetSelection()
	return min(row, l.rows.Len()-1)
}

// at selects a row, or the nearest there is, without telling.
func (l *list) at(row int) {
	l.Select(max(0, min(row, l.rows.Len()-1)), 0)
}

// move selects a row, or the nearest there is.
func (l *list) move(row int) {
	before := l.row()
	l.at(row)
	if l.row() != before {
		l.moved()
	}
}

// length returns the number of rows.
func (l *list) length() int { return l.rows.Len() }

// page returns how many rows fit.
func (l *list) page() int {
	_, _, _, h := l.GetInnerRect()
	return max(1, h)
}

// draw draws the list.
func (l *list) draw(s tcell.Screen, focused bool) {
	// A table that was shown to its end would stay at the end when it grows.
	offset, _ := l.GetOffset()
	l.SetOffset(offset, 0)
	l.drawn = map[int][]*tview.TableCell{}
	selected := roleUnfocused
	if focused {
		selected = roleSelected
	}
	l.SetSelectedStyle(l.theme.style(selected))
	l.Table.Draw(s)
}

// MouseHandler selects what is clicked and scrolls by the wheel.
func (l *list) MouseHandler() func(tview.MouseAction, *tcell.EventMouse, func(tview.Primitive)) (bool, tview.Primitive) {
	return l.WrapMouseHandler(func(action tview.MouseAction, ev *tcell.EventMouse, focus func(tview.Primitive)) (bool, tview.Primitive) {
		x, y := ev.Position()
		if !l.InRect(x, y) {
			return false, nil
		}
		switch action {
		case tview.MouseLeftClick, tview.MouseLeftDoubleClick:
			l.click(x, y, action == tview.MouseLeftDoubleClick)
			return true, nil
		case tview.MouseScrollUp, tview.MouseScrollDown:
			return l.Table.MouseHandler()(action, ev, focus)
		}
		return false, nil
	})
}

// click selects the row at a place. tview counts two clicks in a short time as
// a double click wherever they are: on two rows they are two clicks.
func (l *list) click(x, y int, twice bool) {
	row, _ := l.CellAt(x, y)
	if row < 0 {
		return
	}
	if twice && row == l.row() {
		l.opened()
		return
	}
	l.move(row)
}

// listContent is what tview's table asks for cells.
type listContent struct {
	tview.TableContentReadOnly
	l *list
}

func (c listContent) GetRowCount() int { return c.l.rows.Len() }

func (c listContent) GetColumnCount() int {
	if c.l.rows.Len() == 0 {
		return 0
	}
	return len(c.cells(0))
}

func (c listContent) GetCell(row, column int) *tview.TableCell {
	if row < 0 || row >= c.l.rows.Len() {
		return nil
	}
	cells := c.cells(row)
	if column < 0 || column >= len(cells) {
		return nil
	}
	return cells[column]
}

func (c listContent) cells(row int) []*tview.TableCell {
	if cells, ok := c.l.drawn[row]; ok {
		return cells
	}
	_, _, width, _ := c.l.GetInnerRect()
	var cells []*tview.TableCell
	for _, cell := range c.l.rows.Row(row, width) {
		cells = append(cells, cell.table(c.l.theme))
	}
	if c.l.drawn != nil {
		c.l.drawn[row] = cells
	}
	return cells
}
