package cause_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/synth/fixture"
)

// TestFixtures holds the causes of other projects' images to what is true of
// all.
func TestFixtures(t *testing.T) {
	read := 0
	for _, img := range fixture.Listed(t) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		m, err := analyze.Analyze(ctx, img.Path, analyze.Options{Packages: true})
		cancel()
		if err != nil {
			continue // whether it should be an error is for analyze's tests to say
		}
		read++
		t.Run(filepath.Base(img.Path), func(t *testing.T) {
			for _, base := range []bool{false, true} {
				r := m.Causes(base)
				addsUp(t, m, r)
				for _, p := range r.Parts {
					t.Logf("base %t: %s %s: %d bytes, %d files", base, p.Kind, p.Part, p.Bytes, p.Copies)
				}
			}
		})
	}
	if read < 60 {
		t.Errorf("only %d images could be read", read)
	}
}
