package source

import (
	"cmp"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/layerscope/layerscope/analyze/layer"
	"github.com/layerscope/layerscope/analyze/synth"
)

// TestCancel checks that reading ends with its context, even if the reader of
// the archive blocks.
func TestCancel(t *testing.T) {
	archive := pack(t, legacy(t, amd64("x:1", layerTar(t, "a", strings.Repeat("x", 5000))))...)
	for name, sent := range map[string]int{"at once": 0, "in a member": 3000, "between": 1 << 10} {
		ctx, cancel := context.WithCancel(t.Context())
		pr, pw := io.Pipe()
		img, err := openStream(ctx, pr, Options{})
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			pw.Write(archive[:sent])
			cancel()
		}()
		done := make(chan error, 1)
		go func() {
			_, err := img.Read(ctx, Request{Visit: func(_ context.Context, b Blob) error {
				_, err := io.Copy(io.Discard, b.Reader)
				return err
			}})
			done <- err
		}()
		select {
		case err := <-done:
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v", name, err)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%s: still reading", name)
		}
		pw.Close()
	}
}

// TestTooLarge checks that a blob that is said to be too large isn't read to
// its end, compressed or not, and that the error names it.
func TestTooLarge(t *testing.T) {
	const size = 64 << 20
	archive := pack(t, legacy(t, amd64("x:1", layerTar(t, "a", strings.Repeat("x", size))))...)
	visit := func(_ context.Context, b Blob) error {
		_, err := io.CopyN(io.Discard, b.Reader, 1<<20)
		return cmp.Or(err, error(&layer.TooLargeError{Limit: 1 << 20}))
	}
	for name, data := range map[string][]byte{"plain": archive, "gzip": synth.Gzip.Bytes(archive)} {
		r := strings.NewReader(string(data))
		img, err := openStream(t.Context(), r, Options{})
		if err != nil {
			t.Fatal(err)
		}
		_, err = img.Read(t.Context(), Request{Visit: visit})
		var tooLarge *layer.TooLargeError
		if !errors.As(err, &tooLarge) || !strings.Contains(err.Error(), "layer.tar") {
			t.Errorf("%s: error %v, want a TooLargeError that names the member", name, err)
		}
		if name == "plain" && r.Len() < size/2 {
			t.Errorf("%s: %d bytes of %d were left unread", name, r.Len(), len(data))
		}
	}
}

// TestMetadataBounds checks that a stream's metadata is bounded and that a
// manifest among a flood of other JSON still counts.
func TestMetadataBounds(t *testing.T) {
	big := "{" + strings.Repeat(" ", maxMetadata-2) + "}"
	items := []item{{name: "manifest.json", body: big + " "}}
	path := writeFile(t, pack(t, items...))
	for name, err := range map[string]error{"in place": second(readAll(t, path, Options{})), "stream": second(readStreamed(t, path))} {
		if err == nil || !strings.Contains(err.Error(), "too large") {
			t.Errorf("%s: %v", name, err)
		}
	}
	items = nil
	for i := range 5 {
		items = append(items, item{name: "sbom" + string(rune('0'+i)) + ".json", body: big})
	}
	items = append(legacy(t, amd64("x:1", layerTar(t, "a", "1"))), items...)
	if _, err := readStreamed(t, writeFile(t, pack(t, items...))); err != nil {
		t.Errorf("among other JSON: %v", err)
	}
}

func second(_ *Description, err error) error { return err }

func readStreamed(t *testing.T, path string) (*Description, error) {
	t.Helper()
	img, err := openStream(t.Context(), archiveOf(t, path), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	return readImage(t, t.Context(), img)
}

// TestStreamOnce checks that a stream says so if it is read again.
func TestStreamOnce(t *testing.T) {
	img, err := openStream(t.Context(), strings.NewReader(""), Options{})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		_, err = img.Read(t.Context(), Request{Visit: ignore})
	}
	if err == nil || !strings.Contains(err.Error(), "already") {
		t.Errorf("got %v", err)
	}
}

func FuzzOpenStream(f *testing.F) {
	layer := layerTar(f, "a", "base")
	b := newBlobs(f)
	layout := b.layout(named(b.image(amd64("", layer)), "x"))
	for _, items := range [][]item{
		legacy(f, amd64("x:1", layer, layer)), layout, slices.Concat(layout, []item{dockerList(f, amd64("x:1", layer))}),
	} {
		f.Add(pack(f, items...))
		f.Add(synth.Gzip.Bytes(pack(f, items...)))
	}
	for _, tt := range broken(f) {
		f.Add(pack(f, tt.items...))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		img, err := openStream(t.Context(), strings.NewReader(string(data)), Options{})
		if err != nil {
			t.Fatal(err)
		}
		d, err := img.Read(t.Context(), Request{Visit: ignore})
		if (d == nil) == (err == nil) {
			t.Fatalf("description %v and error %v", d, err)
		}
		path := writeFile(t, data)
		agree(t, path, Options{})
	})
}
