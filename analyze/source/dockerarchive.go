package source

import (
	"fmt"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// dockerImage is an image in manifest.json as docker save writes it. Jib
// writes its keys in lower case, which encoding/json takes.
type dockerImage struct {
	Config   string   // name of the file
	RepoTags []string // "alpine:3.20"
	Layers   []string // names of the files, bottom first

	// LayerSources are the descriptors of layers that aren't plain tars, by
	// diffID. Not all tools write them.
	LayerSources map[string]v1.Descriptor
}

// dockerCandidates returns the images of docker's list and of the OCI index
// beside it. An image that both have, told by its config, is taken as the index
// has it and given docker's tags.
func (h *holding) dockerCandidates(manifest []byte, indexed []*candidate) ([]*candidate, error) {
	var images []dockerImage
	if err := unmarshal("manifest.json", manifest, &images); err != nil {
		return nil, err
	}
	if len(images) > maxManifests {
		return nil, fmt.Errorf("more than %d images in manifest.json", maxManifests)
	}
	cs := indexed
	for _, img := range images {
		raw, err := h.files.readFile(img.Config)
		if err != nil {
			err = fmt.Errorf("reading the config: %w", err)
		}
		if err != nil || !addNaming(cs, sha256Of(raw), img.naming()) {
			cs = append(cs, h.dockerCandidate(img, raw, err))
		}
	}
	return cs, nil
}

// naming returns what docker's list calls the image: by its tags.
func (img dockerImage) naming() naming {
	n := naming{names: img.RepoTags}
	if len(img.RepoTags) > 0 {
		n.qualified = img.RepoTags[0]
	}
	return n
}

// addNaming names the candidates of a config. It says if there are any.
func addNaming(cs []*candidate, config v1.Hash, n naming) bool {
	found := false
	for _, c := range cs {
		if c.config == config {
			c.addNaming(n)
			found = true
		}
	}
	return found
}

// dockerCandidate is an image that only docker's list has; err is why its
// config couldn't be read.
func (h *holding) dockerCandidate(img dockerImage, rawConfig []byte, err error) *candidate {
	c := &candidate{group: strings.Join(append(img.RepoTags, img.Config), "\x00")}
	c.addNaming(img.naming())
	var config *v1.ConfigFile
	if err == nil {
		config, err = h.dockerConfig(img.Config, rawConfig)
	}
	if err != nil {
		c.describe = func() (*Description, error) { return nil, err }
		return c
	}
	c.config, c.platform = sha256Of(rawConfig), configPlatform(config)
	c.describe = func() (*Description, error) {
		layers, err := h.dockerLayers(img, config)
		if err != nil {
			return nil, err
		}
		return &Description{
			ID: c.config, Platform: c.platform, Config: config, RawConfig: rawConfig, Layers: layers,
		}, nil
	}
	return c
}

// dockerConfig parses a config. Its digest is verified where it stands under
// its digest; engines don't when it is <hex>.json, and some tools write
// other configs there.
func (h *holding) dockerConfig(name string, raw []byte) (*v1.ConfigFile, error) {
	if hex, ok := strings.CutPrefix(memberName(name), "blobs/sha256/"); ok {
		if err := verify(raw, v1.Hash{Algorithm: "sha256", Hex: hex}); err != nil {
			return nil, fmt.Errorf("reading the config: %w", err)
		}
	}
	config, err := parseConfig(raw)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", name, err)
	}
	return config, nil
}

// dockerLayers returns the layers of an image of docker's list, which says
// nothing of their digests, types and compressed sizes.
func (h *holding) dockerLayers(img dockerImage, config *v1.ConfigFile) ([]Layer, error) {
	if err := checkLayerCount(len(img.Layers), config); err != nil {
		return nil, fmt.Errorf("manifest.json: image with config %q: %w", img.Config, err)
	}
	layers := make([]Layer, len(img.Layers))
	for i, name := range img.Layers {
		diffID := config.RootFS.DiffIDs[i]
		key, _, ok := h.files.find(name)
		if !ok {
			return nil, missingLayer(i, name, img.LayerSources[diffID.String()])
		}
		layers[i] = Layer{Key: key, DiffID: diffID, Size: -1}
	}
	return layers, nil
}

// missingLayer says why a layer isn't there, as far as docker's list tells.
func missingLayer(i int, name string, source v1.Descriptor) error {
	err := errMissing
	if source.MediaType != "" && !source.MediaType.IsDistributable() {
		err = errForeign
	}
	return fmt.Errorf("layer %d (%q): %w", i, name, err)
}
