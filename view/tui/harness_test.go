package tui

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gdamore/tcell/v2"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/source"
	"github.com/layerscope/layerscope/analyze/synth"
	"github.com/layerscope/layerscope/analyze/synth/demo"
	"github.com/layerscope/layerscope/view/text"
)

var update = flag.Bool("update", false, "write golden files and docs/keys.md anew")

// patience is how long tests wait for what must come. It is there to end a test
// that hangs, with a word why, and no test depends on it.
const patience = 3 * time.Minute

// stage is an interface running on a simulated screen.
type stage struct {
	t      testing.TB
	u      *ui
	screen *simulation
	sent   int64        // keys injected
	seen   atomic.Int64 // keys the interface got
	result chan error
}

// simulation is a simulated screen of a size of its own.
type simulation struct {
	tcell.SimulationScreen
	w, h  int
	ready chan struct{} // closed by Init; before, keys would wait for ever
}

func newSimulation(w, h int) *simulation {
	return &simulation{tcell.NewSimulationScreen("UTF-8"), w, h, make(chan struct{})}
}

// Init is what sets tcell's size to 80×25.
func (s *simulation) Init() error {
	err := s.SimulationScreen.Init()
	s.SetSize(s.w, s.h)
	close(s.ready)
	return err
}

// play runs the interface for a job on a screen of w × h cells.
func play(t testing.TB, job *analyze.Job, w, h int, opts Options) *stage {
	t.Helper()
	screen := newSimulation(w, h)
	return playOn(t, screen, screen, job, opts)
}

// playOn runs the interface on a screen that draws on a simulation.
func playOn(t testing.TB, on tcell.Screen, screen *simulation, job *analyze.Job, opts Options) *stage {
	t.Helper()
	ready, err := openScreen(on)
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{t: t, u: newUI(ready, job, opts), screen: screen, result: make(chan error, 1)}
	s.u.app.SetInputCapture(func(ev *tcell.EventKey) *tcell.EventKey {
		if isWake(ev) {
			return s.u.input(ev)
		}
		defer s.seen.Add(1)
		return s.u.input(ev)
	})
	over := make(chan struct{})
	go func() {
		defer close(over)
		err := s.u.run(t.Context())
		if err == nil {
			err = s.u.result(t.Context())
		}
		s.result <- err
	}()
	t.Cleanup(func() { <-over }) // the test's context is done by then
	return s
}

// loop runs f in the event loop.
func (s *stage) loop(f func()) {
	s.t.Helper()
	done := make(chan struct{})
	go s.u.app.QueueUpdate(func() { f(); close(done) })
	select {
	case <-done:
	case <-time.After(patience):
		s.t.Fatal("the event loop doesn't answer")
	}
}

// until waits for a condition, looked at in the event loop.
func (s *stage) until(what string, cond func() bool) {
	s.t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		ok := false
		s.loop(func() { ok = cond() })
		if ok {
			return
		}
	}
	s.t.Fatalf("waited in vain: %s\n%s", what, s.text())
}

// settled waits until the job has ended and all that was asked for is shown.
func (s *stage) settled() {
	s.t.Helper()
	s.until("all read and shown", func() bool { return s.u.news.ended && s.idle() })
}

// idle reports whether nothing is under way but the job.
func (s *stage) idle() bool {
	return s.seen.Load() == s.sent && !s.u.box.waiting() && !s.u.home.files.behind()
}

// press presses keys, given by their names or as text, and waits for what they
// do.
func (s *stage) press(keys ...string) {
	s.t.Helper()
	for _, k := range keys {
		s.inject(k)
		s.until("key "+k, s.idle)
	}
}

// typing presses the keys of a text.
func (s *stage) typing(text string) {
	s.t.Helper()
	for _, r := range text {
		s.press(string(r))
	}
}

func (s *stage) inject(name string) {
	s.t.Helper()
	s.sent++
	k, r, ok := keyCalled(name)
	if !ok {
		s.t.Fatalf("no key %q", name)
	}
	s.screen.InjectKey(k, r, tcell.ModNone)
}

