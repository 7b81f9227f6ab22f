package waste_test

import (
	"archive/tar"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/layerscope/layerscope/analyze/tree/naive"
	"github.com/layerscope/layerscope/analyze/waste"
)

// layers reads layers from a text, a line each, of members such as "a=1000", a
// file of 1,000 bytes ("a=1000x2" one of other bytes), "d/" a directory, "b->a" a
// hard link, "s@" a symbolic link, "-a" a whiteout and "-d/" an opaque marker.
func layers(t *testing.T, text string) [][]tar.Header {
	var out [][]tar.Header
	for line := range strings.Lines(text) {
		l := []tar.Header{}
		for _, m := range strings.Fields(line) {
			l = append(l, member(t, m))
		}
		out = append(out, l)
	}
	return out
}

func member(t *testing.T, m string) tar.Header {
	h := tar.Header{Typeflag: tar.TypeReg, Mode: 0o644}
	if name, ok := strings.CutPrefix(m, "-"); ok {
		dir, base := "", name
		if i := strings.LastIndexByte(strings.TrimSuffix(name, "/"), '/'); i >= 0 {
			dir, base = name[:i+1], name[i+1:]
		}
		if h.Name = dir + ".wh." + base; strings.HasSuffix(name, "/") {
			h.Name = name + ".wh..wh..opq"
		}
		return h
	}
	if name, target, ok := strings.Cut(m, "->"); ok {
		h.Name, h.Linkname, h.Typeflag = name, target, tar.TypeLink
		return h
	}
	if name, ok := strings.CutSuffix(m, "@"); ok {
		h.Name, h.Linkname, h.Typeflag = name, "elsewhere", tar.TypeSymlink
		return h
	}
	if strings.HasSuffix(m, "/") {
		h.Name, h.Typeflag, h.Mode = m, tar.TypeDir, 0o755
		return h
	}
	name, size, _ := strings.Cut(m, "=")
	h.Name = name
	if _, err := fmt.Sscanf(size+"x0", "%dx%d", &h.Size, &h.Uid); err != nil {
		t.Fatalf("%q: %v", m, err)
	}
	return h
}

// TestFindDead is docs/waste.md case by case: what is dead is worked out by hand.
func TestFindDead(t *testing.T) {
	for _, tt := range []struct {
		name, layers string
		want         []string // PATH BYTES REASON, written by and killed by layer
	}{
		{"nothing", "a=1000", nil},
		{"overwritten by less", "a=1000\na=400", []string{"a 1000 overwritten 0 1"}},
		{"other bytes of the same size", "a=1000\na=1000x2", []string{"a 1000 overwritten 0 1"}},
		{"overwritten by an empty file", "a=1000\na=0", []string{"a 1000 overwritten 0 1"}},
		{"a growing file", "a=1000\na=2000\na=3000", []string{"a 2000 overwritten 1 2", "a 1000 overwritten 0 1"}},
		{"chmod", "a=1000\na=1000", []string{"a 1000 rewritten 0 1"}},
		{"rm -rf of a directory", "d/ d/a=1000 d/b=500 k=100\n-d", []string{"d/a 1000 deleted 0 1", "d/b 500 deleted 0 1"}},
		{"layers without directories' entries", "d/a=1000 d/e/b=300\n-d", []string{"d/a 1000 deleted 0 1", "d/e/b 300 deleted 0 1"}},
		{"a directory removed and made anew", "d/ d/a=1000\nd/ -d/ d/b=50", []string{"d/a 1000 deleted 0 1"}},
		{"and a file in it", "d/ d/a=1000\nd/ -d/ d/a=50", []string{"d/a 1000 overwritten 0 1"}},
		{"a step whites out what it adds", "a=1000\n-a a=1000", []string{"a 1000 rewritten 0 1"}},
		{"a whiteout in the lowest layer", "-a a=1000", nil},
		{"a whiteout of nothing", "a=1000\n-b", nil},
		{"one of two hard links goes", "a=1000 b->a\n-a", nil},
		{"both go", "a=1000 b->a\n-a\n-b", []string{"b 1000 deleted 0 2"}},
		{"one goes, one is overwritten", "a=1000 b->a\n-a\nb=10", []string{"b 1000 overwritten 0 2"}},
		{"a hard link of a later layer holds it", "a=1000\nb->a\n-a", nil},
		{"a file for a directory", "d/ d/a=1000\nd=10", []string{"d/a 1000 replaced 0 1"}},
		{"a directory for a file", "d=1000\nd/ d/a=10", []string{"d 1000 replaced 0 1"}},
		{"an implied directory for a file", "d=1000\nd/a=10", []string{"d 1000 replaced 0 1"}},
		{"a symbolic link for a file", "a=1000\na@", []string{"a 1000 replaced 0 1"}},
		{"twice in one tar", "a=1000 a=10", []string{"a 1000 replaced 0 0"}},
		{"twice the same in one tar", "a=1000 a=1000", []string{"a 1000 replaced 0 0"}},
		{"mv", "a=1000\n-a b=1000", []string{"a 1000 deleted 0 1"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ls := layers(t, tt.layers)
			m := build(t, ls)
			d := waste.FindDead(m)
			var got []string
			for _, c := range d.Copies {
				got = append(got, fmt.Sprintf("%s %d %s %d %d", m.Tree.Path(c.Path), c.Bytes, c.Reason, c.Ref.Layer, c.KilledBy))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("dead copies (-want +got):\n%s\n%s", diff, naive.Describe(ls))
			}
			checkSums(t, m, d)
		})
	}
}

func TestDuplicatesKeepTheFirst(t *testing.T) {
	m := build(t, layers(t, "z=100 a=100 only=7\nb=100 c->b\ne=50 f=50"))
	d := waste.FindDuplicates(m)
	var got []string
	for _, g := range d.Groups {
		paths := make([]string, len(g.Copies))
		for i, c := range g.Copies {
			paths[i] = m.Tree.Path(c.Path)
		}
		got = append(got, fmt.Sprint(g.Bytes(), paths))
	}
	if diff := cmp.Diff([]string{"200 [z a b]", "50 [e f]"}, got); diff != "" {
		t.Errorf("groups (-want +got):\n%s", diff)
	}
	if d.Bytes != 250 || d.Layers[0].Bytes != 100 || d.Layers[1].Bytes != 100 || d.Layers[2].Bytes != 50 {
		t.Errorf("sums are %+v", d.Tally)
	}
}

// BenchmarkFind finds the waste of 100,000 files of which a tenth is written
// again by each of nine layers.
func BenchmarkFind(b *testing.B) {
	const n = 100_000
	ls := make([][]tar.Header, 10)
	for i := range n {
		h := tar.Header{Name: fmt.Sprintf("usr/share/pkg%05d/file%07d", i/50, i), Typeflag: tar.TypeReg, Size: int64(1 + i%100)}
		ls[0] = append(ls[0], h)
		if k := i % 10; k > 0 {
			ls[k] = append(ls[k], h)
		}
	}
	m := build(b, ls)
	b.Run("dead", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			waste.FindDead(m)
		}
	})
	b.Run("duplicates", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			waste.FindDuplicates(m)
		}
	})
}
