package layer_test

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/zeebo/xxh3"

	"github.com/layerscope/layerscope/analyze/layer"
	"github.com/layerscope/layerscope/analyze/synth"
)

func read(t *testing.T, blob []byte) *layer.Index {
	t.Helper()
	x, err := layer.Read(context.Background(), bytes.NewReader(blob), layer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// makeTar writes members; the body of each is size bytes of its name's first
// letter.
func makeTar(t testing.TB, headers ...tar.Header) []byte {
	t.Helper()
	var buf bytes.Buffer
	tw := tar.NewWriter(&buf)
	for _, h := range headers {
		if err := tw.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if h.Size > 0 {
			if _, err := tw.Write(bytes.Repeat([]byte{h.Name[0]}, int(h.Size))); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := tw.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func digest(data []byte) v1.Hash {
	sum := sha256.Sum256(data)
	return v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(sum[:])}
}

func TestEntries(t *testing.T) {
	x := read(t, makeTar(t,
		tar.Header{Name: "./", Typeflag: tar.TypeDir, Mode: 0o755},
		tar.Header{Name: "usr/bin/", Typeflag: tar.TypeDir, Mode: 0o1777, Uid: 1, Gid: 2},
		tar.Header{Name: "usr/bin/go", Typeflag: tar.TypeReg, Mode: 0o4755, Size: 3, ModTime: time.Unix(1700000000, 0)},
		tar.Header{Name: "/usr/bin/gofmt", Typeflag: tar.TypeLink, Linkname: "./usr/bin/go"},
		tar.Header{Name: "bin", Typeflag: tar.TypeSymlink, Linkname: "usr/bin"},
		tar.Header{Name: "dev/null", Typeflag: tar.TypeChar, Devmajor: 1, Devminor: 3},
		tar.Header{Name: "dev/sda", Typeflag: tar.TypeBlock, Devmajor: 8},
		tar.Header{Name: "run/p", Typeflag: tar.TypeFifo},
		tar.Header{Name: "etc/.wh.passwd", Typeflag: tar.TypeReg},
		tar.Header{Name: "var/cache/.wh..wh..opq", Typeflag: tar.TypeReg},
		tar.Header{Name: ".wh..wh.plnk", Typeflag: tar.TypeDir},
		tar.Header{Name: "etc/.wh.", Typeflag: tar.TypeReg},
		tar.Header{Name: "etc/.wh...", Typeflag: tar.TypeReg},
		tar.Header{Name: "a/../../b//c/./d", Typeflag: tar.TypeReg},
		tar.Header{Name: "x", Typeflag: tar.TypeReg, PAXRecords: map[string]string{"SCHILY.xattr.user.b": "1", "SCHILY.xattr.user.a": "2"}},
		tar.Header{Name: "bad\xff\nname", Typeflag: tar.TypeReg},
		tar.Header{Name: strings.Repeat("4k/", 1365) + "x", Typeflag: tar.TypeReg},
	))
	var got []string
	for _, e := range x.All() {
		s := fmt.Sprintf("%s %q %o %d:%d %d", e.Type, x.Path(e), e.Mode, e.UID, e.GID, e.Size)
		if l := x.Link(e); l != "" {
			s += fmt.Sprintf(" -> %q", l)
		}
		if major, minor := x.Device(e); major+minor != 0 {
			s += fmt.Sprintf(" %d,%d", major, minor)
		}
		if a := x.Xattrs(e); len(a) > 0 {
			s += fmt.Sprint(" ", a)
		}
		if e.Unclean {
			s += " unclean"
		}
		got = append(got, s)
	}
	want := []string{
		`dir "" 755 0:0 0`,
		`dir "usr/bin" 1777 1:2 0`,
		`file "usr/bin/go" 4755 0:0 3`,
		`hardlink "usr/bin/gofmt" 0 0:0 0 -> "usr/bin/go"`,
		`symlink "bin" 0 0:0 0 -> "usr/bin"`,
		`char "dev/null" 0 0:0 0 1,3`,
		`block "dev/sda" 0 0:0 0 8,0`,
		`fifo "run/p" 0 0:0 0`,
		`whiteout "etc/passwd" 0 0:0 0`,
		`opaque "var/cache" 0 0:0 0`,
		`ignored ".wh..wh.plnk" 0 0:0 0`,
		`ignored "etc/.wh." 0 0:0 0`,
		`ignored "etc/.wh..." 0 0:0 0`,
		`file "b/c/d" 0 0:0 0 unclean`,
		`file "x" 0 0:0 0 [user.a user.b]`,
		`file "bad\xff\nname" 0 0:0 0`,
		fmt.Sprintf(`file %q 0 0:0 0`, strings.Repeat("4k/", 1365)+"x"),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
	if x.Stored != 3 || x.Files != 5 {
		t.Errorf("Stored %d, Files %d; want 3, 5", x.Stored, x.Files)
	}
	e := x.At(2)
	sum := xxh3.Hash128([]byte("uuu"))
	if e.Hash != (layer.Hash{Hi: sum.Hi, Lo: sum.Lo}) {
		t.Errorf("Hash = %x, want %x", e.Hash, sum)
	}
	if got := e.ModTime(); !got.Equal(time.Unix(1700000000, 0)) {
		t.Errorf("ModTime = %v", got)
	}
}

// TestHeader checks what is kept of headers against those that were written.
func TestHeader(t *testing.T) {
	tests := []struct {
		header tar.Header
		want   layer.Header
	}{
		{tar.Header{Name: "file", Typeflag: tar.TypeReg, Size: 7, Mode: 0o644}, layer.Header{Size: 7}},
		{tar.Header{Name: "dir/", Typeflag: tar.TypeDir}, layer.Header{Dir: true}},
		{tar.Header{Name: "dir2/", Typeflag: tar.TypeDir, Mode: 0o040755}, layer.Header{Dir: true}},
		{tar.Header{Name: "called dir", Typeflag: tar.TypeReg, Size: 8, Mode: 0o040755}, layer.Header{Size: 8, Dir: true}},
		{tar.Header{Name: "called socket", Typeflag: tar.TypeReg, Mode: 0o140755}, layer.Header{}},
		{tar.Header{Name: "link", Typeflag: tar.TypeLink, Linkname: "file"}, layer.Header{}},
		{tar.Header{Name: "a/.wh.gone", Typeflag: tar.TypeReg, Size: 9}, layer.Header{Size: 9}},
		{tar.Header{Name: "a/.wh..wh..opq", Typeflag: tar.TypeReg, Size: 10}, layer.Header{Size: 10}},
		{tar.Header{Name: "a/.wh.dir/", Typeflag: tar.TypeDir}, layer.Header{Dir: true}},
		{tar.Header{Name: "./", Typeflag: tar.TypeDir}, layer.Header{Dir: true}},
		{tar.Header{Name: "/", Typeflag: tar.TypeDir}, layer.Header{Dir: true, Rooted: true}},
		{tar.Header{Name: "/a/..", Typeflag: tar.TypeReg}, layer.Header{Rooted: true}},
		{tar.Header{Name: "a/..", Typeflag: tar.TypeReg}, layer.Header{}},
		{tar.Header{Name: "..", Typeflag: tar.TypeReg}, layer.Header{Above: 1}},
		{tar.Header{Name: "/../x", Typeflag: tar.TypeReg}, layer.Header{}},
		{tar.Header{Name: ".//../../x/../y", Typeflag: tar.TypeReg, Size: 1}, layer.Header{Size: 1, Above: 2}},
		{tar.Header{Name: "..x", Typeflag: tar.TypeReg}, layer.Header{}},
		{tar.Header{Name: "device", Typeflag: tar.TypeChar, Devmajor: 1}, layer.Header{}},
	}
	for _, tt := range tests {
		x := read(t, makeTar(t, tt.header))
		if diff := cmp.Diff(tt.want, x.Header(x.At(0))); diff != "" {
			t.Errorf("header of %q (-want +got):\n%s", tt.header.Name, diff)
		}
	}
}

// TestHeaderOfNoBody checks sizes that headers claim for what has no body.
func TestHeaderOfNoBody(t *testing.T) {
	for _, format := range []tar.Format{tar.FormatUSTAR, tar.FormatPAX} {
		for _, flag := range []byte{tar.TypeLink, tar.TypeSymlink, tar.TypeDir, tar.TypeFifo} {
			var buf bytes.Buffer
			tw := tar.NewWriter(&buf)
			h := tar.Header{Name: "a/", Linkname: "b", Typeflag: flag, Size: 1234, Format: format}
			if flag != tar.TypeDir {
				h.Name = "a"
			}
			if format == tar.FormatPAX {
				h.PAXRecords = map[string]string{"SCHILY.xattr.user.a": "1"}
			}
			if err := tw.WriteHeader(&h); err != nil {
				t.Fatal(err)
			}
			if err := tw.Close(); err != nil {
				t.Fatal(err)
			}
			x := read(t, buf.Bytes())
			if e := x.At(0); e.Size != 0 || x.Header(e).Size != 1234 || x.Stored != 0 {
				t.Errorf("type %c, %v: %d bytes, the header's %d, stored %d; want 0, 1234, 0", flag, format, e.Size, x.Header(e).Size, x.Stored)
			}
		}
	}
}

// TestBlobs reads one tar stored in every way and as slowly as can be.
func TestBlobs(t *testing.T) {
	plain := makeTar(t, tar.Header{Name: "a", Size: 100_000}, tar.Header{Name: "b", Size: 1}, tar.Header{Name: "c", Size: 300_000})
	half := len(plain) / 2
	skippable := append([]byte{0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4}, synth.Zstd.Bytes(plain)...)
	for _, tt := range []struct {
		name, compression string
		blob              []byte
	}{
		{"plain", "", plain},
		{"gzip", "gzip", synth.Gzip.Bytes(plain)},
		{"gzip members", "gzip", append(synth.Gzip.Bytes(plain[:half]), synth.Gzip.Bytes(plain[half:])...)},
		{"zstd", "zstd", synth.Zstd.Bytes(plain)},
		{"zstd frames", "zstd", append(synth.Zstd.Bytes(plain[:half]), synth.Zstd.Bytes(plain[half:])...)},
		{"zstd after a skippable frame", "zstd", skippable},
		{"zstd before a skippable frame", "zstd", append(synth.Zstd.Bytes(plain), skippable[:12]...)},
	} {
		for name, r := range map[string]io.Reader{
			"at once": bytes.NewReader(tt.blob), "byte by byte": iotest.OneByteReader(bytes.NewReader(tt.blob)), "with EOF": iotest.DataErrReader(bytes.NewReader(tt.blob)),
		} {
			t.Run(tt.name+"/"+name, func(t *testing.T) {
				x, err := layer.Read(context.Background(), r, layer.Options{})
				if err != nil {
					t.Fatal(err)
				}
				if x.Compression != tt.compression || x.StoredSize != int64(len(tt.blob)) || x.TarSize != int64(len(plain)) {
					t.Errorf("%q %d %d, want %q %d %d", x.Compression, x.StoredSize, x.TarSize, tt.compression, len(tt.blob), len(plain))
				}
				if err := x.Verify(digest(tt.blob), digest(plain)); err != nil {
					t.Error(err)
				}
				if x.Stored != 400_001 {
					t.Errorf("Stored = %d", x.Stored)
				}
			})
		}
	}
}

func TestVerify(t *testing.T) {
	plain := makeTar(t, tar.Header{Name: "a", Size: 1})
	x := read(t, synth.Gzip.Bytes(plain))
	zero, other := v1.Hash{}, digest([]byte("other"))
	if err := x.Verify(zero, zero); err != nil {
		t.Error(err)
	}
	var ve *layer.VerifyError
	if err := x.Verify(other, zero); !errors.As(err, &ve) || ve.What != "digest" {
		t.Errorf("Verify = %v", err)
	}
	if err := x.Verify(zero, other); !errors.As(err, &ve) || ve.What != "diffID" {
		t.Errorf("Verify = %v", err)
	}
}

// TestVerifyPadding takes the record's padding off a tar, as early zstd:chunked
// writers did.
func TestVerifyPadding(t *testing.T) {
	plain := makeTar(t, tar.Header{Name: "a", Size: 1})
	padded := append(bytes.Clone(plain), make([]byte, 10240-len(plain))...)
	x := read(t, synth.Zstd.Bytes(plain))
	if err := x.Verify(v1.Hash{}, digest(padded)); err != nil {
		t.Error(err)
	}
	if err := x.Verify(v1.Hash{}, digest(append(padded, make([]byte, 10240)...))); err == nil {
		t.Error("a second record of zeros was taken for padding")
	}
	if err := read(t, padded).Verify(v1.Hash{}, digest(padded)); err != nil {
		t.Error(err)
	}
}

// TestCompressedShares holds the shares to what they promise: that they add up
// to the blob, and that a body that doesn't compress gets about its size.
func TestCompressedShares(t *testing.T) {
	random := make([]byte, 500_000)
	rand.Read(random)
	var buf bytes.Buffer
	tw := tar.NewWriter(&buf)
	for i := range 3 {
		for _, body := range [][]byte{make([]byte, 500_000), random} {
			if err := tw.WriteHeader(&tar.Header{Name: fmt.Sprint(i, body[0]), Size: int64(len(body))}); err != nil {
				t.Fatal(err)
			}
			if _, err := tw.Write(body); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := tw.Close(); err != nil {
		t.Fatal(err)
	}
	for name, blob := range map[string][]byte{"gzip": synth.Gzip.Bytes(buf.Bytes()), "zstd": synth.Zstd.Bytes(buf.Bytes())} {
		x := read(t, blob)
		sum := int64(0)
		for i, e := range x.All() {
			sum += e.Compressed
			low, high := int64(0), int64(150_000)
			if i%2 == 1 {
				low, high = 350_000, 550_000
			}
			if name == "gzip" && (e.Compressed < low || e.Compressed > high) { // zstd finds the repetition
				t.Errorf("%s: entry %d took %d compressed bytes, want %d to %d", name, i, e.Compressed, low, high)
			}
		}
		if sum != int64(len(blob)) {
			t.Errorf("%s: shares add up to %d, the blob has %d", name, sum, len(blob))
		}
	}
	// Of a plain layer they are exact: a header and a body, with the padding of
	// the body before; the last with all that follows.
	var shares []int64
	for _, e := range read(t, buf.Bytes()).All() {
		shares = append(shares, e.Compressed)
	}
	const body, padding, trailer = 512 + 500_000, 224, 2 * 512
	if want := []int64{body, padding + body, padding + body, padding + body, padding + body, padding + body + padding + trailer}; !slices.Equal(shares, want) {
		t.Errorf("shares of a plain layer are %d, want %d", shares, want)
	}
}

func TestBadLayers(t *testing.T) {
	plain := makeTar(t, tar.Header{Name: "a", Size: 100_000})
	noise := make([]byte, 100_000)
	rand.Read(noise)
	noisy := synth.Gzip.Bytes(append(plain, noise...))
	for _, tt := range []struct {
		name string
		blob []byte
		want string
	}{
		{"cut tar", plain[:50_000], `reading tar entry "a": unexpected EOF`},
		{"cut gzip", noisy[:len(noisy)-500], "decompressing gzip: unexpected EOF"},
		{"cut gzip header", []byte{0x1f, 0x8b, 8}, "decompressing gzip: unexpected EOF"},
		{"cut zstd", synth.Zstd.Bytes(append(plain, noise...))[:2000], "decompressing zstd: unexpected EOF"},
		{"broken gzip sum", append(synth.Gzip.Bytes(plain)[:len(synth.Gzip.Bytes(plain))-8], make([]byte, 8)...), "decompressing gzip: gzip: invalid checksum"},
		{"no tar", noise, "reading tar entry 0: invalid tar header"},
		{"bytes after gzip", append(synth.Gzip.Bytes(plain), make([]byte, 100)...), "decompressing gzip: something else follows the compressed stream"},
		{"a megabyte of xattrs", makeTar(t, tar.Header{Name: "a", PAXRecords: manyXattrs(40_000)}), `reading tar entry "a": the names of its extended attributes take`},
		{"path of 40 kB", makeTar(t, tar.Header{Name: strings.Repeat("x", 40_000)}), "path of 40000 bytes is longer than 32768"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := layer.Read(context.Background(), bytes.NewReader(tt.blob), layer.Options{})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

// manyXattrs returns n attributes, whose names take a square to compare with
// each other.
func manyXattrs(n int) map[string]string {
	records := map[string]string{}
	for i := range n {
		records[fmt.Sprintf("SCHILY.xattr.%d", i)] = "v"
	}
	return records
}

func TestEmptyLayers(t *testing.T) {
	for name, blob := range map[string][]byte{"no bytes": nil, "an empty tar": makeTar(t), "an empty gzipped tar": synth.Gzip.Bytes(makeTar(t))} {
		if x := read(t, blob); x.Len() != 0 || x.Stored != 0 {
			t.Errorf("%s: %d entries", name, x.Len())
		}
	}
}

// TestMaxSize reads a bomb: 64 MB of zeros in a few kB.
func TestMaxSize(t *testing.T) {
	bomb := synth.Zstd.Bytes(makeTar(t, tar.Header{Name: "\x00bomb"[1:], Size: 64 << 20}))
	_, err := layer.Read(context.Background(), bytes.NewReader(bomb), layer.Options{MaxSize: 1 << 20})
	var tooLarge *layer.TooLargeError
	if !errors.As(err, &tooLarge) || tooLarge.Limit != 1<<20 {
		t.Errorf("error %v, want a TooLargeError of 1 MiB", err)
	}
}

// TestSparse reads a GNU sparse file of a terabyte of holes, which the blob's
// size doesn't give away.
func TestSparse(t *testing.T) {
	block := make([]byte, 512)
	copy(block, "holes")
	copy(block[100:], "0000644\x000000000\x000000000\x0000000000000\x0000000000000\x00")
	block[156] = tar.TypeGNUSparse
	copy(block[257:], "ustar  \x00")
	copy(block[483:], []byte{0x80, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0}) // real size, base 256: 1<<40
	sum := 8 * int(' ')
	for i, c := range block {
		if i < 148 || i >= 156 {
			sum += int(c)
		}
	}
	copy(block[148:], fmt.Sprintf("%06o\x00 ", sum))
	_, err := layer.Read(context.Background(), bytes.NewReader(append(block, make([]byte, 1024)...)), layer.Options{MaxSize: 1 << 20})
	var tooLarge *layer.TooLargeError
	if !errors.As(err, &tooLarge) {
		t.Errorf("error %v, want a TooLargeError", err)
	}
}

func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	pr, pw := io.Pipe()
	go func() {
		pw.Write(makeTar(t, tar.Header{Name: "a", Size: 1 << 20})[:100_000])
		cancel()
		pw.CloseWithError(errors.New("connection closed"))
	}()
	if _, err := layer.Read(ctx, pr, layer.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
}

func TestReadError(t *testing.T) {
	broken := errors.New("disk on fire")
	plain := makeTar(t, tar.Header{Name: "a", Size: 1 << 20})
	for name, blob := range map[string][]byte{"plain": plain, "gzip": synth.Gzip.Bytes(plain)} {
		r := io.MultiReader(bytes.NewReader(blob[:len(blob)/2]), iotest.ErrReader(broken))
		if _, err := layer.Read(context.Background(), r, layer.Options{}); !errors.Is(err, broken) {
			t.Errorf("%s: error %v, want %v", name, err, broken)
		}
	}
}
