package report

import (
	"bufio"
	"fmt"
	"io"
	"strconv"

	"github.com/layerscope/layerscope/analyze/waste"
	"github.com/layerscope/layerscope/view/text"
)

// WasteOptions are how much the text of a waste report lists.
type WasteOptions struct {
	TextOptions
	All bool // every file, not only the largest
}

// Rows that the lists of a report have at most, and those of a report of nothing
// but waste.
const (
	fewRows  = 10
	someRows = 25
)

// Waste writes what an image could do without: what is dead and why, which
// steps wrote and killed it, duplicates, disposable files and secrets.
func Waste(w io.Writer, subject Subject, opts WasteOptions) error {
	if err := subject.check(); err != nil {
		return err
	}
	rows := someRows
	if opts.All {
		rows = 0
	}
	s := style{opts.TextOptions}
	return writeAll(w, func(w *bufio.Writer) {
		s.header(w, subject.Image)
		s.waste(w, subject, rows)
	})
}

// waste writes the sections of a report that are about waste, each list with at
// most a number of rows, 0 for all.
func (s style) waste(w *bufio.Writer, subject Subject, rows int) {
	l := wasteText{sections{s, w, rows}, subject}
	l.reasons()
	l.deadSteps()
	l.deadFiles()
	l.advice()
	l.disposable()
	l.duplicates()
	l.secretFiles()
	l.secretValues()
	l.dive()
}

// wasteText writes sections.
type wasteText struct {
	sections
	Subject
}

// reasonText says what the reasons mean.
var reasonText = [waste.NumReasons]string{
	waste.Overwritten: "by other content",
	waste.Rewritten:   "by the same content: chmod, chown",
	waste.Deleted:     "itself, or a directory above it",
	waste.Replaced:    "by another type, or twice in a tar",
}

// reasons writes what is dead, by reason.
func (l wasteText) reasons() {
	d := l.Findings.Dead
	if d.Copies == nil {
		fmt.Fprintln(l.w, "\nNo bytes are dead.")
		return
	}
	t := table{wrap: true, columns: []column{{title: "BYTES"}, {title: "OWN"}, {title: "COMPRESSED"}, {title: "SHARE"}, {title: "COPIES"}, {title: "REASON", left: true}, {left: true}}}
	row := func(sum waste.Tally, reason, what string) {
		t.add(l.size(sum.Bytes), l.size(sum.Of(l.Image.IsOwn).Bytes), l.size(sum.Compressed), text.Percent(sum.Bytes, l.Image.Totals.Stored),
			text.Count(sum.Copies), reason, what)
	}
	for r := range waste.Reason(waste.NumReasons) {
		if sum := d.ByReason[r]; sum.Copies > 0 {
			row(sum, r.String(), reasonText[r])
		}
	}
	row(d.Tally, "all", "")
	if l.Image.Base.How == "" {
		t.drop("OWN")
	}
	if !anyCompressed(l.Image) {
		t.drop("COMPRESSED")
	}
	l.section("Dead bytes", t)
}

// baseAndOwn says of a sum how it falls on the base and on the image's own
// layers.
func (l wasteText) baseAndOwn(t waste.Tally) string {
	if l.Image.Base.How == "" {
		return ""
	}
	return fmt.Sprintf("%s in the base, %s in own layers", l.size(t.Of(l.Image.IsBase).Bytes), l.size(t.Of(l.Image.IsOwn).Bytes))
}

// deadSteps writes which steps wrote and which killed what is dead.
func (l wasteText) deadSteps() {
	d := l.Findings.Dead
	t := table{columns: []column{{title: "#"}, {title: "WROTE"}, {title: "KILLED"}, {title: "STEP", left: true}}}
	for k := range d.Layers {
		if d.Layers[k].Copies == 0 && d.Killed[k].Copies == 0 {
			continue
		}
		step := l.step(k)
		t.add(strconv.Itoa(step), l.some(d.Layers[k]), l.some(d.Killed[k]), l.foreign(l.Image.Steps[step].Text))
	}
	l.section("Dead bytes by step", t)
}

// some returns a sum's bytes, nothing for none.
func (s style) some(sum waste.Sum) string {
	if sum.Copies == 0 {
		return ""
	}
	return s.size(sum.Bytes)
}

// deadFiles writes the dead copies, the largest first.
func (l wasteText) deadFiles() {
	t := table{cutLast: text.TruncateMiddle, columns: []column{{title: "BYTES"}, {title: "WROTE"}, {title: "KILLED"},
		{title: "REASON", left: true}, {title: "PATH", left: true}}}
	copies := l.Findings.Dead.Copies
	l.list("Dead files, with the steps that wrote and killed them", t, len(copies), "file", func(t *table, i int) {
		c := copies[i]
		t.add(l.size(c.Bytes), strconv.Itoa(l.writer(c.Copy)), strconv.Itoa(l.step(c.KilledBy)), c.Reason.String(), l.name(l.path(c.Path)))
	}, nil)
}

