package source

import (
	"context"
	"errors"
	"io"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestEachBlobOnce checks that a blob two layers share is handed out once, and
// that what isn't wanted isn't handed out.
func TestEachBlobOnce(t *testing.T) {
	a, b := layerTar(t, "a", "base"), layerTar(t, "b", "app")
	path := writeFile(t, pack(t, legacy(t, amd64("x:1", a, b, a))...))
	d, err := readAll(t, path, Options{}) // fails if a key comes twice
	if err != nil {
		t.Fatal(err)
	}
	if d.Layers[0].Key != d.Layers[2].Key || d.Layers[0].Key == d.Layers[1].Key {
		t.Errorf("layers %v", d.Layers)
	}
	img, err := openArchive(t.Context(), Bare, path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	var keys []string
	_, err = img.Read(t.Context(), Request{
		Want:  func(l Layer) bool { return l.DiffID == sha256Of([]byte(b)) },
		Visit: func(_ context.Context, b Blob) error { keys = append(keys, b.Key); return nil },
	})
	if want := []string{d.Layers[1].Key}; err != nil || !cmp.Equal(keys, want) {
		t.Errorf("handed out %q, %v, want %q", keys, err, want)
	}
}

// TestParallel checks that layers of a file are handed out several at a time.
func TestParallel(t *testing.T) {
	n := runtime.GOMAXPROCS(0)
	var layers []string
	for i := range 4 * n {
		layers = append(layers, layerTar(t, "f", strings.Repeat("x", i)))
	}
	var together sync.WaitGroup
	together.Add(n)
	img, err := openArchive(t.Context(), Bare, writeFile(t, pack(t, legacy(t, amd64("x:1", layers...))...)), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	var mu sync.Mutex
	visited := 0
	_, err = img.Read(t.Context(), Request{Visit: func(_ context.Context, b Blob) error {
		mu.Lock()
		visited++
		first := visited <= n
		mu.Unlock()
		if first {
			together.Done()
			together.Wait() // for the others: hangs if they don't come
		}
		_, err := io.Copy(io.Discard, b.Reader)
		return err
	}})
	if err != nil || visited != len(layers) {
		t.Errorf("visited %d of %d: %v", visited, len(layers), err)
	}
}

// TestVisitError checks that an error about a layer is returned with the
// layer's name, and one about something else isn't.
func TestVisitError(t *testing.T) {
	layer := layerTar(t, "a", "base")
	items := append([]item{{name: "other.tar", body: layerTar(t, "b", "other")}}, legacy(t, amd64("x:1", layer))...)
	path := writeFile(t, pack(t, items...))
	errBad := errors.New("bad")
	fail := func(which string) Request {
		return Request{Visit: func(_ context.Context, b Blob) error {
			if strings.HasSuffix(b.Key, which) {
				return errBad
			}
			return nil
		}}
	}
	for name, open := range map[string]func() (Image, error){
		"in place": func() (Image, error) { return openArchive(t.Context(), Bare, path, Options{}) },
		"stream":   func() (Image, error) { return openStream(t.Context(), archiveOf(t, path), Options{}) },
	} {
		for _, which := range []string{"layer.tar", "other.tar"} {
			img, err := open()
			if err != nil {
				t.Fatal(err)
			}
			_, err = img.Read(t.Context(), fail(which))
			if which == "other.tar" && err != nil {
				t.Errorf("%s, not a layer: %v", name, err)
			}
			if which == "layer.tar" && (!errors.Is(err, errBad) || !strings.Contains(err.Error(), "reading layer 0 (")) {
				t.Errorf("%s: %v", name, err)
			}
			img.Close()
		}
	}
}

// TestCancelVisit checks that cancelling while layers are read in place ends
// the reading with the context's error.
func TestCancelVisit(t *testing.T) {
	path := writeFile(t, pack(t, legacy(t, amd64("x:1", layerTar(t, "a", "1"), layerTar(t, "a", "2")))...))
	ctx, cancel := context.WithCancel(t.Context())
	img, err := openArchive(ctx, Bare, path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	_, err = img.Read(ctx, Request{Visit: func(ctx context.Context, b Blob) error {
		cancel()
		_, err := io.Copy(io.Discard, b.Reader)
		return err
	}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
