package layer

import (
	"archive/tar"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/zeebo/xxh3"
)

// Options are how [Read] reads. The zero value is fine.
type Options struct {
	// MaxSize is the most bytes an uncompressed layer may have, the guard
	// against a small blob that unpacks without end; 0 for no limit.
	MaxSize int64
	// Tap, if set, sees the bodies as they stream past.
	Tap Tap
}

// Tap sees the bodies of a layer's regular files as they stream past: [Read]
// calls it from one goroutine, in the tar's order, and it must keep up.
type Tap interface {
	// Open is asked whether it wants the body of entry row, which has at
	// least one byte. The path is clean and relative to the root; it is
	// valid only until Open returns.
	Open(row int, path string, size int64) bool
	// Write is given the next bytes of the body, valid until it returns.
	Write(p []byte)
	// Close says that all of the body was given. Of a body that can't be
	// read to its end nothing more is heard: Read fails.
	Close()
}

// TooLargeError says that a layer unpacks to more than [Options.MaxSize].
type TooLargeError struct {
	Limit int64 // bytes
}

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("layer unpacks to more than %d bytes", e.Limit)
}

// Advice returns what the user can do about it.
func (e *TooLargeError) Advice() string { return "raise --max-layer-size if you trust the image" }

// maxPath is the longest path taken, in bytes: eight times what Linux can
// open. A tar may give a megabyte for each entry, and in a bomb does.
const maxPath = 32 << 10

// Read reads a layer from r to its end: a tar, plain or compressed with gzip or
// zstd, which its first bytes tell. It makes one pass, holds no body, and
// hashes blob and tar on the way. The digests are for the caller to compare;
// see [Index.Verify].
//
// The errors of r are wrapped, so that errors.Is finds them. Cancelling ctx
// ends the reading between two blocks of r.
func Read(ctx context.Context, r io.Reader, opts Options) (*Index, error) {
	s, err := open(ctx, r, opts.MaxSize)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	b := newBuilder()
	b.limit, b.tap = opts.MaxSize, opts.Tap
	if err := b.readTar(ctx, s); err != nil {
		return nil, err
	}
	x := b.finish()
	if err := s.finish(x); err != nil {
		return nil, err
	}
	return x, nil
}

// builder makes an Index from the members of a tar.
type builder struct {
	limit  int64 // MaxSize
	tap    Tap
	x      *Index
	byName map[dirKey]int32 // directories by parent and name
	last   string           // path of the directory looked up last: most entries stand in it
	lastID int32
	hash   *xxh3.Hasher
	buf    []byte
}

type dirKey struct {
	parent int32
	name   string
}

func newBuilder() *builder {
	return &builder{
		x:      &Index{dirs: make([]dir, 1), extras: make([]extra, 1), arena: make([][]byte, 1)},
		byName: map[dirKey]int32{},
		hash:   xxh3.New(),
		buf:    make([]byte, 64<<10),
	}
}

func (b *builder) readTar(ctx context.Context, s *stream) error {
	members := &members{r: s}
	var consumed int64 // bytes of the blob up to the end of the entry before
	var last *Entry
	for {
		m, err := members.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return b.entryError("", tarError(err))
		}
		if m.flag == tar.TypeXGlobalHeader {
			continue
		}
		e, err := b.entry(ctx, m)
		if err != nil {
			return b.entryError(m.name, tarError(err))
		}
		at := s.blobAt()
		e.Compressed, consumed = at-consumed, at
		last = b.add(e)
	}
	if err := s.drain(); err != nil {
		return err
	}
	if last != nil {
		last.Compressed += s.blob.n - consumed // what follows the last entry
	}
	return nil
}

// entryError says where in the tar reading stopped.
func (b *builder) entryError(name string, err error) error {
	if name == "" {
		return fmt.Errorf("reading tar entry %d: %w", b.x.n, err)
	}
	return fmt.Errorf("reading tar entry %q: %w", name, err)
}

// errNotTar stands for archive/tar's ErrHeader, whose text speaks of a package.
var errNotTar = errors.New("invalid tar header")

func tarError(err error) error {
	if errors.Is(err, tar.ErrHeader) {
		return errNotTar
	}
	return err
}

// entry makes an Entry of a member and reads its body.
func (b *builder) entry(ctx context.Context, m *member) (Entry, error) {
	name, unclean := cleanPath(m.name)
	if n := max(len(name), len(m.link)); n > maxPath {
		return Entry{}, fmt.Errorf("path of %d bytes is longer than %d", n, maxPath)
	}
	e := Entry{
		Type:      typeOf(m.flag),
		Unclean:   unclean,
		Mode:      uint32(m.mode) & 0o7777,
		UID:       clampID(m.uid),
		GID:       clampID(m.gid),
		mtime:     m.mtime,
		mtimeNsec: uint32(m.mtimeNsec),
	}
	base := b.place(&e, name)
	b.mark(&e, base)
	if err := b.links(&e, m); err != nil {
		return Entry{}, err
	}
	if err := b.extra(&e, m); err != nil {
		return Entry{}, err
	}
	if e.Type != File {
		return e, nil
	}
	b.x.Files++
	err := b.body(ctx, &e, m, name)
	return e, err
}

