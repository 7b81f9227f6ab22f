package layer_test

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/layerscope/layerscope/analyze/layer"
)

// writeSmall writes a tar of n files of 100 bytes, 50 to a directory.
func writeSmall(tb testing.TB, w io.Writer, n int) {
	tb.Helper()
	tw := tar.NewWriter(w)
	body := bytes.Repeat([]byte("x"), 100)
	mtime := time.Unix(1704164645, 0)
	for i := range n {
		hdr := &tar.Header{Name: fmt.Sprintf("usr/share/pkg%05d/file%07d.txt", i/50, i), Size: 100, Mode: 0o644, ModTime: mtime, Format: tar.FormatUSTAR}
		if err := tw.WriteHeader(hdr); err != nil {
			tb.Fatal(err)
		}
		if _, err := tw.Write(body); err != nil {
			tb.Fatal(err)
		}
	}
	if err := tw.Close(); err != nil {
		tb.Fatal(err)
	}
}

// writeLarge writes a tar of n files of size bytes each.
func writeLarge(tb testing.TB, w io.Writer, n int, size int64) {
	tb.Helper()
	tw := tar.NewWriter(w)
	body := make([]byte, size)
	for i := range body {
		body[i] = byte(i * i >> 3)
	}
	for i := range n {
		if err := tw.WriteHeader(&tar.Header{Name: fmt.Sprintf("opt/large%d", i), Size: size, Mode: 0o644}); err != nil {
			tb.Fatal(err)
		}
		if _, err := tw.Write(body); err != nil {
			tb.Fatal(err)
		}
	}
	if err := tw.Close(); err != nil {
		tb.Fatal(err)
	}
}

func tempTar(b *testing.B, write func(io.Writer)) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "layer.tar")
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	write(f)
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	return path
}

func benchRead(b *testing.B, path string) {
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(info.Size())
	b.ReportAllocs()
	var x *layer.Index
	for b.Loop() {
		f, err := os.Open(path)
		if err != nil {
			b.Fatal(err)
		}
		x, err = layer.Read(context.Background(), f, layer.Options{})
		if err != nil {
			b.Fatal(err)
		}
		f.Close()
	}
	b.ReportMetric(float64(x.Len())*float64(b.N)/b.Elapsed().Seconds(), "entries/s")
	b.ReportMetric(float64(x.MemSize())/float64(x.Len()), "B/entry")
}

func BenchmarkReadSmallFiles(b *testing.B) {
	benchRead(b, tempTar(b, func(w io.Writer) { writeSmall(b, w, 200_000) }))
}

func BenchmarkReadLargeFiles(b *testing.B) {
	benchRead(b, tempTar(b, func(w io.Writer) { writeLarge(b, w, 16, 32<<20) }))
}

func BenchmarkReadGzip(b *testing.B) {
	benchRead(b, tempTar(b, func(w io.Writer) {
		gz := gzip.NewWriter(w)
		writeSmall(b, gz, 200_000)
		if err := gz.Close(); err != nil {
			b.Fatal(err)
		}
	}))
}

func BenchmarkOutline(b *testing.B) {
	const n = 100_000
	var buf bytes.Buffer
	writeSmall(b, &buf, n)
	x, err := layer.Read(context.Background(), &buf, layer.Options{})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		x.Outline()
	}
}
