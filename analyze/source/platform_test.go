package source

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

func parsePlatform(t *testing.T, s string) *v1.Platform {
	t.Helper()
	if s == "" {
		return nil
	}
	p, err := v1.ParsePlatform(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// entries makes the manifests of an index of platforms, "" for none.
func entries(t *testing.T, platforms ...string) *v1.IndexManifest {
	idx := &v1.IndexManifest{}
	for i, p := range platforms {
		idx.Manifests = append(idx.Manifests, v1.Descriptor{
			MediaType: types.OCIManifestSchema1,
			Platform:  parsePlatform(t, p),
			Digest:    v1.Hash{Algorithm: "sha256", Hex: fmt.Sprintf("%064x", i)},
		})
	}
	return idx
}

func TestChoosePlatform(t *testing.T) {
	tests := []struct {
		want  string
		there []string
		index int // -1: none
	}{
		{"linux/amd64", []string{"linux/arm64", "linux/amd64"}, 1},
		{"linux/amd64", []string{"linux/amd64/v3", "linux/amd64/v2"}, 1},
		{"linux/amd64", []string{"linux/amd64/v3", "linux/amd64"}, 1},
		{"linux/amd64/v3", []string{"linux/amd64", "linux/amd64/v3"}, 1},
		{"linux/amd64/v2", []string{"linux/amd64"}, -1},
		{"linux/arm64", []string{"linux/arm64/v8"}, 0},
		{"linux/arm64/v8", []string{"linux/amd64", "linux/arm64"}, 1},
		{"linux/arm64", []string{"linux/arm64/v9", "linux/arm64/v8"}, 1},
		{"linux/arm", []string{"linux/arm/v5", "linux/arm/v7", "linux/arm/v6"}, 1},
		{"linux/arm", []string{"linux/arm/v5", "linux/arm/v6"}, 1},
		{"linux/arm/v7", []string{"linux/arm/v5", "linux/arm/v6"}, 1},
		{"linux/arm/v6", []string{"linux/arm/v7", "linux/arm/v5"}, 1},
		{"linux/arm/v6", []string{"linux/arm/v7", "linux/arm"}, -1},
		{"linux/arm/v7", []string{"linux/arm"}, 0},
		{"linux/arm", []string{"linux/arm64"}, -1},
		{"linux/riscv64", []string{"linux/amd64"}, -1},
		{"windows/amd64", []string{"linux/amd64", "windows/amd64:10.0.17763.1", "windows/amd64:10.0.20348.2"}, 1},
		{"windows/amd64:10.0.20348", []string{"windows/amd64:10.0.17763.1", "windows/amd64:10.0.20348.2"}, 1},
		{"windows/amd64:10.0.1", []string{"linux/amd64"}, -1},
		{"linux/amd64", []string{""}, 0},                // one that doesn't say is seen to later
		{"linux/amd64", []string{"", "linux/amd64"}, 1}, // but isn't chosen over one that does
		{"", []string{"plan9/mips"}, 0},                 // nothing asked for, nothing to choose
	}
	for _, tt := range tests {
		idx := entries(t, tt.there...)
		choices, err := indexChoices(idx, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := choosePlatform(choices, parsePlatform(t, tt.want))
		if tt.index < 0 {
			var hint *HintError
			if !errors.As(err, &hint) || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), tt.there[0]) {
				t.Errorf("%q of %q: error %v", tt.want, tt.there, err)
			}
			continue
		}
		if err != nil || got.desc.Digest != idx.Manifests[tt.index].Digest {
			t.Errorf("%q of %q: got %v, %v; want number %d", tt.want, tt.there, got.desc.Digest, err, tt.index)
		}
	}
}

func TestIndexChoices(t *testing.T) {
	inner := entries(t, "linux/arm64")
	outer := entries(t, "linux/amd64", "unknown/unknown", "linux/s390x", "linux/ppc64le")
	outer.Manifests[2].ArtifactType = "application/vnd.example"
	outer.Manifests[3].MediaType = types.OCIImageIndex
	choices, err := indexChoices(outer, func(d v1.Descriptor) (*v1.IndexManifest, error) {
		if d.Digest != outer.Manifests[3].Digest {
			t.Errorf("fetched %v", d.Digest)
		}
		return inner, nil
	})
	if err != nil || len(choices) != 2 || choices[0].idx != outer || choices[1].idx != inner {
		t.Errorf("got %+v, %v", choices, err)
	}

	loop := entries(t, "linux/amd64")
	loop.Manifests[0].MediaType = types.OCIImageIndex
	if _, err := indexChoices(loop, func(v1.Descriptor) (*v1.IndexManifest, error) { return loop, nil }); err == nil {
		t.Error("an index within itself is walked")
	}
	if _, err := indexChoices(entries(t, make([]string, maxManifests+1)...), nil); err == nil {
		t.Error("an index of too many is walked")
	}
}

func TestAttestationsOf(t *testing.T) {
	idx := entries(t, "linux/amd64", "linux/arm64", "unknown/unknown", "unknown/unknown", "unknown/unknown")
	for i, about := range map[int]int{2: 0, 3: 1} {
		idx.Manifests[i].Annotations = map[string]string{
			referenceType: "attestation-manifest", referenceDigest: idx.Manifests[about].Digest.String(),
		}
	}
	got := attestationsOf(idx, idx.Manifests[1].Digest)
	if len(got) != 2 || got[0].Digest != idx.Manifests[3].Digest || got[1].Digest != idx.Manifests[4].Digest {
		t.Errorf("got %+v", got)
	}
}
