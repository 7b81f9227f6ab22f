package tui

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/gdamore/tcell/v2"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/source"
	"github.com/layerscope/layerscope/analyze/synth"
	"github.com/layerscope/layerscope/view/text"
)

// hostileNames are texts that try to be more than text.
var hostileNames = []string{
	"esc\x1b[31mred\x1b[0m",
	"osc\x1b]0;Z\aX",
	"clip\x1b]52;c;ZXZpbA==\x1b\\",
	"bel\a", "back\b\b\bspace", "cr\rover", "new\nline", "tab\tbed",
	"c1\u009b31mx", "del\x7f",
	"[red]tag", "[::b]bold[::-]", "[-]", "[", "]", "[a/é[]", "[\"region\"]x[\"\"]", "[:::http://example.org]link",
	"bidi\u202eevil\u202c", "iso\u2066x\u2069", "zero\u200bwidth", "bom\ufeff", "soft\u00adhyphen",
	"bad\xffutf8\xc3", "\xc3\x28",
	"wide日本語", "comb\u0301ine\u0301", "\u0301lone", "family👩‍👩‍👧", "filler\u3164x",
	strings.Repeat("long", 1024)[:4000],
}

// hostileImage has hostile text wherever an image has text.
func hostileImage() source.Image {
	var l synth.Layer
	for i, n := range hostileNames {
		n = strings.ReplaceAll(n, "/", "∕")
		if len(n) > 250 {
			n = n[:250]
		}
		l = append(l, synth.File(n, "x"), synth.File(fmt.Sprintf("d%02d/", i)+n, strings.Repeat("y", i+1)),
			synth.Symlink(fmt.Sprintf("l%02d", i), hostileNames[i]))
	}
	var second synth.Layer
	for _, n := range hostileNames[:20] {
		second = append(second, synth.Whiteout(strings.ReplaceAll(n, "/", "∕")))
	}
	img := synth.Image{Steps: []synth.Step{{CreatedBy: "COPY . . # buildkit", Layer: l}, {CreatedBy: "RUN rm # buildkit", Layer: second}}}
	for _, n := range hostileNames {
		img.Steps = append(img.Steps, synth.Step{CreatedBy: "RUN |1 A=" + n + " /bin/sh -c echo " + n + " # buildkit", Comment: n, Author: n})
	}
	nasty := strings.Join(hostileNames[:6], "")
	m := memoryImage(img)
	m.d.Reference, m.d.Source, m.d.Name, m.d.Tags = nasty, nasty, nasty, []string{nasty}
	m.d.Platform = v1.Platform{OS: "linux" + nasty, Architecture: nasty}
	return m
}

// memory is an image made in code as a source.
type memory struct {
	d      *source.Description
	layers []synth.Layer
}

// memoryImage opens an image made in code.
func memoryImage(img synth.Image) *memory {
	m := &memory{d: &source.Description{
		Reference: "app.tar", Source: "docker-archive",
		Platform: v1.Platform{OS: "linux", Architecture: "amd64"},
		Config:   &v1.ConfigFile{OS: "linux"},
	}}
	for _, s := range img.Steps {
		m.d.Config.History = append(m.d.Config.History, v1.History{
			CreatedBy: s.CreatedBy, Comment: s.Comment, Author: s.Author, EmptyLayer: s.Layer == nil,
		})
		if s.Layer != nil {
			m.d.Layers = append(m.d.Layers, source.Layer{Key: fmt.Sprint(len(m.layers)), Size: -1})
			m.layers = append(m.layers, s.Layer)
		}
	}
	return m
}

func (m *memory) Description() *source.Description { return m.d }
func (m *memory) Close() error                     { return nil }

func (m *memory) Read(ctx context.Context, req source.Request) (*source.Description, error) {
	for i, l := range m.layers {
		if req.Want != nil && !req.Want(m.d.Layers[i]) {
			continue
		}
		r := l.Open(synth.None)
		err := req.Visit(ctx, source.Blob{Key: m.d.Layers[i].Key, Reader: r})
		r.Close()
		if err != nil {
			return nil, err
		}
	}
	return m.d, nil
}

// witness is a screen that looks at every character it is given, at the title,
// and at the styles of every frame.
type witness struct {
	*simulation
	bad []string
}

func (w *witness) SetContent(x, y int, r rune, comb []rune, style tcell.Style) {
	for _, c := range append([]rune{r}, comb...) {
		if s := text.Printable(string(c)); s != string(c) {
			w.bad = append(w.bad, fmt.Sprintf("%q at %d,%d", c, x, y))
		}
	}
	w.simulation.SetContent(x, y, r, comb, style)
}

func (w *witness) Show() {
	w.simulation.Show()
	cells, width, _ := w.GetContents()
	for i, c := range cells {
		if styleLetter(c.Style) == "?" {
			w.bad = append(w.bad, fmt.Sprintf("style %v at %d,%d", c.Style, i%width, i/width))
		}
	}
}

func (w *witness) SetTitle(s string) { w.bad = append(w.bad, "title "+s) }

// TestHostileImage walks an image whose texts are all hostile through every
// screen.
func TestHostileImage(t *testing.T) {
	sizes := [][2]int{{80, 24}, {120, 40}, {60, 16}}
	if synth.RaceDetector {
		sizes = sizes[:1] // the others have the same races
	}
	for _, size := range sizes {
		t.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(t *testing.T) {
			t.Parallel()
			job := analyze.StartImage(t.Context(), hostileImage(), analyze.Options{})
			w := &witness{simulation: newSimulation(size[0], size[1])}
			s := playOn(t, w, w.simulation, job, Options{Reference: strings.Join(hostileNames, "")})
			s.settled()
			tour(s)
			s.loop(func() {
				for _, bad := range w.bad {
					t.Error(bad)
				}
			})
			for pattern, want := range map[string]string{"31mred": `esc\x1b[31mred`, "[red]": "[red]tag", "zero": `zero\u200bwidth`, "[a": "[a∕é[]"} {
				s.press("/")
				s.typing(pattern)
				s.press("Enter")
				s.want(want)
				s.press("Esc")
			}
		})
	}
}

// tour visits every screen and ends in the files of the first step.
func tour(s *stage) {
	s.press("?", "G", "q", "Enter", "G", "Esc")
	for range 8 {
		s.press("PgDn", "Enter", "G", "q", "w", "q")
	}
	s.press("g", "Tab", "+", "s")
	for range 12 {
		s.press("PgDn", "w", "G", "q")
	}
	s.press("v", "/")
	s.typing("e[\u202e")
	s.press("Enter", "Esc", "g", "v", "Tab", "j", "Tab", "G", "w", "q", "Tab", "g", "Tab", "g", "s", "s")
	s.press("z")
}
