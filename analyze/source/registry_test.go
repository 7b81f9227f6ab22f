package source

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/layerscope/layerscope/analyze/progress"
)

var discardLog = log.New(io.Discard, "", 0)

// fault answers a request instead of the registry, or wraps its answer; it
// says whether it did.
type fault func(w http.ResponseWriter, r *http.Request, real http.Handler) bool

// testRegistry is a registry in this process that can be made to fail.
type testRegistry struct {
	*httptest.Server
	host  string
	real  http.Handler
	fault atomic.Pointer[fault]
}

func newTestRegistry(t *testing.T, tls bool) *testRegistry {
	t.Helper()
	r := &testRegistry{real: registry.New(registry.Logger(discardLog))}
	r.Server = httptest.NewUnstartedServer(r)
	r.Server.Config.ErrorLog = discardLog
	if tls {
		r.StartTLS()
	} else {
		r.Start()
	}
	t.Cleanup(r.Close)
	r.host = strings.TrimPrefix(strings.TrimPrefix(r.URL, "http://"), "https://")
	return r
}

func (r *testRegistry) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if f := r.fault.Load(); f != nil && (*f)(w, req, r.real) {
		return
	}
	r.real.ServeHTTP(w, req)
}

func (r *testRegistry) fail(f fault) { r.fault.Store(&f) }

// name returns the name of an image in the registry.
func (r *testRegistry) name(rest string) string { return r.host + "/" + rest }

