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

// TestReadme holds the README's session to what the demo shows; with -update it
// writes it anew.
func TestReadme(t *testing.T) {
	path := filepath.Join("..", "..", "README.md")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- demo: checked by a test -->\n```\n", "```\n<!-- /demo -->\n"
	head, rest, ok := strings.Cut(string(data), begin)
	session, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatal("the README has no demo session")
	}
	want := "$ layerscope demo\n" + demoReport(t, 96)
	if *update {
		if err := os.WriteFile(path, []byte(head+begin+want+end+tail), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, session); diff != "" {
		t.Errorf("the README's session is out of date (-want +got); run with -update:\n%s", diff)
	}
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
