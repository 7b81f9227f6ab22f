package synth

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// TestArchives opens what is written with go-containerregistry, which finds
// the same config and layers in every format.
func TestArchives(t *testing.T) {
	img, other := sample(), sample()
	other.Tags = []string{"example/app:2.0"}
	other.Steps = append(other.Steps, Step{CreatedBy: "COPY x / # buildkit", Layer: Layer{File("x", "x")}})
	gz, ogz := img, other
	gz.Compression, ogz.Compression = Gzip, Gzip
	tests := []struct {
		name  string
		write func(io.Writer) error
	}{
		{"docker", func(w io.Writer) error { return DockerArchive(w, img, other) }},
		{"docker gzip", func(w io.Writer) error { return DockerArchive(w, gz, ogz) }},
		{"docker 25", func(w io.Writer) error { return DockerArchiveOCI(w, img, other) }},
		{"docker 25 gzip", func(w io.Writer) error { return DockerArchiveOCI(w, gz, ogz) }},
		{"podman", func(w io.Writer) error { return PodmanArchive(w, img, other) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "image.tar")
			writeFile(t, path, tt.write)
			for _, img := range []Image{img, other} {
				tag, err := name.NewTag(img.Tags[0])
				if err != nil {
					t.Fatal(err)
				}
				got, err := tarball.ImageFromPath(path, &tag)
				if err != nil {
					t.Fatal(err)
				}
				if err := validate.Image(got); err != nil {
					t.Errorf("%s is invalid: %v", img.Tags[0], err)
				}
				sameConfig(t, img, got)
			}
		})
	}
}

// TestLayout opens OCI layouts: from a directory and unpacked from an archive.
func TestLayout(t *testing.T) {
	arm := sample()
	arm.Platform = v1.Platform{OS: "linux", Architecture: "arm64", Variant: "v8"}
	refs := []Ref{
		sample(),
		Index{Tags: []string{"multi:1"}, Images: []Image{sample(), arm}, Attest: true},
	}
	dir, unpacked := t.TempDir(), t.TempDir()
	if err := OCILayout(dir, refs...); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := OCIArchive(&b, refs...); err != nil {
		t.Fatal(err)
	}
	unpack(t, &b, unpacked)
	for _, dir := range []string{dir, unpacked} {
		idx, err := layout.ImageIndexFromPath(dir)
		if err != nil {
			t.Fatal(err)
		}
		m, err := idx.IndexManifest()
		if err != nil {
			t.Fatal(err)
		}
		if len(m.Manifests) != 2 {
			t.Fatalf("index.json names %d manifests", len(m.Manifests))
		}
		if got := m.Manifests[0].Annotations["io.containerd.image.name"]; got != "docker.io/example/app:1.0" {
			t.Errorf("name %q", got)
		}
		img, err := idx.Image(m.Manifests[0].Digest)
		if err != nil {
			t.Fatal(err)
		}
		if err := validate.Image(img); err != nil {
			t.Errorf("invalid image: %v", err)
		}
		sameConfig(t, sample(), img)
		multi, err := idx.ImageIndex(m.Manifests[1].Digest)
		if err != nil {
			t.Fatal(err)
		}
		checkMulti(t, multi)
	}
}

// TestIndexV1 checks the index that is pushed to registries.
func TestIndexV1(t *testing.T) {
	arm := sample()
	arm.Platform = v1.Platform{OS: "linux", Architecture: "arm64", Variant: "v8"}
	idx, err := Index{Images: []Image{sample(), arm}, Attest: true}.V1()
	if err != nil {
		t.Fatal(err)
	}
	checkMulti(t, idx)
}