func (r *testRegistry) reference(t *testing.T, rest string) name.Reference {
	t.Helper()
	ref, err := name.ParseReference(r.name(rest), name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

func (r *testRegistry) pushOption() remote.Option { return remote.WithTransport(r.Client().Transport) }

func (r *testRegistry) push(t *testing.T, rest string, img v1.Image) {
	t.Helper()
	if err := remote.Write(r.reference(t, rest), img, r.pushOption()); err != nil {
		t.Fatal(err)
	}
}

func (r *testRegistry) pushIndex(t *testing.T, rest string, idx v1.ImageIndex) {
	t.Helper()
	if err := remote.WriteIndex(r.reference(t, rest), idx, r.pushOption()); err != nil {
		t.Fatal(err)
	}
}

// open opens what was pushed; it is closed when the test ends.
func (r *testRegistry) open(t *testing.T, rest string) Image {
	t.Helper()
	img, err := Open(t.Context(), "registry://"+r.name(rest), anonymous())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { img.Close() })
	return img
}

// randomImage makes an image of a platform with layers of 300 kB, more than a
// socket buffers.
func randomImage(t *testing.T, layers int64, platform string) v1.Image {
	t.Helper()
	img, err := random.Image(300_000, layers)
	if err != nil {
		t.Fatal(err)
	}
	c, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	p := parsePlatform(t, platform)
	c = c.DeepCopy()
	c.OS, c.Architecture, c.Variant = p.OS, p.Architecture, p.Variant
	if img, err = mutate.ConfigFile(img, c); err != nil {
		t.Fatal(err)
	}
	return img
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// anonymous are options that use nobody's credentials.
func anonymous() Options { return Options{Keychain: authn.NewMultiKeychain()} }

// reading is what was read of an image: the digest of every blob.
type reading struct {
	mu    sync.Mutex
	blobs map[string]string
	times map[string]int
}

func (r *reading) visit(_ context.Context, b Blob) error {
	h := sha256.New()
	n, err := io.Copy(h, b.Reader)
	if err == nil && b.Size >= 0 && n != b.Size {
		err = fmt.Errorf("read %d bytes of %d", n, b.Size)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.blobs == nil {
		r.blobs, r.times = map[string]string{}, map[string]int{}
	}
	r.blobs[b.Key] = "sha256:" + hex.EncodeToString(h.Sum(nil))
	r.times[b.Key]++
	return err
}

// readRef opens and reads a whole image.
func readRef(t *testing.T, ref string, opts Options) (*Description, *reading, error) {
	t.Helper()
	img, err := Open(t.Context(), ref, opts)
	if err != nil {
		return nil, nil, err
	}
	defer img.Close()
	var got reading
	d, err := img.Read(t.Context(), Request{Visit: got.visit})
	return d, &got, err
}

// checkRegistryImage reads an image whole and compares it with what was pushed.
func checkRegistryImage(t *testing.T, ref string, opts Options, want v1.Image) *Description {
	t.Helper()
	d, got, err := readRef(t, ref, opts)
	if err != nil {
		t.Fatal(err)
	}
	if d.ID != must(want.ConfigName()) || d.Digest != must(want.Digest()) {
		t.Errorf("got config %v of manifest %v", d.ID, d.Digest)
	}
	if !bytes.Equal(d.RawConfig, must(want.RawConfigFile())) {
		t.Errorf("got config %s", d.RawConfig)
	}
	layers := must(want.Layers())
	if len(d.Layers) != len(layers) {
		t.Fatalf("got %d layers", len(d.Layers))
	}
	for i, l := range layers {
		want := Layer{
			Key: must(l.Digest()).String(), Digest: must(l.Digest()), DiffID: must(l.DiffID()),
			Size: must(l.Size()), MediaType: must(l.MediaType()),
		}
		if diff := cmp.Diff(want, d.Layers[i]); diff != "" {
			t.Errorf("layer %d (-want +got):\n%s", i, diff)
		}
		if got.blobs[want.Key] != want.Digest.String() || got.times[want.Key] != 1 {
			t.Errorf("layer %d: read %s, %d times", i, got.blobs[want.Key], got.times[want.Key])
		}
	}
	return d
}

func TestRegistry(t *testing.T) {
	r := newTestRegistry(t, false)
	img := randomImage(t, 6, "linux/amd64")
	r.push(t, "a/b:1", img)
	opts := anonymous()
	opts.Progress = &progress.Progress{}
	ref := "registry://" + r.name("a/b:1")
	d := checkRegistryImage(t, ref, opts, img)
	if d.Reference != ref || d.Source != "registry" || d.Name != r.name("a/b:1") || !cmp.Equal(d.Tags, []string{"1"}) {
		t.Errorf("got %+v", d)
	}
	if d.Provisional || d.Platform.String() != "linux/amd64" {
		t.Errorf("got %+v", d)
	}
	var size int64
	for _, l := range d.Layers {
		size += l.Size
	}
	if s := opts.Progress.Snapshot(); s.Bytes != size || s.Total != size {
		t.Errorf("progress %+v, want %d bytes", s, size)
	}

	byDigest := "registry://" + r.name("a/b@"+d.Digest.String())
	if d := checkRegistryImage(t, byDigest, anonymous(), img); d.Tags != nil {
		t.Errorf("by digest: tags %q", d.Tags)
	}
}

func TestRegistryWant(t *testing.T) {
	r := newTestRegistry(t, false)
	layer := static.NewLayer([]byte("one"), types.DockerLayer)
	img := must(mutate.AppendLayers(must(random.Image(1000, 2)), layer, layer))
	r.push(t, "a:1", img)
	src := r.open(t, "a:1")
	unwanted := src.Description().Layers[0].Key
	r.fail(func(w http.ResponseWriter, req *http.Request, _ http.Handler) bool {
		if strings.HasSuffix(req.URL.Path, unwanted) {
			t.Errorf("%s was fetched", unwanted)
		}
		return false
	})
	var got reading
	_, err := src.Read(t.Context(), Request{Want: func(l Layer) bool { return l.Key != unwanted }, Visit: got.visit})
	if err != nil || len(got.blobs) != 2 || got.times[must(layer.Digest()).String()] != 1 {
		t.Errorf("got %v, %v", got.times, err)
	}
}

func TestRegistryVisitError(t *testing.T) {
	r := newTestRegistry(t, false)
	r.push(t, "a:1", randomImage(t, 8, "linux/amd64"))
	src := r.open(t, "a:1")
	enough := errors.New("enough")
	_, err := src.Read(t.Context(), Request{Visit: func(context.Context, Blob) error { return enough }})
	if !errors.Is(err, enough) || !strings.Contains(err.Error(), "reading layer ") {
		t.Errorf("got %v", err)
	}
	if _, err = src.Read(t.Context(), Request{Visit: func(context.Context, Blob) error { return nil }}); err != nil {
		t.Errorf("blobs that are not read: %v", err)
	}
}

// isBlobGet says whether a request is for a blob.
func isBlobGet(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/blobs/")
}

// cutWriter cuts the connection after some bytes.
type cutWriter struct {
	http.ResponseWriter
	left  int
	stall <-chan struct{} // nothing comes until this is closed; nil: it is cut at once
}

func (w *cutWriter) Write(p []byte) (int, error) {
	if w.left -= len(p); w.left < 0 {
		_, _ = w.ResponseWriter.Write(p[:len(p)+w.left])
		w.ResponseWriter.(http.Flusher).Flush()
		if w.stall != nil {
			<-w.stall
		}
		panic(http.ErrAbortHandler)
	}
	return w.ResponseWriter.Write(p)
}

// TestRegistryFaults: what is not answered the first time is answered in the
// end, and what comes is what was pushed.
func TestRegistryFaults(t *testing.T) {
	img := randomImage(t, 5, "linux/amd64")
	var mu sync.Mutex
	tests := map[string]func() fault{
		"blobs cut after 70000 bytes": func() fault {
			return func(w http.ResponseWriter, r *http.Request, real http.Handler) bool {
				if !isBlobGet(r) {
					return false
				}
				real.ServeHTTP(&cutWriter{w, 70_000, nil}, r)
				return true
			}
		},
		"cut once, ranges ignored": func() fault {
			seen := map[string]bool{}
			return func(w http.ResponseWriter, r *http.Request, real http.Handler) bool {
				if !isBlobGet(r) {
					return false
				}
				mu.Lock()
				first := !seen[r.URL.Path]
				seen[r.URL.Path] = true
				mu.Unlock()
				r.Header.Del("Range")
				if first {
					w = &cutWriter{w, 100_000, nil}
				}
				real.ServeHTTP(w, r)
				return true
			}
		},
		"503 twice": func() fault { return failing(&mu, 2, http.StatusServiceUnavailable, "") },
		"500 once":  func() fault { return failing(&mu, 1, http.StatusInternalServerError, "") },
		"429 twice": func() fault { return failing(&mu, 2, http.StatusTooManyRequests, "0") },
		"connection closed once": func() fault {
			once := failing(&mu, 1, 0, "")
			return func(w http.ResponseWriter, r *http.Request, real http.Handler) bool {
				if once(w, r, real) {
					panic(http.ErrAbortHandler)
				}
				return false
			}
		},
	}
	for name, f := range tests {
		t.Run(name, func(t *testing.T) {
			r := newTestRegistry(t, false)
			r.push(t, "a:1", img)
			r.fail(f())
			checkRegistryImage(t, "registry://"+r.name("a:1"), anonymous(), img)
		})
	}
}

// failing answers the first n requests for anything with a status.
func failing(mu *sync.Mutex, n, status int, retryAfter string) fault {
	seen := map[string]int{}
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler) bool {
		mu.Lock()
		seen[r.URL.Path]++
		fail := seen[r.URL.Path] <= n
		mu.Unlock()
		if fail && status != 0 {
			if retryAfter != "" {
				w.Header().Set("Retry-After", retryAfter)
			}
			w.WriteHeader(status)
		}
		return fail
	}
}

func TestRetryAfter(t *testing.T) {
	r := newTestRegistry(t, false)
	img := randomImage(t, 1, "linux/amd64")
	r.push(t, "a:1", img)
	var once atomic.Bool
	r.fail(func(w http.ResponseWriter, req *http.Request, _ http.Handler) bool {
		if !strings.Contains(req.URL.Path, "/manifests/") || once.Swap(true) {
			return false
		}
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusTooManyRequests)
		return true
	})
	start := time.Now()
	checkRegistryImage(t, "registry://"+r.name("a:1"), anonymous(), img)
	if d := time.Since(start); d < time.Second {
		t.Errorf("came back after %v", d)
	}
}

// TestRegistryErrors: what stays wrong is said, with the image's name, with
// what can be done, and without URLs.
func TestRegistryErrors(t *testing.T) {
	on := func(part string, status int, retryAfter string) fault {
		return func(w http.ResponseWriter, r *http.Request, _ http.Handler) bool {
			if !strings.Contains(r.URL.Path, part) {
				return false
			}
			w.Header().Set("Retry-After", retryAfter)
			w.WriteHeader(status)
			_, _ = io.WriteString(w, `{"errors":[{"code":"X","message":"because\u001b[31m"}]}`)
			return true
		}
	}
	tests := []struct {
		name, image string
		fault       fault
		want        []string
		hint        string
	}{
		{"no such tag", "a:2", nil, []string{`a:2"`, "404 Not Found"}, "check the name"},
		{"no such repository", "nope:1", nil, []string{`nope:1"`, "404"}, "check the name"},
		{"401", "a:1", on("/manifests/", 401, ""), []string{`a:1"`, "401 Unauthorized", `because\x1b[31m`}, "docker login 127.0.0.1:"},
		{"403", "a:1", on("/manifests/", 403, ""), []string{`a:1"`, "403 Forbidden"}, "docker login 127.0.0.1:"},
		{"401 on ping", "a:1", on("/v2/", 401, ""), []string{`a:1"`, "401"}, "docker login 127.0.0.1:"},
		{"503 for good", "a:1", on("/manifests/", 503, ""), []string{"503 Service Unavailable"}, ""},
		{"503 on ping", "a:1", on("/v2/", 503, ""), []string{"503 Service Unavailable"}, ""},
		{"429 for hours", "a:1", on("/manifests/", 429, "21600"), []string{"429 Too Many Requests"}, "wait, or docker login"},
		{"blobs gone", "a:1", on("/blobs/", 404, ""), []string{`a:1"`, "reading config sha256:", "404"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newTestRegistry(t, false)
			r.push(t, "a:1", randomImage(t, 2, "linux/amd64"))
			if tt.fault != nil {
				r.fail(tt.fault)
			}
			_, _, err := readRef(t, "registry://"+r.name(tt.image), anonymous())
			checkError(t, err, tt.want, tt.hint)
		})
	}
}

// TestRegistryNoAnswer asks where nothing listens.
func TestRegistryNoAnswer(t *testing.T) {
	r := httptest.NewServer(http.NotFoundHandler())
	r.Close()
	host := strings.TrimPrefix(r.URL, "http://")
	_, _, err := readRef(t, "registry://"+host+"/a:1", anonymous())
	checkError(t, err, []string{host + `/a:1"`, "connection refused"}, "check the registry's address and the network")
}

// checkError checks what an error says and advises.
func checkError(t *testing.T, err error, want []string, hint string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	t.Log(err)
	for _, w := range want {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%q lacks %q", err, w)
		}
	}
	if strings.Contains(err.Error(), "http://") || strings.Contains(err.Error(), "?") {
		t.Errorf("%q has a URL", err)
	}
	var h *HintError
	switch {
	case errors.As(err, &h) != (hint != ""):
		t.Errorf("hint %+v, want %q", h, hint)
	case hint != "" && !strings.Contains(h.Hint, hint):
		t.Errorf("hint %q, want %q", h.Hint, hint)
	}
}

