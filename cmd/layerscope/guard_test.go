package main

import (
	"bytes"
	"strings"
	"testing"
)

// TestGuard writes each text in pieces of every size: where a piece ends must
// not matter.
func TestGuard(t *testing.T) {
	tests := []struct {
		text  string
		harms bool
	}{
		{"", false},
		{"plain\ttext\n", false},
		{"two\r\nlines\r\n", false},
		{"wide 字 é 😀 \u00a0", false},
		{"\ufeffwith a BOM", false},
		{"\ufffd is a character", false},
		{"esc \x1b[31m", true},
		{"bel \a", true},
		{"nul \x00", true},
		{"del \x7f", true},
		{"c1 \u009b31m", true},
		{"raw c1 \x9b31m", true},
		{"cr \rover", true},
		{"cr at the end\r", true},
		{"bidi \u202e", true},
		{"isolate \u2066", true},
		{"cut \xe5\xad", true},
		{"latin1 \xe9t\xe9", true},
	}
	for _, tt := range tests {
		for size := 1; size <= len(tt.text)+1; size++ {
			var out bytes.Buffer
			g := &guard{w: &out}
			if err := writePieces(g, tt.text, size); (err != nil) != tt.harms {
				t.Errorf("%q in pieces of %d: error %v", tt.text, size, err)
			}
			if g.refused != tt.harms {
				t.Errorf("%q in pieces of %d: refused is %v", tt.text, size, g.refused)
			}
			if got := out.String(); !tt.harms && got != tt.text || !strings.HasPrefix(tt.text, got) {
				t.Errorf("%q in pieces of %d: wrote %q", tt.text, size, got)
			}
			if !harmless(out.Bytes()) {
				t.Errorf("%q in pieces of %d: let through %q", tt.text, size, out.String())
			}
		}
	}
}

func TestGuardOpen(t *testing.T) {
	var out bytes.Buffer
	const all = "\x00\x1b]0;x\a\xff\r"
	if err := writePieces(&guard{w: &out, open: true}, all, 2); err != nil || out.String() != all {
		t.Errorf("wrote %q, error %v", out.String(), err)
	}
}

func writePieces(g *guard, s string, size int) error {
	for len(s) > 0 {
		n := min(size, len(s))
		if _, err := g.Write([]byte(s[:n])); err != nil {
			return err
		}
		s = s[n:]
	}
	return g.Close()
}
