package naive

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"path"
	"strings"
	"testing"

	"github.com/layerscope/layerscope/analyze/layer"
	"github.com/layerscope/layerscope/analyze/tree"
)

// RandomLayers makes up to n layers, at least one, of members over few names,
// so that they collide often.
func RandomLayers(r *rand.Rand, n int) [][]tar.Header {
	all := []string{"a", "b", "c", "d", ".wh", "e f", "[x]", "\xff"}
	g := generator{r, all[:2+r.IntN(len(all)-1)], 1 + r.IntN(4)}
	layers := make([][]tar.Header, 1+r.IntN(n))
	for k := range layers {
		layers[k] = make([]tar.Header, r.IntN(14))
		for i := range layers[k] {
			layers[k][i] = g.member()
		}
	}
	return layers
}

type generator struct {
	*rand.Rand
	names []string
	depth int // most components of a path
}

func (r generator) path() string {
	parts := make([]string, 1+r.IntN(r.depth))
	for i := range parts {
		parts[i] = r.names[r.IntN(len(r.names))]
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

func (r generator) member() tar.Header {
	m := tar.Header{Name: r.path(), Mode: []int64{0o755, 0o644, 0o4711}[r.IntN(3)], Typeflag: tar.TypeReg}
	switch r.IntN(18) {
	case 0, 1, 2:
		m.Typeflag = tar.TypeDir
	case 3:
		m.Typeflag, m.Linkname = tar.TypeSymlink, "anywhere"
	case 4, 5:
		m.Typeflag, m.Linkname = tar.TypeLink, r.path()
	case 6, 7:
		dir, base := path.Split(m.Name)
		m.Name = dir + ".wh." + base
	case 8:
		m.Name += "/.wh..wh..opq"
	case 9:
		m.Name = []string{".", "./", "a/.wh.", "a/.wh..", ".wh..wh.plnk", ".wh..wh..opq", "a/.wh..."}[r.IntN(7)]
		if m.Name == "./" || m.Name == "." && r.IntN(4) > 0 { // a file there is odd, but can be
			m.Typeflag = tar.TypeDir
		}
	}
	if m.Typeflag == tar.TypeReg {
		m.Size, m.Uid = int64(r.IntN(3))*100, r.IntN(2)
	}
	return m
}

// fill returns the byte that the body of a member is made of: its owner, so
// that a header says all there is to say.
func fill(m tar.Header) byte { return byte(m.Uid) }

// Index writes a layer and reads it.
func Index(t testing.TB, members []tar.Header) *layer.Index {
	t.Helper()
	var buf bytes.Buffer
	tw := tar.NewWriter(&buf)
	for _, m := range members {
		if err := tw.WriteHeader(&m); err != nil {
			t.Fatal(err)
		}
		if _, err := tw.Write(bytes.Repeat([]byte{fill(m)}, int(m.Size))); err != nil {
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

// Tree writes layers, reads them and stacks them.
func Tree(t testing.TB, layers [][]tar.Header) *tree.Tree {
	t.Helper()
	indexes := make([]*layer.Index, len(layers))
	for k, l := range layers {
		indexes[k] = Index(t, l)
	}
	tr, err := tree.Build(context.Background(), indexes, tree.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// Describe returns layers to be read by whoever has to find out why a test
// failed.
func Describe(layers [][]tar.Header) string {
	var b strings.Builder
	for k, l := range layers {
		for row, m := range l {
			fmt.Fprintf(&b, "%d/%d %c %o %q -> %q %d bytes of %d\n", k, row, m.Typeflag, m.Mode, m.Name, m.Linkname, m.Size, m.Uid)
		}
	}
	return b.String()
}
