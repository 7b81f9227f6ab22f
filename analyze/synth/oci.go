package synth

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"

	"github.com/distribution/reference"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Ref is what the index.json of a layout names: an [Image] or an [Index].
type Ref interface {
	// addTo adds the blobs to an OCI layout and returns the descriptors
	// that name them, one a tag.
	addTo(ms *members) ([]v1.Descriptor, error)
}

// Index is several images under one name, as for several platforms.
type Index struct {
	Tags   []string
	Images []Image // their Tags aren't used

	// Attest adds to each image an attestation manifest with a provenance,
	// as BuildKit does: Provenance.
	Attest     bool
	Provenance Provenance
}

// OCIArchive writes the images as a tar of an OCI layout.
func OCIArchive(w io.Writer, refs ...Ref) error {
	ms, err := layOut(refs)
	if err != nil {
		return err
	}
	return ms.sorted().writeTar(w)
}

// OCILayout writes the images as an OCI layout below dir.
func OCILayout(dir string, refs ...Ref) error {
	ms, err := layOut(refs)
	if err != nil {
		return err
	}
	return ms.writeDir(dir)
}

func layOut(refs []Ref) (members, error) {
	var ms members
	idx := v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex, Manifests: []v1.Descriptor{}}
	for _, r := range refs {
		ds, err := r.addTo(&ms)
		if err != nil {
			return nil, err
		}
		idx.Manifests = append(idx.Manifests, ds...)
	}
	return ms, ms.index(idx)
}

// index adds the files of a layout that aren't blobs.
func (ms *members) index(idx v1.IndexManifest) error {
	raw, err := json.Marshal(idx)
	if err != nil {
		return fmt.Errorf("encoding index.json: %w", err)
	}
	ms.bytes("index.json", raw)
	ms.bytes("oci-layout", []byte(`{"imageLayoutVersion":"1.0.0"}`))
	return nil
}

func (img Image) addTo(ms *members) ([]v1.Descriptor, error) {
	b, err := img.build(Gzip)
	if err != nil {
		return nil, err
	}
	b.addTo(ms)
	return tagged(b.desc, img.Tags)
}

func (x Index) addTo(ms *members) ([]v1.Descriptor, error) {
	bs, err := x.build()
	if err != nil {
		return nil, err
	}
	idx := v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex}
	for _, b := range bs {
		b.addTo(ms)
		idx.Manifests = append(idx.Manifests, b.desc)
	}
	raw, err := json.Marshal(idx)
	if err != nil {
		return nil, fmt.Errorf("encoding an index: %w", err)
	}
	ms.bytesBlob(raw)
	return tagged(describe(raw, types.OCIImageIndex), x.Tags)
}

func (b *built) addTo(ms *members) {
	for _, l := range b.layers {
		ms.blob(l.desc, l.write)
	}
	ms.bytesBlob(b.config)
	ms.bytesBlob(b.raw)
}

// build works out the images and, after them, their attestations.
func (x Index) build() ([]*built, error) {
	var images, attestations []*built
	for _, img := range x.Images {
		b, err := img.build(Gzip)
		if err != nil {
			return nil, err
		}
		images = append(images, b)
		if !x.Attest {
			continue
		}
		a, err := attest(b, x.Provenance)
		if err != nil {
			return nil, err
		}
		attestations = append(attestations, a)
	}
	return append(images, attestations...), nil
}

// attest makes a manifest that describes b with a provenance (BuildKit,
// docs/attestations/attestation-storage.md).
func attest(b *built, p Provenance) (*built, error) {
	statement, predicate, err := p.statement(b)
	if err != nil {
		return nil, err
	}
	l := bytesBlob(statement, "application/vnd.in-toto+json")
	l.desc.Annotations = map[string]string{"in-toto.io/predicate-type": predicate}
	a := &built{
		config: []byte("{}"),
		file:   v1.ConfigFile{OS: "unknown", Architecture: "unknown"},
		layers: []*blob{l},
	}
	err = a.seal(v1.Manifest{
		SchemaVersion: 2,
		MediaType:     types.OCIManifestSchema1,
		Config:        describe(a.config, "application/vnd.oci.empty.v1+json"),
		Layers:        []v1.Descriptor{l.desc},
	})
	a.desc.Annotations = map[string]string{
		"vnd.docker.reference.digest": b.desc.Digest.String(),
		"vnd.docker.reference.type":   "attestation-manifest",
	}
	return a, err
}

// tagged returns d once for each tag, annotated with it as containerd and
// BuildKit do, or once as it is if there is none.
func tagged(d v1.Descriptor, tags []string) ([]v1.Descriptor, error) {
	if len(tags) == 0 {
		return []v1.Descriptor{d}, nil
	}
	var ds []v1.Descriptor
	for _, tag := range tags {
		name, err := reference.ParseNormalizedNamed(tag)
		if err != nil {
			return nil, fmt.Errorf("parsing tag %q: %w", tag, err)
		}
		t := d
		t.Annotations = map[string]string{"io.containerd.image.name": name.String()}
		maps.Copy(t.Annotations, d.Annotations)
		if nt, ok := name.(reference.NamedTagged); ok {
			t.Annotations["org.opencontainers.image.ref.name"] = nt.Tag()
		}
		ds = append(ds, t)
	}
	return ds, nil
}
