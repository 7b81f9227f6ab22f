package analyze

import (
	"cmp"
	"context"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/layerscope/layerscope/analyze/source"
)

// Describe returns what is known of an image without reading a layer: of one in
// a registry, a layout or an archive what its manifest and config say, of one in
// a daemon what that tells, which lacks compressed sizes and may be Provisional.
// Layers are read only where nothing else tells what they are: from a pipe, or
// from an archive that has no config. The image is complete then.
//
// Options.Base isn't looked at, nor are packages.
func Describe(ctx context.Context, ref string, opts Options) (m *Image, err error) {
	opts.Base, opts.Packages = "", false
	opts.Source.Progress.SetPhase("opening")
	img, err := source.Open(ctx, ref, opts.Source)
	if err != nil {
		return nil, err
	}
	d := img.Description()
	if d == nil || !areNamed(d.Layers) {
		return StartImage(ctx, img, opts).Wait()
	}
	defer func() { err = cmp.Or(err, closing(img)) }()
	var r reading
	r.init(opts)
	if err := r.describe(d); err != nil {
		return nil, fmt.Errorf("opening %q: %w", ref, err)
	}
	return r.latest(), nil
}

// areNamed tells whether each layer has a digest of some kind.
func areNamed(layers []source.Layer) bool {
	for _, l := range layers {
		if l.DiffID == (v1.Hash{}) && l.Digest == (v1.Hash{}) {
			return false
		}
	}
	return true
}
