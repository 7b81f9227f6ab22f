package source

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"io"
	"path"
	"strconv"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/therootcompany/xz"
)

// compression is how a whole archive is compressed, told by its first bytes.
type compression string

const (
	plain     compression = ""
	gzipped   compression = "gzip"
	zstandard compression = "zstd"
	xzipped   compression = "xz"
	bzipped   compression = "bzip2"
)

const (
	tarBlock     = 512
	bzip2Magic   = "1AY&SY" // of the first block, after "BZh" and the level
	zstdSkipMask = 0xF0     // skippable frames are 5X 2A 4D 18
)

// sniff tells a compression by magic numbers. Names are no help: docker save
// -o x.tar.gz writes a plain tar.
func sniff(head []byte) compression {
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		return gzipped
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return zstandard
	case len(head) >= 4 && head[0]&zstdSkipMask == 0x50 && bytes.Equal(head[1:4], []byte{0x2a, 0x4d, 0x18}):
		return zstandard
	case bytes.HasPrefix(head, []byte("\xfd7zXZ\x00")):
		return xzipped
	case len(head) >= 10 && bytes.HasPrefix(head, []byte("BZh")) && string(head[4:10]) == bzip2Magic:
		return bzipped
	}
	return plain
}

// checkHead tells how an archive is compressed by its first block, and returns
// an error if it is no archive.
func checkHead(head []byte) (compression, error) {
	c := sniff(head)
	switch {
	case len(head) == 0:
		return c, notImage("it is empty")
	case c == plain && !isTarHeader(head):
		return c, notImage("it is no tar, nor one compressed with gzip, zstd, xz or bzip2")
	}
	return c, nil
}

// Windows of zstd frames (zstd --long=27) and dictionaries of xz streams
// (xz -9) larger than this are refused.
const maxWindow = 128 << 20

// decompress returns what r holds, decompressed if it is compressed, and a
// function to release the decompressor.
func decompress(r io.Reader) (io.Reader, func(), error) {
	br := bufio.NewReaderSize(r, 64<<10)
	head, err := br.Peek(tarBlock)
	if err != nil && err != io.EOF {
		return nil, nil, err
	}
	c, err := checkHead(head)
	if err != nil {
		return nil, nil, err
	}
	release := func() {}
	switch c {
	case gzipped:
		zr, err := gzip.NewReader(br)
		return zr, release, err
	case zstandard:
		zr, err := zstd.NewReader(br, zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, nil, err
		}
		return zr, zr.Close, nil
	case xzipped:
		zr, err := xz.NewReader(br, maxWindow)
		return zr, release, err
	case bzipped:
		return bzip2.NewReader(br), release, nil
	}
	return br, release, nil
}

// isTarHeader says whether a block is one that a tar may begin with: a header
// with the right checksum (POSIX pax, "ustar Interchange Format"), or the
// zeros of an empty tar.
func isTarHeader(b []byte) bool {
	if len(b) < tarBlock {
		return false
	}
	b = b[:tarBlock]
	if bytes.Count(b, []byte{0}) == len(b) {
		return true
	}
	field := strings.Trim(string(b[148:156]), " \x00")
	want, err := strconv.ParseUint(field, 8, 32)
	if err != nil {
		return false
	}
	// The checksum is counted with its own field blank; old tars summed
	// signed bytes.
	unsigned, signed := uint64(8*' '), int64(8*' ')
	for i, c := range b {
		if i < 148 || i >= 156 {
			unsigned += uint64(c)
			signed += int64(int8(c))
		}
	}
	return want == unsigned || int64(want) == signed
}

// role is what a member of a streamed archive is taken for.
type role int

const (
	other    role = iota
	metadata      // kept until the end, when it is known what it is for
	blob          // handed out as it passes
)

// roleOf tells a member's role by how it begins, and, if that says nothing, by
// its name. A layer's own bytes win: a tar may begin with "{".
func roleOf(name string, head []byte) role {
	switch sniff(head) {
	case gzipped, zstandard:
		return blob
	}
	switch trimmed := bytes.TrimLeft(head, " \t\r\n"); {
	case isTarHeader(head):
		return blob
	case len(trimmed) > 0 && (trimmed[0] == '{' || trimmed[0] == '['):
		return metadata
	case isMetadataName(name):
		return metadata
	case isLayerName(name):
		return blob
	}
	return other
}

func isMetadataName(name string) bool {
	switch path.Base(name) {
	case "repositories", "oci-layout", "json":
		return true
	}
	return path.Ext(name) == ".json"
}

// isLayerName says whether a name is one that some tool gives layers:
// <id>/layer.tar, <hex>.tar, <hex>.tar.gz, sha256:<hex>, blobs/sha256/<hex>.
func isLayerName(name string) bool {
	base := path.Base(name)
	for _, ext := range []string{".tar", ".tar.gz", ".tgz", ".tar.zst"} {
		if strings.HasSuffix(base, ext) {
			return true
		}
	}
	hex := base[strings.LastIndexByte(base, ':')+1:]
	return len(hex) >= 64 && strings.Trim(hex, "0123456789abcdef") == ""
}
