// Package source opens container images where they are: a Docker daemon, a
// registry, an archive, an OCI layout. [Open] turns a reference into an
// [Image]; every kind of image gives the same [Description] and hands out its
// layer blobs as streams. Nothing is copied to disk and no blob is held in
// memory.
package source

import (
	"context"
	"errors"
	"io"
	"net/http"

	"github.com/google/go-containerregistry/pkg/authn"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/layerscope/layerscope/analyze/progress"
)

// Image is one image, opened but not yet read.
type Image interface {
	// Description returns what is known of the image before its layers are
	// read. It is nil where nothing is (an archive on a pipe), and may be
	// Provisional (a daemon, which tells less than the image it then sends).
	Description() *Description

	// Read hands the image's blobs to req.Visit and returns the final
	// description. It is called once. Layers come in whatever order, and as
	// many at a time, as suits the source. An error from Visit for a blob
	// that is a layer of the image ends the reading and is returned,
	// wrapped; for a blob that turns out not to be one it is dropped, unless
	// it is a *layer.TooLargeError.
	Read(ctx context.Context, req Request) (*Description, error)

	// Close releases what Open took.
	Close() error
}

// Request says what [Image.Read] is to hand out.
type Request struct {
	// Want says whether a layer is to be read; nil wants every layer. A
	// stream, which learns what is a layer only at its end, doesn't ask.
	Want func(Layer) bool

	// Visit reads one blob. It is called at most once for each Key, from
	// several goroutines at a time, and need not read to the end.
	Visit func(ctx context.Context, b Blob) error
}

// Blob is one stored blob on its way past: a layer as the source holds it,
// compressed or not. In a stream it may also be something else that looks like
// a layer.
type Blob struct {
	Key    string // the name [Layer.Key] refers to
	Size   int64  // bytes as stored, -1 if unknown
	Reader io.Reader
}

// Description is what a source tells of an image apart from its layers'
// contents.
type Description struct {
	Reference string // as the user gave it
	Source    string // transport: "docker", "registry", "docker-archive", "oci-archive", "oci", "docker-dir"
	Name      string // the image's own full name where it has one ("docker.io/library/alpine:3.20"), else ""
	Tags      []string

	ID     v1.Hash // digest of the config; zero if unknown
	Digest v1.Hash // digest of the manifest; zero where the source has none

	Platform    v1.Platform
	Config      *v1.ConfigFile // never nil
	RawConfig   []byte         // the config's bytes; nil if Provisional or made up from a v1 archive
	Annotations map[string]string
	Layers      []Layer // bottom first

	// Attestations are the manifests of an index that describe the image
	// and aren't one (provenance, SBOM), in the index's order.
	Attestations []v1.Descriptor

	// Provisional is set while only part is known, as before a daemon has
	// sent the image: the config may lack history, Layers may lack keys.
	Provisional bool
}

// Layer is one layer as the image's manifest and config name it.
type Layer struct {
	// Key names the layer's blob: the Blob with the same Key holds it. Two
	// layers of an image may share a key.
	Key string

	DiffID v1.Hash // from the config; zero if it has none for this layer

	// Digest is the digest of the blob as the manifest names it; zero where
	// there is no manifest (a plain docker-archive).
	Digest    v1.Hash
	MediaType types.MediaType // "" if unknown

	// Size is the layer's size in bytes as it is stored in, and fetched
	// from, a registry: the manifest's. -1 if unknown, as in an archive of
	// plain tars, which says nothing of a compressed size.
	Size int64
}

// Options are how images are opened. The zero value is fine.
type Options struct {
	Platform *v1.Platform // nil: linux on this machine's architecture
	Tag      string       // which image of an archive with several; "" if it has one
	Insecure bool         // registry: plain HTTP and untrusted certificates are fine
	Pull     bool         // a bare or docker:// name not in the daemon is pulled by the daemon

	Host    string // daemon address, as docker's --host; "" for docker's own order
	Context string // docker context, as docker's --context; "" for docker's own order

	Stdin     io.Reader // what "-" reads; nil: "-" is an error
	UserAgent string

	// Progress is told of bytes as they arrive; may be nil.
	Progress *progress.Progress

	Keychain  authn.Keychain    // nil: docker's credential file and helpers
	Transport http.RoundTripper // registry; nil: the default one
}

// isCancelled says whether err is that nobody waits any longer: nothing's fault.
func isCancelled(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// HintError is an error that comes with advice: what the user could do.
type HintError struct {
	Err  error
	Hint string // one line, no capital, no full stop
}

func (e *HintError) Error() string { return e.Err.Error() }
func (e *HintError) Unwrap() error { return e.Err }

// Advice returns the hint. Packages with hints of their own give their error
// types the same method.
func (e *HintError) Advice() string { return e.Hint }
