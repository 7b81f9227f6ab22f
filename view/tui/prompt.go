package tui

import (
	"github.com/gdamore/tcell/v2"
	"github.com/rivo/tview"
)

// newPrompt returns the field that a filter is typed in. What is typed filters
// at once. It has no label: tview would draw that on a background of its own.
func (h *home) newPrompt() *tview.InputField {
	p := tview.NewInputField()
	p.SetBackgroundColor(tcell.ColorDefault)
	p.SetFieldStyle(h.u.theme.style(roleText))
	p.SetChangedFunc(func(s string) {
		if h.typing {
			h.files.setFilter(s)
		}
	})
	return p
}

// promptLabel stands before what is typed.
const promptLabel = " /"

// drawPrompt draws the field in one line.
func (h *home) drawPrompt(s tcell.Screen, r rect) {
	w := putLine(s, h.u.theme, r, []span{{promptLabel, roleKey}})
	h.prompt.SetRect(r.x+w, r.y, r.w-w, 1)
	h.prompt.Draw(s)
}

// setFilter filters the files. Each filter begins with what it found open.
func (f *files) setFilter(s string) {
	f.filter, f.inFound = s, folds{}
	f.refresh()
}

// startFilter lets the user type a filter, from the one there is.
func (u *ui) startFilter() {
	h := u.home
	h.focusOn(paneFiles)
	h.prompt.SetText(h.files.filter)
	h.typing = true
	u.app.SetFocus(h.prompt)
}

// keepFilter ends the typing; the filter stays, and its first match is
// selected.
func (u *ui) keepFilter() {
	u.stopTyping()
	f := u.home.files
	if r, ok := f.row(); ok && f.filter != "" && !r.is(rowHit) {
		u.nextMatch(1)
	}
}

func (u *ui) clearFilter() {
	u.stopTyping()
	if u.home.files.filter != "" {
		u.home.files.setFilter("")
	}
}

func (u *ui) stopTyping() {
	u.home.typing = false
	u.app.SetFocus(u.frame)
}
