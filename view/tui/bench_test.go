package tui

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/gdamore/tcell/v2"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/source"
	"github.com/layerscope/layerscope/analyze/synth"
)

// million is an image with a layer of a million files and one that removes
// some.
func million(files int) source.Image {
	const perDir = 1000
	return &memory{
		d: &source.Description{
			Platform: v1.Platform{OS: "linux", Architecture: "amd64"},
			Config: &v1.ConfigFile{OS: "linux", History: []v1.History{
				{CreatedBy: "COPY files / # buildkit"}, {CreatedBy: "RUN rm # buildkit"}}},
			Layers: []source.Layer{{Key: "0", Size: -1}, {Key: "1", Size: -1}},
		},
		layers: []synth.Layer{
			{synth.Many(files, func(i int) synth.Entry {
				return synth.File(fmt.Sprintf("srv/data/d%04d/file-%06d.bin", i/perDir, i), "x")
			})},
			{synth.Whiteout("srv/data/d0001")},
		},
	}
}

// BenchmarkKeyToFrame measures from a key press to the frame that shows it, on
// the real event loop and a simulated screen, in an image of a million files.
// It gives the median and the 99th percentile of each key and, for what takes
// longer than a frame, the median time until the answer is there.
func BenchmarkKeyToFrame(b *testing.B) {
	job := analyze.StartImage(context.Background(), million(1_000_000), analyze.Options{})
	if _, err := job.Wait(); err != nil {
		b.Fatal(err)
	}
	for _, bench := range []struct {
		name  string
		setup []string
		keys  []string
	}{
		{"move", []string{"v", "Tab", "+"}, []string{"j"}},
		{"page", []string{"v", "Tab", "+"}, []string{"PgDn"}},
		{"ends", []string{"v", "Tab", "+"}, []string{"G", "g"}},
		{"step", nil, []string{"j", "k"}},
		{"fold", []string{"v", "Tab"}, []string{"l", "h"}},
		{"fold-all", []string{"v", "Tab"}, []string{"+", "-"}},
		{"filter", []string{"v", "Tab", "/"}, []string{"9", "Backspace"}},
	} {
		b.Run(bench.name, func(b *testing.B) { benchmarkKeys(b, job, bench.setup, bench.keys) })
	}
}

func benchmarkKeys(b *testing.B, job *analyze.Job, setup, keys []string) {
	s := play(b, job, 120, 40, Options{})
	s.settled()
	s.press(setup...)
	var took, answered []time.Duration
	frames := make(chan struct{}, 1)
	s.loop(func() {
		s.u.app.SetAfterDrawFunc(func(tcell.Screen) {
			select {
			case frames <- struct{}{}:
			default:
			}
		})
	})
	for i := 0; b.Loop(); i++ {
		for len(frames) > 0 {
			<-frames
		}
		start := time.Now()
		s.inject(keys[i%len(keys)])
		<-frames
		took = append(took, time.Since(start))
		b.StopTimer()
		s.until("idle", s.idle)
		answered = append(answered, time.Since(start))
		b.StartTimer()
	}
	slices.Sort(took)
	slices.Sort(answered)
	b.ReportMetric(float64(answered[len(answered)/2].Microseconds())/1000, "ms/answer")
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "ms/median")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "ms/p99")
}
