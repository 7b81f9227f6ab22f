package tree_test

import (
	"archive/tar"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/layerscope/layerscope/analyze/layer"
	"github.com/layerscope/layerscope/analyze/tree"
	"github.com/layerscope/layerscope/analyze/tree/naive"
)

// This file holds the tree against a second model that is as simple as can be.

// asNaive returns a view of the image as a naive filesystem.
func asNaive(v *tree.View) naive.FS {
	fs := naive.FS{}
	t := v.Tree()
	for i := range v.Len() {
		it := v.At(i)
		o := naive.Object{Dir: it.Type == layer.Dir, Reg: it.Type == layer.File, ID: "implied", Size: it.Size, Mode: 0o755}
		if r := it.State.Inode; r != tree.Implied {
			e, _ := t.Entry(r)
			o.ID, o.Mode = naive.ID(int(r.Layer), int(r.Row)), int64(e.Mode)
			if o.Reg {
				o.Fill = byte(e.UID)
			}
		}
		fs[t.Path(it.Node)] = o
	}
	return fs
}

func TestAgainstNaiveModel(t *testing.T) {
	for seed := range uint64(800) {
		r := rand.New(rand.NewPCG(seed, 1))
		layers := naive.RandomLayers(r, 5)
		if !checkAgainstNaive(t, layers) {
			t.Fatalf("seed %d:\n%s", seed, naive.Describe(layers))
		}
	}
}

// checkAgainstNaive compares every view and every sum.
func checkAgainstNaive(t *testing.T, layers [][]tar.Header) bool {
	t.Helper()
	tr := naive.Tree(t, layers)
	fs := naive.New()
	ok := true
	dangling := 0
	var history []naive.FS
	for k, l := range layers {
		before := fs.Clone()
		history = append(history, before)
		dangling += naiveDangling(before, l)
		fs.Apply(k, l)
		if diff := cmp.Diff(fs, asNaive(tr.At(k))); diff != "" {
			t.Errorf("the image up to layer %d (-naive +tree):\n%s", k, diff)
			ok = false
		}
		if diff := cmp.Diff(naiveChanges(before, fs, l), changes(tr.Changes(k))); diff != "" {
			t.Errorf("the changes of layer %d (-naive +tree):\n%s", k, diff)
			ok = false
		}
	}
	if diff := cmp.Diff(naiveSums(fs, layers), treeSums(tr)); diff != "" {
		t.Errorf("sums (-naive +tree):\n%s", diff)
		ok = false
	}
	for n := range tree.Node(tr.Len()) {
		p := tr.Path(n)
		if want, got := naiveSince(append(history, fs), p), tr.Since(n); got != want {
			t.Errorf("%q is as it is since layer %d, want %d", p, got, want)
			ok = false
		}
	}
	if got := tr.DanglingWhiteouts(); got != dangling {
		t.Errorf("%d dangling whiteouts, want %d", got, dangling)
		ok = false
	}
	live := int64(0)
	for k := range layers {
		live += tr.Sums(k).Live
	}
	if total := tr.Final().At(0).Total; total != live {
		t.Errorf("the root's total is %d, live bytes are %d", total, live)
		ok = false
	}
	return ok && wellFormed(t, tr.Final()) && wellFormed(t, tr.Changes(len(layers)-1))
}

// naiveSince returns the layer that brought what stands at p at last, -1 if that
// is no file. The history is of the filesystems before each layer and at last.
func naiveSince(history []naive.FS, p string) int {
	k := len(history) - 1
	now := history[k][p]
	if !now.Reg {
		return -1
	}
	for k > 0 {
		if was := history[k-1][p]; !was.Reg || was.Size != now.Size || now.Size > 0 && was.Fill != now.Fill {
			break
		}
		k--
	}
	return k - 1
}

// naiveDangling counts the whiteouts of a layer that delete nothing.
func naiveDangling(before naive.FS, members []tar.Header) int {
	n := 0
	for _, m := range members {
		if target, opaque, ok := naive.WhiteoutOf(m.Name); ok && !opaque {
			if _, ok := before[target]; !ok {
				n++
			}
		}
	}
	return n
}

// naiveChanges compares two filesystems path by path.
func naiveChanges(before, after naive.FS, members []tar.Header) map[string]string {
	touched := map[string]bool{}
	for _, m := range members {
		if _, _, whiteout := naive.WhiteoutOf(m.Name); !whiteout {
			touched[naive.Clean(m.Name)] = true
		}
	}
	c := map[string]string{}
	for p, o := range after {
		old, was := before[p]
		switch {
		case !was:
			c[p] = "+"
		case old.Dir && o.Dir:
			if old.Mode != o.Mode {
				c[p] = "~"
			}
		case old != o || touched[p]:
			c[p] = "~"
		}
	}
	for p := range before {
		if _, is := after[p]; !is {
			c[p] = "-"
		}
	}
	return c
}

func changes(v *tree.View) map[string]string {
	c := map[string]string{}
	for i := range v.Len() {
		if it := v.At(i); it.Change != tree.Unchanged {
			c[v.Tree().Path(it.Node)] = it.Change.Mark()
		}
	}
	return c
}

func naiveSums(fs naive.FS, layers [][]tar.Header) []tree.Sums {
	live := map[string]bool{}
	for _, o := range fs {
		live[o.ID] = true
	}
	sums := make([]tree.Sums, len(layers))
	for k, l := range layers {
		for row, m := range l {
			if !naive.IsCopy(m) {
				continue
			}
			sums[k].Stored += m.Size
			if live[naive.ID(k, row)] {
				sums[k].Live += m.Size
			} else {
				sums[k].Dead += m.Size
			}
		}
	}
	return sums
}

func treeSums(t *tree.Tree) []tree.Sums {
	var sums []tree.Sums
	for k := range t.Layers() {
		sums = append(sums, t.Sums(k))
	}
	return sums
}

// wellFormed checks the order of a view and its sums against sums over paths.
func wellFormed(t *testing.T, v *tree.View) bool {
	t.Helper()
	tr := v.Tree()
	var paths []string
	for i := range v.Len() {
		it := v.At(i)
		paths = append(paths, tr.Path(it.Node))
		if n, ok := tr.Lookup(paths[i]); !ok || n != it.Node {
			t.Errorf("Lookup(%q) = %d, %v; want %d", paths[i], n, ok, it.Node)
			return false
		}
		if j, ok := v.Find(it.Node); !ok || j != i {
			t.Errorf("Find(%d) = %d, %v; want %d", it.Node, j, ok, i)
			return false
		}
	}
	for i, p := range paths {
		end := i + 1
		for end < len(paths) && (p == "" || strings.HasPrefix(paths[end], p+"/")) {
			end++
		}
		if v.End(i) != end {
			t.Errorf("End(%q) = %d, want %d", p, v.End(i), end)
			return false
		}
		files := 0
		for j := i; j < end; j++ {
			if v.At(j).Type != layer.Dir {
				files++
			}
		}
		if v.At(i).Files != files {
			t.Errorf("Files of %q = %d, want %d", p, v.At(i).Files, files)
			return false
		}
	}
	byComponent := func(a, b string) int { return slices.Compare(strings.Split(a, "/"), strings.Split(b, "/")) }
	if !slices.IsSortedFunc(paths, byComponent) {
		t.Errorf("not in depth-first order: %q", paths)
		return false
	}
	return true
}
