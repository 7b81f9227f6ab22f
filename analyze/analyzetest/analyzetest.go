// Package analyzetest analyzes images made in code, for tests.
package analyzetest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/synth"
)

// Image analyzes an image, which it writes as an OCI archive.
func Image(t testing.TB, img synth.Image) *analyze.Image {
	t.Helper()
	return ImageWith(t, img, analyze.Options{})
}

// ImageWith is [Image] with options.
func ImageWith(t testing.TB, img synth.Image, opts analyze.Options) *analyze.Image {
	t.Helper()
	path := filepath.Join(t.TempDir(), "image.tar")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(synth.OCIArchive(f, img), f.Close()); err != nil {
		t.Fatal(err)
	}
	m, err := analyze.Analyze(context.Background(), path, opts)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// WithPackages analyzes an image of these layers, with its packages.
func WithPackages(t testing.TB, layers ...synth.Layer) *analyze.Image {
	t.Helper()
	img := synth.Image{}
	for i, l := range layers {
		img.Steps = append(img.Steps, synth.Step{CreatedBy: fmt.Sprintf("RUN step %d", i), Layer: l})
	}
	return ImageWith(t, img, analyze.Options{Packages: true})
}
