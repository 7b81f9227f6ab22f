// Package synth builds container images in code, for tests and for the demo.
// A test lays out an image as a picture of its layers and writes it in the
// format it wants to read:
//
//	img := synth.Image{
//		Tags: []string{"example/app:1.0"},
//		Steps: []synth.Step{
//			{CreatedBy: "COPY etc /etc # buildkit", Layer: synth.Layer{
//				synth.Dir("etc"),
//				synth.File("etc/passwd", "root:x:0:0::/root:/bin/sh\n"),
//				synth.File("etc/shadow", "root:*::\n", synth.Mode(0o640), synth.Owner(0, 42)),
//			}},
//			{CreatedBy: "RUN rm /etc/shadow # buildkit", Layer: synth.Layer{
//				synth.Whiteout("etc/shadow"),
//			}},
//			{CreatedBy: `CMD ["sh"]`},
//		},
//	}
//	err := synth.DockerArchive(w, img)
//
// The same image gives the same bytes, and so the same digests, on every run
// and every machine: the clock is fixed at [Epoch], and bodies that nobody
// wants to write out ([Body], [Noise]) come from a seed. Such bodies are
// generated as they are written, so an image may be larger than memory.
//
// Nothing here is validated on the way in: hostile names, histories that don't
// fit and manifests that lie are what tests need. What archive/tar refuses to
// write can still be had with [Raw].
package synth

import (
	"encoding/json"
	"fmt"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Epoch is the time of everything that isn't given another, in seconds since
// 1970: 2024-01-02T03:04:05Z.
const Epoch = 1704164645

// Image is one image. The zero value is an image of no layers for linux/amd64.
type Image struct {
	// Tags are the image's names as users write them ("app:1.0"), used by
	// archives and layouts.
	Tags []string

	Platform v1.Platform // zero: linux/amd64
	Config   v1.Config   // Env, Cmd, Labels and the like
	Steps    []Step      // bottom first

	// Compression is how the layers are stored. Default is the format's
	// usual: gzip in registries and OCI layouts, plain in docker's archives.
	Compression Compression

	// Annotations are those that an index has for the image.
	Annotations map[string]string

	// Docker gives the manifest docker's media types instead of OCI's.
	Docker bool

	// EditConfig and EditManifest, where set, change the config and the
	// manifest before they are digested: for what no builder should write.
	EditConfig   func(*v1.ConfigFile)
	EditManifest func(*v1.Manifest)
}

// Step is one history record and, if Layer isn't nil, the layer it made.
type Step struct {
	CreatedBy   string
	Comment     string
	Author      string
	Created     time.Time   // zero: a second after the step before; the first at Epoch
	Layer       Layer       // nil: the record is marked empty_layer
	Compression Compression // Default: the image's
}

// built is an image or attestation worked out: the bytes of its manifest and
// config, and layers that can be written any number of times.
type built struct {
	raw    []byte // the manifest
	desc   v1.Descriptor
	config []byte
	file   v1.ConfigFile
	layers []*blob
}

// build works the image out; its layers are generated once to be measured.
func (img Image) build(usual Compression) (*built, error) {
	b := &built{file: img.configFile()}
	for i, s := range img.Steps {
		if s.Layer == nil {
			continue
		}
		l, err := s.Layer.measure(first(s.Compression, img.Compression, usual), img.Docker)
		if err != nil {
			return nil, fmt.Errorf("building the layer of step %d: %w", i, err)
		}
		b.layers = append(b.layers, l)
		b.file.RootFS.DiffIDs = append(b.file.RootFS.DiffIDs, l.diffID)
	}
	if img.EditConfig != nil {
		img.EditConfig(&b.file)
	}
	var err error
	if b.config, err = json.Marshal(b.file); err != nil {
		return nil, fmt.Errorf("encoding the config: %w", err)
	}
	err = b.seal(img.manifest(b))
	b.desc.Annotations = img.Annotations
	return b, err
}

// seal encodes the manifest and describes it.
func (b *built) seal(m v1.Manifest) error {
	var err error
	if b.raw, err = json.Marshal(m); err != nil {
		return fmt.Errorf("encoding the manifest: %w", err)
	}
	b.desc = describe(b.raw, m.MediaType)
	b.desc.Platform = b.file.Platform()
	return nil
}

// configFile returns the config but for the diffIDs.
func (img Image) configFile() v1.ConfigFile {
	p := img.Platform
	f := v1.ConfigFile{
		OS:           first(p.OS, "linux"),
		Architecture: first(p.Architecture, "amd64"),
		Variant:      p.Variant,
		OSVersion:    p.OSVersion,
		OSFeatures:   p.OSFeatures,
		Config:       img.Config,
		RootFS:       v1.RootFS{Type: "layers", DiffIDs: []v1.Hash{}},
	}
	at := time.Unix(Epoch-1, 0).UTC()
	for _, s := range img.Steps {
		at = at.Add(time.Second)
		if !s.Created.IsZero() {
			at = s.Created
		}
		f.History = append(f.History, v1.History{
			Author:     s.Author,
			Created:    v1.Time{Time: at},
			CreatedBy:  s.CreatedBy,
			Comment:    s.Comment,
			EmptyLayer: s.Layer == nil,
		})
	}
	f.Created = v1.Time{Time: at}
	return f
}

// manifest returns the manifest of the image that b is becoming.
func (img Image) manifest(b *built) v1.Manifest {
	m := v1.Manifest{
		SchemaVersion: 2,
		MediaType:     types.OCIManifestSchema1,
		Config:        describe(b.config, types.OCIConfigJSON),
		Layers:        []v1.Descriptor{},
	}
	if img.Docker {
		m.MediaType, m.Config.MediaType = types.DockerManifestSchema2, types.DockerConfigJSON
	}
	for _, l := range b.layers {
		m.Layers = append(m.Layers, l.desc)
	}
	if img.EditManifest != nil {
		img.EditManifest(&m)
	}
	return m
}

// first returns the first of vs that isn't zero.
func first[T comparable](vs ...T) T {
	var zero T
	for _, v := range vs {
		if v != zero {
			return v
		}
	}
	return zero
}