func TestRegistryLayerGone(t *testing.T) {
	r := newTestRegistry(t, false)
	r.push(t, "a:1", randomImage(t, 2, "linux/amd64"))
	src := r.open(t, "a:1")
	gone := src.Description().Layers[1].Key
	r.fail(func(w http.ResponseWriter, req *http.Request, _ http.Handler) bool {
		if strings.HasSuffix(req.URL.Path, gone) {
			w.WriteHeader(http.StatusNotFound)
			return true
		}
		return false
	})
	var got reading
	_, err := src.Read(t.Context(), Request{Visit: got.visit})
	checkError(t, err, []string{`a:1"`, "reading layer 1", gone, "404"}, "")
}

// TestRegistryRedirect: a blob in an object store whose URL holds a token, and
// which is then cut for good, gives an error without the token.
func TestRegistryRedirect(t *testing.T) {
	var store *httptest.Server
	img := randomImage(t, 1, "linux/amd64")
	r := newTestRegistry(t, false)
	r.push(t, "a:1", img)
	var fail atomic.Bool
	store = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Header.Get("Authorization") != "" {
			t.Error("credentials went to the store")
		}
		if fail.Load() {
			panic(http.ErrAbortHandler)
		}
		r.real.ServeHTTP(w, req)
	}))
	store.Config.ErrorLog = discardLog
	defer store.Close()
	r.fail(func(w http.ResponseWriter, req *http.Request, _ http.Handler) bool {
		if !isBlobGet(req) {
			return false
		}
		http.Redirect(w, req, store.URL+req.URL.Path+"?X-Token=secret", http.StatusTemporaryRedirect)
		return true
	})
	opts := Options{Keychain: keychainOf{"u", "p"}}
	checkRegistryImage(t, "registry://"+r.name("a:1"), opts, img)
	fail.Store(true)
	_, _, err := readRef(t, "registry://"+r.name("a:1"), opts)
	if err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v", err)
	}
}

