package source

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/layerscope/layerscope/analyze/progress"
)

// maxMetadata bounds a manifest, index or config that is read whole.
const maxMetadata = 16 << 20

// files is what the description of an image is read from: an archive's
// members or a directory's files. Names are relative, with slashes, and needn't
// be clean.
type files interface {
	// find follows links from a name to a regular file and returns that
	// file's clean name and its size.
	find(name string) (key string, size int64, ok bool)

	// readFile returns the contents of a file. The error is fs.ErrNotExist
	// if there is none; others say what is wrong with the file.
	readFile(name string) ([]byte, error)
}

// storage is where blobs can be read in any order, several at a time.
type storage interface {
	files
	open(key string) (io.ReadCloser, error)
	io.Closer
}

// storedImage is an image in a storage.
type storedImage struct {
	storage
	desc     *Description
	progress *progress.Progress
}

// openStored describes the image in s, which stays the caller's if it can't.
func openStored(s storage, form form, opts Options) (Image, error) {
	desc, err := describe(s, form, opts)
	if err != nil {
		return nil, err
	}
	return &storedImage{s, desc, opts.Progress}, nil
}

func (s *storedImage) Description() *Description { return s.desc }

// Read hands out the wanted layers, several at a time and the largest first, so
// that none is left to be read alone at the end.
func (s *storedImage) Read(ctx context.Context, req Request) (*Description, error) {
	todo := wantedLayers(s.desc.Layers, req.Want)
	sizes := make(map[string]int64, len(todo))
	var total int64
	for _, i := range todo {
		key, size, _ := s.find(s.desc.Layers[i].Key)
		sizes[key] = size
		total += size
	}
	s.progress.SetTotal(total)
	slices.SortStableFunc(todo, func(a, b int) int {
		return cmp.Compare(sizes[s.desc.Layers[b].Key], sizes[s.desc.Layers[a].Key])
	})
	err := handOut(ctx, todo, runtime.GOMAXPROCS(0), func(ctx context.Context, i int) error {
		return s.visit(ctx, i, sizes[s.desc.Layers[i].Key], req)
	})
	if err != nil {
		return nil, err
	}
	return s.desc, nil
}

// handOut visits the layers todo, the first first and some at a time, until one
// visit fails. If ctx is done its error is returned, whatever else failed for
// that.
func handOut(ctx context.Context, todo []int, atOnce int, visit func(context.Context, int) error) error {
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for _, i := range todo {
		if gctx.Err() != nil {
			break
		}
		g.Go(func() error { return visit(gctx, i) })
	}
	err := g.Wait()
	return cmp.Or(ctx.Err(), err)
}

// visit hands out layer i.
func (s *storedImage) visit(ctx context.Context, i int, size int64, req Request) error {
	key := s.desc.Layers[i].Key
	r, err := s.open(key)
	if err != nil {
		return layerError(i, key, err)
	}
	defer r.Close()
	err = req.Visit(ctx, Blob{Key: key, Size: size, Reader: &countingReader{ctx, r, s.progress}})
	if err != nil {
		return layerError(i, key, err)
	}
	return nil
}

// wantedLayers returns the numbers of the layers to hand out: of those that
// share a blob only the first.
func wantedLayers(layers []Layer, want func(Layer) bool) []int {
	var todo []int
	seen := map[string]bool{}
	for i, l := range layers {
		if seen[l.Key] || want != nil && !want(l) {
			continue
		}
		seen[l.Key] = true
		todo = append(todo, i)
	}
	return todo
}

// layerError says which layer err is about.
func layerError(i int, key string, err error) error {
	return fmt.Errorf("reading layer %d (%q): %w", i, key, err)
}

// countingReader counts what it reads as progress and stops when its context
// ends.
type countingReader struct {
	ctx      context.Context // of the one read that the reader is for
	r        io.Reader
	progress *progress.Progress
}

func (c *countingReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := c.r.Read(p)
	c.progress.AddBytes(int64(n))
	return n, err
}

// readMetadata reads a file of known size whole, if it isn't too large.
func readMetadata(name string, r io.Reader, size int64) ([]byte, error) {
	if size > maxMetadata {
		return nil, tooLarge(name, size)
	}
	data := make([]byte, size)
	if _, err := io.ReadFull(r, data); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return nil, fmt.Errorf("reading %q: %w", name, err)
	}
	return data, nil
}

func tooLarge(name string, size int64) error {
	return fmt.Errorf("%q is %d bytes, which is too large for a manifest or a config", name, size)
}

// noFile is the error for a file that isn't there.
func noFile(name string) error {
	return fmt.Errorf("%q: %w", name, fs.ErrNotExist)
}
