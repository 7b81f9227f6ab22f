//go:build linux

package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/layerscope/layerscope/analyze/synth"
)

// counter stands before a registry and counts the bytes that it serves of each
// blob.
type counter struct {
	host   string // its address
	mu     sync.Mutex
	served map[string]int64 // by digest
}

func (l *lab) count(t *testing.T) *counter {
	t.Helper()
	c := &counter{served: map[string]int64{}}
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: l.Registry})
	proxy.ModifyResponse = func(r *http.Response) error {
		_, digest, ok := strings.Cut(r.Request.URL.Path, "/blobs/")
		if ok && r.Request.Method == http.MethodGet && r.StatusCode < 300 {
			r.Body = &countedBody{r.Body, c, digest}
		}
		return nil
	}
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	c.host = strings.TrimPrefix(server.URL, "http://")
	return c
}

// layers returns the bytes that were served of an image's layers since it was
// last asked.
func (c *counter) layers(m manifest) (sum int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range m.Layers {
		sum += c.served[l.Digest]
		delete(c.served, l.Digest)
	}
	clear(c.served)
	return sum
}

type countedBody struct {
	io.ReadCloser
	c      *counter
	digest string
}

func (b *countedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.c.mu.Lock()
	b.c.served[b.digest] += int64(n)
	b.c.mu.Unlock()
	return n, err
}

// puller is a host that pulls images.
type puller struct {
	name   string
	pull   func(t *testing.T, image string)
	remove func(t *testing.T, image string)
}

// dockerHost runs another engine, which knows of no image: the lab's own has
// those that it built. It ends with the lab.
func (l *lab) dockerHost(t *testing.T) puller {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root can run an engine")
	}
	address := "unix://" + l.path("host.sock")
	once(t, "docker host", func() (string, error) {
		cmd, err := l.dockerd("host", address)
		if err != nil {
			return "", err
		}
		return address, l.start("host", cmd, func() error {
			_, err := l.output(l.Docker, "--host", address, "version")
			return err
		})
	})
	run := func(args ...string) func(*testing.T, string) {
		return func(t *testing.T, image string) {
			t.Helper()
			l.tool(t, l.Docker, append(append([]string{"--host", address}, args...), image)...)
		}
	}
	return puller{"docker", run("pull", "--quiet"), run("image", "rm")}
}

// buildahHost is buildah, which finds layers by their digests.
func (l *lab) buildahHost() puller {
	run := func(args ...string) func(*testing.T, string) {
		return func(t *testing.T, image string) {
			t.Helper()
			l.tool(t, buildah, append(args, image)...)
		}
	}
	return puller{"buildah", run("pull", "--quiet", "--tls-verify=false"), run("rmi")}
}

// fetches returns the bytes of layers that a host which has pulled one image of
// the registry fetches for another.
func (l *lab) fetches(t *testing.T, p puller, has, wants string) int64 {
	t.Helper()
	c := l.count(t)
	p.pull(t, c.host+"/"+has)
	if c.layers(l.manifest(t, l.Registry+"/"+has)) == 0 {
		t.Fatalf("%s had %s already", p.name, has)
	}
	p.pull(t, c.host+"/"+wants)
	n := c.layers(l.manifest(t, l.Registry+"/"+wants))
	p.remove(t, c.host+"/"+has)
	p.remove(t, c.host+"/"+wants)
	return n
}

// layerDiff is what layerscope says of the layers of two images in the registry,
// from their manifests.
func (l *lab) layerDiff(t *testing.T, old, new string) diffLayers {
	t.Helper()
	var d diffReport
	out := l.layerscope(t, "diff", "--layers-only", "--format", "json", "registry://"+l.Registry+"/"+old, "registry://"+l.Registry+"/"+new).ok(t)
	if err := json.Unmarshal([]byte(out), &d); err != nil {
		t.Fatal(err)
	}
	return d.Layers
}

// samePull checks that a host which has one image fetches of another what
// layerscope says that it must, by chain if the host is docker.
func (l *lab) samePull(t *testing.T, host puller, has, wants string) {
	t.Helper()
	d := l.layerDiff(t, has, wants).DeltaPull
	want := d.Bytes
	if host.name == "docker" {
		want = d.Chain
	}
	if want == nil {
		t.Fatalf("what %s must fetch for %s isn't known", host.name, wants)
	}
	if got := l.fetches(t, host, has, wants); got != *want {
		t.Errorf("%s with %s fetches %d bytes for %s, layerscope says %d", host.name, has, got, wants, *want)
	}
	reverse := l.layerDiff(t, wants, has).DeltaPull
	same(t, []*int64{d.Bytes, d.Chain}, []*int64{reverse.Reverse, reverse.ReverseChain})
}

// samePulls is samePull for both directions and all hosts.
func (l *lab) samePulls(t *testing.T, old, new string) {
	t.Helper()
	for _, host := range []puller{l.dockerHost(t), l.buildahHost()} {
		l.samePull(t, host, old, new)
		l.samePull(t, host, new, old)
	}
}

// pushImage pushes an image made in code.
func (l *lab) pushImage(t *testing.T, as string, img synth.Image) {
	t.Helper()
	made, err := img.V1()
	ref, perr := name.ParseReference(l.Registry+"/"+as, name.Insecure)
	if err = errors.Join(err, perr); err == nil {
		err = remote.Write(ref, made)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Hosts that have one image fetch of another what is said: docker finds layers
// by their chain, buildah by their digests.
func TestDeltaPull(t *testing.T) {
	l := open(t, engine, registry, skopeo, buildah)
	// Bodies that no host has seen: buildah remembers, from run to run, which
	// digests are of one body compressed in two ways.
	seed := rand.Uint64()
	for i, tt := range []struct {
		name     string
		old, new []int  // the layers' contents; negative: compressed otherwise
		env      string // of new; old's is A=1
	}{
		{"shared above one that isn't", []int{1, 2, 3}, []int{1, 4, 3}, "A=1"},
		{"without the lowest", []int{1, 2, 3}, []int{2, 3}, "A=1"},
		{"the lowest again", []int{1, 2}, []int{1, 2, 1}, "A=1"},
		{"another config", []int{1, 2}, []int{1, 2}, "A=2"},
		{"compressed otherwise", []int{1, 2, 3}, []int{1, -2, 3}, "A=2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			made := func(layers []int, env string) (img synth.Image) {
				img.Config.Env = []string{env}
				for _, n := range layers {
					s := synth.Step{CreatedBy: "COPY", Compression: synth.Gzip}
					if n < 0 {
						n, s.Compression = -n, synth.Zstd
					}
					s.Layer = synth.Layer{synth.Noise(fmt.Sprint("f", n), int64(n)*100_000, seed+uint64(i*10+n))}
					img.Steps = append(img.Steps, s)
				}
				return img
			}
			old, new := fmt.Sprintf("%s/pull%d:old", ours, i), fmt.Sprintf("%s/pull%d:new", ours, i)
			l.pushImage(t, old, made(tt.old, "A=1"))
			l.pushImage(t, new, made(tt.new, tt.env))
			if slices.ContainsFunc(tt.new, func(n int) bool { return n < 0 }) {
				// Docker reads zstd from version 23 on, and buildah would have
				// seen both.
				l.samePull(t, l.buildahHost(), old, new)
				return
			}
			l.samePulls(t, old, new)
		})
	}
}
