package tree_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/layerscope/layerscope/analyze/tree"
)

// TestFinder holds a finder to Resolve: every path of an image of links, whole
// and with odd pieces, as of every layer.
func TestFinder(t *testing.T) {
	tr := linked(t)
	paths := []string{"", "/", "..", "nothing", "usr/nothing", "usr/bin/sh/below", "bin/../bin/sh", "//usr//bin/./sh/"}
	for n := range tr.Len() {
		p := tr.Path(tree.Node(n))
		paths = append(paths, p, "/"+p, p+"/", p+"/sh", "usr/../"+p, strings.ReplaceAll(p, "/", "//"))
	}
	found := 0
	for k := -1; k < tr.Layers(); k++ {
		f := tr.Finder(k)
		for _, p := range paths {
			want, wantErr := tr.Resolve(p, k)
			got, err := f.Resolve(p)
			if got != want || kindOfError(err) != kindOfError(wantErr) {
				t.Errorf("as of layer %d, %q is node %d (%v), Resolve says %d (%v)", k, p, got, err, want, wantErr)
			}
			if err == nil {
				found++
			}
		}
		for n := tree.Root + 1; int(n) < tr.Len(); n++ {
			got, ok := f.Child(tr.Parent(n), tr.Name(n))
			if _, stands := tr.StateAt(n, k); ok != stands || ok && got != n {
				t.Errorf("as of layer %d, child %q is node %d, %v; it is %d and stands: %v", k, tr.Path(n), got, ok, n, stands)
			}
		}
	}
	if found < 100 {
		t.Errorf("only %d paths lead anywhere", found)
	}
}

func kindOfError(err error) string {
	if missing, ok := errors.AsType[*tree.MissingError](err); ok {
		return fmt.Sprintf("%v at %s", err, missing.At)
	}
	return fmt.Sprint(err)
}
