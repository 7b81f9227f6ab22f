package source

import (
	"bytes"
	"context"
	"fmt"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/layerscope/layerscope/analyze/progress"
)

// registryJobs is how many layers are fetched at a time.
const registryJobs = 4

// registryImage is an image in a registry, its manifest and config read.
type registryImage struct {
	client   *registryClient
	name     string // for errors
	desc     *Description
	urls     map[string][]string // of foreign layers, by key
	progress *progress.Progress
}

// openRegistry reads the manifest and the config of an image in a registry.
func openRegistry(ctx context.Context, imageName string, opts Options) (Image, error) {
	ref, err := registryReference(imageName, opts.Insecure)
	if err != nil {
		return nil, fmt.Errorf("parsing image name %q: %w", imageName, err)
	}
	c, err := newRegistryClient(ctx, ref.Context(), opts)
	if err != nil {
		return nil, registryError("opening", imageName, err)
	}
	img, err := c.image(ctx, ref, opts.Platform)
	if err != nil {
		c.Close()
		return nil, registryError("opening", imageName, err)
	}
	full, tag := fullName(imageName)
	img.desc.Name, img.name, img.progress = full, imageName, opts.Progress
	if tag != "" {
		img.desc.Tags = []string{tag}
	}
	return img, nil
}

// registryReference parses an image name as a registry's. A loopback host may
// be spoken to in plain HTTP, as docker does.
func registryReference(imageName string, insecure bool) (name.Reference, error) {
	ref, err := name.ParseReference(imageName)
	if err != nil {
		return nil, err
	}
	if insecure || isLoopback(ref.Context().RegistryStr()) {
		return name.ParseReference(imageName, name.Insecure)
	}
	return ref, nil
}

// image resolves a reference to the image for a platform.
func (c *registryClient) image(ctx context.Context, ref name.Reference, want *v1.Platform) (*registryImage, error) {
	raw, digest, mt, err := c.manifest(ctx, ref)
	if err != nil {
		return nil, err
	}
	var chosen choice
	if mt.IsIndex() {
		if chosen, err = c.choose(ctx, raw, want); err != nil {
			return nil, err
		}
		if raw, digest, mt, err = c.manifest(ctx, ref.Context().Digest(chosen.desc.Digest.String())); err != nil {
			return nil, err
		}
	}
	if err := checkManifestType(mt); err != nil {
		return nil, err
	}
	img, err := c.describe(ctx, raw, digest, want)
	if err != nil {
		return nil, err
	}
	if chosen.idx != nil {
		img.desc.Attestations = attestationsOf(chosen.idx, digest)
		img.desc.Annotations = mergeAnnotations(chosen.desc.Annotations, img.desc.Annotations)
	}
	return img, nil
}

// checkManifestType returns an error if a manifest is none of an image.
func checkManifestType(mt types.MediaType) error {
	switch {
	case mt.IsImage():
		return nil
	case mt.IsSchema1():
		return &HintError{
			Err:  fmt.Errorf("the image's manifest is of the retired schema 1 (%q)", string(mt)),
			Hint: "pull it with an engine that still knows schema 1 and push it again",
		}
	default:
		return fmt.Errorf("not a container image: its manifest is of type %q", string(mt))
	}
}

// choose finds the manifest for a platform in an index.
func (c *registryClient) choose(ctx context.Context, raw []byte, want *v1.Platform) (choice, error) {
	idx, err := v1.ParseIndexManifest(bytes.NewReader(raw))
	if err != nil {
		return choice{}, fmt.Errorf("parsing the index: %w", err)
	}
	choices, err := indexChoices(idx, func(d v1.Descriptor) (*v1.IndexManifest, error) {
		raw, _, _, err := c.manifest(ctx, c.repo.Digest(d.Digest.String()))
		if err != nil {
			return nil, err
		}
		return v1.ParseIndexManifest(bytes.NewReader(raw))
	})
	if err != nil {
		return choice{}, err
	}
	return choosePlatform(choices, want)
}

// describe reads the config that a manifest names.
func (c *registryClient) describe(ctx context.Context, raw []byte, digest v1.Hash, want *v1.Platform) (*registryImage, error) {
	m, err := parseManifest(raw)
	if err != nil {
		return nil, err
	}
	rawConfig, err := c.config(ctx, m.Config)
	if err != nil {
		return nil, err
	}
	config, err := parseConfig(rawConfig)
	if err != nil {
		return nil, err
	}
	if err := checkPlatform(want, configPlatform(config)); err != nil {
		return nil, err
	}
	layers, err := manifestLayers(m, config)
	if err != nil {
		return nil, fmt.Errorf("manifest %s: %w", digest, err)
	}
	urls := map[string][]string{}
	for _, l := range m.Layers {
		if len(l.URLs) > 0 {
			urls[l.Digest.String()] = l.URLs
		}
	}
	return &registryImage{client: c, urls: urls, desc: &Description{
		Source:      string(Registry),
		ID:          m.Config.Digest,
		Digest:      digest,
		Platform:    configPlatform(config),
		Config:      config,
		RawConfig:   rawConfig,
		Annotations: m.Annotations,
		Layers:      layers,
	}}, nil
}

// config reads the config blob and verifies it.
func (c *registryClient) config(ctx context.Context, d v1.Descriptor) ([]byte, error) {
	raw, err := c.smallBlob(ctx, d, maxMetadata)
	if err != nil {
		return nil, fmt.Errorf("reading config %s: %w", d.Digest, err)
	}
	return raw, nil
}

func (r *registryImage) Description() *Description { return r.desc }

// Read fetches the wanted layers, several at a time, the lowest first.
func (r *registryImage) Read(ctx context.Context, req Request) (*Description, error) {
	todo := wantedLayers(r.desc.Layers, req.Want)
	var total int64
	for _, i := range todo {
		total += r.desc.Layers[i].Size
	}
	r.progress.SetTotal(total)
	err := handOut(ctx, todo, registryJobs, func(ctx context.Context, i int) error { return r.visit(ctx, i, req) })
	if err != nil {
		return nil, registryError("reading", r.name, err)
	}
	return r.desc, nil
}

// visit hands out layer i.
func (r *registryImage) visit(ctx context.Context, i int, req Request) error {
	l := r.desc.Layers[i]
	body := r.client.blob(ctx, l.Digest, l.Size, r.urls[l.Key])
	defer body.Close()
	err := req.Visit(ctx, Blob{Key: l.Key, Size: l.Size, Reader: &countingReader{ctx, body, r.progress}})
	if err != nil {
		return layerError(i, l.Key, err)
	}
	return nil
}

// Close closes the connections that are kept for more.
func (r *registryImage) Close() error { return r.client.Close() }
