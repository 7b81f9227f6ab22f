package images

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/layerscope/layerscope/analyze/cascade"
	"github.com/layerscope/layerscope/analyze/dockerfile"
	"github.com/layerscope/layerscope/analyze/synth"
)

// library is a registry in this process, and what was asked of it.
type library struct {
	host string
	mu   sync.Mutex
	got  []string
}

// newLibrary returns a registry with images by their names, and no daemon beside
// it.
func newLibrary(t *testing.T, images map[string]synth.Image) *library {
	t.Helper()
	t.Setenv("DOCKER_HOST", "unix://"+t.TempDir()+"/none.sock")
	real := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	l := &library{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.mu.Lock()
		l.got = append(l.got, r.Method+" "+r.URL.Path)
		l.mu.Unlock()
		real.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	l.host = strings.TrimPrefix(server.URL, "http://")
	for tag, img := range images {
		ref, err := name.ParseReference(l.host + "/" + tag)
		if err != nil {
			t.Fatal(err)
		}
		image, err := img.V1()
		if err != nil {
			t.Fatal(err)
		}
		if err := remote.Write(ref, image); err != nil {
			t.Fatal(err)
		}
	}
	l.got = nil
	return l
}

// image returns an image with a layer and a configuration.
func image(c v1.Config) synth.Image {
	return synth.Image{Config: c, Steps: []synth.Step{{CreatedBy: "RUN x", Layer: synth.Layer{synth.File("a", "b")}}}}
}

func parse(t *testing.T, text string) *dockerfile.File {
	t.Helper()
	f, err := dockerfile.Parse("Dockerfile", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestFind(t *testing.T) {
	lib := newLibrary(t, map[string]synth.Image{
		"app:1":   image(v1.Config{Env: []string{"A=b"}, WorkingDir: "/w", User: "u", Shell: []string{"/bin/bash", "-c"}}),
		"on:1":    image(v1.Config{OnBuild: []string{"COPY --from=" + "HOST/tools:1 /a /b"}}),
		"empty:1": {},
	})
	// The trigger names an image that only the trigger names.
	on := image(v1.Config{OnBuild: []string{"COPY --from=" + lib.host + "/tools:1 /a /b"}})
	for tag, img := range map[string]synth.Image{"on:1": on, "tools:1": image(v1.Config{WorkingDir: "/tools"})} {
		ref, _ := name.ParseReference(lib.host + "/" + tag)
		made, err := img.V1()
		if err != nil {
			t.Fatal(err)
		}
		if err := remote.Write(ref, made); err != nil {
			t.Fatal(err)
		}
	}
	lib.got = nil
	f := parse(t, fmt.Sprintf("FROM %[1]s/app:1 AS a\nFROM %[1]s/on:1 AS b\nFROM %[1]s/empty:1 AS c\nFROM %[1]s/none:1 AS d\nFROM scratch\n"+
		"COPY --from=a / /\nCOPY --from=b / /\nCOPY --from=c / /\nCOPY --from=d / /\n", lib.host))
	k, err := Find(t.Context(), Options{}, Build{f, cascade.Options{Platform: "linux/amd64"}})
	if err != nil {
		t.Fatal(err)
	}
	app := k.Image(lib.host+"/app:1", "linux/amd64")
	if app == nil || !strings.HasPrefix(app.Digest, "sha256:") {
		t.Fatalf("app is %+v", app)
	}
	app.Digest = ""
	want := &cascade.Image{Env: []string{"A=b"}, WorkingDir: "/w", User: "u", Shell: []string{"/bin/bash", "-c"}, Platform: "linux/amd64"}
	if diff := cmp.Diff(want, app); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if i := k.Image(lib.host+"/tools:1", "linux/amd64"); i == nil || i.WorkingDir != "/tools" {
		t.Errorf("the image that a trigger names is %+v", i)
	}
	if i := k.Image(lib.host+"/empty:1", "linux/amd64"); i == nil || !i.Empty {
		t.Errorf("an image without layers is %+v", i)
	}
	missing := k.Missing()
	if len(missing) != 1 || missing[0].Reference != lib.host+"/none:1" || missing[0].Err == nil {
		t.Errorf("missing %v", missing)
	}
	// Manifests and configs, and no layer.
	blobs := 0
	for _, r := range lib.got {
		if strings.Contains(r, "/blobs/") {
			blobs++
		}
	}
	if blobs != 4 {
		t.Errorf("%d blobs were asked for, there are 4 configs: %q", blobs, lib.got)
	}
	// A graph of it has the images' own digests, and says nothing of them.
	g, err := cascade.New(f, cascade.Options{Platform: "linux/amd64", Images: k})
	if err != nil {
		t.Fatal(err)
	}
	if len(g.Notes) != 1 || !strings.Contains(g.Notes[0].Text, "none:1") {
		t.Errorf("notes %v", g.Notes)
	}
}

func TestOffline(t *testing.T) {
	lib := newLibrary(t, map[string]synth.Image{"app:1": image(v1.Config{WorkingDir: "/w"})})
	f := parse(t, "FROM "+lib.host+"/app:1\n")
	k, err := Find(t.Context(), Options{Offline: true}, Build{File: f})
	if err != nil || len(k.Missing()) != 0 || len(lib.got) != 0 {
		t.Errorf("%v; missing %v; asked %q", err, k.Missing(), lib.got)
	}
}

// TestLayout reads a --build-context on the disk, offline as well.
func TestLayout(t *testing.T) {
	dir := t.TempDir()
	img := image(v1.Config{WorkingDir: "/w"})
	img.Tags = []string{"app:1"}
	if err := synth.OCILayout(dir, img); err != nil {
		t.Fatal(err)
	}
	f := parse(t, "FROM base\nRUN x\n")
	opt := cascade.Options{Contexts: map[string]string{"base": "oci-layout://" + dir}}
	k, err := Find(t.Context(), Options{Offline: true}, Build{f, opt})
	if err != nil {
		t.Fatal(err)
	}
	opt.Images = k
	g, err := cascade.New(f, opt)
	if err != nil || len(g.Notes) != 0 {
		t.Errorf("%v, notes %v", err, g.Notes)
	}
}

// TestTimeout waits no longer for a registry than it was told to.
func TestTimeout(t *testing.T) {
	t.Setenv("DOCKER_HOST", "unix://"+t.TempDir()+"/none.sock")
	quit := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-quit:
		}
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(quit) })
	f := parse(t, "FROM "+strings.TrimPrefix(server.URL, "http://")+"/app:1\n")
	k, err := Find(t.Context(), Options{Timeout: 50 * time.Millisecond}, Build{File: f})
	if err != nil || len(k.Missing()) != 1 {
		t.Fatalf("%v; missing %v", err, k.Missing())
	}
	if err := k.Missing()[0].Err; !strings.Contains(err.Error(), "no answer within 50ms") {
		t.Error(err)
	}
}

func TestErrors(t *testing.T) {
	if _, err := Find(t.Context(), Options{Offline: true}, Build{parse(t, "FROM a\n"), cascade.Options{Target: "none"}}); err == nil {
		t.Error("a target that isn't there is no error")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Find(ctx, Options{Offline: true}, Build{File: parse(t, "FROM a\n")}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
