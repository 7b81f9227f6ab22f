package report

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/layerscope/layerscope/analyze/cascade"
	"github.com/layerscope/layerscope/analyze/cascade/advice"
	"github.com/layerscope/layerscope/view/text"
)

// cascadeWidth is how wide a report of a cascade is where nothing else says so:
// numbers stand right of what may be long.
const cascadeWidth = 100

// CascadeText writes a report to be read: the Dockerfile with a mark for what
// becomes of each instruction and what it costs, why, and what all comes to;
// without a change what an edit of each line would make run again.
func CascadeText(w io.Writer, c *Cascade, opts TextOptions) error {
	if opts.Width == 0 {
		opts.Width = cascadeWidth
	}
	t := cascadeText{style: style{opts}, Cascade: c}
	return writeAll(w, func(w *bufio.Writer) {
		t.w = w
		t.header()
		switch {
		case len(c.Changes) > 0:
			t.dockerfile()
			t.causes()
			t.sums()
		case c.Files == nil:
			t.lines()
		}
		if c.Files != nil {
			t.files()
		}
		t.findings()
		t.notes()
	})
}

type cascadeText struct {
	style
	*Cascade
	w *bufio.Writer
}

// line writes a line, cut to the width.
func (t cascadeText) line(format string, args ...any) {
	fmt.Fprintln(t.w, t.cut(fmt.Sprintf(format, args...)))
}

// wrapped writes text in as many lines as it needs, indented by indent; first
// stands before the first.
func (t cascadeText) wrapped(first, words string) {
	indent := text.Width(first)
	for i, l := range text.Wrap(words, max(t.Width-indent, minLast)) {
		if i > 0 {
			first = strings.Repeat(" ", indent)
		}
		t.line("%s%s", first, l)
	}
}

// header says what is built, and what changes.
func (t cascadeText) header() {
	g := t.graph()
	t.line("%s", t.name(t.Dockerfile))
	t.line("")
	row := func(label, value string) { t.wrapped(fmt.Sprintf("  %-9s ", label), value) }
	row("builder", string(g.Options.Builder))
	if len(g.Stages) > 1 {
		row("target", t.name(stageName(g.Target)))
	}
	if g.Options.Platform != "" {
		row("platform", t.name(g.Options.Platform))
	}
	context := "not known"
	if t.Context != "" {
		context = t.name(t.Context)
	}
	row("context", context)
	for _, s := range t.Sources {
		row("measured", t.source(s))
	}
	for _, ch := range t.Changes {
		row("change", t.foreign(ch.words()))
	}
}

// source says what measures come from.
func (t cascadeText) source(s CascadeSource) string {
	name := t.name(s.Name)
	switch {
	case s.Problem != "":
		return name + ": nothing: " + t.foreign(s.Problem)
	case s.Kind == "log":
		return fmt.Sprintf("%s: time of %s", name, text.Plural(s.Instructions, "instruction"))
	}
	return fmt.Sprintf("%s: bytes of %s (%s)", name, text.Plural(s.Instructions, "instruction"), s.How)
}

// words says a change.
func (ch CascadeChange) words() string {
	switch ch.Kind {
	case ChangeLine:
		return fmt.Sprintf("%s, edited however", linesOf(ch.Line))
	case ChangeDockerfile:
		return fmt.Sprintf("the Dockerfile becomes %s", ch.Text)
	case ChangeFiles:
		return fmt.Sprintf("%s of the context: %s", text.Plural(len(ch.Files), "file"), someFiles(ch.Files))
	case ChangeGit:
		if len(ch.Files) == 0 {
			return fmt.Sprintf("%s: no file of the context", ch.Text)
		}
		return fmt.Sprintf("%s: %s of the context: %s", ch.Text, text.Plural(len(ch.Files), "file"), someFiles(ch.Files))
	case ChangeArg:
		return fmt.Sprintf("the build argument %s is %s", ch.Arg, strconv.Quote(ch.Text))
	case ChangeBase:
		return fmt.Sprintf("%s has another digest", ch.Image)
	}
	return ch.Kind
}

// someFiles names files: a few of many.
func someFiles(files []string) string {
	const most = 5
	if len(files) <= most {
		return strings.Join(files, ", ")
	}
	return fmt.Sprintf("%s and %s more", strings.Join(files[:most], ", "), text.Count(len(files)-most))
}

