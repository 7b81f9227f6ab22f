package source

import (
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/layerscope/layerscope/analyze/progress"
	"github.com/layerscope/layerscope/analyze/synth"
)

// TestAnyOrder checks that a stream's members may come in any order, and that
// the image is the same as when the archive is read in place.
func TestAnyOrder(t *testing.T) {
	base, app := layerTar(t, "a", "base"), layerTar(t, "b", "app")
	b := newBlobs(t)
	oci := b.layout(named(b.image(amd64("", base, app, base)), "x:1"))
	archives := map[string][]item{
		"legacy": legacy(t, amd64("x:1", base, app, base)),
		"oci":    oci,
		"both":   slices.Concat(oci, []item{dockerList(t, amd64("x:1", base, app, base))}),
	}
	for name, items := range archives {
		t.Run(name, func(t *testing.T) {
			var want *Description
			rng := rand.New(rand.NewPCG(1, 2))
			for range 40 {
				rng.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
				path := writeFile(t, pack(t, items...))
				agree(t, path, Options{})
				got, err := readAll(t, path, Options{})
				if err != nil {
					t.Fatal(err)
				}
				if want == nil {
					want = got
				}
				if diff := cmp.Diff(want, got); diff != "" && name != "legacy" {
					t.Fatalf("another order, another image (-, +):\n%s", diff)
				}
			}
		})
	}
}

// dockerList returns the manifest.json that stands beside a layout which holds
// the image.
func dockerList(t testing.TB, s sample) item {
	entry := dockerImage{RepoTags: s.tags, Config: "blobs/sha256/" + sha256Of([]byte(s.config(t))).Hex}
	for _, l := range s.layers {
		entry.Layers = append(entry.Layers, "blobs/sha256/"+sha256Of(synth.Gzip.Bytes([]byte(l))).Hex)
	}
	return item{name: "manifest.json", body: toJSON(t, []dockerImage{entry})}
}

func TestDescription(t *testing.T) {
	layer := layerTar(t, "a", "base")
	zipped := synth.Gzip.Bytes([]byte(layer))
	s := amd64("alpine:3", layer)
	config := s.config(t)
	id, diffID := sha256Of([]byte(config)), sha256Of([]byte(layer))
	b := newBlobs(t)
	manifest := b.image(s)
	layout := b.layout(named(manifest, "alpine:3"))
	key := "blobs/sha256/" + sha256Of(zipped).Hex
	stored := Layer{Key: key, DiffID: diffID, Digest: sha256Of(zipped), MediaType: types.OCILayer, Size: int64(len(zipped))}

	u := newBlobs(t)
	unpacked := u.manifest(v1.Manifest{
		Config: u.add(types.OCIConfigJSON, config), Layers: []v1.Descriptor{u.add(types.OCIUncompressedLayer, layer)},
	})
	uncompressed := u.layout(unpacked)
	plainList := item{name: "manifest.json", body: toJSON(t, []dockerImage{{
		Config: "blobs/sha256/" + id.Hex, RepoTags: s.tags, Layers: []string{"blobs/sha256/" + diffID.Hex}}})}

	legacyItems := legacy(t, s)
	legacyKey := memberName(legacyItems[3].name)
	for name, tt := range map[string]struct {
		items  []item
		source string
		name   string
		tags   []string
		digest v1.Hash
		layer  Layer
	}{
		"docker save before 25": {legacyItems, "docker-archive", "docker.io/library/alpine:3", []string{"alpine:3"}, v1.Hash{},
			Layer{Key: legacyKey, DiffID: diffID, Size: -1}},
		"docker save since 25": {slices.Concat(layout, []item{dockerList(t, s)}), "docker-archive", "docker.io/library/alpine:3",
			[]string{"alpine:3"}, manifest.Digest, stored},
		"docker save of plain tars": {slices.Concat(uncompressed, []item{plainList}), "docker-archive", "docker.io/library/alpine:3", []string{"alpine:3"}, unpacked.Digest,
			Layer{Key: "blobs/sha256/" + diffID.Hex, DiffID: diffID, MediaType: types.OCIUncompressedLayer, Size: -1}},
		"oci": {layout, "oci-archive", "", []string{"alpine:3"}, manifest.Digest, stored},
		"oci of plain tars": {uncompressed, "oci-archive", "", nil, unpacked.Digest,
			Layer{Key: "blobs/sha256/" + diffID.Hex, DiffID: diffID, Digest: diffID, MediaType: types.OCIUncompressedLayer, Size: int64(len(layer))}},
	} {
		t.Run(name, func(t *testing.T) {
			path := writeFile(t, pack(t, tt.items...))
			got, err := readAll(t, path, Options{})
			if err != nil {
				t.Fatal(err)
			}
			agree(t, path, Options{})
			if string(got.RawConfig) != config {
				t.Errorf("config %s, want %s", got.RawConfig, config)
			}
			got.Config, got.RawConfig, got.Annotations = nil, nil, nil
			want := &Description{
				Source: tt.source, Name: tt.name, Tags: tt.tags, ID: id, Digest: tt.digest,
				Platform: v1.Platform{OS: "linux", Architecture: "amd64"}, Layers: []Layer{tt.layer},
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want, +got):\n%s", diff)
			}
		})
	}
}

