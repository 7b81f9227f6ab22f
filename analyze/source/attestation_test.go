package source

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/layerscope/layerscope/analyze/synth"
)

// attested is an index whose images have provenances.
var attested = synth.Index{
	Tags: []string{"app:1"},
	Images: []synth.Image{
		{Steps: []synth.Step{{CreatedBy: "RUN a", Layer: synth.Layer{synth.File("a", "a")}}}},
		{Platform: v1.Platform{OS: "linux", Architecture: "arm64"}, Steps: []synth.Step{{CreatedBy: "RUN b", Layer: synth.Layer{synth.File("b", "b")}}}},
	},
	Attest:     true,
	Provenance: synth.Provenance{Materials: []string{"pkg:docker/alpine@3.20"}},
}

// attestedArchive writes the images as an OCI archive.
func attestedArchive(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	if err := synth.OCIArchive(&b, attested); err != nil {
		t.Fatal(err)
	}
	return writeFile(t, b.Bytes())
}

// gzipped returns a compressed copy of a file.
func gzippedCopy(t *testing.T, path string) string {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(raw); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return writeFile(t, b.Bytes())
}

func everyPredicate(string) bool { return true }

// openRead opens an image and reads it through; it is closed when the test ends.
func openRead(t *testing.T, ref string, opts Options) (Image, *Description) {
	t.Helper()
	img, err := Open(t.Context(), ref, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { img.Close() })
	d, err := img.Read(t.Context(), Request{Visit: func(ctx context.Context, b Blob) error {
		_, err := io.Copy(io.Discard, b.Reader)
		return err
	}})
	if err != nil {
		t.Fatal(err)
	}
	return img, d
}

// TestStatements reads the provenance of each platform wherever it can be.
func TestStatements(t *testing.T) {
	r := newTestRegistry(t, false)
	r.pushIndex(t, "app:1", must(attested.V1()))
	archive := attestedArchive(t)
	layout := filepath.Join(t.TempDir(), "layout")
	if err := synth.OCILayout(layout, attested); err != nil {
		t.Fatal(err)
	}
	for name, ref := range map[string]string{
		"archive": archive, "layout": "oci:" + layout, "stream": gzippedCopy(t, archive), "registry": "registry://" + r.name("app:1"),
	} {
		for _, platform := range []string{"linux/amd64", "linux/arm64"} {
			opts := anonymous()
			opts.Platform = parsePlatform(t, platform)
			img, d := openRead(t, ref, opts)
			statements, err := Statements(t.Context(), img, d, everyPredicate)
			if err != nil || len(statements) != 1 {
				t.Errorf("%s, %s: %d statements, error %v", name, platform, len(statements), err)
				continue
			}
			s := statements[0]
			if s.Predicate != "https://slsa.dev/provenance/v1" || !bytes.Contains(s.Raw, []byte(d.Digest.Hex)) || !bytes.Contains(s.Raw, []byte("pkg:docker/alpine@3.20")) {
				t.Errorf("%s, %s: %q: %s", name, platform, s.Predicate, s.Raw)
			}
			if none, err := Statements(t.Context(), img, d, func(string) bool { return false }); err != nil || len(none) != 0 {
				t.Errorf("%s: %d statements that nobody wants, error %v", name, len(none), err)
			}
		}
	}
}

