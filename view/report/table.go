package report

import (
	"bufio"
	"fmt"
	"slices"
	"strings"

	"github.com/layerscope/layerscope/view/text"
)

// table is rows of cells under a header. Numbers stand on the right; what
// stands last may be long.
type table struct {
	style
	columns []column
	rows    [][]string
	cutLast func(string, int) string // how the last column is shortened
	wrap    bool                     // the last column takes as many lines as it needs instead
}

// column is one column's header and where its cells stand.
type column struct {
	title string
	left  bool
}

const (
	gap     = "  "
	minLast = 8 // cells the last column keeps, however narrow it gets
)

// add adds a row.
func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

// write writes the table, indented by one gap.
func (t *table) write(w *bufio.Writer) {
	widths := t.widths()
	header := make([]string, len(t.columns))
	for i, c := range t.columns {
		header[i] = c.title
	}
	t.line(w, header, widths)
	for _, r := range t.rows {
		t.line(w, r, widths)
	}
}

// widths returns each column's width; the last one's is what remains.
func (t *table) widths() []int {
	widths := make([]int, len(t.columns))
	rest := t.Width
	for i, c := range t.columns {
		widths[i] = text.Width(c.title)
		for _, r := range t.rows {
			widths[i] = max(widths[i], text.Width(r[i]))
		}
		if i < len(t.columns)-1 {
			rest -= len(gap) + widths[i]
		}
	}
	widths[len(widths)-1] = max(rest-len(gap), minLast)
	return widths
}

// drop takes a column away.
func (t *table) drop(title string) {
	at := slices.IndexFunc(t.columns, func(c column) bool { return c.title == title })
	t.columns = slices.Delete(t.columns, at, at+1)
	for i, r := range t.rows {
		t.rows[i] = slices.Delete(r, at, at+1)
	}
}

func (t *table) line(w *bufio.Writer, cells []string, widths []int) {
	var b strings.Builder
	last := len(cells) - 1
	for i, cell := range cells {
		b.WriteString(gap)
		switch {
		case i == last && t.wrap && t.Width > 0:
			indent := "\n" + strings.Repeat(" ", text.Width(b.String()))
			b.WriteString(strings.Join(text.Wrap(cell, widths[i]), indent))
		case i == last:
			b.WriteString(t.shorten(cell, widths[i], t.cutLast))
		case t.columns[i].left:
			b.WriteString(text.Pad(cell, widths[i]))
		default:
			b.WriteString(text.PadLeft(cell, widths[i]))
		}
	}
	line := strings.TrimRight(b.String(), " ")
	if !t.wrap { // on a narrow line there is no room for all columns
		line = t.cut(line)
	}
	w.WriteString(line)
	w.WriteByte('\n')
}

// sections writes tables under titles.
type sections struct {
	style
	w    *bufio.Writer
	rows int // that a list has at most; 0 for any number
}

// section writes a table under a title.
func (l sections) section(title string, t table) {
	if len(t.rows) == 0 {
		return
	}
	t.style = l.style
	if t.cutLast == nil {
		t.cutLast = text.Truncate
	}
	fmt.Fprintf(l.w, "\n%s\n", l.cut(title))
	t.write(l.w)
}

// list writes a table of n things of which the first say the most: those that
// there is room for, how many more there are, and what all add up to, if that
// isn't nil. add adds the rows of one.
func (l sections) list(title string, t table, n int, thing string, add func(t *table, i int), total []string) {
	shown := n
	if l.rows > 0 {
		shown = min(n, l.rows)
	}
	for i := range shown {
		add(&t, i)
	}
	if shown < n {
		more := make([]string, len(t.columns))
		more[len(more)-1] = "and " + text.Plural(n-shown, "more "+thing)
		t.rows = append(t.rows, more)
	}
	if n > 0 && total != nil {
		t.rows = append(t.rows, total)
	}
	l.section(title, t)
}
