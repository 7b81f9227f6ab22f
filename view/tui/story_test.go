package tui

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/gdamore/tcell/v2"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/synth"
	"github.com/layerscope/layerscope/view/text"
)

// stroll begins with the demo image read and its last step selected. The test
// runs beside others from there on.
func stroll(t *testing.T, w, h int) *stage {
	t.Helper()
	t.Parallel()
	s := play(t, demoJob(), w, h, Options{Mouse: true})
	s.settled()
	s.press("End")
	return s
}

func TestFindWhatAStepDeleted(t *testing.T) {
	s := stroll(t, 120, 40)
	s.want("This step made no layer", "v shows the image after it")
	s.press("k", "k", "k", "k")
	s.want("-3.8 MB", "perl5.36.0 ⇒ /usr/bin/perl", "samples → /data/samples")
	s.press("l", "/")
	s.typing("DROS")
	s.want("Nothing here matches DROS")
	s.press("Backspace", "Backspace", "Backspace", "Backspace")
	s.typing("dros")
	s.want("1 hit")
	s.press("Enter", "Enter")
	s.want("path        /srv/app/samples/drosera.jpg", "removed by", "step 15: RUN rm /usr/bin/perl5.36.0")
	s.press("Esc", "Esc")
	s.want("gentiana.jpg")
	s.press("Esc")
	if s.u.home.focus != paneSteps {
		t.Error("Esc doesn't lead back to the steps")
	}
	s.press("Esc")
	s.want("q quits")
	if err := s.quit("q"); err != nil {
		t.Error(err)
	}
}

func TestTypingIsNotPressingKeys(t *testing.T) {
	s := stroll(t, 80, 24)
	s.press("/")
	s.typing("q?vsgG n/")
	s.want(" /q?vsgG n/")
	if n := len(s.u.pages); n != 0 {
		t.Errorf("%d pages opened", n)
	}
	s.press("Esc")
	s.wantNot("q?vsgG")
}

func TestPasteIsNotPressingKeys(t *testing.T) {
	s := stroll(t, 80, 24)
	paste := func(text string) {
		_ = s.screen.PostEvent(tcell.NewEventPaste(true))
		for _, r := range text {
			s.screen.InjectKey(tcell.KeyRune, r, tcell.ModNone) // no capture sees these
		}
		_ = s.screen.PostEvent(tcell.NewEventPaste(false))
	}
	paste("q?q")
	s.press("v", "/")
	paste("perl")
	s.until("pasted", func() bool { return s.u.home.prompt.GetText() == "perl" && s.idle() })
	s.want("/perl · 4 hits")
}

func TestFoldingATree(t *testing.T) {
	s := stroll(t, 120, 40)
	s.press("v", "Tab")
	s.want("▸ usr/")
	s.wantNot("▾")
	s.press("l")
	s.want("▾ usr/", "▸ lib/")
	s.press("l", "l", "h", "h", "h")
	s.want("▸ usr/")
	s.press("Space")
	s.want("▾ usr/")
	s.press("+")
	s.want("x86_64-linux-gnu")
	s.wantNot("▸")
	s.press("-")
	s.wantNot("▾")
	s.press("h")
	if s.u.home.focus != paneSteps {
		t.Error("left from the top doesn't lead to the steps")
	}
}

func TestCursorIsKept(t *testing.T) {
	s := stroll(t, 120, 40)
	s.press("v", "Tab", "l", "j", "j")
	at := s.cursor()
	for _, keys := range [][]string{{"s"}, {"s"}, {"v", "v"}, {"Tab", "Home", "End", "Tab"}, {"?", "?"}} {
		s.press(keys...)
		if now := s.cursor(); now != at {
			t.Errorf("after %v the cursor is at %q, not %q", keys, now, at)
		}
	}
}

func TestMatchesInTurn(t *testing.T) {
	s := stroll(t, 120, 40)
	s.press("n")
	s.press("v", "Tab", "n")
	s.want("no filter")
	s.press("/")
	s.typing("perl")
	s.press("Enter")
	first := s.u.home.list[paneFiles].row()
	var seen []int
	for range 4 {
		s.press("n")
		seen = append(seen, s.u.home.list[paneFiles].row())
	}
	if seen[3] != first {
		t.Errorf("four matches, but n goes from %d through %v", first, seen)
	}
	s.press("N")
	if got := s.u.home.list[paneFiles].row(); got != seen[2] {
		t.Errorf("N goes to %d, not back to %d", got, seen[2])
	}
}

