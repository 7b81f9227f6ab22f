package tui

import (
	"strconv"

	"github.com/gdamore/tcell/v2"
	"github.com/rivo/tview"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/view/text"
)

// home is the screen that is always there: the steps, and beside them the files
// of the selected one.
type home struct {
	u     *ui
	list  [panes]*list
	focus pane
	alone bool // one pane is shown alone

	files  *files
	prompt *tview.InputField
	typing bool // the filter has the keyboard
}

func newHome(u *ui) *home {
	h := &home{u: u}
	for p := range h.list {
		h.list[p] = newList(u.theme)
	}
	h.list[paneSteps].moved = func() { h.files.refresh() }
	h.list[paneSteps].opened = u.stepDetails
	h.list[paneFiles].opened = u.enterFile
	h.files = newFiles(u, h.list[paneFiles])
	h.prompt = h.newPrompt()
	h.focusOn(paneSteps)
	return h
}

// image returns what is known of the image, nil before anything is.
func (h *home) image() *analyze.Image { return h.u.news.image }

// step returns the index of the selected step, -1 if there is none.
func (h *home) step() int { return h.list[paneSteps].row() }

// update takes in a new image.
func (h *home) update() {
	if m := h.image(); m != nil {
		l := h.list[paneSteps]
		l.show(newStepRows(h.u.look, m), l.row())
	}
	h.files.refresh()
}

func (h *home) focusOn(p pane) { h.focus = p }

// place gives the widgets their places; a pane that isn't shown gets none.
func (h *home) place(l layout) {
	for p, r := range l.pane {
		h.list[p].SetRect(r.x, r.y, r.w, r.h)
	}
}

// draw draws the panes and what is selected.
func (h *home) draw(s tcell.Screen, l layout) {
	h.drawRules(s, l)
	for p, r := range l.pane {
		if r.empty() {
			continue
		}
		if msg := h.message(pane(p)); msg != "" {
			putCentred(s, h.u.theme, r, text.Wrap(text.Lines(msg), r.w-2), roleDim)
		} else {
			h.list[p].draw(s, pane(p) == h.focus)
		}
	}
	if h.typing {
		h.drawPrompt(s, l.detail)
		l.detail.y, l.detail.h = l.detail.y+1, l.detail.h-1
	}
	lines := h.details(l.detail.w - 2)
	for i := range min(l.detail.h, len(lines)) {
		putLine(s, h.u.theme, rect{l.detail.x + 1, l.detail.y + i, l.detail.w - 2, 1}, lines[i])
	}
}

// drawRules draws the lines around the panes with their titles.
func (h *home) drawRules(s tcell.Screen, l layout) {
	k, dim := h.u.look, h.u.theme.style(roleDim)
	h.u.drawRule(s, l.titles)
	h.u.drawRule(s, l.rule)
	for y := range l.divider.h {
		s.SetContent(l.divider.x, l.divider.y+y, k.vertical, nil, dim)
	}
	if !l.divider.empty() {
		s.SetContent(l.divider.x, l.titles.y, k.teeDown, nil, dim)
		if !l.rule.empty() {
			s.SetContent(l.divider.x, l.rule.y, k.teeUp, nil, dim)
		}
	}
	for p, r := range l.pane {
		if !r.empty() {
			title, more := h.title(pane(p))
			as := roleTitle
			if pane(p) == h.focus {
				as = roleFocus
			}
			h.u.drawTitle(s, rect{r.x + 1, l.titles.y, r.w - 2, 1}, title, more, as)
		}
	}
}

func (h *home) title(p pane) (title, more string) {
	if p == paneFiles {
		return h.files.title()
	}
	if m := h.image(); m != nil {
		more = strconv.Itoa(len(m.Steps))
		if h.u.state() == failed {
			more = h.u.look.join(more, unverified)
		}
		return "Steps", more
	}
	return "Steps", ""
}

// message returns what a pane says instead of a list, "" if it has one.
func (h *home) message(p pane) string {
	switch m := h.image(); {
	case p == paneFiles:
		return h.files.message
	case m == nil:
		return "reading " + h.u.reference()
	case len(m.Steps) == 0:
		return "This image has no history and no layers."
	}
	return ""
}

// details returns the lines below the panes about what is selected.
func (h *home) details(width int) [][]span {
	if _, ok := h.files.selected(); ok && h.focus == paneFiles {
		return h.files.details(width)
	}
	if i := h.step(); i >= 0 {
		return stepLines(h.u.look, h.image(), i, width)
	}
	return nil
}

func (u *ui) otherPane() { u.home.focusOn(1 - u.home.focus) }

func (u *ui) zoom() { u.home.alone = !u.home.alone }

func (u *ui) stepDetails() {
	if u.home.step() >= 0 {
		u.open(stepPage(u, u.home.step()))
	}
}
