package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCheckDocs: docs/ci.md tells of every flag.
func TestCheckDocs(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "ci.md"))
	if err != nil {
		t.Fatal(err)
	}
	flags := flagName.FindAllStringSubmatch(newCheck(&app{}).Flags().FlagUsages(), -1)
	if len(flags) < 20 {
		t.Fatalf("%d flags", len(flags))
	}
	for _, m := range flags {
		if m[1] != "format" && !strings.Contains(string(page), "`--"+m[1]) {
			t.Errorf("the page doesn't tell of --%s", m[1])
		}
	}
}
