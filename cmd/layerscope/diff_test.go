package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/synth/demo"
)

// TestProgressOfTwo says what each of two jobs is at, and adds them up.
func TestProgressOfTwo(t *testing.T) {
	job := func() *analyze.Job {
		img, err := demo.Open()
		if err != nil {
			t.Fatal(err)
		}
		return analyze.StartImage(t.Context(), img, analyze.Options{})
	}
	old, new := job(), job()
	for _, j := range []*analyze.Job{old, new} {
		if _, err := j.Wait(); err != nil {
			t.Fatal(err)
		}
	}
	one, both := old.Progress(), bothOf(old, new)
	if both.Phase != "OLD: read, NEW: read" {
		t.Errorf("the phase is %q", both.Phase)
	}
	if both.Layers != 2*one.Layers || both.LayersDone != 2*one.LayersDone || both.Bytes != 2*one.Bytes || one.Layers == 0 {
		t.Errorf("both are at %+v, one at %+v", both, one)
	}
}

// TestDiffErrorFirst: the image that fails is named while the other is still
// waited for.
func TestDiffErrorFirst(t *testing.T) {
	r, w, err := os.Pipe() // which nothing comes out of
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	defer r.Close()
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	a := &app{in: r, out: null, err: null}
	gone := filepath.Join(t.TempDir(), "gone.tar")
	if _, err := a.compareImages(t.Context(), "-", gone, &diffFlags{}); err == nil || err.Error() != `NEW: no such file: "`+gone+`"` {
		t.Errorf("error %v", err)
	}
}
