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
	"github.com/layerscope/layerscope/analyze/packages"
	"github.com/layerscope/layerscope/analyze/tree"
	"github.com/layerscope/layerscope/diff"
	"github.com/layerscope/layerscope/view/text"
)

// Comparison is what a report of a comparison is about: two images and what
// differs between them.
type Comparison struct {
	// Diff has no more than Old, New and Layers if nothing but the images'
	// layers was compared.
	*diff.Diff
	Budget *int64 // by how many bytes NEW may store more than OLD; nil for any number
}

// layersOnly tells whether nothing but layers was compared.
func (c Comparison) layersOnly() bool { return c.Files == nil }

// Same tells whether nothing differs of what was compared.
func (c Comparison) Same() bool {
	if c.layersOnly() {
		return c.Layers.Identical()
	}
	return c.Identical()
}

// budgetLevel tells how NEW did at the budget.
func (c Comparison) budgetLevel() gate.Level {
	switch {
	case c.Budget == nil:
		return gate.Off
	case c.Stored.Diff() > *c.Budget:
		return gate.Fail
	}
	return gate.Pass
}

// OverBudget says by how much NEW is over the budget, in ASCII; "" if it isn't.
func (c Comparison) OverBudget(opts TextOptions) string {
	if c.budgetLevel() != gate.Fail {
		return ""
	}
	opts.ASCII = true
	return "budget: " + style{opts}.growth(c)
}

// growth says what NEW stores more and what it may, in full where rounding would
// hide that it is beyond.
func (s style) growth(c Comparison) string {
	say := func() (grew, limit string) {
		return s.minus(text.Change(c.Stored.Diff(), s.amountOf)), s.minus(text.Change(*c.Budget, s.amountOf))
	}
	grew, limit := say()
	if grew == limit && c.budgetLevel() == gate.Fail {
		s.Bytes = true
		grew, limit = say()
	}
	return fmt.Sprintf("NEW stores %s, the limit is %s", grew, limit)
}

// change returns by how many bytes something grew.
func (s style) change(n int64) string { return s.minus(text.Change(n, s.size)) }

// minus returns a number with a sign that the options allow.
func (s style) minus(n string) string {
	if s.ASCII {
		return strings.Replace(n, "−", "-", 1)
	}
	return n
}

// diff returns by how many bytes NEW has more.
func (s style) diff(b diff.Bytes) string {
	if !b.Known() {
		return s.unknown()
	}
	return s.change(b.Diff())
}

// amountOf returns a number of bytes as a sentence has it: with a unit.
func (s style) amountOf(n int64) string {
	if s.Bytes {
		return text.Bytes(n) + " B"
	}
	return s.size(n)
}

// to says what became of something.
func (s style) to(old, new string) string {
	if s.ASCII {
		return old + " -> " + new
	}
	return old + " → " + new
}

// path returns a path that both images have, or one of them, from the root on.
func (c Comparison) path(old, new tree.Node) string {
	if new != diff.NoNode {
		return rooted(c.New.Tree, new)
	}
	return rooted(c.Old.Tree, old)
}

// byWeight orders by the difference in bytes, and of one by the bytes: what was
// moved, or has other content of the same size, makes none.
func byWeight(a, b diff.Bytes) int {
	return cmp.Or(cmp.Compare(b.Abs(), a.Abs()), cmp.Compare(max(b.Old, b.New), max(a.Old, a.New)))
}

// sorted returns things, those that make the largest difference first; others
// keep their order.
func sorted[T any](all []T, bytes func(T) diff.Bytes) []T {
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b T) int { return byWeight(bytes(a), bytes(b)) })
	return all
}

// DiffOptions are how much the text of a comparison lists.
type DiffOptions struct {
	TextOptions
	All bool // everything, not only what differs most
}

// Diff writes what differs to be read: how much and why, what hosts fetch, then
// layers, steps, directories, files, packages and config.
func Diff(w io.Writer, c Comparison, opts DiffOptions) error {
	rows := fewRows
	if opts.All {
		rows = 0
	}
	return writeAll(w, func(w *bufio.Writer) {
		t := diffText{sections{style{opts.TextOptions}, w, rows}, c}
		t.head()
		if c.Same() {
			return
		}
		if !c.layersOnly() {
			t.causes()
		}
		t.pulls()
		t.layers()
		if c.layersOnly() {
			return
		}
		t.steps()
		t.directories()
		t.fileSums()
		t.files()
		t.moved()
		t.packages()
		t.unread()
		t.config()
	})
}

