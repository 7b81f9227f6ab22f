// Package layer reads a layer's tar once, as it streams past, into an
// [Index]: every entry with its metadata and the hash of its body, in about 80
// bytes an entry and its name. The common call is [Read].
package layer

import (
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"
	"unsafe"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Type is what an entry is.
type Type uint8

// The types of entries. Whiteout and Opaque delete from the layers below (OCI
// image-spec, layer.md, "Whiteouts"); Ignored is a reserved name that does
// nothing.
const (
	File     Type = iota // a regular file, with Size bytes in this layer
	Dir                  // a directory
	Symlink              // a symbolic link; Link is its target
	Hardlink             // another name of the entry that Link names, relative to the root
	Char                 // a character device
	Block                // a block device
	Fifo                 // a named pipe
	Whiteout             // deletes the path of this name (the .wh. prefix is taken off)
	Opaque               // empties the directory it stands in; its name is ""
	Ignored              // a .wh..wh. name of AUFS, or a whiteout of nothing
)

var typeNames = [...]string{"file", "dir", "symlink", "hardlink", "char", "block", "fifo", "whiteout", "opaque", "ignored"}

// String returns the type's name as JSON has it.
func (t Type) String() string {
	if int(t) < len(typeNames) {
		return typeNames[t]
	}
	return "unknown"
}

// Hash is the 128-bit xxh3 of a file's body. It tells bodies apart; it is no
// defence against someone who makes two bodies collide.
type Hash struct{ Hi, Lo uint64 }

// String returns the hash as 32 hex digits.
func (h Hash) String() string { return fmt.Sprintf("%016x%016x", h.Hi, h.Lo) }

// Entry is one tar member. Its strings are kept apart: see [Index.Name],
// [Index.Path], [Index.Link], [Index.Xattrs].
//
// 80 bytes, times a million for a large image: mind the size.
type Entry struct {
	Size       int64 // bytes of the body; 0 for anything but File
	Compressed int64 // share of the blob's StoredSize, header included: estimated, but exact of a plain layer
	Hash       Hash  // of the body; zero for anything but a File with Size > 0
	mtime      int64
	mtimeNsec  uint32
	UID, GID   uint32
	Mode       uint32 // permission bits with setuid, setgid and sticky: 0 to 07777
	dir        int32  // index into dirs; 0 is the root
	name       uint32 // place in arena: chunk * chunkLen + offset
	link       uint32
	extra      int32 // index into extras; 0 is none
	nameLen    uint16
	linkLen    uint16
	Type       Type
	// Unclean is set if the tar named the entry otherwise than by its clean
	// relative path: with "..", doubled slashes, a "." inside. (A leading
	// "./" or "/" is too common to say.)
	Unclean bool
}

// Content is what tells the bodies of regular files apart: two of equal content
// have the same bytes, as far as [Hash] tells.
type Content struct {
	Size int64
	Hash Hash
}

// Content returns the content of a File; that of anything else is as a file's
// without bytes.
func (e *Entry) Content() Content { return Content{e.Size, e.Hash} }

// ModTime returns the modification time the tar gave.
func (e *Entry) ModTime() time.Time { return time.Unix(e.mtime, int64(e.mtimeNsec)).UTC() }

// dir is a directory that some entry stands in, whether the tar has an entry
// for it or not.
type dir struct {
	parent  int32
	name    uint32
	nameLen uint16
}

// extra holds what few entries have.
type extra struct {
	xattrs       []string
	xattrValues  Hash
	major, minor int64
	header       Header
	odd          bool // header is set
}

// Header is what a tar's header said of an entry before the rules that layers
// are read by: for those who must count as somebody does who goes by headers.
type Header struct {
	// Size is the size in bytes that the header claims, also of an entry
	// that has no body, or none that counts: a link, a directory, a
	// whiteout. Nothing vouches for it then; it may be negative.
	Size int64
	// Dir is set if the header's type is a directory's or the type bits of
	// its mode are (S_IFDIR).
	Dir bool
	// Rooted tells "/" from ".", of an entry for the root.
	Rooted bool
	// Above is how many ".." at the start of the name, once it is clean,
	// led above the root. An Entry's path lacks them.
	Above int32
}

// pageLen entries make a page: entries live in pages so that a growing index is
// never copied.
const pageLen = 4096

// chunkLen is the bytes of a chunk of names. No name crosses chunks.
const chunkLen = 256 << 10

// Index is what one layer's tar holds, entries in the tar's order. It is
// immutable once read and safe for concurrent use.
type Index struct {
	DiffID v1.Hash // digest of the uncompressed tar
	Digest v1.Hash // digest of the blob as it was read; DiffID if it was plain

	padded v1.Hash // DiffID if the tar were padded to whole records

	// Compression is "gzip", "zstd" or "" for a plain tar.
	Compression string
	// StoredSize is the size in bytes of the blob as it was read.
	StoredSize int64
	// TarSize is the size in bytes of the uncompressed tar.
	TarSize int64

	// Stored is the sum of the entries' Size: the bytes of the layer's
	// copies (design §5).
	Stored int64
	// Files counts the regular files.
	Files int

	pages  [][]Entry
	n      int
	dirs   []dir
	arena  [][]byte // names and link targets, in chunks as entries are in pages
	extras []extra
}

// Len returns the number of entries.
func (x *Index) Len() int { return x.n }

// At returns entry i, 0 ≤ i < Len. The tar's members are counted without PAX
// global headers, which are no entries.
func (x *Index) At(i int) *Entry { return &x.pages[i/pageLen][i%pageLen] }

// All yields the entries with their numbers.
func (x *Index) All() iter.Seq2[int, *Entry] {
	return func(yield func(int, *Entry) bool) {
		i := 0
		for _, p := range x.pages {
			for j := range p {
				if !yield(i, &p[j]) {
					return
				}
				i++
			}
		}
	}
}

// Name returns the last component of the entry's path: raw bytes, perhaps not
// UTF-8. It is "" for the root and for an Opaque marker; of a Whiteout it is
// the name that is deleted.
func (x *Index) Name(e *Entry) string { return x.str(e.name, e.nameLen) }

// Link returns the target of a Symlink as it stands in the tar, or the clean
// path from the root of a Hardlink's target.
func (x *Index) Link(e *Entry) string { return x.str(e.link, e.linkLen) }

// Dir returns the number of the directory that the entry stands in, to be used
// with DirParent and DirName; 0 is the root.
func (x *Index) Dir(e *Entry) int { return int(e.dir) }

// Dirs returns how many directories there are; a directory's number is larger
// than its parent's.
func (x *Index) Dirs() int { return len(x.dirs) }

// DirParent returns the number of directory d's parent; the root's is the root.
func (x *Index) DirParent(d int) int { return int(x.dirs[d].parent) }

// DirName returns the last component of directory d's path, "" for the root.
func (x *Index) DirName(d int) string { return x.str(x.dirs[d].name, x.dirs[d].nameLen) }

// Path returns the entry's path, clean and relative to the root ("usr/bin/go";
// "" for the root itself).
func (x *Index) Path(e *Entry) string {
	var parts []string
	if name := x.Name(e); name != "" {
		parts = append(parts, name)
	}
	for d := x.Dir(e); d != 0; d = x.DirParent(d) {
		parts = append(parts, x.DirName(d))
	}
	slices.Reverse(parts)
	return strings.Join(parts, "/")
}

// Xattrs returns the names of the entry's extended attributes, sorted.
func (x *Index) Xattrs(e *Entry) []string { return x.extras[e.extra].xattrs }

// XattrValues returns the hash of the entry's extended attributes, names and
// values; zero if it has none. It tells them apart as [Hash] tells bodies.
func (x *Index) XattrValues(e *Entry) Hash { return x.extras[e.extra].xattrValues }

// Device returns the numbers of a Char or Block entry.
func (x *Index) Device(e *Entry) (major, minor int64) {
	return x.extras[e.extra].major, x.extras[e.extra].minor
}

// Header returns what the entry's header said.
func (x *Index) Header(e *Entry) Header {
	if ex := &x.extras[e.extra]; ex.odd {
		return ex.header
	}
	return Header{Size: e.Size, Dir: e.Type == Dir}
}

// str returns a piece of the arena without copying it: the arena never changes
// once the index is built.
func (x *Index) str(off uint32, n uint16) string {
	if n == 0 {
		return ""
	}
	return unsafe.String(&x.arena[off/chunkLen][off%chunkLen], int(n))
}