// TestStatementsMissing reads what isn't as it should be.
func TestStatementsMissing(t *testing.T) {
	layout := filepath.Join(t.TempDir(), "layout")
	if err := synth.OCILayout(layout, attested); err != nil {
		t.Fatal(err)
	}
	opts := Options{Platform: parsePlatform(t, "linux/amd64")}
	img, d := openRead(t, layout+"/", opts)
	whole, err := Statements(t.Context(), img, d, everyPredicate)
	if err != nil {
		t.Fatal(err)
	}
	statement := filepath.Join(layout, "blobs", "sha256", sha256Of(whole[0].Raw).Hex)
	for name, tt := range map[string]struct {
		body []byte
		want string
	}{
		"other bytes": {[]byte("{}"), "digest mismatch"},
		"too large":   {make([]byte, maxStatement+1), "too large"},
		"not there":   {nil, "missing"},
	} {
		os.Remove(statement)
		if tt.body != nil {
			if err := os.WriteFile(statement, tt.body, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		got, err := Statements(t.Context(), img, d, everyPredicate)
		if err == nil || !strings.Contains(err.Error(), tt.want) || len(got) != 0 {
			t.Errorf("%s: %d statements, error %v; want %q", name, len(got), err, tt.want)
		}
	}

	stream := must(openStream(t.Context(), archiveOf(t, layout), opts))
	if _, err := Statements(t.Context(), stream, d, everyPredicate); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("of a stream that isn't read: error %v", err)
	}
	v1 := must(openArchive(t.Context(), Bare, writeFile(t, pack(t, dockerItems(t)...)), Options{}))
	if got, err := Statements(t.Context(), v1, v1.Description(), everyPredicate); err != nil || len(got) != 0 {
		t.Errorf("of an image without any: %d statements, error %v", len(got), err)
	}
}

// dockerItems is an archive without an index.
func dockerItems(t *testing.T) []item {
	t.Helper()
	return []item{
		{name: "manifest.json", body: `[{"Config":"c.json","Layers":[]}]`},
		{name: "c.json", body: `{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}`},
	}
}

// TestDescribeBase looks bases up where an image may make this machine look.
func TestDescribeBase(t *testing.T) {
	own, other := newTestRegistry(t, false), newTestRegistry(t, false)
	base := randomImage(t, 2, "linux/amd64")
	own.push(t, "base:1", base)
	other.push(t, "base:1", base)
	asked := false
	other.fail(func(http.ResponseWriter, *http.Request, http.Handler) bool {
		asked = true
		return false
	})
	of := func(name string) *Description {
		return &Description{Name: name, Platform: v1.Platform{OS: "linux", Architecture: "amd64", Variant: "v3"}}
	}
	digest := must(base.Digest())
	for _, tt := range []struct {
		name, of, base string
		digest         v1.Hash
		asks           bool
		want           string
	}{
		{"in the image's registry", own.name("app:1"), own.name("base:1"), v1.Hash{}, false, ""},
		{"by digest", own.name("app:1"), own.name("base:gone"), digest, false, ""},
		{"in another, both private", own.name("app:1"), other.name("base:1"), v1.Hash{}, true, ""},
		{"in a private one, of an image of the internet", "8.8.8.8/app:1", other.name("base:1"), v1.Hash{}, false, "private address"},
		{"of an image without a name", "", other.name("base:1"), v1.Hash{}, false, "looking for the base"},
		{"that isn't there", own.name("app:1"), own.name("gone:1"), v1.Hash{}, false, "gone:1"},
		{"by no name", own.name("app:1"), "NO NAME", v1.Hash{}, false, "parsing image name"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			asked = false
			d, err := DescribeBase(t.Context(), of(tt.of), tt.base, tt.digest, anonymous())
			switch {
			case tt.want != "":
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("error %v, want %q", err, tt.want)
				}
			case err != nil:
				t.Error(err)
			case d.Digest != digest || len(d.Layers) != 2:
				t.Errorf("%+v", d)
			}
			if asked != tt.asks {
				t.Errorf("the other registry was asked: %v", asked)
			}
		})
	}
}

// TestIndexAnnotations reads what an index says of a manifest in it.
func TestIndexAnnotations(t *testing.T) {
	r := newTestRegistry(t, false)
	x := attested
	x.Images = []synth.Image{x.Images[0]}
	x.Images[0].EditManifest = func(m *v1.Manifest) { m.Annotations = map[string]string{"a": "manifest", "b": "manifest"} }
	x.Images[0].Annotations = map[string]string{"b": "index", "c": "index"}
	r.pushIndex(t, "app:1", must(x.V1()))
	d := r.open(t, "app:1").Description()
	if d.Annotations["a"] != "manifest" || d.Annotations["b"] != "manifest" || d.Annotations["c"] != "index" {
		t.Errorf("%v", d.Annotations)
	}
}