// marks stand for states, in the gutter.
var (
	marks      = [...]string{cascade.NotBuilt: "·", cascade.Hit: "○", cascade.MayMiss: "◐", cascade.Miss: "●"}
	asciiMarks = [...]string{cascade.NotBuilt: ".", cascade.Hit: "o", cascade.MayMiss: "?", cascade.Miss: "*"}
)

func (s style) mark(state cascade.State) string {
	if s.ASCII {
		return asciiMarks[state]
	}
	return marks[state]
}

// dockerfile writes the instructions with their states and costs.
func (t cascadeText) dockerfile() {
	g := t.graph()
	bytes, durations := t.measured()
	rows := sourceRows{style: t.style}
	if bytes {
		rows.titles = append(rows.titles, "BYTES")
	}
	if durations {
		rows.titles = append(rows.titles, "TIME")
	}
	stage := -1
	for i, s := range g.Steps {
		if s.Stage != stage && stage >= 0 {
			rows.rows = append(rows.rows, sourceRow{})
		}
		stage = s.Stage
		m := t.measure(s)
		row := sourceRow{mark: t.mark(t.state(i)), lines: s.Lines.String(), text: t.foreign(t.text(s))}
		if bytes {
			row.costs = append(row.costs, t.cost(s, m.Bytes, t.size))
		}
		if durations {
			row.costs = append(row.costs, t.cost(s, (*int64)(m.Duration), t.duration))
		}
		rows.rows = append(rows.rows, row)
	}
	fmt.Fprintln(t.w)
	rows.write(t.w)
	t.line("")
	t.line("  %s changed, or runs again   %s may run again   %s stays cached   %s isn't built",
		t.mark(cascade.Miss), t.mark(cascade.MayMiss), t.mark(cascade.Hit), t.mark(cascade.NotBuilt))
}

// cost says what is known of an instruction; nothing of one that there is
// nothing to know of.
func (t cascadeText) cost(s *cascade.Step, n *int64, say func(int64) string) string {
	switch {
	case n != nil && s.Works():
		return say(*n)
	case !s.Works():
		return ""
	}
	return t.unknown()
}

// duration says nanoseconds.
func (s style) duration(ns int64) string { return s.ascii(text.Duration(time.Duration(ns))) }

// causes says of each instruction that runs again why, by its lines.
func (t cascadeText) causes() {
	type reason struct{ lines, why string }
	var reasons []reason
	width := 0
	for _, v := range t.Prediction.Steps {
		if why := t.why(v); why != "" {
			reasons = append(reasons, reason{v.Step.Lines.String(), t.foreign(why)})
			width = max(width, len(v.Step.Lines.String()))
		}
	}
	if len(reasons) == 0 {
		return
	}
	fmt.Fprintln(t.w, "\nWhy")
	for _, r := range reasons {
		t.wrapped(fmt.Sprintf("  %*s  ", width, r.lines), r.why)
	}
}

// sums says what all comes to.
func (t cascadeText) sums() {
	sums := t.byState(t.state)
	fmt.Fprintln(t.w)
	if miss := sums[cascade.Miss]; miss.n == 0 {
		t.wrapped("", nothing(sums))
	} else {
		t.wrapped("", fmt.Sprintf("Certainly %s%s.", text.Plural(miss.n, "instruction"), t.amount(miss)))
	}
	if may := sums[cascade.MayMiss]; may.n > 0 {
		t.wrapped("", fmt.Sprintf("%s more if %s differs%s.", text.Count(may.n), t.condition(), t.amount(may)))
	}
	t.wrapped("", rest(sums))
}

// nothing says that nothing runs again for certain.
func nothing(sums [cascade.Miss + 1]total) string {
	if sums[cascade.MayMiss].n > 0 {
		return "Nothing runs again for certain."
	}
	return "Nothing runs again."
}

// rest says what doesn't run again.
func rest(sums [cascade.Miss + 1]total) string {
	words := text.Count(sums[cascade.Hit].n) + " cached"
	if n := sums[cascade.NotBuilt].n; n > 0 {
		words += ", " + text.Count(n) + " not built"
	}
	return words + "."
}

