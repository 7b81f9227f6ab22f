package analyze

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/layerscope/layerscope/analyze/layer"
	"github.com/layerscope/layerscope/analyze/packages"
	"github.com/layerscope/layerscope/analyze/progress"
	"github.com/layerscope/layerscope/analyze/source"
	"github.com/layerscope/layerscope/analyze/tree"
)

// reading gathers what a job has read so far. Sources add to it from several
// goroutines; an image of it is made only when someone looks.
type reading struct {
	progress *progress.Progress
	packages *packages.Reader // nil if nobody asks for packages

	mu       sync.Mutex
	image    *Image // as described, without indexes; nil before that
	base     *claim // nil if nobody says where it ends
	byKey    map[string]*layer.Index
	byDiffID map[v1.Hash]*layer.Index
	said     map[*layer.Index]*packages.Layer // what the layers say of packages
	seen     *Image                           // what latest returned, nil if it is outdated
}

func (r *reading) init(opts Options) {
	r.progress = opts.Source.Progress
	if opts.Packages {
		r.packages, r.said = packages.NewReader(), map[*layer.Index]*packages.Layer{}
	}
	r.byKey, r.byDiffID = map[string]*layer.Index{}, map[v1.Hash]*layer.Index{}
}

// describe takes in what the source says, first or at last.
func (r *reading) describe(d *source.Description) error {
	if n := len(d.Layers); n > tree.MaxLayers {
		return fmt.Errorf("the image has %d layers, more than %d", n, tree.MaxLayers)
	}
	if !fitsSum(d.Layers) {
		return errors.New("the compressed sizes of the layers add up to more than fits 63 bits")
	}
	r.progress.SetLayers(len(d.Layers))
	r.mu.Lock()
	defer r.mu.Unlock()
	r.image, r.seen = newImage(d, r.base), nil
	return nil
}

// fitsSum tells whether the sizes of layers can be added up: nothing vouches for
// what a manifest says of them.
func fitsSum(layers []source.Layer) bool {
	var sum int64
	for _, l := range layers {
		if size := max(l.Size, 0); size > math.MaxInt64-sum {
			return false
		} else {
			sum += size
		}
	}
	return true
}

// setBase takes in what is found of the image's base; nil for nothing.
func (r *reading) setBase(c *claim) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.base = c
	r.image, r.seen = newImage(&r.image.Description, c), nil
}

// visit reads one blob.
func (r *reading) visit(ctx context.Context, b source.Blob, opts layer.Options) error {
	x, said, err := r.readLayer(ctx, b, opts)
	if err != nil {
		return err
	}
	r.progress.LayerDone()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.byKey[b.Key], r.byDiffID[x.DiffID] = x, x
	if said != nil {
		r.said[x] = said
	}
	r.seen = nil
	return nil
}

// readLayer reads a layer and, if that is wanted, what it says of packages.
func (r *reading) readLayer(ctx context.Context, b source.Blob, opts layer.Options) (*layer.Index, *packages.Layer, error) {
	if r.packages != nil {
		return r.packages.Read(ctx, b.Reader, opts)
	}
	x, err := layer.Read(ctx, b.Reader, opts)
	return x, nil, err
}

// latest returns what is known by now, nil if nothing is.
func (r *reading) latest() *Image {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.seen == nil && r.image != nil {
		r.seen = r.image.with(r.indexes())
	}
	return r.seen
}

// indexes returns the layers' indexes, nil for layers still to come. r.mu is
// held.
func (r *reading) indexes() []*layer.Index {
	xs := make([]*layer.Index, len(r.image.Layers))
	for i, l := range r.image.Layers {
		if l.Key == "" { // not told yet
			xs[i] = r.byDiffID[l.DiffID]
		} else {
			xs[i] = r.byKey[l.Key]
		}
	}
	return xs
}

// verify holds every layer that was read to the digests that the image names.
func (r *reading) verify(d *source.Description) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, x := range r.indexes() {
		if err := verifyLayer(i, d.Layers[i], x); err != nil {
			return err
		}
	}
	return nil
}

// verifyLayer holds what was read of layer i, nil if nothing was, to the digests
// that the image names.
func verifyLayer(i int, l source.Layer, x *layer.Index) error {
	if x == nil {
		return fmt.Errorf("layer %d (%s) is missing from the image", i, layerName(l))
	}
	if err := x.Verify(l.Digest, l.DiffID); err != nil {
		return fmt.Errorf("layer %d (%s): %w", i, layerName(l), err)
	}
	return nil
}

// complete stacks the layers, all of which were read.
func (r *reading) complete(ctx context.Context) error {
	r.mu.Lock()
	m, xs := r.image, r.indexes()
	r.mu.Unlock()
	done, err := m.complete(ctx, xs)
	if err != nil {
		return err
	}
	if r.packages != nil {
		said := make([]*packages.Layer, len(xs))
		for i, x := range xs {
			said[i] = r.said[x]
		}
		if done.Packages, err = packages.Find(ctx, done.Tree, said); err != nil {
			return err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen = done
	return nil
}

// layerName returns the digest that people know a layer by.
func layerName(l source.Layer) string {
	switch zero := (v1.Hash{}); {
	case l.Digest != zero:
		return l.Digest.String()
	case l.DiffID != zero:
		return l.DiffID.String()
	}
	return l.Key
}
