//go:build linux

package conformance

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/layerscope/layerscope/analyze/cascade"
	"github.com/layerscope/layerscope/analyze/cascade/conformance/lab"
	"github.com/layerscope/layerscope/analyze/dockerfile"
)

// TestChainLines holds "this line is edited, somehow" against every edit that
// there is a rule for: what stays cached whatever the edit does so after each,
// as long as the file has the same instructions.
func TestChainLines(t *testing.T) {
	bases, err := lab.NewBases()
	if err != nil {
		lab.Lacks(t, err)
	}
	for _, c := range []*oracle{classic, buildah} {
		edits, hits, more := 0, 0, 0
		for _, k := range c.cases(t) {
			w, err := NewWorkplace(k, filepath.Join(t.TempDir(), "case"))
			if err != nil {
				t.Fatal(err)
			}
			h := &History{Case: k, Builder: c.rules, Images: bases}
			before, refusal, err := h.plan(t.Context(), w.plain(), nil)
			if err != nil || refusal != nil {
				t.Fatal(err, refusal)
			}
			lines := map[int]*cascade.Prediction{} // by the instruction that is edited
			for _, trial := range w.Trials() {
				after, ok := editedBuild(t, before, trial.Line, w, trial.Patch.Apply)
				if !ok {
					continue
				}
				edited, err := before.Graph.StepAt(trial.Line)
				if err != nil {
					t.Fatal(err)
				}
				real, err := cascade.Predict(t.Context(), after, []cascade.Build{before}, cascade.Assume{})
				if err != nil {
					t.Fatal(err)
				}
				if lines[edited.Index] == nil {
					if lines[edited.Index], err = cascade.Predict(t.Context(), before, []cascade.Build{before}, cascade.Assume{Steps: []int{edited.Index}}); err != nil {
						t.Fatal(err)
					}
				}
				edits++
				for i, v := range lines[edited.Index].Steps {
					switch is := real.Steps[i].State; {
					case v.State == cascade.Hit && is == cascade.Hit:
						hits++
					case is == cascade.NotBuilt || v.Step.Keyword == "FROM":
					case v.State == cascade.Hit:
						t.Errorf("%s: case %s, edit %s: line %s stays cached, but is %s\n%s", c.rules, k.Name, trial.Edit, v.Step.Lines, is, trial.Patch.Diff(k.Dockerfile))
					case is == cascade.Hit:
						more++
					}
				}
			}
			if err := w.Remove(); err != nil {
				t.Fatal(err)
			}
		}
		t.Logf("%s: %d edits; %d instructions stay cached after any edit and do, %d do that might not have", c.rules, edits, hits, more)
		if edits < 1000 {
			t.Errorf("only %d edits", edits)
		}
	}
}

// editedBuild returns the build of an edit of a line that leaves the instruction
// what it is, and the others as they are; false for another edit.
func editedBuild(t *testing.T, before cascade.Build, line int, w *Workplace, apply func([]byte) ([]byte, error)) (after cascade.Build, ok bool) {
	t.Helper()
	if line == 0 {
		return after, false
	}
	text, err := apply(w.Case.Dockerfile)
	if err != nil {
		t.Fatal(err)
	}
	f, err := dockerfile.Parse("Dockerfile", text)
	if err != nil {
		return after, false
	}
	after = before
	if after.Graph, err = cascade.New(f, before.Graph.Options); err != nil {
		return after, false
	}
	same := slices.EqualFunc(before.Graph.Steps, after.Graph.Steps, func(a, b *cascade.Step) bool {
		return a.Keyword == b.Keyword && (a.Lines.Start == line || a.Original() == b.Original())
	})
	return after, same && after.Check(t.Context()) == nil
}
