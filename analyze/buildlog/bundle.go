package buildlog

import (
	"archive/tar"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/layerscope/layerscope/analyze/dockerfile"
	"github.com/layerscope/layerscope/analyze/provenance"
)

// The media types in a .dockerbuild, an OCI layout whose images are build
// records (buildx, util/desktop/bundle; BuildKit, solver/llbsolver/history.go).
const (
	typeRecord    = "application/vnd.buildkit.historyrecord.v0"
	typeStatus    = "application/vnd.buildkit.status.v0"
	typeStatement = "application/vnd.in-toto+json"
	typeIndex     = "application/vnd.oci.image.index.v1+json"
	typeManifest  = "application/vnd.oci.image.manifest.v1+json"

	predicateType = "in-toto.io/predicate-type" // annotation
)

// What of a .dockerbuild is held in memory: they have some 100 kB.
const (
	maxBlob      = 64 << 20
	maxBlobs     = 128 << 20
	maxFiles     = 1 << 14
	maxRecords   = 1 << 8
	maxNesting   = 4
	layoutIndex  = "index.json"
	layoutBlobs  = "blobs/"
	digestPrefix = "sha256:"
)

// bundle is the files of a .dockerbuild.
type bundle struct {
	files     map[string][]byte
	truncated bool
	rec       record
	builds    []*graph
	seen      map[v1.Hash]bool
}

// readBundle reads a .dockerbuild.
func readBundle(r io.Reader) (*Log, error) {
	b := &bundle{files: map[string][]byte{}, seen: map[v1.Hash]bool{}}
	if err := b.load(tar.NewReader(r)); err != nil {
		return nil, err
	}
	index, ok := b.files[layoutIndex]
	switch {
	case !ok && b.truncated:
		return nil, fmt.Errorf("the archive is cut short before its %s", layoutIndex)
	case !ok:
		return nil, NotLogError{}
	}
	if err := b.index(index, 0); err != nil {
		return nil, err
	}
	if len(b.seen) == 0 {
		return nil, NotLogError{}
	}
	log := b.finish()
	log.Truncated = log.Truncated || b.truncated
	return log, nil
}

// load keeps the files of the archive, but those that are too large to be what
// is wanted of it.
func (b *bundle) load(t *tar.Reader) error {
	total := 0
	for range maxFiles {
		h, err := t.Next()
		if err == io.EOF {
			return nil
		}
		if errors.Is(err, io.ErrUnexpectedEOF) {
			b.truncated = true
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading the archive: %w", err)
		}
		name := path.Clean(strings.TrimPrefix(h.Name, "./"))
		if h.Typeflag != tar.TypeReg || h.Size > maxBlob || name != layoutIndex && !strings.HasPrefix(name, layoutBlobs) {
			continue
		}
		if total += int(h.Size); total > maxBlobs {
			return fmt.Errorf("the archive has more than %d bytes", maxBlobs)
		}
		var file bytes.Buffer
		_, err = io.Copy(&file, t)
		b.files[name] = file.Bytes()
		if errors.Is(err, io.ErrUnexpectedEOF) {
			b.truncated = true
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading the archive: %s: %w", name, err)
		}
	}
	return fmt.Errorf("the archive has more than %d files", maxFiles)
}

// blob returns what a descriptor is of. What isn't there, or isn't all there, is
// no error if the archive is cut short.
func (b *bundle) blob(d v1.Descriptor) (blob []byte, whole bool, err error) {
	blob, ok := b.files[layoutBlobs+d.Digest.Algorithm+"/"+d.Digest.Hex]
	sum := sha256.Sum256(blob)
	switch whole := ok && digestPrefix+hex.EncodeToString(sum[:]) == d.Digest.String(); {
	case whole || b.truncated:
		return blob, whole, nil
	case !ok:
		return nil, false, fmt.Errorf("the archive lacks %s", d.Digest)
	default:
		return nil, false, fmt.Errorf("%s has other content", d.Digest)
	}
}

// index reads an index, and what it lists.
func (b *bundle) index(text []byte, depth int) error {
	index, err := v1.ParseIndexManifest(bytes.NewReader(text))
	if err != nil {
		return fmt.Errorf("reading the index: %w", err)
	}
	for _, d := range index.Manifests {
		if d.MediaType != typeIndex && d.MediaType != typeManifest || b.seen[d.Digest] {
			continue
		}
		blob, whole, err := b.blob(d)
		switch {
		case err != nil:
			return err
		case !whole:
			continue
		case d.MediaType == typeManifest:
			err = b.manifest(d.Digest, blob)
		case depth < maxNesting:
			err = b.index(blob, depth+1)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// manifest reads the record of a build, if a manifest is of one.
func (b *bundle) manifest(digest v1.Hash, text []byte) error {
	m, err := v1.ParseManifest(bytes.NewReader(text))
	if err != nil {
		return fmt.Errorf("reading the manifest %s: %w", digest, err)
	}
	if m.Config.MediaType != typeRecord {
		return nil
	}
	if len(b.seen) == maxRecords {
		return fmt.Errorf("the archive has more than %d builds", maxRecords)
	}
	b.seen[digest] = true
	g := &graph{}
	b.builds = append(b.builds, g)
	for _, d := range m.Layers {
		if d.MediaType != typeStatus && d.MediaType != typeStatement {
			continue
		}
		blob, whole, err := b.blob(d)
		switch {
		case err != nil:
			return err
		case d.MediaType == typeStatus:
			var all bool
			all, err = g.status(&b.rec, blob)
			b.truncated = b.truncated || !all
		case whole && provenance.Is(d.Annotations[predicateType]):
			b.rec.log.Provenance = append(b.rec.log.Provenance, statement(d.Annotations[predicateType], blob))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// statement returns the in-toto statement of a provenance. Records have the
// predicate alone, and its type beside it.
func statement(predicate string, blob []byte) []byte {
	var s struct {
		Predicate json.RawMessage `json:"predicate"`
	}
	if json.Unmarshal(blob, &s) == nil && s.Predicate != nil || !json.Valid(blob) {
		return blob
	}
	kind, err := json.Marshal(predicate)
	if err != nil {
		return blob // never: it is a string
	}
	return slices.Concat([]byte(`{"predicateType":`), kind, []byte(`,"predicate":`), blob, []byte("}"))
}

// finish adds the builds to what is known, in the order of their times.
func (b *bundle) finish() *Log {
	slices.SortStableFunc(b.builds, func(x, y *graph) int { return cmp.Compare(x.began(), y.began()) })
	for _, g := range b.builds {
		g.flush(&b.rec)
	}
	log := &b.rec.log
	log.Format, log.Resolution = DockerBuild, 1
	lines := map[string]dockerfile.Range{}
	for _, text := range log.Provenance {
		steps, err := provenance.ParseSteps(text)
		if err != nil {
			continue // the times are told without it
		}
		for _, s := range steps.All {
			for _, d := range s.Digests {
				if len(s.Lines) == 1 {
					lines[d] = s.Lines[0]
				}
			}
		}
	}
	for i := range log.Steps {
		log.Steps[i].Lines = lines[log.Steps[i].Digest]
	}
	return log
}
