package analyze

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/layerscope/layerscope/analyze/layer"
	"github.com/layerscope/layerscope/analyze/progress"
	"github.com/layerscope/layerscope/analyze/source"
)

// Options are how an image is read. The zero value is fine.
type Options struct {
	Source source.Options
	// MaxLayerSize is the most bytes an uncompressed layer may have; 0 for
	// no limit. See [layer.Options].
	MaxLayerSize int64
}

// Analyze reads the image that ref names (design §4, References) and returns
// it complete. The error of a layer names it, its number from the bottom and
// its digest.
func Analyze(ctx context.Context, ref string, opts Options) (*Image, error) {
	return Start(ctx, ref, opts).Wait()
}

// Job is an analysis under way.
type Job struct {
	progress *progress.Progress
	cancel   context.CancelFunc
	done     chan struct{}
	latest   atomic.Pointer[Image]
	err      error // set before done is closed
}

// Start begins to read the image that ref names.
func Start(ctx context.Context, ref string, opts Options) *Job {
	return start(ctx, opts, func(ctx context.Context, o source.Options) (source.Image, error) {
		return source.Open(ctx, ref, o)
	})
}

// StartImage begins to read an image that is open already, and closes it.
func StartImage(ctx context.Context, img source.Image, opts Options) *Job {
	return start(ctx, opts, func(context.Context, source.Options) (source.Image, error) { return img, nil })
}

func start(ctx context.Context, opts Options, open func(context.Context, source.Options) (source.Image, error)) *Job {
	if opts.Source.Progress == nil {
		opts.Source.Progress = new(progress.Progress)
	}
	ctx, cancel := context.WithCancel(ctx)
	j := &Job{progress: opts.Source.Progress, cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(j.done)
		defer cancel()
		j.err = j.run(ctx, opts, open)
	}()
	return j
}

// run opens the image, reads it and closes it.
func (j *Job) run(ctx context.Context, opts Options, open func(context.Context, source.Options) (source.Image, error)) error {
	j.progress.SetPhase("opening")
	img, err := open(ctx, opts.Source)
	if err != nil {
		return err
	}
	err = j.read(ctx, img, opts)
	if cerr := img.Close(); err == nil && cerr != nil {
		err = fmt.Errorf("closing the image: %w", cerr)
	}
	return err
}

// Progress returns how far the job is.
func (j *Job) Progress() progress.Snapshot { return j.progress.Snapshot() }

// Latest returns what is known so far, nil before anything is. What it returns
// doesn't change; a later call may return another image that knows more.
func (j *Job) Latest() *Image { return j.latest.Load() }

// Done is closed when the job has ended, well or not.
func (j *Job) Done() <-chan struct{} { return j.done }

// Cancel ends the job; Latest keeps what was read.
func (j *Job) Cancel() { j.cancel() }

// Wait waits for the job's end and returns the complete image or the error.
func (j *Job) Wait() (*Image, error) {
	<-j.done
	if j.err != nil {
		return nil, j.err
	}
	return j.Latest(), nil
}

// read reads the layers of an open image.
func (j *Job) read(ctx context.Context, img source.Image, opts Options) error {
	r := &reading{job: j, opts: opts, indexes: map[string]*layer.Index{}}
	if d := img.Description(); d != nil {
		r.describe(d)
	}
	j.progress.SetPhase("reading layers")
	d, err := img.Read(ctx, source.Request{Visit: r.visit})
	if err != nil {
		return err
	}
	r.describe(d)
	indexes, err := r.verified(d)
	if err != nil {
		return err
	}
	j.progress.SetPhase("stacking layers")
	done, err := r.image.complete(indexes)
	if err != nil {
		return err
	}
	j.latest.Store(done)
	return nil
}

// reading gathers the indexes of blobs as they are read.
type reading struct {
	job  *Job
	opts Options

	mu      sync.Mutex
	image   *Image // as described, without indexes; nil before that
	indexes map[string]*layer.Index
}

// describe takes in what the source says, first or at last.
func (r *reading) describe(d *source.Description) {
	m := newImage(d)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.image = m
	r.job.progress.SetLayers(len(m.Layers))
	r.publish()
}

// visit reads one blob.
func (r *reading) visit(ctx context.Context, b source.Blob) error {
	x, err := layer.Read(ctx, b.Reader, layer.Options{MaxSize: r.opts.MaxLayerSize})
	if err != nil {
		return err
	}
	r.job.progress.LayerDone()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.indexes[b.Key] = x
	if r.image != nil {
		r.publish()
	}
	return nil
}

// publish makes what is known visible. r.mu is held.
func (r *reading) publish() {
	r.job.latest.Store(r.image.with(r.found()))
}

// found returns the indexes that were read, nil for layers still to come.
func (r *reading) found() []*layer.Index {
	xs := make([]*layer.Index, len(r.image.Layers))
	for i, l := range r.image.Layers {
		xs[i] = r.lookup(l.Layer)
	}
	return xs
}

// lookup finds a layer's index by its key, or, while a source hasn't told the
// keys yet, by the layer's digest.
func (r *reading) lookup(l source.Layer) *layer.Index {
	if l.Key != "" || l.DiffID == (v1.Hash{}) {
		return r.indexes[l.Key]
	}
	for _, x := range r.indexes {
		if x.DiffID == l.DiffID {
			return x
		}
	}
	return nil
}

// verified returns every layer's index once its digests are as the image says.
func (r *reading) verified(d *source.Description) ([]*layer.Index, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	xs := r.found()
	for i, l := range d.Layers {
		if xs[i] == nil {
			return nil, fmt.Errorf("layer %d (%s) is missing from the image", i, layerName(l))
		}
		if err := xs[i].Verify(l.Digest, l.DiffID); err != nil {
			return nil, fmt.Errorf("layer %d (%s): %w", i, layerName(l), err)
		}
	}
	return slices.Clip(xs), nil
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
