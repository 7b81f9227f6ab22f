package text

import (
	"strings"

	"github.com/rivo/uniseg"
)

// Width returns how many terminal cells s takes. s must be Printable.
func Width(s string) int { return uniseg.StringWidth(s) }

// ellipsis marks what was cut off; it takes one cell.
const ellipsis = "…"

// Truncate returns s in at most width cells, cut at the end.
func Truncate(s string, width int) string {
	if Width(s) <= width {
		return s
	}
	if width <= 0 {
		return ""
	}
	head, _ := split(s, width-1)
	return head + ellipsis
}

// TruncateMiddle returns s in at most width cells, cut in the middle, where a
// path says least.
func TruncateMiddle(s string, width int) string {
	w := Width(s)
	if w <= width {
		return s
	}
	if width <= 0 {
		return ""
	}
	front := (width - 1) / 2
	head, _ := split(s, front)
	back := width - 1 - front
	_, tail := split(s, w-back)
	for Width(tail) > back { // a wide character stood on the cut
		_, n := firstCluster(tail)
		tail = tail[n:]
	}
	return head + ellipsis + tail
}

// Pad returns s in exactly width cells: cut, or filled with spaces on the
// right.
func Pad(s string, width int) string {
	s = Truncate(s, width)
	return s + strings.Repeat(" ", max(0, width-Width(s)))
}

// PadLeft is Pad with the spaces on the left, for numbers.
func PadLeft(s string, width int) string {
	s = Truncate(s, width)
	return strings.Repeat(" ", max(0, width-Width(s))) + s
}

// split cuts s after at most width cells, between characters.
func split(s string, width int) (head, tail string) {
	at, used := 0, 0
	for at < len(s) {
		w, n := firstCluster(s[at:])
		if used+w > width {
			break
		}
		at, used = at+n, used+w
	}
	return s[:at], s[at:]
}

// firstCluster returns the cells and the bytes of the first character of s as
// people see it.
func firstCluster(s string) (width, n int) {
	cluster, _, w, _ := uniseg.FirstGraphemeClusterInString(s, -1)
	return w, len(cluster)
}
