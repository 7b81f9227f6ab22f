package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// TestStagesInDocs holds what docs/stages.md shows to what the script of the
// command gets; with -update it writes it anew.
func TestStagesInDocs(t *testing.T) {
	script, err := txtar.ParseFile(filepath.Join("testdata", "script", "stages.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	told := ""
	for _, f := range script.Files {
		if f.Name == "human.txt" {
			told = string(f.Data)
		}
	}
	const begin, end = "<!-- stages: checked by a test -->\n```\n", "```\n<!-- /stages -->\n"
	path := filepath.Join("..", "..", "docs", "stages.md")
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(page), begin)
	_, tail, closed := strings.Cut(rest, end)
	if !ok || !closed || told == "" {
		t.Fatal("the page, or the script, shows nothing")
	}
	want := head + begin + told + end + tail
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, string(page)); diff != "" {
		t.Errorf("run with -update, twice (-want +got):\n%s", diff)
	}
}
