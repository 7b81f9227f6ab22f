package source

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/layerscope/layerscope/analyze/progress"
)

// fakeEngine answers the requests of the Engine API that matter here, with one
// image.
type fakeEngine struct {
	t       *testing.T
	version string // of the API
	id      string
	inspect map[string]any // what GET /images/NAME/json answers
	history []map[string]any
	saved   []byte // what GET /images/get answers
	diffIDs []string
	config  []byte

	absent  bool // until pulled
	pull    string
	save    http.HandlerFunc // instead of saved
	mu      sync.Mutex
	queries []string // paths and queries, without the version
	auth    string   // X-Registry-Auth of the last pull
}

// newFakeEngine makes an engine whose image has two layers, four instructions
// and the name "app:1".
func newFakeEngine(t *testing.T) *fakeEngine {
	t.Helper()
	layers := []string{layerTar(t, "a", strings.Repeat("a", 100_000)), layerTar(t, "b", "bb")}
	e := &fakeEngine{t: t, version: "1.41"}
	created := time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)
	c := v1.ConfigFile{
		OS: "linux", Architecture: "amd64", Author: "ann", Created: v1.Time{Time: created},
		Config: v1.Config{Env: []string{"PATH=/bin"}, Cmd: []string{"/b"}, Labels: map[string]string{"k": "v"},
			ExposedPorts: map[string]struct{}{"80/tcp": {}}, Healthcheck: &v1.HealthConfig{Test: []string{"CMD", "x"}, Interval: time.Second}},
		RootFS: v1.RootFS{Type: "layers"},
		History: []v1.History{
			{Created: v1.Time{Time: created}, CreatedBy: "COPY a / # buildkit", Comment: "buildkit.dockerfile.v0"},
			{Created: v1.Time{Time: created}, CreatedBy: "ENV PATH=/bin", EmptyLayer: true},
			{Created: v1.Time{Time: created}, CreatedBy: "WORKDIR /"},
			{Created: v1.Time{Time: created}, CreatedBy: `CMD ["/b"]`, EmptyLayer: true},
		},
	}
	for _, l := range layers {
		h := sha256Of([]byte(l))
		c.RootFS.DiffIDs = append(c.RootFS.DiffIDs, h)
		e.diffIDs = append(e.diffIDs, h.String())
	}
	e.config = []byte(toJSON(t, c))
	id := sha256Of(e.config)
	e.id = id.String()
	e.saved = pack(t,
		item{name: "2/layer.tar", body: layers[1]}, item{name: "1/layer.tar", body: layers[0]},
		item{name: id.Hex + ".json", body: string(e.config)},
		item{name: "manifest.json", body: toJSON(t, []dockerImage{{Config: id.Hex + ".json", Layers: []string{"1/layer.tar", "2/layer.tar"}}})},
	)
	e.inspect = map[string]any{
		"Id": e.id, "RepoTags": []string{"app:1", "app:latest"},
		"RepoDigests": []string{"other.example/app@sha256:" + strings.Repeat("2", 64), "app@sha256:" + strings.Repeat("1", 64)},
		"Created":     created.Format(time.RFC3339Nano), "Author": "ann", "Os": "linux", "Architecture": "amd64", "Size": 100_002,
		"Config": c.Config, "RootFS": map[string]any{"Type": "layers", "Layers": e.diffIDs},
	}
	for i, h := range c.History {
		size := 0
		if i == 0 {
			size = 100_000
		}
		e.history = append([]map[string]any{{
			"Id": "<missing>", "Created": created.Unix(), "CreatedBy": h.CreatedBy, "Comment": h.Comment, "Size": size,
		}}, e.history...)
	}
	return e
}

