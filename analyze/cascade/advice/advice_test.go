package advice

import (
	"context"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/layerscope/layerscope/analyze/buildcontext"
	"github.com/layerscope/layerscope/analyze/cascade"
	"github.com/layerscope/layerscope/analyze/dockerfile"
)

// contextOf makes a context of files in memory.
func contextOf(files map[string]string) (*buildcontext.Tree, fs.FS) {
	var all []buildcontext.File
	disk := fstest.MapFS{}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		all = append(all, buildcontext.File{Path: name, Body: files[name]})
		disk[name] = &fstest.MapFile{Data: []byte(files[name])}
	}
	return buildcontext.New(all...), disk
}

// buildOf makes the build of a Dockerfile, which is a file of the context.
func buildOf(t testing.TB, text string, files map[string]string, opt cascade.Options) (cascade.Build, fs.FS) {
	t.Helper()
	f, err := dockerfile.Parse("Dockerfile", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	g, err := cascade.New(f, opt)
	if err != nil {
		t.Fatal(err)
	}
	with := maps.Clone(files)
	if with == nil {
		with = map[string]string{}
	}
	with["Dockerfile"] = text
	tree, disk := contextOf(with)
	return cascade.Build{Graph: g, Contexts: map[string]*buildcontext.Tree{"": tree}, Dockerfile: "Dockerfile"}, disk
}

// findIn returns what is found, by rule.
func findIn(t testing.TB, text string, files map[string]string, opt cascade.Options) map[string][]Finding {
	t.Helper()
	b, disk := buildOf(t, text, files, opt)
	all, err := Find(context.Background(), b, nil, disk)
	if err != nil {
		t.Fatal(err)
	}
	by := map[string][]Finding{}
	for _, f := range all {
		by[f.Rule.ID] = append(by[f.Rule.ID], f)
	}
	return by
}

func TestSketch(t *testing.T) {
	by := findIn(t, strings.TrimLeft(`
# syntax=docker/dockerfile:1
FROM --platform=$BUILDPLATFORM node:22 AS build
ARG TARGETARCH
ARG VERSION
ENV GIT_SHA=abc
WORKDIR /app/
# all
COPY . .
RUN npm ci
RUN npm run build $VERSION $TARGETARCH
FROM nginx
COPY --from=build /app/dist/ /usr/share/nginx/html/
`, "\n"), map[string]string{".dockerignore": "x", "package.json": "{}", "package-lock.json": "{}", "src/app.js": "", "node_modules/x/index.js": "", "README.md": ""}, cascade.Options{})
	for _, r := range Rules() {
		for _, f := range by[r.ID] {
			t.Logf("%s %v %s\n%s\n%+v\n%+v", r.ID, f.Lines, f.Text, f.Edit.Diff(), f.Saves, f.Context)
		}
	}
}
