package main

import (
	"bytes"
	"context"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/synth/demo"
	"github.com/layerscope/layerscope/view/report"
)

// TestDemoInDocs holds what the README and docs show of the demo to what it
// shows; with -update it writes it anew. They show paragraphs of the report, of
// the list of packages and of what the cascade tells of its Dockerfile, each known by its first line, and may leave others out.
func TestDemoInDocs(t *testing.T) {
	shown := paragraphs(demoTexts(t, 96))
	maps.Copy(shown, paragraphs(demoCascades(t)))
	for _, name := range []string{"README.md", "docs/usage.md", "docs/waste.md", "docs/cascade.md"} {
		path := filepath.Join("..", "..", name)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		want := refresh(t, string(data), shown)
		if *update {
			if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if diff := cmp.Diff(want, string(data)); diff != "" {
			t.Errorf("%s doesn't show what the demo does (-want +got); run with -update:\n%s", name, diff)
		}
	}
}

const (
	demoBegin = "<!-- demo: checked by a test -->\n```\n"
	demoEnd   = "```\n<!-- /demo -->\n"
)

// refresh replaces the demo's paragraphs in a page.
func refresh(t *testing.T, page string, shown map[string]string) string {
	t.Helper()
	var out strings.Builder
	for n := 0; ; n++ {
		head, rest, found := strings.Cut(page, demoBegin)
		out.WriteString(head)
		if !found {
			if n == 0 {
				t.Fatal("a page shows nothing of the demo")
			}
			return out.String()
		}
		block, tail, ok := strings.Cut(rest, demoEnd)
		if !ok {
			t.Fatal("the demo doesn't end")
		}
		var now []string
		for _, p := range strings.Split(strings.TrimSuffix(block, "\n"), "\n\n") {
			command := ""
			if strings.HasPrefix(p, "$ ") {
				command, p, _ = strings.Cut(p, "\n")
				command += "\n"
			}
			first := firstWords(p)
			if shown[first] == "" {
				t.Fatalf("the demo shows nothing that begins with %q", first)
			}
			now = append(now, command+shown[first])
		}
		out.WriteString(demoBegin + strings.Join(now, "\n\n") + "\n" + demoEnd)
		page = tail
	}
}

// paragraphs returns the paragraphs of a text by the words of their first lines.
func paragraphs(text string) map[string]string {
	out := map[string]string{}
	for _, p := range strings.Split(strings.TrimSuffix(text, "\n"), "\n\n") {
		out[firstWords(p)] = p
	}
	return out
}

// firstWords returns the first line without what makes columns of it.
func firstWords(paragraph string) string {
	first, _, _ := strings.Cut(paragraph, "\n")
	return strings.Join(strings.Fields(first), " ")
}

// demoTexts returns the report of the demo and the list of its packages.
func demoTexts(t *testing.T, width int) string {
	t.Helper()
	img, err := demo.Open()
	if err != nil {
		t.Fatal(err)
	}
	m, err := analyze.StartImage(context.Background(), img, analyze.Options{Packages: true}).Wait()
	if err != nil {
		t.Fatal(err)
	}
	var buf bytes.Buffer
	opts := report.TextOptions{Width: width}
	if err := report.Text(&buf, report.About(m), opts); err != nil {
		t.Fatal(err)
	}
	buf.WriteString("\n")
	if err := report.Packages(&buf, m, numPackages, opts); err != nil {
		t.Fatal(err)
	}
	return buf.String()
}

// demoCascades returns what the cascade tells of the demo as it is saved: of all
// lines, and of a file that changes.
func demoCascades(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	out, err := os.Create(filepath.Join(dir, "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	saved := filepath.Join(dir, "herbarium")
	for _, args := range [][]string{
		{"demo", "--save", saved},
		{"cascade", "--offline", "--image", filepath.Join(saved, demoArchive), saved},
		{"cascade", "--offline", "--image", filepath.Join(saved, demoArchive), "--file", "requirements.txt", saved},
	} {
		a := &app{in: os.Stdin, out: out, err: os.Stderr}
		root := newRoot(a)
		root.SetArgs(append(args, "--no-progress"))
		if err := root.ExecuteContext(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := out.WriteString("\n"); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(out.Name())
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(string(text), "\n")
}
