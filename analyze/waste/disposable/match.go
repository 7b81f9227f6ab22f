package disposable

import (
	"strings"

	"github.com/layerscope/layerscope/analyze/layer"
	"github.com/layerscope/layerscope/analyze/tree"
	"github.com/layerscope/layerscope/analyze/waste"
)

// Match calls see for each path of the final filesystem that leads to a copy
// and that rules of the caller's match, with the place in rules of the first
// that does, in the order of the paths. There may be 64 rules; of each only
// Paths, Keep, Unless and Env count.
func Match(m waste.Image, rules []*Rule, see func(path tree.Node, rule int)) {
	patterns := matchPatterns(rules, excluded(m.Tree, rules), m.Env)
	newWalk(m.Tree, newMatcher(patterns)).run(func(d *dir, n tree.Node, name string, st tree.State, found []int32) {
		e, _ := m.Tree.Entry(st.Inode)
		if e == nil || e.Type != layer.File || e.Size == 0 {
			return
		}
		if in := d.matching(name, e, found); in != 0 {
			see(n, in.first())
		}
	})
}

// Smaller is the condition that a file has less than so many bytes. It has no
// text.
func Smaller(than int64) *Condition {
	return &Condition{file: func(_ *dir, _ string, e *layer.Entry) bool { return e.Size < than }}
}

// Holding is the condition that a path, without a slash at either end, stands
// below a directory. It has no text.
func Holding(path string) *Condition {
	parts := strings.Split(path, "/")
	return &Condition{dir: func(d *dir) bool { return d.holds(parts) }}
}

// holds reports whether something stands at a path below the directory.
func (d *dir) holds(path []string) bool {
	t, n := d.w.t, d.node
	for _, name := range path {
		c := n + 1
		for c < t.End(n) && t.Name(c) != name {
			c = t.End(c)
		}
		if c >= t.End(n) {
			return false
		}
		n = c
	}
	return d.stands(n)
}
