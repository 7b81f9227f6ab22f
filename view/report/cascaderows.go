package report

import (
	"bufio"
	"strings"

	"github.com/layerscope/layerscope/analyze/dockerfile"
	"github.com/layerscope/layerscope/view/text"
)

// sourceRows are instructions of a Dockerfile with a mark before them and
// numbers at the right edge.
type sourceRows struct {
	style
	titles []string // of the numbers
	rows   []sourceRow
}

// sourceRow is an instruction; the zero sourceRow is an empty line.
type sourceRow struct {
	mark, lines, text string
	costs             []string // as many as there are titles
}

// write writes the rows.
func (r *sourceRows) write(w *bufio.Writer) {
	head := sourceRow{lines: "LINE", text: "INSTRUCTION", costs: r.titles}
	number, widths := len(head.lines), make([]int, len(r.titles))
	longest := len(head.text)
	for _, row := range append([]sourceRow{head}, r.rows...) {
		number = max(number, len(row.lines))
		longest = max(longest, text.Width(row.text))
		for i, c := range row.costs {
			widths[i] = max(widths[i], text.Width(c))
		}
	}
	rest := r.Width - len(gap) - 1 - len(gap) - number - len(gap)
	for _, n := range widths {
		rest -= len(gap) + n
	}
	room := max(min(rest, longest), minLast)
	for _, row := range append([]sourceRow{head}, r.rows...) {
		var b strings.Builder
		b.WriteString(gap + text.Pad(row.mark, 1) + gap + text.PadLeft(row.lines, number) + gap)
		b.WriteString(text.Pad(r.shorten(row.text, room, text.Truncate), room))
		for i, c := range row.costs {
			b.WriteString(gap + text.PadLeft(c, widths[i]))
		}
		w.WriteString(strings.TrimRight(b.String(), " "))
		w.WriteByte('\n')
	}
}

// linesOf names lines: "line 7", "lines 7-9".
func linesOf(r dockerfile.Range) string {
	if r.Start == r.End {
		return "line " + r.String()
	}
	return "lines " + r.String()
}