// TestPush pushes to a registry and pulls.
func TestPush(t *testing.T) {
	srv := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer srv.Close()
	arm := sample()
	arm.Platform = v1.Platform{OS: "linux", Architecture: "arm64", Variant: "v8"}
	ref, err := name.ParseReference(strings.TrimPrefix(srv.URL, "http://") + "/app:1")
	if err != nil {
		t.Fatal(err)
	}
	idx, err := Index{Images: []Image{sample(), arm}, Attest: true}.V1()
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.WriteIndex(ref, idx); err != nil {
		t.Fatal(err)
	}
	pulled, err := remote.Index(ref)
	if err != nil {
		t.Fatal(err)
	}
	checkMulti(t, pulled)
	img, err := remote.Image(ref)
	if err != nil {
		t.Fatal(err)
	}
	sameConfig(t, sample(), img)
}

func checkMulti(t *testing.T, idx v1.ImageIndex) {
	t.Helper()
	m, err := idx.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	var platforms []string
	for _, d := range m.Manifests {
		platforms = append(platforms, d.Platform.String()+" "+d.Annotations["vnd.docker.reference.type"])
		if of := d.Annotations["vnd.docker.reference.digest"]; of != "" && of != m.Manifests[0].Digest.String() && of != m.Manifests[1].Digest.String() {
			t.Errorf("an attestation of %s, which isn't there", of)
		}
	}
	want := []string{"linux/amd64 ", "linux/arm64/v8 ", "unknown/unknown attestation-manifest", "unknown/unknown attestation-manifest"}
	if d := cmp.Diff(want, platforms); d != "" {
		t.Errorf("platforms (-want +got):\n%s", d)
	}
	for _, d := range m.Manifests[:2] {
		img, err := idx.Image(d.Digest)
		if err != nil {
			t.Fatal(err)
		}
		if err := validate.Image(img); err != nil {
			t.Errorf("%s is invalid: %v", d.Platform, err)
		}
	}
}

// TestDockerArchiveLayout checks the order and kinds of a legacy archive's
// members: sorted, so manifest.json comes after all layers, and the second of
// two equal layers is a symlink to the first or the other way round.
func TestDockerArchiveLayout(t *testing.T) {
	var b bytes.Buffer
	if err := DockerArchive(&b, sample()); err != nil {
		t.Fatal(err)
	}
	kinds := map[string]int{}
	last, names := "", []string{}
	for tr := tar.NewReader(&b); ; {
		h, err := tr.Next()
		if err != nil {
			break
		}
		if h.Name < last {
			t.Errorf("%s after %s", h.Name, last)
		}
		last = h.Name
		names = append(names, h.Name)
		kinds[string(h.Typeflag)+" "+h.Name[strings.Index(h.Name, "/")+1:]]++
	}
	if d := cmp.Diff([]string{"manifest.json", "repositories"}, names[len(names)-2:]); d != "" {
		t.Errorf("last members (-want +got):\n%s", d)
	}
	for kind, want := range map[string]int{"0 layer.tar": 4, "2 layer.tar": 1, "0 json": 5, "0 VERSION": 5, "5 ": 5} {
		if kinds[kind] != want {
			t.Errorf("%d members %q, want %d", kinds[kind], kind, want)
		}
	}
}

func sameConfig(t *testing.T, want Image, got v1.Image) {
	t.Helper()
	w, err := want.V1()
	if err != nil {
		t.Fatal(err)
	}
	wc, err := w.RawConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	gc, err := got.RawConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(wc, gc) {
		t.Errorf("config\n%s\nwant\n%s", gc, wc)
	}
}

func writeFile(t *testing.T, path string, write func(io.Writer) error) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := write(f); err != nil {
		t.Fatal(err)
	}
}

func unpack(t *testing.T, r io.Reader, dir string) {
	t.Helper()
	for tr := tar.NewReader(r); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(dir, h.Name)
		if h.Typeflag == tar.TypeDir {
			if err := os.Mkdir(name, 0o755); err != nil {
				t.Fatal(err)
			}
			continue
		}
		writeFile(t, name, func(w io.Writer) error {
			_, err := io.Copy(w, tr)
			return err
		})
	}
}
