package analyze

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/layerscope/layerscope/analyze/layer"
	"github.com/layerscope/layerscope/analyze/source"
	"github.com/layerscope/layerscope/analyze/tree"
)

// CopyFile writes the bytes of the regular file that r names to w. An analysis
// keeps no bodies, so the file's layer, and no other where the source can
// choose, is read again from img: the same image as m, opened anew, which
// CopyFile doesn't close. If what it reads isn't what was analyzed the error
// wraps [layer.ErrBody].
func CopyFile(ctx context.Context, w io.Writer, img source.Image, m *Image, r tree.Ref, opts Options) error {
	e, x := m.Tree.Entry(r)
	if e == nil || e.Type != layer.File {
		return errors.New("not a regular file")
	}
	from := m.Layers[r.Layer].Layer
	read, stop := context.WithCancel(ctx)
	defer stop()
	copied := make(chan error, 1)
	_, err := img.Read(read, source.Request{
		Want: func(l source.Layer) bool { return l.Key == from.Key },
		Visit: func(_ context.Context, b source.Blob) error {
			if b.Key != from.Key {
				return nil // a stream hands out all
			}
			err := layer.Body(read, w, b.Reader, x, int(r.Row), layer.Options{MaxSize: opts.MaxLayerSize})
			copied <- err
			stop() // what else a stream holds isn't needed
			return err
		},
	})
	select {
	case err = <-copied:
	default: // the layer didn't come
		if err == nil {
			err = layer.ErrBody
		}
	}
	if err != nil {
		return fmt.Errorf("layer %d (%s): %w", r.Layer, layerName(from), err)
	}
	return nil
}
