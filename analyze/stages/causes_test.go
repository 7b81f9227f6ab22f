package stages

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/dockerfile"
)

// TestCauses holds what a stage leaves behind of which nothing is taken to what
// its image stores by cause.
func TestCauses(t *testing.T) {
	m := files(t)
	f, err := dockerfile.Parse("Dockerfile", []byte("FROM golang AS build\nFROM scratch\n"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := Read(f, Options{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := p.Report(t.Context(), map[int]*analyze.Image{0: m})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(m.Causes(true).Parts, r.All[0].Left.Parts); diff != "" || len(r.All[0].Left.Parts) < 2 {
		t.Errorf("-want +got\n%s", diff)
	}
}
