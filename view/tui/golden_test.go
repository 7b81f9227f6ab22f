package tui

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/synth"
)

var sizes = [][2]int{{80, 24}, {120, 40}, {200, 60}, {40, 10}}

// scene is something to be seen of the demo image.
type scene struct {
	name string
	opts Options
	held int // layers read; 0 for all
	act  func(*stage)
}

var scenes = []scene{
	{"steps", Options{}, 0, func(s *stage) { s.press("End", "Up", "Up", "Up", "Up", "Up") }},
	{"image", Options{}, 0, func(s *stage) { s.press("v", "End", "Tab", "Down", "Right") }},
	{"filter", Options{}, 0, func(s *stage) { s.press("v", "End", "/"); s.typing("perl"); s.press("Enter", "n") }},
	{"typing", Options{}, 0, func(s *stage) { s.press("v", "End", "/"); s.typing("static/") }},
	{"metadata", Options{}, 0, func(s *stage) { s.press("j") }},
	{"help", Options{Mouse: true}, 0, func(s *stage) { s.press("?") }},
	{"details", Options{}, 0, func(s *stage) { s.press("j", "j", "j", "j", "j", "Enter") }},
	{"file", Options{}, 0, func(s *stage) { s.press("End", "k", "k", "k", "k", "Tab", "j", "j", "Enter") }},
	{"loading", Options{Reference: "demo"}, 3, func(s *stage) { s.press("j", "j", "j", "j", "j", "Tab") }},
	{"ascii", Options{ASCII: true}, 0, func(s *stage) { s.press("End", "k", "k", "k", "k") }},
	{"mono", Options{NoColor: true, Bytes: true}, 0, func(s *stage) { s.press("End", "k", "k", "k", "k", "k") }},
}

func TestGolden(t *testing.T) {
	if synth.RaceDetector {
		t.Skip("the stories have the same races, in less time")
	}
	for _, scene := range scenes {
		t.Run(scene.name, func(t *testing.T) {
			t.Parallel()
			var a txtar.Archive
			job := demoJob()
			if scene.held > 0 {
				job, _ = heldDemo(t, scene.held)
			}
			for _, size := range sizes {
				name := fmt.Sprintf("%dx%d", size[0], size[1])
				text, styles := scene.shoot(t, job, size[0], size[1])
				a.Files = append(a.Files,
					txtar.File{Name: name, Data: []byte(text)},
					txtar.File{Name: name + ".style", Data: []byte(styles)})
			}
			golden(t, scene.name+".txtar", string(txtar.Format(&a)))
		})
	}
}

// shoot plays a scene on a screen of some size and returns what is to be seen.
func (scene *scene) shoot(t *testing.T, job *analyze.Job, w, h int) (text, styles string) {
	s := play(t, job, w, h, scene.opts)
	if scene.held > 0 {
		s.read(scene.held)
	} else {
		s.settled()
	}
	scene.act(s)
	s.loop(func() { text, styles = dump(s.screen) })
	if strings.Contains(styles, "?") {
		t.Errorf("a style that is no role's at %d×%d:\n%s", w, h, styles)
	}
	if len(s.u.pages) > 0 || s.u.home.typing {
		s.press("Esc")
	}
	if err := s.quit("q"); err != nil {
		t.Error(err)
	}
	return text, styles
}