// condition names what may-misses hang on.
func (t cascadeText) condition() string {
	const most = 3
	all := t.conditions()
	for i, c := range all {
		all[i] = t.foreign(c)
	}
	switch {
	case len(all) == 0:
		return "what is built again"
	case len(all) > most:
		return fmt.Sprintf("any of %d things that are built again", len(all))
	}
	return strings.Join(all, " or ")
}

// amount says what instructions come to, as far as it is known: what isn't
// makes it at least so much.
func (s style) amount(t total) string {
	var parts []string
	say := func(p part, of int, words func(int64) string, what string) {
		switch {
		case p.known == 0:
		case p.known < of:
			parts = append(parts, "at least "+words(p.sum)+what)
		default:
			parts = append(parts, words(p.sum)+what)
		}
	}
	exported := t.n - t.unexported // what isn't in the image is neither pushed nor pulled
	say(t.dur, t.n, s.duration, "")
	say(t.bytes, exported, s.size, "")
	say(t.compressed, exported, s.size, " compressed")
	if len(parts) == 0 {
		return ""
	}
	return ": " + strings.Join(parts, ", ")
}

// notes says what can't be known, and what is to be known of the report.
func (t cascadeText) notes() {
	notes := t.allNotes()
	if len(notes) == 0 {
		return
	}
	fmt.Fprintln(t.w, "\nNotes")
	for _, n := range notes {
		where := ""
		if !n.Lines.IsZero() {
			where = linesOf(n.Lines) + ": "
		}
		t.wrapped("  ", t.foreign(where+t.redact.Text(n.Text)))
	}
}

// findings gives advice: where a change is asked about, that there is some.
func (t cascadeText) findings() {
	switch {
	case len(t.Findings) == 0:
		return
	case len(t.Changes) > 0:
		t.line("")
		t.wrapped("", t.someFindings())
		return
	}
	fmt.Fprintln(t.w, "\nWhat would make builds cheaper")
	for _, f := range t.Findings {
		where := ""
		if len(f.Lines) > 0 {
			where = allLines(f.Lines) + ": "
		}
		t.wrapped("  ", fmt.Sprintf("%s%s (%s)", where, f.Rule.Title, f.Rule.ID))
		t.wrapped("      ", t.foreign(t.redact.Text(f.Text)))
		if saves := t.saving(f); saves != "" {
			t.wrapped("      ", t.foreign(t.redact.Text(saves)))
		}
		for _, l := range editLines(f.Edit) {
			t.line("        %s", t.foreign(t.redact.Text(l)))
		}
	}
}

// someFindings says that there is advice, and where.
func (c *Cascade) someFindings() string {
	return text.Plural(len(c.Findings), "finding") + " on what would make builds cheaper: run without a change to see them."
}

// editLines returns the lines that an edit takes away and puts in, a few of many.
func editLines(e advice.Edit) []string {
	const most = 6
	var lines []string
	_, hunks, _ := strings.Cut(advice.Edit{Dockerfile: e.Dockerfile}.Diff(), "\n@@") // behind the file's names
	for l := range strings.Lines(hunks) {
		if l = strings.TrimRight(l, "\r\n"); len(l) > 1 && (l[0] == '+' || l[0] == '-') {
			lines = append(lines, l)
		}
	}
	for _, l := range e.IgnoreLines {
		lines = append(lines, "+"+l+"  (in .dockerignore)")
	}
	if len(lines) > most {
		more := len(lines) - most + 1
		lines = append(lines[:most-1], fmt.Sprintf("and %d more lines", more))
	}
	return lines
}

// saving says what following a finding saves; "" if that isn't computed.
func (s style) saving(f advice.Finding) string {
	v := f.Saves
	if v == nil {
		return ""
	}
	var parts []string
	if v.Instructions > 0 {
		parts = append(parts, text.Plural(v.Instructions, "instruction"))
	} else if v.MayInstructions > 0 {
		parts = append(parts, text.Plural(v.MayInstructions, "instruction")+" that may run again")
	}
	if ns := v.Nanoseconds; ns != nil && *ns > 0 {
		parts = append(parts, s.duration(*ns))
	}
	if v.Bytes != nil && *v.Bytes > 0 {
		parts = append(parts, s.size(*v.Bytes))
	}
	if len(parts) == 0 {
		return ""
	}
	return fmt.Sprintf("It saves %s when %s.", strings.Join(parts, ", "), v.When)
}
