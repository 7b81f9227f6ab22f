package advice

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/layerscope/layerscope/analyze/buildcontext"
	"github.com/layerscope/layerscope/analyze/cascade"
)

// TestIgnoreLines writes what findings add to a .dockerignore, and checks that
// exactly what they were computed without is left out then.
func TestIgnoreLines(t *testing.T) {
	dir := t.TempDir()
	text := "FROM a\nWORKDIR /app\nCOPY . .\nRUN npm ci\nRUN pip install x\n"
	files := node("Dockerfile="+text, ".dockerignore=*.md\n!README.md\ndocs", "README.md", "NOTES.md", "docs/x", "web/node_modules/a/b.log",
		"node_modules/x", "a.log", "web/b.log", ".github/x", "x/__pycache__/a.pyc", "x/b.pyc", ".git/HEAD", ".venv/x", "web/.venv/y", "coverage/z", "compose.yaml", "compose.dev.yml", "a~", "web/compose.yaml")
	for name, content := range files {
		write(t, filepath.Join(dir, name), content)
	}
	read := func() *buildcontext.Tree {
		tree, err := buildcontext.Read(t.Context(), dir, buildcontext.Options{Dockerfile: filepath.Join(dir, "Dockerfile")})
		if err != nil {
			t.Fatal(err)
		}
		return tree
	}
	tree := read()
	b, _ := buildOf(t, text, nil, cascade.Options{})
	b.Contexts[""] = tree
	all, err := Find(t.Context(), b, nil, os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, f := range all {
		if f.Edit.Ignore == nil {
			continue
		}
		seen++
		if f.Edit.Ignore.Before != files[".dockerignore"] {
			t.Errorf("%s takes the .dockerignore to be %q", f.Rule.ID, f.Edit.Ignore.Before)
		}
		write(t, filepath.Join(dir, ".dockerignore"), f.Edit.Ignore.After)
		ff := newFinder(t.Context(), b, nil, os.DirFS(dir))
		var gone []string
		for _, e := range tree.Entries() {
			if !read().Has(e.Path) && (len(gone) == 0 || !within(gone[len(gone)-1], e.Path)) {
				gone = append(gone, e.Path)
			}
		}
		want := slices.Clone(f.Edit.IgnoreLines)
		if f.Rule.ID == "unneeded-context" {
			_, want = ff.present(f.Edit.IgnoreLines)
		}
		slices.Sort(want)
		slices.Sort(gone)
		if diff := cmp.Diff(want, gone); diff != "" {
			t.Errorf("%s: %q leave out (-computed +builder):\n%s", f.Rule.ID, f.Edit.IgnoreLines, diff)
		}
	}
	if seen < 3 {
		t.Errorf("%d findings of a .dockerignore", seen)
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// BenchmarkFind looks over a build with a context of 50,000 files.
func BenchmarkFind(b *testing.B) {
	text := "FROM a\nARG GIT_SHA\nWORKDIR /app/\nRUN apk add git\nCOPY . .\nRUN npm ci\nRUN npm run build\n"
	files := maps.Clone(node("README.md", "a.log"))
	for i := range 50_000 {
		files[fmt.Sprintf("node_modules/p%d/lib/f%d.js", i/50, i%50)] = ""
	}
	build, disk := buildOf(b, text, files, cascade.Options{})
	for b.Loop() {
		all, err := Find(b.Context(), build, nil, disk)
		if err != nil || len(all) < 5 {
			b.Fatal(len(all), err)
		}
	}
}
