package lab

import (
	"archive/tar"
	"bytes"
	_ "embed"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Bases are the images that there are: one for every name and tag, for two
// platforms, all of the same layer. As a handler they are a registry, of any
// host's images.
//
// Images differ in their configuration alone, and so in their digests; but for
// tags that name one image, as [sameImage] has them.
type Bases struct {
	layer v1.Layer

	mu    sync.Mutex
	made  map[string]*base // by "library/alpine:3.20"
	blobs map[string][]byte
}

// base is an image for both platforms.
type base struct {
	digest string // of the index
	config v1.Config
}

// sameImage has the tags that name another tag's image.
var sameImage = map[string]string{
	"library/busybox:latest": "library/busybox:1.36",
	"library/debian:latest":  "library/debian:bookworm-slim",
}

// platforms are those that images are for.
var platforms = []v1.Platform{{OS: "linux", Architecture: "amd64"}, {OS: "linux", Architecture: "arm64"}}

// NewBases makes the layer. It fails where there is no static busybox.
func NewBases() (*Bases, error) {
	raw, err := baseLayer()
	if err != nil {
		return nil, err
	}
	b := &Bases{made: map[string]*base{}, blobs: map[string][]byte{}}
	if b.layer, err = tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(raw)), nil }); err != nil {
		return nil, err
	}
	r, err := b.layer.Compressed()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	compressed, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	digest, err := b.layer.Digest()
	b.blobs[digest.String()] = compressed
	return b, err
}

//go:embed tools.sh
var toolScript string

// tools are the names that [toolScript] goes by.
var tools = strings.Fields("npm yarn go pip python3 mvn java cargo make strip cc gcc apt-get apk useradd curl wget ldconfig git nginx")

// baseLayer is the filesystem of all images, as a tar.
func baseLayer() ([]byte, error) {
	const busybox = "/bin/busybox"
	binary, err := os.ReadFile(busybox)
	if err != nil {
		return nil, fmt.Errorf("no busybox to put into images: %w", err)
	}
	applets, err := exec.Command(busybox, "--list").Output()
	if err != nil {
		return nil, fmt.Errorf("asking busybox for its applets: %w", err)
	}
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	var failed error
	put := func(name string, kind byte, mode int64, body, link string) {
		h := &tar.Header{Name: name, Typeflag: kind, Mode: mode, Size: int64(len(body)), Linkname: link, ModTime: time.Unix(1_700_000_000, 0)}
		if err := w.WriteHeader(h); err != nil && failed == nil {
			failed = err
		}
		io.WriteString(w, body)
	}
	for _, dir := range strings.Fields("bin/ dev/ etc/ home/ home/app/ opt/ proc/ root/ run/ srv/ sys/ usr/ usr/bin/ usr/lib/ usr/local/ usr/local/bin/ usr/share/ var/ var/cache/") {
		put(dir, tar.TypeDir, 0o755, "", "")
	}
	put("tmp/", tar.TypeDir, 0o1777, "", "")
	put("bin/busybox", tar.TypeReg, 0o755, string(binary), "")
	for _, applet := range strings.Fields(string(applets)) {
		if applet != "busybox" && !slices.Contains(tools, applet) {
			put("bin/"+applet, tar.TypeSymlink, 0o777, "", "busybox")
		}
	}
	put("usr/lib/tool", tar.TypeReg, 0o755, toolScript, "")
	for _, tool := range tools {
		put("usr/bin/"+tool, tar.TypeSymlink, 0o777, "", "/usr/lib/tool")
	}
	put("usr/bin/perl5.36.0", tar.TypeReg, 0o755, "#!/bin/sh\n", "")
	put("etc/passwd", tar.TypeReg, 0o644, "root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n", "")
	put("etc/group", tar.TypeReg, 0o644, "root:x:0:\nnobody:x:65534:\n", "")
	put("etc/os-release", tar.TypeReg, 0o644, "NAME=lab\n", "")
	if err := w.Close(); err != nil && failed == nil {
		failed = err
	}
	return buf.Bytes(), failed
}

