package synth

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
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

func TestWithParents(t *testing.T) {
	l := Layer{File("a/b/c", ""), Dir("a"), Dir("d"), File("d/e", ""), Raw(nil), Whiteout("f/g"), File("../h", "")}
	var got []string
	for _, e := range l.WithParents() {
		got = append(got, e.header.Name)
	}
	want := []string{"a/", "a/b/", "a/b/c", "a/", "d/", "d/e", "", "f/", "f/.wh.g", "../", "../h"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("names (-want +got):\n%s", d)
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