// start serves the engine on a unix socket, whose URL it returns.
func (e *fakeEngine) start() string {
	e.t.Helper()
	dockerConfig(e.t, "")
	socket := filepath.Join(e.t.TempDir(), "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		e.t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(e)
	s.Listener.Close()
	s.Listener = l
	s.Start()
	e.t.Cleanup(s.Close)
	return "unix://" + socket
}

func (e *fakeEngine) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("API-Version", e.version)
	path, versioned := strings.CutPrefix(r.URL.Path, "/v"+e.version)
	if path == "/_ping" {
		return
	}
	if !versioned {
		e.t.Errorf("%s isn't of API %s", r.URL.Path, e.version)
	}
	e.mu.Lock()
	e.queries = append(e.queries, strings.TrimSuffix(path+"?"+r.URL.RawQuery, "?"))
	absent := e.absent
	e.mu.Unlock()
	name, what := filepath.Split(strings.TrimPrefix(path, "/images/"))
	known := name == "app:1/" || name == e.inspect["Id"].(string)+"/"
	switch {
	case path == "/images/json":
		_, _ = io.WriteString(w, `[{"RepoTags":["tools:2","app:1"]},{"RepoTags":null},{"RepoTags":["<none>:<none>"]},{"RepoTags":["example.org:5000/a:1","app:1"]}]`)
	case path == "/images/get":
		e.serveSave(w, r)
	case path == "/images/create":
		e.servePull(w, r)
	case absent || !known:
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprintf(w, `{"message":"No such image: %s"}`, name)
	case what == "json" && strings.Contains(r.URL.Query().Get("platform"), "arm64"):
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `{"message":"image was found but does not provide the specified platform"}`)
	case what == "json":
		_ = json.NewEncoder(w).Encode(e.inspect)
	case what == "history":
		_ = json.NewEncoder(w).Encode(e.history)
	}
}

func (e *fakeEngine) serveSave(w http.ResponseWriter, r *http.Request) {
	if got := r.URL.Query()["names"]; !cmp.Equal(got, []string{e.inspect["Id"].(string)}) {
		e.t.Errorf("saving %q", got)
	}
	w.Header().Set("Content-Type", "application/x-tar")
	if e.save != nil {
		e.save(w, r)
		return
	}
	_, _ = w.Write(e.saved)
}

func (e *fakeEngine) servePull(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if strings.HasSuffix(r.URL.Query().Get("fromImage"), "/missing") {
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `{"message":"manifest for missing:1 not found"}`)
		return
	}
	e.auth = r.Header.Get("X-Registry-Auth")
	e.absent = strings.Contains(e.pull, "error")
	_, _ = io.WriteString(w, e.pull)
}

func TestDaemon(t *testing.T) {
	e := newFakeEngine(t)
	opts := Options{Host: e.start(), Progress: &progress.Progress{}}
	img, err := Open(t.Context(), "docker://app:1", opts)
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	var want v1.ConfigFile
	if err := json.Unmarshal(e.config, &want); err != nil {
		t.Fatal(err)
	}
	first := img.Description()
	if !first.Provisional || first.RawConfig != nil || first.Reference != "docker://app:1" {
		t.Errorf("got %+v", first)
	}
	if d := cmp.Diff(&want, first.Config); d != "" {
		t.Errorf("provisional config (-want +got):\n%s", d)
	}
	for i, l := range first.Layers {
		if d := cmp.Diff(Layer{DiffID: want.RootFS.DiffIDs[i], Size: -1}, l); d != "" {
			t.Errorf("provisional layer %d (-want +got):\n%s", i, d)
		}
	}

	var got reading
	last, err := img.Read(t.Context(), Request{Visit: got.visit})
	if err != nil {
		t.Fatal(err)
	}
	if last.Provisional || string(last.RawConfig) != string(e.config) {
		t.Errorf("got %+v", last)
	}
	for _, d := range []*Description{first, last} {
		if d.ID.String() != e.id || d.Source != "docker" || d.Name != "docker.io/library/app:1" ||
			!cmp.Equal(d.Tags, []string{"app:1", "app:latest"}) || d.Digest.Hex != strings.Repeat("1", 64) {
			t.Errorf("got %+v", d)
		}
	}
	for i, l := range last.Layers {
		if got.blobs[l.Key] != e.diffIDs[i] || l.DiffID.String() != e.diffIDs[i] {
			t.Errorf("layer %d: got %s as %+v", i, got.blobs[l.Key], l)
		}
	}
	if s := opts.Progress.Snapshot(); s.Bytes != int64(len(e.saved)) {
		t.Errorf("progress %+v, want %d bytes", s, len(e.saved))
	}
}

