//go:build linux

package conformance

import (
	"context"
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

// builder is a real one.
type builder interface {
	// Empty forgets all that was built.
	Empty(context.Context) error
	Build(context.Context, lab.Build) (record.Seen, error)
}

// oracle is a kind of builder that predictions are held against.
type oracle struct {
	rules   cascade.Builder
	what    string // in the figures
	figures string // the file of its row
	open    func(l *lab.Lab, name string) (builder, error)
	place   func(*cascade.Node) (record.Place, bool)
	// How many edits of each case are built, and how many verdicts that must
	// come to. A full run has every kind of edit of each case for BuildKit.
	fullTrials, fullVerdicts, sampleTrials, sampleVerdicts int
}

var (
	buildKit = &oracle{
		rules: cascade.BuildKit, what: "BuildKit " + lab.BuildKitVersion, figures: "2-buildkit",
		open:       func(l *lab.Lab, name string) (builder, error) { return l.BuildKit(name) },
		place:      BuildKitPlace,
		fullTrials: 100, fullVerdicts: 8000, sampleTrials: 4, sampleVerdicts: 600,
	}
	classic = &oracle{
		rules: cascade.Classic, what: "Docker Engine 20.10, classic builder", figures: "3-classic",
		open:       func(l *lab.Lab, name string) (builder, error) { return l.Classic(name) },
		place:      chainPlace,
		fullTrials: 20, fullVerdicts: 3000, sampleTrials: 1, sampleVerdicts: 100,
	}
	buildah = &oracle{
		rules: cascade.Buildah, what: "buildah 1.28, --layers", figures: "4-buildah",
		open:       func(l *lab.Lab, name string) (builder, error) { return l.Buildah(name) },
		place:      chainPlace,
		fullTrials: 9, fullVerdicts: 1500, sampleTrials: 1, sampleVerdicts: 100,
	}
)

// TestBuildKit builds, edits, builds again, and compares which steps ran with
// which were predicted to.
func TestBuildKit(t *testing.T) { buildKit.test(t) }

// TestClassic does so with the classic builder.
func TestClassic(t *testing.T) { classic.test(t) }

// TestBuildah does so with buildah.
func TestBuildah(t *testing.T) { buildah.test(t) }

// TestReplay predicts again what real builders did when their builds were
// recorded.
func TestReplay(t *testing.T) {
	for _, o := range []*oracle{buildKit, classic, buildah} {
		t.Run(string(o.rules), o.replay)
	}
}

// chainPlace is a node's place in the output of the classic builder and of
// buildah.
func chainPlace(n *cascade.Node) (record.Place, bool) {
	return record.Place{Stage: n.Label.Stage, Index: n.Label.Index}, n.Label.Index > 0
}

// cases returns what the builder can build.
func (o *oracle) cases(t *testing.T) []*cases.Case {
	t.Helper()
	all, err := cases.All()
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(c *cases.Case) bool { return !c.For(string(o.rules)) })
}

func (o *oracle) history(c *cases.Case, images *record.Images) *History {
	return &History{Case: c, Builder: o.rules, Images: images, Place: o.place}
}

// test builds all that is asked for.
func (o *oracle) test(t *testing.T) {
	full, seed := asked(t)
	started := time.Now()
	l := lab.Open(t)
	r := &run{oracle: o, dir: l.Dir, images: record.Knowing(l.Bases), seed: seed, trials: o.sampleTrials}
	verdicts := o.sampleVerdicts
	if full {
		r.trials, verdicts = o.fullTrials, o.fullVerdicts
		r.record = os.Getenv(recordEnv) == "1"
	}
	// As many builders as tests may run at a time.
	free := make(chan builder, runtime.GOMAXPROCS(0))
	for i := range cap(free) {
		b, err := o.open(l, fmt.Sprintf("%s%d", o.rules, i))
		if err != nil {
			lab.Lacks(t, err)
		}
		free <- b
	}
	all := o.cases(t)
	t.Run("cases", func(t *testing.T) {
		for _, c := range all {
			t.Run(c.Name, func(t *testing.T) {
				t.Parallel()
				b := <-free
				defer func() { free <- b }()
				r.do(t, b, c)
			})
		}
	})
	if r.cases < len(all) {
		verdicts = 0 // only some were asked for
	} else if r.record {
		if err := r.images.Write(records, string(o.rules)); err != nil {
			t.Error(err)
		}
	}
	check(t, &r.tally, verdicts)
	figures(t, o.figures, o.what, r.cases, &r.tally, started)
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
	if p := tally.MayMissPercent(); verdicts > 0 && p >= 10 {
		t.Errorf("%.1f %% of the verdicts are may-misses", p)
	}
}

// run is a run of a builder over cases.
type run struct {
	*oracle
	dir    string
	images *record.Images
	trials int
	seed   uint64
	record bool

	mu    sync.Mutex
	cases int
	tally Tally
}

// do builds a case and its edits.
func (r *run) do(t *testing.T, b builder, c *cases.Case) {
	ctx := t.Context()
	if err := b.Empty(ctx); err != nil {
		t.Fatal(err)
	}
	w, err := NewWorkplace(c, filepath.Join(r.dir, "case-"+c.Name))
	if err != nil {
		t.Fatal(err)
	}
	defer w.Remove()
	h := r.history(c, r.images)
	var built []record.Build
	var sum Tally
	started := time.Now()
	for _, trial := range append([]record.Build{{}}, Sample(w.Trials(), c.Name, r.seed, r.trials)...) {
		dir, err := w.Write(trial)
		if err != nil {
			t.Fatal(err)
		}
		seen, err := b.Build(ctx, lab.Build{Case: c, Dir: dir, Args: trial.Args})
		if ctx.Err() != nil {
			t.Fatal(ctx.Err())
		}
		if trial.Seen = seen; err != nil {
			if trial.Edit == "" {
				t.Fatalf("building it as it is: %v", err)
			}
			trial.Failed, trial.Seen = true, nil
		}
		tally, err := h.Judge(ctx, dir, trial)
		if err != nil {
			t.Fatal(err)
		}
		built = append(built, trial)
		sum.Add(tally)
	}
	t.Logf("%s, %.1f s", &sum, time.Since(started).Seconds())
	if r.record {
		if err := record.Write(records, string(r.rules), c.Name, built); err != nil {
			t.Error(err)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cases++
	r.tally.Add(sum)
}

// replay judges the recorded builds.
func (o *oracle) replay(t *testing.T) {
	started := time.Now()
	images, err := record.ReadImages(records, string(o.rules))
	if err != nil {
		t.Fatal(err)
	}
	var sum Tally
	all := o.cases(t)
	for _, c := range all {
		builds, err := record.Read(records, string(o.rules), c.Name)
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
		h := o.history(c, images)
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
	check(t, &sum, o.fullVerdicts)
	figures(t, "5-replay-"+o.figures, o.what+", recorded", len(all), &sum, started)
}
