package source

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// defaultPlatform is what is taken of an index if nothing is asked for:
// images are linux's even where the machine is not.
func defaultPlatform() v1.Platform {
	return v1.Platform{OS: "linux", Architecture: runtime.GOARCH}
}

// variants are an architecture's variants that serve a request that names
// none, best first; the first is what "no variant" means. Others serve it too,
// after these: an image is looked at here, not run.
var variants = map[string][]string{
	"amd64": {"v1", "v2", "v3", "v4"},
	"arm64": {"v8", "v9"},
	"arm":   {"v7", "v6", "v5", "v8"},
}

// noRank is the rank of a platform that doesn't fit.
const noRank = -1

// platformRank returns how well a platform fits what is wanted, 0 best, or
// noRank. A wanted variant must be matched, save that an ARM of a later
// version runs, and so takes, what an earlier one does.
func platformRank(want, have v1.Platform) int {
	if want.OS != have.OS || want.Architecture != have.Architecture ||
		!strings.HasPrefix(have.OSVersion, want.OSVersion) {
		return noRank
	}
	order := variants[want.Architecture]
	if want.Variant == "" {
		return variantRank(order, have)
	}
	wanted, got := normalVariant(want), normalVariant(have)
	switch {
	case wanted == got:
		return 0
	case want.Architecture == "arm" && got < wanted:
		return 1 + variantRank(order, v1.Platform{Variant: got})
	}
	return noRank
}

// variantRank ranks a variant where none is asked for.
func variantRank(order []string, have v1.Platform) int {
	if have.Variant == "" {
		return 0
	}
	if i := slices.Index(order, have.Variant); i >= 0 {
		return i
	}
	return len(order) + 1
}

// normalVariant returns the variant a platform has if it doesn't say:
// linux/arm64 is linux/arm64/v8, linux/arm is linux/arm/v7.
func normalVariant(p v1.Platform) string {
	if order := variants[p.Architecture]; p.Variant == "" && len(order) > 0 {
		return order[0]
	}
	return p.Variant
}

// Annotations of an attestation's descriptor in an index (BuildKit,
// docs/attestations/attestation-storage.md).
const (
	referenceType   = "vnd.docker.reference.type"
	referenceDigest = "vnd.docker.reference.digest"
)

// isAttestation says whether an index's manifest describes another of the
// index and is no image itself.
func isAttestation(d v1.Descriptor) bool {
	return d.Annotations[referenceType] != "" ||
		d.Platform != nil && d.Platform.OS == "unknown" && d.Platform.Architecture == "unknown"
}

// isArtifactType says whether a manifest's artifact type states that it is
// something else than an image. Some tools repeat the config's type there.
func isArtifactType(t string) bool { return t != "" && !types.MediaType(t).IsConfig() }

// attestationsOf returns the attestations of an index that are about the
// given manifest, or don't say what they are about, in the index's order.
func attestationsOf(idx *v1.IndexManifest, manifest v1.Hash) []v1.Descriptor {
	var as []v1.Descriptor
	for _, d := range idx.Manifests {
		if !isAttestation(d) {
			continue
		}
		if about := d.Annotations[referenceDigest]; about == "" || about == manifest.String() {
			as = append(as, d)
		}
	}
	return as
}

// choice is a manifest of an index that could be the image.
type choice struct {
	desc v1.Descriptor
	idx  *v1.IndexManifest // the index it stands in
}

// Bounds on indexes within indexes; what is real has two levels and a dozen
// manifests.
const (
	maxIndexDepth = 4
	maxManifests  = 4096
)

// indexChoices returns the manifests of an index that could be the image,
// those of nested indexes among them; fetch gets the indexes.
func indexChoices(idx *v1.IndexManifest, fetch func(v1.Descriptor) (*v1.IndexManifest, error)) ([]choice, error) {
	var choices []choice
	seen := 0
	var walk func(*v1.IndexManifest, int) error
	walk = func(idx *v1.IndexManifest, depth int) error {
		if seen += len(idx.Manifests); seen > maxManifests {
			return fmt.Errorf("more than %d manifests in the index", maxManifests)
		}
		for _, d := range idx.Manifests {
			switch {
			case isAttestation(d), isArtifactType(d.ArtifactType):
				continue
			case !d.MediaType.IsIndex():
				choices = append(choices, choice{d, idx})
			case depth == maxIndexDepth:
				return errors.New("too many indexes within indexes")
			default:
				nested, err := fetch(d)
				if err != nil {
					return err
				}
				if err := walk(nested, depth+1); err != nil {
					return err
				}
			}
		}
		return nil
	}
	return choices, walk(idx, 1)
}

// choosePlatform returns the choice that fits best, the first of equals. If
// nothing is asked for and there is but one image, that is it, whatever its
// platform: an image that isn't in an index isn't turned away either. If none
// fits, the error lists what there is.
func choosePlatform(choices []choice, want *v1.Platform) (choice, error) {
	if len(choices) == 0 {
		return choice{}, errors.New("the index holds no image")
	}
	if len(choices) == 1 && (want == nil || choices[0].desc.Platform == nil) {
		return choices[0], nil
	}
	wanted := defaultPlatform()
	if want != nil {
		wanted = *want
	}
	fit := fitting(choices, choice.of, wanted)
	if len(fit) == 0 {
		return choice{}, noPlatform(wanted, platformNames(choices, choice.of))
	}
	return fit[0], nil
}

// of returns the platform that the choice is of, zero if the index doesn't say.
func (c choice) of() v1.Platform {
	if c.desc.Platform == nil {
		return v1.Platform{}
	}
	return *c.desc.Platform
}

// fitting returns the images that fit a platform best, in order; of says an
// image's.
func fitting[T any](images []T, of func(T) v1.Platform, want v1.Platform) []T {
	var fit []T
	best := noRank
	for _, img := range images {
		switch r := platformRank(want, of(img)); {
		case r == noRank:
		case best == noRank || r < best:
			fit, best = []T{img}, r
		case r == best:
			fit = append(fit, img)
		}
	}
	return fit
}

// platformNames names the platforms of images, each once, in order.
func platformNames[T any](images []T, of func(T) v1.Platform) []string {
	var names []string
	for _, img := range images {
		if n := platformName(of(img)); !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	return names
}

// checkPlatform returns an error if a platform is asked for and the one image
// there is has another.
func checkPlatform(want *v1.Platform, have v1.Platform) error {
	if want == nil || platformRank(*want, have) != noRank {
		return nil
	}
	return noPlatform(*want, []string{platformName(have)})
}

// noPlatform is the error for a platform that isn't there.
func noPlatform(want v1.Platform, have []string) error {
	return &HintError{
		Err:  fmt.Errorf("no image for %s; there is %s", platformName(want), strings.Join(have, ", ")),
		Hint: "choose one of them with --platform",
	}
}

// platformName returns a platform as --platform takes it. What an image says
// of itself is quoted if it is not plain.
func platformName(p v1.Platform) string {
	s := p.String()
	if s == "" {
		return "an unnamed platform"
	}
	for _, r := range s {
		if r <= ' ' || r > '~' {
			return fmt.Sprintf("%q", s)
		}
	}
	return s
}

// configPlatform returns the platform an image's config states.
func configPlatform(c *v1.ConfigFile) v1.Platform {
	return v1.Platform{
		OS: c.OS, Architecture: c.Architecture, Variant: c.Variant,
		OSVersion: c.OSVersion, OSFeatures: c.OSFeatures,
	}
}
