package source

import (
	"archive/tar"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/layerscope/layerscope/analyze/layer"
)

// openStream opens an image archive that can be read once, from its start to
// its end: standard input, or what a daemon saves. Layers are handed out as
// they pass, whatever the order of the members; what they belong to is known
// at the end. r is not closed; nothing is read from it before Read.
func openStream(ctx context.Context, r io.Reader, opts Options) (Image, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return newStream(r, nil, 0, archiveForm, opts), nil
}

// streamImage is the image of an archive that passes once.
type streamImage struct {
	r      io.Reader // nil once read
	closer io.Closer // nil if the reader is the caller's
	size   int64     // of the compressed archive; 0 if unknown
	form   form
	opts   Options
	passed *passage // what is left of the archive once it is read
}

func newStream(r io.Reader, c io.Closer, size int64, form form, opts Options) *streamImage {
	return &streamImage{r: r, closer: c, size: size, form: form, opts: opts}
}

func (s *streamImage) Description() *Description { return nil }

func (s *streamImage) Close() error {
	if s.closer == nil {
		return nil
	}
	return s.closer.Close()
}

func (s *streamImage) Read(ctx context.Context, req Request) (*Description, error) {
	if s.r == nil {
		return nil, errors.New("the archive has been read already")
	}
	raw, stop := interruptible(ctx, s.r)
	s.r = nil
	defer stop()
	if s.size > 0 {
		s.opts.Progress.SetTotal(s.size)
	}
	d, p, err := readStream(ctx, &countingReader{ctx, raw, s.opts.Progress}, s.form, s.opts, req)
	if ctx.Err() != nil {
		return nil, ctx.Err() // whatever else broke, broke because of it
	}
	s.passed = p
	return d, err
}

// readStream reads an archive through, handing out what looks like a layer,
// then finds the image and checks that its layers were among it.
func readStream(ctx context.Context, raw io.Reader, form form, opts Options, req Request) (*Description, *passage, error) {
	r, release, err := decompress(raw)
	if err != nil {
		return nil, nil, err
	}
	defer release()
	p := &passage{members: newMembers(), kept: map[string][]byte{}, visits: map[string]error{}, visit: req.Visit}
	if err := p.readTar(ctx, tar.NewReader(r)); err != nil {
		return nil, nil, err
	}
	if err := drain(r); err != nil {
		return nil, nil, fmt.Errorf("reading the end of the archive: %w", err)
	}
	d, err := describe(p, form, opts)
	if err != nil {
		return nil, nil, err
	}
	if err := p.checkLayers(d.Layers); err != nil {
		return nil, nil, err
	}
	return d, p, nil
}

// maxTrailer bounds what is read behind the end of the tar: its padding, at
// most a record of GNU tar, and the checksum of the compression.
const maxTrailer = 1 << 20

// drain reads what follows the tar, so that the one who writes it isn't cut
// off and a compressed archive is checked to its end.
func drain(r io.Reader) error {
	_, err := io.CopyN(io.Discard, r, maxTrailer)
	if err == io.EOF {
		return nil
	}
	return err
}

// maxKept bounds the metadata that is kept of a stream, as long as it isn't
// known which is needed.
const maxKept = 64 << 20

// passage is what is remembered of an archive as it passes.
type passage struct {
	*members
	kept   map[string][]byte
	size   int64            // of what is kept
	visits map[string]error // by key, how handing out a blob went
	visit  func(context.Context, Blob) error
}

func (p *passage) readTar(ctx context.Context, tr *tar.Reader) error {
	last := ""
	for {
		hdr, err := tr.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return memberError(last, err)
		}
		name, file, err := p.add(hdr, 0)
		if err != nil {
			return err
		}
		last = name
		if !file {
			continue
		}
		if err := p.member(ctx, name, hdr.Size, tr); err != nil {
			return err
		}
	}
}

// member takes a file as what it looks like. An error of the visitor is put by:
// the blob may be none of the image's. That one is too large ends the reading
// all the same, for going on to the next member would unpack the rest of it.
func (p *passage) member(ctx context.Context, name string, size int64, r io.Reader) error {
	head := make([]byte, min(size, tarBlock))
	if _, err := io.ReadFull(r, head); err != nil {
		return memberError(name, err)
	}
	r = io.MultiReader(bytes.NewReader(head), r)
	switch roleOf(name, head) {
	case metadata:
		return p.keep(name, size, r)
	case blob:
		err := p.visit(ctx, Blob{Key: name, Size: size, Reader: r})
		if tooLarge := (*layer.TooLargeError)(nil); errors.As(err, &tooLarge) {
			return fmt.Errorf("reading %q: %w", name, err)
		}
		p.visits[name] = err
		return ctx.Err()
	}
	return nil
}

// keep remembers a file. The largest are forgotten if all are too much: they
// are attestations and the like, and if they aren't, it is said when they are
// missed.
func (p *passage) keep(name string, size int64, r io.Reader) error {
	if size > maxMetadata {
		return nil
	}
	data, err := readMetadata(name, r, size)
	if err != nil {
		return err
	}
	p.kept[name] = data
	p.size += size
	if p.size > maxKept {
		p.forgetLargest()
	}
	return nil
}

// forgetLargest makes room for a while, so that it is seldom needed.
func (p *passage) forgetLargest() {
	names := slices.SortedFunc(maps.Keys(p.kept), func(a, b string) int {
		return cmp.Or(len(p.kept[b])-len(p.kept[a]), strings.Compare(a, b))
	})
	for _, name := range names {
		if p.size <= maxKept/4*3 {
			return
		}
		p.size -= int64(len(p.kept[name]))
		delete(p.kept, name)
	}
}

func (p *passage) readFile(name string) ([]byte, error) {
	key, size, ok := p.find(name)
	if !ok {
		return nil, noFile(name)
	}
	data, kept := p.kept[key]
	switch {
	case kept:
		return data, nil
	case size > maxMetadata:
		return nil, tooLarge(key, size)
	}
	return nil, fmt.Errorf("%q is not JSON, or there is too much of it in the archive", key)
}

// checkLayers returns the first error of a blob that turned out to be a layer.
func (p *passage) checkLayers(layers []Layer) error {
	for i, l := range layers {
		err, visited := p.visits[l.Key]
		if !visited {
			err = errors.New("neither a tar nor compressed with gzip or zstd")
		}
		if err != nil {
			return layerError(i, l.Key, err)
		}
	}
	return nil
}

// interruptible makes reading r end with ctx even while r blocks: another
// goroutine reads r, and ends when r next returns after stop.
func interruptible(ctx context.Context, r io.Reader) (_ io.Reader, stop func()) {
	pr, pw := io.Pipe()
	release := context.AfterFunc(ctx, func() { pr.CloseWithError(ctx.Err()) })
	go func() {
		// Hide r's WriteTo, which would choose its own buffer.
		_, err := io.CopyBuffer(pw, struct{ io.Reader }{r}, make([]byte, 256<<10))
		pw.CloseWithError(err)
	}()
	return pr, func() {
		release()
		pr.Close()
	}
}

var (
	_ files = (*passage)(nil)
	_ Image = (*streamImage)(nil)
	_ Image = (*storedImage)(nil)
)
