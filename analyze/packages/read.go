package packages

import (
	"bytes"
	"crypto/sha256"
	"fmt"
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
}

// Layer reads what one layer says of packages. It is a [layer.Tap], and is to
// be read once the layer was read.
type Layer struct {
	reader *Reader
	files  map[int]*file // by row

	// The body that is streaming past.
	row      int
	kind     kind
	buf      bytes.Buffer
	programs programScanner
}

var _ layer.Tap = (*Layer)(nil)

// Layer returns a tap for one layer. Layers may be read at the same time.
func (r *Reader) Layer() *Layer {
	return &Layer{reader: r, files: map[int]*file{}}
}

// Open implements [layer.Tap].
func (l *Layer) Open(row int, path string, size int64) bool {
	l.row, l.kind = row, kindOf(path)
	if l.kind == nothing {
		l.kind = goProgram
		return l.programs.reset(size)
	}
	if size > l.kind.limit() {
		l.files[row] = &file{kind: l.kind, err: fmt.Errorf("%d bytes are more than the %d that are read", size, l.kind.limit())}
		return false
	}
	l.buf.Reset()
	return true
}

// Write implements [layer.Tap].
func (l *Layer) Write(p []byte) {
	if l.kind == goProgram {
		l.programs.write(p)
		return
	}
	l.buf.Write(p)
}

// maxSpare is the largest buffer that is kept for the next file.
const maxSpare = 1 << 20

// Close implements [layer.Tap].
func (l *Layer) Close() {
	if l.kind == goProgram {
		if f := l.programs.close(); f != nil {
			l.add(f)
		}
		return
	}
	f := l.read(l.kind, l.buf.Bytes())
	f.kind = l.kind
	l.add(f)
	if l.buf.Cap() > maxSpare {
		l.buf = bytes.Buffer{}
	}
}

// add keeps what the file at hand says.
func (l *Layer) add(f *file) {
	n := 256 + len(f.name) + len(f.version) + len(f.arch) + len(f.list) + 8*len(f.records)
	for _, m := range f.modules {
		n += 32 + len(m.Path) + len(m.Version)
	}
	if err := l.reader.keep(int64(n)); err != nil {
		f = &file{kind: f.kind, err: err}
	}
	l.files[l.row] = f
}

// read reads a file of a kind. Parsers are not to panic; should one, or a
// library, then its database isn't read.
func (l *Layer) read(k kind, body []byte) (f *file) {
	defer func() {
		if r := recover(); r != nil {
			f = &file{err: fmt.Errorf("reading it failed: %v", r)}
		}
	}()
	f = new(file)
	switch k {
	case dpkgStatus, dpkgStatusD:
		f.records, f.err = readDpkgStatus(l.reader, body)
	case dpkgList, dpkgSums, dpkgDiversions:
		f.list, f.err = readLines(body)
	case apkInstalled:
		f.records, f.err = readApk(l.reader, body)
	case rpmDatabase:
		f.records, f.err = readRpm(l.reader, body)
	case rpmLog: // there is something in it: that is all that matters
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
	}
	return f
}
