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
	"github.com/layerscope/layerscope/analyze/cascade/conformance/compare"
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
	// As many builders as tests may run at a time, which is what they keep busy.
	free := make(chan builder, min(runtime.GOMAXPROCS(0), 4))
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

	shrunk sync.Once

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
	var built, wrong []record.Build
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
		if tally.Wrong > 0 {
			wrong = append(wrong, trial)
		}
		sum.Add(tally)
	}
	if len(wrong) > 0 {
		r.shrunk.Do(func() { r.shrink(t, b, c, wrong[0]) })
	}
	t.Logf("%s, %.1f s", &sum, time.Since(started).Seconds())
	if r.record {
		if err := record.Write(records, string(r.rules), c.Name, built); err != nil {
			t.Error(err)
		}
	}
	r.count(sum)
}

// shrink builds what was predicted wrongly again, with less and less of the
// Dockerfile, and shows what is left of it. (What hangs on more than the build
// before it is shown by the report alone.)
func (r *run) shrink(t *testing.T, b builder, c *cases.Case, trial record.Build) {
	after, err := trial.Patch.Apply(c.Dockerfile)
	if err != nil {
		t.Fatal(err)
	}
	var last Tally
	tries := 0
	still := func(x, y []byte) bool {
		less := *c
		less.Dockerfile = x
		tries++
		tally, err := r.two(t.Context(), b, &less, filepath.Join(r.dir, fmt.Sprintf("less-%d", tries)),
			record.Build{Edit: trial.Edit, Line: trial.Line, Path: trial.Path, Args: trial.Args, Patch: record.NewPatch(x, y)})
		if err != nil || tally.Wrong == 0 {
			return false
		}
		last = tally
		return true
	}
	if !still(c.Dockerfile, after) {
		return
	}
	x, _ := compare.Shrink(c.Dockerfile, after, still)
	t.Errorf("the smallest Dockerfile that is predicted wrongly:\n%s\n%s", x, last.Report())
}

// two builds a case and then an edit of it, with an empty cache.
func (r *run) two(ctx context.Context, b builder, c *cases.Case, dir string, trial record.Build) (Tally, error) {
	w, err := NewWorkplace(c, dir)
	if err != nil {
		return Tally{}, err
	}
	defer w.Remove()
	if err := b.Empty(ctx); err != nil {
		return Tally{}, err
	}
	h := r.history(c, r.images)
	var sum Tally
	for _, trial := range []record.Build{{}, trial} {
		dir, err := w.Write(trial)
		if err != nil {
			return sum, err
		}
		if trial.Seen, err = b.Build(ctx, lab.Build{Case: c, Dir: dir, Args: trial.Args}); err != nil {
			return sum, err
		}
		tally, err := h.Judge(ctx, dir, trial)
		if err != nil {
			return sum, err
		}
		sum.Add(tally)
	}
	return sum, nil
}

// replay judges the recorded builds.
func (o *oracle) replay(t *testing.T) {
	started := time.Now()
	images, err := record.ReadImages(records, string(o.rules))
	if err != nil {
		t.Fatal(err)
	}
	all := o.cases(t)
	r := &run{oracle: o, images: images}
	t.Run("cases", func(t *testing.T) {
		for _, c := range all {
			t.Run(c.Name, func(t *testing.T) {
				t.Parallel()
				r.again(t, c)
			})
		}
	})
	verdicts := o.fullVerdicts
	if r.cases < len(all) {
		verdicts = 0 // only some were asked for
	}
	check(t, &r.tally, verdicts)
	figures(t, "5-replay-"+o.figures, o.what+", recorded", r.cases, &r.tally, started)
}

// again judges the recorded builds of a case.
func (r *run) again(t *testing.T, c *cases.Case) {
	builds, err := record.Read(records, string(r.rules), c.Name)
	if err != nil {
		t.Fatal(err)
	}
	if len(builds) == 0 {
		t.Fatal("nothing is recorded: run make conformance")
	}
	w, err := NewWorkplace(c, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	h := r.history(c, r.images)
	var sum Tally
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
	r.count(sum)
}

// count adds what came of a case.
func (r *run) count(sum Tally) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cases++
	r.tally.Add(sum)
}
