package buildcontext

import (
	"context"
	"crypto/sha1"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"golang.org/x/sync/errgroup"
)

// contentID names a file's bytes as Git does: the SHA-1 of "blob", the size, a
// NUL and the bytes. So what Git stores needs no reading, and compares with
// what is on the disk.
type contentID [sha1.Size]byte

func newContentHash(size int64) hash.Hash {
	h := sha1.New()
	h.Write([]byte("blob " + strconv.FormatInt(size, 10) + "\x00"))
	return h
}

// attr is an extended attribute.
type attr struct{ name, value string }

// counts tells whether an extended attribute is part of a file's hash.
// BuildKit's client leaves Apple's out, its hash what the kernel keeps there
// for its own use.
func (a attr) counts() bool {
	switch {
	case a.name == "security.capability":
		return true
	case strings.HasPrefix(a.name, "security."), strings.HasPrefix(a.name, "system."), strings.HasPrefix(a.name, "com.apple."):
		return false
	}
	return true
}

// body is what an entry holds that takes reading: the name of its bytes, and
// its extended attributes. It is read once.
type body struct {
	source bodySource // nil if it was known from the start

	mu     sync.Mutex
	ready  atomic.Bool
	edited bool // something else than it was: no one knows what
	id     contentID
	attrs  []attr // those that count, by name
}

// bodySource reads bodies.
type bodySource interface {
	body(ctx context.Context, e *Entry) (contentID, []attr, error)
}

// known returns a body that needs no reading.
func known(id contentID, attrs []attr) *body {
	b := &body{id: id, attrs: attrs}
	b.ready.Store(true)
	return b
}

// memoryBody returns the body of a file in memory.
func memoryBody(text string, xattrs map[string]string) *body {
	h := newContentHash(int64(len(text)))
	h.Write([]byte(text))
	var attrs []attr
	for name, value := range xattrs {
		attrs = append(attrs, attr{name, value})
	}
	return known(contentID(h.Sum(nil)), counting(attrs))
}

// counting returns those attributes that count, by name.
func counting(attrs []attr) []attr {
	attrs = slices.DeleteFunc(attrs, func(a attr) bool { return !a.counts() })
	slices.SortFunc(attrs, func(a, b attr) int { return strings.Compare(a.name, b.name) })
	return attrs
}

// withheld is the body of a file whose bytes aren't sent.
type withheld struct{ of *body }

func (w withheld) body(_ context.Context, e *Entry) (contentID, []attr, error) {
	empty := contentID(newContentHash(0).Sum(nil))
	f, ok := w.of.source.(*folder)
	if !ok {
		return empty, nil, nil
	}
	attrs, err := f.attrsOf(e)
	if err != nil {
		return empty, nil, f.fail(e.Path, err)
	}
	return empty, counting(attrs), nil
}

// withhold makes an entry one whose bytes aren't sent. It is sent anew each
// time, as what is held isn't of its size.
func (e *Entry) withhold() {
	e.body = &body{source: withheld{e.body}}
	e.mtime = 0
}

// load reads an entry's body if that wasn't done.
func (e *Entry) load(ctx context.Context) error {
	b := e.body
	if b == nil || b.ready.Load() {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ready.Load() {
		return nil
	}
	var err error
	if b.id, b.attrs, err = b.source.body(ctx, e); err != nil {
		return err
	}
	b.ready.Store(true)
	return nil
}

// loaded tells whether load has nothing to do.
func (e *Entry) loaded() bool { return e.body == nil || e.body.ready.Load() }

// loadAll reads bodies, several at once.
func loadAll(ctx context.Context, entries []*Entry) error {
	entries = slices.DeleteFunc(slices.Clone(entries), (*Entry).loaded)
	if len(entries) == 0 {
		return ctx.Err()
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for some := range slices.Chunk(entries, 64) { // neighbours, most often of one directory
		g.Go(func() error {
			for _, e := range some {
				if err := ctx.Err(); err != nil {
					return err
				}
				if err := e.load(ctx); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return g.Wait()
}

// folder is a directory on the disk that a context is in.
type folder struct {
	dir  string // as given
	root *os.Root
	open sync.Pool // of *openDir: those that were read in last
}

// openDir is a directory of a folder that is kept open, since the next file to
// read is most often in the same.
type openDir struct {
	path string
	root *os.Root
}

// in opens the directory that a path is in. It must be given back.
func (f *folder) in(p string) (*openDir, error) {
	dir := path.Dir(p)
	d, _ := f.open.Get().(*openDir)
	if d != nil && d.path == dir {
		return d, nil
	}
	if d != nil {
		d.root.Close()
	}
	root, err := f.root.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &openDir{dir, root}, nil
}

func (f *folder) fail(path string, err error) error { return &Error{f.dir, path, plain(err)} }

// body reads a file through the root, which no link leads out of. A FIFO that
// has taken a file's place doesn't block.
func (f *folder) body(ctx context.Context, e *Entry) (id contentID, attrs []attr, err error) {
	if !e.Mode.IsRegular() || e.Size == 0 {
		// An empty file is known without opening it, which may not be allowed.
		if attrs, err = f.attrsOf(e); err != nil {
			return id, nil, f.fail(e.Path, err)
		}
		return contentID(newContentHash(0).Sum(nil)), counting(attrs), nil
	}
	dir, err := f.in(e.Path)
	if err != nil {
		return id, nil, f.fail(e.Path, err)
	}
	defer f.open.Put(dir)
	file, err := dir.root.OpenFile(path.Base(e.Path), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return id, nil, f.fail(e.Path, err)
	}
	defer file.Close()
	if fi, err := file.Stat(); err != nil {
		return id, nil, f.fail(e.Path, err)
	} else if !fi.Mode().IsRegular() || fi.Size() != e.Size {
		return id, nil, f.fail(e.Path, ErrChanged)
	}
	h := newContentHash(e.Size)
	// One byte more than there should be tells a file that grew.
	n, err := io.CopyBuffer(h, &contextReader{ctx, io.LimitReader(file, e.Size+1)}, make([]byte, min(e.Size+1, 1<<20)))
	switch {
	case ctx.Err() != nil:
		return id, nil, ctx.Err()
	case err != nil:
		return id, nil, f.fail(e.Path, err)
	case n != e.Size:
		return id, nil, f.fail(e.Path, ErrChanged)
	}
	if attrs, err = fileAttrs(file); err != nil {
		return id, nil, f.fail(e.Path, fmt.Errorf("its extended attributes: %w", err))
	}
	return contentID(h.Sum(nil)), counting(attrs), nil
}

// attrsOf returns the extended attributes of what isn't opened itself, but for
// directories: they are read by way of the directory that it is in.
func (f *folder) attrsOf(e *Entry) ([]attr, error) {
	name := path.Dir(e.Path)
	if e.IsDir() {
		name = e.Path
	}
	dir, err := f.root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		if errors.Is(err, fs.ErrPermission) {
			return nil, nil // it was listed before, so that it is only its own attributes that can't be had
		}
		return nil, err
	}
	defer dir.Close()
	if e.IsDir() {
		return fileAttrs(dir)
	}
	return attrsIn(dir, path.Base(e.Path))
}

// contextReader stops reading when its context is done.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (r *contextReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}
