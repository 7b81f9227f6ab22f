package synth

import (
	"bytes"
	"io"

	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Compression is how a layer's tar is stored.
type Compression uint8

// The compressions. klauspost's are used for both, because go.mod pins what
// they write and a Go release may change what compress/gzip does.
const (
	Default Compression = iota // the image's, or where that is Default the format's usual
	None
	Gzip
	Zstd
)

// NewWriter returns a writer that compresses to w. Closing it ends the
// compressed stream and leaves w open.
func (c Compression) NewWriter(w io.Writer) io.WriteCloser {
	switch c {
	case Gzip:
		zw, _ := gzip.NewWriterLevel(w, gzip.BestSpeed) // the level is valid, so no error
		return zw
	case Zstd:
		// One goroutine, so that frames are cut at the same place every time.
		zw, _ := zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
		return zw
	}
	return nopCloser{w}
}

// Bytes returns data compressed.
func (c Compression) Bytes(data []byte) []byte {
	var b bytes.Buffer
	w := c.NewWriter(&b)
	// Writing to a Buffer doesn't fail.
	_, _ = w.Write(data)
	_ = w.Close()
	return b.Bytes()
}

// layerType returns the media type of layers stored so.
func (c Compression) layerType(docker bool) types.MediaType {
	switch {
	case c == Zstd:
		return types.OCILayerZStd // docker has no type of its own
	case c == Gzip && docker:
		return types.DockerLayer
	case c == Gzip:
		return types.OCILayer
	case docker:
		return types.DockerUncompressedLayer
	}
	return types.OCIUncompressedLayer
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }
