package synth

import (
	"encoding/json"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Provenance is what BuildKit attests of how it built an image (BuildKit,
// docs/attestations/slsa-definitions.md). The zero value is one that says
// nothing.
type Provenance struct {
	// Version is the predicate's: "v0.2" or "v1", which "" is too.
	Version string

	// Materials are the package URLs of what the build used, such as
	// "pkg:docker/alpine@3.20?digest=sha256:…&platform=linux%2Famd64".
	Materials []string

	Frontend string // the image of the frontend, as of a # syntax= line

	// Max adds what mode=max does: a definition in which a source named
	// From is the bottom of what became the image, through a RUN, a COPY and
	// a COPY --link, and the layers of both. From "" is scratch.
	Max  bool
	From string // "docker-image://docker.io/library/alpine:3.20@sha256:…"

	// FromLayers is how many of the image's layers are From's. If it is
	// negative there are no layers in the provenance, as after a build whose
	// result stayed in the engine.
	FromLayers int

	// EditLayers changes the layers' digests, as a compression on the way
	// out does.
	EditLayers func(v1.Hash) v1.Hash
}

// obj and list are JSON being written.
type (
	obj  = map[string]any
	list = []any
)

// statement returns the in-toto statement and its predicate's type.
func (p Provenance) statement(about *built) (raw []byte, predicateType string, err error) {
	predicateType = "https://slsa.dev/provenance/" + first(p.Version, "v1")
	predicate := p.v1(about)
	if p.Version == "v0.2" {
		predicate = p.v02(about)
	}
	raw, err = json.Marshal(obj{
		"_type":         "https://in-toto.io/Statement/v0.1",
		"predicateType": predicateType,
		"subject":       list{obj{"digest": obj{"sha256": about.desc.Digest.Hex}}},
		"predicate":     predicate,
	})
	if err != nil {
		return nil, "", fmt.Errorf("encoding a provenance: %w", err)
	}
	return raw, predicateType, nil
}

func (p Provenance) v1(about *built) obj {
	definition := obj{
		"buildType":            "https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md",
		"externalParameters":   obj{"request": p.request()},
		"resolvedDependencies": p.materials(),
	}
	metadata := obj{}
	if p.Max {
		definition["internalParameters"] = obj{"buildConfig": obj{"llbDefinition": p.steps()}}
		metadata["buildkit_metadata"] = obj{"layers": p.layers(about)}
	}
	return obj{"buildDefinition": definition, "runDetails": obj{"metadata": metadata}}
}

func (p Provenance) v02(about *built) obj {
	predicate := obj{
		"buildType":  "https://mobyproject.org/buildkit@v1",
		"invocation": obj{"parameters": p.request()},
		"materials":  p.materials(),
	}
	if p.Max {
		predicate["buildConfig"] = obj{"llbDefinition": p.steps()}
		predicate["metadata"] = obj{"https://mobyproject.org/buildkit@v1#metadata": obj{"layers": p.layers(about)}}
	}
	return predicate
}

func (p Provenance) request() obj {
	if p.Frontend == "" {
		return obj{"frontend": "dockerfile.v0"}
	}
	return obj{"frontend": "gateway.v0", "args": obj{"source": p.Frontend, "cmdline": p.Frontend}}
}

func (p Provenance) materials() list {
	ms := list{}
	for _, uri := range p.Materials {
		ms = append(ms, obj{"uri": uri})
	}
	return ms
}

// steps returns the build's definition. Its JSON is protobuf's: a 0 isn't
// written.
func (p Provenance) steps() list {
	step := func(id string, op any, inputs ...string) obj {
		return obj{"id": id, "op": obj{"Op": op}, "inputs": inputs}
	}
	source := func(name string) obj { return obj{"source": obj{"identifier": name}} }
	exec := obj{"exec": obj{"mounts": list{
		obj{"dest": "/cache", "input": 1, "output": -1}, obj{"dest": "/"},
	}}}
	// Two files are made: the second action is done in what the first left.
	files := func(input int) obj {
		return obj{"file": obj{"actions": list{
			obj{"input": input, "secondaryInput": 1, "output": -1}, obj{"input": 2},
		}}}
	}
	below := step("step1", source(p.From))
	scratch := obj{"file": obj{"actions": list{obj{"input": -1, "secondaryInput": 0}}}}
	if p.From == "" {
		below = step("step1", scratch, "step0:0")
	}
	return list{
		step("step0", source("local://context")),
		below,
		step("step2", exec, "step1:0", "step0:0"),
		step("step3", files(0), "step2:0", "step0:0"),
		step("step4", scratch, "step0:0"),
		step("step5", obj{"merge": obj{"inputs": list{obj{}, obj{"input": 1}}}}, "step3:0", "step4:0"),
		step("step6", nil, "step5:0"),
	}
}

// layers returns the chains of layers that the steps made, each twice, as
// BuildKit had it before v0.13.
func (p Provenance) layers(about *built) obj {
	if p.FromLayers < 0 {
		return obj{}
	}
	whole := list{}
	for _, l := range about.layers {
		digest := l.desc.Digest
		if p.EditLayers != nil {
			digest = p.EditLayers(digest)
		}
		whole = append(whole, obj{"mediaType": l.desc.MediaType, "digest": digest, "size": l.desc.Size})
	}
	layers := obj{"step5:0": list{whole, whole}}
	if p.From != "" {
		from := whole[:p.FromLayers]
		layers["step1:0"] = list{from, from}
	}
	return layers
}