func TestOuterCompression(t *testing.T) {
	items := legacy(t, amd64("x:1", layerTar(t, "a", strings.Repeat("text ", 1000))))
	archive := pack(t, items...)
	want, err := readAll(t, writeFile(t, archive), Options{})
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"gzip": synth.Gzip.Bytes(archive), "zstd": synth.Zstd.Bytes(archive)} {
		path := writeFile(t, data)
		var p progress.Progress
		got, err := readAll(t, path, Options{Progress: &p})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-plain, +compressed):\n%s", name, diff)
		}
		if s := p.Snapshot(); s.Bytes != int64(len(data)) || s.Total != int64(len(data)) {
			t.Errorf("%s: progress %d of %d, want all of %d", name, s.Bytes, s.Total, len(data))
		}
		for _, cut := range []int{11, len(data) / 2, len(data) - 1} {
			if _, err := readAll(t, writeFile(t, data[:cut]), Options{}); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%s cut at %d of %d: %v, want unexpected EOF", name, cut, len(data), err)
			}
		}
	}
}

// TestTruncated cuts an archive everywhere. What is left is either the whole
// image, if only the padding or the end blocks are gone, or an error that says
// where the cut is, the same in place and as a stream.
func TestTruncated(t *testing.T) {
	items := legacy(t, amd64("x:1", layerTar(t, "a", "base")))
	archive := pack(t, items...)
	end := len(archive) - 2*tarBlock
	for cut := 1; cut < len(archive); cut += 97 {
		path := writeFile(t, archive[:cut])
		agree(t, path, Options{})
		_, err := readAll(t, path, Options{})
		var hint *HintError
		switch {
		case cut > end:
			// A whole image, and a block of zeros that isn't whole.
		case err == nil && cut < end-tarBlock:
			t.Errorf("cut at %d of %d: no error", cut, len(archive))
		case err != nil && !strings.Contains(err.Error(), "image.tar"):
			t.Errorf("cut at %d: %v doesn't name the archive", cut, err)
		case errors.As(err, &hint), err == nil:
		case !errors.Is(err, io.ErrUnexpectedEOF) && !strings.Contains(err.Error(), "missing"):
			t.Errorf("cut at %d: %v", cut, err)
		}
	}
	for _, cut := range []int{end, end + tarBlock} {
		path := writeFile(t, archive[:cut])
		agree(t, path, Options{})
		if _, err := readAll(t, path, Options{}); err != nil {
			t.Errorf("without its end blocks: %v", err)
		}
	}
	layer := items[3].name
	at := strings.Index(string(archive), layer) + tarBlock + 700 // in the layer's body
	_, err := readAll(t, writeFile(t, archive[:at]), Options{})
	if err == nil || !strings.Contains(err.Error(), layer) || !strings.Contains(err.Error(), "cut short") {
		t.Errorf("cut in a layer: %v, want an error that names %s", err, layer)
	}
}

