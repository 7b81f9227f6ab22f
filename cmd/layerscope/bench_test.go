//go:build unix

package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/layerscope/layerscope/analyze/dive/divetest"
	"github.com/layerscope/layerscope/analyze/synth"
)

// These benchmarks measure the program as users run it: a process, its wall
// time and its peak memory, from a docker-archive to the report.

// buildBinary builds the command as `make build` does.
func buildBinary(b *testing.B) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "layerscope")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", path, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("building: %v\n%s", err, out)
	}
	return path
}

func writeArchive(b *testing.B, img synth.Image) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "image.tar")
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	w := bufio.NewWriterSize(f, 1<<20)
	if err := synth.DockerArchive(w, img); err != nil {
		b.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	return path
}

// largeFiles is an image of 2 GB in files of 128 MiB, in so many layers.
func largeFiles(layers int) synth.Image {
	const files = 16
	img := synth.Image{}
	for k := range layers {
		var l synth.Layer
		for i := range files / layers {
			l = append(l, synth.Body(fmt.Sprintf("opt/%d/file%d", k, i), 128<<20, uint64(k*files+i)))
		}
		img.Steps = append(img.Steps, synth.Step{CreatedBy: "COPY opt /opt # buildkit", Layer: l})
	}
	return img
}

// manyFiles is an image of one layer of n files of 100 bytes.
func manyFiles(n int) synth.Image {
	return synth.Image{Steps: []synth.Step{{CreatedBy: "COPY usr /usr # buildkit", Layer: synth.Layer{
		synth.Many(n, func(i int) synth.Entry {
			return synth.Body(fmt.Sprintf("usr/share/pkg%05d/file%07d.txt", i/50, i), 100, uint64(i))
		}),
	}}}}
}

// measure runs a command to its end and returns its wall time and peak memory
// in bytes, by the system's account of it.
func measure(b *testing.B, name string, args ...string) (time.Duration, int64) {
	b.Helper()
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = io.Discard, os.Stderr
	start := time.Now()
	if err := cmd.Run(); err != nil {
		b.Fatalf("%s: %v", name, err)
	}
	return time.Since(start), cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss * 1024
}

func benchProcess(b *testing.B, img synth.Image, beside ...string) {
	bin, path := buildBinary(b), writeArchive(b, img)
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	measure(b, bin, "report", path) // the file into the page cache
	b.SetBytes(info.Size())
	var wall, other time.Duration
	var peak int64
	b.ResetTimer()
	for range b.N {
		d, m := measure(b, bin, "report", path)
		wall, peak = wall+d, max(peak, m)
		if len(beside) > 0 { // in turn, so that a machine that slows down slows both
			b.StopTimer()
			d, _ := measure(b, beside[0], append(beside[1:], path)...)
			other += d
			b.StartTimer()
		}
	}
	b.ReportMetric(float64(peak)/1e6, "peak-MB")
	if other > 0 {
		b.ReportMetric(wall.Seconds()/other.Seconds(), "×"+filepath.Base(beside[0]))
	}
}

func BenchmarkProcessLargeFilesOneLayer(b *testing.B) { benchProcess(b, largeFiles(1), "sha256sum") }

func BenchmarkProcessLargeFilesFourLayers(b *testing.B) { benchProcess(b, largeFiles(4), "sha256sum") }

func BenchmarkProcessMillionFiles(b *testing.B) { benchProcess(b, manyFiles(1_000_000)) }

// BenchmarkProcessManyWhiteouts is an image that dive takes half a minute for.
func BenchmarkProcessManyWhiteouts(b *testing.B) { benchProcess(b, divetest.ManyWhiteouts()) }

// BenchmarkProcessStart is the least that a run takes.
func BenchmarkProcessStart(b *testing.B) {
	bin := buildBinary(b)
	b.ResetTimer()
	for range b.N {
		measure(b, bin, "version")
	}
}