func TestDaemonErrors(t *testing.T) {
	dockerConfig(t, "")
	socket := "unix://" + filepath.Join(t.TempDir(), "none")
	_, err := Open(t.Context(), "docker://app:1", Options{Host: socket})
	checkError(t, err, []string{"no daemon answers at " + socket}, "start it, or use registry:// or an archive")
	_, err = Open(t.Context(), "docker://app:1", Options{Host: "tcp://127.0.0.1:1"})
	checkError(t, err, []string{"no daemon answers at tcp://127.0.0.1:1"}, "start it")
	refused := &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.EACCES)}
	checkError(t, dockerClient{host: socket}.explain(refused, "app:1"), []string{socket, "permission denied"}, "join the group")

	e := newFakeEngine(t)
	host := e.start()
	_, err = Open(t.Context(), "docker://other", Options{Host: host})
	checkError(t, err, []string{`no such image in the daemon: "other"`}, "--pull, or use registry://other")
	_, err = Open(t.Context(), "docker://"+strings.Repeat("0a", 32), Options{Host: host})
	checkError(t, err, []string{"no such image"}, "")
	_, err = Open(t.Context(), "docker://app:1", Options{Host: host, Platform: parsePlatform(t, "linux/arm64")})
	checkError(t, err, []string{"no image for linux/arm64; there is linux/amd64"}, "--platform")
}

// TestDaemonOtherImage: what is saved must be what was inspected.
func TestDaemonOtherImage(t *testing.T) {
	e := newFakeEngine(t)
	e.saved = pack(t, legacy(t, amd64("x:1", layerTar(t, "x", "x")))...)
	_, _, err := readRef(t, "docker://app:1", Options{Host: e.start()})
	checkError(t, err, []string{"asked for image " + e.id}, "")
}

// TestDaemonContainerd: an engine that keeps manifests names an image by its
// manifest or index, and saves one platform of several.
func TestDaemonContainerd(t *testing.T) {
	digest := "sha256:" + strings.Repeat("2", 64)
	for _, tt := range []struct {
		mediaType string
		platform  bool // is asked for when saving
		digest    string
	}{
		{"application/vnd.oci.image.index.v1+json", true, ""},
		{"application/vnd.oci.image.manifest.v1+json", false, digest},
	} {
		e := newFakeEngine(t)
		e.version = "1.49"
		e.inspect["Id"] = digest
		e.inspect["RepoDigests"] = []string{"app@" + digest}
		e.inspect["Descriptor"] = map[string]any{"mediaType": tt.mediaType, "digest": digest, "size": 3}
		d, _, err := readRef(t, "docker://app:1", Options{Host: e.start(), Platform: parsePlatform(t, "linux/amd64")})
		if err != nil {
			t.Fatal(err)
		}
		var want v1.Hash
		if tt.digest != "" {
			want = must(v1.NewHash(tt.digest))
		}
		if d.ID.String() != e.id || d.Digest != want {
			t.Errorf("got %+v", d)
		}
		inspected, saved := e.queries[0], e.queries[len(e.queries)-1]
		if !strings.Contains(inspected, "platform=") || strings.Contains(saved, "platform=") != tt.platform {
			t.Errorf("asked for %q", e.queries)
		}
	}
}

