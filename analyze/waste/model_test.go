package waste_test

import (
	"archive/tar"
	"cmp"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/layerscope/layerscope/analyze/tree/naive"
	"github.com/layerscope/layerscope/analyze/waste"
)

// This file holds what is dead, and why, against the naive model of stacking:
// every copy is followed from filesystem to filesystem.

// deadCopy is a dead copy as the naive model has it.
type deadCopy struct {
	ID       string // "layer/row" of the entry that stores it
	Path     string // the last path that referred to it
	Bytes    int64
	Reason   string
	KilledBy int
}

// naiveDead returns the dead copies in the order of layers and rows, and the
// final filesystem.
func naiveDead(layers [][]tar.Header) ([]deadCopy, naive.FS) {
	var steps []layerSteps
	fs := naive.New()
	for k, l := range layers {
		s := layerSteps{before: fs.Clone()}
		fs.Delete(l)
		s.during = append(s.during, fs.Clone())
		for row, m := range l {
			fs.Put(k, row, m)
			s.during = append(s.during, fs.Clone())
		}
		s.after = fs.Clone()
		steps = append(steps, s)
	}
	var dead []deadCopy
	for k, l := range layers {
		for row, m := range l {
			if naive.IsCopy(m) && m.Size > 0 && len(pathsOf(fs, naive.ID(k, row))) == 0 {
				dead = append(dead, end(steps, k, row, m))
			}
		}
	}
	return dead, fs
}

// layerSteps are the filesystems before a layer, at each moment while it is
// applied, the whiteouts being the first, and after it.
type layerSteps struct {
	before naive.FS
	during []naive.FS
	after  naive.FS
}

// pathsOf returns the paths that lead to an object.
func pathsOf(fs naive.FS, id string) []string {
	var paths []string
	for p, o := range fs {
		if o.ID == id {
			paths = append(paths, p)
		}
	}
	return paths
}

// end says how a copy ended.
func end(steps []layerSteps, k, row int, m tar.Header) deadCopy {
	id := naive.ID(k, row)
	killer := k
	for i := k; i < len(steps); i++ {
		if len(pathsOf(steps[i].after, id)) > 0 {
			killer = i + 1
		}
	}
	d := deadCopy{ID: id, Bytes: m.Size, KilledBy: killer, Reason: "replaced"}
	s := steps[killer]
	held := pathsOf(s.before, id)
	var late []string // held once the whiteouts were done
	for _, fs := range s.during {
		late = append(late, pathsOf(fs, id)...)
	}
	held = append(held, late...)
	if len(held) == 0 {
		return d // a file at the root's path
	}
	d.Path = slices.MinFunc(held, byComponent)
	is, stands := s.after[d.Path]
	switch {
	case killer == k:
	case !stands && !slices.Contains(late, d.Path):
		d.Reason = "deleted"
	case stands && is.Reg && is.Size == m.Size && (is.Size == 0 || is.Fill == byte(m.Uid)):
		d.Reason = "rewritten"
	case stands && is.Reg:
		d.Reason = "overwritten"
	}
	return d
}

func byComponent(a, b string) int {
	return slices.Compare(strings.Split(a, "/"), strings.Split(b, "/"))
}

// build stacks layers. Of every third the compressed bytes aren't known.
func build(t testing.TB, layers [][]tar.Header) waste.Image {
	t.Helper()
	known := make([]bool, len(layers))
	for k := range known {
		known[k] = k%3 != 2
	}
	return waste.Image{Tree: naive.Tree(t, layers), Compressed: known}
}

func TestDeadAgainstNaiveModel(t *testing.T) {
	reasons := map[string]int{}
	for seed := range uint64(1500) {
		r := rand.New(rand.NewPCG(seed, 2))
		layers := naive.RandomLayers(r, 5)
		m := build(t, layers)
		want, _ := naiveDead(layers)
		d := waste.FindDead(m)
		if diff := gocmp.Diff(want, found(m, d)); diff != "" {
			t.Fatalf("seed %d (-naive +found):\n%s\n%s", seed, diff, naive.Describe(layers))
		}
		checkSums(t, m, d)
		for _, c := range want {
			reasons[c.Reason]++
		}
		if t.Failed() {
			t.Fatalf("seed %d:\n%s", seed, naive.Describe(layers))
		}
	}
	for r := range waste.Reason(waste.NumReasons) {
		if reasons[r.String()] < 100 {
			t.Errorf("only %d copies were %s: the test doesn't test that", reasons[r.String()], r)
		}
	}
}

// found returns the dead copies as the naive model has them.
func found(m waste.Image, d *waste.Dead) []deadCopy {
	copies := slices.Clone(d.Copies)
	slices.SortFunc(copies, func(a, b waste.DeadCopy) int {
		return cmp.Or(cmp.Compare(a.Ref.Layer, b.Ref.Layer), cmp.Compare(a.Ref.Row, b.Ref.Row))
	})
	var out []deadCopy
	for _, c := range copies {
		out = append(out, deadCopy{naive.ID(int(c.Ref.Layer), int(c.Ref.Row)), m.Tree.Path(c.Path), c.Bytes, c.Reason.String(), c.KilledBy})
	}
	return out
}

