// Package conformance holds the cascade's predictions against BuildKit's own
// frontend and against real builders. The common call is [History.Judge].
//
//	make conformance         # all of it
//	make conformance-sample  # some, by chance
package conformance

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/layerscope/layerscope/analyze/buildcontext"
	"github.com/layerscope/layerscope/analyze/cascade"
	"github.com/layerscope/layerscope/analyze/cascade/conformance/cases"
	"github.com/layerscope/layerscope/analyze/cascade/conformance/record"
	"github.com/layerscope/layerscope/analyze/dockerfile"
)

// History is what a builder has built of a case, one build after the other,
// with one cache that was empty before.
type History struct {
	Case    *cases.Case
	Builder cascade.Builder
	Images  cascade.Images
	// Place is a node's place in the builder's output; false if it has none
	// that counts, as a FROM.
	Place func(*cascade.Node) (record.Place, bool)

	done []cascade.Build
	// failed are builds that failed at a command. What they had done by then is
	// in the cache: of verdicts that hang on that nothing is known.
	failed []cascade.Build
	trees  map[string]*buildcontext.Tree // by folder
}

// BuildKitPlace is a node's place in BuildKit's output.
func BuildKitPlace(n *cascade.Node) (record.Place, bool) {
	switch n.Kind {
	case cascade.KindExec, cascade.KindCopy, cascade.KindMkdir, cascade.KindMerge, cascade.KindUnknown:
		return record.Place{Stage: n.Label.Stage, Index: n.Label.Index, Total: n.Label.Total, Link: n.Kind == cascade.KindMerge}, n.Label.Index > 0
	}
	return record.Place{}, false
}

// Tally counts builds and verdicts.
type Tally struct {
	Builds  int // that were held against predictions, the first of each case left out
	Failed  int // that the builder refused, or that a command failed in
	Refused int // of those, how many we refuse too

	Verdicts  int // on steps of which it was seen what became of them
	Wrong     int // a hit that ran, a miss that was cached, a step that isn't there
	Misses    int
	Hits      int
	MayMisses int
	Frontier  int // may-misses that sit on content that was built again
	Settled   int // may-misses that come to what was seen once content is known
	Unclear   int // steps left out, for they hang on what a failed build did

	Disagreements []Disagreement
}

// Add adds another count.
func (t *Tally) Add(o Tally) {
	t.Builds += o.Builds
	t.Failed += o.Failed
	t.Refused += o.Refused
	t.Verdicts += o.Verdicts
	t.Wrong += o.Wrong
	t.Misses += o.Misses
	t.Hits += o.Hits
	t.MayMisses += o.MayMisses
	t.Frontier += o.Frontier
	t.Settled += o.Settled
	t.Unclear += o.Unclear
	t.Disagreements = append(t.Disagreements, o.Disagreements...)
}

// MayMissPercent is how many of a hundred verdicts are may-misses.
func (t *Tally) MayMissPercent() float64 {
	return 100 * float64(t.MayMisses) / float64(max(1, t.Verdicts))
}

// String says it in a line.
func (t *Tally) String() string {
	return fmt.Sprintf("%d builds (%d more failed, %d of them foreseen), %d verdicts: %d wrong, %d hit, %d miss, %d may-miss (%.1f %%; %d at their content, %d settled), %d unclear",
		t.Builds, t.Failed, t.Refused, t.Verdicts, t.Wrong, t.Hits, t.Misses, t.MayMisses, t.MayMissPercent(), t.Frontier, t.Settled, t.Unclear)
}

// Disagreement is where a prediction and a builder differ.
type Disagreement struct {
	Case, Edit string
	Line       int
	Path       string
	Diff       string // of the Dockerfile
	Args       map[string]string
	Size       int    // of the Dockerfile, in bytes: the smallest is shown first
	Step       string // the place and what stands there
	Predicted  string
	Observed   string
}

// String shows it over several lines.
func (d *Disagreement) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "case %s, edit %s", d.Case, d.Edit)
	if d.Line > 0 {
		fmt.Fprintf(&b, " of line %d", d.Line)
	}
	if d.Path != "" {
		fmt.Fprintf(&b, " of %s in the context", d.Path)
	}
	if d.Args != nil {
		fmt.Fprintf(&b, " with %v", d.Args)
	}
	fmt.Fprintf(&b, "\n%s%s\n  predicted: %s\n  observed:  %s", d.Diff, d.Step, d.Predicted, d.Observed)
	return b.String()
}

