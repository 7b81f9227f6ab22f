package source

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/layerscope/layerscope/analyze/synth"
)

// item is a member of a test's archive.
type item struct {
	name, body, link string
	typ              byte // 0: a regular file
}

// pack makes a tar.
func pack(t testing.TB, items ...item) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, it := range items {
		hdr := &tar.Header{Name: it.name, Linkname: it.link, Typeflag: it.typ, Mode: 0o644, Size: int64(len(it.body))}
		if err := w.WriteHeader(hdr); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(it.body)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// layerTar returns a layer with one file.
func layerTar(t testing.TB, name, body string) string {
	return string(pack(t, item{name: name, body: body}))
}

func toJSON(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// sample is an image that a test makes.
type sample struct {
	os, arch, variant string
	layers            []string // tars
	tags              []string
}

func (s sample) config(t testing.TB) string {
	c := v1.ConfigFile{OS: s.os, Architecture: s.arch, Variant: s.variant, RootFS: v1.RootFS{Type: "layers"}}
	for _, l := range s.layers {
		c.RootFS.DiffIDs = append(c.RootFS.DiffIDs, sha256Of([]byte(l)))
	}
	return toJSON(t, c)
}

func amd64(tag string, layers ...string) sample {
	return sample{os: "linux", arch: "amd64", layers: layers, tags: []string{tag}}
}

// legacy returns the members docker save wrote before version 25: every layer
// under an id of its own, those that repeat as symbolic links.
func legacy(t testing.TB, images ...sample) []item {
	var items []item
	var list []dockerImage
	first := map[string]string{}
	for _, img := range images {
		config := img.config(t)
		entry := dockerImage{Config: sha256Of([]byte(config)).Hex + ".json", RepoTags: img.tags}
		for i, l := range img.layers {
			id := sha256Of([]byte(config + strings.Repeat("+", i))).Hex
			name := id + "/layer.tar"
			entry.Layers = append(entry.Layers, name)
			items = append(items, item{name: id + "/", typ: tar.TypeDir}, item{name: id + "/VERSION", body: "1.0"},
				item{name: id + "/json", body: `{"id":"` + id + `"}`})
			if target, ok := first[l]; ok {
				items = append(items, item{name: name, typ: tar.TypeSymlink, link: "../" + target})
				continue
			}
			first[l] = name
			items = append(items, item{name: name, body: l})
		}
		items = append(items, item{name: entry.Config, body: config})
		list = append(list, entry)
	}
	return append(items, item{name: "manifest.json", body: toJSON(t, list)})
}

// blobs collects the members of an OCI layout.
type blobs struct {
	t     testing.TB
	items []item
	has   map[string]bool
}

func newBlobs(t testing.TB) *blobs { return &blobs{t: t, has: map[string]bool{}} }

func (b *blobs) add(mt types.MediaType, body string) v1.Descriptor {
	d := v1.Descriptor{MediaType: mt, Size: int64(len(body)), Digest: sha256Of([]byte(body))}
	name := "blobs/sha256/" + d.Digest.Hex
	if !b.has[name] {
		b.has[name] = true
		b.items = append(b.items, item{name: name, body: body})
	}
	return d
}

// image adds an image with gzipped layers.
func (b *blobs) image(s sample) v1.Descriptor {
	b.t.Helper()
	m := v1.Manifest{SchemaVersion: 2, MediaType: types.OCIManifestSchema1, Config: b.add(types.OCIConfigJSON, s.config(b.t))}
	for _, l := range s.layers {
		m.Layers = append(m.Layers, b.add(types.OCILayer, string(synth.Gzip.Bytes([]byte(l)))))
	}
	d := b.add(types.OCIManifestSchema1, toJSON(b.t, m))
	d.Platform = &v1.Platform{OS: s.os, Architecture: s.arch, Variant: s.variant}
	return d
}

func (b *blobs) manifest(m v1.Manifest) v1.Descriptor {
	b.t.Helper()
	m.SchemaVersion = 2
	return b.add(types.OCIManifestSchema1, toJSON(b.t, m))
}

func (b *blobs) index(ds ...v1.Descriptor) v1.Descriptor {
	b.t.Helper()
	return b.add(types.OCIImageIndex, toJSON(b.t, v1.IndexManifest{SchemaVersion: 2, Manifests: ds}))
}

// layout returns the members of a layout whose index lists the descriptors.
func (b *blobs) layout(ds ...v1.Descriptor) []item {
	b.t.Helper()
	index := toJSON(b.t, v1.IndexManifest{SchemaVersion: 2, Manifests: ds})
	return append(b.items, item{name: "index.json", body: index}, item{name: "oci-layout", body: `{"imageLayoutVersion":"1.0.0"}`})
}

func named(d v1.Descriptor, ref string) v1.Descriptor {
	d.Annotations = map[string]string{refName: ref}
	return d
}

// writeFile writes an archive into a file of the test.
func writeFile(t testing.TB, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "image.tar")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// unpack writes members into a directory of the test.
func unpack(t testing.TB, items ...item) string {
	t.Helper()
	dir := t.TempDir()
	for _, it := range items {
		path := filepath.Join(dir, filepath.FromSlash(it.name))
		if it.typ != 0 {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(it.body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
