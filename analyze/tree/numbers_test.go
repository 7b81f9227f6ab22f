package tree_test

import (
	"archive/tar"
	"testing"

	"github.com/layerscope/layerscope/analyze/tree"
	"github.com/layerscope/layerscope/analyze/tree/naive"
)

func TestNumbers(t *testing.T) {
	file := func(name string) tar.Header { return tar.Header{Name: name, Typeflag: tar.TypeReg, Size: 100} }
	tr := naive.Tree(t, [][]tar.Header{{file("a"), file("b")}, {}, {file("a")}})
	n := tr.NewNumbers()
	want := map[tree.Ref]int32{{Layer: 0, Row: 1}: 7, {Layer: 2, Row: 0}: -3}
	for r, v := range want {
		n.Set(r, v)
	}
	for layer := int32(-1); layer < 4; layer++ {
		for row := int32(-1); row < 3; row++ {
			r := tree.Ref{Layer: layer, Row: row}
			if got := n.Of(r); got != want[r] {
				t.Errorf("%+v has %d, want %d", r, got, want[r])
			}
			if got := (*tree.Numbers)(nil).Of(r); got != 0 {
				t.Errorf("of no numbers %+v has %d", r, got)
			}
		}
	}
}
