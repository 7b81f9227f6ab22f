package source

import (
	"bytes"
	"errors"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// parseManifest parses an image's manifest and checks that it is one of an
// image whose layers can be read.
func parseManifest(raw []byte) (*v1.Manifest, error) {
	m, err := v1.ParseManifest(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("parsing the manifest: %w", err)
	}
	if m.Config.Digest == (v1.Hash{}) {
		return nil, errors.New("the manifest names no config")
	}
	if t := artifactType(v1.Descriptor{}, m); t != "" {
		return nil, fmt.Errorf("not a container image but an artifact of type %q", t)
	}
	for i, l := range m.Layers {
		if err := checkLayerType(l.MediaType); err != nil {
			return nil, fmt.Errorf("layer %d (%s): %w", i, l.Digest, err)
		}
		if l.Digest == (v1.Hash{}) || l.Size < 0 {
			return nil, fmt.Errorf("layer %d: the manifest gives no digest or no size", i)
		}
	}
	return m, nil
}

// parseConfig parses an image's config.
func parseConfig(raw []byte) (*v1.ConfigFile, error) {
	c, err := decodeConfig(raw)
	if err != nil {
		return nil, fmt.Errorf("parsing the config: %w", err)
	}
	return c, nil
}

// manifestLayers returns the layers of an image as its manifest and config
// name them, keyed by the blobs' digests.
func manifestLayers(m *v1.Manifest, c *v1.ConfigFile) ([]Layer, error) {
	if err := checkLayerCount(len(m.Layers), c); err != nil {
		return nil, err
	}
	layers := make([]Layer, len(m.Layers))
	for i, l := range m.Layers {
		layers[i] = Layer{
			Key:       l.Digest.String(),
			DiffID:    c.RootFS.DiffIDs[i],
			Digest:    l.Digest,
			MediaType: l.MediaType,
			Size:      l.Size,
		}
	}
	return layers, nil
}

// checkLayerCount returns an error if a manifest has not as many layers as the
// config.
func checkLayerCount(n int, c *v1.ConfigFile) error {
	switch want := len(c.RootFS.DiffIDs); {
	case n == want:
		return nil
	case n == 1:
		return fmt.Errorf("it has 1 layer, its config %d", want)
	default:
		return fmt.Errorf("it has %d layers, its config %d", n, want)
	}
}
