package source

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// form is what an image's files stand in. It gives Description.Source.
type form struct {
	docker, oci string    // sources, for docker's own formats and for an OCI index
	only        Transport // what the files must be, DockerArchive or OCIArchive; "" for either
}

var (
	archiveForm = form{docker: "docker-archive", oci: "oci-archive"}
	layoutForm  = form{docker: "docker-dir", oci: "oci"}
)

// describe finds the image that is asked for among the files and describes it.
func describe(fs files, form form, opts Options) (*Description, error) {
	h := &holding{files: fs}
	candidates, err := h.candidates()
	if err == nil {
		err = h.check(form.only)
	}
	if err != nil {
		return nil, err
	}
	c, err := choose(candidates, h.absent, opts)
	if err != nil {
		return nil, err
	}
	d, err := c.describe()
	if err != nil {
		return nil, err
	}
	d.Source = form.docker
	if h.oci() || form.only == OCIArchive {
		d.Source = form.oci
	}
	d.Name, d.Tags = c.ownName(), c.names
	d.Attestations = h.attestations(d.Digest)
	return d, nil
}

// candidate is an image that could be the one that is asked for.
type candidate struct {
	names    []string    // tags, references and ref.name annotations, each once
	group    string      // images of one group differ in platform only
	platform v1.Platform // zero if unknown
	digest   v1.Hash     // of the manifest; zero if it has none
	config   v1.Hash     // digest; zero if it has none
	describe func() (*Description, error)

	qualified string // docker's or containerd's full name, "" if none
}

// addNames adds names that the candidate hasn't yet.
func (c *candidate) addNames(names ...string) {
	for _, n := range names {
		if n != "" && !slices.Contains(c.names, n) {
			c.names = append(c.names, n)
		}
	}
}

// holding is what an archive or a directory holds.
type holding struct {
	files   files
	saved   bool // there is docker's list of images: it is a docker save, or like one
	indexed bool // there is an OCI index

	referrers []referrer
	absent    []v1.Descriptor // manifests that an index names and that aren't there
	artifacts []string        // types of what an index names and is no image
}

// oci says whether there is nothing but an OCI index.
func (h *holding) oci() bool { return h.indexed && !h.saved }

// candidates returns the images there are. Newer docker saves write both
// lists; the OCI index knows more, docker's the tags.
func (h *holding) candidates() ([]*candidate, error) {
	manifest, err := h.optional("manifest.json")
	if err != nil {
		return nil, err
	}
	index, err := h.optional("index.json")
	if err != nil {
		return nil, err
	}
	h.saved = manifest != nil && !isObject(manifest)
	h.indexed = index != nil
	var cs []*candidate
	switch {
	case index != nil:
		cs, err = h.indexCandidates("index.json", index)
	case manifest == nil:
		return h.v1Candidates()
	case !h.saved:
		cs, err = h.directManifest(manifest)
	}
	if err == nil && h.saved {
		cs, err = h.dockerCandidates(manifest, cs)
	}
	if err == nil && len(cs) == 0 {
		err = h.noImage()
	}
	return cs, err
}

// check returns an error if what is held isn't what was asked for. What newer
// engines save is both.
func (h *holding) check(only Transport) error {
	switch {
	case only == DockerArchive && h.oci():
		return &HintError{errors.New("not a docker archive, but an OCI archive"), "open it as oci-archive:FILE"}
	case only == OCIArchive && !h.indexed:
		return &HintError{errors.New("not an OCI archive: it has no index.json"), "open it as docker-archive:FILE"}
	}
	return nil
}

// noImage says why there is none.
func (h *holding) noImage() error {
	switch {
	case len(h.absent) > 0:
		return fmt.Errorf("manifest %s is missing", h.absent[0].Digest)
	case len(h.artifacts) > 0:
		return fmt.Errorf("there is no container image, but artifacts of type %s", quotedList(h.artifacts))
	case h.oci():
		return errors.New("index.json lists no images")
	}
	return errors.New("manifest.json lists no images")
}

// optional reads a file that needn't be there.
func (h *holding) optional(name string) ([]byte, error) {
	data, err := h.files.readFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return data, nil
}

// Errors for blobs that aren't there.
var (
	errMissing = errors.New("its blob is missing")
	errForeign = errors.New("it is a foreign layer, to be fetched from elsewhere, and its blob is missing")
)

// blobName returns where the blob of a digest stands: as OCI layouts have it,
// or by its hex alone, as skopeo's dir: has it.
func (h *holding) blobName(d v1.Hash) (key string, ok bool) {
	for _, name := range []string{
		"blobs/" + d.Algorithm + "/" + d.Hex,
		d.Hex,
		d.Hex + ".manifest.json",
	} {
		if key, _, ok := h.files.find(name); ok {
			return key, true
		}
	}
	return "", false
}

