//go:build linux

package lab

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/buildkit/client"
	"github.com/opencontainers/go-digest"

	"github.com/layerscope/layerscope/analyze/cascade/conformance/record"
)

func TestParseVertex(t *testing.T) {
	for name, want := range map[string]record.Place{
		"[build 3/6] RUN npm ci":                          {Stage: "build", Index: 3, Total: 6},
		"[2/2] COPY . .":                                  {Index: 2, Total: 2},
		"[stage-1  3/12] RUN x":                           {Stage: "stage-1", Index: 3, Total: 12},
		"[linux/amd64 build 2/3] RUN x":                   {Stage: "build", Index: 2, Total: 3},
		"[linux/amd64->arm64 build 2/3] RUN x":            {Stage: "build", Index: 2, Total: 3},
		"[linux/amd64->arm64 2/3] RUN x":                  {Index: 2, Total: 3},
		"[stage-1 4/5] LINK COPY --link a b":              {Stage: "stage-1", Index: 4, Total: 5, Link: true},
		"[build 1/4] ONBUILD COPY package*.json ./":       {Stage: "build", Index: 1, Total: 4},
		"[build 1/6] FROM docker.io/library/node:20@sha2": {},
		"[internal] load build context":                   {},
		"exporting to image":                              {},
		"[auth] library/node:pull":                        {},
	} {
		got, ok := ParseVertex(name)
		if diff := cmp.Diff(want, got); diff != "" || ok != (want != record.Place{}) {
			t.Errorf("%s: %v %v", name, got, ok)
		}
	}
}

// One event that says a vertex was cached decides, a source isn't the step that
// it has the name of, and what nobody started was skipped.
func TestWatched(t *testing.T) {
	now := time.Now()
	w := watched{}
	for _, e := range []*client.Vertex{
		{Digest: "sha256:1", Name: "[2/5] RUN a", Started: &now},
		{Digest: "sha256:2", Name: "[3/5] RUN b", Started: &now, Cached: true},
		{Digest: "sha256:2", Name: "[3/5] RUN b", Started: &now},
		{Digest: "sha256:3", Name: "[4/5] ADD http://c /", Cached: true},
		{Digest: "sha256:4", Name: "[4/5] ADD http://c /", Started: &now, Inputs: []digest.Digest{"sha256:3"}},
		{Digest: "sha256:5", Name: "[5/5] RUN d"},
	} {
		w.add(e)
	}
	want := record.Seen{{Index: 2, Total: 5}: record.Ran, {Index: 3, Total: 5}: record.Cached,
		{Index: 4, Total: 5}: record.Ran, {Index: 5, Total: 5}: record.Skipped}
	if diff := cmp.Diff(want, w.seen()); diff != "" {
		t.Error(diff)
	}
}