// body hashes a regular file's body.
func (b *builder) body(ctx context.Context, e *Entry, m *member, name string) error {
	if m.size == 0 {
		return nil
	}
	if b.x.Stored > math.MaxInt64-m.size {
		return errors.New("sizes add up to more than fits 63 bits")
	}
	b.hash.Reset()
	tapped := b.tap != nil && b.tap.Open(b.x.n, name, m.size)
	var n int64
	for { // not io.CopyBuffer, which allocates for every file
		got, err := m.body.Read(b.buf)
		b.hash.Write(b.buf[:got])
		if tapped {
			b.tap.Write(b.buf[:got])
		}
		n += int64(got)
		if err == io.EOF {
			break
		}
		if err == nil {
			err = b.mayGoOn(ctx, n)
		}
		if err != nil {
			return err
		}
	}
	if n != m.size {
		return io.ErrUnexpectedEOF
	}
	if tapped {
		b.tap.Close()
	}
	sum := b.hash.Sum128()
	e.Size, e.Hash = n, Hash{Hi: sum.Hi, Lo: sum.Lo}
	b.x.Stored += n
	return nil
}

// mayGoOn ends a body that doesn't: the holes of a sparse file come from no
// blob, so that neither its limit nor its cancelling is met there.
func (b *builder) mayGoOn(ctx context.Context, n int64) error {
	if b.limit > 0 && b.x.Stored+n > b.limit {
		return &TooLargeError{Limit: b.limit}
	}
	return ctx.Err()
}

// place finds the entry's directory and returns its last component.
func (b *builder) place(e *Entry, name string) string {
	parent, base := splitPath(name)
	e.dir = b.dir(parent)
	return base
}

// The names that OCI image-spec (layer.md, "Whiteouts") and AUFS reserve.
const (
	whiteoutPrefix = ".wh."
	metaPrefix     = ".wh..wh."
	opaqueName     = ".wh..wh..opq"
)

// mark sets the name, and the type where the name says more than the tar does.
func (b *builder) mark(e *Entry, base string) {
	switch target, isWhiteout := strings.CutPrefix(base, whiteoutPrefix); {
	case !isWhiteout:
	case base == opaqueName:
		e.Type, base = Opaque, ""
	case strings.HasPrefix(base, metaPrefix), target == "", target == ".", target == "..":
		// Of "nothing", "here" or "above": applied literally the last
		// two would delete a directory that nobody named.
		e.Type = Ignored
	default:
		e.Type, base = Whiteout, target
	}
	e.name, e.nameLen = b.intern(base)
}

// links sets the target of a link.
func (b *builder) links(e *Entry, m *member) error {
	switch e.Type {
	case Symlink:
		e.link, e.linkLen = b.intern(m.link)
	case Hardlink:
		target, _ := cleanPath(m.link)
		e.link, e.linkLen = b.intern(target)
	}
	if len(b.x.arena) > math.MaxUint32/chunkLen {
		return errors.New("names take more than 4 GiB")
	}
	return nil
}

const (
	xattrPrefix        = "SCHILY.xattr."
	xattrLibarchiveKey = "LIBARCHIVE.xattr."
)

// maxXattrNames is the most bytes that the names of an entry's extended
// attributes may take: what Linux can list (XATTR_LIST_MAX, xattr(7)).
const maxXattrNames = 64 << 10

// extra keeps what few entries have: extended attributes, device numbers and
// headers that say something else than the entry does.
func (b *builder) extra(e *Entry, m *member) error {
	var x extra
	if err := x.setXattrs(m); err != nil {
		return err
	}
	if e.Type == Char || e.Type == Block {
		x.major, x.minor = m.major, m.minor
	}
	x.setHeader(e, m)
	if x.xattrs == nil && !x.odd && e.Type != Char && e.Type != Block {
		return nil
	}
	e.extra = int32(len(b.x.extras))
	b.x.extras = append(b.x.extras, x)
	return nil
}

