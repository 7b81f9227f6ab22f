package tui

import (
	"strings"

	"github.com/layerscope/layerscope/view/text"
)

// look is how things are written on the screen: with which characters, and
// sizes in which form.
type look struct {
	*marks
	bytes bool // integers of bytes
}

// size returns a number of bytes; a negative one is unknown.
func (k *look) size(n int64) string {
	if k.bytes {
		return text.Bytes(n)
	}
	return text.Size(n)
}

// sizeWidth returns the cells that sizes up to n take, with one to spare at the
// left but for the rare "1000 kB": numbers mustn't touch the pane's edge.
func (k *look) sizeWidth(n int64) int {
	const si = len("1000 kB")
	if k.bytes {
		return max(si, 1+len(text.Bytes(n)))
	}
	return si
}

// bar draws how much live and dead are of whole in width cells. What isn't
// nothing shows, rounded to a part of a cell; dead bytes take whole cells at
// the end, and none if they are too few for half of one.
func (k *look) bar(live, dead, whole int64, width int) string {
	if live+dead <= 0 || whole <= 0 || width <= 0 {
		return ""
	}
	parts := len(k.parts) // of a cell
	share := float64(live+dead) / float64(whole)
	all := int(share*float64(width*parts) + 0.5)
	cells := max(1, (all+parts-1)/parts)
	deadCells := int(float64(cells)*float64(dead)/float64(live+dead) + 0.5)
	switch {
	case deadCells == 0 && all == 0:
		return k.least
	case deadCells == 0:
		return k.filled(all)
	}
	return k.filled((cells-deadCells)*parts) + strings.Repeat(k.dead, deadCells)
}

// filled returns n parts of a cell, filled.
func (k *look) filled(n int) string {
	parts := len(k.parts)
	s := strings.Repeat(k.parts[parts-1], n/parts)
	if n%parts > 0 {
		s += k.parts[n%parts-1]
	}
	return s
}

// fitting joins the first parts that fit into width cells, the first in any
// case.
func (k *look) fitting(parts []string, width int) string {
	line := ""
	for _, p := range parts {
		longer := k.join(line, p)
		if line != "" && text.Width(longer) > width {
			break
		}
		line = longer
	}
	return line
}

// join puts the parts of a line that aren't "" together.
func (k *look) join(parts ...string) string {
	var b strings.Builder
	for _, p := range parts {
		if p == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteString(k.gap)
		}
		b.WriteString(p)
	}
	return b.String()
}
