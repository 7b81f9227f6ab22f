// Package provenance reads what BuildKit states of how it built an image: an
// in-toto statement with a SLSA provenance, of version 0.2 or 1. The common
// call is [Parse].
//
// What is stated depends on the mode (BuildKit, docs/attestations,
// slsa-provenance.md and slsa-definitions.md): with mode=min which images the
// build used, with mode=max also its steps and the layers that they made.
package provenance

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Build is what a provenance says of a build. It is a statement, and as true as
// the one who made it.
type Build struct {
	// Images are the container images that the build used, in the
	// provenance's order, each once, without those of frontends. Which of
	// them is the base isn't said: it may be none.
	Images []Image

	// Base is what the image's last stage was built from; nil if that isn't
	// told, as with mode=min.
	Base *Base
}

// Image is a container image by its name.
type Image struct {
	Name   string  // full, such as "docker.io/library/alpine:3.20"; with no tag where there is none
	Digest v1.Hash // of the manifest or the index; zero if it isn't told
}

// Base is what the FROM of an image's last stage names, that of an earlier stage
// being followed to its own.
type Base struct {
	Image Image // zero for scratch

	// Chains are the layers of the base, bottom first, by the digests that
	// the builder had them under; those of the image are Whole. There may be
	// several ways to compress the same layers, and none if the builder
	// didn't say.
	Chains, Whole [][]v1.Hash
}

// Scratch tells whether the image was built from nothing.
func (b *Base) Scratch() bool { return b.Image == Image{} }

// Is tells whether a predicate's type is that of a provenance.
func Is(predicate string) bool { return strings.HasPrefix(predicate, typePrefix) }

const (
	typePrefix = "https://slsa.dev/provenance/"
	typeV02    = typePrefix + "v0.2"
	typeV1     = typePrefix + "v1"
)

// maxValues bounds how many values a provenance has: one of three bytes can
// take a hundred in memory. A build of 200 steps has some 100,000.
const maxValues = 1 << 20

// ErrNotBuildKit says that a provenance is somebody else's.
var ErrNotBuildKit = errors.New("not BuildKit's provenance")

// Parse reads an in-toto statement.
func Parse(statement []byte) (*Build, error) {
	p, err := parse(statement)
	if err != nil {
		return nil, err
	}
	return &Build{Images: p.images(), Base: p.base()}, nil
}

func parse(statement []byte) (*predicate, error) {
	// There is a comma before each value but the first of a list or object.
	if n := bytes.Count(statement, []byte(",")); n > maxValues {
		return nil, fmt.Errorf("the provenance has %d values, which is too many", n)
	}
	var s struct {
		PredicateType string          `json:"predicateType"`
		Predicate     json.RawMessage `json:"predicate"`
	}
	if err := json.Unmarshal(statement, &s); err != nil {
		return nil, fmt.Errorf("parsing the statement: %w", err)
	}
	p, err := parsePredicate(s.PredicateType, s.Predicate)
	if err != nil {
		return nil, err
	}
	if !strings.Contains(p.buildType, "buildkit") {
		return nil, ErrNotBuildKit
	}
	return p, nil
}

// predicate is what both versions of a provenance hold.
type predicate struct {
	buildType string
	request   request
	materials []material
	buildConfig
	metadata
}

type request struct {
	Args struct {
		Source  string `json:"source"` // the frontend's image
		Cmdline string `json:"cmdline"`
	} `json:"args"`
}

// material is something that the build used.
type material struct {
	URI    string            `json:"uri"` // a package URL
	Digest map[string]string `json:"digest"`
}

type buildConfig struct {
	Steps []step            `json:"llbDefinition"`
	IDs   map[string]string `json:"digestMapping"` // of steps, by the digests of their operations
}

type metadata struct {
	Layers map[string][][]descriptor `json:"layers"` // by a step's output, "step3:0"
	Source source                    `json:"source"`
}

type descriptor struct {
	Digest string `json:"digest"`
}

// parsePredicate reads a predicate of either version.
func parsePredicate(predicateType string, raw []byte) (*predicate, error) {
	switch predicateType {
	case typeV02:
		return parseV02(raw)
	case typeV1:
		return parseV1(raw)
	}
	return nil, fmt.Errorf("a predicate of the unknown type %q", predicateType)
}

func parseV02(raw []byte) (*predicate, error) {
	var p struct {
		BuildType  string `json:"buildType"`
		Invocation struct {
			Parameters request `json:"parameters"`
		} `json:"invocation"`
		Materials   []material  `json:"materials"`
		BuildConfig buildConfig `json:"buildConfig"`
		Metadata    struct {
			BuildKit metadata `json:"https://mobyproject.org/buildkit@v1#metadata"`
		} `json:"metadata"`
	}
	if err := json.Unmarshal(raw, &p); err != nil {
		return nil, fmt.Errorf("parsing the provenance: %w", err)
	}
	return &predicate{p.BuildType, p.Invocation.Parameters, p.Materials, p.BuildConfig, p.Metadata.BuildKit}, nil
}

func parseV1(raw []byte) (*predicate, error) {
	var p struct {
		BuildDefinition struct {
			BuildType string `json:"buildType"`
			External  struct {
				Request request `json:"request"`
			} `json:"externalParameters"`
			Materials []material `json:"resolvedDependencies"`
			Internal  struct {
				BuildConfig buildConfig `json:"buildConfig"`
			} `json:"internalParameters"`
		} `json:"buildDefinition"`
		RunDetails struct {
			Metadata struct {
				BuildKit metadata `json:"buildkit_metadata"`
			} `json:"metadata"`
		} `json:"runDetails"`
	}
	if err := json.Unmarshal(raw, &p); err != nil {
		return nil, fmt.Errorf("parsing the provenance: %w", err)
	}
	d := &p.BuildDefinition
	return &predicate{d.BuildType, d.External.Request, d.Materials, d.Internal.BuildConfig, p.RunDetails.Metadata.BuildKit}, nil
}

// images returns the images among the materials.
func (p *predicate) images() []Image {
	var images []Image
	seen := map[Image]bool{}
	frontend, _ := parseName(p.request.Args.Source)
	for _, m := range p.materials {
		img, ok := m.image()
		if !ok || seen[img] || img.Name == frontend.Name {
			continue
		}
		seen[img] = true
		images = append(images, img)
	}
	return images
}

// base finds what the last stage was built from.
func (p *predicate) base() *Base {
	g, ok := newGraph(p.Steps)
	if !ok {
		return nil
	}
	from, ok := g.root(g.result)
	switch {
	case !ok:
		return nil
	case from == nil:
		return &Base{Whole: chains(p.Layers[g.result])}
	}
	img, ok := parseSource(from.step.source())
	if !ok {
		return nil
	}
	return &Base{Image: img, Chains: chains(p.Layers[from.output]), Whole: chains(p.Layers[g.result])}
}

// chains returns the digests of chains of layers, those that are digests all
// along.
func chains(all [][]descriptor) [][]v1.Hash {
	var out [][]v1.Hash
	for _, c := range all {
		if hs, ok := hashes(c); ok {
			out = append(out, hs)
		}
	}
	return out
}

func hashes(chain []descriptor) ([]v1.Hash, bool) {
	hs := make([]v1.Hash, len(chain))
	for i, d := range chain {
		h, err := v1.NewHash(d.Digest)
		if err != nil {
			return nil, false
		}
		hs[i] = h
	}
	return hs, len(hs) > 0
}
