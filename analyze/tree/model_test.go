package tree_test

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/layerscope/layerscope/analyze/layer"
	"github.com/layerscope/layerscope/analyze/tree"
)

// This file holds the tree against a second model that is as simple as can be:
// a filesystem is a map from path to object, a layer is applied by the rules of
// design §5 with string prefixes, and nothing is shared between layers.

// object is what stands at a path of the naive filesystem.
type object struct {
	dir  bool
	id   string // "layer/row" of the inode, "implied" for an implied directory
	size int64
	mode int64
}

type naiveFS map[string]object

func (fs naiveFS) clone() naiveFS {
	c := naiveFS{}
	for p, o := range fs {
		c[p] = o
	}
	return c
}

func (fs naiveFS) removeBelow(dir string) {
	for p := range fs {
		if p != "" && (dir == "" || strings.HasPrefix(p, dir+"/")) {
			delete(fs, p)
		}
	}
}

func (fs naiveFS) makeParents(p string) {
	for i, c := range p {
		if c == '/' && !fs[p[:i]].dir {
			fs[p[:i]] = object{dir: true, id: "implied", mode: 0o755}
		}
	}
}

func cleanName(name string) string { return strings.TrimPrefix(path.Clean("/"+name), "/") }

// whiteoutOf returns what a name deletes: a path, or all below a directory.
func whiteoutOf(name string) (target string, opaque, ok bool) {
	dir, base := path.Split(cleanName(name))
	switch {
	case base == ".wh..wh..opq":
		return strings.TrimSuffix(dir, "/"), true, true
	case strings.HasPrefix(base, ".wh..wh.") || base == ".wh." || base == ".wh.." || base == ".wh...":
		return "", false, false
	case strings.HasPrefix(base, ".wh."):
		return dir + strings.TrimPrefix(base, ".wh."), false, true
	}
	return "", false, false
}

func (fs naiveFS) apply(k int, members []tar.Header) {
	for _, m := range members {
		if target, opaque, ok := whiteoutOf(m.Name); ok {
			fs.removeBelow(target)
			if !opaque {
				delete(fs, target)
			}
		}
	}
	for row, m := range members {
		fs.put(k, row, m)
	}
}

func (fs naiveFS) put(k, row int, m tar.Header) {
	p := cleanName(m.Name)
	if strings.HasPrefix(path.Base("/"+p), ".wh.") {
		if _, _, ok := whiteoutOf(m.Name); ok {
			fs.makeParents(p)
		}
		return
	}
	o := object{id: fmt.Sprintf("%d/%d", k, row), mode: m.Mode}
	switch m.Typeflag {
	case tar.TypeDir:
		o.dir = true
	case tar.TypeReg:
		o.size = m.Size
	case tar.TypeLink:
		if target, ok := fs[cleanName(m.Linkname)]; ok && !target.dir {
			o = target
		}
	}
	if p == "" {
		if o.dir {
			fs[""] = o
		}
		return
	}
	fs.makeParents(p)
	if fs[p].dir && !o.dir {
		fs.removeBelow(p)
	}
	fs[p] = o
}

// randomLayer makes members over few names, so that they collide often.
func randomLayer(r *rand.Rand) []tar.Header {
	names := []string{"a", "b", "c", "d", ".wh", "e f", "[x]", "\xff"}
	randomPath := func() string {
		parts := make([]string, 1+r.IntN(4))
		for i := range parts {
			parts[i] = names[r.IntN(len(names))]
		}
		p := strings.Join(parts, "/")
		switch r.IntN(12) {
		case 0:
			return "./" + p
		case 1:
			return "/" + p
		case 2:
			return "../" + p
		case 3:
			return parts[0] + "/../" + p
		case 4:
			return "a//" + p
		}
		return p
	}
	var members []tar.Header
	for range r.IntN(14) {
		m := tar.Header{Name: randomPath(), Mode: []int64{0o755, 0o644, 0o4711}[r.IntN(3)], Typeflag: tar.TypeReg}
		switch r.IntN(12) {
		case 0, 1, 2:
			m.Typeflag = tar.TypeDir
		case 3:
			m.Typeflag, m.Linkname = tar.TypeSymlink, "anywhere"
		case 4, 5:
			m.Typeflag, m.Linkname = tar.TypeLink, randomPath()
		case 6, 7:
			dir, base := path.Split(m.Name)
			m.Name = dir + ".wh." + base
		case 8:
			m.Name += "/.wh..wh..opq"
		case 9:
			m.Name = []string{".", "./", "a/.wh.", "a/.wh..", ".wh..wh.plnk", ".wh..wh..opq", "a/.wh..."}[r.IntN(7)]
			if strings.HasPrefix(m.Name, ".") && len(m.Name) < 3 {
				m.Typeflag = tar.TypeDir
			}
		default:
			m.Size = int64(r.IntN(3)) * 100
		}
		members = append(members, m)
	}
	return members
}

