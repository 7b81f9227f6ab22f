package report_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/analyzetest"
	"github.com/layerscope/layerscope/analyze/dockerfile"
	"github.com/layerscope/layerscope/analyze/stages"
	"github.com/layerscope/layerscope/analyze/synth"
	"github.com/layerscope/layerscope/view/report"
	"github.com/layerscope/layerscope/view/text"
)

// stagesOf reports on a Dockerfile all of whose stages have one image.
func stagesOf(t *testing.T, dockerfileText string, img synth.Image) report.Stages {
	t.Helper()
	f, err := dockerfile.Parse("Dockerfile", []byte(dockerfileText))
	if err != nil {
		t.Fatal(err)
	}
	p, err := stages.Read(f, stages.Options{})
	if err != nil {
		t.Fatal(err)
	}
	images := map[int]*analyze.Image{}
	for i := range f.Stages {
		images[i] = analyzetest.ImageWith(t, img, analyze.Options{Packages: true})
	}
	r, err := p.Report(t.Context(), images)
	if err != nil {
		t.Fatal(err)
	}
	return report.Stages{Report: r, Dockerfile: "Dock\x1bfile", Context: "\u202e", Builder: "buildkit", Kept: true}
}

// Nothing of a Dockerfile or an image reaches a terminal as it is, and lines keep
// to the width, however long the names are.
func TestStagesHostile(t *testing.T) {
	long := strings.Repeat("long", 200)
	evil := "/\x1b]0;x\a\u202e\u200b\xff"
	about := stagesOf(t, "FROM a AS s"+long+"\nFROM s"+long+" AS b\nFROM b\nFROM x AS t\nCOPY --from=1 "+evil+" "+long+"/* /\nCOPY --from=0 --exclude=["+evil+" / /\n"+
		"FROM scratch\nCOPY --from=b "+evil+" /\nCOPY --from=t / /\nRUN --mount=from=0,target=/x,source="+evil+" x\n",
		synth.Image{Steps: []synth.Step{{CreatedBy: "x", Layer: synth.Layer{synth.Body("d\x1b[31m"+long+"/f", 5, 1), synth.Body(strings.TrimPrefix(evil, "/"), 6, 1)}}}})
	for _, opts := range []report.TextOptions{{}, {Width: 100}, {Width: 100, ASCII: true, Bytes: true}} {
		var out bytes.Buffer
		if err := report.StagesText(&out, about, opts); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(out.String()) {
			line = strings.TrimSuffix(line, "\n")
			if text.Printable(line) != line {
				t.Errorf("not harmless: %q", line)
			}
			if opts.Width > 0 && text.Width(line) > opts.Width {
				t.Errorf("%d cells: %s", text.Width(line), line)
			}
			if opts.ASCII && strings.IndexFunc(line, func(r rune) bool { return r >= utf8.RuneSelf }) >= 0 {
				t.Errorf("not ASCII: %q", line)
			}
		}
	}
	var out bytes.Buffer
	if err := report.StagesJSON(&out, about, report.Tool{Name: "layerscope", Version: "test"}); err != nil {
		t.Fatal(err)
	}
	if s := out.String(); strings.ContainsAny(s, "\x1b\u202e\u200b") || !json.Valid(out.Bytes()) {
		t.Errorf("%q", s)
	}
}
