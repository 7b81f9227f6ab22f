package layer

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// stream is a layer's uncompressed tar, read from its blob:
//
//	blob ─▶ hashReader (blob's digest) ─▶ bufio ─▶ gunzip or unzstd ─▶ hashReader (diffID) ─▶ tar
//
// A plain blob has one hashReader: its digest is its diffID. Each hashReader
// hashes on a goroutine of its own, so that hashing the tar and parsing it go
// on side by side.
type stream struct {
	ctx         context.Context
	compression string
	limit       int64

	blob    *hashReader // the bytes as stored
	blobBuf *bufio.Reader
	tar     *hashReader // the uncompressed bytes
	close   func()

	// The block of the tar that is being consumed covers tarFrom to tarTo,
	// and took the blob's bytes from blobFrom to blobTo.
	tarFrom, tarTo   int64
	blobFrom, blobTo int64
}

const (
	plainBlock = 256 << 10
	// compressedBlock is small: within a block a file's share of the
	// compressed bytes is interpolated.
	compressedBlock = 32 << 10
	// maxZstdWindow bounds what a zstd frame can make the decoder allocate.
	// zstd's own --ultra levels stay within it.
	maxZstdWindow = 128 << 20
)

func open(ctx context.Context, r io.Reader, limit int64) (*stream, error) {
	s := &stream{ctx: ctx, limit: limit, close: func() {}}
	br := bufio.NewReaderSize(ctxReader{ctx, r}, 4<<10)
	magic, err := br.Peek(4)
	if err != nil && err != io.EOF {
		return nil, fmt.Errorf("reading blob: %w", err)
	}
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		s.compression = "gzip"
		err = s.decompress(br, func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) })
	case bytes.Equal(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}), isSkippableFrame(magic):
		s.compression = "zstd"
		err = s.decompress(br, s.zstdReader)
	default:
		s.tar = newHashReader(br, plainBlock)
		s.blob, err = s.tar, nil // a blob shorter than a magic number is plain
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// isSkippableFrame reports whether a zstd stream starts with a skippable frame
// (RFC 8878 §3.1.2), as chunked layers may.
func isSkippableFrame(m []byte) bool {
	return len(m) == 4 && m[0]&0xf0 == 0x50 && m[1] == 0x2a && m[2] == 0x4d && m[3] == 0x18
}

func (s *stream) decompress(br io.Reader, open func(io.Reader) (io.Reader, error)) error {
	s.blob = newHashReader(br, plainBlock)
	s.blobBuf = bufio.NewReaderSize(s.blob, 32<<10)
	plain, err := open(s.blobBuf)
	if err != nil {
		return s.wrap(err)
	}
	s.tar = newHashReader(plain, compressedBlock)
	s.tar.onBlock = func(n int) {
		s.tarFrom, s.tarTo = s.tarTo, s.tarTo+int64(n)
		s.blobFrom, s.blobTo = s.blobTo, s.blob.pos()-int64(s.blobBuf.Buffered())
	}
	return nil
}

func (s *stream) zstdReader(r io.Reader) (io.Reader, error) {
	// Concurrency 1 decodes in step with reading: the blob's position says
	// what the bytes just read took.
	d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxZstdWindow), zstd.WithDecoderLowmem(true))
	if err != nil {
		return nil, err
	}
	s.close = d.Close
	return d, nil
}

// Read reads the uncompressed tar.
func (s *stream) Read(p []byte) (int, error) {
	n, err := s.tar.Read(p)
	if s.limit > 0 && s.tar.n > s.limit {
		return 0, &TooLargeError{Limit: s.limit}
	}
	if err != nil && err != io.EOF {
		err = s.wrap(err)
	}
	return n, err
}

// wrap names the decompressor in its errors, which don't do so themselves.
func (s *stream) wrap(err error) error {
	if err == io.EOF { // only from opening: the blob ended within its header
		err = io.ErrUnexpectedEOF
	}
	if s.compression == "" || s.ctx.Err() != nil {
		return err
	}
	if errors.Is(err, gzip.ErrHeader) && s.tar != nil && s.tar.n > 0 {
		err = errors.New("something else follows the compressed stream")
	}
	return fmt.Errorf("decompressing %s: %w", s.compression, err)
}

// drain reads what follows the tar's end, which the digests cover: the padding
// of the tar, and what a blob holds after its compressed stream.
func (s *stream) drain() error {
	if _, err := io.Copy(io.Discard, s); err != nil {
		return fmt.Errorf("reading what follows the tar's entries: %w", err)
	}
	if s.blobBuf == nil {
		return nil
	}
	if _, err := io.Copy(io.Discard, s.blobBuf); err != nil {
		return fmt.Errorf("reading to the blob's end: %w", err)
	}
	return nil
}

// blobAt returns how many of the blob's bytes the tar took up to where it is
// read, interpolated within a block of a compressed layer.
func (s *stream) blobAt() int64 {
	switch {
	case s.compression == "":
		return s.tar.pos()
	case s.tarTo == s.tarFrom:
		return 0
	}
	done := float64(s.tar.pos()-s.tarFrom) / float64(s.tarTo-s.tarFrom)
	return s.blobFrom + int64(done*float64(s.blobTo-s.blobFrom))
}

// finish fills in what the stream learned. The stream must be drained.
func (s *stream) finish(x *Index) error {
	if err := s.ctx.Err(); err != nil {
		return err
	}
	x.Compression = s.compression
	x.StoredSize, x.TarSize = s.blob.n, s.tar.n
	x.DiffID = v1.Hash{Algorithm: "sha256", Hex: s.tar.sum()}
	x.padded = v1.Hash{Algorithm: "sha256", Hex: s.tar.paddedSum(recordSize)}
	x.Digest = x.DiffID
	if s.blob != s.tar {
		x.Digest.Hex = s.blob.sum()
	}
	return nil
}

// Close ends the goroutines. It doesn't close what the stream reads from.
func (s *stream) Close() {
	if s.tar != nil {
		s.tar.stop()
	}
	if s.blob != nil {
		s.blob.stop()
	}
	s.close()
}

// ctxReader fails once its context is done.
type ctxReader struct {
	ctx context.Context
	r   io.Reader
}

func (r ctxReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := r.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) && r.ctx.Err() != nil {
		err = r.ctx.Err() // closing the connection is how some sources are cancelled
	}
	return n, err
}

// VerifyError says that a layer's bytes aren't what its image names.
type VerifyError struct {
	What      string // "digest" or "diffID"
	Got, Want v1.Hash
}

func (e *VerifyError) Error() string {
	return fmt.Sprintf("%s mismatch: the image names %v, the bytes are %v", e.What, e.Want, e.Got)
}

// recordSize is what tars are padded to: twenty blocks (POSIX.1-2017, pax).
const recordSize = 20 * blockSize

// Verify compares the digests that were computed with those that the image
// names. A zero digest isn't compared.
//
// A diffID may also be that of the tar with its end padded to a whole record.
// Early writers of zstd:chunked layers left that padding out and kept the
// diffID; it is zeros after the tar's end, and no part of the image.
func (x *Index) Verify(digest, diffID v1.Hash) error {
	if digest != (v1.Hash{}) && digest != x.Digest {
		return &VerifyError{What: "digest", Got: x.Digest, Want: digest}
	}
	if diffID != (v1.Hash{}) && diffID != x.DiffID && diffID != x.padded {
		return &VerifyError{What: "diffID", Got: x.DiffID, Want: diffID}
	}
	return nil
}
