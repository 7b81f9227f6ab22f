package analyze_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/source"
	"github.com/layerscope/layerscope/analyze/synth"
)

// requests notes what a server is asked for.
type requests struct {
	http.Handler
	mu    sync.Mutex
	paths []string
}

func (r *requests) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	r.paths = append(r.paths, req.Method+" "+req.URL.Path)
	r.mu.Unlock()
	r.Handler.ServeHTTP(w, req)
}

// described is what a description tells of layers.
func described(m *analyze.Image) (ls []source.Layer) {
	for _, l := range m.Layers {
		l.Key = ""
		ls = append(ls, l.Layer)
	}
	return ls
}

func describe(t *testing.T, ref string, opts analyze.Options) *analyze.Image {
	t.Helper()
	m, err := analyze.Describe(t.Context(), ref, opts)
	if err != nil {
		t.Fatal(err)
	}
	if m.Reference != ref {
		t.Errorf("the reference is %q, want %q", m.Reference, ref)
	}
	return m
}

// unread checks that nothing of an image was read, and that all that can be
// known so is as it is of the image once it is.
func unread(t *testing.T, got, want *analyze.Image) {
	t.Helper()
	if got.Complete || got.Tree != nil || got.Totals.Stored != analyze.Unknown {
		t.Errorf("complete %v, %d bytes stored: a layer was read", got.Complete, got.Totals.Stored)
	}
	if diff := cmp.Diff(described(want), described(got)); diff != "" {
		t.Errorf("layers (-want +got):\n%s", diff)
	}
	if got.ID != want.ID || got.Totals.Compressed != want.Totals.Compressed || got.Totals.Layers != want.Totals.Layers || len(got.Steps) != len(want.Steps) {
		t.Errorf("%v of %d steps, %+v; want %v of %d, %+v", got.ID, len(got.Steps), got.Totals, want.ID, len(want.Steps), want.Totals)
	}
}

// TestDescribeRegistry asks a registry for no layer.
func TestDescribeRegistry(t *testing.T) {
	asked := &requests{Handler: registry.New(registry.Logger(log.New(io.Discard, "", 0)))}
	server := httptest.NewServer(asked)
	defer server.Close()
	ref := pushed(t, strings.TrimPrefix(server.URL, "http://"), "app:1", synth.Index{Images: []synth.Image{appImage}})
	want := read(t, ref, analyze.Options{})
	asked.paths = nil
	got := describe(t, ref, analyze.Options{})
	unread(t, got, want)
	if got.Totals.Compressed <= 0 {
		t.Errorf("%d bytes compressed", got.Totals.Compressed)
	}
	for _, l := range got.Layers {
		if i := slices.IndexFunc(asked.paths, func(p string) bool { return strings.HasSuffix(p, l.Digest.String()) }); i >= 0 {
			t.Errorf("asked for a layer: %s", asked.paths[i])
		}
	}
	if !slices.ContainsFunc(asked.paths, func(p string) bool { return strings.HasSuffix(p, got.ID.String()) }) {
		t.Errorf("the config isn't among what was asked for: %q", asked.paths)
	}
}

// spoilt returns an archive whose layers can't be read.
func spoilt(t *testing.T, path string, layers []analyze.Layer) string {
	t.Helper()
	return rewriteTar(t, path, func(name string, body []byte) []byte {
		for _, l := range layers {
			if strings.HasSuffix(name, l.Digest.Hex) && l.Digest.Hex != "" || strings.HasSuffix(name, "layer.tar") {
				return make([]byte, len(body))
			}
		}
		return body
	})
}

