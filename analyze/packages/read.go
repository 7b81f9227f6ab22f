package packages

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"github.com/layerscope/layerscope/analyze/layer"
)

// maxKept is the most bytes that a reader keeps of all that it reads. What a
// package's record in a database says is kept once, however many layers store
// that database again.
const maxKept = 512 << 20

// Reader reads what the layers of an image say of packages.
type Reader struct {
	kept atomic.Int64 // bytes

	mu      sync.Mutex
	records map[[sha256.Size]byte]*record // by the bytes they were read from
}

// record is a package in a database. It is immutable.
type record struct {
	name, version, arch string
	gone                bool     // the database merely remembers it
	files               []string // from the root, with or without a slash before
}

// size returns about how many bytes of memory a record takes.
func (r *record) size() int64 {
	n := 256 + len(r.name) + len(r.version) + len(r.arch)
	for _, f := range r.files {
		n += 16 + len(f)
	}
	return int64(n)
}

// NewReader returns a reader for one image.
func NewReader() *Reader { return &Reader{records: map[[sha256.Size]byte]*record{}} }

// keep counts bytes that are to be kept.
func (r *Reader) keep(n int64) error {
	if r.kept.Add(n) <= maxKept {
		return nil
	}
	r.kept.Add(-n)
	return fmt.Errorf("the image's package databases say more than %d bytes", int64(maxKept))
}

// record returns what parse makes of the bytes of a record, which are parsed
// once however often they come.
func (r *Reader) record(raw []byte, parse func([]byte) (*record, error)) (*record, error) {
	key := sha256.Sum256(raw)
	r.mu.Lock()
	rec := r.records[key]
	r.mu.Unlock()
	if rec != nil {
		return rec, nil
	}
	rec, err := parse(raw)
	if err != nil {
		return nil, err
	}
	if err := r.keep(rec.size()); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.records[key] = rec
	return rec, nil
}

// file is what one file of a layer says.
type file struct {
	kind kind
	err  error // why it can't be read; then there is nothing but the kind

	// A database has records, which may be shared; a package's own file has
	// its name, version and architecture, or a list of paths as it stands in
	// the file.
	records             []*record
	name, version, arch string
	list                string
	modules             []Module
	distribution        *Distribution // nil if it names none
}

// Layer is what one layer says of packages.
type Layer struct {
	files map[int]*file // by row
}

// Read reads a layer as [layer.Read] does, and what it says of packages. Layers
// may be read at the same time.
func (r *Reader) Read(ctx context.Context, blob io.Reader, opts layer.Options) (*layer.Index, *Layer, error) {
	l := &Layer{files: map[int]*file{}}
	opts.Tap = &tap{ctx: ctx, reader: r, files: l.files}
	x, err := layer.Read(ctx, blob, opts)
	if err != nil {
		return nil, nil, err
	}
	return x, l, nil
}

// tap reads the files of one layer as they stream past.
type tap struct {
	ctx    context.Context
	reader *Reader
	files  map[int]*file // by row

	// The body that is streaming past.
	row      int
	kind     kind
	buf      bytes.Buffer
	programs programScanner
}

// Open implements [layer.Tap].
func (t *tap) Open(row int, path string, size int64) bool {
	t.row, t.kind = row, kindOf(path)
	if t.kind == nothing {
		t.kind = goProgram
		return t.programs.reset(size)
	}
	if size > t.kind.limit() {
		t.files[row] = &file{kind: t.kind, err: fmt.Errorf("%d bytes are more than the %d that are read", size, t.kind.limit())}
		return false
	}
	t.buf.Reset()
	return true
}

// Write implements [layer.Tap].
func (t *tap) Write(p []byte) {
	if t.kind == goProgram {
		t.programs.write(p)
		return
	}
	t.buf.Write(p)
}

// maxSpare is the largest buffer that is kept for the next file.
const maxSpare = 1 << 20

// Close implements [layer.Tap].
func (t *tap) Close() {
	if t.kind == goProgram {
		if f := t.programs.close(); f != nil {
			t.add(f)
		}
		return
	}
	f := t.read(t.kind, t.buf.Bytes())
	f.kind = t.kind
	t.add(f)
	if t.buf.Cap() > maxSpare {
		t.buf = bytes.Buffer{}
	}
}

// add keeps what the file at hand says.
func (t *tap) add(f *file) {
	n := 256 + len(f.name) + len(f.version) + len(f.arch) + len(f.list) + 8*len(f.records)
	if d := f.distribution; d != nil {
		n += 64 + len(d.ID) + len(d.Version) + len(d.Name)
	}
	for _, m := range f.modules {
		n += 32 + len(m.Path) + len(m.Version)
	}
	if err := t.reader.keep(int64(n)); err != nil {
		f = &file{kind: f.kind, err: err}
	}
	t.files[t.row] = f
}

// read reads a file of a kind. Parsers are not to panic; should one, or a
// library, then its database isn't read.
func (t *tap) read(k kind, body []byte) (f *file) {
	defer func() {
		if r := recover(); r != nil {
			f = &file{err: fmt.Errorf("reading it failed: %v", r)}
		}
	}()
	f = new(file)
	switch k {
	case dpkgStatus, dpkgStatusD:
		f.records, f.err = readParagraphs(t.reader, body, parseDpkgRecord)
	case dpkgList, dpkgSums, dpkgDiversions:
		f.list, f.err = readLines(body)
	case apkInstalled:
		f.records, f.err = readParagraphs(t.reader, body, parseApkRecord)
	case rpmDatabase:
		f.records, f.err = readRpm(t.ctx, t.reader, body)
	case pythonMetadata:
		f.name, f.version, f.err = readPythonMetadata(body)
	case pythonRecord:
		f.list, f.err = readPythonRecord(body)
	case pythonFiles:
		f.list = string(body)
	case npmPackage:
		f.name, f.version, f.err = readNpm(body)
	case gemSpec:
		f.name, f.version, f.err = readGemSpec(body)
	case osRelease:
		f.distribution = readOSRelease(body)
	case debianVersion:
		f.version = readDebianVersion(body)
	}
	return f
}
