package disposable

import (
	"math/bits"
	"slices"
	"strings"

	"github.com/layerscope/layerscope/analyze/layer"
	"github.com/layerscope/layerscope/analyze/tree"
)

// ruleSet is a set of rules by their places in the table.
type ruleSet uint64

const maxRules = 64

func (s ruleSet) has(rule int) bool { return s&(1<<rule) != 0 }

// first returns the first rule of a set that isn't empty.
func (s ruleSet) first() int { return bits.TrailingZeros64(uint64(s)) }

// walk goes through the final filesystem, depth first as its nodes are
// numbered, and through the patterns with it.
type walk struct {
	t     *tree.Tree
	final int // the last layer
	m     *matcher
	dirs  []*dir // that the walk is in, the root first; kept to be used again
	depth int
	found []int32
}

// dir is a directory that a walk is in.
type dir struct {
	w    *walk
	up   *dir // nil for the root
	node tree.Node
	place
	in   ruleSet // rules that match all that is below
	kept ruleSet // rules that match nothing of it

	children []tree.Node // what ever stood in it, by name; empty until asked for
}

// visit is called for what stands at n and isn't a directory, if a pattern
// matches. in and kept are the rules of the directories above; found is of the
// name alone.
type visit func(d *dir, n tree.Node, name string, st tree.State, found []int32)

func newWalk(t *tree.Tree, m *matcher) *walk { return &walk{t: t, final: t.Layers() - 1, m: m} }

func (w *walk) run(see visit) {
	end := tree.Node(w.t.Len())
	for n := tree.Root; n < end; {
		for w.depth > 0 && n >= w.t.End(w.top().node) {
			w.depth--
		}
		if w.t.End(n) == n+1 && w.depth > 0 {
			w.leaf(n, see)
			n++
			continue
		}
		st, stands := w.t.StateAt(n, w.final)
		switch {
		case !stands:
			n = w.t.End(n)
		case w.t.Type(st.Inode) == layer.Dir:
			w.enter(n)
			n++
		default: // what was below it doesn't stand
			w.leaf(n, see)
			n = w.t.End(n)
		}
	}
}

func (w *walk) top() *dir { return w.dirs[w.depth-1] }

// leaf looks at a path that nothing stands below.
func (w *walk) leaf(n tree.Node, see visit) {
	d := w.top()
	name := w.t.Name(n)
	w.found = w.m.files(&d.place, name, w.found[:0])
	if len(w.found) == 0 && d.in&^d.kept == 0 {
		return
	}
	if st, ok := w.t.StateAt(n, w.final); ok {
		see(d, n, name, st, w.found)
	}
}

// enter goes down into directory n.
func (w *walk) enter(n tree.Node) {
	if w.depth == len(w.dirs) {
		w.dirs = append(w.dirs, &dir{w: w})
	}
	d := w.dirs[w.depth]
	d.node, d.children = n, d.children[:0]
	w.depth++
	if n == tree.Root {
		d.place = w.m.top
		return
	}
	d.up = w.dirs[w.depth-2]
	d.in, d.kept = d.up.in, d.up.kept
	w.found = w.m.enter(&d.up.place, w.t.Name(n), &d.place, w.found[:0])
	for _, s := range w.found {
		p := w.m.pattern(s)
		switch {
		case p.keep:
			d.kept |= 1 << p.rule
		case p.cond == nil || p.cond.dir(d):
			d.in |= 1 << p.rule
		}
	}
}

// list fills in children.
func (d *dir) list() {
	if len(d.children) > 0 {
		return
	}
	t := d.w.t
	for n := d.node + 1; n < t.End(d.node); n = t.End(n) {
		d.children = append(d.children, n)
	}
}

// has reports whether something of that name stands in the directory.
func (d *dir) has(name string) bool {
	d.list()
	i, ok := slices.BinarySearchFunc(d.children, name, func(n tree.Node, name string) int {
		return strings.Compare(d.w.t.Name(n), name)
	})
	return ok && d.stands(d.children[i])
}

// any reports whether something stands in the directory with a name for which
// is is true.
func (d *dir) any(is func(name string) bool) bool {
	d.list()
	return slices.ContainsFunc(d.children, func(n tree.Node) bool { return is(d.w.t.Name(n)) && d.stands(n) })
}

func (d *dir) stands(n tree.Node) bool {
	_, ok := d.w.t.StateAt(n, d.w.final)
	return ok
}

// excluded returns the rules that something in the image turns off.
func excluded(t *tree.Tree, rules []*Rule) ruleSet {
	var off ruleSet
	m := newMatcher(unlessPatterns(rules))
	newWalk(t, m).run(func(_ *dir, _ tree.Node, _ string, st tree.State, found []int32) {
		if t.Type(st.Inode) == layer.Dir {
			return
		}
		for _, s := range found {
			off |= 1 << m.pattern(s).rule
		}
	})
	return off
}
