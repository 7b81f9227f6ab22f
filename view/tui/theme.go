package tui

import "github.com/gdamore/tcell/v2"

// role is what a text is for. Widgets ask for roles, never for colours.
type role uint8

const (
	roleText      role = iota
	roleDim            // what matters less: metadata steps, rules, labels
	roleStrong         // what is looked for first
	roleTitle          // a pane's title
	roleFocus          // the title of the pane that has the keyboard
	roleSelected       // the selected row of that pane
	roleUnfocused      // the selected row of another pane
	roleAdded
	roleChanged
	roleRemoved
	roleDir
	roleLink
	roleBar
	roleHit // what the filter found
	roleWarning
	roleError
	roleKey // a key in a hint
	roles   // how many there are
)

// theme gives each role a style. It takes colours from the terminal's own
// palette and leaves its background alone, so that it fits dark and light ones.
// No role means something by its colour alone: marks, words or position say the
// same.
type theme [roles]tcell.Style

func newTheme(mono bool) *theme {
	plain := tcell.StyleDefault
	t := theme{
		roleText:      plain,
		roleDim:       plain.Dim(true),
		roleStrong:    plain.Bold(true),
		roleTitle:     plain,
		roleFocus:     plain.Bold(true).Reverse(true),
		roleSelected:  plain.Reverse(true),
		roleUnfocused: plain.Dim(true).Reverse(true),
		roleAdded:     plain.Foreground(tcell.ColorGreen),
		roleChanged:   plain.Foreground(tcell.ColorOlive),
		roleRemoved:   plain.Foreground(tcell.ColorMaroon),
		roleDir:       plain.Bold(true),
		roleLink:      plain.Foreground(tcell.ColorTeal),
		roleBar:       plain.Foreground(tcell.ColorTeal),
		roleHit:       plain.Bold(true).Foreground(tcell.ColorOlive),
		roleWarning:   plain.Bold(true).Foreground(tcell.ColorOlive),
		roleError:     plain.Bold(true).Foreground(tcell.ColorMaroon),
		roleKey:       plain.Bold(true),
	}
	if mono {
		for i, s := range t {
			t[i] = s.Foreground(tcell.ColorDefault)
		}
	}
	return &t
}

// style returns a role's style.
func (t *theme) style(r role) tcell.Style { return t[r] }

// marks are the characters that the interface draws by itself.
type marks struct {
	horizontal, vertical, teeDown, teeUp rune
	open, closed                         string // directories
	symlink, hardlink                    string
	base                                 string   // beside a step of the base image
	parts                                []string // of a cell filled, from the least to all
	dead                                 string   // a cell of dead bytes
	least                                string   // what is too little for a part
	gap                                  string   // between parts of a line
	times                                string   // between width and height
}

var unicodeMarks = marks{
	horizontal: '─', vertical: '│', teeDown: '┬', teeUp: '┴',
	open: "▾", closed: "▸",
	symlink: "→", hardlink: "⇒",
	base:  "·",
	parts: []string{"▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"},
	dead:  "░",
	least: "▏",
	gap:   " · ",
	times: "×",
}

var asciiMarks = marks{
	horizontal: '-', vertical: '|', teeDown: '+', teeUp: '+',
	open: "v", closed: ">",
	symlink: "->", hardlink: "=>",
	base:  "|",
	parts: []string{"#"},
	least: ".",
	dead:  ":",
	gap:   " | ",
	times: "x",
}

func newMarks(ascii bool) *marks {
	if ascii {
		return &asciiMarks
	}
	return &unicodeMarks
}
