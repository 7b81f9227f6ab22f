//go:build linux

package e2e

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// terminal is a shell in a terminal of 80 columns and 24 rows.
type terminal struct {
	t   *testing.T
	l   *lab
	dir string // the shell's, and the socket's
}

// terminal opens a terminal. The shell's environment is the lab's, and ends in
// the settings given.
func (l *lab) terminal(t *testing.T, settings ...string) *terminal {
	t.Helper()
	m := &terminal{t, l, t.TempDir()}
	shell := "exec env -i " + quote(append(append(l.env(), "PS1=$ ", "ENV="), settings...)...) + " TERM=\"$TERM\" sh -i"
	m.tmux("-f", "/dev/null", "new-session", "-d", "-c", m.dir, "-x", "80", "-y", "24", shell)
	t.Cleanup(func() { l.output(tmux, "-S", m.path("tmux"), "kill-server") })
	return m
}

// path returns the path of something in the shell's folder.
func (m *terminal) path(name string) string { return filepath.Join(m.dir, name) }

// quote quotes words for a shell.
func quote(words ...string) string {
	for i, w := range words {
		words[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
	}
	return strings.Join(words, " ")
}

func (m *terminal) tmux(args ...string) string {
	m.t.Helper()
	return string(m.l.tool(m.t, tmux, append([]string{"-S", m.path("tmux")}, args...)...))
}

// keys presses keys, by tmux's names for them.
func (m *terminal) keys(keys ...string) {
	m.t.Helper()
	m.tmux(append([]string{"send-keys"}, keys...)...)
}

// enter types a line.
func (m *terminal) enter(line string) {
	m.t.Helper()
	m.tmux("send-keys", "-l", line)
	m.keys("Enter")
}

// see waits until the screen shows all of what is wanted, and returns it.
func (m *terminal) see(wanted ...string) string {
	m.t.Helper()
	return m.await(fmt.Sprintf("%q", wanted), func(screen string) bool {
		for _, w := range wanted {
			if !strings.Contains(screen, w) {
				return false
			}
		}
		return true
	})
}

// await waits until the screen is as it should be, and returns it.
func (m *terminal) await(what string, good func(screen string) bool) string {
	m.t.Helper()
	for end := time.Now().Add(15 * time.Second); ; time.Sleep(30 * time.Millisecond) {
		screen := m.tmux("capture-pane", "-p")
		if good(screen) {
			return screen
		}
		if time.Now().After(end) {
			m.t.Fatalf("waited too long for %s; the screen is\n%s", what, screen)
		}
	}
}

// state returns what the program has made of the terminal: whether it shows the
// alternate screen, the cursor, and takes the mouse.
func (m *terminal) state() string {
	m.t.Helper()
	return strings.TrimSpace(m.tmux("display-message", "-p", "alternate #{alternate_on} cursor #{cursor_flag} mouse #{mouse_any_flag} keypad #{keypad_flag}"))
}

// The screens show what the report has, answer to keys and leave the terminal
// as they found it.
func TestScreens(t *testing.T) {
	l := open(t, engine, tmux)
	name := l.built(t, classic)
	for _, test := range []struct {
		args, title, steps, first, second, search, found string
	}{
		{"demo", "example.org/herbarium", "Steps  20", "debian.sh", "CMD [", "settings", "settings"},
		{"docker://" + name, ours + "/classic:1", "Steps  25", "ARG RELEASE", "ENV PATH", "app.conf", "app.conf"},
	} {
		t.Run(test.args, func(t *testing.T) {
			m := l.terminal(t)
			before := m.state()
			m.enter("stty -a >before; " + l.Binary + " " + test.args + "; code=$?; stty -a >after; cmp before after && echo ended: $code")
			screen := m.see(test.title, test.steps, test.first, test.second, "quit")
			if lines := strings.Split(strings.TrimSuffix(screen, "\n"), "\n"); len(lines) != 24 {
				t.Errorf("%d rows on a screen of 24", len(lines))
			}
			if during := m.state(); !strings.Contains(during, "alternate 1") {
				t.Errorf("the screens are drawn over the shell's: %s", during)
			}
			m.keys("j")
			m.see("step 1")
			m.keys("End")
			m.keys("v", "Tab", "/")
			m.tmux("send-keys", "-l", test.search)
			m.keys("Enter")
			m.see(test.found)
			m.keys("?")
			m.see("Help", "filter files by path")
			m.keys("?")
			m.await("the help to close", func(screen string) bool { return !strings.Contains(screen, "Help") })
			m.keys("q")
			m.see("ended: 0")
			if after := m.state(); after != before {
				t.Errorf("the terminal was\n\t%s\nand is now\n\t%s", before, after)
			}
		})
	}
}

// The steps are there before their layers are, and q doesn't wait for those.
func TestScreensBeforeLayers(t *testing.T) {
	l := open(t, engine, registry, tmux)
	name, stalled := l.stalledRegistry(t, classic)
	m := l.terminal(t)
	m.enter(l.Binary + " registry://" + name + "; echo ended: $?")
	within(t, stalled, "reading comes to a halt")
	m.see(ours+"/classic:1", "Steps  25", "COPY file:", "quit")
	m.keys("q")
	m.see("ended: 0")
}

// Without screens, a terminal is shown how far reading has come, and Ctrl-C
// wipes that away.
func TestProgress(t *testing.T) {
	l := open(t, engine, registry, tmux)
	name, stalled := l.stalledRegistry(t, classic)
	m := l.terminal(t)
	m.enter("clear; " + l.Binary + " report registry://" + name + "; echo ended: $?")
	within(t, stalled, "reading comes to a halt")
	m.see("reading", "layer ", " of ", "MB")
	m.keys("C-c")
	if screen := m.see("error: interrupted", "ended: 130"); strings.Contains(screen, "MB") {
		t.Errorf("the progress is still there:\n%s", screen)
	}
}

// The terminal is left as it was, too, when the program is told to end.
func TestScreensInterrupted(t *testing.T) {
	l := open(t, tmux)
	for _, signal := range []string{"TERM", "INT"} {
		t.Run(signal, func(t *testing.T) {
			m := l.terminal(t)
			before := m.state()
			m.enter("stty -a >before; sh -c 'echo $$ >pid; exec \"$0\" demo' " + l.Binary + "; code=$?; stty -a >after; cmp before after && echo ended: $code")
			m.see("quit")
			l.tool(t, "sh", "-c", "kill -"+signal+" $(cat "+m.path("pid")+")")
			m.see("ended: 130")
			if after := m.state(); after != before {
				t.Errorf("the terminal was\n\t%s\nand is now\n\t%s", before, after)
			}
		})
	}
}

// Where there is no terminal to draw on, there is the report.
func TestNoScreens(t *testing.T) {
	l := open(t, tmux)
	report := l.layerscope(t, "demo").ok(t)
	if !strings.Contains(report, "herbarium") {
		t.Fatalf("piped, the demo says\n%s", report)
	}
	last := report[strings.LastIndexByte(strings.TrimSpace(report), '\n')+1:]
	m := l.terminal(t)
	for _, line := range []string{
		"TERM=dumb " + l.Binary + " demo",
		l.Binary + " --no-tui demo",
		"CI=true " + l.Binary + " demo",
		l.Binary + " demo | cat",
		l.Binary + " demo </dev/null",
	} {
		m.enter("clear; " + line + "; echo ended: $?")
		m.see(strings.TrimSpace(last), "ended: 0")
	}
}
