package source

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Annotations that name an image in an index: the OCI image-spec's
// (annotations.md, "Pre-Defined Annotation Keys"), a tag or a reference, and
// containerd's, always a full reference.
const (
	refName        = "org.opencontainers.image.ref.name"
	containerdName = "io.containerd.image.name"
)

// referrer is a manifest that is about another.
type referrer struct {
	desc    v1.Descriptor
	subject string // digest, "" if it doesn't say
}

// attestations returns the manifests that are about the given one, or don't say
// what they are about, in the index's order.
func (h *holding) attestations(digest v1.Hash) []v1.Descriptor {
	var ds []v1.Descriptor
	for _, r := range h.referrers {
		if r.subject == "" || r.subject == digest.String() {
			ds = append(ds, r.desc)
		}
	}
	return ds
}

// indexCandidates returns the images of an index and of those in it.
func (h *holding) indexCandidates(name string, data []byte) ([]*candidate, error) {
	w := newIndexWalk(h)
	var idx v1.IndexManifest
	if err := unmarshal(name, data, &idx); err != nil {
		return nil, err
	}
	if err := w.walk(&idx, naming{}, 1); err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	return w.candidates(), nil
}

// directManifest returns the image or images of a directory that skopeo wrote,
// whose manifest.json is an image's manifest or an index.
func (h *holding) directManifest(data []byte) ([]*candidate, error) {
	d := v1.Descriptor{MediaType: manifestType("", data), Digest: sha256Of(data)}
	switch {
	case d.MediaType.IsIndex():
		return h.indexCandidates("manifest.json", data)
	case d.MediaType.IsImage():
		w := newIndexWalk(h)
		err := w.image(d, naming{}, data)
		return w.candidates(), err
	}
	return nil, fmt.Errorf("manifest.json is of an unknown type %q", string(d.MediaType))
}

// indexWalk goes through an index and the indexes in it.
type indexWalk struct {
	h          *holding
	images     []*candidate
	lookalikes []*candidate // an image's config, but layers of another kind: mostly signatures
	seen       map[v1.Hash]*candidate
	indexes    map[v1.Hash]*v1.IndexManifest // parsed
	count      int
}

func newIndexWalk(h *holding) *indexWalk {
	return &indexWalk{h: h, seen: map[v1.Hash]*candidate{}, indexes: map[v1.Hash]*v1.IndexManifest{}}
}

// candidates returns the images, or for want of any what looks like some, to
// say what is wrong with it.
func (w *indexWalk) candidates() []*candidate {
	if len(w.images) == 0 {
		return w.lookalikes
	}
	return w.images
}

// naming is what an image is called: in docker's list, or in an index, which
// so calls the entries of an index in it that have no names of their own.
type naming struct {
	names     []string // "" among them is none
	qualified string
}

func (n naming) of(d v1.Descriptor) naming {
	full, ref := d.Annotations[containerdName], d.Annotations[refName]
	if full == "" && ref == "" {
		return n
	}
	return naming{names: []string{full, ref}, qualified: full}
}

func (w *indexWalk) walk(idx *v1.IndexManifest, n naming, depth int) error {
	if depth > maxIndexDepth {
		return errors.New("too many indexes within indexes")
	}
	for _, d := range idx.Manifests {
		if w.count++; w.count > maxManifests {
			return fmt.Errorf("more than %d manifests in the index", maxManifests)
		}
		if err := w.descriptor(d, n.of(d), depth); err != nil {
			return err
		}
	}
	return nil
}

// descriptor takes one entry of an index. That its blob isn't there is normal:
// one platform of several was saved.
func (w *indexWalk) descriptor(d v1.Descriptor, n naming, depth int) error {
	switch {
	case isAttestation(d):
		w.h.referrers = append(w.h.referrers, referrer{d, d.Annotations[referenceDigest]})
		return nil
	case w.indexes[d.Digest] != nil:
		return w.walk(w.indexes[d.Digest], n, depth+1)
	case w.seen[d.Digest] != nil:
		w.seen[d.Digest].addNaming(n)
		return nil
	}
	raw, err := w.h.blob(d)
	if errors.Is(err, errMissing) {
		w.h.absent = append(w.h.absent, d)
		return nil
	}
	if err != nil {
		return fmt.Errorf("manifest %s: %w", d.Digest, err)
	}
	switch mt := manifestType(d.MediaType, raw); {
	case mt.IsIndex():
		return w.nested(d, n, raw, depth)
	case mt.IsImage():
		return w.image(d, n, raw)
	default:
		w.artifact(string(mt))
		return nil
	}
}

func (w *indexWalk) nested(d v1.Descriptor, n naming, raw []byte, depth int) error {
	var idx v1.IndexManifest
	if err := unmarshal(d.Digest.String(), raw, &idx); err != nil {
		return err
	}
	w.indexes[d.Digest] = &idx
	return w.walk(&idx, n, depth+1)
}

// image takes a manifest of the type of an image's, which may well be of
// something else.
func (w *indexWalk) image(d v1.Descriptor, n naming, raw []byte) error {
	var m v1.Manifest
	if err := unmarshal(d.Digest.String(), raw, &m); err != nil {
		return err
	}
	if m.Subject != nil {
		w.h.referrers = append(w.h.referrers, referrer{d, m.Subject.Digest.String()})
	}
	if t := artifactType(d, &m); t != "" {
		w.artifact(t)
		return nil
	}
	c := &candidate{digest: d.Digest, config: m.Config.Digest, platform: w.h.platform(d, &m)}
	c.describe = func() (*Description, error) { return w.h.manifestImage(d, raw) }
	c.addNaming(n)
	c.group = strings.Join(c.names, "\x00")
	w.seen[d.Digest] = c
	if isLookalike(&m) {
		w.lookalikes = append(w.lookalikes, c)
	} else {
		w.images = append(w.images, c)
	}
	return nil
}

func (w *indexWalk) artifact(t string) {
	if !slices.Contains(w.h.artifacts, t) {
		w.h.artifacts = append(w.h.artifacts, t)
	}
}

func (c *candidate) addNaming(n naming) {
	c.addNames(n.names...)
	if c.qualified == "" {
		c.qualified = n.qualified
	}
}

// artifactType returns the type of what is stored as an image but isn't one,
// "" for an image (OCI image-spec, manifest.md, "Guidelines for Artifact
// Usage").
func artifactType(d v1.Descriptor, m *v1.Manifest) string {
	for _, t := range []string{m.ArtifactType, d.ArtifactType} {
		if isArtifactType(t) {
			return t
		}
	}
	if checkConfigType(m.Config.MediaType) != nil {
		return string(m.Config.MediaType)
	}
	return ""
}

// isLookalike says whether no layer of a manifest is a filesystem's, as in what
// cosign stores under an image's config.
func isLookalike(m *v1.Manifest) bool {
	for _, l := range m.Layers {
		if checkLayerType(l.MediaType) == nil {
			return false
		}
	}
	return len(m.Layers) > 0
}

// platform returns the platform the descriptor states, else the config's, zero
// if neither can be had: then choosing the image will say why.
func (h *holding) platform(d v1.Descriptor, m *v1.Manifest) v1.Platform {
	if d.Platform != nil && d.Platform.OS != "" && d.Platform.Architecture != "" {
		return *d.Platform
	}
	raw, err := h.blob(m.Config)
	if err != nil {
		return v1.Platform{}
	}
	c, err := parseConfig(raw)
	if err != nil {
		return v1.Platform{}
	}
	return configPlatform(c)
}
