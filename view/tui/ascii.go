package tui

import "github.com/gdamore/tcell/v2"

// asciiScreen is a screen without the two characters that view/text, and tview
// too, write by themselves: the mark of a cut, and of an unknown number. What
// replaces them takes one cell as well, so nothing moves. It is the one place
// that all text passes.
type asciiScreen struct{ tcell.Screen }

// SetContent is how all text is drawn, by this package and by tview.
func (s asciiScreen) SetContent(x, y int, r rune, comb []rune, style tcell.Style) {
	switch r {
	case '…':
		r = '~'
	case '–':
		r = '-'
	}
	s.Screen.SetContent(x, y, r, comb, style)
}
