package disposable

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/layerscope/layerscope/analyze/tree"
)

// TestMatch holds what paths match to the classes of copies that one path leads
// to.
func TestMatch(t *testing.T) {
	var vocabulary []string
	for _, c := range cases {
		vocabulary = append(vocabulary, c.paths()...)
	}
	matched := 0
	for seed := range uint64(200) {
		g := generator{rand.New(rand.NewPCG(seed, 6)), vocabulary}
		m := buildImage(t, g.layers(), g.env())
		want, got := map[tree.Node]string{}, map[tree.Node]string{}
		for _, c := range Find(m).Classes {
			for _, f := range c.Files {
				if m.Tree.LiveRefs(f.Ref) == 1 {
					want[f.Path] = c.Rule.ID
				}
			}
		}
		last := tree.Node(-1)
		Match(m, table(), func(n tree.Node, rule int) {
			if n <= last {
				t.Errorf("seed %d: path %d comes after %d", seed, n, last)
			}
			last = n
			if st, ok := m.Tree.StateAt(n, m.Tree.Layers()-1); !ok || m.Tree.LiveRefs(st.Inode) == 1 {
				got[n] = table()[rule].ID
			}
		})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("seed %d: -found +matched\n%s", seed, diff)
		}
		matched += len(got)
	}
	if matched < 500 {
		t.Errorf("only %d paths matched", matched)
	}
}
