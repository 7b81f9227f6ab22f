package tui

import (
	"github.com/gdamore/tcell/v2"

	"github.com/layerscope/layerscope/view/text"
)

// drawRule draws a horizontal line.
func (u *ui) drawRule(s tcell.Screen, r rect) {
	if r.empty() {
		return
	}
	for x := range r.w {
		s.SetContent(r.x+x, r.y, u.look.horizontal, nil, u.theme.style(roleDim))
	}
}

// putCentred draws lines in the middle of a place.
func putCentred(s tcell.Screen, t *theme, r rect, lines []string, as role) {
	y := r.y + max(0, (r.h-len(lines))/2)
	for i, l := range lines[:min(len(lines), r.h)] {
		l = text.Truncate(text.Printable(l), r.w)
		put(s, r.x+(r.w-text.Width(l))/2, y+i, r.w, l, t.style(as))
	}
}

// drawHeader draws what image this is, and its sums or how far its reading is.
func (u *ui) drawHeader(s tcell.Screen, r rect) {
	name, note := u.nameLine()
	line := rect{r.x + 1, r.y, r.w - 2, 1}
	if note.text != "" {
		w := lineWidth([]span{note})
		putLine(s, u.theme, rect{r.x + r.w - 1 - w, r.y, w, 1}, []span{note})
		line.w -= w + 2
	}
	putLine(s, u.theme, line, name)
	putLine(s, u.theme, rect{r.x + 1, r.y + 1, r.w - 2, 1}, u.sumLine(r.w-2))
}

// drawStatus draws the message, if there is one, or hints at keys.
func (u *ui) drawStatus(s tcell.Screen, r rect) {
	line := rect{r.x + 1, r.y, r.w - 2, 1}
	if u.flash.text != "" {
		putLine(s, u.theme, line, []span{u.flash})
		return
	}
	if err := u.failure(); err != nil {
		putLine(s, u.theme, line, []span{{"error: " + err.Error(), roleError}})
		return
	}
	putLine(s, u.theme, line, u.hints(line.w))
}

// hints returns keys that do something here, as many as fit.
func (u *ui) hints(width int) []span {
	var line []span
	for _, sc := range u.scopes() {
		for _, a := range u.all {
			if a.scope != sc || a.hint == "" || u.keys.find(a.keys[0], u.scopes()).name != a.name {
				continue
			}
			next := append(line, span{a.keys[0], roleKey}, span{" " + a.hint, roleDim})
			if lineWidth(next) > width {
				return line
			}
			line = append(next, span{"  ", roleDim})
		}
	}
	return line
}
