package analyze

import (
	"cmp"
	"context"
	"errors"
	"fmt"

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

	// Base names the image that the image was built on, "" to find out. One
	// that it wasn't built on is an error, a [*NotBaseError]. The image is
	// opened as Source says, for the platform of the other.
	Base string

	// Packages asks for [Image.Packages], which costs some time and memory.
	Packages bool
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
	reading  reading
	err      error // set before done is closed
}

// Start begins to read the image that ref names.
func Start(ctx context.Context, ref string, opts Options) *Job {
	return start(ctx, opts, func(ctx context.Context, o source.Options) (source.Image, error) {
		if ref == string(source.Stdin) && opts.Base == ref {
			return nil, errors.New("standard input can't be both the image and its base")
		}
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
	j.reading.init(opts)
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
	return cmp.Or(err, closing(img))
}

// closing closes an image.
func closing(img source.Image) error {
	if err := img.Close(); err != nil {
		return fmt.Errorf("closing the image: %w", err)
	}
	return nil
}

// Progress returns how far the job is.
func (j *Job) Progress() progress.Snapshot { return j.progress.Snapshot() }

// Latest returns what is known so far, nil before anything is. What it returns
// doesn't change; a later call may return another image that knows more.
func (j *Job) Latest() *Image { return j.reading.latest() }

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
	r := &j.reading
	base := &baseFinder{opts: opts, image: img, reading: r}
	defer base.stop()
	if d := img.Description(); d != nil {
		if err := r.describe(d); err != nil {
			return err
		}
		if err := base.begin(ctx); err != nil {
			return err
		}
	}
	j.progress.SetPhase("reading layers")
	limits := layer.Options{MaxSize: opts.MaxLayerSize}
	d, err := img.Read(ctx, source.Request{Visit: func(ctx context.Context, b source.Blob) error {
		return r.visit(ctx, b, limits)
	}})
	if err != nil {
		return err
	}
	if err := r.describe(d); err != nil {
		return err
	}
	if err := r.verify(d); err != nil {
		return fmt.Errorf("reading %q: %w", d.Reference, err)
	}
	if err := base.end(ctx); err != nil {
		return err
	}
	j.progress.SetPhase("stacking layers")
	return r.complete(ctx)
}
