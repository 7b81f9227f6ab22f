//go:build linux

package e2e

import (
	"fmt"
	"io"
	"testing"

	"github.com/layerscope/layerscope/analyze/synth"
)

// A layer of a million files goes through a pipe.
func TestMillionFiles(t *testing.T) {
	l := open(t)
	const n, size = 1_000_000, 10
	img := synth.Image{Steps: []synth.Step{{CreatedBy: "COPY . /", Layer: synth.Layer{
		synth.Many(n, func(i int) synth.Entry {
			return synth.File(fmt.Sprintf("srv/%03d/%03d", i/1000, i%1000), "0123456789")
		}),
	}}}}
	r, w := io.Pipe()
	go func() { w.CloseWithError(synth.DockerArchive(w, img)) }()
	got := l.run(t, call{args: []string{"report", "--format", "json", "-"}, stdin: r}).report(t)
	if got.Totals.Files != n || got.Totals.Stored != n*size || got.Totals.Live != n*size || got.Layers[0].Entries != n {
		t.Errorf("%+v of %d entries; want %d files of %d bytes", got.Totals, got.Layers[0].Entries, n, size)
	}
}