// keyCalled returns the key of a name, false if no terminal can send one.
func keyCalled(name string) (k tcell.Key, r rune, ok bool) {
	if name == "Space" {
		name = " "
	}
	if rs := []rune(name); len(rs) == 1 {
		return tcell.KeyRune, rs[0], true
	}
	for k := range tcell.Key(512) {
		if keyName(tcell.NewEventKey(k, 0, tcell.ModNone)) == name {
			return k, 0, true
		}
	}
	return 0, 0, false
}

// resize changes the terminal's size.
func (s *stage) resize(w, h int) {
	s.t.Helper()
	s.screen.SetSize(w, h)
	_ = s.screen.PostEvent(tcell.NewEventResize(w, h))
	s.until("resize", func() bool {
		_, _, fw, fh := s.u.frame.GetRect()
		return fw == w && fh == h
	})
	s.loop(func() { s.u.app.ForceDraw() })
}

// text returns what is on the screen.
func (s *stage) text() string {
	var text string
	s.loop(func() { text, _ = dump(s.screen) })
	return text
}

// cursor returns the path of the selected file.
func (s *stage) cursor() string {
	path := ""
	s.loop(func() {
		if it, ok := s.u.home.files.selected(); ok {
			path = s.u.home.files.shown.view.Tree().Path(it.Node)
		}
	})
	return path
}

// want fails unless all the texts are on the screen.
func (s *stage) want(texts ...string) {
	s.t.Helper()
	screen := s.text()
	for _, x := range texts {
		if !strings.Contains(screen, x) {
			s.t.Errorf("%q isn't on the screen:\n%s", x, screen)
		}
	}
}

// wantNot fails if one of the texts is on the screen.
func (s *stage) wantNot(texts ...string) {
	s.t.Helper()
	screen := s.text()
	for _, x := range texts {
		if strings.Contains(screen, x) {
			s.t.Errorf("%q is on the screen:\n%s", x, screen)
		}
	}
}

// quit presses a key that ends the interface and returns its error.
func (s *stage) quit(key string) error {
	s.t.Helper()
	s.inject(key)
	return s.ended()
}

// ended waits for the interface's end and returns its error.
func (s *stage) ended() error {
	s.t.Helper()
	select {
	case err := <-s.result:
		return err
	case <-time.After(patience):
		s.t.Fatal("the interface doesn't end")
		return nil
	}
}

// dump returns the characters of a screen, trimmed at the right, and below it, in the
// same places, a letter for each cell's style.
func dump(s tcell.SimulationScreen) (chars, styles string) {
	cells, w, h := s.GetContents()
	var t, st strings.Builder
	for y := range h {
		var line, style strings.Builder
		for x := 0; x < w; {
			c := cells[y*w+x]
			line.WriteString(string(c.Runes))
			n := max(1, text.Width(string(c.Runes)))
			// The cell after a wide character holds what was there before.
			style.WriteString(strings.Repeat(styleLetter(c.Style), n))
			x += n
		}
		t.WriteString(strings.TrimRight(line.String(), " ") + "\n")
		st.WriteString(strings.TrimRight(style.String(), ".") + "\n")
	}
	return t.String(), st.String()
}

// styleLetter returns "." for plain text, r for reversed (R if dimmed too),
// otherwise the colour's letter, in upper case if bold, or b for bold, d for
// dim.
func styleLetter(s tcell.Style) string {
	fg, bg, attr := s.Decompose()
	letter := map[tcell.Color]string{
		tcell.ColorDefault: ".", tcell.ColorGreen: "g", tcell.ColorOlive: "y", tcell.ColorMaroon: "e", tcell.ColorTeal: "c",
	}[fg]
	switch {
	case letter == "" || bg != tcell.ColorDefault:
		return "?" // a style that isn't a role's
	case attr&tcell.AttrReverse != 0 && attr&tcell.AttrDim != 0:
		return "R"
	case attr&tcell.AttrReverse != 0:
		return "r"
	case letter != "." && attr&tcell.AttrBold != 0:
		return strings.ToUpper(letter)
	case letter != ".":
		return letter
	case attr&tcell.AttrBold != 0:
		return "b"
	case attr&tcell.AttrDim != 0:
		return "d"
	}
	return "."
}

