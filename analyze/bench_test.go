package analyze_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/synth"
)

// archive writes a docker-archive into a temporary folder.
func archive(tb testing.TB, img synth.Image) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "image.tar")
	f, err := os.Create(path)
	if err != nil {
		tb.Fatal(err)
	}
	w := bufio.NewWriterSize(f, 1<<20)
	if err := synth.DockerArchive(w, img); err != nil {
		tb.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		tb.Fatal(err)
	}
	if err := f.Close(); err != nil {
		tb.Fatal(err)
	}
	return path
}

// smallFiles is an image of n files of 100 bytes, 50 to a directory.
func smallFiles(n, layers int) synth.Image {
	img := synth.Image{}
	for k := range layers {
		img.Steps = append(img.Steps, synth.Step{CreatedBy: fmt.Sprintf("COPY files%d / # buildkit", k), Layer: synth.Layer{
			synth.Many(n/layers, func(i int) synth.Entry {
				i += k * (n / layers)
				return synth.Body(fmt.Sprintf("usr/share/pkg%05d/file%07d.txt", i/50, i), 100, uint64(i))
			}),
		}})
	}
	return img
}

func benchAnalyze(b *testing.B, img synth.Image) {
	path := archive(b, img)
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(info.Size())
	b.ReportAllocs()
	entries := 0
	for b.Loop() {
		m, err := analyze.Analyze(context.Background(), path, analyze.Options{})
		if err != nil {
			b.Fatal(err)
		}
		entries = 0
		for _, l := range m.Layers {
			entries += l.Entries
		}
	}
	b.ReportMetric(float64(entries)*float64(b.N)/b.Elapsed().Seconds(), "entries/s")
}

func BenchmarkAnalyzeSmallFilesOneLayer(b *testing.B) { benchAnalyze(b, smallFiles(200_000, 1)) }

func BenchmarkAnalyzeSmallFilesTwelveLayers(b *testing.B) { benchAnalyze(b, smallFiles(200_000, 12)) }

func BenchmarkAnalyzeLargeFiles(b *testing.B) {
	img := synth.Image{}
	for k := range 4 {
		img.Steps = append(img.Steps, synth.Step{CreatedBy: "COPY x / # buildkit", Layer: synth.Layer{
			synth.Body(fmt.Sprintf("opt/file%d", k), 128<<20, uint64(k)),
		}})
	}
	benchAnalyze(b, img)
}
