package provenance

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/layerscope/layerscope/analyze/synth/fixture"
)

func digest(c string) v1.Hash {
	return v1.Hash{Algorithm: "sha256", Hex: strings.Repeat(c, 64)}
}

var sums = strings.NewReplacer("SUM1", digest("1").String(), "SUM2", digest("2").String(), "SUM3", digest("3").String())

// v1Statement and v02Statement are statements in which the same things are in
// other places.
func v1Statement(materials, args, steps, layers string) string {
	return sums.Replace(fmt.Sprintf(`{"predicateType": "https://slsa.dev/provenance/v1", "predicate": {
		"buildDefinition": {
			"buildType": "https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md",
			"externalParameters": {"request": {"args": {%s}}},
			"resolvedDependencies": [%s],
			"internalParameters": {"buildConfig": {"llbDefinition": [%s]}}},
		"runDetails": {"metadata": {"buildkit_metadata": {"layers": {%s}}}}}}`, args, materials, steps, layers))
}

func v02Statement(materials, args, steps, layers string) string {
	return sums.Replace(fmt.Sprintf(`{"predicateType": "https://slsa.dev/provenance/v0.2", "predicate": {
		"buildType": "https://mobyproject.org/buildkit@v1",
		"invocation": {"parameters": {"args": {%s}}},
		"materials": [%s],
		"buildConfig": {"llbDefinition": [%s]},
		"metadata": {"https://mobyproject.org/buildkit@v1#metadata": {"layers": {%s}}}}}`, args, materials, steps, layers))
}

const (
	fromAlpine = `{"id": "step0", "op": {"Op": {"source": {"identifier": "docker-image://docker.io/library/alpine:3.20@SUM1"}}}},`
	local      = `{"id": "step1", "op": {"Op": {"source": {"identifier": "local://context"}}}},`
	end        = `{"id": "end", "inputs": ["step9:0"], "op": {"Op": null}}`
)

func TestParse(t *testing.T) {
	alpine := Image{"docker.io/library/alpine:3.20", digest("1")}
	onAlpine := &Build{Base: &Base{Image: alpine}}
	tests := []struct {
		name                           string
		materials, args, steps, layers string
		want                           *Build
	}{
		{name: "nothing", want: &Build{}},
		{
			name: "materials of every kind",
			materials: `{"uri": "pkg:docker/alpine@3.20?digest=SUM1&platform=linux%2Famd64", "digest": {"sha256": "` + digest("1").Hex + `"}},
				{"uri": "pkg:docker/alpine@3.20?platform=linux%2Famd64&digest=SUM1"},
				{"uri": "pkg:docker/ghcr.io/org/app@1?digest=SUM2"}, {"uri": "pkg:docker/localhost%3A5000/a/b/c?digest=SUM3"},
				{"uri": "pkg:oci/local/busybox@deb?platform=linux%2Famd64"}, {"uri": "pkg:docker/docker/dockerfile@1?digest=SUM3"},
				{"uri": "https://github.com/org/repo.git#main", "digest": {"sha1": "1"}}, {"uri": "pkg:docker/UPPER@x"}, {"uri": ""}`,
			args: `"source": "docker/dockerfile:1", "cmdline": "docker/dockerfile:1"`,
			want: &Build{Images: []Image{
				alpine, {"ghcr.io/org/app:1", digest("2")}, {"localhost:5000/a/b/c", digest("3")}, {"docker.io/local/busybox:deb", v1.Hash{}},
			}},
		},
		{
			name:   "a RUN",
			steps:  fromAlpine + `{"id": "step9", "inputs": ["step0:0"], "op": {"Op": {"exec": {"mounts": [{"dest": "/"}]}}}},` + end,
			layers: `"step0:0": [[{"digest": "SUM2"}], [{"digest": "no digest"}], []], "step9:0": [[{"digest": "SUM2"}, {"digest": "SUM3"}]]`,
			want: &Build{Base: &Base{Image: alpine,
				Chains: [][]v1.Hash{{digest("2")}}, Whole: [][]v1.Hash{{digest("2"), digest("3")}}}},
		},
		{
			name:  "a RUN whose mounts come first",
			steps: local + fromAlpine + `{"id": "step9", "inputs": ["step1:0", "step0:0"], "op": {"Op": {"exec": {"mounts": [{"dest": "/src", "output": -1}, {"dest": "/", "input": 1}]}}}},` + end,
			want:  onAlpine,
		},
		{
			name:  "nothing but FROM",
			steps: strings.ReplaceAll(fromAlpine, "step0", "step9") + end,
			want:  onAlpine,
		},
		{
			name:  "a COPY",
			steps: local + fromAlpine + `{"id": "step9", "inputs": ["step0:0", "step1:0"], "op": {"Op": {"file": {"actions": [{"secondaryInput": 1}]}}}},` + end,
			want:  onAlpine,
		},
		{
			name: "a COPY of two, whose actions follow each other",
			steps: local + fromAlpine + `{"id": "step9", "inputs": ["step1:0", "step0:0"], "op": {"Op": {"file": {"actions": [
				{"input": 1, "secondaryInput": 0, "output": -1}, {"input": 2, "secondaryInput": 0, "output": 0}]}}}},` + end,
			want: onAlpine,
		},
		{
			name: "a COPY --link",
			steps: local + fromAlpine + `{"id": "step2", "inputs": ["step1:0"], "op": {"Op": {"file": {"actions": [{"input": -1}]}}}},
				{"id": "step9", "inputs": ["step2:0", "step0:0"], "op": {"Op": {"merge": {"inputs": [{"input": 1}, {"input": 0}]}}}},` + end,
			want: onAlpine,
		},
		{
			name:   "scratch",
			steps:  local + `{"id": "step9", "inputs": ["step1:0"], "op": {"Op": {"file": {"actions": [{"input": -1, "secondaryInput": 0}]}}}},` + end,
			layers: `"step9:0": [[{"digest": "SUM2"}]]`,
			want:   &Build{Base: &Base{Whole: [][]v1.Hash{{digest("2")}}}},
		},
		{name: "what isn't an image", steps: strings.ReplaceAll(local, "step1", "step9") + end, want: &Build{}},
		{name: "no end", steps: strings.TrimSuffix(fromAlpine, ","), want: &Build{}},
		{name: "an input that isn't there", steps: fromAlpine + end, want: &Build{}},
		{name: "a difference", steps: fromAlpine + `{"id": "step9", "inputs": ["step0:0"], "op": {"Op": {"diff": {}}}},` + end, want: &Build{}},
		{name: "a circle", steps: `{"id": "step9", "inputs": ["step9:0"], "op": {"Op": {"exec": {"mounts": [{}]}}}},` + end, want: &Build{}},
		{name: "actions in a circle", steps: `{"id": "step9", "inputs": [], "op": {"Op": {"file": {"actions": [{"input": 1}, {"output": 1}]}}}},` + end, want: &Build{}},
		{name: "numbers out of range", steps: fromAlpine + `{"id": "step9", "inputs": ["step0:0"], "op": {"Op": {"exec": {"mounts": [{"input": 7}]}}}},` + end, want: &Build{}},
	}
	for _, tt := range tests {
		for version, statement := range map[string]func(a, b, c, d string) string{"v1": v1Statement, "v0.2": v02Statement} {
			t.Run(tt.name+" "+version, func(t *testing.T) {
				got, err := Parse([]byte(statement(tt.materials, tt.args, tt.steps, tt.layers)))
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("-want +got:\n%s", diff)
				}
			})
		}
	}
}