// keychainOf is a keychain of one user and password for everything.
type keychainOf struct{ user, password string }

func (k keychainOf) Resolve(authn.Resource) (authn.Authenticator, error) {
	return &authn.Basic{Username: k.user, Password: k.password}, nil
}

func TestRegistryBasicAuth(t *testing.T) {
	r := newTestRegistry(t, false)
	img := randomImage(t, 2, "linux/amd64")
	r.push(t, "a:1", img)
	r.fail(unlessAnn)
	checkRegistryImage(t, "registry://"+r.name("a:1"), Options{Keychain: keychainOf{"ann", "s3cret"}}, img)
	for _, k := range []authn.Keychain{keychainOf{"ann", "wr0ng"}, authn.NewMultiKeychain()} {
		_, _, err := readRef(t, "registry://"+r.name("a:1"), Options{Keychain: k})
		checkError(t, err, []string{"401"}, "docker login "+r.host)
		if strings.Contains(err.Error(), "wr0ng") {
			t.Error(err)
		}
	}
}

// unlessAnn turns away whoever doesn't come with ann's password.
func unlessAnn(w http.ResponseWriter, req *http.Request, _ http.Handler) bool {
	if u, p, _ := req.BasicAuth(); u == "ann" && p == "s3cret" {
		return false
	}
	w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
	w.WriteHeader(http.StatusUnauthorized)
	return true
}

