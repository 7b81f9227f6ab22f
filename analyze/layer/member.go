package layer

import (
	"archive/tar"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"unsafe"
)

// member is what a tar says of one of its members. Its strings are valid until
// the next one is read.
type member struct {
	name, link   string
	flag         byte
	mode         int64
	uid, gid     int64
	size         int64 // of the body as it is read; what archive/tar would say
	claimed      int64 // the header's size, also of a link or directory, which has no body
	mtime        int64
	mtimeNsec    int
	major, minor int64
	pax          map[string]string // records of an extended header, nil if there is none
	body         io.Reader
}

// members reads a tar's members. Reading is bound by archive/tar's parsing on
// layers of small files (four fifths of the time, fifteen allocations a
// member), so the headers that nearly every tar has nearly throughout, plain
// USTAR and GNU ones, are parsed here without allocating. Whatever is out of the
// ordinary in the least is left to archive/tar, member by member: extended
// headers, sparse files, base-256 numbers, old formats and all that is wrong. A
// fuzz test holds the two together.
type members struct {
	r     io.Reader
	block [blockSize]byte
	name  [2 * blockSize]byte // a name put together from prefix and name
	left  io.LimitedReader    // body of the member, if it was parsed here
	taken *counter            // bytes of the member, if archive/tar parses it
	m     member

	sparse *sparseReader // body of the member, if archive/tar parses it
	holes  int64         // bytes of holes in the bodies before
}

const blockSize = 512

// next returns the next member. What is left of the body of the one before is
// skipped. At the tar's end the error is io.EOF.
func (t *members) next() (*member, error) {
	if err := t.skip(); err != nil {
		return nil, err
	}
	if _, err := io.ReadFull(t.r, t.block[:]); err != nil {
		return nil, err // io.EOF: a tar may end without its two zero blocks
	}
	if t.parse() {
		t.left = io.LimitedReader{R: t.r, N: t.m.size}
		t.m.body = &t.left
		return &t.m, nil
	}
	return t.delegate()
}

// delegate has archive/tar read the member whose first block was read.
func (t *members) delegate() (*member, error) {
	t.taken = &counter{r: io.MultiReader(bytes.NewReader(t.block[:]), t.r)}
	tr := tar.NewReader(t.taken)
	hdr, err := tr.Next()
	if err != nil {
		return nil, err
	}
	t.sparse = &sparseReader{r: tr, t: t}
	t.m = member{
		name: hdr.Name, link: hdr.Linkname, flag: hdr.Typeflag,
		mode: hdr.Mode, uid: int64(hdr.Uid), gid: int64(hdr.Gid), size: hdr.Size, claimed: hdr.Size,
		mtime: hdr.ModTime.Unix(), mtimeNsec: hdr.ModTime.Nanosecond(),
		major: hdr.Devmajor, minor: hdr.Devminor,
		pax: hdr.PAXRecords, body: t.sparse,
	}
	return &t.m, nil
}

// maxHoles is the most bytes of holes that the sparse files of a layer may have
// together. Holes take no room in a tar, so headers could claim some that take
// years to hash.
const maxHoles = 64 << 30

// sparseReader reads a body that may have holes.
type sparseReader struct {
	r io.Reader
	t *members
	n int64 // bytes of the body so far
}

func (s *sparseReader) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.n += int64(n)
	if s.t.holes+s.holes() > maxHoles {
		return 0, fmt.Errorf("sparse files have more than %d bytes of holes", int64(maxHoles))
	}
	return n, err
}

// holes returns the bytes of the body that no bytes of the tar stand for.
func (s *sparseReader) holes() int64 { return max(0, s.n-s.t.taken.n) }

// skip moves to the next header: past what is left of the body, and its
// padding.
func (t *members) skip() error {
	m := &t.m
	if m.body == nil {
		return nil
	}
	if _, err := io.Copy(io.Discard, m.body); err != nil {
		return err
	}
	m.body = nil
	size := m.size
	if t.taken != nil {
		t.holes += t.sparse.holes()
		size, t.taken = t.taken.n, nil
	} else if t.left.N > 0 {
		return io.ErrUnexpectedEOF
	}
	_, err := io.ReadFull(t.r, t.block[:-size&(blockSize-1)])
	if err == io.ErrUnexpectedEOF {
		err = io.EOF // as archive/tar has it: the last member's padding may be missing
	}
	return err
}

