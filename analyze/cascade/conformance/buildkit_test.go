//go:build linux

package conformance

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/layerscope/layerscope/analyze/cascade"
	"github.com/layerscope/layerscope/analyze/cascade/conformance/cases"
	"github.com/layerscope/layerscope/analyze/cascade/conformance/lab"
	"github.com/layerscope/layerscope/analyze/cascade/conformance/record"
)

// How many edits of each case are built, and how many verdicts that must come
// to. A full run has every kind of edit of each case.
const (
	fullTrials, fullVerdicts     = 100, 8000
	sampleTrials, sampleVerdicts = 4, 600
)

// TestBuildKit builds, edits, builds again, and compares which steps ran with
// which were predicted to.
func TestBuildKit(t *testing.T) {
	full, seed := asked(t)
	trials, verdicts := sampleTrials, sampleVerdicts
	if full {
		trials, verdicts = fullTrials, fullVerdicts
	}
	started := time.Now()
	l := lab.Open(t)
	all := buildKitCases(t)
	run := &buildKitRun{l: l, images: record.Knowing(l.Bases), trials: trials, seed: seed, record: full && os.Getenv(recordEnv) == "1"}
	// As many daemons as tests may run at a time.
	free := make(chan *lab.BuildKit, runtime.GOMAXPROCS(0))
	for i := range cap(free) {
		b, err := l.BuildKit(fmt.Sprintf("buildkit%d", i))
		if err != nil {
			lab.Lacks(t, err)
		}
		free <- b
	}
	t.Run("cases", func(t *testing.T) {
		for _, c := range all {
			t.Run(c.Name, func(t *testing.T) {
				t.Parallel()
				b := <-free
				defer func() { free <- b }()
				if err := run.do(t, b, c); err != nil {
					t.Fatal(err)
				}
			})
		}
	})
	if run.cases < len(all) {
		verdicts = 0 // only some were asked for
	} else if run.record {
		if err := run.images.Write(records, string(cascade.BuildKit)); err != nil {
			t.Error(err)
		}
	}
	check(t, &run.tally, verdicts)
	figures(t, "2-buildkit", "BuildKit "+lab.BuildKitVersion, run.cases, run.tally, started)
}

// buildKitCases returns the cases that BuildKit builds, those first that have
// most to edit.
func buildKitCases(t *testing.T) []*cases.Case {
	t.Helper()
	all, err := cases.All()
	if err != nil {
		t.Fatal(err)
	}
	all = slices.DeleteFunc(all, func(c *cases.Case) bool { return !c.For(string(cascade.BuildKit)) })
	slices.SortStableFunc(all, func(a, b *cases.Case) int { return len(b.Dockerfile) - len(a.Dockerfile) })
	return all
}

// check fails if predictions were wrong, or too vague, or too few.
func check(t *testing.T, tally *Tally, verdicts int) {
	t.Helper()
	t.Log(tally)
	if tally.Wrong > 0 {
		t.Error(tally.Report())
	}
	if tally.Verdicts < verdicts {
		t.Errorf("%d verdicts, want at least %d", tally.Verdicts, verdicts)
	}
	if p := tally.MayMissPercent(); p >= 10 {
		t.Errorf("%.1f %% of the verdicts are may-misses", p)
	}
}

// buildKitRun is a run over cases.
type buildKitRun struct {
	l      *lab.Lab
	images *record.Images
	trials int
	seed   uint64
	record bool

	mu    sync.Mutex
	cases int
	tally Tally
}

// do builds a case and its edits.
func (r *buildKitRun) do(t *testing.T, b *lab.BuildKit, c *cases.Case) error {
	ctx := t.Context()
	if err := b.Prune(ctx); err != nil {
		return err
	}
	w, err := NewWorkplace(c, filepath.Join(r.l.Dir, "case-"+c.Name))
	if err != nil {
		return err
	}
	defer w.Remove()
	h := &History{Case: c, Builder: cascade.BuildKit, Images: r.images, Place: BuildKitPlace}
	var built []record.Build
	var sum Tally
	started := time.Now()
	for _, trial := range append([]record.Build{{}}, Sample(w.Trials(), c.Name, r.seed, r.trials)...) {
		dir, err := w.Write(trial)
		if err != nil {
			return err
		}
		seen, err := b.Build(ctx, lab.Build{Case: c, Dir: dir, Args: trial.Args})
		if trial.Seen = seen; err != nil {
			trial.Failed, trial.Seen = true, nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if trial.Failed && trial.Edit == "" {
			return fmt.Errorf("building it as it is: %w", err)
		}
		tally, err := h.Judge(ctx, dir, trial)
		if err != nil {
			return err
		}
		built = append(built, trial)
		sum.Add(tally)
	}
	t.Logf("%s, %.1f s", &sum, time.Since(started).Seconds())
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cases++
	r.tally.Add(sum)
	if r.record {
		return record.Write(records, string(cascade.BuildKit), c.Name, built)
	}
	return nil
}
