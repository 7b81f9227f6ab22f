package synth

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"github.com/klauspost/compress/zstd"
)

// sample has one of everything, two equal layers and a step without a layer.
func sample() Image {
	return Image{
		Tags:   []string{"example/app:1.0"},
		Config: v1.Config{Env: []string{"PATH=/bin"}, Cmd: []string{"sh"}, Labels: map[string]string{"b": "2", "a": "1"}},
		Steps: []Step{
			{CreatedBy: "ADD base / # buildkit", Layer: Layer{
				Dir("etc"),
				File("etc/passwd", "root:x:0:0::/root:/bin/sh\n"),
				File("etc/shadow", "root:*::\n", Mode(0o640), Owner(0, 42)),
				Symlink("bin", "usr/bin"),
				Dir("usr/"),
				Dir("usr/bin"),
				Body("usr/bin/sh", 123_457, 1, Mode(0o4755), Xattr("security.capability", "\x01\x00\x00\x02")),
				Hardlink("usr/bin/ash", "usr/bin/sh"),
				Noise("usr/share/data.gz", 54_321, 2, ModTime(time.Unix(1, 0))),
				CharDevice("dev/null", 1, 3),
				BlockDevice("dev/sda", 8, 0),
				Fifo("run/pipe"),
			}},
			{CreatedBy: "ENV A=b"},
			{CreatedBy: "WORKDIR /srv", Layer: Layer{Dir("srv")}},
			{CreatedBy: "WORKDIR /srv", Layer: Layer{Dir("srv")}},
			{CreatedBy: "RUN rm # buildkit", Layer: Layer{Whiteout("etc/shadow"), Opaque("usr/share")}},
			{CreatedBy: "RUN true # buildkit", Layer: Layer{}},
		},
	}
}

// TestDigests holds what is written to what was written when these digests
// were noted, and the layers to their own digests.
func TestDigests(t *testing.T) {
	tests := []struct {
		name string
		edit func(*Image)
		want string // digest of the manifest, which names all others
	}{
		{"gzip", func(*Image) {}, "sha256:0989bda8b042f8f7fd352709df6b3e0f34770f9b9835e4564701eb4f09718572"},
		{"zstd", func(i *Image) { i.Compression = Zstd }, "sha256:e935a5444dcb0107733ec1fa13d482b47e27ce9ad0b46e6c761cfbe5d7514237"},
		{"plain", func(i *Image) { i.Compression = None }, "sha256:9b911aac8958908be0ac72245312dccf25cfdaaa77bd089530611b46f63153bd"},
		{"docker", func(i *Image) { i.Docker = true }, "sha256:b8c00fca1f5c155a5ec8197b5802bde6795391388ae0bbb671eac0f46a001af5"},
		{"mixed", func(i *Image) { i.Steps[0].Compression = Zstd }, "sha256:3012d077f8676248ac8df17501dd84350cc5405f2df654d06d7557b73c9dc0b9"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			img := sample()
			tt.edit(&img)
			v, err := img.V1()
			if err != nil {
				t.Fatal(err)
			}
			checkLayers(t, v)
			got, err := v.Digest()
			if err != nil {
				t.Fatal(err)
			}
			if got.String() != tt.want {
				t.Errorf("manifest digest %s, want %s", got, tt.want)
			}
		})
	}
}

// checkLayers decompresses every layer, with the standard library where it can,
// and digests it before and after: validate.Image does so for gzip alone.
func checkLayers(t *testing.T, img v1.Image) {
	t.Helper()
	m, err := img.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	c, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	for i, d := range m.Layers {
		l, err := img.LayerByDigest(d.Digest)
		if err != nil {
			t.Fatal(err)
		}
		rc, err := l.Compressed()
		if err != nil {
			t.Fatal(err)
		}
		stored, err := io.ReadAll(rc)
		if err != nil {
			t.Fatal(err)
		}
		plain, err := io.ReadAll(decompress(t, d.MediaType, stored))
		if err != nil {
			t.Errorf("decompressing layer %d: %v", i, err)
		}
		got := fmt.Sprintf("%d bytes, sha256:%x of sha256:%x", len(stored), sha256.Sum256(stored), sha256.Sum256(plain))
		want := fmt.Sprintf("%d bytes, %s of %s", d.Size, d.Digest, c.RootFS.DiffIDs[i])
		if got != want {
			t.Errorf("layer %d is %s, want %s", i, got, want)
		}
	}
}

