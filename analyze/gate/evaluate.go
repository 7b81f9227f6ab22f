package gate

import (
	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/layer"
	"github.com/layerscope/layerscope/analyze/tree"
	"github.com/layerscope/layerscope/analyze/waste"
)

// Evaluate holds an image, which must be complete, to limits. There is a result
// for each rule, in their order; for dive's only if they count.
func Evaluate(m *analyze.Image, f *analyze.Findings, l *Limits) []Result {
	e := evaluation{m, f, l}
	stored, dead := e.stored(), e.dead()
	results := []Result{
		e.limited(Size, whole(Bytes, stored)),
		e.limited(Dead, whole(Bytes, dead)),
		e.limited(DeadPercent, Number{Unit: Percent, Part: quotient(100*dead, stored, 0)}),
		e.limited(Efficiency, Number{Unit: Share, Part: quotient(stored-dead, stored, 1)}),
		e.limited(Layers, whole(Count, e.layers())),
		e.limited(Disposable, whole(Bytes, e.disposable())),
		e.limited(Duplicates, whole(Bytes, e.duplicates())),
		e.leaks(),
		e.forbidden(),
	}
	if l.Dive {
		d := f.Dive
		results = append(results,
			e.limited(DiveEfficiency, Number{Unit: Share, Part: d.EfficiencyScore}),
			e.limited(DiveWasted, whole(Bytes, d.WastedBytes)),
			e.limited(DiveUserWasted, Number{Unit: Share, Part: d.UserWastedPercent}))
	}
	return results
}

func whole(u Unit, n int64) Number { return Number{Unit: u, Whole: n} }

// quotient returns a / b, or of if b is 0.
func quotient(a, b int64, of float64) float64 {
	if b == 0 {
		return of
	}
	return float64(a) / float64(b)
}

type evaluation struct {
	m *analyze.Image
	f *analyze.Findings
	l *Limits
}

func (e evaluation) limited(r Rule, n Number) Result {
	limit := e.l.Rules[r]
	return Result{Rule: r, Level: limit.of(r, n), Value: n, Limit: limit}
}

// layer tells whether layer k counts.
func (e evaluation) layer(k int) bool { return !e.l.Own || e.m.IsOwn(k) }

// copy tells whether a copy counts.
func (e evaluation) copy(c waste.Copy) bool {
	return e.layer(int(c.Ref.Layer)) && !e.ignored(c.Path)
}

func (e evaluation) ignored(n tree.Node) bool {
	return len(e.l.Ignore) > 0 && e.l.Ignore.Covers(e.m.Tree.Path(n))
}

func (e evaluation) stored() int64 {
	n := int64(0)
	for k, l := range e.m.Layers {
		if e.layer(k) {
			n += l.Stored
		}
	}
	return n
}

func (e evaluation) layers() int64 {
	n := int64(0)
	for k := range e.m.Layers {
		if e.layer(k) {
			n++
		}
	}
	return n
}

func (e evaluation) dead() int64 {
	n := int64(0)
	for _, c := range e.f.Dead.Copies {
		if e.copy(c.Copy) {
			n += c.Bytes
		}
	}
	return n
}

func (e evaluation) disposable() int64 {
	n := int64(0)
	for _, class := range e.f.Disposable.Classes {
		for _, c := range class.Files {
			if e.copy(c.Copy) {
				n += c.Bytes
			}
		}
	}
	return n
}

// duplicates returns the bytes of all copies but the first of each group: of
// those that aren't ignored. A copy of a base's file counts as own.
func (e evaluation) duplicates() int64 {
	n := int64(0)
	for _, g := range e.f.Duplicates.Groups {
		first := true
		for _, c := range g.Copies {
			switch {
			case e.ignored(c.Path):
			case first:
				first = false
			case e.layer(int(c.Ref.Layer)):
				n += c.Bytes
			}
		}
	}
	return n
}

// leaks counts the secrets in dead files and in the history.
func (e evaluation) leaks() Result {
	var found []Found
	for _, s := range e.f.SecretFiles {
		if e.copy(s.Copy) {
			found = append(found, Found{Path: e.m.Tree.Path(s.Path), Step: e.m.Layers[s.Ref.Layer].Step, What: s.Kind})
		}
	}
	for _, v := range e.f.SecretValues {
		if s := e.m.Steps[v.Step]; !e.l.Own || !s.Base {
			found = append(found, Found{Step: v.Step, What: v.Label()})
		}
	}
	r := e.limited(Leaks, whole(Count, int64(len(found))))
	for i := range found {
		found[i].Level = r.Level
	}
	r.Found = found
	return r
}

// forbidden finds the paths that match a glob. Of a directory that does, what
// is below it isn't told.
func (e evaluation) forbidden() Result {
	r := Result{Rule: Forbid, Value: whole(Count, 0)}
	if len(e.l.ForbidFail)+len(e.l.ForbidWarn) == 0 {
		return r
	}
	r.Level = Pass
	t := e.m.Tree
	told := map[tree.Node]bool{}
	for _, level := range []Level{Fail, Warn} {
		globs := e.l.ForbidFail
		if level == Warn {
			globs = e.l.ForbidWarn
		}
		if len(globs) == 0 {
			continue
		}
		below := tree.Root // what is before it was told, or is ignored
		for n := range t.Standing(t.Layers() - 1) {
			if n == tree.Root || n < below {
				continue
			}
			path := t.Path(n)
			if _, ok := e.l.Ignore.Match(path); ok || told[n] {
				below = t.End(n)
				continue
			}
			g, ok := globs.Match(path)
			if !ok {
				continue
			}
			if layer, ok := e.putBy(n); ok {
				below = t.End(n)
				told[n] = true
				r.Found = append(r.Found, Found{Level: level, Path: path, Step: e.stepOf(layer), What: g.Text})
				r.Level = max(r.Level, level)
			}
		}
	}
	r.Value.Whole = int64(len(r.Found))
	return r
}

// noLayer stands for the layer of what is there without an entry.
const noLayer = -1

func (e evaluation) stepOf(layer int) int {
	if layer == noLayer {
		return -1
	}
	return e.m.Layers[layer].Step
}

// putBy returns the layer that put a path of the final filesystem there, false
// if that doesn't count. A directory was put there by what it holds: layers
// name directories that they don't change.
func (e evaluation) putBy(n tree.Node) (int, bool) {
	t := e.m.Tree
	last := t.Layers() - 1
	st, _ := t.StateAt(n, last)
	if t.Type(st.Inode) != layer.Dir {
		return int(st.Entry.Layer), e.layer(int(st.Entry.Layer))
	}
	empty := true
	for c := n + 1; c < t.End(n); c++ {
		st, ok := t.StateAt(c, last)
		if !ok || t.Type(st.Inode) == layer.Dir {
			continue
		}
		empty = false
		if k := int(st.Entry.Layer); e.layer(k) {
			return k, true
		}
	}
	if st.Entry == tree.Implied {
		return noLayer, empty && !e.l.Own // whose it is can't be told
	}
	k := int(st.Entry.Layer)
	return k, empty && e.layer(k)
}