// TestDaemonPlatforms: an engine that is asked for a platform and hasn't it
// still has the image for another.
func TestDaemonPlatforms(t *testing.T) {
	e := newFakeEngine(t)
	e.version = "1.49"
	_, err := Open(t.Context(), "docker://app:1", Options{Host: e.start(), Platform: parsePlatform(t, "linux/arm64")})
	checkError(t, err, []string{"no image for linux/arm64; there is linux/amd64"}, "--platform")
}

// TestDaemonPodman: what podman answers differently.
func TestDaemonPodman(t *testing.T) {
	e := newFakeEngine(t)
	e.inspect["Id"] = strings.TrimPrefix(e.id, "sha256:")
	e.inspect["OsVersion"] = "20.10.24"
	e.inspect["RepoTags"] = []string{"localhost/app:1"}
	e.inspect["RepoDigests"] = []string{"localhost/app@sha256:" + strings.Repeat("3", 64), "localhost/app@sha256:" + strings.Repeat("4", 64)}
	d, _, err := readRef(t, "docker://app:1", Options{Host: e.start()})
	if err != nil {
		t.Fatal(err)
	}
	if d.ID.String() != e.id || d.Name != "localhost/app:1" || d.Digest != (v1.Hash{}) || d.Platform.OSVersion != "" {
		t.Errorf("got %+v", d)
	}
}

// TestDaemonCancel: a save that doesn't go on ends at once with its context,
// and leaves no goroutine behind.
func TestDaemonCancel(t *testing.T) {
	e := newFakeEngine(t)
	stopped := make(chan struct{})
	e.save = func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write(e.saved[:50_000])
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		close(stopped)
	}
	host := e.start()
	before := runtime.NumGoroutine()
	img, err := Open(t.Context(), "docker://app:1", Options{Host: host})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	start := time.Now()
	var got reading
	_, err = img.Read(ctx, Request{Visit: got.visit})
	if !errors.Is(err, context.Canceled) || time.Since(start) > 10*time.Second {
		t.Errorf("got %v after %v", err, time.Since(start))
	}
	img.Close()
	select {
	case <-stopped:
	case <-time.After(5 * time.Second):
		t.Error("the engine is still saving")
	}
	waitGoroutines(t, before)
}

