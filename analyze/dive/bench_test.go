package dive_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/dive"
	"github.com/layerscope/layerscope/analyze/dive/divetest"
	"github.com/layerscope/layerscope/analyze/synth"
	"github.com/layerscope/layerscope/analyze/tree"
)

func layersOf(img synth.Image) (layers []synth.Layer) {
	for _, s := range img.Steps {
		layers = append(layers, s.Layer)
	}
	return layers
}

func BenchmarkComputeManyWhiteouts(b *testing.B) {
	xs := indexes(b, layersOf(divetest.ManyWhiteouts()))
	b.ReportAllocs()
	for b.Loop() {
		dive.Compute(xs)
	}
}

// BenchmarkComputeManyFiles is of a million files in one layer.
func BenchmarkComputeManyFiles(b *testing.B) {
	xs := indexes(b, []synth.Layer{{synth.Many(1_000_000, func(i int) synth.Entry {
		return synth.Body(fmt.Sprintf("usr/share/pkg%05d/file%07d.txt", i/50, i), 100, 1)
	})}})
	b.ReportAllocs()
	for b.Loop() {
		dive.Compute(xs)
	}
}

// BenchmarkBuildManyWhiteouts is the stacking by the rules of OCI, for
// comparison.
func BenchmarkBuildManyWhiteouts(b *testing.B) {
	xs := indexes(b, layersOf(divetest.ManyWhiteouts()))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := tree.Build(context.Background(), xs, tree.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkAnalyzeManyWhiteouts is all of it, from the archive to the findings.
func BenchmarkAnalyzeManyWhiteouts(b *testing.B) {
	var buf bytes.Buffer
	if err := synth.DockerArchive(&buf, divetest.ManyWhiteouts()); err != nil {
		b.Fatal(err)
	}
	path := filepath.Join(b.TempDir(), "image.tar")
	if err := os.WriteFile(path, buf.Bytes(), 0o600); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		m, err := analyze.Analyze(context.Background(), path, analyze.Options{})
		if err != nil {
			b.Fatal(err)
		}
		m.Findings()
	}
}
