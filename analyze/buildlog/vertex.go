package buildlog

import (
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

// vertex is one event: a vertex as it is at a time. What isn't said is zero.
type vertex struct {
	digest, name, err  string
	inputs             int
	cached             bool
	started, completed time.Time
}

// maxIntervals bounds how often a vertex may be worked on.
const maxIntervals = 1 << 12

// node is a vertex as all events of a build tell it.
type node struct {
	digest, name, err string
	// intervals are when it was worked on, by their starts; no end is open.
	intervals map[int64]int64
	cached    bool
	ran       bool // it has inputs and ended without having been cached before
	over      bool // more intervals than are kept
}

const open = -1 << 63

// graph is the vertices of one build.
type graph struct {
	byDigest map[string]*node
	order    []*node
	stepped  bool // there was one of a Dockerfile's instructions
}

// event takes an event in.
func (g *graph) event(rec *record, v *vertex) error {
	if v.digest == "" {
		return nil
	}
	n := g.byDigest[v.digest]
	if n == nil {
		n = &node{digest: short(v.digest, maxErr), name: short(v.name, maxStepText), intervals: map[int64]int64{}}
		if err := rec.take(len(n.digest) + len(n.name)); err != nil {
			return err
		}
		if g.byDigest == nil {
			g.byDigest = map[string]*node{}
		}
		g.byDigest[v.digest] = n
		g.order = append(g.order, n)
		if _, ok := ParseName(n.name); ok {
			g.stepped = true
		}
	}
	return n.event(rec, v)
}

// event takes an event of the vertex in. Every event that says cached decides,
// even if a later one says that work was done: what was found in the cache may
// have to be fetched or merged after all (BuildKit's util/progress/controller),
// which isn't the step. Unless the step itself ran before: then another target of
// the same build found it.
func (n *node) event(rec *record, v *vertex) error {
	if v.err != "" && n.err == "" {
		n.err = short(v.err, maxErr)
		if err := rec.take(len(n.err)); err != nil {
			return err
		}
	}
	switch {
	case v.cached:
		n.cached = !n.ran
		return nil
	case v.started.IsZero():
		return nil
	}
	end := int64(open)
	if !v.completed.IsZero() {
		end = v.completed.UnixNano()
		n.ran = n.ran || v.inputs > 0 && !n.cached
		if v.err == "" {
			n.err = "" // it was tried again
		}
	}
	start := v.started.UnixNano()
	if _, ok := n.intervals[start]; !ok {
		if len(n.intervals) == maxIntervals {
			n.over = true
			return nil
		}
		if err := rec.take(0); err != nil {
			return err
		}
	}
	n.intervals[start] = end
	return nil
}

// duration returns how long the vertex was worked on, if all its intervals have
// ends: what they cover, counted once where they overlap.
func (n *node) duration() (sum time.Duration, ok bool) {
	if len(n.intervals) == 0 || n.over {
		return 0, false
	}
	var to int64 = open
	for _, start := range slices.Sorted(maps.Keys(n.intervals)) {
		end := n.intervals[start]
		if end < start { // open, or the clock was set back
			return 0, false
		}
		if from := max(start, to); end > from {
			sum += time.Duration(end - from)
			to = end
		}
	}
	return sum, true
}

// flush adds the build to what is known, and begins another.
func (g *graph) flush(rec *record) {
	steps := make([]Step, 0, len(g.order))
	for _, n := range g.order {
		s := Step{Name: n.name, Digest: n.digest, Cached: n.cached && n.err == "", Failed: n.err != "", Err: n.err}
		s.Position, _ = ParseName(n.name)
		d, ended := n.duration()
		if ended && !s.Cached && !s.Failed {
			s.Duration, s.Timed = d, true
		}
		for start, end := range n.intervals {
			rec.span(time.Unix(0, start).UTC())
			if end != open {
				rec.span(time.Unix(0, end).UTC())
			}
		}
		if !ended && len(n.intervals) > 0 {
			rec.log.Truncated = true
		}
		steps = append(steps, s)
	}
	rec.add(steps)
	*g = graph{}
}

// begins tells whether an event is the first of another build: it loads the
// Dockerfile again, after steps. It is a vertex of its own in every build.
func (g *graph) begins(v *vertex) bool {
	if !g.stepped || g.byDigest[v.digest] != nil || !strings.Contains(v.name, "internal] load build definition from ") {
		return false
	}
	return slices.ContainsFunc(g.order, func(n *node) bool { return n.name == v.name })
}

// inRange tells whether a time is one that a build can have, and that fits an
// int64 of nanoseconds.
func inRange(t time.Time) bool { return t.Year() >= 1970 && t.Year() < 2200 }

// began returns when the first vertex was begun, in nanoseconds since 1970.
func (g *graph) began() int64 {
	first := int64(math.MaxInt64)
	for _, n := range g.order {
		for start := range n.intervals {
			first = min(first, start)
		}
	}
	return first
}