// Report lists disagreements, the smallest first, one of each kind of edit of a
// case in full.
func (t *Tally) Report() string {
	all := slices.Clone(t.Disagreements)
	slices.SortStableFunc(all, func(a, b Disagreement) int { return a.Size + len(a.Diff) - b.Size - len(b.Diff) })
	count := map[string]int{}
	for _, d := range all {
		count[d.Case+" "+d.Edit]++
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d disagreements, by case and kind of edit: %v\n", len(all), count)
	shown := map[string]bool{}
	for _, d := range all {
		if kind := d.Case + " " + d.Edit; !shown[kind] && len(shown) < 40 {
			shown[kind] = true
			fmt.Fprintf(&b, "\n%s\n", d.String())
		}
	}
	return b.String()
}

// Judge holds a build of what [Workplace.Write] wrote to dir against its prediction,
// and counts it to what has been built.
func (h *History) Judge(ctx context.Context, dir string, b record.Build) (Tally, error) {
	j := &judged{History: h, record: b}
	build, refusal, err := h.plan(ctx, dir, b.Args)
	if err != nil {
		return j.Tally, fmt.Errorf("case %s, edit %s: %w", h.Case.Name, b.Edit, err)
	}
	switch {
	case b.Failed && build.Graph == nil:
		j.Failed, j.Refused = 1, 1
	case b.Failed:
		j.Failed = 1
		if refusal != nil {
			j.Refused = 1
		}
		h.failed = append(h.failed, build)
	case refusal != nil:
		j.Builds = 1
		j.disagree("the build", "is refused: "+refusal.Error(), "it was built")
		if build.Graph != nil {
			h.done = append(h.done, build)
		}
	case len(h.done) == 0: // all of it runs, which nobody doubts
		h.done = append(h.done, build)
	default:
		j.Builds = 1
		err = j.verdicts(ctx, build)
		h.done = append(h.done, build)
	}
	return j.Tally, err
}

// plan returns the build of a Dockerfile. A refusal is why the builder wouldn't
// build it; there may be no graph then.
func (h *History) plan(ctx context.Context, dir string, args map[string]string) (b cascade.Build, refusal, err error) {
	c := h.Case
	if args == nil {
		args = c.Args
	}
	b.Contexts = map[string]*buildcontext.Tree{}
	contexts := map[string]string{}
	for name, what := range c.Contexts {
		contexts[name] = what
		if path := c.ContextPath(dir, name); path != "" {
			contexts[name] = path
			if b.Contexts[name], err = h.tree(ctx, path, buildcontext.Options{}); err != nil {
				return b, nil, err
			}
		}
	}
	if c.Inside {
		b.Dockerfile = "Dockerfile"
	}
	opt := buildcontext.Options{Dockerfile: c.DockerfilePath(dir)}
	if h.Builder == cascade.Classic {
		opt = buildcontext.Options{}
	}
	if b.Contexts[""], err = h.tree(ctx, c.ContextPath(dir, ""), opt); err != nil {
		return b, err, nil
	}
	f, err := dockerfile.Read(c.DockerfilePath(dir))
	if err != nil {
		return b, err, nil
	}
	b.Graph, err = cascade.New(f, cascade.Options{Builder: h.Builder, Target: c.Target, Platform: c.Platform,
		Args: maps.Clone(args), Contexts: contexts, Images: h.Images})
	if err != nil {
		b.Graph = nil
		return b, err, nil
	}
	err = b.Check(ctx)
	if failure, ok := errors.AsType[*cascade.Failure](err); ok {
		return b, failure, nil
	}
	return b, nil, err
}

// tree reads a context, each folder once.
func (h *History) tree(ctx context.Context, dir string, opt buildcontext.Options) (*buildcontext.Tree, error) {
	if t, ok := h.trees[dir]; ok {
		return t, nil
	}
	t, err := buildcontext.Read(ctx, dir, opt)
	if err != nil {
		return nil, err
	}
	if h.trees == nil {
		h.trees = map[string]*buildcontext.Tree{}
	}
	h.trees[dir] = t
	return t, nil
}

// judged is a build that is being held against its prediction.
type judged struct {
	*History
	Tally
	record record.Build
}

func (j *judged) disagree(step, predicted, observed string) {
	j.Wrong++
	j.Disagreements = append(j.Disagreements, Disagreement{
		Case: j.Case.Name, Edit: j.record.Edit, Line: j.record.Line, Path: j.record.Path, Args: j.record.Args,
		Diff: j.record.Patch.Diff(j.Case.Dockerfile), Size: len(j.Case.Dockerfile), Step: step, Predicted: predicted, Observed: observed,
	})
}

// verdicts compares what was predicted of each step with what was seen.
func (j *judged) verdicts(ctx context.Context, after cascade.Build) error {
	p, err := cascade.Predict(ctx, after, j.done, cascade.Assume{})
	if err != nil {
		return err
	}
	perhaps := p // with what failed builds may have done
	if len(j.failed) > 0 {
		if perhaps, err = cascade.Predict(ctx, after, slices.Concat(j.done, j.failed), cascade.Assume{}); err != nil {
			return err
		}
	}
	settled, err := cascade.Predict(ctx, after, j.done, cascade.Assume{Content: j.content})
	if err != nil {
		return err
	}
	places := map[record.Place]bool{}
	for _, n := range after.Graph.Nodes {
		place, ok := j.Place(n)
		if !ok {
			continue
		}
		places[place] = true
		seen, ok := j.record.Seen[place]
		switch state := p.Nodes[n.ID].State; {
		case !ok:
			if !j.hasTwin(after.Graph, n) {
				j.disagree(name(after.Graph, n, place), "is there", "it isn't")
			}
		case seen == record.Skipped:
		case state != perhaps.Nodes[n.ID].State:
			j.Unclear++
		default:
			j.verdict(after.Graph, n, place, p.Nodes[n.ID], settled.Nodes[n.ID].State, seen)
		}
	}
	for place := range j.record.Seen {
		if !places[place] {
			j.disagree(place.String(), "isn't there", "it is")
		}
	}
	return nil
}

// content tells, of content that was built again, what became of the step that
// reads it: if it was cached, then the content is the same.
func (j *judged) content(n *cascade.Node, _ *cascade.Edge) (same, known bool) {
	if place, ok := j.Place(n); ok {
		switch j.record.Seen[place] {
		case record.Cached:
			return true, true
		case record.Ran:
			return false, true
		}
	}
	return false, false
}

// hasTwin tells whether another node is the same to the builder, and was seen:
// of two that are one, it names one.
func (j *judged) hasTwin(g *cascade.Graph, n *cascade.Node) bool {
	for _, o := range g.Nodes {
		if place, ok := j.Place(o); ok && o != n && o.Kind == n.Kind && slices.EqualFunc(o.Parts, n.Parts, func(a, b cascade.Part) bool {
			return a.Name == b.Name && a.Value == b.Value
		}) {
			if _, seen := j.record.Seen[place]; seen {
				return true
			}
		}
	}
	return false
}

// verdict compares what was predicted of a step with what was seen.
func (j *judged) verdict(g *cascade.Graph, n *cascade.Node, place record.Place, o cascade.Outcome, settled cascade.State, seen record.Outcome) {
	j.Verdicts++
	want := cascade.Hit
	if seen == record.Ran {
		want = cascade.Miss
	}
	why := ""
	if o.Cause != nil {
		why = fmt.Sprintf(" (%s, %+v)", o.Cause.Kind, *o.Cause)
	}
	switch o.State {
	case cascade.Hit:
		j.Hits++
	case cascade.Miss:
		j.Misses++
	case cascade.MayMiss:
		j.MayMisses++
		if len(o.Frontier) > 0 {
			j.Frontier++
		}
		if settled == want {
			j.Settled++
			return
		}
		j.disagree(name(g, n, place), fmt.Sprintf("may-miss%s, %s once content is known", why, settled), want.String())
		return
	}
	if o.State != want {
		j.disagree(name(g, n, place), o.State.String()+why, want.String())
	}
}

// name says where a step is and what stands there.
func name(g *cascade.Graph, n *cascade.Node, p record.Place) string {
	return p.String() + " " + g.Steps[n.Step].Text
}
