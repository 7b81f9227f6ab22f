package tui

// The smallest terminal that is laid out; anything less gets one line.
const (
	minWidth  = 60
	minHeight = 16
)

// Where two panes and where the long form of the lines around them fit.
const (
	twoPaneWidth = 76
	tallHeight   = 20
)

// stepsShare is the part of the width that the steps take beside the files.
const stepsShare = 0.48

// rect is a place on the screen in cells; nothing if w or h is 0.
type rect struct{ x, y, w, h int }

func (r rect) empty() bool { return r.w <= 0 || r.h <= 0 }

// pane is one of the two lists of the home screen.
type pane uint8

const (
	paneSteps pane = iota
	paneFiles
	panes // how many there are
)

// layout is where everything of the home screen goes.
type layout struct {
	small   bool // too small to lay out: none of the rest is set
	header  rect
	titles  rect // the rule with the panes' titles
	pane    [panes]rect
	divider rect // between the panes, if both are shown
	rule    rect // below the panes, if there is room
	detail  rect // what is selected, in one or two lines
	status  rect
}

// arrange lays out a screen of w × h cells. The pane with the focus is shown
// alone if asked for or if two don't fit.
func arrange(w, h int, focus pane, alone bool) layout {
	if w < minWidth || h < minHeight {
		return layout{small: true}
	}
	const headerLines = 2
	l := layout{
		header: rect{0, 0, w, headerLines},
		titles: rect{0, headerLines, w, 1},
		status: rect{0, h - 1, w, 1},
	}
	foot := h - 1
	if h >= tallHeight {
		l.detail = rect{0, foot - 2, w, 2}
		l.rule = rect{0, foot - 3, w, 1}
		foot -= 3
	} else {
		l.detail = rect{0, foot - 1, w, 1}
		foot--
	}
	top := headerLines + 1
	l.split(rect{0, top, w, foot - top}, focus, alone || w < twoPaneWidth)
	return l
}

// split divides r between the panes.
func (l *layout) split(r rect, focus pane, alone bool) {
	if alone {
		l.pane[focus] = r
		return
	}
	left := int(float64(r.w) * stepsShare)
	l.pane[paneSteps] = rect{r.x, r.y, left, r.h}
	l.divider = rect{r.x + left, r.y, 1, r.h}
	l.pane[paneFiles] = rect{r.x + left + 1, r.y, r.w - left - 1, r.h}
}
