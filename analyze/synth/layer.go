package synth

import (
	"archive/tar"
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"path"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Layer is the members of a layer's tar, in order. Parent directories are not
// added: what isn't in the picture isn't in the tar.
type Layer []Entry

// WithParents returns the layer with a [Dir] for each parent directory that has
// no entry yet, before the first entry in it, as builders write layers.
func (l Layer) WithParents() Layer {
	if l == nil {
		return nil
	}
	out := Layer{}
	have := map[string]bool{".": true, "/": true}
	for _, e := range l {
		for _, d := range missing(e.header.Name, have) {
			out = append(out, Dir(d))
		}
		have[path.Clean(e.header.Name)] = true
		out = append(out, e)
	}
	return out
}

// missing returns the parents of name that have lacks, topmost first, and adds
// them.
func missing(name string, have map[string]bool) []string {
	var dirs []string
	for d := path.Dir(path.Clean(name)); !have[d]; d = path.Dir(d) {
		have[d] = true
		dirs = append(dirs, d)
	}
	slices.Reverse(dirs)
	return dirs
}

// WriteTo writes the layer as a tar.
func (l Layer) WriteTo(w io.Writer) (int64, error) {
	c := &counter{w: w}
	tw := tar.NewWriter(c)
	for _, e := range l {
		if err := e.write(tw, c); err != nil {
			return c.n, err
		}
	}
	err := tw.Close()
	return c.n, err
}

// Open returns the layer as a blob, compressed as c says (Default is plain),
// generated while it is read. Close it to end that early.
func (l Layer) Open(c Compression) io.ReadCloser {
	return pipe(func(w io.Writer) error { return l.compress(w, io.Discard, c) })
}

// write adds the entry to tw, which writes to w.
func (e Entry) write(tw *tar.Writer, w io.Writer) error {
	switch {
	case e.many != nil:
		for e := range e.many {
			if err := e.write(tw, w); err != nil {
				return err
			}
		}
		return nil
	case e.raw != nil:
		if err := tw.Flush(); err != nil {
			return err
		}
		_, err := w.Write(e.raw)
		return err
	}
	h := e.header
	if err := tw.WriteHeader(&h); err != nil {
		return fmt.Errorf("writing entry %q: %w", h.Name, err)
	}
	if e.body == nil {
		return nil
	}
	if _, err := io.Copy(tw, e.body()); err != nil {
		return fmt.Errorf("writing the body of %q: %w", h.Name, err)
	}
	return nil
}

// compress writes the layer's blob to w, and its tar to plain.
func (l Layer) compress(w, plain io.Writer, c Compression) error {
	cw := c.NewWriter(w)
	// A tar comes in small pieces, which the compressors take badly.
	buf := bufio.NewWriterSize(io.MultiWriter(cw, plain), 64<<10)
	if _, err := l.WriteTo(buf); err != nil {
		return err
	}
	if err := buf.Flush(); err != nil {
		return err
	}
	return cw.Close()
}

// blob is one stored blob: what it is, and how to write it.
type blob struct {
	desc   v1.Descriptor
	diffID v1.Hash // of a layer
	write  func(io.Writer) error
	plain  func(io.Writer) error // a layer's tar
}

// measure generates the layer once, for its digests and sizes.
func (l Layer) measure(c Compression, docker bool) (*blob, error) {
	stored, tarSum := newDigester(), newDigester()
	if err := l.compress(stored, tarSum, c); err != nil {
		return nil, err
	}
	return &blob{
		desc:   v1.Descriptor{MediaType: c.layerType(docker), Size: stored.n, Digest: stored.digest()},
		diffID: tarSum.digest(),
		write:  func(w io.Writer) error { return l.compress(w, io.Discard, c) },
		plain:  func(w io.Writer) error { return l.compress(w, io.Discard, None) },
	}, nil
}

// bytesBlob is a blob held in memory.
func bytesBlob(b []byte, mt types.MediaType) *blob {
	write := func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	}
	d := describe(b, mt)
	return &blob{desc: d, diffID: d.Digest, write: write, plain: write}
}

// describe returns the descriptor of b.
func describe(b []byte, mt types.MediaType) v1.Descriptor {
	d := newDigester()
	d.Write(b)
	return v1.Descriptor{MediaType: mt, Size: d.n, Digest: d.digest()}
}

// counter counts what is written through it.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// digester counts and digests what is written to it.
type digester struct {
	h hash.Hash
	n int64
}

func newDigester() *digester { return &digester{h: sha256.New()} }

func (d *digester) Write(p []byte) (int, error) {
	d.n += int64(len(p))
	return d.h.Write(p)
}

func (d *digester) digest() v1.Hash {
	return v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(d.h.Sum(nil))}
}

// pipe returns what write writes, as it writes it.
func pipe(write func(io.Writer) error) io.ReadCloser {
	pr, pw := io.Pipe()
	go func() {
		buf := bufio.NewWriterSize(pw, 64<<10)
		err := write(buf)
		if err == nil {
			err = buf.Flush()
		}
		pw.CloseWithError(err)
	}()
	return pr
}

var _ io.WriterTo = Layer(nil)
