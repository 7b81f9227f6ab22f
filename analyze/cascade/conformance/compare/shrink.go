package compare

import (
	"bytes"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// Shrink drops instructions that two Dockerfiles have in common, one by one, as
// long as still holds of what is left of both.
func Shrink(before, after []byte, still func(before, after []byte) bool) ([]byte, []byte) {
	a, b := chunks(before), chunks(after)
	if a == nil || b == nil {
		return before, after
	}
	for changed := true; changed; {
		changed = false
		head := 0
		for head < min(len(a), len(b)) && a[head] == b[head] {
			head++
		}
		tail := 0
		for tail < min(len(a), len(b))-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
			tail++
		}
		drop := func(i, j int) bool {
			x, y := slices.Delete(slices.Clone(a), i, i+1), slices.Delete(slices.Clone(b), j, j+1)
			if len(x) == 0 || len(y) == 0 || !still([]byte(strings.Join(x, "")), []byte(strings.Join(y, ""))) {
				return false
			}
			a, b, changed = x, y, true
			return true
		}
		for i := tail - 1; i >= 0; i-- {
			drop(len(a)-1-i, len(b)-1-i)
		}
		for i := head - 1; i >= 0; i-- {
			drop(i, i)
		}
	}
	return []byte(strings.Join(a, "")), []byte(strings.Join(b, ""))
}

// chunks returns a Dockerfile's instructions, each with what stands above it;
// nil if it isn't one.
func chunks(text []byte) []string {
	r, err := parser.Parse(bytes.NewReader(text))
	if err != nil {
		return nil
	}
	lines := strings.SplitAfter(string(text), "\n")
	var all []string
	from := 0
	for _, n := range r.AST.Children {
		end := max(n.StartLine, n.EndLine)
		chunk := strings.Join(lines[from:end], "")
		if !strings.HasSuffix(chunk, "\n") {
			chunk += "\n"
		}
		all = append(all, chunk)
		from = end
	}
	return all
}