// checkSums checks that stored = live + dead, and that every way to add up what
// is dead gives the same.
func checkSums(t *testing.T, m waste.Image, d *waste.Dead) {
	t.Helper()
	var total, byReason, killed, causes waste.Sum
	layers := make([]waste.Sum, m.Tree.Layers())
	for i, c := range d.Copies {
		total.Add(c.Copy)
		layers[c.Ref.Layer].Add(c.Copy)
		if i > 0 && d.Copies[i-1].Bytes < c.Bytes {
			t.Errorf("copy %d is larger than the one before it", i)
		}
	}
	for _, tally := range d.ByReason {
		byReason = byReason.Plus(tally.Sum)
		if sum := tally.Of(func(int) bool { return true }); sum != tally.Sum {
			t.Errorf("the layers of a reason add up to %+v, want %+v", sum, tally.Sum)
		}
	}
	for _, s := range d.Killed {
		killed = killed.Plus(s)
	}
	for _, c := range d.Causes() {
		causes = causes.Plus(c.Sum)
		for _, copy := range d.Copies {
			if int(copy.Ref.Layer) == c.Written && copy.KilledBy == c.Killed && copy.Reason == c.Reason {
				c.Bytes -= copy.Bytes
			}
		}
		if c.Bytes != 0 {
			t.Errorf("a cause is wrong by %d bytes: %+v", c.Bytes, c)
		}
	}
	if total != d.Sum || byReason != total || killed != total || causes != total {
		t.Errorf("the copies add up to %+v, the sum is %+v, by reason %+v, by killer %+v, by cause %+v", total, d.Sum, byReason, killed, causes)
	}
	even := func(k int) bool { return k%2 == 0 }
	odd := func(k int) bool { return k%2 != 0 }
	if got := d.Of(even).Plus(d.Of(odd)); got != total {
		t.Errorf("the sums of some layers and of the others add up to %+v, want %+v", got, total)
	}
	for k, s := range d.Layers {
		ts := m.Tree.Sums(k)
		if s != layers[k] || s.Bytes != ts.Dead || ts.Stored != ts.Live+ts.Dead {
			t.Errorf("layer %d has dead copies of %+v that add up to %+v; the tree has %+v", k, s, layers[k], ts)
		}
	}
}

func TestDuplicatesAgainstNaiveModel(t *testing.T) {
	groups := 0
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 3))
		layers := naive.RandomLayers(r, 4)
		m := build(t, layers)
		_, fs := naiveDead(layers)
		d := waste.FindDuplicates(m)
		if diff := gocmp.Diff(naiveDuplicates(fs), foundGroups(m, d)); diff != "" {
			t.Fatalf("seed %d (-naive +found):\n%s\n%s", seed, diff, naive.Describe(layers))
		}
		bytes, sum := int64(0), waste.Sum{}
		for _, g := range d.Groups {
			bytes += g.Bytes()
			for _, c := range g.Copies[1:] {
				sum.Add(c)
			}
			if st, ok := m.Tree.StateAt(g.Copies[0].Path, m.Tree.Layers()-1); !ok || st.Inode != g.Copies[0].Ref {
				t.Fatalf("seed %d: a copy's path doesn't lead to it", seed)
			}
		}
		if d.Bytes != bytes || d.Sum != sum {
			t.Fatalf("seed %d: duplicates of %+v add up to %d and %+v", seed, d.Sum, bytes, sum)
		}
		groups += len(d.Groups)
	}
	if groups < 100 {
		t.Errorf("only %d groups: the test doesn't test much", groups)
	}
}

// content is what a file holds.
type content struct {
	Size int64
	Fill byte
}

// naiveDuplicates returns the IDs of the copies of each content that there is
// more than once.
func naiveDuplicates(fs naive.FS) map[content][]string {
	out := map[content][]string{}
	for _, o := range fs {
		c := content{o.Size, o.Fill}
		if o.Reg && o.Size > 0 && !slices.Contains(out[c], o.ID) {
			out[c] = append(out[c], o.ID)
		}
	}
	for c, ids := range out {
		if len(ids) < 2 {
			delete(out, c)
		}
		slices.Sort(ids)
	}
	return out
}

func foundGroups(m waste.Image, d *waste.Duplicates) map[content][]string {
	out := map[content][]string{}
	for _, g := range d.Groups {
		e, _ := m.Tree.Entry(g.Copies[0].Ref)
		c := content{g.Size, byte(e.UID)}
		for _, cp := range g.Copies {
			out[c] = append(out[c], naive.ID(int(cp.Ref.Layer), int(cp.Ref.Row)))
		}
		slices.Sort(out[c])
	}
	return out
}