// advice writes what to do about what is dead.
func (l wasteText) advice() {
	t := table{wrap: true, columns: []column{{title: "BYTES"}, {title: "WHAT TO DO", left: true}}}
	causes := l.causes()
	l.list("What would spare dead bytes", t, len(causes), "cause", func(t *table, i int) {
		t.add(l.size(causes[i].Bytes), l.Subject.advice(causes[i]))
	}, nil)
}

// disposable writes what files match which rule, and, where there is room, what
// to do about them.
func (l wasteText) disposable() {
	brief := l.rows == fewRows
	t := table{wrap: true, columns: []column{{title: "BYTES"}, {title: "FILES"}, {title: "STEPS", left: true},
		{title: "RULE", left: true}, {title: "WHAT TO DO", left: true}}}
	if brief {
		t.columns[len(t.columns)-1].title = "WHAT IT IS"
	}
	d := l.Findings.Disposable
	l.list("Files that images rarely need (docs/rules)", t, len(d.Classes), "rule", func(t *table, i int) {
		c := d.Classes[i]
		what := c.Rule.Fix
		if brief {
			what = c.Rule.Title
		}
		t.add(l.size(c.Bytes), text.Count(c.Sum.Copies), l.stepList(c.Origins), c.Rule.ID, what)
	}, []string{l.size(d.Bytes), text.Count(d.Copies), "", "all", l.baseAndOwn(d.Tally)})
}

// duplicates writes what is there more than once: of each content the copy that
// would remain and, if everything is listed, the others.
func (l wasteText) duplicates() {
	t := table{cutLast: text.TruncateMiddle, columns: []column{{title: "WASTED"}, {title: "COPIES"}, {title: "SIZE"},
		{title: "STEP"}, {title: "PATH", left: true}}}
	d := l.Findings.Duplicates
	l.list("Duplicates: files of equal content", t, len(d.Groups), "content", func(t *table, i int) {
		g := d.Groups[i]
		first := g.Copies[0]
		t.add(l.size(g.Bytes()), text.Count(len(g.Copies)), l.size(g.Size), strconv.Itoa(l.writer(first)), l.name(l.path(first.Path)))
		for _, c := range g.Copies[1:] {
			if l.rows == 0 {
				t.add("", "", "", strconv.Itoa(l.writer(c)), l.name(l.path(c.Path)))
			}
		}
	}, []string{l.size(d.Bytes), text.Count(d.Copies), "", "", l.baseAndOwn(d.Tally)})
}

// secretFiles writes which secrets were hidden, but are there.
func (l wasteText) secretFiles() {
	t := table{cutLast: text.TruncateMiddle, columns: []column{{title: "WROTE"}, {title: "HID"}, {title: "KIND", left: true}, {title: "PATH", left: true}}}
	files := l.Findings.SecretFiles
	l.list("Secrets by their names, removed but readable by all who pull the image", t, len(files), "file", func(t *table, i int) {
		f := files[i]
		t.add(strconv.Itoa(l.writer(f.Copy)), strconv.Itoa(l.step(f.KilledBy)), f.Kind, l.name(l.path(f.Path)))
	}, nil)
}

// secretValues writes which records of the history hold what looks secret.
func (l wasteText) secretValues() {
	t := table{cutLast: text.Truncate, columns: []column{{title: "STEP"}, {title: "IN", left: true}, {title: "VALUE", left: true}}}
	values := l.Findings.SecretValues
	l.list("Secrets in the history, by their names or looks", t, len(values), "value", func(t *table, i int) {
		v := values[i]
		t.add(strconv.Itoa(v.Step), v.In, l.foreign(v.Name+"="+v.Masked))
	}, nil)
}

// dive writes the numbers of the tool of that name.
func (l wasteText) dive() {
	d := l.Findings.Dive
	user := l.unknown() // what dive divides by 0
	if p := nullFloat(d.UserWastedPercent); p != nil {
		user = strconv.FormatFloat(100**p, 'f', 2, 64) + " %"
	}
	fmt.Fprintf(l.w, "\n%s\n", l.cut("dive's numbers"))
	fmt.Fprintln(l.w, l.cut(fmt.Sprintf("%sefficiency %.2f %%, wasted %s, user wasted %s", gap, 100*d.EfficiencyScore, l.size(d.WastedBytes), user)))
}