func TestMovement(t *testing.T) {
	s := stroll(t, 80, 24)
	last := s.u.home.list[paneSteps].length() - 1
	page := s.u.home.list[paneSteps].page()
	row := last
	for _, test := range []struct {
		key  string
		want int
	}{
		{"g", 0}, {"j", 1}, {"Down", 2}, {"k", 1}, {"Up", 0}, {"Up", 0}, {"G", last}, {"Down", last}, {"Home", 0},
		{"Ctrl-D", page / 2}, {"Ctrl-U", 0}, {"Ctrl-F", page}, {"Ctrl-B", 0}, {"PgDn", page}, {"PgDn", last}, {"PgUp", last - page}, {"End", last},
	} {
		s.press(test.key)
		s.loop(func() { row = s.u.home.step() })
		if row != test.want {
			t.Errorf("%s leads to %d, want %d", test.key, row, test.want)
		}
	}
}

func TestResize(t *testing.T) {
	s := stroll(t, 120, 40)
	s.press("v", "Tab", "l", "j")
	for _, size := range [][2]int{{80, 24}, {59, 24}, {60, 16}, {75, 20}, {1, 1}, {0, 0}, {3, 50}, {300, 90}, {60, 15}, {120, 40}} {
		s.resize(size[0], size[1])
		s.press("j", "k", "?", "G", "?", "w", "w", "/", "x", "Esc")
	}
	s.want("▾ usr/")
	s.resize(70, 20)
	s.want("Image")
	s.wantNot("Steps")
	s.press("Tab")
	s.want("Steps")
	s.wantNot("Image")
	s.resize(40, 10)
	s.want("60×16 cells needed; this is 40×10")
}

func TestZoom(t *testing.T) {
	s := stroll(t, 120, 40)
	s.press("z")
	s.wantNot("Changes")
	s.press("Tab")
	s.want("Changes")
	s.press("z")
	s.want("Steps", "Changes")
}

func TestFillingIn(t *testing.T) {
	job, release := heldGarden(t, 2)
	s := play(t, job, 120, 40, Options{Reference: "garden"})
	s.read(2)
	s.want("2 of 4 layers", "RUN later", "–")
	s.press("j", "j", "Tab")
	s.want("not all read: shown as added", "▸ var/")
	s.press("l", "j")
	s.want("▾ var/")
	at := s.cursor()
	s.press("v")
	s.want("shown once all layers are read")
	s.press("v")
	close(release)
	s.settled()
	s.want("100.0% efficient", "▾ var/")
	s.wantNot("not all read")
	if now := s.cursor(); at == "" || now != at {
		t.Errorf("the cursor went from %q to %q", at, now)
	}
}

func TestStopReading(t *testing.T) {
	job, _ := heldGarden(t, 2)
	s := play(t, job, 120, 40, Options{})
	s.read(2)
	s.press("Ctrl-C")
	s.settled()
	s.want("stopped: 2 of 4 layers read", "not all read")
	s.press("End")
	s.want("This step made no layer")
	s.wantNot("shows the image after it")
	s.press("v")
	s.want("Not all layers were read")
	s.press("v", "k")
	s.want("This layer wasn't read.")
	s.wantNot("shows the image after it")
	s.press("e")
	s.want("nothing failed")
	if err := s.quit("Ctrl-C"); err != nil {
		t.Errorf("after a stop the interface ends with %v", err)
	}
}

func TestContextEndsIt(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	screen := newSimulation(80, 24)
	result := make(chan error)
	job, _ := heldGarden(t, 1)
	go func() { result <- Run(ctx, job, Options{Screen: screen}) }()
	<-screen.ready
	cancel()
	select {
	case err := <-result:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("Run returns %v", err)
		}
	case <-time.After(patience):
		t.Fatal("Run doesn't return")
	}
	<-job.Done()
}