// waitGoroutines waits until no more goroutines run than before.
func waitGoroutines(t *testing.T, before int) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; {
		if time.Now().After(deadline) {
			buf := make([]byte, 1<<20)
			t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, buf[:runtime.Stack(buf, true)])
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestDaemonCancelledBefore(t *testing.T) {
	e := newFakeEngine(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Open(ctx, "docker://app:1", Options{Host: e.start()}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestDaemonCut: a save that breaks off is an error, and no image.
func TestDaemonCut(t *testing.T) {
	e := newFakeEngine(t)
	e.save = func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(e.saved[:len(e.saved)/2])
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	d, _, err := readRef(t, "docker://app:1", Options{Host: e.start()})
	if err == nil || d != nil {
		t.Errorf("got %+v, %v", d, err)
	}
}

func TestPull(t *testing.T) {
	e := newFakeEngine(t)
	e.absent = true
	e.pull = `{"status":"Pulling from library/app","id":"1"}
{"status":"Pulling fs layer","progressDetail":{},"id":"a"}
{"status":"Downloading","progressDetail":{"current":10,"total":100},"progress":"[>  ]","id":"a"}
{"status":"Downloading","progressDetail":{"current":5,"total":50},"id":"b"}
{"status":"Download complete","progressDetail":{},"id":"a"}
{"status":"Extracting","progressDetail":{"current":1,"total":9999},"id":"a"}
{"status":"Pull complete","progressDetail":{},"id":"a"}
{"status":"Status: Downloaded newer image for app:1"}
`
	opts := Options{Host: e.start(), Pull: true, Keychain: keychainOf{"ann", "s3cret"}, Platform: parsePlatform(t, "linux/amd64")}
	d, _, err := readRef(t, "app:1", opts)
	if err != nil || d.ID.String() != e.id {
		t.Fatalf("got %+v, %v", d, err)
	}
	if q := strings.Join(e.queries, " "); !strings.Contains(q, "/images/create?fromImage=docker.io%2Flibrary%2Fapp&platform=linux%2Famd64&tag=1") {
		t.Errorf("asked for %s", q)
	}
	raw, err := base64.URLEncoding.DecodeString(e.auth)
	var auth struct{ Username, Password string }
	if err != nil || json.Unmarshal(raw, &auth) != nil || auth.Username != "ann" || auth.Password != "s3cret" {
		t.Errorf("auth %s, %v", raw, err)
	}

	p := &progress.Progress{}
	if err := followPull(strings.NewReader(e.pull), p); err != nil {
		t.Fatal(err)
	}
	if s := p.Snapshot(); s.Bytes != 105 || s.Total != 150 {
		t.Errorf("progress %+v", s)
	}
}

func TestPullErrors(t *testing.T) {
	for _, tt := range []struct{ said, want, hint string }{
		{"pull access denied for app, repository does not exist or may require 'docker login'", "denied", "docker login docker.io"},
		{"manifest for app:1 not found", "manifest for app:1 not found", "check the name and the tag"},
	} {
		e := newFakeEngine(t)
		e.absent = true
		e.pull = `{"status":"Pulling"}` + "\n" + toJSON(t, map[string]any{"error": tt.said, "errorDetail": map[string]string{"message": tt.said}})
		_, _, err := readRef(t, "docker://app:1", Options{Host: e.start(), Pull: true, Keychain: anonymous().Keychain})
		checkError(t, err, []string{`pulling "app:1"`, tt.want}, tt.hint)
		if e.auth != "" && e.auth != "e30=" {
			t.Errorf("auth %q", e.auth)
		}
	}
}

// TestPullNotFound: what the registry doesn't have is no image the daemon
// lacks.
func TestPullNotFound(t *testing.T) {
	e := newFakeEngine(t)
	_, _, err := readRef(t, "docker://missing:1", Options{Host: e.start(), Pull: true, Keychain: anonymous().Keychain})
	checkError(t, err, []string{`pulling "missing:1"`, "manifest for missing:1 not found"}, "check the name and the tag")
}

func TestDaemonImages(t *testing.T) {
	names, err := DaemonImages(t.Context(), Options{Host: newFakeEngine(t).start()})
	if want := []string{"app:1", "example.org:5000/a:1", "tools:2"}; err != nil || !cmp.Equal(names, want) {
		t.Errorf("got %q, %v; want %q", names, err, want)
	}
	if names, err := DaemonImages(t.Context(), Options{Host: "unix:///nowhere"}); !errors.Is(err, errNoDaemon) {
		t.Errorf("without a daemon: %q, %v", names, err)
	}
}

func TestEmptySteps(t *testing.T) {
	tests := []struct {
		name    string
		records []record
		layers  int
		want    []bool
	}{
		{"sizes tell", []record{{createdBy: "RUN x", size: 1}, {createdBy: "RUN y"}}, 1, []bool{false, true}},
		{"instructions tell", []record{
			{createdBy: "/bin/sh -c #(nop) ADD file:x in / ", size: 1}, {createdBy: `/bin/sh -c #(nop)  CMD ["sh"]`},
			{createdBy: "/bin/sh -c true"}, {createdBy: "|1 A=b /bin/sh -c true"}, {createdBy: "/bin/sh -c #(nop) WORKDIR /x"},
			{createdBy: "RUN |1 A=b /bin/sh -c true # buildkit"}, {createdBy: "ENV A=RUN b"},
		}, 5, []bool{false, true, false, false, false, false, true}},
		{"nothing tells", []record{{createdBy: "x"}, {createdBy: "y", size: 1}}, 2, []bool{true, false}},
	}
	for _, tt := range tests {
		if got := emptySteps(tt.records, tt.layers); !cmp.Equal(got, tt.want) {
			t.Errorf("%s: got %v", tt.name, got)
		}
	}
}
