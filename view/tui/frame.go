package tui

import (
	"fmt"

	"github.com/gdamore/tcell/v2"
	"github.com/rivo/tview"

	"github.com/layerscope/layerscope/view/text"
)

// frame is the root of the widgets: it lays out and draws the home screen and
// the pages over it, for whatever size the terminal has now.
type frame struct {
	*tview.Box
	u *ui
}

func newFrame(u *ui) *frame {
	f := &frame{Box: tview.NewBox(), u: u}
	f.SetBackgroundColor(tcell.ColorDefault)
	return f
}

// Draw draws everything.
func (f *frame) Draw(s tcell.Screen) {
	f.DrawForSubclass(s, f)
	_, _, w, h := f.GetRect()
	l := arrange(w, h, f.u.home.focus, f.u.home.alone)
	if l.small {
		// What was open stays open.
		putCentred(s, f.u.theme, rect{0, 0, w, h}, []string{f.u.look.tooSmall(w, h)}, roleText)
		return
	}
	f.u.home.place(l)
	f.u.drawHeader(s, l.header)
	if n := len(f.u.pages); n > 0 {
		f.u.pages[n-1].draw(s, l)
	} else {
		f.u.home.draw(s, l)
	}
	f.u.drawStatus(s, l.status)
}

// tooSmall says what size is needed, and more as far as it fits into w cells.
func (k *look) tooSmall(w, h int) string {
	need := fmt.Sprintf("%d%s%d", minWidth, k.times, minHeight)
	for _, s := range []string{
		fmt.Sprintf("%s cells needed; this is %d%s%d", need, w, k.times, h),
		need + " cells needed",
		need + " needed",
	} {
		if text.Width(s) <= w {
			return s
		}
	}
	return need
}

// HasFocus is always true: tview gives keys to a root that has the focus, and
// the frame knows better than tview who is to get them.
func (f *frame) HasFocus() bool { return true }

// InputHandler hands keys that aren't actions to the filter being typed: the
// only widget that takes any.
func (f *frame) InputHandler() func(*tcell.EventKey, func(tview.Primitive)) {
	return f.WrapInputHandler(func(ev *tcell.EventKey, focus func(tview.Primitive)) {
		if f.u.home.typing {
			f.u.home.prompt.InputHandler()(ev, focus)
		}
	})
}

// PasteHandler does the same with what is pasted: without a filter it is
// dropped, not taken for keys.
func (f *frame) PasteHandler() func(string, func(tview.Primitive)) {
	return f.WrapPasteHandler(func(s string, focus func(tview.Primitive)) {
		if f.u.home.typing {
			f.u.home.prompt.PasteHandler()(s, focus)
		}
	})
}

// focusByMouse gives the keyboard to a pane that is clicked. A filter being
// typed is kept.
func (u *ui) focusByMouse(p pane) {
	if u.home.typing {
		u.keepFilter()
	}
	u.home.focusOn(p)
}

// MouseHandler hands the mouse to the list it is over.
func (f *frame) MouseHandler() func(tview.MouseAction, *tcell.EventMouse, func(tview.Primitive)) (bool, tview.Primitive) {
	return f.WrapMouseHandler(func(action tview.MouseAction, ev *tcell.EventMouse, focus func(tview.Primitive)) (bool, tview.Primitive) {
		if n := len(f.u.pages); n > 0 {
			return f.u.pages[n-1].mouse(action), nil
		}
		for p, l := range f.u.home.list {
			if action == tview.MouseLeftDown && l.InRect(ev.Position()) {
				f.u.focusByMouse(pane(p))
				return true, nil
			}
			if used, capture := l.MouseHandler()(action, ev, focus); used {
				return used, capture
			}
		}
		return false, nil
	})
}
