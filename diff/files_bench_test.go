package diff

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/layerscope/layerscope/analyze/synth"
	"github.com/layerscope/layerscope/analyze/tree"
)

func benchFiles(b *testing.B, old, new *tree.Tree) {
	b.Helper()
	b.ReportAllocs()
	var f *Files
	for b.Loop() {
		var err error
		if f, err = compareFiles(context.Background(), old, new, Options{}); err != nil {
			b.Fatal(err)
		}
		f.Notable(20)
		f.MovedDirs()
	}
	b.ReportMetric(float64(len(f.Changes)), "changes")
}

const benchCount = 100_000

// packaged is an image of 50 files a directory; f returns what a file holds.
func packaged(b *testing.B, dir string, f func(i int) string) *tree.Tree {
	b.Helper()
	return stacked(b, synth.Layer{synth.Many(benchCount, func(i int) synth.Entry {
		return synth.File(fmt.Sprintf("%s/pkg%05d/file%07d", dir, i/50, i), f(i))
	})})
}

func own(i int) string { return fmt.Sprint("file ", i) }

// BenchmarkFiles compares images of 100,000 files.
func BenchmarkFiles(b *testing.B) {
	old := packaged(b, "usr/share", own)
	b.Run("same", func(b *testing.B) { benchFiles(b, old, packaged(b, "usr/share", own)) })
	b.Run("every tenth modified", func(b *testing.B) {
		benchFiles(b, old, packaged(b, "usr/share", func(i int) string {
			if i%10 == 0 {
				return "changed"
			}
			return own(i)
		}))
	})
	b.Run("all others", func(b *testing.B) {
		benchFiles(b, old, packaged(b, "usr/lib", func(i int) string { return fmt.Sprint("other ", i) }))
	})
	b.Run("all moved", func(b *testing.B) { benchFiles(b, old, packaged(b, "opt/share", own)) })
}

// BenchmarkFilesOneContent moves files that are all the same: with names of their
// own, with names that are the same at both ends, and with one name.
func BenchmarkFilesOneContent(b *testing.B) {
	files := func(format string) *tree.Tree {
		return stacked(b, synth.Layer{synth.Many(benchCount, func(i int) synth.Entry { return synth.File(fmt.Sprintf(format, i), "x") })})
	}
	for _, test := range []struct{ name, old, new string }{
		{"other names", "old/%d", "new/n%d"},
		{"same names", "old/%d", "new/%d"},
		{"deep", "old/%d/a/b/c/d/e/f/g/h", "new/n%d/a/b/c/d/e/f/g/h"},
		{"one name", "old/%d/name", "new/n%d/name"},
	} {
		b.Run(test.name, func(b *testing.B) { benchFiles(b, files(test.old), files(test.new)) })
	}
}

// BenchmarkFilesDeep compares images with paths as deep as a layer's may be: one
// path, and one with a file in every hundredth directory of it.
func BenchmarkFilesDeep(b *testing.B) {
	const depth = 16_000
	deep := func(top string, every int) *tree.Tree {
		l := synth.Layer{}
		for d := every; d <= depth; d += every {
			l = append(l, synth.File(top+strings.Repeat("/d", d)+"/f", fmt.Sprint("file ", d/every%7)))
		}
		return stacked(b, l)
	}
	b.Run("same", func(b *testing.B) { benchFiles(b, deep("a", depth), deep("a", depth)) })
	b.Run("moved", func(b *testing.B) { benchFiles(b, deep("a", depth), deep("b", depth)) })
	b.Run("many moved", func(b *testing.B) { benchFiles(b, deep("a", 100), deep("b", 100)) })
}

// BenchmarkFilesLinked compares an image of linked files with one of copies.
func BenchmarkFilesLinked(b *testing.B) {
	old := stacked(b, synth.Layer{synth.File("first", "x"), synth.Many(benchCount, func(i int) synth.Entry {
		return synth.Hardlink(fmt.Sprintf("link%d", i), "first")
	})})
	new := stacked(b, synth.Layer{synth.File("first", "x"), synth.Many(benchCount, func(i int) synth.Entry {
		return synth.File(fmt.Sprintf("link%d", i), "x")
	})})
	benchFiles(b, old, new)
}