// diffText writes the sections of a comparison.
type diffText struct {
	sections
	Comparison
}

// some returns the first n of a list's rows, all if all are to be listed.
func (t diffText) some(n, most int) int {
	if t.rows == 0 {
		return n
	}
	return min(n, most)
}

func (t diffText) line(format string, args ...any) {
	for _, l := range t.wrapped(fmt.Sprintf(format, args...)) {
		fmt.Fprintln(t.w, l)
	}
}

// wrapped breaks a line where it is too long.
func (t diffText) wrapped(line string) []string {
	if t.Width == 0 {
		return []string{line}
	}
	return text.Wrap(line, t.Width)
}

// head writes what the images are, and what differs in short.
func (t diffText) head() {
	names := table{style: t.style, cutLast: text.TruncateMiddle, columns: []column{
		{left: true}, {title: "ID", left: true}, {title: "PLATFORM", left: true}, {title: "IMAGE", left: true},
	}}
	for _, side := range t.sides() {
		names.add(side.name, t.id(side.Image), t.quote(side.Platform.String(), maxPlatform), t.name(side.Reference))
	}
	names.write(t.w)
	t.line("")
	for _, l := range t.summary(t.style, t.quote) {
		t.line("%s", l)
	}
	if t.Same() {
		return
	}
	totals := table{columns: []column{{left: true}, {title: "OLD"}, {title: "NEW"}, {title: "DIFFERENCE"}, {left: true}}}
	for _, r := range t.totals(t.style) {
		totals.add(r[:]...)
	}
	totals.style, totals.cutLast = t.style, text.Truncate
	t.line("")
	totals.write(t.w)
}

// Cells that what comes from an image may take in columns that aren't the last.
const (
	maxPlatform = 16
	maxID       = len("sha256:") + 12
)

// id returns as much of an image's ID as people use.
func (s style) id(m *analyze.Image) string {
	id := s.name(hash(m.ID))
	if id == "" {
		return s.unknown()
	}
	return id[:min(len(id), maxID)]
}

// quote returns text of an image in at most so many cells, as a report has it
// among its own words.
type quote func(s string, cells int) string

func (s style) quote(str string, cells int) string {
	return s.shorten(s.foreign(str), cells, text.Truncate)
}

// summary says in a line or a few what differs; q quotes the images.
func (c Comparison) summary(s style, q quote) []string {
	var lines []string
	switch {
	case c.Same() && c.layersOnly():
		lines = append(lines, "The images have the same layers.")
	case c.Same():
		lines = append(lines, "The images are identical: the same layers, steps and config.")
	case c.layersOnly():
		lines = append(lines, s.pull(oldName, c.Layers.Pull)+".")
	default:
		lines = append(lines, fmt.Sprintf("%s. %s.", s.stores(c.Stored), s.pull(oldName, c.Layers.Pull)))
	}
	if a, b := c.Old.Platform.String(), c.New.Platform.String(); a != b {
		lines = append(lines, fmt.Sprintf("The platforms differ: %s.", s.to(q(a, maxPlatform), q(b, maxPlatform))))
	}
	if !c.layersOnly() && !c.Same() {
		if base := s.baseChange(c.Base, q); base != "" {
			lines = append(lines, base+".")
		}
	}
	if c.Budget != nil {
		lines = append(lines, fmt.Sprintf("Budget: %s, %s.", c.budgetLevel(), s.growth(c)))
	}
	return lines
}

// The images, as reports name them.
const (
	oldName = "OLD"
	newName = "NEW"
)

// stores says how much more NEW stores.
func (s style) stores(b diff.Bytes) string {
	n := b.Diff()
	if n == 0 {
		return "NEW stores as much as OLD"
	}
	more := "more"
	if n < 0 {
		more = "less"
	}
	line := fmt.Sprintf("NEW stores %s %s than OLD", s.amountOf(b.Abs()), more)
	if share := s.share(b); share != "" {
		line += " (" + share + ")"
	}
	return line
}

