//go:build linux

package conformance

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/layerscope/layerscope/analyze/cascade"
	"github.com/layerscope/layerscope/analyze/cascade/conformance/record"
)

// TestReplay predicts again what real builders did when their builds were
// recorded.
func TestReplay(t *testing.T) {
	started := time.Now()
	images, err := record.ReadImages(records, string(cascade.BuildKit))
	if err != nil {
		t.Fatal(err)
	}
	var sum Tally
	all := buildKitCases(t)
	for _, c := range all {
		builds, err := record.Read(records, string(cascade.BuildKit), c.Name)
		if err != nil {
			t.Fatal(err)
		}
		if len(builds) == 0 {
			t.Errorf("nothing is recorded of case %s: run make conformance", c.Name)
		}
		w, err := NewWorkplace(c, filepath.Join(t.TempDir(), "case"))
		if err != nil {
			t.Fatal(err)
		}
		h := &History{Case: c, Builder: cascade.BuildKit, Images: images, Place: BuildKitPlace}
		for _, b := range builds {
			dir, err := w.Write(b)
			if err != nil {
				t.Fatal(err)
			}
			tally, err := h.Judge(t.Context(), dir, b)
			if err != nil {
				t.Fatal(err)
			}
			sum.Add(tally)
		}
		if err := w.Remove(); err != nil {
			t.Fatal(err)
		}
	}
	check(t, &sum, fullVerdicts)
	figures(t, "3-replay", "BuildKit, recorded", len(all), sum, started)
}
