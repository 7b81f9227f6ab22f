package synth

import (
	"bytes"
	"fmt"
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// V1 returns the image as go-containerregistry has it, to be pushed to a
// registry.
func (img Image) V1() (v1.Image, error) {
	b, err := img.build(Gzip)
	if err != nil {
		return nil, err
	}
	return b.image()
}

// V1 returns the index as go-containerregistry has it, to be pushed to a
// registry.
func (x Index) V1() (v1.ImageIndex, error) {
	bs, err := x.build()
	if err != nil {
		return nil, err
	}
	idx := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, b := range bs {
		img, err := b.image()
		if err != nil {
			return nil, err
		}
		idx = mutate.AppendManifests(idx, mutate.IndexAddendum{Add: img, Descriptor: b.desc})
	}
	return idx, nil
}

func (b *built) image() (v1.Image, error) { return partial.CompressedToImage(core{b}) }

// core is what partial makes a v1.Image of. With Descriptor it keeps platform and
// annotations in an index.
type core struct{ b *built }

var _ partial.CompressedImageCore = core{}

func (c core) RawConfigFile() ([]byte, error)      { return bytes.Clone(c.b.config), nil }
func (c core) RawManifest() ([]byte, error)        { return bytes.Clone(c.b.raw), nil }
func (c core) MediaType() (types.MediaType, error) { return c.b.desc.MediaType, nil }
func (c core) Descriptor() (*v1.Descriptor, error) { return &c.b.desc, nil }
func (c core) LayerByDigest(h v1.Hash) (partial.CompressedLayer, error) {
	for _, l := range c.b.layers {
		if l.desc.Digest == h {
			return v1Layer{l}, nil
		}
	}
	return nil, fmt.Errorf("image has no layer %s", h)
}

// v1Layer is a blob as a v1.Layer.
type v1Layer struct{ b *blob }

var _ v1.Layer = v1Layer{}

func (l v1Layer) Digest() (v1.Hash, error)             { return l.b.desc.Digest, nil }
func (l v1Layer) DiffID() (v1.Hash, error)             { return l.b.diffID, nil }
func (l v1Layer) Size() (int64, error)                 { return l.b.desc.Size, nil }
func (l v1Layer) MediaType() (types.MediaType, error)  { return l.b.desc.MediaType, nil }
func (l v1Layer) Descriptor() (*v1.Descriptor, error)  { return &l.b.desc, nil }
func (l v1Layer) Compressed() (io.ReadCloser, error)   { return pipe(l.b.write), nil }
func (l v1Layer) Uncompressed() (io.ReadCloser, error) { return pipe(l.b.plain), nil }
