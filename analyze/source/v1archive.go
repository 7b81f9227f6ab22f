package source

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// v1Image is <id>/json of an archive from before docker 1.10: one layer, the
// config of a container made from it, and the id of the image below
// (moby image/spec/v1.md).
type v1Image struct {
	ID              string    `json:"id"`
	Parent          string    `json:"parent"`
	Created         v1.Time   `json:"created"`
	Author          string    `json:"author"`
	Comment         string    `json:"comment"`
	Architecture    string    `json:"architecture"`
	OS              string    `json:"os"`
	Config          v1.Config `json:"config"`
	ContainerConfig struct {
		Cmd []string
	} `json:"container_config"`
}

// v1Candidates returns the images of a repositories file, which is all that
// archives from before docker 1.10 have.
func (h *holding) v1Candidates() ([]*candidate, error) {
	data, err := h.optional("repositories")
	if err != nil {
		return nil, err
	}
	if data == nil {
		return nil, notImage("it has no manifest.json, index.json or repositories")
	}
	var repositories map[string]map[string]string
	if err := unmarshal("repositories", data, &repositories); err != nil {
		return nil, err
	}
	var cs []*candidate
	byID := map[string]*candidate{}
	for _, repo := range slices.Sorted(maps.Keys(repositories)) {
		tags := repositories[repo]
		for _, tag := range slices.Sorted(maps.Keys(tags)) {
			id := tags[tag]
			c := byID[id]
			if c == nil {
				c = h.v1Candidate(id, repo+":"+tag)
				byID[id] = c
				cs = append(cs, c)
			}
			c.addNames(repo + ":" + tag)
		}
	}
	if len(cs) == 0 {
		return nil, errors.New("repositories lists no images")
	}
	return cs, nil
}

func (h *holding) v1Candidate(id, name string) *candidate {
	c := &candidate{group: id, qualified: name}
	if top, err := h.v1JSON(id); err == nil {
		c.platform = top.platform()
	}
	c.describe = func() (*Description, error) { return h.v1Description(id) }
	return c
}

// v1Description follows the parents of an image down and makes a config of
// what they say, the way docker does when it loads such an archive.
func (h *holding) v1Description(id string) (*Description, error) {
	chain, layers, err := h.v1Chain(id)
	if err != nil {
		return nil, err
	}
	top := chain[len(chain)-1]
	config := &v1.ConfigFile{
		Architecture: top.Architecture, OS: top.OS, Author: top.Author, Created: top.Created,
		Config: top.Config, RootFS: v1.RootFS{Type: "layers"},
	}
	for _, img := range chain {
		config.History = append(config.History, v1.History{
			Author: img.Author, Created: img.Created, Comment: img.Comment,
			CreatedBy: strings.Join(img.ContainerConfig.Cmd, " "),
		})
	}
	return &Description{Platform: top.platform(), Config: config, Layers: layers}, nil
}

// v1Chain returns an image and those below it, bottom first, with their
// layers.
func (h *holding) v1Chain(id string) (chain []*v1Image, layers []Layer, err error) {
	seen := map[string]bool{}
	for ; id != ""; id = chain[len(chain)-1].Parent {
		if seen[id] {
			return nil, nil, fmt.Errorf("image %q is its own ancestor", id)
		}
		seen[id] = true
		img, err := h.v1JSON(id)
		if err != nil {
			return nil, nil, err
		}
		key, _, ok := h.files.find(id + "/layer.tar")
		if !ok {
			return nil, nil, fmt.Errorf("layer %q is missing", id+"/layer.tar")
		}
		chain = append(chain, img)
		layers = append(layers, Layer{Key: key, Size: -1})
	}
	if len(chain) == 0 {
		return nil, nil, errors.New("repositories names an image without an id")
	}
	slices.Reverse(chain)
	slices.Reverse(layers)
	return chain, layers, nil
}

func (h *holding) v1JSON(id string) (*v1Image, error) {
	name := id + "/json"
	data, err := h.files.readFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("image %q is missing", id)
	}
	if err != nil {
		return nil, err
	}
	var img v1Image
	if err := unmarshal(name, data, &img); err != nil {
		return nil, err
	}
	return &img, nil
}

// platform returns the image's platform. The oldest engines wrote the kernel's
// name of the architecture and no operating system, as there was but one.
func (img *v1Image) platform() v1.Platform {
	p := v1.Platform{OS: img.OS, Architecture: img.Architecture}
	if p.OS == "" {
		p.OS = "linux"
	}
	switch p.Architecture {
	case "x86_64", "":
		p.Architecture = "amd64"
	case "aarch64":
		p.Architecture = "arm64"
	}
	return p
}