func TestNotAnArchive(t *testing.T) {
	for name, data := range map[string]string{
		"empty": "", "text": "hello, world\n", "zip": "PK\x03\x04" + strings.Repeat("x", 1000), "short": "x",
	} {
		path := writeFile(t, []byte(data))
		for _, ref := range []string{path, "docker-archive:" + path} {
			_, err := Open(t.Context(), ref, Options{})
			var hint *HintError
			if !errors.As(err, &hint) || !strings.Contains(err.Error(), "not an image archive") {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if _, err := openArchive(t.Context(), Bare, filepath.Join(t.TempDir(), "none"), Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if _, err := openArchive(t.Context(), Bare, t.TempDir(), Options{}); err == nil || !strings.Contains(err.Error(), "directory") {
		t.Errorf("a directory as an archive: %v", err)
	}
	if _, err := openPath(t.Context(), t.TempDir(), Options{}); err == nil || !strings.Contains(err.Error(), "no index.json") {
		t.Errorf("an empty directory: %v", err)
	}
}

// TestWrongSizes checks that a descriptor's size may be wrong as long as the
// digest is right.
func TestWrongSizes(t *testing.T) {
	b := newBlobs(t)
	layer := layerTar(t, "a", "base")
	config := b.add(types.OCIConfigJSON, amd64("", layer).config(t))
	blob := b.add(types.OCILayer, string(synth.Gzip.Bytes([]byte(layer))))
	config.Size, blob.Size = 1, 1
	m := b.manifest(v1.Manifest{Config: config, Layers: []v1.Descriptor{blob}})
	m.Size = 1
	path := writeFile(t, pack(t, b.layout(m)...))
	if _, err := readAll(t, path, Options{}); err != nil {
		t.Error(err)
	}
	agree(t, path, Options{})
}

// TestTransport holds archives to what their transport says they are, read in
// place and as a stream. What newer engines save is both.
func TestTransport(t *testing.T) {
	img := amd64("x:1", layerTar(t, "a", "1"))
	b := newBlobs(t)
	layout := b.layout(named(b.image(img), "x"))
	docker := legacy(t, img)
	both := slices.Concat(layout, []item{dockerList(t, img)})
	for _, tt := range []struct {
		name      string
		items     []item
		transport Transport
		source    string // "": refused
		want      string // of the hint
	}{
		{"docker", docker, DockerArchive, "docker-archive", ""},
		{"docker", docker, OCIArchive, "", "docker-archive:"},
		{"oci", layout, OCIArchive, "oci-archive", ""},
		{"oci", layout, DockerArchive, "", "oci-archive:"},
		{"both", both, DockerArchive, "docker-archive", ""},
		{"both", both, OCIArchive, "oci-archive", ""},
	} {
		plain := pack(t, tt.items...)
		for how, data := range map[string][]byte{"in place": plain, "stream": synth.Gzip.Bytes(plain)} {
			d, _, err := readRef(t, string(tt.transport)+":"+writeFile(t, data), Options{})
			var hint *HintError
			switch {
			case tt.source == "" && (!errors.As(err, &hint) || !strings.Contains(hint.Hint, tt.want)):
				t.Errorf("%s as %s, %s: error %v, want a hint to %s", tt.name, tt.transport, how, err, tt.want)
			case tt.source != "" && err != nil:
				t.Errorf("%s as %s, %s: %v", tt.name, tt.transport, how, err)
			case tt.source != "" && d.Source != tt.source:
				t.Errorf("%s as %s, %s: source %q", tt.name, tt.transport, how, d.Source)
			}
		}
	}
}