// TestRegistryConfigAuth: credentials come from docker's configuration.
func TestRegistryConfigAuth(t *testing.T) {
	r := newTestRegistry(t, false)
	img := randomImage(t, 1, "linux/amd64")
	r.push(t, "a:1", img)
	r.fail(unlessAnn)
	dockerConfig(t, `{"auths":{"`+r.host+`":{"auth":"YW5uOnMzY3JldA=="}}}`)
	checkRegistryImage(t, "registry://"+r.name("a:1"), Options{}, img)
}

// TestRegistryToken: a token of a token server, which expires between the
// layers.
func TestRegistryToken(t *testing.T) {
	r := newTestRegistry(t, false)
	img := randomImage(t, 4, "linux/amd64")
	r.push(t, "a:1", img)
	var issued, used, expired atomic.Int32
	r.fail(func(w http.ResponseWriter, req *http.Request, _ http.Handler) bool {
		if req.URL.Path == "/token" {
			if s := req.URL.Query().Get("scope"); s != "repository:a:pull" {
				t.Errorf("scope %q", s)
			}
			fmt.Fprintf(w, `{"token":"t%d"}`, issued.Add(1))
			return true
		}
		var n int32
		_, _ = fmt.Sscanf(req.Header.Get("Authorization"), "Bearer t%d", &n)
		if used.Add(1) == 4 {
			expired.Store(n)
		}
		if n > expired.Load() {
			return false
		}
		w.Header().Set("WWW-Authenticate", `Bearer realm="`+r.URL+`/token",service="s",scope="repository:a:pull"`)
		w.WriteHeader(http.StatusUnauthorized)
		return true
	})
	checkRegistryImage(t, "registry://"+r.name("a:1"), anonymous(), img)
	if issued.Load() < 2 {
		t.Errorf("%d tokens were issued", issued.Load())
	}
}

func TestRegistryTLS(t *testing.T) {
	r := newTestRegistry(t, true)
	img := randomImage(t, 1, "linux/amd64")
	r.push(t, "a:1", img)
	ref := "registry://" + r.name("a:1")
	_, _, err := readRef(t, ref, anonymous())
	checkError(t, err, []string{"certificate"}, "--insecure")
	opts := anonymous()
	opts.Insecure = true
	checkRegistryImage(t, ref, opts, img)
	opts = anonymous()
	opts.Transport = r.Client().Transport
	checkRegistryImage(t, ref, opts, img)
}

// rerouted sends every request to one host.
type rerouted struct {
	host string
	seen *atomic.Int32
}

func (r rerouted) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme == "https" {
		return nil, errors.New("no TLS here")
	}
	r.seen.Add(1)
	req = req.Clone(req.Context())
	req.URL.Host = r.host
	return http.DefaultTransport.RoundTrip(req)
}

