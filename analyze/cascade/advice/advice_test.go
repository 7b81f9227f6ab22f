package advice

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

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

// TestMeasures adds up by hand what findings save of what is measured.
func TestMeasures(t *testing.T) {
	text := "FROM a\nWORKDIR /w\nCOPY . .\nRUN npm ci\nRUN npm run build\n"
	b, disk := buildOf(t, text, node(".dockerignore=Dockerfile\n"), cascade.Options{})
	b.Contexts[""] = b.Contexts[""].Edit(buildcontext.Change{Path: "Dockerfile", Kind: buildcontext.Removed})
	b.Dockerfile = ""
	number := func(n int64) *int64 { return &n }
	second := func(n int) *time.Duration { d := time.Duration(n) * time.Second; return &d }
	m := cascade.Measures{
		{}, {},
		{Bytes: number(10), Duration: second(1)},
		{Bytes: number(200), Compressed: number(50), Duration: second(30)},
		{Bytes: number(3000), Duration: second(400)},
	}
	saved := func(m cascade.Measures, rule string) *Saving {
		t.Helper()
		all, err := Find(t.Context(), b, m, disk)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range all {
			if f.Rule.ID == rule {
				return f.Saves
			}
		}
		t.Fatalf("no %s in %v", rule, all)
		return nil
	}
	s := saved(m, "copy-before-install")
	if s.When != "src/app.js changes" || s.Instructions != 1 || s.MayInstructions != 0 {
		t.Errorf("%+v", s)
	}
	// The COPY and the build run again either way, the install doesn't.
	if s.Bytes == nil || *s.Bytes != 200 || s.Compressed == nil || *s.Compressed != 50 || s.Nanoseconds == nil || *s.Nanoseconds != 30e9 {
		t.Errorf("saves %v, %v, %v", s.Bytes, s.Compressed, s.Nanoseconds)
	}
	if before, after := s.Before.Bytes, s.After.Bytes; before != (cascade.Range{Min: 3210, Max: 3210}) || after != (cascade.Range{Min: 3010, Max: 3010}) {
		t.Errorf("reruns %v, then %v", before, after)
	}
	m[3].Duration = nil
	if s := saved(m, "copy-before-install"); s.Nanoseconds != nil || *s.Bytes != 200 {
		t.Errorf("of an install of unknown length %v is saved", s.Nanoseconds)
	}
	if s := saved(nil, "copy-before-install"); s.Nanoseconds != nil || s.Bytes != nil || s.Instructions != 1 {
		t.Errorf("without measures %v and %v are saved", s.Nanoseconds, s.Bytes)
	}
	if s := saved(m, "no-cache-mount"); s != nil {
		t.Errorf("a cache mount saves %v", s)
	}
}

// TestUnknown looks over builds of which little is known.
func TestUnknown(t *testing.T) {
	text := "FROM a\nARG GIT_SHA\nRUN apk add git\nCOPY . .\nRUN npm ci\n"
	b, _ := buildOf(t, text, node("README.md"), cascade.Options{})
	ids := func(b cascade.Build) (ids []string) {
		all, err := Find(t.Context(), b, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range all {
			ids = append(ids, f.Rule.ID)
			if f.Edit.Ignore != nil && f.Edit.Ignore.Before != "" {
				t.Errorf("%s knows a .dockerignore", f.Rule.ID)
			}
		}
		return ids
	}
	// Without the files' texts a package.json may have scripts, and manifests
	// may name a README.
	if diff := cmp.Diff([]string{"dockerfile-in-context", "early-variable", "no-cache-mount"}, ids(b)); diff != "" {
		t.Errorf("without the files' texts (-want +got):\n%s", diff)
	}
	b.Contexts, b.Dockerfile = nil, ""
	if diff := cmp.Diff([]string{"early-variable", "no-cache-mount"}, ids(b)); diff != "" {
		t.Errorf("without a context (-want +got):\n%s", diff)
	}
}

// TestSelfTitle checks that a finding names those files that are copied.
func TestSelfTitle(t *testing.T) {
	b, disk := buildOf(t, "FROM a\nCOPY . .\nRUN x\n", node(".dockerignore=Dockerfile\n"), cascade.Options{})
	title := func() (title, text string) {
		all, err := Find(t.Context(), b, nil, disk)
		if err != nil || len(all) == 0 || all[0].Rule.ID != "dockerfile-in-context" {
			t.Fatal(all, err)
		}
		return all[0].Rule.Title, all[0].Text
	}
	got, text := title()
	if got != "the Dockerfile is among what it copies" || !strings.Contains(text, "takes Dockerfile and .dockerignore along") {
		t.Errorf("%s: %s", got, text)
	}
	b.Contexts[""] = b.Contexts[""].Edit(buildcontext.Change{Path: "Dockerfile", Kind: buildcontext.Removed})
	b.Dockerfile = ""
	got, text = title()
	if got != ".dockerignore is among what it copies" || !strings.Contains(text, "takes .dockerignore along: any edit of it,") {
		t.Errorf("%s: %s", got, text)
	}
}

// TestBuilders looks for what a builder has no instruction for.
func TestBuilders(t *testing.T) {
	f, err := dockerfile.Parse("Dockerfile", []byte("FROM a\nARG GIT_SHA\nARG TARGETARCH\nRUN apk add git\nWORKDIR /app\nCOPY . .\nRUN npm ci\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, builder := range []cascade.Builder{cascade.Classic, cascade.Buildah} {
		t.Run(string(builder), func(t *testing.T) {
			g, err := cascade.New(f, cascade.Options{Builder: builder})
			if err != nil {
				t.Fatal(err)
			}
			tree, disk := contextOf(node("Dockerfile=" + string(f.Source)))
			b := cascade.Build{Graph: g, Contexts: map[string]*buildcontext.Tree{"": tree}, Dockerfile: "Dockerfile"}
			all, err := Find(t.Context(), b, nil, disk)
			if err != nil {
				t.Fatal(err)
			}
			found := map[string]bool{}
			for _, one := range all {
				checkFinding(t, b, node("Dockerfile="+string(f.Source)), one)
				found[one.Rule.ID] = true
			}
			if diff := cmp.Diff(map[string]bool{"dockerfile-in-context": true, "early-variable": true, "copy-before-install": true}, found); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestCanceled checks that a context that is done ends it.
func TestCanceled(t *testing.T) {
	b, disk := buildOf(t, "FROM a\nCOPY . .\nRUN npm ci\n", node(), cascade.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Find(ctx, b, nil, disk); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}
