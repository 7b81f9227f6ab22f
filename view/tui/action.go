package tui

import "slices"

// scope is where an action applies. Keys mean what the innermost scope says.
type scope uint8

const (
	inFilter scope = iota // while a filter is typed: all other keys are text
	inPage                // help or details
	inSteps               // the steps have the keyboard
	inFiles               // the files have it
	inHome                // either of them
	inLists               // whatever scrolls
	anywhere
	scopes // how many there are
)

// String returns the heading of the scope's keys in help.
func (s scope) String() string {
	return [...]string{
		"While typing a filter", "Help and details", "Steps", "Files", "Steps and files", "Moving", "Anywhere",
	}[s]
}

// action is something a user can do. The registry is all there is to know about
// keys: they are dispatched by it; help, hints and docs/keys.md are made of it.
type action struct {
	name  string // stable, to be configured by: "files.sort"
	scope scope
	keys  []string
	help  string
	hint  string // a word for the status line; "" to leave it out
	do    func(*ui)
}

// actions returns the registry, in the order of help.
func actions() []action {
	return slices.Concat(moves(), homeActions(), stepActions(), fileActions(), filterActions(), pageActions(), globalActions())
}

func moves() []action {
	by := func(pages, halves, rows int) func(*ui) {
		return func(u *ui) {
			s := u.scroller()
			page := s.page()
			s.move(s.row() + pages*page + halves*max(1, page/2) + rows)
		}
	}
	return []action{
		{"move.up", inLists, []string{"Up", "k"}, "one row up", "", by(0, 0, -1)},
		{"move.down", inLists, []string{"Down", "j"}, "one row down", "", by(0, 0, 1)},
		{"move.page-up", inLists, []string{"PgUp", "Ctrl-B"}, "one page up", "", by(-1, 0, 0)},
		{"move.page-down", inLists, []string{"PgDn", "Ctrl-F"}, "one page down", "", by(1, 0, 0)},
		{"move.half-up", inLists, []string{"Ctrl-U"}, "half a page up", "", by(0, -1, 0)},
		{"move.half-down", inLists, []string{"Ctrl-D"}, "half a page down", "", by(0, 1, 0)},
		{"move.top", inLists, []string{"Home", "g"}, "to the first row", "", func(u *ui) { u.scroller().move(0) }},
		{"move.bottom", inLists, []string{"End", "G"}, "to the last row", "", func(u *ui) { u.scroller().move(u.scroller().length() - 1) }},
	}
}

func homeActions() []action {
	return []action{
		{"pane.next", inHome, []string{"Tab"}, "to the other pane", "pane", (*ui).otherPane},
		{"pane.previous", inHome, []string{"Shift-Tab"}, "to the other pane", "", (*ui).otherPane},
		{"pane.zoom", inHome, []string{"z"}, "one pane alone, or both", "", (*ui).zoom},
		{"files.view", inHome, []string{"v"}, "what the step changed, or the image after it", "view", (*ui).switchView},
		{"files.sort", inHome, []string{"s"}, "sort files by size, or by name", "sort", (*ui).switchOrder},
		{"files.filter", inHome, []string{"/"}, "filter files by path", "filter", (*ui).startFilter},
		{"error", inHome, []string{"e"}, "all of the error, if the reading failed", "", (*ui).showFailure},
	}
}

func stepActions() []action {
	return []action{
		{"steps.details", inSteps, []string{"Enter", "w"}, "all of the step: full text, digests, bytes", "details", (*ui).stepDetails},
		{"steps.files", inSteps, []string{"Right", "l"}, "to the step's files", "", (*ui).otherPane},
	}
}

func fileActions() []action {
	return []action{
		{"files.enter", inFiles, []string{"Enter"}, "open or close the directory; details of a file", "open", (*ui).enterFile},
		{"files.open", inFiles, []string{"Right", "l"}, "open the directory, or go to what is in it", "", (*ui).openDir},
		{"files.close", inFiles, []string{"Left", "h"}, "close the directory, or go to the one above", "", (*ui).closeDir},
		{"files.toggle", inFiles, []string{"Space"}, "open or close the directory", "", (*ui).toggleDir},
		{"files.open-all", inFiles, []string{"+"}, "open all directories", "", func(u *ui) { u.foldAll(allOpen) }},
		{"files.close-all", inFiles, []string{"-"}, "close all directories", "", func(u *ui) { u.foldAll(allClosed) }},
		{"files.next", inFiles, []string{"n"}, "to the next match of the filter", "", func(u *ui) { u.nextMatch(1) }},
		{"files.previous", inFiles, []string{"N"}, "to the previous match", "", func(u *ui) { u.nextMatch(-1) }},
		{"files.details", inFiles, []string{"w"}, "all of the file: full path, link, owner, hash", "", (*ui).fileDetails},
	}
}

func filterActions() []action {
	return []action{
		{"filter.keep", inFilter, []string{"Enter"}, "keep the filter", "keep", (*ui).keepFilter},
		{"filter.clear", inFilter, []string{"Esc"}, "clear the filter", "clear", (*ui).clearFilter},
		{"filter.stop", inFilter, []string{"Ctrl-C"}, "clear the filter", "", (*ui).clearFilter},
	}
}

func pageActions() []action {
	return []action{
		{"page.close", inPage, []string{"q", "?", "w"}, "close", "close", (*ui).back},
	}
}

func globalActions() []action {
	return []action{
		{"help", anywhere, []string{"?"}, "show or hide this help", "help", (*ui).help},
		{"back", anywhere, []string{"Esc"}, "one step back: close the page, clear the filter, leave the files", "", (*ui).back},
		{"redraw", anywhere, []string{"Ctrl-L"}, "draw the screen anew", "", (*ui).redraw},
		{"suspend", anywhere, []string{"Ctrl-Z"}, "to the shell, until fg (not on Windows)", "", (*ui).suspend},
		{"stop", anywhere, []string{"Ctrl-C"}, "stop reading and keep what is there; else quit", "", (*ui).stop},
		{"quit", anywhere, []string{"q"}, "quit", "quit", (*ui).quit},
	}
}

// keymap finds actions by scope and key.
type keymap map[scope]map[string]*action

func newKeymap(as []action) keymap {
	m := keymap{}
	for i := range as {
		a := &as[i]
		if m[a.scope] == nil {
			m[a.scope] = map[string]*action{}
		}
		for _, k := range a.keys {
			m[a.scope][k] = a
		}
	}
	return m
}

// of returns the first key of a named action, "" if it has none.
func (m keymap) of(name string) string {
	for _, keys := range m {
		for _, a := range keys {
			if a.name == name {
				return a.keys[0]
			}
		}
	}
	return ""
}

// find returns what a key does in the innermost of the scopes, nil if nothing.
func (m keymap) find(key string, in []scope) *action {
	for _, s := range in {
		if a := m[s][key]; a != nil {
			return a
		}
	}
	return nil
}