func TestPanicInWorkerEndsIt(t *testing.T) {
	s := stroll(t, 80, 24)
	s.u.box.guard(func() { panic("oh no") })
	if err := s.ended(); err == nil || !strings.Contains(err.Error(), "oh no") {
		t.Errorf("the interface ends with %v", err)
	}
}

func TestQuitWhileReading(t *testing.T) {
	job, _ := heldGarden(t, 1)
	screen := newSimulation(80, 24)
	result := make(chan error)
	go func() { result <- Run(t.Context(), job, Options{Screen: screen}) }()
	<-screen.ready
	screen.InjectKey(tcell.KeyRune, 'q', tcell.ModNone)
	select {
	case err := <-result:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(patience):
		t.Fatal("Run doesn't return")
	}
	<-job.Done()
}

func TestMouse(t *testing.T) {
	s := stroll(t, 120, 40)
	x, y := s.place("COPY requirements")
	s.click(x, y)
	s.want("step 9")
	s.press("v")
	x, y = s.place("▸ usr/")
	s.click(x, y)
	if s.u.home.focus != paneFiles {
		t.Error("a click doesn't move the focus")
	}
	s.click(x, y)
	s.want("▾ usr/")
	s.press("?")
	s.screen.InjectMouse(x, y, tcell.WheelDown, tcell.ModNone)
	s.until("scrolled", func() bool { return s.u.pages[0].top > 0 })
	s.press("q")
}

func TestClickEndsTyping(t *testing.T) {
	s := stroll(t, 120, 40)
	s.press("v", "/")
	s.typing("perl")
	x, y := s.place("COPY requirements")
	s.click(x, y)
	s.press("v", "v")
	s.want("step 9", "/perl")
	if s.u.home.typing {
		t.Error("keys still go to the filter")
	}
}

// openImage shows an image made in code.
func openImage(t *testing.T, img synth.Image) *stage {
	t.Helper()
	m := memoryImage(img)
	if img.EditConfig != nil {
		img.EditConfig(m.d.Config)
	}
	s := play(t, analyze.StartImage(t.Context(), m, analyze.Options{}), 100, 24, Options{})
	s.settled()
	return s
}

func TestImageWithoutSteps(t *testing.T) {
	s := openImage(t, synth.Image{})
	s.want("no history and no layers", "100.0% efficient")
	s.press("Enter", "w", "?", "q", "v", "G", "Tab", "Enter", "l", "w", "Space", "+", "-", "s", "/", "x", "Enter", "n", "Esc", "h")
	s.want("no history and no layers")
}

func TestHistoryThatDoesNotFit(t *testing.T) {
	s := openImage(t, synth.Image{
		Steps:      []synth.Step{{CreatedBy: "COPY a / # buildkit", Layer: synth.Layer{synth.File("a", "1")}}},
		EditConfig: func(c *v1.ConfigFile) { c.History = append(c.History, c.History[0]) },
	})
	s.want("history doesn't fit the layers", "The history doesn't tell this step's layer.", "–")
	s.wantNot("shows the image after it")
	s.press("End")
	s.want("+   a")
}

func TestEmptyLayerAndLostHistory(t *testing.T) {
	s := openImage(t, synth.Image{
		Steps:      []synth.Step{{Layer: synth.Layer{synth.Dir("")}}},
		EditConfig: func(c *v1.ConfigFile) { c.History = nil },
	})
	s.want("no history", "changed nothing")
	s.press("v")
	s.want("The image is empty.")
}

// place finds a text on the screen.
func (s *stage) place(part string) (x, y int) {
	s.t.Helper()
	for i, l := range strings.Split(s.text(), "\n") {
		if at := strings.Index(l, part); at >= 0 {
			return text.Width(l[:at]), i
		}
	}
	s.t.Fatalf("%q isn't on the screen:\n%s", part, s.text())
	return 0, 0
}

// click presses and releases the left button and waits for what it does.
func (s *stage) click(x, y int) {
	s.t.Helper()
	s.screen.InjectMouse(x, y, tcell.ButtonPrimary, tcell.ModNone)
	s.screen.InjectMouse(x, y, tcell.ButtonNone, tcell.ModNone)
	s.press("Ctrl-L") // comes after the click
}
