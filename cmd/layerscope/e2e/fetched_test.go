//go:build linux

package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
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
func (c *counter) layers(config string) (sum int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for digest, n := range c.served {
		if digest != config {
			sum += n
		}
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

// config returns the digest of the config of an image in the registry.
func (l *lab) config(t *testing.T, image string) string {
	t.Helper()
	return l.manifest(t, l.Registry+"/"+image).Config.Digest
}

// fetches returns the bytes of layers that a host which has pulled one image of
// the registry fetches for another.
func (l *lab) fetches(t *testing.T, p puller, has, wants string) int64 {
	t.Helper()
	c := l.count(t)
	p.pull(t, c.host+"/"+has)
	if c.layers(l.config(t, has)) == 0 && len(l.layerDiff(t, has, has).Shared) > 0 {
		t.Fatalf("%s has layers of %s already", p.name, has)
	}
	p.pull(t, c.host+"/"+wants)
	n := c.layers(l.config(t, wants))
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

// samePull checks that hosts fetch what layerscope says that they must, of
// either image if they have the other. What is fetched by chain is docker's.
func (l *lab) samePull(t *testing.T, hosts []puller, old, new string) {
	t.Helper()
	d := l.layerDiff(t, old, new).DeltaPull
	for _, h := range hosts {
		want, reverse := d.Bytes, d.Reverse
		if h.name == "docker" {
			want, reverse = d.Chain, d.ReverseChain
		}
		if want == nil || reverse == nil {
			t.Fatalf("%s must fetch %v and %v bytes: not known", h.name, want, reverse)
		}
		if got := l.fetches(t, h, old, new); got != *want {
			t.Errorf("%s with %s fetches %d bytes for %s, layerscope says %d", h.name, old, got, new, *want)
		}
		if got := l.fetches(t, h, new, old); got != *reverse {
			t.Errorf("%s with %s fetches %d bytes for %s, layerscope says %d", h.name, new, got, old, *reverse)
		}
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
	hosts := []puller{l.dockerHost(t), l.buildahHost()}
	for i, tt := range []struct {
		name     string
		old, new []int // the layers' contents; negative: compressed otherwise
		renamed  bool  // another config
	}{
		{"shared above one that isn't", []int{1, 2, 3}, []int{1, 4, 3}, false},
		{"without the lowest", []int{1, 2, 3}, []int{2, 3}, false},
		{"another order", []int{1, 2}, []int{2, 1}, false},
		{"more", []int{1}, []int{1, 2, 3}, false},
		{"the lowest again", []int{1, 2}, []int{1, 2, 1}, false},
		{"nothing shared", []int{1, 2}, []int{3, 4}, false},
		{"the same", []int{1, 2}, []int{1, 2}, true},
		{"compressed otherwise", []int{1, 2, 3}, []int{1, -2, 3}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			made := func(layers []int, env string) (img synth.Image) {
				img.Config.Env = []string{env}
				for _, n := range layers {
					s := synth.Step{CreatedBy: "COPY", Compression: synth.Gzip}
					if n < 0 {
						n, s.Compression = -n, synth.Zstd
					}
					// Bodies of this test's own: hosts remember digests.
					s.Layer = synth.Layer{synth.Noise(fmt.Sprint("f", n), int64(n)*100_000, uint64(i*10+n))}
					img.Steps = append(img.Steps, s)
				}
				return img
			}
			old, new := fmt.Sprintf("%s/pull%d:old", ours, i), fmt.Sprintf("%s/pull%d:new", ours, i)
			l.pushImage(t, old, made(tt.old, "A=1"))
			env := "A=1"
			if tt.renamed {
				env = "A=2"
			}
			l.pushImage(t, new, made(tt.new, env))
			these := hosts
			if tt.name == "compressed otherwise" {
				these = hosts[1:] // docker reads zstd from version 23 on
			}
			l.samePull(t, these, old, new)
		})
	}
}
