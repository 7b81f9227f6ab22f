package synth

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/distribution/reference"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// DockerArchive writes the images as docker save did up to version 24: a
// directory for each layer with VERSION, json and layer.tar, a symlink for a
// layer.tar that is there already, and manifest.json near the end. Layers are
// plain unless the image says otherwise.
func DockerArchive(w io.Writer, imgs ...Image) error {
	a := archive{tars: map[v1.Hash]string{}}
	err := a.each(imgs, func(b *built, d *tarball.Descriptor) (top string, err error) {
		d.Config = b.configHex() + ".json"
		a.bytes(d.Config, b.config)
		for _, p := range b.v1Parents() {
			if err := a.v1Layer(p); err != nil {
				return "", err
			}
			d.Layers = append(d.Layers, p.ID+"/layer.tar")
			top = p.ID
		}
		return top, nil
	})
	if err != nil {
		return err
	}
	return a.sorted().writeTar(w)
}

// DockerArchiveOCI writes the images as docker save does from version 25 on:
// an OCI layout with a manifest.json beside its index.json. Layers are plain,
// as the engine's own store has them, unless the image says otherwise, as with
// the containerd store.
func DockerArchiveOCI(w io.Writer, imgs ...Image) error {
	var a archive
	idx := v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex, Manifests: []v1.Descriptor{}}
	err := a.each(imgs, func(b *built, d *tarball.Descriptor) (top string, err error) {
		b.addTo(&a.members)
		d.Config = a.bytesBlob(b.config)
		d.LayerSources = map[v1.Hash]v1.Descriptor{}
		for i, p := range b.v1Parents() {
			l := b.layers[i]
			d.Layers = append(d.Layers, a.blob(l.desc, l.write))
			d.LayerSources[l.diffID] = l.desc
			// A v1 config for each layer lies among the blobs. Nothing
			// names it.
			raw, err := p.encode()
			if err != nil {
				return "", err
			}
			a.bytesBlob(raw)
			top = l.diffID.Hex
		}
		ds, err := tagged(b.desc, d.RepoTags)
		idx.Manifests = append(idx.Manifests, ds...)
		return top, err
	})
	if err != nil {
		return err
	}
	if err := a.index(idx); err != nil {
		return err
	}
	return a.sorted().writeTar(w)
}

// PodmanArchive writes the images as podman save does: layers named for their
// digest, then the config; manifest.json last.
func PodmanArchive(w io.Writer, imgs ...Image) error {
	var a archive
	err := a.each(imgs, func(b *built, d *tarball.Descriptor) (top string, err error) {
		for _, l := range b.layers {
			name := l.diffID.Hex + ".tar"
			a.file(name, l.desc.Size, l.write)
			d.Layers = append(d.Layers, name)
			top = l.diffID.Hex
		}
		d.Config = b.configHex() + ".json"
		a.bytes(d.Config, b.config)
		return top, nil
	})
	if err != nil {
		return err
	}
	return a.writeTar(w)
}

// archive is a docker-archive on its way to be written.
type archive struct {
	members
	tars map[v1.Hash]string // where the layer.tar of a diffID is
}

// each builds the images, has add put each into the archive and fill in its
// descriptor, and adds manifest.json and repositories. The top that add returns
// is what repositories name.
func (a *archive) each(imgs []Image, add func(*built, *tarball.Descriptor) (top string, err error)) error {
	var manifest tarball.Manifest
	repositories := map[string]map[string]string{}
	for i, img := range imgs {
		b, err := img.build(None)
		if err != nil {
			return fmt.Errorf("building image %d: %w", i, err)
		}
		d := tarball.Descriptor{RepoTags: img.Tags}
		top, err := add(b, &d)
		if err != nil {
			return fmt.Errorf("saving image %d: %w", i, err)
		}
		manifest = append(manifest, d)
		if err := noteTags(repositories, img.Tags, top); err != nil {
			return err
		}
	}
	if err := a.json("manifest.json", manifest); err != nil {
		return err
	}
	if len(repositories) == 0 {
		return nil
	}
	return a.json("repositories", repositories)
}

// noteTags files top under the tags.
func noteTags(repositories map[string]map[string]string, tags []string, top string) error {
	for _, tag := range tags {
		ref, err := reference.ParseNormalizedNamed(tag)
		if err != nil {
			return fmt.Errorf("parsing tag %q: %w", tag, err)
		}
		t, ok := ref.(reference.NamedTagged)
		if !ok {
			continue
		}
		name := reference.FamiliarName(ref)
		if repositories[name] == nil {
			repositories[name] = map[string]string{}
		}
		repositories[name][t.Tag()] = top
	}
	return nil
}

func (a *archive) json(name string, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encoding %s: %w", name, err)
	}
	a.bytes(name, append(raw, '\n'))
	return nil
}

// v1Parent is a layer as an image of its own with a parent, which is how docker
// had images before 1.10.
type v1Parent struct {
	ID           string     `json:"id"`
	Parent       string     `json:"parent,omitempty"`
	Created      v1.Time    `json:"created"`
	Config       *v1.Config `json:"config,omitempty"` // the top one has the image's
	Architecture string     `json:"architecture,omitempty"`
	OS           string     `json:"os"`

	layer *blob
}

// v1Parents returns the layers as v1 images, bottom first. Docker makes an id
// of the v1 config, the chain ID and the parent; here the last two do.
func (b *built) v1Parents() []v1Parent {
	var ps []v1Parent
	parent := ""
	for _, l := range b.layers {
		sum := sha256.Sum256([]byte(parent + l.diffID.String()))
		id := hex.EncodeToString(sum[:])
		ps = append(ps, v1Parent{ID: id, Parent: parent, Created: v1.Time{Time: time.Unix(0, 0).UTC()}, OS: b.file.OS, layer: l})
		parent = id
	}
	if n := len(ps); n > 0 {
		ps[n-1].Created = b.file.Created
		ps[n-1].Config = &b.file.Config
		ps[n-1].Architecture = b.file.Architecture
	}
	return ps
}

// encode returns the v1 config.
func (p v1Parent) encode() ([]byte, error) {
	raw, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("encoding a v1 config: %w", err)
	}
	return raw, nil
}

// v1Layer adds the directory of a layer.
func (a *archive) v1Layer(p v1Parent) error {
	raw, err := p.encode()
	if err != nil {
		return err
	}
	a.bytes(p.ID+"/VERSION", []byte("1.0"))
	a.bytes(p.ID+"/json", raw)
	name := p.ID + "/layer.tar"
	if first, ok := a.tars[p.layer.diffID]; ok {
		a.add(member{name: name, link: "../" + first})
		return nil
	}
	a.tars[p.layer.diffID] = name
	a.file(name, p.layer.desc.Size, p.layer.write)
	return nil
}

func (b *built) configHex() string { return describe(b.config, "").Digest.Hex }