// config is the configuration of an image.
func config(repository, tag string) v1.Config {
	c := v1.Config{
		Env:    []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
		Cmd:    []string{"/bin/sh"},
		Labels: map[string]string{"lab.image": repository + ":" + tag},
	}
	switch repository {
	case "library/golang":
		c.Env = append(c.Env, "GOLANG_VERSION="+tag, "GOPATH=/go")
		c.WorkingDir = "/go"
	case "library/node":
		c.Env = append(c.Env, "NODE_VERSION="+tag)
	case "library/python":
		c.Env = append(c.Env, "LANG=C.UTF-8", "PYTHON_VERSION="+tag)
	case "acme/configured":
		c.Env = append(c.Env, "FROM_BASE=base")
		c.User, c.WorkingDir, c.Shell = "1000", "/home/app", []string{"/bin/busybox", "sh", "-c"}
	}
	if strings.HasSuffix(tag, "-onbuild") {
		c.WorkingDir = "/usr/src/app"
		c.OnBuild = []string{"COPY package*.json ./", "RUN npm ci", "COPY . ."}
	}
	return c
}

// image returns the image of a name, and makes it if it hasn't been before.
func (b *Bases) image(repository, tag string) (*base, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	name := repository + ":" + tag
	if same, ok := sameImage[name]; ok {
		name, tag = same, same[strings.LastIndexByte(same, ':')+1:]
	}
	if made, ok := b.made[name]; ok {
		return made, nil
	}
	made := &base{config: config(repository, tag)}
	var index v1.ImageIndex = mutate.IndexMediaType(empty.Index, types.DockerManifestList)
	for _, p := range platforms {
		img, err := mutate.Append(empty.Image, mutate.Addendum{Layer: b.layer, History: v1.History{CreatedBy: "lab " + name + " " + p.String()}})
		if err != nil {
			return nil, err
		}
		file, err := img.ConfigFile()
		if err != nil {
			return nil, err
		}
		file = file.DeepCopy()
		file.OS, file.Architecture, file.Config = p.OS, p.Architecture, made.config
		if img, err = mutate.ConfigFile(img, file); err != nil {
			return nil, err
		}
		if err := b.store(img.RawManifest, img.Digest); err != nil {
			return nil, err
		}
		if err := b.store(img.RawConfigFile, img.ConfigName); err != nil {
			return nil, err
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: &p}})
	}
	if err := b.store(index.RawManifest, index.Digest); err != nil {
		return nil, err
	}
	digest, err := index.Digest()
	made.digest = digest.String()
	b.made[name] = made
	return made, err
}

func (b *Bases) store(raw func() ([]byte, error), digest func() (v1.Hash, error)) error {
	body, err := raw()
	if err != nil {
		return err
	}
	hash, err := digest()
	b.blobs[hash.String()] = body
	return err
}

// ServeHTTP is the registry.
func (b *Bases) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/v2/")
	if path == "" {
		return // it is one
	}
	name, wanted, ok := cutLast(path, "/manifests/")
	if !ok {
		_, wanted, ok = cutLast(path, "/blobs/")
	}
	if !ok {
		http.NotFound(w, r)
		return
	}
	if !strings.Contains(wanted, ":") {
		made, err := b.image(name, wanted)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		wanted = made.digest
	}
	b.mu.Lock()
	body, ok := b.blobs[wanted]
	b.mu.Unlock()
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Docker-Content-Digest", wanted)
	w.Header().Set("Content-Type", mediaType(path, body))
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

func mediaType(path string, body []byte) string {
	switch {
	case strings.Contains(path, "/blobs/"):
		return "application/octet-stream"
	case bytes.Contains(body, []byte(types.DockerManifestList)):
		return string(types.DockerManifestList)
	default:
		return string(types.DockerManifestSchema2)
	}
}