func readIndex(t testing.TB, members []tar.Header) *layer.Index {
	t.Helper()
	var buf bytes.Buffer
	tw := tar.NewWriter(&buf)
	for _, m := range members {
		if err := tw.WriteHeader(&m); err != nil {
			t.Fatal(err)
		}
		if _, err := io.CopyN(tw, zeros{}, m.Size); err != nil {
			t.Fatal(err)
		}
	}
	if err := tw.Close(); err != nil {
		t.Fatal(err)
	}
	x, err := layer.Read(context.Background(), &buf, layer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return x
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// asNaive returns a view of the image as a naive filesystem.
func asNaive(v *tree.View) naiveFS {
	fs := naiveFS{}
	t := v.Tree()
	for i := range v.Len() {
		it := v.At(i)
		o := object{dir: it.Type == layer.Dir, id: "implied", size: it.Size, mode: 0o755}
		if r := it.State.Inode; r != tree.Implied {
			e, _ := t.Entry(r)
			o.id, o.mode = fmt.Sprintf("%d/%d", r.Layer, r.Row), int64(e.Mode)
		}
		fs[t.Path(it.Node)] = o
	}
	return fs
}

func TestAgainstNaiveModel(t *testing.T) {
	for seed := range uint64(800) {
		r := rand.New(rand.NewPCG(seed, 1))
		var layers [][]tar.Header
		for range 1 + r.IntN(5) {
			layers = append(layers, randomLayer(r))
		}
		if !checkAgainstNaive(t, layers) {
			t.Fatalf("seed %d:\n%s", seed, describe(layers))
		}
	}
}

func describe(layers [][]tar.Header) string {
	var b strings.Builder
	for k, l := range layers {
		for row, m := range l {
			fmt.Fprintf(&b, "%d/%d %c %q -> %q %d bytes\n", k, row, m.Typeflag, m.Name, m.Linkname, m.Size)
		}
	}
	return b.String()
}

// checkAgainstNaive compares every view and every sum.
func checkAgainstNaive(t *testing.T, layers [][]tar.Header) bool {
	t.Helper()
	var indexes []*layer.Index
	for _, l := range layers {
		indexes = append(indexes, readIndex(t, l))
	}
	tr, err := tree.Build(context.Background(), indexes, tree.Options{})
	if err != nil {
		t.Fatal(err)
	}
	fs := naiveFS{"": {dir: true, id: "implied", mode: 0o755}}
	ok := true
	for k, l := range layers {
		before := fs.clone()
		fs.apply(k, l)
		if diff := cmp.Diff(fs, asNaive(tr.At(k)), cmp.AllowUnexported(object{})); diff != "" {
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

// naiveChanges compares two filesystems path by path.
func naiveChanges(before, after naiveFS, members []tar.Header) map[string]string {
	touched := map[string]bool{}
	for _, m := range members {
		if _, _, whiteout := whiteoutOf(m.Name); !whiteout {
			touched[cleanName(m.Name)] = true
		}
	}
	c := map[string]string{}
	for p, o := range after {
		old, was := before[p]
		switch {
		case !was:
			c[p] = "+"
		case old.dir && o.dir:
			if old.mode != o.mode {
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

func naiveSums(fs naiveFS, layers [][]tar.Header) []tree.Sums {
	live := map[string]bool{}
	for _, o := range fs {
		live[o.id] = true
	}
	sums := make([]tree.Sums, len(layers))
	for k, l := range layers {
		for row, m := range l {
			if m.Typeflag != tar.TypeReg || strings.HasPrefix(path.Base("/"+cleanName(m.Name)), ".wh.") {
				continue
			}
			sums[k].Stored += m.Size
			if live[fmt.Sprintf("%d/%d", k, row)] {
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
