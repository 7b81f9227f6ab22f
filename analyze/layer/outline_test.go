package layer_test

import (
	"archive/tar"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/layerscope/layerscope/analyze/layer"
	"github.com/layerscope/layerscope/analyze/tree/naive"
)

// outlineOf writes a layer and returns its outline.
func outlineOf(t *testing.T, members ...tar.Header) layer.Outline {
	t.Helper()
	return read(t, makeTar(t, members...)).Outline()
}

// TestOutlineDiffers changes one thing at a time.
func TestOutlineDiffers(t *testing.T) {
	was := []tar.Header{
		{Name: "usr/", Typeflag: tar.TypeDir, Mode: 0o755},
		{Name: "usr/a", Typeflag: tar.TypeReg, Mode: 0o644, Size: 10, PAXRecords: map[string]string{"SCHILY.xattr.user.a": "1"}},
		{Name: "usr/b", Typeflag: tar.TypeLink, Linkname: "usr/a"},
		{Name: "usr/l", Typeflag: tar.TypeSymlink, Linkname: "a"},
		{Name: "dev", Typeflag: tar.TypeChar, Devmajor: 1, Devminor: 3},
		{Name: ".wh.gone", Typeflag: tar.TypeReg},
		{Name: "etc/.wh..wh..opq", Typeflag: tar.TypeReg},
	}
	want := outlineOf(t, was...)
	for name, edit := range map[string]func(ms []tar.Header) []tar.Header{
		"mode":        func(ms []tar.Header) []tar.Header { ms[1].Mode = 0o4644; return ms },
		"uid":         func(ms []tar.Header) []tar.Header { ms[1].Uid = 1; return ms },
		"gid":         func(ms []tar.Header) []tar.Header { ms[1].Gid = 1; return ms },
		"size":        func(ms []tar.Header) []tar.Header { ms[1].Size = 11; return ms },
		"empty":       func(ms []tar.Header) []tar.Header { ms[1].Size = 0; return ms },
		"attribute":   func(ms []tar.Header) []tar.Header { ms[1].PAXRecords = nil; return ms },
		"its value":   func(ms []tar.Header) []tar.Header { ms[1].PAXRecords = records("SCHILY.xattr.user.a", "2"); return ms },
		"its name":    func(ms []tar.Header) []tar.Header { ms[1].PAXRecords = records("SCHILY.xattr.user.b", "1"); return ms },
		"type":        func(ms []tar.Header) []tar.Header { ms[1].Typeflag, ms[1].Size = tar.TypeFifo, 0; return ms },
		"link":        func(ms []tar.Header) []tar.Header { ms[2].Linkname = "usr/l"; return ms },
		"target":      func(ms []tar.Header) []tar.Header { ms[3].Linkname = "b"; return ms },
		"major":       func(ms []tar.Header) []tar.Header { ms[4].Devmajor = 2; return ms },
		"minor":       func(ms []tar.Header) []tar.Header { ms[4].Devminor = 2; return ms },
		"name":        func(ms []tar.Header) []tar.Header { ms[4].Name = "dew"; return ms },
		"directory":   func(ms []tar.Header) []tar.Header { ms[4].Name = "usr/dev"; return ms },
		"whiteout":    func(ms []tar.Header) []tar.Header { ms[5].Name = "gone"; return ms },
		"opaque":      func(ms []tar.Header) []tar.Header { ms[6].Name = "etc/.wh..wh..opr"; return ms },
		"more":        func(ms []tar.Header) []tar.Header { return append(ms, tar.Header{Name: "more", Typeflag: tar.TypeReg}) },
		"twice":       func(ms []tar.Header) []tar.Header { return append(ms, ms[4]) },
		"less":        func(ms []tar.Header) []tar.Header { return ms[:6] },
		"names moved": func(ms []tar.Header) []tar.Header { ms[3].Name, ms[3].Linkname = "usr/la", ""; return ms },
		"link first":  func(ms []tar.Header) []tar.Header { ms[1], ms[2] = ms[2], ms[1]; return ms },
	} {
		if outlineOf(t, edit(slices.Clone(was))...) == want {
			t.Errorf("%s: the outlines are the same", name)
		}
	}
	for name, edit := range map[string]func(ms []tar.Header) []tar.Header{
		"nothing": func(ms []tar.Header) []tar.Header { return ms },
		"time":    func(ms []tar.Header) []tar.Header { ms[1].ModTime = time.Unix(1e9, 5); return ms },
		"libarchive's": func(ms []tar.Header) []tar.Header {
			ms[1].PAXRecords = records("LIBARCHIVE.xattr.user.a", "MQ")
			return ms
		},
		"order": func(ms []tar.Header) []tar.Header {
			return []tar.Header{ms[6], ms[3], ms[1], ms[0], ms[5], ms[2], ms[4]}
		},
	} {
		if outlineOf(t, edit(slices.Clone(was))...) != want {
			t.Errorf("%s: the outlines differ", name)
		}
	}
	if a, b := outlineOf(t), outlineOf(t, tar.Header{Name: "a", Typeflag: tar.TypeReg}); a == b || a != (layer.Outline{}) {
		t.Errorf("an empty layer has the outline %v, one with an empty file %v", a, b)
	}
}