// blob reads the JSON blob of a descriptor and verifies its digest. That the
// size differs from the descriptor's is let pass: tools get it wrong, and the
// digest says it all.
func (h *holding) blob(d v1.Descriptor) ([]byte, error) {
	name, ok := h.blobName(d.Digest)
	if !ok {
		return nil, fmt.Errorf("%s: %w", d.Digest, errMissing)
	}
	data, err := h.files.readFile(name)
	if err != nil {
		return nil, err
	}
	return data, verify(data, d.Digest)
}

func verify(data []byte, want v1.Hash) error {
	got, err := digestOf(data, want.Algorithm)
	if err != nil {
		return err
	}
	if got != want {
		return fmt.Errorf("digest mismatch: it is %s, not %s", got, want)
	}
	return nil
}

// digestOf returns the digest of data by the algorithm of another.
func digestOf(data []byte, algorithm string) (v1.Hash, error) {
	h, err := v1.Hasher(algorithm)
	if err != nil {
		return v1.Hash{}, err
	}
	h.Write(data)
	return v1.Hash{Algorithm: algorithm, Hex: hex.EncodeToString(h.Sum(nil))}, nil
}

// manifestImage describes the image of a manifest whose descriptor is d.
func (h *holding) manifestImage(d v1.Descriptor, raw []byte) (*Description, error) {
	m, err := parseManifest(raw)
	if err != nil {
		return nil, fmt.Errorf("manifest %s: %w", d.Digest, err)
	}
	rawConfig, err := h.blob(m.Config)
	if err != nil {
		return nil, fmt.Errorf("reading the config: %w", err)
	}
	config, err := parseConfig(rawConfig)
	if err != nil {
		return nil, fmt.Errorf("config %s: %w", m.Config.Digest, err)
	}
	layers, err := manifestLayers(m, config)
	if err != nil {
		return nil, fmt.Errorf("manifest %s: %w", d.Digest, err)
	}
	for i, l := range m.Layers {
		if err := h.findLayer(i, l, &layers[i]); err != nil {
			return nil, err
		}
	}
	return &Description{
		ID: m.Config.Digest, Digest: d.Digest, Platform: platformOf(config, d.Platform),
		Config: config, RawConfig: rawConfig, Annotations: mergeAnnotations(d.Annotations, m.Annotations), Layers: layers,
	}, nil
}

// mergeAnnotations returns what a manifest is annotated with by the index and
// by itself, which has the last word.
func mergeAnnotations(index, manifest map[string]string) map[string]string {
	all := map[string]string{}
	maps.Copy(all, index)
	maps.Copy(all, manifest)
	if len(all) == 0 {
		return nil
	}
	return all
}

// findLayer finds layer i's blob and completes the layer.
func (h *holding) findLayer(i int, d v1.Descriptor, l *Layer) error {
	key, ok := h.blobName(d.Digest)
	switch {
	case ok:
		l.Key = key
	case !d.MediaType.IsDistributable() || len(d.URLs) > 0:
		return fmt.Errorf("layer %d (%s): %w", i, d.Digest, errForeign)
	default:
		return fmt.Errorf("layer %d (%s): %w", i, d.Digest, errMissing)
	}
	if h.saved && isPlainTar(d.MediaType) {
		// An engine that keeps layers unpacked saves them as plain tars:
		// this is no manifest that any registry has.
		l.Digest, l.Size = v1.Hash{}, -1
	}
	return nil
}

func isPlainTar(mt types.MediaType) bool {
	switch mt {
	case types.OCIUncompressedLayer, types.OCIUncompressedRestrictedLayer, types.DockerUncompressedLayer,
		"application/vnd.docker.image.rootfs.foreign.diff.tar":
		return true
	}
	return false
}

// platformOf returns the platform the config states, else the descriptor's.
func platformOf(c *v1.ConfigFile, d *v1.Platform) v1.Platform {
	p := configPlatform(c)
	if p.OS == "" && p.Architecture == "" && d != nil {
		return *d
	}
	return p
}

// isObject says whether JSON is an object.
func isObject(data []byte) bool {
	data = bytes.TrimLeft(data, " \t\r\n")
	return len(data) > 0 && data[0] == '{'
}

// maxValues bounds how many values a manifest or a config has: one of three
// bytes can take hundreds in memory.
const maxValues = 1 << 18

// checkValues returns an error if JSON has too many values. There is a comma
// before each but the first of an array or object.
func checkValues(data []byte) error {
	if n := bytes.Count(data, []byte(",")); n > maxValues {
		return fmt.Errorf("it has %d values, which is too many for a manifest or a config", n)
	}
	return nil
}

// unmarshal parses a JSON file that stands in the archive or directory.
func unmarshal(name string, data []byte, into any) error {
	if err := checkValues(data); err != nil {
		return fmt.Errorf("parsing %q: %w", name, err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("parsing %q: %w", name, err)
	}
	return nil
}

func sha256Of(data []byte) v1.Hash {
	sum := sha256.Sum256(data)
	return v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(sum[:])}
}