// TestDescribeArchive reads no layer where it can be told what they are.
func TestDescribeArchive(t *testing.T) {
	for name, path := range map[string]string{"oci": ociArchive(t, appImage), "docker": dockerArchive(t, appImage)} {
		want := read(t, path, analyze.Options{})
		bad := spoilt(t, path, want.Layers)
		if _, err := analyze.Analyze(t.Context(), bad, analyze.Options{}); err == nil {
			t.Fatalf("%s: the archive isn't spoilt", name)
		}
		unread(t, describe(t, bad, analyze.Options{}), want)
		if known := want.Totals.Compressed != analyze.Unknown; known != (name == "oci") {
			t.Errorf("%s: %d bytes compressed", name, want.Totals.Compressed)
		}

		// A pipe must be read through.
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		got := describe(t, "-", analyze.Options{Source: source.Options{Stdin: f}, Base: "nothing", Packages: true})
		if !got.Complete || got.Totals != want.Totals || got.Packages != nil {
			t.Errorf("%s on a pipe: complete %v, %+v; want %+v", name, got.Complete, got.Totals, want.Totals)
		}
	}
}

// TestDescribeWithoutConfig reads the layers of an archive that doesn't say what
// they are.
func TestDescribeWithoutConfig(t *testing.T) {
	path := withoutList(t, dockerArchive(t, appImage))
	want := read(t, path, analyze.Options{})
	got := describe(t, path, analyze.Options{})
	if diff := cmp.Diff(described(want), described(got)); diff != "" || got.Layers[0].DiffID == (v1.Hash{}) {
		t.Errorf("layers (-want +got):\n%s", diff)
	}
}

// TestDescribeDaemon asks a daemon for no image to be saved.
func TestDescribeDaemon(t *testing.T) {
	app := read(t, dockerArchive(t, appImage), analyze.Options{})
	asked := &requests{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Api-Version", "1.41")
		answer := any("OK")
		switch {
		case strings.HasSuffix(r.URL.Path, "/history"):
			answer = []map[string]any{{"Id": app.ID.String(), "CreatedBy": "COPY", "Size": 1}}
		case strings.HasSuffix(r.URL.Path, "/json"):
			var ids []string
			for _, l := range app.Layers {
				ids = append(ids, l.DiffID.String())
			}
			answer = map[string]any{"Id": app.ID.String(), "RepoTags": []string{"app:1"}, "Os": "linux", "Architecture": "amd64",
				"RootFS": map[string]any{"Type": "layers", "Layers": ids}, "Config": map[string]any{}}
		}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(answer)
	})}
	server := httptest.NewServer(asked)
	defer server.Close()
	host := source.Options{Host: "tcp://" + strings.TrimPrefix(server.URL, "http://")}
	m := describe(t, "docker://app:1", analyze.Options{Source: host})
	if diff := cmp.Diff(described(app), described(m)); diff != "" || !m.Provisional || m.Totals.Compressed != analyze.Unknown {
		t.Errorf("provisional %v, %+v; layers (-want +got):\n%s", m.Provisional, m.Totals, diff)
	}
	for _, p := range asked.paths {
		if strings.Contains(p, "/get") || strings.Contains(p, "/save") {
			t.Errorf("the daemon was asked %s", p)
		}
	}
}

// TestDescribeErrors says what is wrong with which image.
func TestDescribeErrors(t *testing.T) {
	huge := appImage
	huge.EditManifest = func(m *v1.Manifest) {
		for i := range m.Layers {
			m.Layers[i].Size = math.MaxInt64 - 10
		}
	}
	path := ociArchive(t, huge)
	for ref, want := range map[string]string{
		"./gone.tar": `no such file: "./gone.tar"`,
		path:         fmt.Sprintf("opening %q: the compressed sizes", path),
	} {
		if _, err := analyze.Describe(t.Context(), ref, analyze.Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, ref := range []string{ociArchive(t, appImage), "-"} {
		opts := analyze.Options{Source: source.Options{Stdin: strings.NewReader("")}}
		if _, err := analyze.Describe(ctx, ref, opts); !errors.Is(err, context.Canceled) {
			t.Errorf("%s, cancelled: %v", ref, err)
		}
	}
}
