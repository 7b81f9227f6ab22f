package tui

import (
	"slices"
	"strings"
	"testing"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/view/text"
)

// TestMarksDiffer: the bar and the mark of the base stand side by side.
func TestMarksDiffer(t *testing.T) {
	for _, m := range []*marks{&unicodeMarks, &asciiMarks} {
		all := append(slices.Clone(m.parts), m.dead, m.base)
		if m.least != m.parts[0] {
			all = append(all, m.least)
		}
		for i, s := range all {
			if text.Width(s) != 1 || slices.Contains(all[:i], s) {
				t.Errorf("%q of %q isn't one cell, or is there twice", s, all)
			}
		}
	}
}

// TestSizesKeepFromTheEdge looks at the widest row there can be.
func TestSizesKeepFromTheEdge(t *testing.T) {
	m := &analyze.Image{Steps: []analyze.Step{{Sums: analyze.Sums{Stored: 40318459, Live: 40318459}}}}
	for _, bytes := range []bool{false, true} {
		row := newStepRows(&look{marks: &unicodeMarks, bytes: bytes}, m).Row(0, 38)
		if got := row[0].padded(); !strings.HasPrefix(got, " ") {
			t.Errorf("bytes=%v: %q begins at the edge", bytes, got)
		}
	}
}

func TestTooSmall(t *testing.T) {
	uni, ascii := &look{marks: &unicodeMarks}, &look{marks: &asciiMarks}
	for width, want := range map[int]string{
		1: "60×16", 11: "60×16", 12: "60×16 needed", 20: "60×16 cells needed", 59: "60×16 cells needed; this is 59×5",
	} {
		if got := uni.tooSmall(width, 5); got != want {
			t.Errorf("in %d cells: %q, want %q", width, got, want)
		}
		if got, want := ascii.tooSmall(width, 5), strings.ReplaceAll(want, "×", "x"); got != want {
			t.Errorf("in %d cells of ASCII: %q, want %q", width, got, want)
		}
	}
}

// TestHelpAndQuitAreHintedLongest looks at the hints of both panes from the
// smallest terminal on.
func TestHelpAndQuitAreHintedLongest(t *testing.T) {
	for width := minWidth; width <= 120; width += 20 {
		s := openImage(t, gardenImage())
		s.resize(width, 24)
		for range 2 {
			s.want("? help  q quit")
			s.press("Tab")
		}
	}
	u := &ui{all: actions(), keys: newKeymap(actions()), home: &home{}}
	for width := range 120 {
		if got := lineWidth(u.hints(width)); width >= 16 && got > width+hintGap {
			t.Errorf("hints take %d of %d cells", got, width)
		}
	}
}

// TestASCII looks for anything else in an image that has nothing else, partly
// read, with names and numbers that are cut or unknown.
func TestASCII(t *testing.T) {
	job, release := heldGarden(t, 2)
	s := play(t, job, 80, 24, Options{ASCII: true})
	s.read(2)
	check := func(keys ...string) {
		t.Helper()
		s.press(keys...)
		screen := s.text()
		if i := strings.IndexFunc(screen, func(r rune) bool { return r > '~' }); i >= 0 {
			t.Errorf("after %v, %q is on the screen:\n%s", keys, screen[i:i+3], screen)
		}
	}
	check()
	s.want("      - ", "~|") // unknown, and cut
	check("j", "j", "Tab", "+", "/", "f", "1")
	check("Enter", "w")
	check("q", "?")
	check("G")
	check("q", "v")
	close(release)
	s.settled()
	check("w")
	s.press("q")
	for _, size := range [][2]int{{60, 16}, {40, 10}, {20, 5}} {
		s.resize(size[0], size[1])
		check()
	}
}