// TestRegistryPrivate: an address of a private network is not spoken to in
// plain HTTP unless that is asked for.
func TestRegistryPrivate(t *testing.T) {
	r := newTestRegistry(t, false)
	img := randomImage(t, 1, "linux/amd64")
	r.push(t, "a:1", img)
	var seen atomic.Int32
	opts := anonymous()
	opts.Transport = rerouted{r.host, &seen}
	_, _, err := readRef(t, "registry://10.1.2.3/a:1", opts)
	var hint *HintError
	if !errors.As(err, &hint) || !strings.Contains(hint.Hint, "--insecure") || seen.Load() > 0 {
		t.Errorf("got %v after %d requests", err, seen.Load())
	}
	opts.Insecure = true
	checkRegistryImage(t, "registry://10.1.2.3/a:1", opts, img)
}

func TestRegistryIndex(t *testing.T) {
	r := newTestRegistry(t, false)
	amd, arm := randomImage(t, 1, "linux/amd64"), randomImage(t, 2, "linux/arm64")
	att := must(mutate.ConfigFile(randomImage(t, 1, "unknown/unknown"), &v1.ConfigFile{OS: "unknown", Architecture: "unknown"}))
	idx := mutate.AppendManifests(empty.Index,
		mutate.IndexAddendum{Add: amd, Descriptor: v1.Descriptor{Platform: parsePlatform(t, "linux/amd64")}},
		mutate.IndexAddendum{Add: arm, Descriptor: v1.Descriptor{Platform: parsePlatform(t, "linux/arm64/v8")}},
		mutate.IndexAddendum{Add: att, Descriptor: v1.Descriptor{
			Platform:    parsePlatform(t, "unknown/unknown"),
			Annotations: map[string]string{referenceType: "attestation-manifest", referenceDigest: must(arm.Digest()).String()},
		}},
	)
	r.pushIndex(t, "a:flat", idx)
	r.pushIndex(t, "a:nested", mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: idx}))
	for _, tag := range []string{"flat", "nested"} {
		ref := "registry://" + r.name("a:"+tag)
		opts := anonymous()
		opts.Platform = parsePlatform(t, "linux/arm64")
		d := checkRegistryImage(t, ref, opts, arm)
		if len(d.Attestations) != 1 || d.Attestations[0].Digest != must(att.Digest()) {
			t.Errorf("attestations %+v", d.Attestations)
		}
		opts.Platform = parsePlatform(t, "linux/amd64")
		if d := checkRegistryImage(t, ref, opts, amd); len(d.Attestations) != 0 {
			t.Errorf("attestations %+v", d.Attestations)
		}
		opts.Platform = parsePlatform(t, "linux/s390x")
		_, _, err := readRef(t, ref, opts)
		checkError(t, err, []string{"no image for linux/s390x", "linux/amd64, linux/arm64/v8"}, "--platform")
	}
}

func TestRegistrySinglePlatform(t *testing.T) {
	r := newTestRegistry(t, false)
	r.push(t, "a:1", randomImage(t, 1, "linux/s390x"))
	opts := anonymous()
	if _, _, err := readRef(t, "registry://"+r.name("a:1"), opts); err != nil {
		t.Errorf("nothing asked for: %v", err)
	}
	opts.Platform = parsePlatform(t, "linux/amd64")
	_, _, err := readRef(t, "registry://"+r.name("a:1"), opts)
	checkError(t, err, []string{"no image for linux/amd64; there is linux/s390x"}, "--platform")
}

// putManifest puts any bytes as a manifest.
func (r *testRegistry) putManifest(t *testing.T, rest string, mt types.MediaType, body string) {
	t.Helper()
	ref := r.reference(t, rest)
	url := fmt.Sprintf("%s/v2/%s/manifests/%s", r.URL, ref.Context().RepositoryStr(), ref.Identifier())
	req, err := http.NewRequest(http.MethodPut, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", string(mt))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusCreated {
		t.Fatal(resp.Status)
	}
}

