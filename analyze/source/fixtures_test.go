package source

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/layerscope/layerscope/analyze/synth/fixture"
)

// allFixtures returns the listed images, and those that were built, which are
// all usable.
func allFixtures(t *testing.T) []fixture.Image {
	t.Helper()
	all := fixture.Listed(t)
	dir := filepath.Join(fixture.Dir(t), "built")
	built, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range built {
		all = append(all, fixture.Image{Name: e.Name(), Path: filepath.Join(dir, e.Name()), Usable: "yes"})
	}
	return all
}

// refusals are the fixtures that are refused though the list says they are
// usable: it counts manifests, not images.
var refusals = map[string]string{
	"appc_docker2aci__fixture-test-depsloop.docker":                     "is its own ancestor",
	"google_go-containerregistry__test_index_media_type.ocidir":         "application/vnd.cncf.helm.config.v1+json",
	"sylabs_oci-tools__test_images_overlayfs-docker-v2-manifest.ocidir": "unknown layer media type",
	"regclient_regclient__external.ocidir":                              "application/example.sbom",
	"oras-project_oras__zot_command_artifacts.ocidir":                   "it has 1 layer, its config 0",
}

// several are the fixtures with several images, and the tags that choose one.
var several = map[string][]string{
	"containers_image__oci_layout_fixtures_delete_image_two_identical_references.ocidir": {"49d1584496c6", "sha256:ecfa"},
	"docker2010-three-images.tar":                            {"local/busybox:deb", "mini:bk20", "classic"},
	"podman-docker-multi.tar":                                {"localhost/mini:l", "mini:nl", "busybox"},
	"google_go-containerregistry__hist-7db8a550__bundle.tar": {"img1", "img2"},
	"oras-project_oras__zot_command_images.ocidir":           {},
	"regclient_regclient__testrepo.ocidir":                   {"b1", "v1", "v3", "ee378b79"},
}

func TestFixtures(t *testing.T) {
	for _, f := range allFixtures(t) {
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			name := f.Name
			_, err := readAll(t, f.Path, Options{})
			agree(t, f.Path, Options{})
			if tags := several[name]; tags != nil {
				checkSeveral(t, f.Path, err, tags)
				return
			}
			if want, ok := refusals[name]; ok {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("got %v, want an error with %q", err, want)
				}
				return
			}
			switch f.Usable {
			case "yes":
				if err != nil {
					t.Error(err)
				}
			case "no":
				if err == nil {
					t.Error("was not refused")
				}
			case "partial":
				if err != nil && !namesThing.MatchString(err.Error()) {
					t.Errorf("%v doesn't name what is wrong", err)
				}
			}
		})
	}
}

// namesThing matches errors that say which part of an image is bad.
var namesThing = regexp.MustCompile(`sha256:[0-9a-f]{64}|has \d+ layers?, its config \d+|layer \d+ \("`)

// checkSeveral checks that an image of several has to be chosen, and can be.
func checkSeveral(t *testing.T, path string, err error, tags []string) {
	t.Helper()
	var hint *HintError
	if !errors.As(err, &hint) || !strings.Contains(hint.Hint, "--tag") {
		t.Errorf("without a tag: %v, want a list", err)
	}
	for _, tag := range tags {
		if _, err := readAll(t, path, Options{Tag: tag}); err != nil {
			t.Errorf("tag %s: %v", tag, err)
		}
		agree(t, path, Options{Tag: tag})
	}
}

// blobDigests are the digests of the blobs that were handed out, by key.
type blobDigests struct {
	sync.Mutex
	digests map[string]v1.Hash
}

func (b *blobDigests) visit(_ context.Context, blob Blob) error {
	h, n, err := v1.SHA256(blob.Reader)
	if err != nil {
		return err
	}
	if blob.Size >= 0 && n != blob.Size {
		return fmt.Errorf("%d bytes, want %d", n, blob.Size)
	}
	b.Lock()
	defer b.Unlock()
	if _, dup := b.digests[blob.Key]; dup {
		return fmt.Errorf("%s handed out twice", blob.Key)
	}
	b.digests[blob.Key] = h
	return nil
}

// readAll opens and reads an image and checks that each of its layers has been
// handed out and has the digest it should have.
func readAll(t *testing.T, path string, opts Options) (*Description, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	img, err := openPath(ctx, path, opts)
	if err != nil {
		return nil, err
	}
	defer img.Close()
	return readImage(t, ctx, img)
}

// readImage reads an image and checks its layers. Layers that a bad fixture
// has are an error, not a failure of the test.
func readImage(t *testing.T, ctx context.Context, img Image) (*Description, error) {
	t.Helper()
	b := &blobDigests{digests: map[string]v1.Hash{}}
	d, err := img.Read(ctx, Request{Visit: b.visit})
	if err != nil {
		return nil, err
	}
	if d.Config == nil {
		t.Error("no config")
	}
	for i, l := range d.Layers {
		got, ok := b.digests[l.Key]
		if !ok {
			t.Errorf("layer %d (%s) was not handed out", i, l.Key)
		}
		if l.Digest != (v1.Hash{}) && got != l.Digest {
			return d, fmt.Errorf("layer %d has digest %s, want %s", i, got, l.Digest)
		}
	}
	return d, nil
}

// agree checks that a path's image is described alike however it is read: in
// place, and as a stream.
func agree(t *testing.T, path string, opts Options) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var want *Description
	img, wantErr := openPath(ctx, path, opts)
	if wantErr == nil {
		defer img.Close()
		want, wantErr = img.Read(ctx, Request{Visit: ignore})
	}
	stream, err := openStream(ctx, archiveOf(t, path), opts)
	if err != nil {
		t.Fatal(err)
	}
	got, gotErr := stream.Read(ctx, Request{Visit: ignore})
	if (wantErr == nil) != (gotErr == nil) {
		t.Fatalf("in place: %v; as a stream: %v", wantErr, gotErr)
	}
	if wantErr != nil {
		return
	}
	want.Source, got.Source = "", "" // a packed layout is an archive
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("in place and as a stream (-, +):\n%s", diff)
	}
}

func ignore(context.Context, Blob) error { return nil }

// archiveOf returns an archive's bytes, or those of one made of a directory.
func archiveOf(t *testing.T, path string) io.Reader {
	t.Helper()
	st, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if !st.IsDir() {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	if err := w.AddFS(noLinks{os.DirFS(path)}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return &buf
}

// noLinks is there to be a plain fs.FS, of which tar takes the files.
type noLinks struct{ fs.FS }
