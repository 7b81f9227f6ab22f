package report

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/layerscope/layerscope/analyze/cascade"
	"github.com/layerscope/layerscope/view/text"
)

// Rows that the lists of a cascade in Markdown have at most, so that it stays
// under 60 lines.
const (
	markdownReruns = 25
	markdownEdits  = 15
	markdownNotes  = 5
)

// CascadeMarkdown writes a report made to be a comment on a pull request, under
// 60 lines: what a change makes run again and why, or which lines cost most to
// edit. It is GitHub's Markdown; what isn't ours stands in code spans.
func CascadeMarkdown(w io.Writer, c *Cascade, opts TextOptions) error {
	opts.Width = markdownText
	t := cascadeText{style: style{opts}, Cascade: c}
	return writeAll(w, func(w *bufio.Writer) {
		m := cascadeMarkdown{t, markdown{style: style{opts}, w: w}}
		m.md.line("### layerscope: what %s runs again\n", m.md.code(c.Dockerfile))
		if len(c.Changes) > 0 {
			m.change()
			m.reruns()
		} else {
			m.edits()
		}
		m.advice()
		m.notes()
	})
}

type cascadeMarkdown struct {
	cascadeText
	md markdown
}

// change says what changes, and what all comes to.
func (m cascadeMarkdown) change() {
	for _, ch := range m.Changes[:min(len(m.Changes), markdownNotes)] {
		m.md.line("- %s", m.md.code(ch.words()))
	}
	if more := len(m.Changes) - markdownNotes; more > 0 {
		m.md.line("- and %s", text.Plural(more, "more change"))
	}
	sums := m.byState(m.state)
	if miss := sums[cascade.Miss]; miss.n == 0 {
		m.md.line("\n%s", nothing(sums))
	} else {
		m.md.line("\nCertainly **%s**%s.", text.Plural(miss.n, "instruction"), m.amount(miss))
	}
	if may := sums[cascade.MayMiss]; may.n > 0 {
		var names []string
		for _, c := range m.conditions() {
			names = append(names, m.md.code(c))
		}
		if len(names) > 3 || len(names) == 0 {
			names = []string{"what is built again"}
		}
		m.md.line("**%s more** if %s differs%s.", text.Count(may.n), strings.Join(names, " or "), m.amount(may))
	}
	m.md.line("%s", rest(sums))
}

// reruns lists what runs again.
func (m cascadeMarkdown) reruns() {
	var all []cascade.Verdict
	for _, v := range m.Prediction.Steps {
		if v.State >= cascade.MayMiss {
			all = append(all, v)
		}
	}
	if len(all) == 0 {
		return
	}
	cost, title := m.costs()
	m.md.line("\n| | line | instruction | why |%s\n|---|--:|---|---|%s", title, strings.Repeat("--:|", strings.Count(title, "|")))
	for _, v := range all[:min(len(all), markdownReruns)] {
		m.md.line("| %s | %s | %s | %s |%s", m.mark(v.State), v.Step.Lines, m.md.cell(m.text(v.Step)), m.md.cell(m.why(v)), cost(v.Step))
	}
	if more := len(all) - markdownReruns; more > 0 {
		m.md.line("\nand %s", text.Plural(more, "more instruction"))
	}
	m.md.line("\n%s changed, or runs again; %s may run again", m.mark(cascade.Miss), m.mark(cascade.MayMiss))
}

// costs returns the titles of the columns of what is known of costs, and what
// makes the cells of an instruction.
func (m cascadeMarkdown) costs() (cells func(*cascade.Step) string, titles string) {
	bytes, durations := m.measured()
	if bytes {
		titles += " bytes |"
	}
	if durations {
		titles += " time |"
	}
	return func(s *cascade.Step) string {
		row, ms := "", m.measure(s)
		if bytes {
			row += " " + m.cost(s, ms.Bytes, m.size) + " |"
		}
		if durations {
			row += " " + m.cost(s, (*int64)(ms.Duration), m.duration) + " |"
		}
		return row
	}, titles
}

// edits lists the lines that cost most to edit.
func (m cascadeMarkdown) edits() {
	all, weigh := m.cascadeText.edits(), m.weight()
	slices.SortStableFunc(all, func(a, b edited) int {
		return cmp.Or(cmp.Compare(weigh(b.sure), weigh(a.sure)), cmp.Compare(weigh(b.may), weigh(a.may)))
	})
	bytes, durations := m.measured()
	titles := "| line | reruns | may |"
	if bytes {
		titles += " bytes |"
	}
	if durations {
		titles += " time |"
	}
	m.md.line("The lines that cost most to edit:\n\n%s instruction |\n|%s---|", titles, strings.Repeat("--:|", strings.Count(titles, "|")-1))
	for _, e := range all[:min(len(all), markdownEdits)] {
		row := fmt.Sprintf("| %s | %s | %s |", e.Step.Lines, text.Count(e.sure.n), text.Count(e.may.n))
		if bytes {
			row += " " + m.atLeast(e, ofBytes, m.size) + " |"
		}
		if durations {
			row += " " + m.atLeast(e, ofTime, m.duration) + " |"
		}
		m.md.line("%s %s |", row, m.md.cell(m.text(e.Step)))
	}
	if more := len(all) - markdownEdits; more > 0 {
		m.md.line("\nand %s", text.Plural(more, "cheaper line"))
	}
}

// advice lists findings.
func (m cascadeMarkdown) advice() {
	switch {
	case len(m.Findings) == 0:
		return
	case len(m.Changes) > 0:
		m.md.line("\n%s", m.someFindings())
		return
	}
	m.md.line("\n**What would make builds cheaper**\n")
	whole := m.md
	whole.Width = 0
	for _, f := range m.Findings[:min(len(m.Findings), markdownAdvice)] {
		where := ""
		if len(f.Lines) > 0 {
			where = allLines(f.Lines) + ": "
		}
		words := m.redact.Text(f.Text)
		if saves := m.saving(f); saves != "" {
			words += " " + m.redact.Text(saves)
		}
		m.md.line("- %s%s (%s): %s", where, f.Rule.Title, f.Rule.ID, whole.code(words))
	}
}

// notes lists what can't be known, and what is to be known of the report.
func (m cascadeMarkdown) notes() {
	notes := m.allNotes()
	if len(notes) == 0 {
		return
	}
	m.md.line("\n**Notes**\n")
	whole := m.md
	whole.Width = 0
	for _, n := range notes[:min(len(notes), markdownNotes)] {
		where := ""
		if !n.Lines.IsZero() {
			where = linesOf(n.Lines) + ": "
		}
		m.md.line("- %s%s", where, whole.code(m.redact.Text(n.Text)))
	}
	if more := len(notes) - markdownNotes; more > 0 {
		m.md.line("- and %s", text.Plural(more, "more note"))
	}
}