func TestRegistryNotAnImage(t *testing.T) {
	const sum = `"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"`
	tests := []struct {
		name string
		mt   types.MediaType
		body string
		want string
	}{
		{"schema 1", types.DockerManifestSchema1Signed, `{"schemaVersion":1}`, "schema 1"},
		{"schema 1, badly served", "text/plain", `{"schemaVersion":1,"fsLayers":[]}`, "schema 1"},
		{"artifact", types.OCIManifestSchema1, `{"schemaVersion":2,"artifactType":"application/sbom","config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":` + sum + `,"size":0},"layers":[]}`, `artifact of type "application/sbom"`},
		{"chart", types.OCIManifestSchema1, `{"schemaVersion":2,"config":{"mediaType":"application/vnd.cncf.helm.config.v1+json","digest":` + sum + `,"size":0},"layers":[]}`, "helm"},
		{"odd layer", types.OCIManifestSchema1, `{"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":` + sum + `,"size":0},"layers":[{"mediaType":"application/x-odd","digest":` + sum + `,"size":0}]}`, `"application/x-odd"`},
		{"encrypted", types.OCIManifestSchema1, `{"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":` + sum + `,"size":0},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip+encrypted","digest":` + sum + `,"size":0}]}`, "encrypted"},
		{"negative size", types.OCIManifestSchema1, `{"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":` + sum + `,"size":0},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":` + sum + `,"size":-5}]}`, "no size"},
		{"empty", types.OCIManifestSchema1, `{}`, "names no config"},
		{"no JSON", types.OCIManifestSchema1, `hello`, "parsing the manifest"},
		{"no manifest", "text/html", `<html>`, `"text/html"`},
		{"huge config", types.OCIManifestSchema1, `{"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":` + sum + `,"size":99999999999},"layers":[]}`, "too large"},
		{"empty index", types.OCIImageIndex, `{"schemaVersion":2,"manifests":[]}`, "holds no image"},
	}
	r := newTestRegistry(t, false)
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tag := "a:" + strconv.Itoa(i)
			r.putManifest(t, tag, tt.mt, tt.body)
			_, _, err := readRef(t, "registry://"+r.name(tag), anonymous())
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), tag) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// TestRegistryConfigs: a config that isn't what the manifest says, or doesn't
// fit it.
func TestRegistryConfigs(t *testing.T) {
	r := newTestRegistry(t, false)
	img := randomImage(t, 2, "linux/amd64")
	r.push(t, "a:1", img)
	config := must(img.ConfigName()).String()
	raw := must(img.RawConfigFile())
	r.fail(func(w http.ResponseWriter, req *http.Request, _ http.Handler) bool {
		if !strings.HasSuffix(req.URL.Path, config) {
			return false
		}
		_, _ = w.Write(bytes.Replace(raw, []byte("linux"), []byte("lunix"), 1))
		return true
	})
	_, _, err := readRef(t, "registry://"+r.name("a:1"), anonymous())
	checkError(t, err, []string{"reading config " + config, "digest"}, "")

	r.fail(func(w http.ResponseWriter, req *http.Request, _ http.Handler) bool {
		if !strings.HasSuffix(req.URL.Path, config) {
			return false
		}
		_, _ = w.Write(raw[1:])
		return true
	})
	_, _, err = readRef(t, "registry://"+r.name("a:1"), anonymous())
	checkError(t, err, []string{"the manifest says " + strconv.Itoa(len(raw))}, "")
}

func TestRegistryLayersAndDiffIDs(t *testing.T) {
	r := newTestRegistry(t, false)
	img := randomImage(t, 2, "linux/amd64")
	c := must(img.ConfigFile()).DeepCopy()
	c.RootFS.DiffIDs = c.RootFS.DiffIDs[:1]
	c.History = nil
	r.push(t, "a:1", must(mutate.ConfigFile(img, c)))
	_, _, err := readRef(t, "registry://"+r.name("a:1"), anonymous())
	checkError(t, err, []string{"2 layers", "it has 2 layers, its config 1"}, "")
}

