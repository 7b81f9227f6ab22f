package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

var flagName = regexp.MustCompile(`(?:^|\s)--([a-z][a-z-]*)`)

// TestUsage holds the usage texts to the flags that there are, and to 80
// columns.
func TestUsage(t *testing.T) {
	root := newRoot(&app{in: os.Stdin, out: os.Stdout, err: os.Stderr})
	for _, cmd := range append(root.Commands(), root) {
		t.Run(cmd.Name(), func(t *testing.T) { holdUsage(t, cmd, cmd == root) })
	}
}

func holdUsage(t *testing.T, cmd *cobra.Command, isRoot bool) {
	for line := range strings.Lines(cmd.Long) {
		if len(line) > 81 {
			t.Errorf("line of %d columns: %s", len(line)-1, line)
		}
	}
	if cmd.Short == "" {
		t.Error("there is no short description, which shells show")
	}
	told := map[string]bool{"help": true, "version": true}
	for _, m := range flagName.FindAllStringSubmatch(cmd.Long, -1) {
		told[m[1]] = true
		if m[1] != "format" && m[1] != "help" && cmd.Flag(m[1]) == nil {
			t.Errorf("the text tells of --%s, which there isn't", m[1])
		}
	}
	own := cmd.LocalNonPersistentFlags()
	if isRoot {
		own = cmd.PersistentFlags()
	}
	for _, m := range flagName.FindAllStringSubmatch(own.FlagUsages(), -1) {
		if !told[m[1]] {
			t.Errorf("the text doesn't tell of --%s", m[1])
		}
		if cmd.Flag(m[1]).Usage == "" {
			t.Errorf("there is no description of --%s, which shells show", m[1])
		}
	}
	if isRoot {
		for _, c := range cmd.Commands() {
			if !strings.Contains(cmd.Long, "    layerscope "+c.Name()) {
				t.Errorf("the text doesn't tell of the command %s", c.Name())
			}
		}
	}
}
