package synth

import (
	"archive/tar"
	"bytes"
	"io"
	"iter"
	"path"
	"strings"
	"time"
)

// Entry is one member of a layer's tar, as [Dir], [File] and the other
// functions of this package make it.
type Entry struct {
	header tar.Header
	body   func() io.Reader // nil: no body
	raw    []byte           // written instead of header and body
	many   iter.Seq[Entry]  // stands for all of these
}

// Header returns what the tar says of the entry before its body.
func (e Entry) Header() tar.Header { return e.header }

// Open returns the entry's body from its first byte.
func (e Entry) Open() io.Reader {
	if e.body == nil {
		return strings.NewReader("")
	}
	return e.body()
}

// Option changes an entry's header.
type Option func(*tar.Header)

// Mode sets the permission bits, setuid, setgid and sticky among them.
func Mode(mode int64) Option {
	return func(h *tar.Header) { h.Mode = mode }
}

// Owner sets the numeric owner.
func Owner(uid, gid int) Option {
	return func(h *tar.Header) { h.Uid, h.Gid = uid, gid }
}

// ModTime sets the modification time.
func ModTime(t time.Time) Option {
	return func(h *tar.Header) { h.ModTime = t }
}

// Xattr sets an extended attribute, as a PAX record SCHILY.xattr.NAME.
func Xattr(name, value string) Option {
	return func(h *tar.Header) {
		if h.PAXRecords == nil {
			h.PAXRecords = map[string]string{}
		}
		h.PAXRecords["SCHILY.xattr."+name] = value
	}
}

// Dir is a directory, mode 0755.
func Dir(name string, opts ...Option) Entry {
	return entry(tar.Header{Typeflag: tar.TypeDir, Name: strings.TrimSuffix(name, "/") + "/", Mode: 0o755}, opts)
}

// File is a regular file, mode 0644.
func File(name, content string, opts ...Option) Entry {
	return Stream(name, int64(len(content)), func() io.Reader { return strings.NewReader(content) }, opts...)
}

// Stream is a regular file of size bytes, mode 0644, whose content is read
// from a new reader of open each time the layer is written.
func Stream(name string, size int64, open func() io.Reader, opts ...Option) Entry {
	e := entry(tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o644}, opts)
	e.body = open
	return e
}

// Symlink is a symbolic link to target.
func Symlink(name, target string, opts ...Option) Entry {
	return entry(tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: target, Mode: 0o777}, opts)
}

// Hardlink is another name of target, a path from the root.
func Hardlink(name, target string, opts ...Option) Entry {
	return entry(tar.Header{Typeflag: tar.TypeLink, Name: name, Linkname: target, Mode: 0o644}, opts)
}

// Whiteout deletes name from the layers below (OCI image-spec, layer.md,
// "Whiteouts").
func Whiteout(name string) Entry {
	dir, base := path.Split(name)
	return File(dir+".wh."+base, "", Mode(0))
}

// Opaque empties the directory of what the layers below put there.
func Opaque(dir string) Entry {
	return File(path.Join(dir, ".wh..wh..opq"), "", Mode(0))
}

// CharDevice is a character device.
func CharDevice(name string, major, minor int64, opts ...Option) Entry {
	return entry(tar.Header{Typeflag: tar.TypeChar, Name: name, Devmajor: major, Devminor: minor, Mode: 0o666}, opts)
}

// BlockDevice is a block device.
func BlockDevice(name string, major, minor int64, opts ...Option) Entry {
	return entry(tar.Header{Typeflag: tar.TypeBlock, Name: name, Devmajor: major, Devminor: minor, Mode: 0o660}, opts)
}

// Fifo is a named pipe.
func Fifo(name string, opts ...Option) Entry {
	return entry(tar.Header{Typeflag: tar.TypeFifo, Name: name, Mode: 0o644}, opts)
}

// Header is any member archive/tar can write. The header is taken as it is,
// without this package's defaults, but for its Size: that is the body's.
func Header(h tar.Header, body string) Entry {
	h.Size = int64(len(body))
	return Entry{header: h, body: func() io.Reader { return strings.NewReader(body) }}
}

// Raw is bytes put between the tar's members as they are, to write what
// archive/tar won't. They should be whole 512-byte blocks, or what follows is
// misread.
func Raw(blocks []byte) Entry {
	return Entry{raw: bytes.Clone(blocks)}
}

// Many stands for the n entries f(0) to f(n-1), made as they are written.
func Many(n int, f func(i int) Entry) Entry {
	return Entry{many: func(yield func(Entry) bool) {
		for i := range n {
			if !yield(f(i)) {
				return
			}
		}
	}}
}

// entry gives h the fixed time and then the options.
func entry(h tar.Header, opts []Option) Entry {
	h.ModTime = time.Unix(Epoch, 0)
	for _, o := range opts {
		o(&h)
	}
	return Entry{header: h}
}
