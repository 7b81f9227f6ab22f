package cascade

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/layerscope/layerscope/analyze/dockerfile"
	"github.com/layerscope/layerscope/analyze/synth/fixture"
)

// checkImpacts holds the table of all lines against a prediction for each.
func checkImpacts(t *testing.T, g *Graph) {
	t.Helper()
	b := Build{Graph: g}
	impacts, err := Impacts(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	for i, im := range impacts {
		p, err := Predict(t.Context(), b, []Build{b}, Assume{Steps: []int{i}})
		if err != nil {
			t.Fatal(err)
		}
		var want []State
		for _, v := range p.Steps {
			want = append(want, v.State)
			if why := p.Why(v); (v.State == Miss || v.State == MayMiss) != (why != "") {
				t.Errorf("line %s edited: line %s is %s because %q", im.Step.Lines, v.Step.Lines, v.State, why)
			}
		}
		if diff := cmp.Diff(want, im.States); diff != "" {
			t.Errorf("line %s edited, -Predict +Impacts\n%s", im.Step.Lines, diff)
		}
		if im.Counts != p.Counts() {
			t.Errorf("line %s edited: %+v and %+v", im.Step.Lines, im.Counts, p.Counts())
		}
	}
}

func TestImpacts(t *testing.T) {
	checkImpacts(t, graph(t, app, Options{}))
}

// TestRealDockerfiles makes the graphs of other projects' Dockerfiles, in which
// nothing changes unless something does, and whose table of lines is what each
// line's prediction is.
func TestRealDockerfiles(t *testing.T) {
	// The fewest that a builder must take.
	for builder, least := range map[Builder]int{BuildKit: 1000, Classic: 900, Buildah: 900} {
		t.Run(string(builder), func(t *testing.T) { checkReal(t, builder, least) })
	}
}

func checkReal(t *testing.T, builder Builder, least int) {
	t.Helper()
	made, refused := 0, 0
	for i, d := range fixture.Dockerfiles(t) {
		if !d.OK {
			continue
		}
		f, err := dockerfile.Read(d.Path)
		if err != nil {
			t.Errorf("%s: %v", d.Name, err)
			continue
		}
		g, err := New(f, Options{Builder: builder})
		if err != nil {
			if e, ok := errors.AsType[*Error](err); !ok || e.Line == 0 {
				t.Errorf("%s: %v", d.Name, err)
			}
			refused++
			continue
		}
		made++
		b := Build{Graph: g}
		p, err := Predict(t.Context(), b, []Build{b}, Assume{})
		if err != nil {
			t.Fatal(err)
		}
		if c := p.Counts(); c.Misses+c.MayMisses > 0 {
			t.Errorf("%s: nothing changed, but %+v", d.Name, c)
		}
		if i%10 == 0 && len(g.Steps) < 100 {
			checkImpacts(t, g)
		} else if _, err := Impacts(t.Context(), b); err != nil {
			t.Error(err)
		}
	}
	t.Logf("%d graphs, %d refused", made, refused)
	if made < least {
		t.Errorf("only %d graphs", made)
	}
}
