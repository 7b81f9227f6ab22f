package reads

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/layerscope/layerscope/analyze/buildcontext"
	"github.com/layerscope/layerscope/analyze/cascade"
	"github.com/layerscope/layerscope/analyze/dockerfile"
)

// build reads a Dockerfile with the files of a context on the disk.
func build(t *testing.T, text string, files map[string]string) cascade.Build {
	t.Helper()
	dir := t.TempDir()
	files["Dockerfile"] = text
	for name, body := range files {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(body), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	f, err := dockerfile.Parse("Dockerfile", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	g, err := cascade.New(f, cascade.Options{})
	if err != nil {
		t.Fatal(err)
	}
	tree, err := buildcontext.Read(t.Context(), dir, buildcontext.Options{Dockerfile: filepath.Join(dir, "Dockerfile")})
	if err != nil {
		t.Fatal(err)
	}
	return cascade.Build{Graph: g, Contexts: map[string]*buildcontext.Tree{"": tree}, Dockerfile: "Dockerfile"}
}

func TestOf(t *testing.T) {
	b := build(t, `FROM a AS one
COPY package.json src/ /app/
RUN --mount=type=bind,source=docs,target=/d x
FROM a AS unneeded
COPY . .
FROM one
COPY gone /x
COPY *.md /
`, map[string]string{
		".dockerignore": "*.log\n", "big.log": "0123456789", "package.json": "{}", "src/a": "aaa", "src/b/c": "c",
		"docs/x.txt": "xx", "docs/deep/y.txt": "y", "test/data/1": "11111", "test/data/2": "22", "test/t": "t", "read.me": "-", "A.md": "md",
	})
	r, err := Of(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, one := range r.Reads {
		got = append(got, fmt.Sprintf("%s %s%v%v %v", one.Step.Lines, one.Role, one.Patterns, one.Sum, one.Err != nil))
	}
	want := []string{
		"2 copy[/package.json /src]{3 6} false",
		"3 mount[/docs]{2 3} false",
		"7 copy[/gone]{0 0} true",
		"8 copy[/*.md]{1 2} false",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	c := r.Contexts[0]
	if c.Unread != (Sum{4, 9}) || c.IgnoreFile == "" || len(c.Ignored) != 1 || c.Ignored[0].Bytes != 10 {
		t.Errorf("%+v", c)
	}
	// All files are the Dockerfile, .dockerignore, what is read, and what isn't.
	if c.All.Files != 2+3+2+1+4 {
		t.Errorf("%d files", c.All.Files)
	}
	wantGroups := []Group{{"test/", Sum{3, 8}}, {"read.me", Sum{1, 1}}}
	if diff := cmp.Diff(wantGroups, c.Groups); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	for file, want := range map[string]string{"src/b/c": "[2]", "docs/x.txt": "[3]", "test/t": "[]", "A.md": "[8]"} {
		steps, err := Readers(t.Context(), b, file)
		if err != nil {
			t.Fatal(err)
		}
		var lines []dockerfile.Range
		for _, s := range steps {
			lines = append(lines, s.Lines)
		}
		if got := fmt.Sprint(lines); got != want {
			t.Errorf("%s is read by %s, want %s", file, got, want)
		}
	}
}