// TestForeignLayer: a layer the registry doesn't have is fetched from where it
// is distributed, without the registry's credentials.
func TestForeignLayer(t *testing.T) {
	blob := bytes.Repeat([]byte("windows"), 50_000)
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Header.Get("Authorization") != "" {
			t.Error("credentials went elsewhere")
		}
		http.ServeContent(&cutWriter{w, 200_000, nil}, req, "", time.Time{}, bytes.NewReader(blob))
	}))
	elsewhere.Config.ErrorLog = discardLog
	defer elsewhere.Close()
	r := newTestRegistry(t, false)
	layer := static.NewLayer(blob, types.DockerForeignLayer)
	img := must(mutate.Append(empty.Image, mutate.Addendum{
		Layer:     layer,
		URLs:      []string{"ftp://example.com/x", "://", elsewhere.URL + "/layer"},
		MediaType: types.DockerForeignLayer,
	}))
	r.push(t, "a:1", img)
	_, got, err := readRef(t, "registry://"+r.name("a:1"), Options{Keychain: keychainOf{"u", "p"}})
	if d := must(layer.Digest()).String(); err != nil || got.blobs[d] != d {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestCheckForeign(t *testing.T) {
	tests := []struct {
		registry, url string // the registry's host is a literal, or of the internet
		ok            bool
	}{
		{"example.com", "https://cdn.example.com/x", true},
		{"example.com", "http://cdn.example.com/x", true},
		{"example.com", "file:///etc/passwd", false},
		{"example.com", "http://169.254.169.254/latest", false},
		{"example.com", "http://[::ffff:10.0.0.1]/", false},
		{"example.com", "http://localhost:8080/", false},
		{"example.com", "http://127.0.0.1/", false},
		{"10.0.0.1:5000", "http://10.0.0.2/", true},
		{"localhost:5000", "http://localhost:8080/", true},
	}
	for _, tt := range tests {
		u := must(http.NewRequest(http.MethodGet, tt.url, nil)).URL
		if err := checkForeign(u, isPrivate(hostOf(tt.registry))); (err == nil) != tt.ok {
			t.Errorf("%s from %s: %v", tt.url, tt.registry, err)
		}
	}
}

func TestRefusePrivate(t *testing.T) {
	for address, ok := range map[string]bool{
		"93.184.215.14:443":      true,
		"[2606:2800:21f::1]:443": true,
		"100.128.0.1:80":         true,
		"169.254.169.254:80":     false,
		"10.1.2.3:80":            false,
		"172.16.0.1:80":          false,
		"192.168.1.1:80":         false,
		"100.64.0.1:80":          false,
		"127.0.0.53:80":          false,
		"0.0.0.0:80":             false,
		"224.0.0.1:80":           false,
		"[::1]:80":               false,
		"[::]:80":                false,
		"[::ffff:10.0.0.1]:80":   false,
		"[fc00::1]:80":           false,
		"[fd12:3456:789a::1]:80": false,
		"[fe80::1%eth0]:80":      false,
		"[fe80::a9fe:a9fe]:80":   false,
	} {
		if err := refusePrivate("tcp", address, nil); (err == nil) != ok {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// TestOutside: a transport for the internet connects to nothing on this machine.
func TestOutside(t *testing.T) {
	asked := false
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	defer server.Close()
	own := http.DefaultTransport.(*http.Transport).Clone()
	own.Proxy = nil
	client := http.Client{Transport: outsideTransport(own)}
	if _, err := client.Get(server.URL); err == nil || asked {
		t.Errorf("error %v, asked %v", err, asked)
	}
}

// TestRegistryStall: a connection on which nothing comes any more is given up
// and the rest is asked for.
func TestRegistryStall(t *testing.T) {
	defer func(d time.Duration) { stallLimit = d }(stallLimit)
	stallLimit = 100 * time.Millisecond
	r := newTestRegistry(t, false)
	img := randomImage(t, 1, "linux/amd64")
	r.push(t, "a:1", img)
	release := make(chan struct{})
	defer close(release)
	r.fail(func(w http.ResponseWriter, req *http.Request, real http.Handler) bool {
		if !isBlobGet(req) || req.Header.Get("Range") != "" {
			return false
		}
		real.ServeHTTP(&cutWriter{w, 100_000, release}, req)
		return true
	})
	checkRegistryImage(t, "registry://"+r.name("a:1"), anonymous(), img)
}

func TestRegistryCancel(t *testing.T) {
	r := newTestRegistry(t, false)
	r.push(t, "a:1", randomImage(t, 6, "linux/amd64"))
	src := r.open(t, "a:1")
	release := make(chan struct{})
	defer close(release)
	r.fail(func(w http.ResponseWriter, req *http.Request, real http.Handler) bool {
		real.ServeHTTP(&cutWriter{w, 100_000, release}, req)
		return true
	})
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	start := time.Now()
	var got reading
	_, err := src.Read(ctx, Request{Visit: got.visit})
	if !errors.Is(err, context.Canceled) || time.Since(start) > 10*time.Second {
		t.Errorf("got %v after %v", err, time.Since(start))
	}
}
