package demo

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/layerscope/layerscope/analyze/layer"
	"github.com/layerscope/layerscope/analyze/source"
)

// digest is the image's name for all time: a change of it is a change of what
// people see and of every number in the documentation.
const digest = "sha256:d90988de2c758d0e23ed780d638a928479d87c27761bb3f1c4db55ab47692c86"

func open(t testing.TB) source.Image {
	t.Helper()
	img, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { img.Close() })
	return img
}

func TestDescription(t *testing.T) {
	d := open(t).Description()
	if d.Provisional {
		t.Error("provisional")
	}
	if d.Digest.String() != digest {
		t.Errorf("digest %s, want %s", d.Digest, digest)
	}
	if got := fmt.Sprintf("sha256:%x", sha256.Sum256(d.RawConfig)); d.ID.String() != got {
		t.Errorf("ID %s, the config's digest is %s", d.ID, got)
	}
	if d := cmp.Diff(v1.Platform{OS: "linux", Architecture: "amd64"}, d.Platform); d != "" {
		t.Errorf("platform (-want +got):\n%s", d)
	}
	if n := len(d.Layers); n != len(layers()) || n != len(d.Config.RootFS.DiffIDs) {
		t.Errorf("%d layers described of %d", n, len(layers()))
	}
}

// TestRead digests every blob, before and after decompressing it with the
// standard library.
func TestRead(t *testing.T) {
	img := open(t)
	type seen struct {
		size           int64
		digest, diffID string
	}
	var mu sync.Mutex
	got := map[string]seen{}
	d, err := img.Read(context.Background(), source.Request{Visit: func(_ context.Context, b source.Blob) error {
		stored, err := io.ReadAll(b.Reader)
		if err != nil {
			return err
		}
		zr, err := gzip.NewReader(bytes.NewReader(stored))
		if err != nil {
			return err
		}
		plain := sha256.New()
		if _, err := io.Copy(plain, zr); err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		got[b.Key] = seen{b.Size, fmt.Sprintf("sha256:%x", sha256.Sum256(stored)), fmt.Sprintf("sha256:%x", plain.Sum(nil))}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]seen{}
	for _, l := range d.Layers {
		want[l.Key] = seen{l.Size, l.Digest.String(), l.DiffID.String()}
	}
	if len(want) != len(d.Layers) {
		t.Errorf("%d layers have %d keys", len(d.Layers), len(want))
	}
	if d := cmp.Diff(want, got, cmp.AllowUnexported(seen{})); d != "" {
		t.Errorf("blobs (-described +read):\n%s", d)
	}
}

func TestReadWanted(t *testing.T) {
	img := open(t)
	second := img.Description().Layers[1]
	var keys []string
	_, err := img.Read(context.Background(), source.Request{
		Want: func(l source.Layer) bool { return l.DiffID == second.DiffID },
		Visit: func(_ context.Context, b source.Blob) error {
			keys = append(keys, b.Key)
			return nil // without reading it
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{second.Key}, keys); d != "" {
		t.Errorf("visited (-want +got):\n%s", d)
	}
}

func TestReadFails(t *testing.T) {
	boom := errors.New("boom")
	_, err := open(t).Read(context.Background(), source.Request{Visit: func(context.Context, source.Blob) error { return boom }})
	if !errors.Is(err, boom) {
		t.Errorf("error %v, want the visitor's", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	_, err = open(t).Read(ctx, source.Request{Visit: func(_ context.Context, b source.Blob) error {
		cancel()
		_, err := io.Copy(io.Discard, b.Reader)
		return err
	}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
}

// BenchmarkRead generates and indexes the whole image, which layerscope demo
// does before it shows all numbers.
func BenchmarkRead(b *testing.B) {
	for b.Loop() {
		_, err := open(b).Read(context.Background(), source.Request{Visit: func(ctx context.Context, blob source.Blob) error {
			_, err := layer.Read(ctx, blob.Reader, layer.Options{})
			return err
		}})
		if err != nil {
			b.Fatal(err)
		}
	}
}
