package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// TestFlagDocs: the pages about commands tell of every flag.
func TestFlagDocs(t *testing.T) {
	for name, about := range map[string]struct {
		cmd   *cobra.Command
		flags int // at least
	}{
		"ci.md":   {newCheck(&app{}), 20},
		"diff.md": {newDiff(&app{}), 6},
	} {
		page, err := os.ReadFile(filepath.Join("..", "..", "docs", name))
		if err != nil {
			t.Fatal(err)
		}
		flags := flagName.FindAllStringSubmatch(about.cmd.Flags().FlagUsages(), -1)
		if len(flags) < about.flags {
			t.Fatalf("%d flags", len(flags))
		}
		for _, m := range flags {
			if m[1] != "format" && !strings.Contains(string(page), "`--"+m[1]) {
				t.Errorf("%s doesn't tell of --%s", name, m[1])
			}
		}
	}
}
