package tui

import (
	"github.com/gdamore/tcell/v2"
)

// keyNames are the keys that aren't characters, as help and configuration name
// them. Ctrl-I, Ctrl-M and Ctrl-H are Tab, Enter and Backspace to a terminal.
var keyNames = map[tcell.Key]string{
	tcell.KeyEnter:      "Enter",
	tcell.KeyTab:        "Tab",
	tcell.KeyBacktab:    "Shift-Tab",
	tcell.KeyEsc:        "Esc",
	tcell.KeyBackspace:  "Backspace",
	tcell.KeyBackspace2: "Backspace",
	tcell.KeyDelete:     "Delete",
	tcell.KeyInsert:     "Insert",
	tcell.KeyUp:         "Up",
	tcell.KeyDown:       "Down",
	tcell.KeyLeft:       "Left",
	tcell.KeyRight:      "Right",
	tcell.KeyHome:       "Home",
	tcell.KeyEnd:        "End",
	tcell.KeyPgUp:       "PgUp",
	tcell.KeyPgDn:       "PgDn",
}

// keyName returns the name of a pressed key: "Ctrl-F", "g", "Space", "Alt-x";
// "" if it has none.
func keyName(ev *tcell.EventKey) string {
	k := ev.Key()
	name, named := keyNames[k]
	switch {
	case k == tcell.KeyRune && ev.Rune() == ' ':
		name = "Space"
	case k == tcell.KeyRune:
		name = string(ev.Rune())
	case named:
	case k >= tcell.KeyCtrlA && k <= tcell.KeyCtrlZ:
		name = "Ctrl-" + string(rune('A'+k-tcell.KeyCtrlA))
	case k >= tcell.KeyF1 && k <= tcell.KeyF12:
		name = tcell.KeyNames[k]
	}
	if name != "" && ev.Modifiers()&tcell.ModAlt != 0 {
		return "Alt-" + name
	}
	return name
}
