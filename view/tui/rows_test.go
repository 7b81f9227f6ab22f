package tui

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/layerscope/layerscope/analyze/layer"
	"github.com/layerscope/layerscope/analyze/synth"
	"github.com/layerscope/layerscope/analyze/tree"
)

// buildTree stacks layers made in code.
func buildTree(t testing.TB, layers ...synth.Layer) *tree.Tree {
	t.Helper()
	var xs []*layer.Index
	for _, l := range layers {
		xs = append(xs, readLayer(t, l))
	}
	tr, err := tree.Build(context.Background(), xs, tree.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func readLayer(t testing.TB, l synth.Layer) *layer.Index {
	t.Helper()
	r := l.Open(synth.None)
	defer r.Close()
	x, err := layer.Read(context.Background(), r, layer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// outline writes rows as "depth mark name", with v or > for what folds and *
// for a hit.
func outline(v *tree.View, rows []fileRow) []string {
	var lines []string
	for _, r := range rows {
		it := v.At(int(r.item))
		fold := " "
		if r.is(rowOpen) {
			fold = "v"
		} else if r.is(rowFolds) {
			fold = ">"
		}
		hit := ""
		if r.is(rowHit) {
			hit = "*"
		}
		lines = append(lines, strings.Repeat("  ", int(r.depth))+fold+it.Change.Mark()+v.Tree().Name(it.Node)+hit)
	}
	return lines
}

// build makes the rows of a view as the worker does.
func build(t testing.TB, v *tree.View, o order, f folds, filter string) []fileRow {
	t.Helper()
	b := rowBuilder{view: v, order: o, all: f.all, flipped: f.nodes(v.Tree())}
	var err error
	if filter != "" {
		if b.found, err = find(context.Background(), v, filter); err != nil {
			t.Fatal(err)
		}
	}
	rows, err := b.rows(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// app is an image of two layers, in the second of which a directory becomes a
// link.
func app(t testing.TB) *tree.Tree {
	return buildTree(t,
		synth.Layer{
			synth.File("etc/conf", "1234567890"),
			synth.File("srv/data/a.txt", "12345"),
			synth.File("srv/data/big", strings.Repeat("x", 100)),
			synth.File("srv/run.sh", "123"),
		},
		synth.Layer{
			synth.Symlink("srv/data", "/mnt"),
			synth.File("srv/run.sh", "1234"),
			synth.Whiteout("etc/conf"),
			synth.File("srv/new/Readme.MD", "12"),
		})
}

func TestRows(t *testing.T) {
	image := func(tr *tree.Tree) *tree.View { return tr.At(0) }
	changes := func(tr *tree.Tree) *tree.View { return tr.Changes(1) }
	for _, test := range []struct {
		name   string
		view   func(*tree.Tree) *tree.View
		order  order
		folds  folds
		filter string
		want   []string
	}{
		{"image by size", image, bySize, folds{}, "",
			[]string{"v srv", "  v data", "      big", "      a.txt", "    run.sh", "v etc", "    conf"}},
		{"image by name", image, byName, folds{}, "",
			[]string{"v etc", "    conf", "v srv", "  v data", "      a.txt", "      big", "    run.sh"}},
		{"closed", image, byName, folds{all: allClosed}, "",
			[]string{"> etc", "> srv"}},
		{"one open", image, byName, folds{all: allClosed, flipped: map[string]bool{"srv": true}}, "",
			[]string{"> etc", "v srv", "  > data", "    run.sh"}},
		{"one closed", image, byName, folds{flipped: map[string]bool{"srv/data": false}}, "",
			[]string{"v etc", "    conf", "v srv", "  > data", "    run.sh"}},
		{"changes: a link that was a directory keeps what was below", changes, bySize, folds{}, "",
			[]string{"v etc", "   -conf", "v srv", "  v~data", "     -big", "     -a.txt", "   ~run.sh", "  v+new", "     +Readme.MD"}},
		{"filter", changes, byName, folds{}, "readme",
			[]string{"v srv", "  v+new", "     +Readme.MD*"}},
		{"filter with upper case", changes, byName, folds{}, "README", nil},
		{"filter finds a directory and keeps it closed", image, byName, folds{}, "dat",
			[]string{"v srv", "  > data*"}},
		{"filter with a slash", image, byName, folds{}, "v/d",
			[]string{"v srv", "  > data*"}},
		{"what is below a hit can be opened", image, byName, folds{flipped: map[string]bool{"srv/data": true}}, "dat",
			[]string{"v srv", "  v data*", "      a.txt", "      big"}},
		{"filter ending in a slash", image, byName, folds{}, "data/",
			[]string{"v srv", "  v data", "      a.txt*", "      big*"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			v := test.view(app(t))
			got := outline(v, build(t, v, test.order, test.folds, test.filter))
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRowsOfLargeViewsBeginClosed(t *testing.T) {
	tr := buildTree(t, synth.Layer{
		synth.Dir("only"),
		synth.Dir("only/child"),
		synth.Many(openWhole, func(i int) synth.Entry {
			return synth.File(fmt.Sprintf("only/child/d%03d/f", i), "x")
		}),
	})
	rows := build(t, tr.Final(), byName, folds{}, "")
	if got := len(rows); got != 2+openWhole {
		t.Errorf("%d rows, want the two single directories open and %d closed below", got, openWhole)
	}
}

func TestRowsEndWithContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	v := app(t).Final()
	if _, err := (&rowBuilder{view: v}).rows(ctx); err != context.Canceled {
		t.Errorf("rows: %v", err)
	}
}

func TestRowOf(t *testing.T) {
	v := app(t).At(0)
	node := func(path string) tree.Node {
		n, ok := v.Tree().Lookup(path)
		if !ok {
			t.Fatal("no", path)
		}
		return n
	}
	closed := build(t, v, byName, folds{flipped: map[string]bool{"srv/data": false}}, "")
	for path, want := range map[string]int{"etc": 0, "srv/data": 3, "srv/data/big": 3, "srv/run.sh": 4, "": -1, "srv/new": 2} {
		if got := rowOf(v, closed, node(path)); got != want {
			t.Errorf("rowOf(%q) = %d, want %d", path, got, want)
		}
	}
}

func TestParentRowAndNextHit(t *testing.T) {
	v := app(t).At(0)
	rows := build(t, v, byName, folds{all: allOpen}, "a") // srv, data*, a.txt*, big
	var up []int
	for i := range rows {
		up = append(up, parentRow(rows, i))
	}
	if diff := cmp.Diff([]int{-1, 0, 1, 1}, up); diff != "" {
		t.Errorf("parents (-want +got):\n%s\n%s", diff, strings.Join(outline(v, rows), "\n"))
	}
	for _, test := range []struct{ from, step, want int }{{0, 1, 1}, {1, 1, 2}, {2, 1, 1}, {1, -1, 2}, {3, -1, 2}} {
		if got := nextHit(rows, test.from, test.step); got != test.want {
			t.Errorf("nextHit(%d, %d) = %d, want %d", test.from, test.step, got, test.want)
		}
	}
	if got := nextHit(build(t, v, byName, folds{}, ""), 0, 1); got != -1 {
		t.Errorf("a hit without a filter: %d", got)
	}
}

// TestRowsAgainstNaive compares the rows of random trees with those of a
// builder that knows nothing but paths.
func TestRowsAgainstNaive(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		tr := randomTree(t, r)
		v := tr.Changes(1)
		if r.IntN(2) == 0 {
			v = tr.At(r.IntN(2))
		}
		o := order(r.IntN(2))
		f := folds{all: foldAll(r.IntN(3))}
		for range r.IntN(4) {
			f.set(randomPath(r), r.IntN(2) == 0)
		}
		filter := []string{"", "", "a", "b/", "/c", "AB", "a/b", "aa"}[r.IntN(8)]
		got := outline(v, build(t, v, o, f, filter))
		want := newNaive(v, o, f, filter).rows("", 0, false)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("seed %d, filter %q, %v (-want +got):\n%s", seed, filter, o, diff)
		}
	}
}

// randomPath makes paths that meet often.
func randomPath(r *rand.Rand) string {
	names := []string{"a", "b", "c", "ab", "Ab"}
	parts := make([]string, 1+r.IntN(4))
	for i := range parts {
		parts[i] = names[r.IntN(len(names))]
	}
	return strings.Join(parts, "/")
}

func randomTree(t testing.TB, r *rand.Rand) *tree.Tree {
	var layers [2]synth.Layer
	for i := range layers {
		for range 1 + r.IntN(20) {
			p := randomPath(r)
			switch r.IntN(6) {
			case 0:
				layers[i] = append(layers[i], synth.Dir(p))
			case 1:
				layers[i] = append(layers[i], synth.Symlink(p, "x"))
			case 2:
				layers[i] = append(layers[i], synth.Whiteout(p))
			default:
				layers[i] = append(layers[i], synth.File(p, strings.Repeat("x", r.IntN(50))))
			}
		}
	}
	return buildTree(t, layers[0], layers[1])
}

// naive builds rows from a view's paths alone.
type naive struct {
	order  order
	folds  folds
	filter string
	items  map[string]tree.Item // by path, without the root
}

func newNaive(v *tree.View, o order, f folds, filter string) *naive {
	n := &naive{o, f, filter, map[string]tree.Item{}}
	for i := 1; i < v.Len(); i++ {
		it := v.At(i)
		n.items[v.Tree().Path(it.Node)] = it
	}
	return n
}

func (n *naive) children(dir string) []string {
	var paths []string
	for p := range n.items {
		parent, _, _ := cutLast(p)
		if parent == dir {
			paths = append(paths, p)
		}
	}
	slices.SortFunc(paths, func(a, b string) int {
		x, y := n.items[a], n.items[b]
		if n.order == bySize && n.bytes(x) != n.bytes(y) {
			return int(n.bytes(y) - n.bytes(x))
		}
		return strings.Compare(a, b)
	})
	return paths
}

func (n *naive) bytes(it tree.Item) int64 {
	if it.Total > 0 {
		return it.Total
	}
	return it.Removed
}

func cutLast(p string) (parent, name string, ok bool) {
	i := strings.LastIndex(p, "/")
	if i < 0 {
		return "", p, false
	}
	return p[:i], p[i+1:], true
}

// hit: the filter occurs in the path and ends behind the parent's path.
func (n *naive) hit(p string) bool {
	full := "/" + p
	if n.filter == strings.ToLower(n.filter) {
		full = strings.ToLower(full)
	}
	parent, _, nested := cutLast(p)
	own := 0
	if nested {
		own = len("/" + parent)
	}
	for i := range full {
		if n.filter != "" && strings.HasPrefix(full[i:], n.filter) && i+len(n.filter) > own {
			return true
		}
	}
	return false
}

func (n *naive) hitBelow(p string) bool {
	for q := range n.items {
		if strings.HasPrefix(q, p+"/") && n.hit(q) {
			return true
		}
	}
	return false
}

func (n *naive) open(p string) bool {
	if open, ok := n.folds.flipped[p]; ok {
		return open
	}
	switch n.folds.all {
	case allOpen:
		return true
	case allClosed:
		return false
	}
	return n.filter == "" || n.hitBelow(p) // the views are small
}

func (n *naive) rows(dir string, depth int, under bool) []string {
	var lines []string
	for _, p := range n.children(dir) {
		if n.filter != "" && !under && !n.hit(p) && !n.hitBelow(p) {
			continue
		}
		fold, open := " ", false
		if len(n.children(p)) > 0 {
			if open = n.open(p); open {
				fold = "v"
			} else {
				fold = ">"
			}
		}
		_, name, _ := cutLast(p)
		if n.hit(p) {
			name += "*"
		}
		lines = append(lines, strings.Repeat("  ", depth)+fold+n.items[p].Change.Mark()+name)
		if open {
			lines = append(lines, n.rows(p, depth+1, under || n.hit(p))...)
		}
	}
	return lines
}
