package tui

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gdamore/tcell/v2"
)

// TestActions holds the registry to itself.
func TestActions(t *testing.T) {
	names := map[string]bool{}
	keys := map[scope]map[string]string{}
	for _, a := range actions() {
		if names[a.name] {
			t.Errorf("two actions are named %s", a.name)
		}
		names[a.name] = true
		if a.help == "" || a.do == nil || len(a.keys) == 0 {
			t.Errorf("%s isn't whole", a.name)
		}
		if keys[a.scope] == nil {
			keys[a.scope] = map[string]string{}
		}
		for _, k := range a.keys {
			if other := keys[a.scope][k]; other != "" {
				t.Errorf("in %s, %s is %s and %s", a.scope, k, other, a.name)
			}
			keys[a.scope][k] = a.name
			if _, _, ok := keyCalled(k); !ok {
				t.Errorf("%s: no key is called %q", a.name, k)
			}
		}
	}
	if got := newKeymap(actions()).of("files.view"); got != "v" {
		t.Errorf("files.view is on %q", got)
	}
}

func TestKeyName(t *testing.T) {
	for want, ev := range map[string]*tcell.EventKey{
		"g":         tcell.NewEventKey(tcell.KeyRune, 'g', tcell.ModNone),
		"G":         tcell.NewEventKey(tcell.KeyRune, 'G', tcell.ModShift),
		"Space":     tcell.NewEventKey(tcell.KeyRune, ' ', tcell.ModNone),
		"Alt-x":     tcell.NewEventKey(tcell.KeyRune, 'x', tcell.ModAlt),
		"Ctrl-F":    tcell.NewEventKey(tcell.KeyCtrlF, 0, tcell.ModCtrl),
		"Tab":       tcell.NewEventKey(tcell.KeyTab, 0, tcell.ModNone),
		"Shift-Tab": tcell.NewEventKey(tcell.KeyBacktab, 0, tcell.ModNone),
		"Enter":     tcell.NewEventKey(tcell.KeyEnter, 0, tcell.ModNone),
		"F5":        tcell.NewEventKey(tcell.KeyF5, 0, tcell.ModNone),
		"":          tcell.NewEventKey(tcell.KeyPrint, 0, tcell.ModNone),
	} {
		if got := keyName(ev); got != want {
			t.Errorf("%v is %q, want %q", ev.Key(), got, want)
		}
	}
}

// TestKeysPage holds docs/keys.md to the registry.
func TestKeysPage(t *testing.T) {
	path := filepath.Join("..", "..", "docs", "keys.md")
	if *update {
		if err := os.WriteFile(path, []byte(keysMarkdown()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(page) != keysMarkdown() {
		t.Errorf("%s isn't what the registry says (go test ./view/tui -update):\n%s", path, firstDifference(string(page), keysMarkdown()))
	}
}

// TestHelpHasAll looks for every action in help.
func TestHelpHasAll(t *testing.T) {
	var all strings.Builder
	for _, f := range keyFields(actions()) {
		all.WriteString(f.label + "\t" + f.text + "\n")
	}
	for _, a := range actions() {
		if line := strings.Join(a.keys, " ") + "\t" + a.help + "\n"; !strings.Contains(all.String(), line) {
			t.Errorf("help doesn't have %s", a.name)
		}
	}
}

// keysMarkdown returns what the page docs/keys.md has to be.
func keysMarkdown() string {
	var b strings.Builder
	b.WriteString("# Keys\n\nGenerated from the registry of actions in `view/tui`; `go test ./view/tui -update` writes it anew.\n")
	for _, s := range helpOrder {
		b.WriteString("\n## " + s.String() + "\n\n| key | what it does | action |\n|---|---|---|\n")
		for _, a := range actions() {
			if a.scope == s {
				b.WriteString("| `" + strings.Join(a.keys, "` `") + "` | " + a.help + " | `" + a.name + "` |\n")
			}
		}
	}
	return b.String()
}
