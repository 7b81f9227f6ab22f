package main

import (
	"bytes"
	"context"
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
// shows; with -update it writes it anew. They show paragraphs of the report, each
// known by its first line, and may leave others out.
func TestDemoInDocs(t *testing.T) {
	shown := paragraphs(demoReport(t, 96))
	for _, name := range []string{"README.md", "docs/waste.md"} {
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
			first, _, _ := strings.Cut(p, "\n")
			if shown[first] == "" {
				t.Fatalf("the demo shows nothing that begins with %q", first)
			}
			now = append(now, command+shown[first])
		}
		out.WriteString(demoBegin + strings.Join(now, "\n\n") + "\n" + demoEnd)
		page = tail
	}
}

// paragraphs returns the paragraphs of a text by their first lines.
func paragraphs(text string) map[string]string {
	out := map[string]string{}
	for _, p := range strings.Split(strings.TrimSuffix(text, "\n"), "\n\n") {
		first, _, _ := strings.Cut(p, "\n")
		out[first] = p
	}
	return out
}

func demoReport(t *testing.T, width int) string {
	t.Helper()
	img, err := demo.Open()
	if err != nil {
		t.Fatal(err)
	}
	m, err := analyze.StartImage(context.Background(), img, analyze.Options{}).Wait()
	if err != nil {
		t.Fatal(err)
	}
	var buf bytes.Buffer
	if err := report.Text(&buf, report.About(m), report.TextOptions{Width: width}); err != nil {
		t.Fatal(err)
	}
	return buf.String()
}