// counter counts the bytes read through it.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// The fields of a header (POSIX.1-2017, pax, "ustar Interchange Format").
type field struct{ off, end int }

var (
	fieldName   = field{0, 100}
	fieldMode   = field{100, 108}
	fieldUID    = field{108, 116}
	fieldGID    = field{116, 124}
	fieldSize   = field{124, 136}
	fieldMtime  = field{136, 148}
	fieldSum    = field{148, 156}
	fieldLink   = field{157, 257}
	fieldMagic  = field{257, 265} // with the version
	fieldMajor  = field{329, 337}
	fieldMinor  = field{337, 345}
	fieldPrefix = field{345, 500}
	fieldTimes  = field{345, 369} // GNU: atime and ctime
	fieldStar   = field{508, 512}
)

const offsetFlag = 156

func (t *members) field(f field) []byte { return t.block[f.off:f.end] }

// parse reads the header in block into m, unless it is out of the ordinary.
func (t *members) parse() bool {
	m := &t.m
	flag := t.block[offsetFlag]
	if flag < tar.TypeReg || flag > tar.TypeFifo {
		return false
	}
	prefix := []byte(nil)
	switch string(t.field(fieldMagic)) {
	case "ustar\x0000":
		if string(t.field(fieldStar)) == "tar\x00" {
			return false
		}
		prefix = cString(t.field(fieldPrefix))
	case "ustar  \x00":
		if !isZero(t.field(fieldTimes)) {
			return false
		}
	default:
		return false
	}
	ok := t.sumFits()
	number := func(f field) int64 {
		n, good := octal(t.field(f))
		ok = ok && good
		return n
	}
	*m = member{
		flag: flag, mode: number(fieldMode), uid: number(fieldUID), gid: number(fieldGID),
		size: number(fieldSize), mtime: number(fieldMtime), major: number(fieldMajor), minor: number(fieldMinor),
	}
	if !ok {
		return false
	}
	m.claimed = m.size
	if flag != tar.TypeReg {
		m.size = 0 // a link's or directory's is meaningless, and no body follows
	}
	m.name = t.join(prefix, cString(t.field(fieldName)))
	m.link = view(cString(t.field(fieldLink)))
	return true
}

// join returns prefix/name.
func (t *members) join(prefix, name []byte) string {
	if len(prefix) == 0 {
		return view(name)
	}
	s := append(t.name[:0], prefix...)
	s = append(s, '/')
	return view(append(s, name...))
}

// sumFits reports whether the block's checksum is right: the sum of all bytes,
// its own taken for spaces.
func (t *members) sumFits() bool {
	want, ok := octal(t.field(fieldSum))
	if !ok {
		return false
	}
	// Eight bytes at a time, in two words of four lanes: 64 words of at
	// most 255 a lane stay below its 65536.
	const lanes = 0x00ff00ff00ff00ff
	var even, odd uint64
	for i := 0; i < blockSize; i += 8 {
		w := binary.LittleEndian.Uint64(t.block[i:])
		even += w & lanes
		odd += w >> 8 & lanes
	}
	var sum int64
	for ; even|odd != 0; even, odd = even>>16, odd>>16 {
		sum += int64(even&0xffff + odd&0xffff)
	}
	for _, c := range t.field(fieldSum) {
		sum += ' ' - int64(c)
	}
	return sum == want
}

// octal parses a number of octal digits, with spaces and NULs around it. It
// refuses anything else, numbers in base 256 among them.
func octal(b []byte) (int64, bool) {
	for len(b) > 0 && (b[0] == ' ' || b[0] == 0) {
		b = b[1:]
	}
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == 0) {
		b = b[:len(b)-1]
	}
	var n int64
	for _, c := range b {
		if c < '0' || c > '7' {
			return 0, false
		}
		n = n<<3 | int64(c-'0')
	}
	return n, true
}

// cString returns b up to its first NUL.
func cString(b []byte) []byte {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		return b[:i]
	}
	return b
}

func isZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

// view returns b as a string without copying it.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
