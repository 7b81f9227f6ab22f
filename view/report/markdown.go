package report

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/gate"
	"github.com/layerscope/layerscope/view/text"
)

// Rows that the lists of a Markdown report have at most, so that it stays under
// 60 lines.
const (
	markdownGates  = 6
	markdownSteps  = 5
	markdownFiles  = 5
	markdownAdvice = 4
	markdownLeaks  = 5
	markdownText   = 100 // cells of a step's text or of a path, whatever the terminal's width
)

// Markdown writes a report made to be a comment on a pull request, under 60
// lines: the totals, the steps and files that weigh most, and what to do. It is
// GitHub's Markdown. Names of the image stand in code spans, where nothing of
// them means anything to it.
func Markdown(w io.Writer, subject Subject, opts TextOptions) error {
	if err := subject.check(); err != nil {
		return err
	}
	opts.Width = markdownText
	m := markdown{style{opts}, subject, nil}
	return writeAll(w, func(w *bufio.Writer) {
		m.w = w
		m.totals()
		if m.Gates != nil {
			m.gates()
		}
		m.steps()
		m.files()
		m.advice()
		m.leaks()
	})
}

type markdown struct {
	style
	Subject
	w *bufio.Writer
}

func (m markdown) line(format string, args ...any) { fmt.Fprintf(m.w, format+"\n", args...) }

// code returns text of the image as a code span.
func (m markdown) code(s string) string {
	s = m.shorten(m.foreign(s), m.Width, text.TruncateMiddle)
	fence := "`"
	for strings.Contains(s, fence) {
		fence += "`"
	}
	return fence + " " + s + " " + fence
}

// cell returns text of the image as a code span in a table, whose cells are cut
// at | before code spans are looked for; \| is | there, and only there.
func (m markdown) cell(s string) string { return strings.ReplaceAll(m.code(s), "|", `\|`) }

func (m markdown) totals() {
	t := m.Image.Totals
	m.line("### layerscope: %s\n", m.code(cmp.Or(m.Image.Name, m.Image.Reference)))
	dead := "none of it dead."
	if t.Dead > 0 {
		dead = fmt.Sprintf("of which **%s (%s) are dead**: no path of the final image leads to them.", m.size(t.Dead), text.Percent(t.Dead, t.Stored))
	}
	m.line("**%s** stored in %s, %s\n", m.size(t.Stored), text.Plural(t.Layers, "layer"), dead)
	m.line("| | stored | live | dead | duplicate | disposable | compressed |")
	m.line("|---|--:|--:|--:|--:|--:|--:|")
	row := func(name string, sums analyze.Sums, in func(int) bool) {
		f := m.Findings
		m.line("| %s | %s | %s | %s | %s | %s | %s |", name, m.size(sums.Stored), m.size(sums.Live), m.size(sums.Dead),
			m.size(f.Duplicates.Of(in).Bytes), m.size(f.Disposable.Of(in).Bytes), m.size(sums.Compressed))
	}
	if how := m.Image.Base.How; how != "" {
		row("base ("+how+")", t.Base, m.Image.IsBase)
		row("own layers", t.Own, m.Image.IsOwn)
	}
	row("all", t.Sums, func(int) bool { return true })
}

// gates says how the image did at its gates, the ones it failed by name.
func (m markdown) gates() {
	m.line("\n**Gates: %s**", verdict(m.Gates.Results))
	var bad []gate.Result
	for _, r := range m.Gates.Results {
		if r.Level > gate.Pass {
			bad = append(bad, r)
		}
	}
	slices.SortStableFunc(bad, func(a, b gate.Result) int { return cmp.Compare(b.Level, a.Level) })
	for i, r := range bad[:min(len(bad), markdownGates)] {
		if i == 0 {
			m.line("")
		}
		m.line("- %s: %s", r.Level, m.overLimit(r, m.code))
	}
}

// steps lists the image's own steps that stored most.
func (m markdown) steps() {
	var own []int
	for i, s := range m.Image.Steps {
		if !s.Base && s.Stored > 0 {
			own = append(own, i)
		}
	}
	slices.SortStableFunc(own, func(a, b int) int { return cmp.Compare(m.Image.Steps[b].Stored, m.Image.Steps[a].Stored) })
	if len(own) == 0 {
		return
	}
	title := "The largest steps"
	if m.Image.Base.How != "" {
		title = "What grew over the base"
	}
	m.line("\n**%s**\n\n| step | stored | dead | |\n|--:|--:|--:|---|", title)
	for _, i := range own[:min(len(own), markdownSteps)] {
		s := m.Image.Steps[i]
		m.line("| %d | %s | %s | %s |", i, m.size(s.Stored), m.size(s.Dead), m.cell(s.Text))
	}
}

// files lists the largest files.
func (m markdown) files() {
	files := largestFiles(m.Image.Tree, markdownFiles)
	if len(files) == 0 {
		return
	}
	m.line("\n**Largest files**\n\n| size | step | |\n|--:|--:|---|")
	for _, f := range files {
		m.line("| %s | %d | %s |", m.size(f.size), m.step(int(f.inode.Layer)), m.cell(m.path(f.node)))
	}
}

// advice says what to do.
func (m markdown) advice() {
	var items []string
	causes := m.causes()
	for _, c := range causes[:min(len(causes), markdownAdvice)] {
		items = append(items, fmt.Sprintf("**%s** dead: %s.", m.size(c.Bytes), m.Subject.advice(c)))
	}
	classes := m.Findings.Disposable.Classes
	for _, c := range classes[:min(len(classes), markdownAdvice)] {
		items = append(items, fmt.Sprintf("**%s** %s, from step %s: %s", m.size(c.Bytes), c.Rule.Title, m.stepList(c.Origins), c.Rule.Fix))
	}
	if len(items) == 0 {
		return
	}
	m.line("\n**What to do**\n")
	for _, item := range items {
		m.line("- %s", item)
	}
}

// leaks names what secrets the image gives away.
func (m markdown) leaks() {
	var items []string
	for _, f := range m.Findings.SecretFiles {
		items = append(items, fmt.Sprintf("%s (%s): written by step %d, hidden by step %d, still readable",
			m.code(m.path(f.Path)), f.Kind, m.writer(f.Copy), m.step(f.KilledBy)))
	}
	for _, v := range m.Findings.SecretValues {
		items = append(items, fmt.Sprintf("%s in step %d", m.code(v.Label()+"="+v.Masked), v.Step))
	}
	if len(items) == 0 {
		return
	}
	m.line("\n**Secrets that all who pull the image can read**\n")
	for _, item := range items[:min(len(items), markdownLeaks)] {
		m.line("- %s", item)
	}
	if more := len(items) - markdownLeaks; more > 0 {
		m.line("- and %s", text.Plural(more, "more secret"))
	}
}
