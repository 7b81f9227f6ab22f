//go:build linux

package conformance

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/layerscope/layerscope/analyze/cascade"
	"github.com/layerscope/layerscope/analyze/cascade/conformance/cases"
	"github.com/layerscope/layerscope/analyze/cascade/conformance/lab"
	"github.com/layerscope/layerscope/analyze/cascade/conformance/record"
)

// chainBuilder is the classic builder or buildah.
type chainBuilder interface {
	// Empty forgets all that was built.
	Empty(context.Context) error
	Build(context.Context, lab.Build) (record.Seen, error)
}

// chain is what there is to say of such a builder.
type chain struct {
	builder cascade.Builder
	what    string // in the figures
	figures string
	open    func(l *lab.Lab, name string) (chainBuilder, error)
	// How many edits of each case are built, and how many verdicts that must
	// come to.
	fullTrials, fullVerdicts, sampleTrials, sampleVerdicts int
}

var (
	classic = chain{
		builder: cascade.Classic, what: "Docker Engine 20.10, classic builder", figures: "4-classic",
		open:       func(l *lab.Lab, name string) (chainBuilder, error) { return l.Classic(name) },
		fullTrials: 14, fullVerdicts: 3000, sampleTrials: 2, sampleVerdicts: 200,
	}
	buildah = chain{
		builder: cascade.Buildah, what: "buildah 1.28, --layers", figures: "5-buildah",
		open:       func(l *lab.Lab, name string) (chainBuilder, error) { return l.Buildah(name) },
		fullTrials: 9, fullVerdicts: 1500, sampleTrials: 1, sampleVerdicts: 100,
	}
)

// TestClassic builds, edits, builds again, and compares which instructions ran
// with which were predicted to.
func TestClassic(t *testing.T) { classic.test(t) }

// TestBuildah does so with buildah.
func TestBuildah(t *testing.T) { buildah.test(t) }

func (c *chain) test(t *testing.T) {
	full, seed := asked(t)
	run := &chainRun{chain: c, trials: c.sampleTrials, seed: seed, record: full && os.Getenv(recordEnv) == "1"}
	verdicts := c.sampleVerdicts
	if full {
		run.trials, verdicts = c.fullTrials, c.fullVerdicts
	}
	started := time.Now()
	l := lab.Open(t)
	run.dir, run.images = l.Dir, record.Knowing(l.Bases)
	todo := c.cases(t)
	queue := make(chan *cases.Case, len(todo))
	for _, k := range todo {
		queue <- k
	}
	close(queue)
	var wait sync.WaitGroup
	for i := range daemons {
		b, err := c.open(l, fmt.Sprintf("%s%d", c.builder, i))
		if err != nil {
			lab.Lacks(t, err)
		}
		wait.Go(func() {
			for k := range queue {
				if err := run.do(t, b, k); err != nil {
					t.Errorf("case %s: %v", k.Name, err)
				}
			}
		})
	}
	wait.Wait()
	if run.record {
		if err := run.images.Write(records, string(c.builder)); err != nil {
			t.Error(err)
		}
	}
	check(t, &run.tally, verdicts)
	figures(t, c.figures, c.what, len(todo), run.tally, started)
}

// cases returns the builder's cases, those first that have most to edit.
func (c *chain) cases(t *testing.T) []*cases.Case {
	t.Helper()
	all, err := cases.All()
	if err != nil {
		t.Fatal(err)
	}
	all = slices.DeleteFunc(all, func(k *cases.Case) bool { return !k.For(string(c.builder)) })
	slices.SortStableFunc(all, func(a, b *cases.Case) int { return len(b.Dockerfile) - len(a.Dockerfile) })
	return all
}

// chainPlace is a node's place in the output of the classic builder and of
// buildah.
func chainPlace(n *cascade.Node) (record.Place, bool) {
	return record.Place{Stage: n.Label.Stage, Index: n.Label.Index}, n.Label.Index > 0
}

// chainRun is a run over cases.
type chainRun struct {
	*chain
	dir    string
	images *record.Images
	trials int
	seed   uint64
	record bool

	mu    sync.Mutex
	tally Tally
}

// do builds a case and its edits.
func (r *chainRun) do(t *testing.T, b chainBuilder, c *cases.Case) error {
	ctx := t.Context()
	if err := b.Empty(ctx); err != nil {
		return err
	}
	w, err := NewWorkplace(c, filepath.Join(r.dir, "case-"+c.Name))
	if err != nil {
		return err
	}
	defer w.Remove()
	h := &History{Case: c, Builder: r.builder, Images: r.images, Place: chainPlace}
	var built []record.Build
	var sum Tally
	started := time.Now()
	for _, trial := range append([]record.Build{{}}, Sample(w.Trials(), c.Name, r.seed, r.trials)...) {
		dir, err := w.Write(trial)
		if err != nil {
			return err
		}
		seen, err := b.Build(ctx, lab.Build{Case: c, Dir: dir, Args: trial.Args})
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if trial.Seen = seen; err != nil {
			trial.Failed, trial.Seen = true, nil
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
	t.Logf("%s: %s, %.1f s", c.Name, &sum, time.Since(started).Seconds())
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tally.Add(sum)
	if r.record {
		return record.Write(records, string(r.builder), c.Name, built)
	}
	return nil
}