func decompress(t *testing.T, mt types.MediaType, b []byte) io.Reader {
	t.Helper()
	switch {
	case strings.HasSuffix(string(mt), "gzip"):
		r, err := gzip.NewReader(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		return r
	case strings.HasSuffix(string(mt), "zstd"):
		r, err := zstd.NewReader(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		return r.IOReadCloser()
	}
	return bytes.NewReader(b)
}

// TestLayerTar reads a layer back with archive/tar.
func TestLayerTar(t *testing.T) {
	type member struct {
		Type       byte
		Name, Link string
		Size, Mode int64
		UID, GID   int
		Major      int64
		Time       int64
		Format     tar.Format
	}
	want := []member{
		{Type: tar.TypeDir, Name: "etc/", Mode: 0o755},
		{Type: tar.TypeReg, Name: "etc/passwd", Mode: 0o644, Size: 26},
		{Type: tar.TypeReg, Name: "etc/shadow", Mode: 0o640, Size: 9, GID: 42},
		{Type: tar.TypeSymlink, Name: "bin", Link: "usr/bin", Mode: 0o777},
		{Type: tar.TypeDir, Name: "usr/", Mode: 0o755},
		{Type: tar.TypeDir, Name: "usr/bin/", Mode: 0o755},
		{Type: tar.TypeReg, Name: "usr/bin/sh", Mode: 0o4755, Size: 123_457, Format: tar.FormatPAX},
		{Type: tar.TypeLink, Name: "usr/bin/ash", Link: "usr/bin/sh", Mode: 0o644},
		{Type: tar.TypeReg, Name: "usr/share/data.gz", Mode: 0o644, Size: 54_321, Time: 1},
		{Type: tar.TypeChar, Name: "dev/null", Mode: 0o666, Major: 1},
		{Type: tar.TypeBlock, Name: "dev/sda", Mode: 0o660, Major: 8},
		{Type: tar.TypeFifo, Name: "run/pipe", Mode: 0o644},
		{Type: tar.TypeReg, Name: "d/.wh.x"},
		{Type: tar.TypeReg, Name: "d/.wh..wh..opq"},
		{Type: tar.TypeReg, Name: "n0", Mode: 0o644},
		{Type: tar.TypeReg, Name: "n1", Mode: 0o644},
		{Type: tar.TypeReg, Name: "../\xff", Size: 1, Time: -1, Format: tar.FormatPAX},
	}
	for i := range want {
		if want[i].Time == 0 {
			want[i].Time = time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC).Unix()
		}
		if want[i].Format == 0 {
			want[i].Format = tar.FormatUSTAR
		}
	}
	l := append(sample().Steps[0].Layer,
		Whiteout("d/x"),
		Opaque("d"),
		Many(2, func(i int) Entry { return File("n"+string(rune('0'+i)), "") }),
		Header(tar.Header{Name: "../\xff", ModTime: time.Unix(-1, 0)}, "x"),
	)
	rc := l.Open(None)
	defer rc.Close()
	tr := tar.NewReader(rc)
	var got []member
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Name == "usr/bin/sh" && h.PAXRecords["SCHILY.xattr.security.capability"] != "\x01\x00\x00\x02" {
			t.Errorf("xattrs of %s: %v", h.Name, h.PAXRecords)
		}
		got = append(got, member{h.Typeflag, h.Name, h.Linkname, h.Size, h.Mode, h.Uid, h.Gid, h.Devmajor, h.ModTime.Unix(), h.Format})
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("members (-want +got):\n%s", d)
	}
}

// TestRaw checks that raw blocks stand between the members untouched.
func TestRaw(t *testing.T) {
	block := bytes.Repeat([]byte("x"), 512)
	var b bytes.Buffer
	if _, err := (Layer{File("a", "1"), Raw(block), File("b", "")}).WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	if got := b.Bytes()[1024:1536]; !bytes.Equal(got, block) {
		t.Errorf("after a: %q", got[:16])
	}
	if got := b.Bytes()[1536]; got != 'b' {
		t.Errorf("after the raw block: %q", got)
	}
}

// TestBody checks that a body doesn't depend on how it is read, and that it
// compresses, or doesn't, as promised.
func TestBody(t *testing.T) {
	read := func(e Entry, max int) []byte {
		var b bytes.Buffer
		if _, err := io.CopyBuffer(struct{ io.Writer }{&b}, e.body(), make([]byte, max)); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	e := Body("x", 100_001, 7)
	whole := read(e, 1<<20)
	if len(whole) != 100_001 {
		t.Fatalf("%d bytes", len(whole))
	}
	if !bytes.Equal(whole, read(e, 13)) {
		t.Error("read in pieces it differs")
	}
	if bytes.Equal(whole, read(Body("x", 100_001, 8), 1<<20)) {
		t.Error("another seed gives the same body")
	}
	for _, tt := range []struct {
		e        Entry
		min, max int
	}{{e, 20_000, 40_000}, {Noise("x", 100_001, 7), 100_001, 101_000}} {
		var b bytes.Buffer
		w := Gzip.NewWriter(&b)
		io.Copy(w, tt.e.body())
		w.Close()
		if b.Len() < tt.min || b.Len() > tt.max {
			t.Errorf("compresses to %d bytes, want %d to %d", b.Len(), tt.min, tt.max)
		}
	}
}

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

// TestEdits checks that the hooks reach what is written.
func TestEdits(t *testing.T) {
	img := sample()
	img.EditConfig = func(c *v1.ConfigFile) { c.History = c.History[:1] }
	img.EditManifest = func(m *v1.Manifest) { m.Annotations = map[string]string{"k": "v"} }
	v, err := img.V1()
	if err != nil {
		t.Fatal(err)
	}
	c, err := v.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	m, err := v.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	if len(c.History) != 1 || m.Annotations["k"] != "v" {
		t.Errorf("history %v, annotations %v", c.History, m.Annotations)
	}
}

// TestErrors checks that what can't be written is an error that names it.
func TestErrors(t *testing.T) {
	bad := Image{Steps: []Step{{Layer: Layer{File("a\x00b", "")}}}}
	short := Image{Steps: []Step{{Layer: Layer{Stream("big", 10, func() io.Reader { return strings.NewReader("x") })}}}}
	for _, tt := range []struct {
		img  Image
		want string
	}{
		{bad, `step 0: writing entry "a\x00b"`},
		{short, "missed writing 9 bytes"},
		{Image{Tags: []string{"UPPER"}}, `parsing tag "UPPER"`},
	} {
		err := OCIArchive(io.Discard, tt.img)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("OCIArchive: %v, want %q in it", err, tt.want)
		}
		err = DockerArchive(io.Discard, tt.img)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("DockerArchive: %v, want %q in it", err, tt.want)
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
