package tui

import (
	"github.com/gdamore/tcell/v2"
	"github.com/rivo/tview"

	"github.com/layerscope/layerscope/view/text"
)

// field is a piece of a page: a text with a label beside it, or a heading.
type field struct {
	label   string
	text    string // may have several lines
	heading bool   // the label stands alone, after an empty line
}

// page is a text to read, over the panes: help, or the details of something.
// Nothing in it is cut; what is long is wrapped.
type page struct {
	u      *ui
	title  string
	fields func() []field

	width, height int // of the text; width is 0 if the lines are to be made anew
	lines         [][]span
	top           int // first line shown
}

func newPage(u *ui, title string, fields func() []field) *page {
	return &page{u: u, title: title, fields: fields}
}

// update has the page made anew: there is news.
func (p *page) update() { p.width = 0 }

func (p *page) draw(s tcell.Screen, l layout) {
	p.u.drawRule(s, l.titles)
	title := rect{l.titles.x + 1, l.titles.y, l.titles.w - 2, 1}
	body := rect{l.titles.x + 2, l.titles.y + 1, l.titles.w - 4, l.status.y - l.titles.y - 1}
	if p.width != body.w {
		p.width, p.lines = body.w, pageLines(p.fields(), body.w)
	}
	p.height = body.h
	p.move(p.top)
	for i := range min(body.h, len(p.lines)-p.top) {
		putLine(s, p.u.theme, rect{body.x, body.y + i, body.w, 1}, p.lines[p.top+i])
	}
	more := ""
	if below := len(p.lines) - p.top - body.h; below > 0 {
		more = text.Plural(below, "line") + " below"
	}
	p.u.drawTitle(s, title, p.title, more, roleFocus)
}

// The page is a scroller whose row is the first line shown.

func (p *page) row() int    { return p.top }
func (p *page) page() int   { return max(1, p.height) }
func (p *page) move(to int) { p.top = max(0, min(to, len(p.lines)-p.height)) }
func (p *page) length() int { return len(p.lines) }

// wheel is how many lines a turn of the mouse's wheel scrolls.
const wheel = 3

// mouse scrolls by the wheel and reports whether it did.
func (p *page) mouse(action tview.MouseAction) bool {
	switch action {
	case tview.MouseScrollUp:
		p.move(p.top - wheel)
	case tview.MouseScrollDown:
		p.move(p.top + wheel)
	default:
		return false
	}
	return true
}

// maxLabel is the most that labels may take of a page's width.
const maxLabel = 16

// pageLines wraps fields for a page of some width.
func pageLines(fields []field, width int) [][]span {
	labels := 0
	for _, f := range fields {
		if !f.heading {
			labels = max(labels, min(maxLabel, text.Width(text.Printable(f.label))))
		}
	}
	var lines [][]span
	for _, f := range fields {
		if f.heading {
			lines = appendHeading(lines, f.label)
			continue
		}
		label := text.Printable(f.label)
		for _, l := range text.Wrap(text.Lines(f.text), width-labels-2) {
			lines = append(lines, []span{{text.Pad(label, labels+2), roleDim}, {l, roleText}})
			label = ""
		}
	}
	return lines
}

func appendHeading(lines [][]span, s string) [][]span {
	if len(lines) > 0 {
		lines = append(lines, nil)
	}
	return append(lines, []span{{s, roleStrong}})
}
