package disposable

import (
	"archive/tar"
	"context"
	"fmt"
	"io"
	"testing"

	"github.com/layerscope/layerscope/analyze/layer"
	"github.com/layerscope/layerscope/analyze/tree"
	"github.com/layerscope/layerscope/analyze/waste"
)

// BenchmarkFind looks through a million files. What kinds are mostly of no
// class; mixed is what images of Python and Node.js are full of.
func BenchmarkFind(b *testing.B) {
	for _, bench := range []struct {
		name string
		path func(i int) string
	}{
		{"plain", func(i int) string { return fmt.Sprintf("usr/share/pkg%05d/file%07d", i/50, i) }},
		{"oneDirectory", func(i int) string { return fmt.Sprintf("data/file%07d.js.map", i) }},
		{"mixed", mixedPath},
	} {
		b.Run(bench.name, func(b *testing.B) {
			m := image(b, 1_000_000, bench.path)
			b.ReportAllocs()
			for b.Loop() {
				Find(m)
			}
		})
	}
}

// mixedPath names twenty files a package, in turn of Python and Node.js.
func mixedPath(i int) string {
	dir, module := i/20, i%20/2
	switch {
	case dir%2 == 0 && i%2 == 0:
		return fmt.Sprintf("usr/local/lib/python3.13/site-packages/p%d/sub/m%d.py", dir, module)
	case dir%2 == 0:
		return fmt.Sprintf("usr/local/lib/python3.13/site-packages/p%d/sub/__pycache__/m%d.cpython-313.pyc", dir, module)
	case i%2 == 0:
		return fmt.Sprintf("app/node_modules/p%d/dist/m%d.js", dir, module)
	}
	return fmt.Sprintf("app/node_modules/p%d/dist/m%d.js.map", dir, module)
}

// image returns an image of one layer with n files of a byte.
func image(tb testing.TB, n int, path func(i int) string) waste.Image {
	tb.Helper()
	r, w := io.Pipe()
	go func() {
		tw := tar.NewWriter(w)
		for i := range n {
			h := tar.Header{Name: path(i), Typeflag: tar.TypeReg, Size: 1, Mode: 0o644}
			if err := tw.WriteHeader(&h); err != nil {
				w.CloseWithError(err)
				return
			}
			tw.Write([]byte{'x'}) // an error is the next header's too
		}
		w.CloseWithError(tw.Close())
	}()
	x, err := layer.Read(context.Background(), r, layer.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	t, err := tree.Build(context.Background(), []*layer.Index{x}, tree.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	return waste.Image{Tree: t, Compressed: []bool{false}}
}
