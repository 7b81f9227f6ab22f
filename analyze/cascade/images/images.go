// Package images finds out what a build's graph needs to know of the images
// that stages are from: their configuration and their digest. The common call is
// [Find].
package images

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/layerscope/layerscope/analyze/cascade"
	"github.com/layerscope/layerscope/analyze/dockerfile"
	"github.com/layerscope/layerscope/analyze/source"
)

// Options are where images are looked for. The zero value asks the daemon and
// registries.
type Options struct {
	Source source.Options // the daemon and credentials; its platform isn't used
	// Offline leaves daemon and registries alone: only layouts on the disk are
	// read.
	Offline bool
	Timeout time.Duration // for each image; 0 is [DefaultTimeout]
}

// DefaultTimeout is how long an image is looked for: long enough for a registry
// that wants a token first.
const DefaultTimeout = 8 * time.Second

// Known are the images that were looked for. It implements [cascade.Images].
type Known struct {
	images map[key]*cascade.Image // nil for those that weren't found
	failed []Missing
}

type key struct{ reference, platform string }

// Missing is an image of which nothing could be found out.
type Missing struct {
	Reference string
	Err       error
}

// Image returns what is known of an image.
func (k *Known) Image(reference, platform string) *cascade.Image {
	return k.images[key{reference, platform}]
}

// Missing returns the images that weren't found, in the order of the
// Dockerfile. Offline it returns none, as none were looked for.
func (k *Known) Missing() []Missing { return k.failed }

// rounds is how often a graph is made anew: the triggers of a base may name
// further images, whose triggers nobody runs.
const rounds = 4

// Build is a build whose images are looked for.
type Build struct {
	File    *dockerfile.File
	Options cascade.Options
}

// Find looks for the images that builds need, several at once, and returns what
// is known of them. Nothing of a layer is read. An image that can't be found is
// [Missing]; the error is that of [cascade.New], or the context's.
func Find(ctx context.Context, where Options, builds ...Build) (*Known, error) {
	k := &Known{images: map[key]*cascade.Image{}}
	for range rounds {
		var more []key
		for _, b := range builds {
			b.Options.Images = k
			g, err := cascade.New(b.File, b.Options)
			if err != nil {
				return nil, err
			}
			more = k.unknown(g, more)
		}
		if len(more) == 0 {
			break
		}
		k.find(ctx, more, where)
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	return k, nil
}

// unknown appends the graph's images that weren't looked for yet.
func (k *Known) unknown(g *cascade.Graph, more []key) []key {
	for _, n := range g.Nodes {
		if n.Kind != cascade.KindImage {
			continue
		}
		one := key{n.Context, platformOf(n)}
		if _, done := k.images[one]; !done && !slices.Contains(more, one) {
			more = append(more, one)
		}
	}
	return more
}

// platformOf returns the platform that an image is wanted for.
func platformOf(n *cascade.Node) string {
	for _, p := range n.Parts {
		if p.Name == "platform" {
			return p.Value
		}
	}
	return ""
}

// atOnce is how many images are looked for at a time.
const atOnce = 8

// find looks for images.
func (k *Known) find(ctx context.Context, wanted []key, where Options) {
	found := make([]*cascade.Image, len(wanted))
	errs := make([]error, len(wanted))
	var wg sync.WaitGroup
	slots := make(chan struct{}, atOnce)
	for i, one := range wanted {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			found[i], errs[i] = look(ctx, one, where)
		})
	}
	wg.Wait()
	for i, one := range wanted {
		k.images[one] = found[i]
		if errs[i] != nil {
			k.failed = append(k.failed, Missing{one.reference, errs[i]})
		}
	}
}

// layoutPrefix is what the graph puts before a --build-context that is an OCI
// layout.
const layoutPrefix = "oci-layout:"

// look looks for one image: in the daemon, else in its registry. Offline it
// returns nothing at all.
func look(ctx context.Context, one key, where Options) (*cascade.Image, error) {
	timeout := where.Timeout
	if timeout == 0 {
		timeout = DefaultTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	opts := where.Source
	opts.Tag, opts.Progress, opts.Stdin, opts.Pull = "", nil, nil, false // a look changes nothing
	if p, err := v1.ParsePlatform(one.platform); err == nil {
		base := source.BasePlatform(*p)
		opts.Platform = &base
	}
	if path, ok := strings.CutPrefix(one.reference, layoutPrefix); ok {
		return describe(ctx, string(source.Layout)+":"+path, opts)
	}
	if where.Offline {
		return nil, nil
	}
	if img, err := describe(ctx, string(source.Daemon)+"://"+one.reference, opts); err == nil {
		return img, nil
	}
	img, err := describe(ctx, string(source.Registry)+"://"+one.reference, opts)
	if err != nil && ctx.Err() != nil && errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
		return nil, fmt.Errorf("looking for %q: no answer within %s", one.reference, timeout)
	}
	return img, err
}

// describe opens an image for what its configuration says.
func describe(ctx context.Context, ref string, opts source.Options) (*cascade.Image, error) {
	img, err := source.Open(ctx, ref, opts)
	if err != nil {
		return nil, err
	}
	d := img.Description()
	if err := img.Close(); err != nil {
		return nil, fmt.Errorf("closing the image: %w", err)
	}
	if d == nil {
		return nil, fmt.Errorf("opening %q: it tells nothing of itself", ref)
	}
	return imageOf(d), nil
}

// imageOf takes out of a description what a build takes over.
func imageOf(d *source.Description) *cascade.Image {
	c := d.Config.Config
	i := &cascade.Image{
		Env: c.Env, WorkingDir: c.WorkingDir, User: c.User, Shell: c.Shell, OnBuild: c.OnBuild,
		Empty: len(d.Config.RootFS.DiffIDs) == 0,
	}
	switch zero := (v1.Hash{}); {
	case d.Digest != zero:
		i.Digest = d.Digest.String()
	case d.ID != zero:
		i.Digest = d.ID.String()
	}
	if d.Platform.OS != "" && d.Platform.Architecture != "" {
		i.Platform = d.Platform.String()
	}
	return i
}
