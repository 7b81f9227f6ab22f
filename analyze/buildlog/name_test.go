package buildlog

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseName(t *testing.T) {
	for name, want := range map[string]Position{
		"[build 3/6] RUN npm ci":                            {Stage: "build", Index: 3, Total: 6, Text: "RUN npm ci"},
		"[2/4] COPY . .":                                    {Index: 2, Total: 4, Text: "COPY . ."},
		"[ 2/14] COPY . .":                                  {Index: 2, Total: 14, Text: "COPY . ."},
		"[build  3/16] RUN a":                               {Stage: "build", Index: 3, Total: 16, Text: "RUN a"},
		"[stage-1 2/4] WORKDIR /x":                          {Stage: "stage-1", Index: 2, Total: 4, Text: "WORKDIR /x"},
		"[linux/amd64 build 3/6] RUN a":                     {Platform: "linux/amd64", Stage: "build", Index: 3, Total: 6, Text: "RUN a"},
		"[linux/amd64->arm64 build 3/6] RUN a":              {Platform: "linux/amd64->arm64", Stage: "build", Index: 3, Total: 6, Text: "RUN a"},
		"[linux/arm/v7 3/6] RUN a":                          {Platform: "linux/arm/v7", Index: 3, Total: 6, Text: "RUN a"},
		"[windows(10.0.17763)/amd64  1/10] RUN a":           {Platform: "windows(10.0.17763)/amd64", Index: 1, Total: 10, Text: "RUN a"},
		"[web build 1/2] RUN a":                             {Target: "web", Stage: "build", Index: 1, Total: 2, Text: "RUN a"},
		"[web linux/arm64 build 1/2] RUN a":                 {Target: "web", Platform: "linux/arm64", Stage: "build", Index: 1, Total: 2, Text: "RUN a"},
		"[a 1/2] LINK COPY --link x /":                      {Stage: "a", Index: 1, Total: 2, Link: true, Text: "COPY --link x /"},
		"[a 1/2] ONBUILD RUN b":                             {Stage: "a", Index: 1, Total: 2, Trigger: true, Text: "RUN b"},
		"[a 1/2] ONBUILD LINK COPY --link x /":              {Stage: "a", Index: 1, Total: 2, Trigger: true, Link: true, Text: "COPY --link x /"},
		"[a 1/2] FROM docker.io/library/alpine@sha256:0123": {Stage: "a", Index: 1, Total: 2, Text: "FROM docker.io/library/alpine@sha256:0123"},
		"[a 1/2] RUN a\nb":                                  {Stage: "a", Index: 1, Total: 2, Text: "RUN a\nb"},
		"[a 1/2] ":                                          {Stage: "a", Index: 1, Total: 2},
	} {
		got, ok := ParseName(name)
		if diff := cmp.Diff(want, got); diff != "" || !ok {
			t.Errorf("%s: %v, -want +got\n%s", name, ok, diff)
		}
	}
	for _, name := range []string{
		"", "[internal] load build context", "[linux/amd64 internal] load metadata for docker.io/library/alpine:3", "exporting to image",
		"[auth] library/alpine:pull token for registry-1.docker.io", "[a 1/2]RUN", "a [b 1/2] RUN", "[a 1] RUN", "[a -1/2] RUN", "[a 1/9999999999] RUN", "[[a 1/2] RUN",
	} {
		if got, ok := ParseName(name); ok || got != (Position{Text: name}) {
			t.Errorf("%q: %v, %+v", name, ok, got)
		}
	}
}

func FuzzParseName(f *testing.F) {
	for _, s := range []string{"[build 3/6] RUN npm ci", "[linux/amd64->arm64 a  1/10] ONBUILD LINK x", "[internal] y", "[[ 1/2] "} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		p, ok := ParseName(name)
		if !ok && p != (Position{Text: name}) {
			t.Fatalf("%q is no step, but %+v", name, p)
		}
		if ok && (!strings.HasSuffix(name, p.Text) || strings.ContainsAny(p.Stage, "[]/ ") || p.Index < 0 || p.Total < 0) {
			t.Fatalf("%q: %+v", name, p)
		}
	})
}