// share returns a difference in percent of OLD, "" of nothing and of one that is
// as good as none.
func (s style) share(b diff.Bytes) string {
	n := b.Diff()
	p := 100 * float64(b.Abs()) / float64(b.Old)
	switch {
	case n == 0 || b.Old <= 0 || p < 0.05:
		return ""
	case p >= 1000:
		return s.minus(text.Change(n, func(int64) string { return text.Count(int(p+0.5)) + "%" }))
	}
	return s.minus(text.Change(n, func(n int64) string { return text.Percent(n, b.Old) }))
}

// pull says what a host fetches that has one of the images.
func (s style) pull(has string, p diff.Pull) string {
	switch {
	case p.Layers == 0:
		return fmt.Sprintf("A host that has %s fetches no layer", has)
	case p.Bytes == diff.Unknown:
		return fmt.Sprintf("A host that has %s fetches %s, of a size that isn't known", has, text.Plural(p.Layers, "layer"))
	}
	return fmt.Sprintf("A host that has %s fetches %s in %s", has, s.amountOf(p.Bytes), text.Plural(p.Layers, "layer"))
}

// baseChange says what became of the base, "" if that says nothing.
func (s style) baseChange(b diff.BaseChange, q quote) string {
	old, new := distribution(b.Old, q), distribution(b.New, q)
	switch b.State {
	case diff.BaseSame:
		if b.New == nil {
			return ""
		}
		return "The base is the same: " + new
	case diff.BaseRebuilt:
		if b.OldRelease != b.NewRelease {
			new += ": " + s.to(q(b.OldRelease, maxRelease), q(b.NewRelease, maxRelease))
		}
		return "The base is another build of " + new
	case diff.BaseRelease, diff.BaseOther:
		return "The base changed: " + s.to(old, new)
	}
	return ""
}

func distribution(d *packages.Distribution, q quote) string {
	if d == nil {
		return "no distribution"
	}
	return q(cmp.Or(d.Name, strings.TrimSpace(d.ID+" "+d.Version)), maxDistribution)
}

// Cells that the names of distributions and of their releases take.
const (
	maxDistribution = 40
	maxRelease      = 20
)

// totals returns what the images add up to: what it is of, OLD, NEW, the
// difference, and what part of OLD that is.
func (c Comparison) totals(s style) [][5]string {
	var rows [][5]string
	bytes := func(name string, b diff.Bytes) {
		rows = append(rows, [5]string{name, s.size(b.Old), s.size(b.New), s.diff(b), s.share(b)})
	}
	count := func(name string, old, new int) {
		say := func(n int64) string { return text.Count(int(n)) }
		rows = append(rows, [5]string{name, text.Count(old), text.Count(new), s.minus(text.Change(int64(new-old), say))})
	}
	old, new := c.Old.Totals, c.New.Totals
	if !c.layersOnly() {
		bytes("stored", c.Stored)
		bytes("live", c.Live)
		bytes("dead", c.Dead)
	}
	bytes("compressed", diff.Bytes{Old: old.Compressed, New: new.Compressed})
	if !c.layersOnly() {
		count("files", old.Files, new.Files)
	}
	count("layers", old.Layers, new.Layers)
	return rows
}

// Parts of a cause that are named, in a comparison if they say enough of it.
const (
	maxParts  = 3
	partShare = 20 // at least one in so many of the bytes by which the cause's parts differ
)

// causes writes why NEW stores more, or less.
func (t diffText) causes() {
	tab := table{columns: []column{{title: "OLD"}, {title: "NEW"}, {title: "DIFFERENCE"}, {title: "STORED FOR", left: true}}}
	row := func(b diff.Bytes, what string) { tab.add(t.size(b.Old), t.size(b.New), t.style.diff(b), what) }
	for _, cause := range t.Causes {
		if cause.Bytes == (diff.Bytes{}) {
			continue
		}
		row(cause.Bytes, cause.Kind.Title())
		for _, p := range t.parts(cause) {
			row(p.Bytes, gap+t.name(p.ID))
		}
	}
	row(t.Stored, "all that is stored")
	t.section("Why", tab)
}

// parts returns the parts of a cause that say what it is about.
func (t diffText) parts(c diff.Cause) []diff.CausePart {
	if t.rows == 0 {
		return c.Parts
	}
	all := int64(0)
	for _, p := range c.Parts {
		all += p.Bytes.Abs()
	}
	var shown []diff.CausePart
	for _, p := range c.Parts {
		if n := p.Bytes.Abs(); n > 0 && n >= all/partShare && len(shown) < maxParts {
			shown = append(shown, p)
		}
	}
	return shown
}