func (x *extra) setXattrs(m *member) error {
	size := 0
	for k := range m.pax {
		name, ok := strings.CutPrefix(k, xattrPrefix)
		if !ok {
			name, ok = strings.CutPrefix(k, xattrLibarchiveKey)
		}
		if ok {
			x.xattrs = append(x.xattrs, strings.Clone(name))
			size += len(name) + 1
		}
	}
	if size > maxXattrNames {
		return fmt.Errorf("the names of its extended attributes take %d bytes, more than %d", size, maxXattrNames)
	}
	slices.Sort(x.xattrs)
	x.xattrs = slices.Compact(x.xattrs) // the two prefixes may give one name twice
	x.hashXattrs(m)
	return nil
}

// hashXattrs hashes the names and values of the attributes.
func (x *extra) hashXattrs(m *member) {
	if x.xattrs == nil {
		return
	}
	var buf []byte
	for _, name := range x.xattrs {
		for _, s := range []string{name, xattrValue(m, name)} {
			buf = binary.LittleEndian.AppendUint64(buf, uint64(len(s)))
			buf = append(buf, s...)
		}
	}
	sum := xxh3.Hash128(buf)
	x.xattrValues = Hash{Hi: sum.Hi, Lo: sum.Lo}
}

// xattrValue returns the value of an attribute. libarchive's record has it in
// base64 without padding (libarchive, archive_write_set_format_pax.c).
func xattrValue(m *member, name string) string {
	if value, ok := m.pax[xattrPrefix+name]; ok {
		return value
	}
	encoded := m.pax[xattrLibarchiveKey+name]
	if value, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(encoded, "=")); err == nil {
		return string(value)
	}
	return encoded
}

// modeDir is S_IFDIR, which some write into the mode of a header (POSIX.1-2017,
// sys/stat.h).
const modeDir = 0o040000

// setHeader keeps what the header says if that doesn't follow from the entry.
func (x *extra) setHeader(e *Entry, m *member) {
	h := Header{Size: m.claimed, Dir: m.flag == tar.TypeDir || uint32(m.mode)&^0o7777 == modeDir}
	if e.Unclean {
		h.Above = above(m.name)
	}
	h.Rooted = e.Type != Opaque && e.nameLen == 0 && strings.HasPrefix(m.name, "/")
	x.odd = h.Dir != (e.Type == Dir) || h.Above > 0 || h.Rooted || h.Size != 0 && e.Type != File
	if x.odd {
		x.header = h
	}
}

// dir returns the number of the directory at a clean path, made with its
// parents if it is new.
func (b *builder) dir(path string) int32 {
	if path == b.last {
		return b.lastID
	}
	id := b.lookup(path)
	b.last, b.lastID = strings.Clone(path), id
	return id
}

// lookup walks down from the root. Keys are components, not paths: a hostile
// tar's path of thousands of components must not cost its square in memory.
func (b *builder) lookup(path string) int32 {
	id := int32(0)
	for path != "" {
		name, rest, _ := strings.Cut(path, "/")
		key := dirKey{parent: id, name: name}
		next, ok := b.byName[key]
		if !ok {
			off, n := b.intern(name)
			b.x.dirs = append(b.x.dirs, dir{parent: id, name: off, nameLen: n})
			next = int32(len(b.x.dirs) - 1)
			key.name = strings.Clone(name)
			b.byName[key] = next
		}
		id, path = next, rest
	}
	return id
}

// intern copies s into the arena. Chunks are filled by appending, so that a
// small layer has a small one.
func (b *builder) intern(s string) (off uint32, n uint16) {
	x := b.x
	last := len(x.arena) - 1
	if len(x.arena[last])+len(s) > chunkLen {
		x.arena = append(x.arena, make([]byte, 0, chunkLen))
		last++
	}
	off = uint32(last*chunkLen + len(x.arena[last]))
	x.arena[last] = append(x.arena[last], s...)
	return off, uint16(len(s))
}

func (b *builder) add(e Entry) *Entry {
	x := b.x
	if x.n%pageLen == 0 {
		size := pageLen
		if x.n == 0 {
			size = 64 // most layers are small
		}
		x.pages = append(x.pages, make([]Entry, 0, size))
	}
	p := &x.pages[len(x.pages)-1]
	*p = append(*p, e)
	x.n++
	return &(*p)[len(*p)-1]
}

func (b *builder) finish() *Index { return b.x }

func typeOf(flag byte) Type {
	switch flag {
	case tar.TypeDir:
		return Dir
	case tar.TypeSymlink:
		return Symlink
	case tar.TypeLink:
		return Hardlink
	case tar.TypeChar:
		return Char
	case tar.TypeBlock:
		return Block
	case tar.TypeFifo:
		return Fifo
	default: // TypeReg, contiguous, sparse and vendors' own: POSIX says regular
		return File
	}
}

// clampID keeps what fits a Linux id; 4294967295 is no valid one and stands for
// the rest.
func clampID(id int64) uint32 {
	if id < 0 || id > math.MaxUint32 {
		return math.MaxUint32
	}
	return uint32(id)
}
