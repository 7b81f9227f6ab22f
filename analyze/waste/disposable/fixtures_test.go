package disposable_test

import (
	"context"
	"maps"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/source"
	"github.com/layerscope/layerscope/analyze/synth/demo"
	"github.com/layerscope/layerscope/analyze/synth/fixture"
	"github.com/layerscope/layerscope/analyze/waste"
	"github.com/layerscope/layerscope/analyze/waste/disposable"
)

// TestFixtures holds the reports of other projects' images to the naive model,
// and to what is true of all.
func TestFixtures(t *testing.T) {
	read, found := 0, map[string]int{}
	for _, path := range fixturePaths(t) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		m, err := analyze.Analyze(ctx, path, analyze.Options{Source: source.Options{}})
		cancel()
		if err != nil {
			continue // whether it should be an error is for analyze's tests to say
		}
		read++
		t.Run(filepath.Base(path), func(t *testing.T) { check(t, m, found) })
	}
	if read < 80 {
		t.Errorf("only %d images could be read", read)
	}
	t.Logf("copies in %d images: %v", read, found)
}

// fixturePaths are the images of the fixtures' both folders.
func fixturePaths(t *testing.T) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(fixture.Dir(t), "built", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range fixture.Listed(t) {
		paths = append(paths, f.Path)
	}
	return paths
}

func check(t *testing.T, m *analyze.Image, found map[string]int) *disposable.Report {
	t.Helper()
	w := waste.Image{Tree: m.Tree, Env: m.Config.Config.Env}
	for _, l := range m.Layers {
		w.Compressed = append(w.Compressed, l.Compressed == l.Index.StoredSize)
	}
	r := disposable.Find(w)
	disposable.CheckReport(t, w, r, found)
	if diff := cmp.Diff(r.Tally, m.Findings().Disposable.Tally); diff != "" {
		t.Errorf("the findings differ (-report +findings):\n%s", diff)
	}
	for _, c := range r.Classes {
		t.Logf("%s: %d files of %d bytes, the largest %s", c.Rule.ID, c.Sum.Copies, c.Bytes, m.Tree.Path(c.Files[0].Path))
	}
	return r
}

// TestDemo checks what is said of the demo image, which is made to have some of
// everything.
func TestDemo(t *testing.T) {
	img, err := demo.Open()
	if err != nil {
		t.Fatal(err)
	}
	m, err := analyze.StartImage(context.Background(), img, analyze.Options{}).Wait()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]int{}
	check(t, m, found)
	want := []string{"apt-archives", "docs", "litter", "locales", "logs", "pip-cache", "python-bytecode", "vcs"}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(found))); diff != "" {
		t.Errorf("classes (-want +got):\n%s", diff)
	}
}
