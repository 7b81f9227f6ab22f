package report

import (
	"bufio"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/history"
	"github.com/layerscope/layerscope/view/text"
)

// steps writes the table of steps, oldest first.
func (s style) steps(w *bufio.Writer, m *analyze.Image) {
	if len(m.Steps) == 0 {
		fmt.Fprintln(w, "\nThe image has no steps and no layers.")
		return
	}
	fmt.Fprintln(w, "\nSteps")
	t := table{style: s, cutLast: text.Truncate}
	t.columns = []column{{title: "#"}, {title: "STORED"}, {title: "DEAD"}, {title: "COMPRESSED"},
		{title: "SHARE", left: true}, {title: "BASE", left: true}, {title: "LINE"}, {title: "STEP", left: true}}
	for i, st := range m.Steps {
		t.rows = append(t.rows, []string{
			strconv.Itoa(i), s.size(st.Stored), s.size(st.Dead), s.size(st.Compressed),
			s.bar(st.Stored, m.Totals.Stored), baseMark(st), lineMark(st), s.foreign(st.Text),
		})
	}
	if m.Base.Steps == 0 {
		t.drop("BASE")
	}
	if m.Dockerfile == nil {
		t.drop("LINE")
	}
	if !anyCompressed(m) {
		t.drop("COMPRESSED")
	}
	t.write(w)
}

func baseMark(st analyze.Step) string {
	if st.Base {
		return "base"
	}
	return ""
}

// lineMark returns a step's lines in the Dockerfile: "~7" where only the order
// of the instructions tells.
func lineMark(st analyze.Step) string {
	switch st.Match {
	case history.Matched:
		return st.Line.String()
	case history.Aligned:
		return "~" + st.Line.String()
	}
	return ""
}

// anyCompressed tells whether the column has anything to say.
func anyCompressed(m *analyze.Image) bool {
	return slices.ContainsFunc(m.Layers, func(l analyze.Layer) bool { return l.Compressed != analyze.Unknown })
}

// barWidth is how many cells a whole takes, and narrow what it takes where the
// text needs the room.
const (
	barWidth       = 10
	narrowBarWidth = 6
	narrow         = 100
)

// eighths are the parts of a cell.
var eighths = [...]string{"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"}

// bar returns part's share of whole as a bar; something is never nothing.
func (s style) bar(part, whole int64) string {
	if part <= 0 || whole <= 0 {
		return ""
	}
	width := barWidth
	if s.Width > 0 && s.Width < narrow {
		width = narrowBarWidth
	}
	share := float64(part) / float64(whole) * float64(width)
	if s.ASCII {
		return strings.Repeat("#", max(1, int(share+0.5)))
	}
	n := max(1, int(share*8+0.5))
	return strings.Repeat("█", n/8) + eighths[n%8]
}
