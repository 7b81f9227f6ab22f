package provenance

import (
	"strings"

	"github.com/distribution/reference"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/package-url/packageurl-go"
)

// image returns the container image that a material is. BuildKit names those by
// package URLs of the types docker and, for images in a layout, oci (BuildKit,
// util/purl).
func (m material) image() (Image, bool) {
	u, err := packageurl.FromString(m.URI)
	if err != nil || u.Type != "docker" && u.Type != "oci" {
		return Image{}, false
	}
	name := u.Name
	if u.Namespace != "" {
		name = u.Namespace + "/" + name
	}
	if u.Version != "" && !strings.Contains(u.Version, "@") {
		name += versionSeparator(u.Version) + u.Version
	}
	img, ok := parseName(name)
	if !ok {
		return Image{}, false
	}
	for _, digest := range []string{"sha256:" + m.Digest["sha256"], u.Qualifiers.Map()["digest"]} {
		if h, err := v1.NewHash(digest); err == nil {
			img.Digest = h
			break
		}
	}
	return img, true
}

// versionSeparator returns what stands before a version in an image's name: it
// is a tag or a digest.
func versionSeparator(version string) string {
	if strings.Contains(version, ":") {
		return "@"
	}
	return ":"
}

// sourceSchemes are those of the sources that are images (BuildKit,
// solver/pb/attr.go and source/types).
var sourceSchemes = []string{"docker-image://", "oci-layout://"}

// parseSource returns the image that a source's identifier names.
func parseSource(identifier string) (Image, bool) {
	for _, scheme := range sourceSchemes {
		if name, ok := strings.CutPrefix(identifier, scheme); ok {
			return parseName(name)
		}
	}
	return Image{}, false
}

// parseName returns the image that a name, with or without a tag and a digest,
// is of.
func parseName(name string) (Image, bool) {
	named, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		return Image{}, false
	}
	img := Image{Name: named.Name()}
	if d, ok := named.(reference.Digested); ok {
		if img.Digest, err = v1.NewHash(d.Digest().String()); err != nil {
			return Image{}, false
		}
	}
	if t, ok := named.(reference.Tagged); ok {
		img.Name += ":" + t.Tag()
	}
	return img, true
}
