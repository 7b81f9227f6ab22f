package analyze

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/layerscope/layerscope/analyze/history"
	"github.com/layerscope/layerscope/analyze/provenance"
	"github.com/layerscope/layerscope/analyze/source"
)

// lookLimit is how long a base is looked for that an image only names: it isn't
// worth waiting long for.
const lookLimit = 10 * time.Second

// findBase looks for the base of an image in what was said of it when it was
// built, asking the best witness first. It returns nil if none knows; what can't
// be read or found is passed by.
func findBase(ctx context.Context, img source.Image, m *Image, opts source.Options) *claim {
	ctx, cancel := context.WithTimeout(ctx, lookLimit)
	defer cancel()
	var named *claim
	for _, witness := range []func() []*claim{
		func() []*claim { return provenanceClaims(ctx, img, m) },
		func() []*claim { return keyClaims(BaseAnnotations, m.Annotations) },
	} {
		claims := witness()
		if c := settle(ctx, m, claims, opts); c != nil {
			return c
		}
		if named == nil && len(claims) == 1 {
			named = claims[0]
		}
	}
	// Labels are inherited: that they name an image makes it no base.
	return cmp.Or(settle(ctx, m, labelClaims(m), opts), named)
}

// maxLookups bounds how many images a witness's base is looked for among.
const maxLookups = 8

// settle returns the one of a witness's claims that says where the base ends,
// nil if none does. Of several the largest is it: an image's own base has the
// lowest layers too.
func settle(ctx context.Context, m *Image, claims []*claim, opts source.Options) *claim {
	var best *claim
	for i, c := range claims {
		if i < maxLookups {
			c.look(ctx, m, opts)
		}
		if c.layers != untold && (best == nil || c.layers > best.layers) {
			best = c
		}
	}
	return best
}

// look looks for the image that a claim names, and completes the claim if that
// image's layers are the lowest of m, and as many as the claim says. Only for
// what came from a registry is one asked.
func (c *claim) look(ctx context.Context, m *Image, opts source.Options) {
	if c.name == "" || m.Source != string(source.Registry) {
		return
	}
	base, err := source.DescribeBase(ctx, &m.Description, c.name, c.digest, opts)
	if err != nil && c.digest != (v1.Hash{}) {
		// Buildah may name the digest of a manifest that only it has. That
		// the layers agree is what counts.
		base, err = source.DescribeBase(ctx, &m.Description, c.name, v1.Hash{}, opts)
	}
	if err != nil || len(base.Layers) == 0 || parting(base.Layers, m.sourceLayers()) != nil {
		return
	}
	if c.layers == untold || c.layers == len(base.Layers) {
		c.layers, c.records = len(base.Layers), base.Config.History
	}
}

// provenanceClaims returns what the provenances attached to an image say.
func provenanceClaims(ctx context.Context, img source.Image, m *Image) []*claim {
	// What can't be read of them says nothing.
	statements, _ := source.Statements(ctx, img, &m.Description, provenance.Is)
	var claims []*claim
	for _, s := range statements {
		if b, err := provenance.Parse(s.Raw); err == nil {
			claims = append(claims, buildClaims(b, m)...)
		}
	}
	return claims
}

// buildClaims returns what one provenance says: what the base is, or at least
// among which images it is, if it is any.
func buildClaims(b *provenance.Build, m *Image) []*claim {
	if b.Base != nil {
		return []*claim{{
			how: BaseProvenance, name: b.Base.Image.Name, digest: b.Base.Image.Digest,
			layers: chainLayers(b.Base, m), sure: true,
		}}
	}
	var claims []*claim
	for _, img := range b.Images {
		claims = append(claims, &claim{how: BaseProvenance, name: img.Name, digest: img.Digest, layers: untold})
	}
	return claims
}

// chainLayers returns how many of an image's layers are the base's that its
// provenance names. The builder's blobs needn't be those of the image, whose
// layers may have been compressed again on their way out: then they are the
// same in number and order.
func chainLayers(b *provenance.Base, m *Image) int {
	if b.Scratch() {
		return 0
	}
	var digests []v1.Hash
	for _, l := range m.Layers {
		digests = append(digests, l.Digest)
	}
	wholes := [][]v1.Hash{digests}
	for _, w := range b.Whole {
		if len(w) == len(digests) {
			wholes = append(wholes, w)
		}
	}
	for _, whole := range wholes {
		for _, c := range b.Chains {
			if len(c) <= len(whole) && slices.Equal(c, whole[:len(c)]) {
				return len(c)
			}
		}
	}
	return untold
}

// Keys of the base's name and digest (OCI image-spec, annotations.md,
// "Pre-Defined Annotation Keys").
const (
	baseNameKey   = "org.opencontainers.image.base.name"
	baseDigestKey = "org.opencontainers.image.base.digest"
)

// keyClaims returns what annotations, or labels of the same keys, say.
func keyClaims(how string, keys map[string]string) []*claim {
	digest, _ := v1.NewHash(keys[baseDigestKey]) // zero if it is none
	c := &claim{how: how, name: keys[baseNameKey], digest: digest, layers: untold, sure: true}
	if c.name == "" && digest == (v1.Hash{}) {
		return nil
	}
	return []*claim{c}
}

// labelClaims returns what an image's labels say.
func labelClaims(m *Image) []*claim {
	labels := m.Config.Config.Labels
	claims := keyClaims(BaseLabels, labels)
	if m.Builder == history.Buildpacks {
		claims = append(claims, buildpacksClaims(labels[history.LifecycleLabel], m)...)
	}
	return claims
}

// buildpacksClaims returns what the lifecycle says: which layer is the run
// image's last, and what that image is called.
func buildpacksClaims(label string, m *Image) []*claim {
	var metadata struct {
		RunImage struct {
			TopLayer  string `json:"topLayer"`
			Reference string `json:"reference"` // with a digest, or an ID
			Image     string `json:"image"`
		} `json:"runImage"`
		Stack struct {
			RunImage struct {
				Image string `json:"image"`
			} `json:"runImage"`
		} `json:"stack"`
	}
	if json.Unmarshal([]byte(label), &metadata) != nil {
		return nil
	}
	run := metadata.RunImage
	top := -1
	for k, l := range m.Layers {
		switch {
		case l.DiffID.String() != run.TopLayer:
		case top >= 0:
			return nil // one of the two
		default:
			top = k
		}
	}
	if top < 0 {
		return nil
	}
	name, digest, _ := strings.Cut(run.Reference, "@")
	c := &claim{how: BaseLabels, layers: top + 1}
	if h, err := v1.NewHash(digest); err == nil {
		c.name, c.digest = name, h
	}
	c.name = cmp.Or(run.Image, metadata.Stack.RunImage.Image, c.name)
	return []*claim{c}
}
