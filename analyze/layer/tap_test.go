package layer_test

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/layerscope/layerscope/analyze/layer"
	"github.com/layerscope/layerscope/analyze/synth"
)

// tap keeps the bodies that it wants.
type tap struct {
	want func(path string) bool
	at   string
	body bytes.Buffer
	got  map[string]string
}

func (t *tap) Open(row int, path string, size int64) bool {
	t.at = fmt.Sprintf("%d %s %d", row, path, size)
	t.body.Reset()
	return t.want(path)
}
func (t *tap) Write(p []byte) { t.body.Write(p) }
func (t *tap) Close()         { t.got[t.at] = t.body.String() }

// TestTap compares what a tap sees with what archive/tar reads.
func TestTap(t *testing.T) {
	long := strings.Repeat("long/", 60)
	l := synth.Layer{
		synth.Dir("etc"),
		synth.File("./etc/one", "1"),
		synth.File("etc/none", ""),
		synth.Body("etc/large", 300_000, 1),
		synth.File("/etc/../etc//two", "22"),
		synth.File(long+"name", "by an extended header"),
		synth.Symlink("etc/link", "one"),
		synth.Hardlink("etc/hard", "etc/one"),
		synth.Whiteout("etc/gone"),
		synth.File("etc/unwanted", "no"),
		synth.File("etc/one", "the same path again"),
	}
	for _, c := range []synth.Compression{synth.None, synth.Gzip} {
		wanted := func(path string) bool { return path != "etc/unwanted" }
		seen := &tap{want: wanted, got: map[string]string{}}
		r := l.Open(c)
		x, err := layer.Read(context.Background(), r, layer.Options{Tap: seen})
		r.Close()
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]string{}
		plain := l.Open(synth.None)
		for i, tr := 0, tar.NewReader(plain); ; i++ {
			h, err := tr.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(tr)
			if err != nil {
				t.Fatal(err)
			}
			if p := x.Path(x.At(i)); h.Typeflag == tar.TypeReg && len(body) > 0 && wanted(p) {
				want[fmt.Sprintf("%d %s %d", i, p, h.Size)] = string(body)
			}
		}
		plain.Close()
		if diff := cmp.Diff(want, seen.got); diff != "" {
			t.Errorf("-tar +tap\n%s", diff)
		}
		if len(want) != 5 {
			t.Errorf("%d bodies, not 5", len(want))
		}
	}
}

// TestTapCut checks that a body that breaks off isn't said to be whole.
func TestTapCut(t *testing.T) {
	var b bytes.Buffer
	if _, err := (synth.Layer{synth.Body("file", 10_000, 1)}).WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	seen := &tap{want: func(string) bool { return true }, got: map[string]string{}}
	_, err := layer.Read(context.Background(), bytes.NewReader(b.Bytes()[:5000]), layer.Options{Tap: seen})
	if err == nil || len(seen.got) > 0 || seen.body.Len() == 0 {
		t.Errorf("error %v, closed %d, %d bytes seen", err, len(seen.got), seen.body.Len())
	}
}
