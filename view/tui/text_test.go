package tui

import (
	"strings"
	"testing"

	"github.com/gdamore/tcell/v2"

	"github.com/layerscope/layerscope/analyze/layer"
	"github.com/layerscope/layerscope/analyze/progress"
	"github.com/layerscope/layerscope/analyze/synth"
	"github.com/layerscope/layerscope/analyze/tree"
	"github.com/layerscope/layerscope/view/text"
)

func TestBar(t *testing.T) {
	for _, test := range []struct {
		live, dead, whole int64
		width             int
		want, ascii       string
	}{
		{0, 0, 100, 8, "", ""},
		{100, 0, 100, 8, "████████", "########"},
		{50, 0, 100, 8, "████", "####"},
		{1, 0, 1000000, 8, "▏", "."},
		{55, 0, 100, 4, "██▎", "##"},
		{12, 0, 100, 4, "▌", "."},
		{13, 0, 100, 4, "▌", "#"},
		{0, 100, 100, 4, "░░░░", "::::"},
		{75, 25, 100, 8, "██████░░", "######::"},
		{99, 1, 100, 8, "████████", "########"},
		{0, 1, 1000000, 8, "░", ":"},
		{5, 0, 0, 8, "", ""},
		{5, 0, 10, 0, "", ""},
	} {
		uni, ascii := &look{marks: &unicodeMarks}, &look{marks: &asciiMarks}
		if got := uni.bar(test.live, test.dead, test.whole, test.width); got != test.want {
			t.Errorf("bar(%d, %d, %d, %d) = %q, want %q", test.live, test.dead, test.whole, test.width, got, test.want)
		}
		if got := ascii.bar(test.live, test.dead, test.whole, test.width); got != test.ascii {
			t.Errorf("in ASCII: bar(%d, %d, %d, %d) = %q, want %q", test.live, test.dead, test.whole, test.width, got, test.ascii)
		}
	}
}

func TestBarFits(t *testing.T) {
	k := &look{marks: &unicodeMarks}
	for live := int64(0); live <= 40; live++ {
		for dead := int64(0); live+dead <= 40; dead++ {
			for width := range 14 {
				if got := text.Width(k.bar(live, dead, 40, width)); got > width {
					t.Fatalf("bar(%d, %d, 40, %d) takes %d cells", live, dead, width, got)
				}
			}
		}
	}
}

func TestModeAndOwner(t *testing.T) {
	tr := buildTree(t, synth.Layer{
		synth.File("f", "x", synth.Mode(0o4755), synth.Owner(1000, 5)),
		synth.File("g", "x", synth.Mode(0o2644)),
		synth.Dir("tmp", synth.Mode(0o1777)),
		synth.File("implied/h", "x", synth.Mode(0)),
		synth.Symlink("s", "f"),
		synth.Fifo("p"),
		synth.CharDevice("null", 1, 3),
		synth.BlockDevice("sda", 8, 0),
		synth.Hardlink("link", "f"),
	})
	v := tr.Final()
	for path, want := range map[string]string{
		"f": "-rwsr-xr-x 1000:5", "g": "-rw-r-Sr-- 0:0", "tmp": "drwxrwxrwt 0:0", "implied": "drwxr-xr-x 0:0",
		"implied/h": "---------- 0:0", "s": "lrwxrwxrwx 0:0", "p": "prw-r--r-- 0:0", "null": "crw-rw-rw- 0:0",
		"sda": "brw-rw---- 0:0", "link": "-rwsr-xr-x 1000:5",
	} {
		it := itemAt(t, v, path)
		if got := modeOf(tr, it) + " " + ownerOf(tr, it); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	if kind, target := linkOf(tr, itemAt(t, v, "link")); kind != hard || target != "/f" {
		t.Errorf("link leads to %q (%d)", target, kind)
	}
	if kind, target := linkOf(tr, itemAt(t, v, "s")); kind != symbolic || target != "f" {
		t.Errorf("s leads to %q (%d)", target, kind)
	}
}

func itemAt(t *testing.T, v *tree.View, path string) tree.Item {
	t.Helper()
	n, ok := v.Tree().Lookup(path)
	i, ok2 := v.Find(n)
	if !ok || !ok2 {
		t.Fatal("no", path)
	}
	return v.At(i)
}

func TestTypeLetters(t *testing.T) {
	for ty, want := range map[layer.Type]string{layer.File: "-", layer.Dir: "d", layer.Hardlink: "-", layer.Fifo: "p"} {
		if got := typeLetter(ty); got != want {
			t.Errorf("%v: %q, want %q", ty, got, want)
		}
	}
}

func TestProgressText(t *testing.T) {
	k := &look{marks: &unicodeMarks}
	for _, test := range []struct {
		p    progress.Snapshot
		want string
	}{
		{progress.Snapshot{}, "reading"},
		{progress.Snapshot{Phase: "pulling", Bytes: 1500}, "pulling · 1.5 kB"},
		{progress.Snapshot{Phase: "reading layers", Bytes: 50, Total: 100, Layers: 2, LayersDone: 1},
			"reading layers · 1 of 2 layers · 50 B of 100 B · ██████       50.0%"},
		{progress.Snapshot{Bytes: 300, Total: 100, Layers: 1}, "reading · 0 of 1 layer · 300 B of 100 B · ████████████ 100.0%"},
	} {
		if got := progressText(k, test.p); got != test.want {
			t.Errorf("%+v: %q, want %q", test.p, got, test.want)
		}
	}
}

func TestFitting(t *testing.T) {
	k := &look{marks: &unicodeMarks}
	parts := []string{"one", "", "three", "five"}
	for width, want := range map[int]string{0: "one", 10: "one", 11: "one · three", 18: "one · three · five"} {
		if got := k.fitting(parts, width); got != want {
			t.Errorf("in %d cells: %q, want %q", width, got, want)
		}
	}
}

// TestPadded holds columns to their widths, whatever is in them.
func TestPadded(t *testing.T) {
	for _, s := range append([]string{"", "a", strings.Repeat("日", 9), "\x1b[31m[red]x[-]"}, hostileNames...) {
		for _, right := range []bool{false, true} {
			for width := range 12 {
				if got := text.Width((cell{text: s, width: width, right: right}).padded()); got != width {
					t.Errorf("%q takes %d cells, not %d", s, got, width)
				}
			}
		}
	}
}

// TestTheme keeps every role legible: no role may have a background, nor two
// colours that are one.
func TestTheme(t *testing.T) {
	for _, mono := range []bool{false, true} {
		for r, style := range newTheme(mono) {
			fg, bg, _ := style.Decompose()
			if bg != tcell.ColorDefault {
				t.Errorf("role %d has a background", r)
			}
			if fg == bg && fg != tcell.ColorDefault || mono && fg != tcell.ColorDefault {
				t.Errorf("role %d has colour %v", r, fg)
			}
		}
	}
}
