package tree_test

import (
	"archive/tar"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/layerscope/layerscope/analyze/layer"
	"github.com/layerscope/layerscope/analyze/tree"
	"github.com/layerscope/layerscope/analyze/tree/naive"
)

func benchBuild(b *testing.B, layers ...*layer.Index) *tree.Tree {
	b.Helper()
	b.ReportAllocs()
	var t *tree.Tree
	for b.Loop() {
		var err error
		if t, err = tree.Build(context.Background(), layers, tree.Options{}); err != nil {
			b.Fatal(err)
		}
	}
	return t
}

func manyFiles(b *testing.B, n int) *layer.Index {
	b.Helper()
	var members []tar.Header
	for i := range n {
		members = append(members, tar.Header{Name: fmt.Sprintf("usr/share/pkg%05d/file%07d", i/50, i), Typeflag: tar.TypeReg})
	}
	return naive.Index(b, members)
}

func BenchmarkBuild(b *testing.B) { benchBuild(b, manyFiles(b, 100_000)) }

// BenchmarkBuildCleared replaces a directory of many files by a file, and makes
// it anew, as often as it had files: twice as much must take twice the time.
func BenchmarkBuildCleared(b *testing.B) {
	for _, n := range []int{10_000, 20_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var members []tar.Header
			for i := range n {
				members = append(members, tar.Header{Name: fmt.Sprintf("d/%d", i), Typeflag: tar.TypeReg})
			}
			for range n {
				members = append(members, tar.Header{Name: "d", Typeflag: tar.TypeReg}, tar.Header{Name: "d/0", Typeflag: tar.TypeReg})
			}
			benchBuild(b, naive.Index(b, members))
		})
	}
}

// BenchmarkBuildDeep makes files in directories of their own, one in another, and
// removes them: directories of twice the depth must take twice the time.
func BenchmarkBuildDeep(b *testing.B) {
	for _, depth := range []int{4_000, 8_000} {
		b.Run(fmt.Sprint(depth), func(b *testing.B) {
			var members, whiteouts []tar.Header
			for i := range 10 {
				members = append(members, tar.Header{Name: fmt.Sprintf("%d/%sf", i, strings.Repeat("d/", depth)), Typeflag: tar.TypeReg})
				whiteouts = append(whiteouts, tar.Header{Name: fmt.Sprintf(".wh.%d", i), Typeflag: tar.TypeReg})
			}
			benchBuild(b, naive.Index(b, members), naive.Index(b, whiteouts))
		})
	}
}

// BenchmarkBuildWhiteouts deletes every file in a layer of its own kind: half
// of the entries of the image are whiteouts.
func BenchmarkBuildWhiteouts(b *testing.B) {
	for _, n := range []int{10_000, 20_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var whiteouts []tar.Header
			for i := range n {
				whiteouts = append(whiteouts, tar.Header{Name: fmt.Sprintf("usr/share/pkg%05d/.wh.file%07d", i/50, i), Typeflag: tar.TypeReg})
			}
			benchBuild(b, manyFiles(b, n), naive.Index(b, whiteouts))
		})
	}
}

func BenchmarkView(b *testing.B) {
	t, err := tree.Build(context.Background(), []*layer.Index{manyFiles(b, 100_000)}, tree.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		t.Final()
	}
}
