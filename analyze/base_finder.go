package analyze

import (
	"context"
	"errors"

	"github.com/layerscope/layerscope/analyze/source"
)

// baseFinder finds out where the base of the image that a job reads ends: as
// early as can be, and for certain once the image is read.
type baseFinder struct {
	opts    Options
	image   source.Image
	reading *reading

	given  *source.Description // what opts.Base names, once it is described
	search *search             // nil if there is none on its way
}

// search is a search for a base beside the reading of layers.
type search struct {
	cancel context.CancelFunc
	done   chan struct{}
	found  *claim // set before done is closed
}

// begin does what can be done before the layers are read: what the image says of
// itself is known, perhaps provisionally.
func (f *baseFinder) begin(ctx context.Context) error {
	m := f.reading.latest()
	switch {
	case f.opts.Base != "":
		if err := f.compare(ctx, m); err != nil && !errors.Is(err, errUntold) {
			return err
		}
	case !m.Provisional:
		ctx, cancel := context.WithCancel(ctx)
		s := &search{cancel: cancel, done: make(chan struct{})}
		f.search = s
		go func() {
			defer close(s.done)
			s.found = findBase(ctx, f.image, m, f.opts.Source)
		}()
	}
	return nil
}

// end does the rest, every layer being read.
func (f *baseFinder) end(ctx context.Context) error {
	m := f.reading.latest()
	switch {
	case f.opts.Base != "":
		return f.compare(ctx, m)
	case f.search == nil:
		f.reading.setBase(findBase(ctx, f.image, m, f.opts.Source))
	default:
		<-f.search.done
		f.reading.setBase(f.search.found)
	}
	return ctx.Err()
}

// stop ends a search that nobody waits for any more.
func (f *baseFinder) stop() {
	if f.search != nil {
		f.search.cancel()
		<-f.search.done
	}
}

// compare holds m to the base that was given.
func (f *baseFinder) compare(ctx context.Context, m *Image) error {
	if f.given == nil {
		d, err := describeGiven(ctx, m, f.opts)
		if err != nil {
			return err
		}
		f.given = d
	}
	c, err := compareBase(f.given, m)
	if err != nil {
		return err
	}
	f.reading.setBase(c)
	return nil
}