func TestParseErrors(t *testing.T) {
	for name, tt := range map[string]struct{ statement, want string }{
		"cut short":       {`{"predicateType": "https://slsa.dev/`, "parsing the statement"},
		"another type":    {`{"predicateType": "https://spdx.dev/Document", "predicate": {}}`, `unknown type "https://spdx.dev/Document"`},
		"another version": {`{"predicateType": "https://slsa.dev/provenance/v9", "predicate": {}}`, "unknown type"},
		"another shape":   {`{"predicateType": "https://slsa.dev/provenance/v1", "predicate": []}`, "parsing the provenance"},
		"another builder": {`{"predicateType": "https://slsa.dev/provenance/v1", "predicate": {"buildDefinition": {"buildType": "https://actions.github.io/buildtypes/workflow/v1"}}}`, ErrNotBuildKit.Error()},
		"too many values": {"[" + strings.Repeat("0,", maxValues+1) + "0]", "too many"},
	} {
		if _, err := Parse([]byte(tt.statement)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want %q", name, err, tt.want)
		}
	}
}

// statements returns the provenances in an archive.
func statements(t *testing.T, path string) [][]byte {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all [][]byte
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(io.LimitReader(r, 1<<20))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(raw, []byte(typePrefix)) && bytes.Contains(raw, []byte("in-toto.io/Statement")) && h.Size < 1<<20 {
			all = append(all, raw)
		}
	}
}

// TestFixture reads what BuildKit wrote of a real build.
func TestFixture(t *testing.T) {
	all := statements(t, filepath.Join(fixture.Dir(t), "built", "buildkit-oci-attest.tar"))
	if len(all) != 1 {
		t.Fatalf("%d provenances", len(all))
	}
	b, err := Parse(all[0])
	if err != nil {
		t.Fatal(err)
	}
	h, _ := v1.NewHash("sha256:75affcc2266ed8c0a2f23756d46431dc2ffce30f77a02cc5da41d61a8af56811")
	busybox := Image{"docker.io/local/busybox:deb", h}
	if diff := cmp.Diff([]Image{busybox}, b.Images); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if b.Base == nil || b.Base.Image != busybox || len(b.Base.Chains) != 1 || len(b.Base.Chains[0]) != 1 || len(b.Base.Whole) != 1 || len(b.Base.Whole[0]) != 11 {
		t.Errorf("base %+v", b.Base)
	}
}

// FuzzParse parses whatever comes: it ends, and what it returns is names and
// digests.
func FuzzParse(f *testing.F) {
	f.Add([]byte(v1Statement(`{"uri": "pkg:docker/alpine@3.20?digest=SUM1"}`, "", fromAlpine+end, `"step0:0": [[{"digest": "SUM2"}]]`)))
	f.Add([]byte(v02Statement("", `"source": "docker/dockerfile:1"`, local+fromAlpine+`{"id": "step9", "inputs": ["step0:0", "step1:0"], "op": {"Op": {"file": {"actions": [{"secondaryInput": 1}]}}}},`+end, "")))
	f.Add([]byte(`{"predicateType": "https://slsa.dev/provenance/v1", "predicate": null}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		b, err := Parse(raw)
		if err != nil {
			return
		}
		if !json.Valid(raw) {
			t.Fatal("parsed what isn't JSON")
		}
		images := b.Images
		if b.Base != nil && !b.Base.Scratch() {
			images = append(images, b.Base.Image)
			for _, c := range append(b.Base.Chains, b.Base.Whole...) {
				for _, h := range c {
					if _, err := v1.NewHash(h.String()); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		for _, img := range images {
			if again, ok := parseName(img.Name); !ok || again.Name != img.Name {
				t.Fatalf("%q is no name", img.Name)
			}
		}
	})
}
