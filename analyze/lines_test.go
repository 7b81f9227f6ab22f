package analyze_test

import (
	"testing"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/analyzetest"
	"github.com/layerscope/layerscope/analyze/dockerfile"
)

// TestBaseByDockerfile checks that a Dockerfile tells where the base ends if
// nothing else does, and all of it are the last steps.
func TestBaseByDockerfile(t *testing.T) {
	m := analyzetest.Image(t, appImage)
	if m.Base.How != "" {
		t.Fatalf("the base is known without a Dockerfile: %s", m.Base.How)
	}
	for _, tt := range []struct {
		name, text string
		want       analyze.Base
		own        int64 // stored by the image's own layers
	}{
		{"all of it", "FROM base:1\nENV C=d\nCOPY c /\n", analyze.Base{How: analyze.BaseDockerfile, Layers: 2, Steps: 3}, 30},
		{"a stage on another", "FROM base:1 AS a\nENV C=d\nFROM a\nCOPY c /\n", analyze.Base{How: analyze.BaseDockerfile, Layers: 2, Steps: 3}, 30},
		{"from nothing", "FROM scratch\nCOPY a /\nCOPY b /\nENV A=b\nENV C=d\nCOPY c /\n", analyze.Base{How: analyze.BaseDockerfile}, 1230},
		{"an instruction without a step", "FROM base:1\nENV C=d\nRUN make\nCOPY c /\n", analyze.Base{}, 1230},
		{"a step without an instruction", "FROM base:1\nENV C=d\n", analyze.Base{}, 1230},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, err := dockerfile.Parse("Dockerfile", []byte(tt.text))
			if err != nil {
				t.Fatal(err)
			}
			with, err := m.WithDockerfile(f, "")
			if err != nil {
				t.Fatal(err)
			}
			if with.Base != tt.want || with.Totals.Own.Stored != tt.own || with.Totals.Base.Stored != 1230-tt.own {
				t.Errorf("the base is %+v and stores %d, the rest %d; want %+v and %d", with.Base, with.Totals.Base.Stored, with.Totals.Own.Stored, tt.want, tt.own)
			}
			for k, l := range with.Layers {
				if l.Base != (k < tt.want.Layers) {
					t.Errorf("layer %d: base is %v", k, l.Base)
				}
			}
			if m.Base.How != "" || m.Layers[0].Base || m.Steps[0].Base {
				t.Error("the image itself was changed")
			}
		})
	}
}