// demoJob reads the demo image, once for all tests.
var demoJob = sync.OnceValue(func() *analyze.Job {
	img, err := demo.Open()
	if err != nil {
		panic(err)
	}
	job := analyze.StartImage(context.Background(), img, analyze.Options{})
	if _, err := job.Wait(); err != nil {
		panic(err)
	}
	return job
})

// held is an image whose layers from some on aren't read before release is
// closed.
type held struct {
	source.Image
	from    int
	release chan struct{}
}

func (h *held) Read(ctx context.Context, req source.Request) (*source.Description, error) {
	d := h.Description()
	free := map[string]bool{}
	for _, l := range d.Layers[:h.from] {
		free[l.Key] = true
	}
	visit := req.Visit
	early := source.Request{
		Want:  func(l source.Layer) bool { return free[l.Key] },
		Visit: visit,
	}
	if _, err := h.Image.Read(ctx, early); err != nil {
		return nil, err
	}
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-h.release:
	}
	req.Want = func(l source.Layer) bool { return !free[l.Key] }
	return h.Image.Read(ctx, req)
}

// heldDemo begins to read the demo image and stops after its first n layers.
func heldDemo(t *testing.T, n int) (*analyze.Job, chan struct{}) {
	t.Helper()
	img, err := demo.Open()
	if err != nil {
		t.Fatal(err)
	}
	h := &held{img, n, make(chan struct{})}
	return analyze.StartImage(t.Context(), h, analyze.Options{}), h.release
}

// gardenImage is a small image: four layers, the second too large to be shown
// all open, and a last step without one.
func gardenImage() synth.Image {
	many := synth.Many(openWhole, func(i int) synth.Entry { return synth.File(fmt.Sprintf("var/lib/f%03d", i), "x") })
	return synth.Image{Steps: []synth.Step{
		{CreatedBy: "ADD rootfs.tar / # buildkit", Layer: synth.Layer{synth.File("etc/os-release", "x")}},
		{CreatedBy: "ENV A=1"},
		{CreatedBy: "RUN install # buildkit", Layer: synth.Layer{many, synth.File("srv/run.sh", "xy")}},
		{CreatedBy: "RUN later, and with so much to say that it is cut # buildkit", Layer: synth.Layer{synth.File("srv/later", "x")}},
		{CreatedBy: "COPY . . # buildkit", Layer: synth.Layer{synth.File("srv/copied", "x")}},
		{CreatedBy: "CMD [\"run\"]"},
	}}
}

// heldGarden does the same with the garden, which is read in no time.
func heldGarden(t *testing.T, n int) (*analyze.Job, chan struct{}) {
	t.Helper()
	m := memoryImage(gardenImage())
	m.d.Name, m.d.Reference, m.d.Source = "garden", "garden", "memory"
	h := &held{m, n, make(chan struct{})}
	return analyze.StartImage(t.Context(), h, analyze.Options{}), h.release
}

// read waits until n layers of the image are read and shown.
func (s *stage) read(n int) {
	s.t.Helper()
	// Progress and image are told apart, so one may be ahead.
	s.until("layers read", func() bool {
		m := s.u.news.image
		return m != nil && s.u.news.progress.LayersDone == n && layersRead(m) == fmt.Sprintf("%d of %d layers read", n, len(m.Layers)) && s.idle()
	})
}

// golden compares got with a file of testdata, or writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (go test -update writes it)", err)
	}
	if string(want) != got {
		t.Errorf("%s is not what is drawn (go test -update):\n%s", path, firstDifference(string(want), got))
	}
}

// firstDifference shows the lines around where two texts begin to differ.
func firstDifference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(w), len(g)) {
		if w[i] != g[i] {
			return "- " + w[i] + "\n+ " + g[i]
		}
	}
	return "one is longer"
}
