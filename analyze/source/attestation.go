package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Statement is one statement that an attestation makes of an image.
type Statement struct {
	Predicate string // type of what is stated, a URI, as the attestation's manifest gives it
	Raw       []byte // the in-toto statement, JSON, its digest verified
}

// Bounds on what is read of attestations. BuildKit writes one manifest for an
// image with a statement for each kind, none larger than 40 MiB (BuildKit,
// docs/attestations/attestation-storage.md).
const (
	maxStatement    = 40 << 20
	maxAttestations = 16
	maxStatements   = 16
)

// statementType is the media type of an in-toto statement, and predicateType
// the annotation of its descriptor that says what it states.
const (
	statementType = types.MediaType("application/vnd.in-toto+json")
	predicateType = "in-toto.io/predicate-type"
)

// attester is an image that can read what its index leads to.
type attester interface {
	// attached reads a blob of at most so many bytes and verifies it.
	attached(ctx context.Context, d v1.Descriptor, limit int64) ([]byte, error)
}

// Statements reads those statements about an image whose predicates are wanted,
// from the attestations that its description lists. Of an archive that passes
// once they are there after [Image.Read]. What could be read is returned with
// the first error; [errors.ErrUnsupported] is that of a source that has none to
// give.
func Statements(ctx context.Context, img Image, d *Description, want func(predicate string) bool) ([]Statement, error) {
	a, ok := innermost(img).(attester)
	if !ok {
		return nil, errors.ErrUnsupported
	}
	var all []Statement
	var failed error
	for _, desc := range d.Attestations[:min(len(d.Attestations), maxAttestations)] {
		statements, err := readAttestation(ctx, a, desc, want)
		all = append(all, statements...)
		if err != nil && failed == nil {
			failed = fmt.Errorf("reading attestation %s: %w", desc.Digest, err)
		}
	}
	return all, failed
}

// wrapper is an image around another.
type wrapper interface{ unwrap() Image }

func (o *openedImage) unwrap() Image { return o.Image }
func (n *namedImage) unwrap() Image  { return n.Image }
func (s *stdinImage) unwrap() Image  { return s.Image }

// innermost returns the image that the source itself made.
func innermost(img Image) Image {
	for {
		w, ok := img.(wrapper)
		if !ok {
			return img
		}
		img = w.unwrap()
	}
}

// readAttestation reads the wanted statements of one attestation.
func readAttestation(ctx context.Context, a attester, d v1.Descriptor, want func(string) bool) ([]Statement, error) {
	raw, err := a.attached(ctx, d, maxMetadata)
	if err != nil {
		return nil, err
	}
	m, err := v1.ParseManifest(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("parsing the manifest: %w", err)
	}
	var statements []Statement
	for _, l := range m.Layers {
		predicate := l.Annotations[predicateType]
		if l.MediaType != statementType || !want(predicate) {
			continue
		}
		if len(statements) == maxStatements {
			return statements, fmt.Errorf("it has more than %d statements", maxStatements)
		}
		raw, err := a.attached(ctx, l, maxStatement)
		if err != nil {
			return statements, err
		}
		statements = append(statements, Statement{predicate, raw})
	}
	return statements, nil
}

// attached implements [attester].
func (s *storedImage) attached(_ context.Context, d v1.Descriptor, limit int64) ([]byte, error) {
	h := &holding{files: s.storage}
	key, ok := h.blobName(d.Digest)
	if !ok {
		return nil, fmt.Errorf("%s: %w", d.Digest, errMissing)
	}
	r, err := s.open(key)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return readVerified(r, d, limit)
}

// attached implements [attester].
func (r *registryImage) attached(ctx context.Context, d v1.Descriptor, limit int64) ([]byte, error) {
	if d.MediaType.IsImage() {
		raw, _, _, err := r.client.manifest(ctx, r.client.repo.Digest(d.Digest.String()))
		return raw, err
	}
	return r.client.smallBlob(ctx, d, limit)
}

// attached implements [attester]: what was kept of the archive when it passed.
func (s *streamImage) attached(_ context.Context, d v1.Descriptor, _ int64) ([]byte, error) {
	if s.passed == nil {
		return nil, errors.ErrUnsupported
	}
	return (&holding{files: s.passed}).blob(d)
}

// attached implements [attester]: what came with the image when it was read.
func (d *daemonImage) attached(ctx context.Context, desc v1.Descriptor, limit int64) ([]byte, error) {
	if d.saved == nil {
		return nil, errors.ErrUnsupported
	}
	return d.saved.attached(ctx, desc, limit)
}

// smallBlob reads a blob that isn't a layer whole, and verifies it.
func (c *registryClient) smallBlob(ctx context.Context, d v1.Descriptor, limit int64) ([]byte, error) {
	if d.Size < 0 || d.Size > limit {
		return nil, tooLarge(d.Digest.String(), d.Size)
	}
	r := c.blob(ctx, d.Digest, d.Size, nil)
	defer r.Close()
	return readVerified(r, d, limit)
}

// readVerified reads a blob whole, if it isn't too large, and verifies it.
func readVerified(r io.Reader, d v1.Descriptor, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	switch {
	case err != nil:
		return nil, err
	case int64(len(data)) > limit:
		return nil, tooLarge(d.Digest.String(), int64(len(data)))
	}
	return data, verify(data, d.Digest)
}

var (
	_ attester = (*storedImage)(nil)
	_ attester = (*registryImage)(nil)
	_ attester = (*streamImage)(nil)
	_ attester = (*daemonImage)(nil)
)
