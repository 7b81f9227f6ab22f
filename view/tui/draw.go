package tui

import (
	"strings"

	"github.com/gdamore/tcell/v2"

	"github.com/layerscope/layerscope/view/text"
)

// drawRule draws a horizontal line.
func (u *ui) drawRule(s tcell.Screen, r rect) {
	for x := range r.w {
		s.SetContent(r.x+x, r.y, u.look.horizontal, nil, u.theme.style(roleDim))
	}
}

// drawTitle draws a title on a rule and, as far as there is room, what else is
// to be said.
func (u *ui) drawTitle(s tcell.Screen, r rect, title, more string, as role) {
	line := []span{{" " + title + " ", as}}
	if more != "" {
		line = append(line, span{" " + more + " ", roleText})
	}
	putLine(s, u.theme, r, line)
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
	if err := u.failure(); err != nil && len(u.pages) == 0 && !u.home.typing {
		putLine(s, u.theme, line, u.failureLine(err, line.w))
		return
	}
	putLine(s, u.theme, line, u.hints(line.w))
}

// hints returns keys that do something here, as many as fit. Those that do it
// anywhere stay longest: who knows how to get help and how to quit, isn't lost.
func (u *ui) hints(width int) []span {
	var here, anyhow []span
	scopes := u.scopes()
	for _, sc := range scopes {
		for _, a := range u.all {
			switch {
			case a.scope != sc || a.hint == "" || u.keys.find(a.keys[0], scopes).name != a.name:
			case sc == anywhere:
				anyhow = append(anyhow, hint(a.keys[0], a.hint)...)
			default:
				here = append(here, hint(a.keys[0], a.hint)...)
			}
		}
	}
	for len(here) > 0 && lineWidth(here)+lineWidth(anyhow) > width+hintGap {
		here = here[:len(here)-len(hint("", ""))]
	}
	return append(here, anyhow...)
}

// hintGap is how far hints are apart.
const hintGap = 2

// hint says what a key does.
func hint(key, does string) []span {
	return []span{{key, roleKey}, {" " + does, roleDim}, {strings.Repeat(" ", hintGap), roleDim}}
}
