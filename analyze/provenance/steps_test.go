package provenance

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/layerscope/layerscope/analyze/dockerfile"
)

// attested returns what BuildKit attests of an image, the image's layers and the
// Dockerfile.
func attested(t *testing.T) (files map[string]string, layers []v1.Hash) {
	t.Helper()
	archive, err := txtar.ParseFile("testdata/attested.txtar")
	if err != nil {
		t.Fatal(err)
	}
	files = map[string]string{}
	for _, f := range archive.Files {
		files[f.Name] = string(f.Data)
	}
	for line := range strings.Lines(files["layers"]) {
		h, err := v1.NewHash(strings.TrimSpace(line))
		if err != nil {
			t.Fatal(err)
		}
		layers = append(layers, h)
	}
	return files, layers
}

// wantLayers are the lines of the instructions that made the layers of the
// attested image, bottom first, read off its Dockerfile: what two stages do
// alike is on the lines of both, and an ONBUILD's on those of FROM.
var wantLayers = []string{
	"3-4", "20 7", "21 8", "22", "23", "24", "25-26", "29-30", "31-32", "33-37", "38", "39", "40-42",
}

func linesOf(layers []Layer) (lines []string, exact bool) {
	exact = true
	for _, l := range layers {
		if l.Step == nil {
			lines = append(lines, "")
			continue
		}
		lines = append(lines, strings.Trim(fmt.Sprint(l.Step.Lines), "[]"))
		exact = exact && l.Exact
	}
	return lines, exact
}

// TestSteps holds what real attestations tell against the Dockerfile and the
// image. Three of the layers are the same empty one.
func TestSteps(t *testing.T) {
	files, layers := attested(t)
	for _, version := range []string{"v0.2", "v1"} {
		t.Run(version, func(t *testing.T) {
			s, err := ParseSteps([]byte(files[version+".json"]))
			if err != nil {
				t.Fatal(err)
			}
			if s.File != "Dockerfile" || string(s.Text) != files["Dockerfile"] {
				t.Errorf("%s has %q", s.File, s.Text)
			}
			lines, exact := linesOf(s.Layers(layers))
			if diff := cmp.Diff(wantLayers, lines); diff != "" || !exact {
				t.Errorf("exact: %v, -want +got\n%s", exact, diff)
			}
			checkLines(t, files["Dockerfile"], s)
			// Of another image, nothing is told.
			for _, other := range [][]v1.Hash{nil, layers[:len(layers)-1], append(layers[:len(layers):len(layers)], digest("1"))} {
				if lines, _ := linesOf(s.Layers(other)); strings.Join(lines, "") != "" {
					t.Errorf("of %d layers: %v", len(other), lines)
				}
			}
			// If the digests are others, the order tells.
			changed := make([]v1.Hash, len(layers))
			for i := range changed {
				changed[i] = digest(fmt.Sprintf("%x", i))
			}
			got := s.Layers(changed)
			if lines, _ := linesOf(got); !cmp.Equal(wantLayers, lines) || got[0].Exact || got[12].Exact {
				t.Errorf("with other digests: %v", lines)
			}
		})
	}
}

// checkLines checks that every step is on the lines of instructions, and that
// every RUN, COPY, ADD and WORKDIR has a step.
func checkLines(t *testing.T, text string, s *Steps) {
	t.Helper()
	f, err := dockerfile.Parse("Dockerfile", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	instructions := map[dockerfile.Range]bool{}
	for _, stage := range f.Stages {
		instructions[stage.From.Lines] = false
		for _, ins := range stage.Instructions {
			switch ins.Keyword {
			case "RUN", "COPY", "ADD", "WORKDIR":
				instructions[ins.Lines] = false
			}
		}
	}
	for _, step := range s.All {
		for _, lines := range step.Lines {
			if _, ok := instructions[lines]; !ok {
				t.Errorf("a step is on the lines %v", lines)
			}
			instructions[lines] = true
		}
	}
	for lines, ok := range instructions {
		if !ok && lines != f.Stages[0].From.Lines { // FROM scratch does nothing
			t.Errorf("no step is on the lines %v", lines)
		}
	}
}

// A provenance without layers, as that of a build into the engine's own store,
// tells them by their order; one of another kind, and a broken one, don't.
func TestLayersUntold(t *testing.T) {
	files, layers := attested(t)
	run := `{"id": "step9", "inputs": ["step0:0"], "op": {"Op": {"exec": {"mounts": [{"dest": "/"}]}}}},`
	for name, tt := range map[string]struct {
		statement string
		layers    int
		want      []string
	}{
		"no layers":        {strings.Replace(files["v1.json"], `"layers":{`, `"other":{`, 1), len(layers), wantLayers},
		"fewer than steps": {strings.Replace(files["v1.json"], `"layers":{`, `"other":{`, 1), len(layers) - 1, nil},
		"more than steps":  {strings.Replace(files["v1.json"], `"layers":{`, `"other":{`, 1), len(layers) + 1, nil},
		"no steps":         {v1Statement("", "", "", ""), 2, nil},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := ParseSteps([]byte(tt.statement))
			if err != nil {
				t.Fatal(err)
			}
			hashes := append(append([]v1.Hash(nil), layers...), digest("1"))[:tt.layers]
			got := s.Layers(hashes)
			lines, exact := linesOf(got)
			if tt.want == nil {
				tt.want = make([]string, tt.layers)
			}
			if diff := cmp.Diff(tt.want, lines); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
			if tt.want[0] != "" && exact {
				t.Error("exact")
			}
		})
	}
	// Layers of the base came with the source, the last one is the RUN's.
	s, err := ParseSteps([]byte(v1Statement("", "", fromAlpine+run+end, "")))
	if err != nil {
		t.Fatal(err)
	}
	got := s.Layers(layers[:3])
	if got[0].Step != &s.All[0] || got[1].Step != &s.All[0] || got[2].Step != &s.All[1] {
		t.Errorf("%+v", got)
	}
}

func FuzzParseSteps(f *testing.F) {
	f.Add([]byte(v1Statement("", "", fromAlpine+`{"id": "step9", "inputs": ["step0:0"], "op": {"Op": {"exec": {"mounts": [{"dest": "/"}]}}}},`+end, `"step9:0": [[{"digest": "SUM1"}]]`)), 1)
	f.Fuzz(func(t *testing.T, statement []byte, n int) {
		s, err := ParseSteps(statement)
		if err != nil {
			return
		}
		layers := make([]v1.Hash, min(max(n, 0), 100))
		if got := s.Layers(layers); len(got) != len(layers) {
			t.Fatalf("%d of %d layers", len(got), len(layers))
		}
	})
}
