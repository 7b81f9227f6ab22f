package text

import (
	"strings"

	"github.com/rivo/uniseg"
)

// Wrap breaks printable text into lines of at most width cells, at spaces where
// there are any, else anywhere. Nothing is lost but the spaces at the breaks.
func Wrap(s string, width int) []string {
	var lines []string
	for _, l := range strings.Split(s, "\n") {
		lines = append(lines, wrapLine(l, max(1, width))...)
	}
	return lines
}

// wrapLine breaks one line.
func wrapLine(s string, width int) []string {
	var lines []string
	for {
		cut, next := breakAt(s, width)
		lines = append(lines, s[:cut])
		if s = s[next:]; s == "" {
			return lines
		}
	}
}

// breakAt returns where the first line of s ends and where the next begins. A
// line has at least one character, whatever the width.
func breakAt(s string, width int) (cut, next int) {
	at, used, space := 0, 0, -1
	for state := -1; at < len(s); {
		var cluster string
		var w int
		cluster, _, w, state = uniseg.FirstGraphemeClusterInString(s[at:], state)
		if used+w > width && at > 0 {
			switch {
			case cluster == " ":
				return at, at + 1
			case space > 0:
				return space, space + 1
			}
			return at, at
		}
		if cluster == " " {
			space = at
		}
		at, used = at+len(cluster), used+w
	}
	return at, at
}
