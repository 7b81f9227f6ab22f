package tui

import "testing"

// TestArrange checks, for every size that differs, that nothing overlaps, nothing sticks
// out, and every row of the screen is somebody's.
func TestArrange(t *testing.T) {
	for w := range 130 {
		for h := range 45 {
			for _, alone := range []bool{false, true} {
				for focus := range panes {
					checkLayout(t, w, h, arrange(w, h, focus, alone), focus, alone)
				}
			}
		}
	}
}

func checkLayout(t *testing.T, w, h int, l layout, focus pane, alone bool) {
	t.Helper()
	if l.small != (w < minWidth || h < minHeight) {
		t.Fatalf("%d×%d: small is %v", w, h, l.small)
	}
	if l.small {
		return
	}
	taken := make([]bool, w*h)
	for _, r := range []rect{l.header, l.titles, l.pane[0], l.pane[1], l.divider, l.rule, l.detail, l.status} {
		if r.empty() {
			continue
		}
		if r.x < 0 || r.y < 0 || r.x+r.w > w || r.y+r.h > h {
			t.Fatalf("%d×%d: %v sticks out", w, h, r)
		}
		for y := r.y; y < r.y+r.h; y++ {
			for x := r.x; x < r.x+r.w; x++ {
				if taken[y*w+x] {
					t.Fatalf("%d×%d: two at %d,%d: %+v", w, h, x, y, l)
				}
				taken[y*w+x] = true
			}
		}
	}
	for i, is := range taken {
		if !is {
			t.Fatalf("%d×%d: nobody at %d,%d: %+v", w, h, i%w, i/w, l)
		}
	}
	if l.pane[focus].empty() || l.pane[focus].h < 5 {
		t.Fatalf("%d×%d: no room for the pane with the focus: %+v", w, h, l)
	}
	if both := !alone && w >= twoPaneWidth; both == l.pane[1-focus].empty() {
		t.Fatalf("%d×%d: both panes: want %v: %+v", w, h, both, l)
	}
}