func records(name, value string) map[string]string { return map[string]string{name: value} }

// TestOutlineNames takes names for one that are one when they are clean.
func TestOutlineNames(t *testing.T) {
	a := outlineOf(t, tar.Header{Name: "usr/a", Typeflag: tar.TypeDir})
	for _, name := range []string{"./usr/a", "/usr/a/", "usr//./b/../a"} {
		if outlineOf(t, tar.Header{Name: name, Typeflag: tar.TypeDir}) != a {
			t.Errorf("%q isn't usr/a", name)
		}
	}
}

// shuffled returns the members in another order and at other times.
func shuffled(r *rand.Rand, members []tar.Header) (out []tar.Header) {
	for _, i := range r.Perm(len(members)) {
		m := members[i]
		m.ModTime = time.Unix(r.Int64N(1e9), 0)
		out = append(out, m)
	}
	return out
}

// nameRows gives the objects that layer k made IDs that say what made them
// instead of in which row.
func nameRows(fs naive.FS, k int, members []tar.Header) {
	name := map[string]string{}
	for i, m := range members {
		m.Name, m.Linkname, m.ModTime = naive.Clean(m.Name), naive.Clean(m.Linkname), time.Time{}
		name[naive.ID(k, i)] = fmt.Sprintf("%+v", m)
	}
	for p, o := range fs {
		if id, ok := name[o.ID]; ok {
			o.ID = id
			fs[p] = o
		}
	}
}

// TestOutlineSame stacks random layers and others with the same entries in
// another order. If the outlines are the same, so are the filesystems.
func TestOutlineSame(t *testing.T) {
	same, other := 0, 0
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 2))
		layers := naive.RandomLayers(r, 3)
		k := len(layers) - 1
		top := layers[k]
		if r.IntN(2) == 0 {
			top = top[:min(len(top), 4)] // few enough to be in any order
		}
		moved := shuffled(r, top)
		if naive.Index(t, top).Outline() != naive.Index(t, moved).Outline() {
			other++
			continue
		}
		same++
		a, b := naive.New(), naive.New()
		for i, l := range layers[:k] {
			a.Apply(i, l)
			b.Apply(i, l)
		}
		a.Apply(k, top)
		b.Apply(k, moved)
		nameRows(a, k, top)
		nameRows(b, k, moved)
		if diff := cmp.Diff(a, b); diff != "" {
			t.Fatalf("seed %d: the same outline, but %s\n%s", seed, diff, naive.Describe([][]tar.Header{top, moved}))
		}
	}
	if same < 500 || other < 500 {
		t.Errorf("%d outlines are the same, %d aren't: too few to tell", same, other)
	}
}

// TestOutlineOrder shuffles layers as builders write them, whose order means
// nothing.
func TestOutlineOrder(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 3))
		var members []tar.Header
		for i := range r.IntN(40) {
			dir := fmt.Sprintf("d%d/", r.IntN(5))
			switch name := dir + fmt.Sprint(i); r.IntN(4) {
			case 0:
				members = append(members, tar.Header{Name: name, Typeflag: tar.TypeDir, Mode: 0o700})
			case 1:
				members = append(members, tar.Header{Name: dir + ".wh." + fmt.Sprint(i), Typeflag: tar.TypeReg})
			default:
				members = append(members, tar.Header{Name: name, Typeflag: tar.TypeReg, Size: r.Int64N(3)})
			}
		}
		moved := shuffled(r, members)
		n := len(members)
		for i := range n { // links to files, behind them in both
			if m := members[i]; m.Typeflag == tar.TypeReg && !strings.Contains(m.Name, ".wh.") && r.IntN(3) == 0 {
				link := tar.Header{Name: fmt.Sprintf("link%d", i), Typeflag: tar.TypeLink, Linkname: m.Name}
				members = append(members, link)
				moved = slices.Insert(moved, n+r.IntN(len(moved)-n+1), link)
			}
		}
		if outlineOf(t, members...) != outlineOf(t, moved...) {
			t.Fatalf("seed %d: the outlines differ\n%s", seed, naive.Describe([][]tar.Header{members, moved}))
		}
	}
}
