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
	"github.com/layerscope/layerscope/analyze/synth"
	"github.com/layerscope/layerscope/analyze/tree"
)

// manyWhiteouts is an image of 20,000 files in 30 layers. Each layer but the
// lowest removes files of the one below it, 1,000 in all: dive takes half a minute
// for it, since for every whiteout it stacks all layers below.
func manyWhiteouts() synth.Image {
	const files, layers, whiteouts = 20_000, 30, 1_000
	name := func(i int) string { return fmt.Sprintf("usr/share/pkg%04d/file%05d", i/50, i) }
	img := synth.Image{Tags: []string{"many:whiteouts"}}
	for k := range layers {
		var l synth.Layer
		for i := k * files / layers; i < (k+1)*files/layers; i++ {
			l = append(l, synth.Body(name(i), 100, uint64(i)))
		}
		if k > 0 { // of the layer below, every tenth
			for i := range k*whiteouts/(layers-1) - (k-1)*whiteouts/(layers-1) {
				l = append(l, synth.Whiteout(name((k-1)*files/layers+10*i)))
			}
		}
		img.Steps = append(img.Steps, synth.Step{CreatedBy: fmt.Sprintf("RUN step %d", k), Layer: l.WithParents()})
	}
	return img
}

func layersOf(img synth.Image) (layers []synth.Layer) {
	for _, s := range img.Steps {
		layers = append(layers, s.Layer)
	}
	return layers
}

func BenchmarkComputeManyWhiteouts(b *testing.B) {
	xs := indexes(b, layersOf(manyWhiteouts()))
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
	xs := indexes(b, layersOf(manyWhiteouts()))
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
	if err := synth.DockerArchive(&buf, manyWhiteouts()); err != nil {
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
