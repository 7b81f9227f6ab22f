package source

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// TestLayout checks the forms of directories.
func TestLayout(t *testing.T) {
	layer := layerTar(t, "a", "base")
	b := newBlobs(t)
	s := amd64("x:1", layer)
	manifest := b.image(s)
	layout := b.layout(named(manifest, "x:1"))
	var skopeo []item
	for _, it := range b.items {
		name := filepath.Base(it.name)
		if name == manifest.Digest.Hex {
			name = "manifest.json"
		}
		skopeo = append(skopeo, item{name: name, body: it.body})
	}
	for name, tt := range map[string]struct {
		items  []item
		source string
	}{
		"layout":          {layout, "oci"},
		"no oci-layout":   {layout[:len(layout)-1], "oci"},
		"skopeo's dir":    {append(skopeo, item{name: "version", body: "Directory Transport Version: 1.1\n"}), "docker-dir"},
		"unpacked docker": {slices.Concat(layout, []item{dockerList(t, s)}), "docker-dir"},
	} {
		dir := unpack(t, tt.items...)
		d, err := readAll(t, dir, Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if d.Source != tt.source || d.Digest != manifest.Digest {
			t.Errorf("%s: source %q digest %s, want %q %s", name, d.Source, d.Digest, tt.source, manifest.Digest)
		}
		agree(t, dir, Options{})
	}
	dir := unpack(t, layout...)
	if img, err := openLayout(t.Context(), dir, Options{Tag: "x:1"}); err != nil {
		t.Errorf("by tag: %v", err)
	} else {
		img.Close()
	}
	if _, err := openLayout(t.Context(), dir, Options{Tag: "y"}); err == nil || !strings.Contains(err.Error(), `"x:1"`) {
		t.Errorf("by another tag: %v, want the list", err)
	}
	if err := os.Remove(filepath.Join(dir, "index.json")); err != nil {
		t.Fatal(err)
	}
	if _, err := openLayout(t.Context(), dir, Options{}); err == nil {
		t.Error("a layout without an index was opened")
	}
}

// TestDirOfPlainTars checks that a manifest's sizes hold for plain tars too
// where no engine has made the manifest up.
func TestDirOfPlainTars(t *testing.T) {
	layer := layerTar(t, "a", "base")
	b := newBlobs(t)
	d := b.manifest(v1.Manifest{
		Config: b.add(types.OCIConfigJSON, amd64("", layer).config(t)),
		Layers: []v1.Descriptor{b.add(types.DockerUncompressedLayer, layer)},
	})
	var items []item
	for _, it := range b.items {
		items = append(items, item{name: filepath.Base(it.name), body: it.body})
	}
	items[len(items)-1].name = "manifest.json"
	got, err := readAll(t, unpack(t, items...), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if l := got.Layers[0]; got.Digest != d.Digest || l.Size != int64(len(layer)) || l.Digest != sha256Of([]byte(layer)) {
		t.Errorf("got %s with %+v", got.Digest, l)
	}
}

// TestDirOfPlatforms checks what skopeo copy --all writes to dir:, an index as
// manifest.json and manifests under their digests.
func TestDirOfPlatforms(t *testing.T) {
	b := newBlobs(t)
	b.index(b.image(platformImage(t, "linux/s390x")), b.image(platformImage(t, "linux/mips")))
	var items []item
	for i, it := range b.items {
		name := filepath.Base(it.name)
		switch {
		case i == len(b.items)-1:
			name = "manifest.json"
		case strings.Contains(it.body, `"layers":`):
			name += ".manifest.json"
		}
		items = append(items, item{name: name, body: it.body})
	}
	dir := unpack(t, items...)
	d, err := readAll(t, dir, Options{Platform: &v1.Platform{OS: "linux", Architecture: "mips"}})
	if err != nil {
		t.Fatal(err)
	}
	if d.Source != "docker-dir" || d.Platform.Architecture != "mips" {
		t.Errorf("got %s of %s", d.Platform, d.Source)
	}
}
