package analyze

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/layerscope/layerscope/analyze/layer"
	"github.com/layerscope/layerscope/analyze/source"
)

// NotBaseError says that an image isn't the base of another: its layers aren't
// the lowest of it.
type NotBaseError struct {
	Base, Image             string // their references
	BaseLayers, ImageLayers int    // how many they have

	// At is the first layer in which they differ, from 0, and OfBase and
	// OfImage are its digests. It is ImageLayers if the image ends there.
	At              int
	OfBase, OfImage v1.Hash
}

func (e *NotBaseError) Error() string {
	if e.At == e.ImageLayers {
		return fmt.Sprintf("%q isn't the base of %q: the base has %s, the image only %d",
			e.Base, e.Image, countLayers(e.BaseLayers), e.ImageLayers)
	}
	return fmt.Sprintf("%q isn't the base of %q: layer %d of the base is %s, of the image %s (the base has %s, the image %d)",
		e.Base, e.Image, e.At, e.OfBase, e.OfImage, countLayers(e.BaseLayers), e.ImageLayers)
}

func countLayers(n int) string {
	if n == 1 {
		return "1 layer"
	}
	return fmt.Sprintf("%d layers", n)
}

// Advice says what the user could do.
func (e *NotBaseError) Advice() string {
	return "name the image that it was built from: tags move on, digests don't"
}

// fork is where the layers of two images part.
type fork struct {
	at        int
	base, own v1.Hash
	unknown   bool // whether they do can't be told: they have no digests of one kind
}

// parting returns where an image's layers part from those of what may be its
// base, nil if they don't before the base's end.
func parting(base, image []source.Layer) *fork {
	for k, b := range base {
		if k == len(image) {
			return &fork{at: k}
		}
		l := image[k]
		zero := v1.Hash{}
		switch {
		case b.DiffID != zero && l.DiffID != zero:
			if b.DiffID != l.DiffID {
				return &fork{at: k, base: b.DiffID, own: l.DiffID}
			}
		case b.Digest == zero || l.Digest == zero:
			return &fork{at: k, unknown: true}
		case b.Digest != l.Digest:
			return &fork{at: k, base: b.Digest, own: l.Digest}
		}
	}
	return nil
}

// errUntold says that two images can't be compared yet.
var errUntold = errors.New("the layers have no digests to compare")

// compareBase returns the claim that d describes the base of m.
func compareBase(d *source.Description, m *Image) (*claim, error) {
	f := parting(d.Layers, m.sourceLayers())
	switch {
	case f == nil:
		return &claim{
			how: BaseGiven, name: cmp.Or(d.Name, d.Reference), digest: d.Digest,
			layers: len(d.Layers), records: d.Config.History,
		}, nil
	case f.unknown:
		return nil, fmt.Errorf("comparing %q with %q: %w", d.Reference, m.Reference, errUntold)
	}
	return nil, &NotBaseError{
		Base: d.Reference, Image: m.Reference, BaseLayers: len(d.Layers), ImageLayers: len(m.Layers),
		At: f.at, OfBase: f.base, OfImage: f.own,
	}
}

// sourceLayers returns the layers with what is known of them by now.
func (m *Image) sourceLayers() []source.Layer {
	ls := make([]source.Layer, len(m.Layers))
	for k, l := range m.Layers {
		ls[k] = l.Layer
	}
	return ls
}

// describeGiven describes the image that Options.Base names, for the platform
// of m unless another is asked for. Its layers are read only where nothing else
// tells what they are: from a pipe, or from an archive that has no config.
func describeGiven(ctx context.Context, m *Image, opts Options) (_ *source.Description, err error) {
	o := opts.Source
	o.Tag, o.Progress = "", nil
	if o.Platform == nil && m.Platform.OS != "" {
		p := source.BasePlatform(m.Platform)
		o.Platform = &p
	}
	img, err := source.Open(ctx, opts.Base, o)
	if err != nil {
		return nil, fmt.Errorf("opening the base: %w", err)
	}
	defer func() { err = errors.Join(err, img.Close()) }()
	if d := img.Description(); d != nil && hasDiffIDs(d) {
		return d, nil
	}
	d, err := readDiffIDs(ctx, img, layer.Options{MaxSize: opts.MaxLayerSize})
	if err != nil {
		return nil, fmt.Errorf("reading the base: %w", err)
	}
	return d, nil
}

func hasDiffIDs(d *source.Description) bool {
	for _, l := range d.Layers {
		if l.DiffID == (v1.Hash{}) {
			return false
		}
	}
	return true
}

// readDiffIDs reads an image for its layers' diffIDs, and verifies those that
// it states.
func readDiffIDs(ctx context.Context, img source.Image, opts layer.Options) (*source.Description, error) {
	var mu sync.Mutex
	read := map[string]*layer.Index{}
	d, err := img.Read(ctx, source.Request{Visit: func(ctx context.Context, b source.Blob) error {
		x, err := layer.Read(ctx, b.Reader, opts)
		if err == nil {
			mu.Lock()
			read[b.Key] = x
			mu.Unlock()
		}
		return err
	}})
	if err != nil {
		return nil, err
	}
	for i := range d.Layers {
		l := &d.Layers[i]
		x := read[l.Key]
		if err := verifyLayer(i, *l, x); err != nil {
			return nil, err
		}
		l.DiffID = x.DiffID
	}
	return d, nil
}
