package layer_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/layerscope/layerscope/analyze/layer"
	"github.com/layerscope/layerscope/analyze/synth"
)

// bodyLayer has what makes counting rows hard: a global header, PAX headers,
// links and empty files.
func bodyLayer(content string) synth.Layer {
	return synth.Layer{
		synth.Dir("etc"),
		synth.Header(tar.Header{Typeflag: tar.TypeXGlobalHeader, PAXRecords: map[string]string{"comment": "git"}}, ""),
		synth.File("etc/empty", ""),
		synth.File("etc/"+strings.Repeat("long", 80), "pax", synth.Xattr("user.a", "b")),
		synth.Symlink("etc/link", "empty"),
		synth.File("etc/passwd", content),
		synth.Body("usr/bin/go", 300_000, 7),
		synth.File("etc/last", "last\n"),
	}
}

func index(t *testing.T, l synth.Layer) *layer.Index {
	t.Helper()
	r := l.Open(synth.None)
	defer r.Close()
	x, err := layer.Read(context.Background(), r, layer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// TestBody compares every body with what archive/tar reads of the same layer.
func TestBody(t *testing.T) {
	l := bodyLayer("root:x:0:0\n")
	x := index(t, l)
	for name, c := range map[string]synth.Compression{"plain": synth.None, "gzip": synth.Gzip, "zstd": synth.Zstd} {
		t.Run(name, func(t *testing.T) {
			want := bodies(t, l)
			for row := range x.Len() {
				if x.At(row).Type != layer.File {
					continue
				}
				r := l.Open(c)
				var got bytes.Buffer
				if err := layer.Body(context.Background(), &got, r, x, row, layer.Options{}); err != nil {
					t.Fatalf("row %d: %v", row, err)
				}
				r.Close()
				if !bytes.Equal(got.Bytes(), want[row]) {
					t.Errorf("row %d: body of %d bytes isn't the %d bytes that archive/tar reads", row, got.Len(), len(want[row]))
				}
			}
		})
	}
}

// bodies reads all bodies with archive/tar.
func bodies(t *testing.T, l synth.Layer) [][]byte {
	t.Helper()
	r := l.Open(synth.None)
	defer r.Close()
	var all [][]byte
	for tr := tar.NewReader(r); ; {
		hdr, err := tr.Next()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(tr)
		if err != nil {
			t.Fatal(err)
		}
		if hdr.Typeflag != tar.TypeXGlobalHeader {
			all = append(all, body)
		}
	}
}

func TestBodyErrors(t *testing.T) {
	l := bodyLayer("root:x:0:0\n")
	x := index(t, l)
	const passwd, last = 4, 6
	failed := errors.New("disk full")
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	tests := []struct {
		name string
		ctx  context.Context
		l    synth.Layer
		w    io.Writer
		row  int
		opts layer.Options
		want error
	}{
		{name: "other content of the same size", l: bodyLayer("toor:x:0:0\n"), row: passwd, want: layer.ErrBody},
		{name: "other size", l: bodyLayer("root"), row: passwd, want: layer.ErrBody},
		{name: "fewer entries", l: l[:4], row: last, want: layer.ErrBody},
		{name: "write error", l: l, w: failWriter{failed}, row: passwd, want: failed},
		{name: "canceled", ctx: canceled, l: l, row: passwd, want: context.Canceled},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.ctx == nil {
				tt.ctx = context.Background()
			}
			if tt.w == nil {
				tt.w = io.Discard
			}
			r := tt.l.Open(synth.Gzip)
			defer r.Close()
			if err := layer.Body(tt.ctx, tt.w, r, x, tt.row, tt.opts); !errors.Is(err, tt.want) {
				t.Errorf("got error %v, want %v", err, tt.want)
			}
		})
	}
}

func TestBodyTooLarge(t *testing.T) {
	l := bodyLayer("root:x:0:0\n")
	r := l.Open(synth.Gzip)
	defer r.Close()
	err := layer.Body(context.Background(), io.Discard, r, index(t, l), 6, layer.Options{MaxSize: 10_000})
	if tooLarge := (*layer.TooLargeError)(nil); !errors.As(err, &tooLarge) {
		t.Errorf("got error %v, want a TooLargeError", err)
	}
}

// TestBodyCut cuts the blob within the body.
func TestBodyCut(t *testing.T) {
	l := bodyLayer("root:x:0:0\n")
	whole := new(bytes.Buffer)
	if _, err := l.WriteTo(whole); err != nil {
		t.Fatal(err)
	}
	cut := iotest.HalfReader(bytes.NewReader(whole.Bytes()[:whole.Len()/2]))
	err := layer.Body(context.Background(), io.Discard, cut, index(t, l), 5, layer.Options{})
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got error %v, want %v", err, io.ErrUnexpectedEOF)
	}
}

type failWriter struct{ err error }

func (w failWriter) Write([]byte) (int, error) { return 0, w.err }
