package analyze_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/history"
	"github.com/layerscope/layerscope/analyze/layer"
	"github.com/layerscope/layerscope/analyze/source"
	"github.com/layerscope/layerscope/analyze/synth"
)

// small is an image with a live and a dead copy: 10 bytes stored, 3 live.
var small = synth.Image{
	Tags: []string{"example/small:1"},
	Steps: []synth.Step{
		{CreatedBy: "COPY a b / # buildkit", Layer: synth.Layer{synth.File("a", "12345"), synth.File("b", "12")}},
		{CreatedBy: "ENV X=y"},
		{CreatedBy: "RUN /bin/sh -c rm a; echo 123 > b # buildkit", Layer: synth.Layer{synth.Whiteout("a"), synth.File("b", "123")}},
	},
}

// write writes an image with one of synth's writers.
func write(t *testing.T, name string, f func(io.Writer) error) string {
	t.Helper()
	var buf bytes.Buffer
	if err := f(&buf); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, buf.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAnalyze(t *testing.T) {
	for _, c := range []synth.Compression{synth.None, synth.Gzip, synth.Zstd} {
		img := small
		img.Compression = c
		path := write(t, "image.tar", func(w io.Writer) error { return synth.OCIArchive(w, img) })
		m, err := analyze.Analyze(context.Background(), path, analyze.Options{})
		if err != nil {
			t.Fatal(err)
		}
		checkImage(t, m)
		if m.Totals.Stored != 10 || m.Totals.Live != 3 || m.Totals.Dead != 7 || m.Totals.Files != 1 {
			t.Errorf("totals %+v, want 10 stored, 3 live, 7 dead, 1 file", m.Totals)
		}
		if got := m.Totals.Efficiency(); got != 0.3 {
			t.Errorf("efficiency %v, want 0.3", got)
		}
		if len(m.Steps) != 3 || m.Steps[1].Layer != -1 || m.Steps[1].Stored != 0 || m.Steps[2].Stored != 3 || m.Steps[0].Dead != 7 {
			t.Errorf("steps %+v", m.Steps)
		}
		for step, layer := range []int{0, 0, 1} {
			if got, known := m.LayerUpTo(step); got != layer || !known {
				t.Errorf("LayerUpTo(%d) = %d, %v; want %d", step, got, known, layer)
			}
		}
		sum := int64(0)
		for i, l := range m.Layers {
			sum += l.Compressed
			if l.Compressed != l.Index.StoredSize {
				t.Errorf("layer %d: compressed %d, the blob has %d bytes", i, l.Compressed, l.Index.StoredSize)
			}
		}
		if m.Totals.Compressed != sum {
			t.Errorf("compressed %d, layers add up to %d", m.Totals.Compressed, sum)
		}
	}
}

func TestUnknownCompressed(t *testing.T) {
	path := write(t, "image.tar", func(w io.Writer) error { return synth.DockerArchive(w, small) })
	m, err := analyze.Analyze(context.Background(), path, analyze.Options{})
	if err != nil {
		t.Fatal(err)
	}
	checkImage(t, m)
	if m.Totals.Compressed != analyze.Unknown || m.Layers[0].Compressed != analyze.Unknown {
		t.Errorf("a plain archive tells compressed sizes: %+v", m.Totals)
	}
}

func TestBadDigests(t *testing.T) {
	wrong := v1.Hash{Algorithm: "sha256", Hex: strings.Repeat("0", 64)}
	lies := small
	lies.EditConfig = func(c *v1.ConfigFile) { c.RootFS.DiffIDs[1] = wrong }
	path := write(t, "image.tar", func(w io.Writer) error { return synth.OCIArchive(w, lies) })
	_, err := analyze.Analyze(context.Background(), path, analyze.Options{})
	var mismatch *layer.VerifyError
	if !errors.As(err, &mismatch) || mismatch.What != "diffID" || !strings.Contains(err.Error(), "layer 1 (sha256:") {
		t.Errorf("error %v, want a diffID mismatch of layer 1", err)
	}
}

func TestMaxLayerSize(t *testing.T) {
	bomb := synth.Image{Steps: []synth.Step{{CreatedBy: "ADD bomb / # buildkit", Layer: synth.Layer{synth.Body("bomb", 8<<20, 1)}}}}
	path := write(t, "image.tar", func(w io.Writer) error { return synth.OCIArchive(w, bomb) })
	_, err := analyze.Analyze(context.Background(), path, analyze.Options{MaxLayerSize: 1 << 20})
	var tooLarge *layer.TooLargeError
	if !errors.As(err, &tooLarge) || !strings.Contains(err.Error(), "layer 0") {
		t.Errorf("error %v, want a TooLargeError of layer 0", err)
	}
}

func TestHistoryThatDoesNotFit(t *testing.T) {
	short := small
	short.EditConfig = func(c *v1.ConfigFile) { c.History = c.History[:1] }
	path := write(t, "image.tar", func(w io.Writer) error { return synth.OCIArchive(w, short) })
	m, err := analyze.Analyze(context.Background(), path, analyze.Options{})
	if err != nil {
		t.Fatal(err)
	}
	checkImage(t, m)
	if m.Fit != history.Short {
		t.Errorf("fit %v, want %v", m.Fit, history.Short)
	}
	if m.Steps[0].Stored != analyze.Unknown || m.Steps[0].Layer != -1 {
		t.Errorf("a record of a history that doesn't fit has a layer: %+v", m.Steps[0])
	}
	if _, known := m.LayerUpTo(0); known {
		t.Error("it is known what the image holds after a record that may stand anywhere")
	}
	if k, known := m.LayerUpTo(2); k != 1 || !known {
		t.Errorf("after the last synthetic step the layer is %d, %v; want 1", k, known)
	}
}

// gate is an image whose second layer comes only when it is told.
type gate struct {
	source.Image
	open chan struct{}
}

func (g *gate) Read(ctx context.Context, req source.Request) (*source.Description, error) {
	visit := req.Visit
	req.Visit = func(ctx context.Context, b source.Blob) error {
		if b.Key != g.Description().Layers[0].Key {
			select {
			case <-g.open:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return visit(ctx, b)
	}
	return g.Image.Read(ctx, req)
}

func openGate(t *testing.T) *gate {
	t.Helper()
	path := write(t, "image.tar", func(w io.Writer) error { return synth.OCIArchive(w, small) })
	img, err := source.Open(context.Background(), path, source.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return &gate{Image: img, open: make(chan struct{})}
}

// waitFor polls until the latest image is as wanted.
func waitFor(t *testing.T, j *analyze.Job, want func(*analyze.Image) bool) *analyze.Image {
	t.Helper()
	for range 500 {
		if m := j.Latest(); m != nil && want(m) {
			return m
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("waited too long for a partial result")
	return nil
}

func firstLayerRead(m *analyze.Image) bool { return m.Layers[0].Index != nil }

func TestPartialResults(t *testing.T) {
	g := openGate(t)
	j := analyze.StartImage(context.Background(), g, analyze.Options{})
	m := waitFor(t, j, firstLayerRead)
	if m.Complete || m.Tree != nil || len(m.Steps) != 3 || m.Steps[0].Stored != 7 || m.Steps[0].Live != analyze.Unknown || m.Steps[2].Stored != analyze.Unknown {
		t.Errorf("with one layer read: %+v", m)
	}
	if m.Totals.Stored != analyze.Unknown {
		t.Errorf("totals are known too early: %+v", m.Totals)
	}
	if p := j.Progress(); p.Layers != 2 || p.LayersDone != 1 {
		t.Errorf("progress %+v, want 1 of 2 layers", p)
	}
	close(g.open)
	done, err := j.Wait()
	if err != nil {
		t.Fatal(err)
	}
	checkImage(t, done)
	if m.Complete {
		t.Error("a published image has changed")
	}
}

func TestCancelKeepsWhatIsRead(t *testing.T) {
	j := analyze.StartImage(context.Background(), openGate(t), analyze.Options{})
	waitFor(t, j, firstLayerRead)
	j.Cancel()
	if _, err := j.Wait(); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
	if m := j.Latest(); m == nil || m.Layers[0].Index == nil || m.Complete {
		t.Errorf("after cancelling: %+v", m)
	}
}

func TestWindows(t *testing.T) {
	img := synth.Image{Platform: v1.Platform{OS: "windows", Architecture: "amd64"}, Steps: []synth.Step{
		{CreatedBy: "Apply image", Layer: synth.Layer{synth.Dir("Files"), synth.Dir("Files/Windows"), synth.File("Files/Windows/a.dll", "123"), synth.File("Hives/Software_Delta", "12")}},
		{CreatedBy: "cmd /S /C del a.dll", Layer: synth.Layer{synth.Dir("Files"), synth.Whiteout("Files/Windows/a.dll"), synth.Hardlink("Files/b", "Files/Windows/b"), synth.File("Files/Windows/b", "1")}},
	}}
	path := write(t, "image.tar", func(w io.Writer) error { return synth.OCIArchive(w, img) })
	m, err := analyze.Analyze(context.Background(), path, analyze.Options{})
	if err != nil {
		t.Fatal(err)
	}
	checkImage(t, m)
	for path, want := range map[string]bool{"Windows/b": true, "b": true, "Windows/a.dll": false, "Hives/Software_Delta": true, "Files": false} {
		n, ok := m.Tree.Lookup(path)
		if ok {
			_, ok = m.Tree.StateAt(n, 1)
		}
		if ok != want {
			t.Errorf("%s: stands %v, want %v", path, ok, want)
		}
	}
}
