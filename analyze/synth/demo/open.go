package demo

import (
	"bytes"
	"context"
	_ "embed" // for the config and manifest
	"fmt"
	"runtime"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"

	"github.com/layerscope/layerscope/analyze/source"
	"github.com/layerscope/layerscope/analyze/synth"
)

// The config and the manifest are kept, so that the layers' digests and sizes
// are known before the layers are generated. A test regenerates them.
var (
	//go:embed config.json
	config []byte
	//go:embed manifest.json
	manifest []byte
)

// Open returns the demo image as a source: its description is complete at
// once, its layers are gzip blobs generated as they are read.
func Open() (source.Image, error) {
	c, err := v1.ParseConfigFile(bytes.NewReader(config))
	if err != nil {
		return nil, fmt.Errorf("parsing the demo's config: %w", err)
	}
	m, err := v1.ParseManifest(bytes.NewReader(manifest))
	if err != nil {
		return nil, fmt.Errorf("parsing the demo's manifest: %w", err)
	}
	digest, _, err := v1.SHA256(bytes.NewReader(manifest))
	if err != nil {
		return nil, fmt.Errorf("digesting the demo's manifest: %w", err)
	}
	d := &source.Description{
		Reference: "demo",
		Source:    "demo",
		Name:      tag,
		Tags:      []string{tag},
		ID:        m.Config.Digest,
		Digest:    digest,
		Platform:  *c.Platform(),
		Config:    c,
		RawConfig: config,
	}
	for i, l := range m.Layers {
		d.Layers = append(d.Layers, source.Layer{
			Key:       l.Digest.String(),
			DiffID:    c.RootFS.DiffIDs[i],
			Digest:    l.Digest,
			MediaType: l.MediaType,
			Size:      l.Size,
		})
	}
	return &opened{d}, nil
}

// opened is the demo image as a source. No two of its layers are equal, so
// their keys differ.
type opened struct{ description *source.Description }

func (o *opened) Description() *source.Description { return o.description }

func (o *opened) Close() error { return nil }

// Read generates as many layers at a time as there are processors.
func (o *opened) Read(ctx context.Context, req source.Request) (*source.Description, error) {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, l := range layers() {
		d := o.description.Layers[i]
		if req.Want != nil && !req.Want(d) {
			continue
		}
		g.Go(func() error { return visit(ctx, l, d, req) })
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return o.description, nil
}

// visit generates one layer for req.Visit.
func visit(ctx context.Context, l synth.Layer, d source.Layer, req source.Request) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	blob := l.Open(synth.Gzip)
	defer blob.Close()
	read := func(p []byte) (int, error) {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		return blob.Read(p)
	}
	b := source.Blob{Key: d.Key, Size: d.Size, Reader: readFunc(read)}
	if err := req.Visit(ctx, b); err != nil {
		return fmt.Errorf("reading layer %s: %w", d.Digest, err)
	}
	return nil
}

// layers returns the image's layers, bottom first.
func layers() []synth.Layer {
	var ls []synth.Layer
	for _, s := range Image().Steps {
		if s.Layer != nil {
			ls = append(ls, s.Layer)
		}
	}
	return ls
}

// readFunc is an io.Reader.
type readFunc func(p []byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }
