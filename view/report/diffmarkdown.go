package report

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/layerscope/layerscope/diff"
	"github.com/layerscope/layerscope/view/text"
)

// Rows that the lists of a comparison in Markdown have at most, so that it stays
// under 60 lines.
const (
	markdownDiffSteps    = 5
	markdownDiffDirs     = 4
	markdownDiffPackages = 4
	markdownDiffConfig   = 8 // names on a line
	markdownName         = 40
)

// DiffMarkdown writes what differs as a comment on a pull request, under 60
// lines: how much and why, what a host fetches, and the steps, directories and
// packages that make most of the difference. It is GitHub's Markdown; names of
// the images stand in code spans.
func DiffMarkdown(w io.Writer, c Comparison, opts TextOptions) error {
	opts.Width = markdownText
	return writeAll(w, func(w *bufio.Writer) {
		m := diffMarkdown{diffText{sections{style{opts}, w, fewRows}, c}, markdown{style: style{opts}, w: w}}
		m.head()
		if c.Same() || c.layersOnly() {
			return
		}
		m.causes()
		m.steps()
		m.directories()
		m.packages()
		m.unread()
		m.config()
	})
}

type diffMarkdown struct {
	diffText
	md markdown
}

// shownOf says of a list how much of it is shown, "" if all is.
func shownOf(shown, all int) string {
	if shown == all {
		return ""
	}
	return fmt.Sprintf(" (%s of %s shown)", text.Count(shown), text.Count(all))
}

// table writes a table's title and header; numbers is how many columns of it are
// numbers.
func (m diffMarkdown) table(title string, numbers int, columns ...string) {
	if title != "" {
		m.md.line("\n**%s**\n", title)
	}
	lines := make([]string, len(columns))
	for i := range lines {
		lines[i] = "---"
		if i < numbers {
			lines[i] = "--:"
		}
	}
	m.md.line("| %s |\n|%s|", strings.Join(columns, " | "), strings.Join(lines, "|"))
}

// head says what the images are, and what differs in short.
func (m diffMarkdown) head() {
	old, new := m.images()
	m.md.line("### layerscope: %s\n", m.to(m.quote(old, markdownText), m.quote(new, markdownText)))
	for i, l := range m.summary(m.style, m.quote) {
		if i == 0 {
			l = "**" + l + "**"
		}
		m.md.line("- %s", l)
	}
	if m.Same() {
		return
	}
	m.md.line("\n| | OLD | NEW | difference | |\n|---|--:|--:|--:|--:|")
	for _, r := range m.totals(m.style) {
		m.md.line("| %s |", strings.Join(r[:], " | "))
	}
}

// images names the images: by their own names, or by what was asked for where
// those don't tell them apart, as of two archives of one tag.
func (c Comparison) images() (old, new string) {
	old, new = cmp.Or(c.Old.Name, c.Old.Reference), cmp.Or(c.New.Name, c.New.Reference)
	if old == new && c.Old.Reference != c.New.Reference {
		return c.Old.Reference, c.New.Reference
	}
	return old, new
}

// quote returns text of an image as a code span.
func (m diffMarkdown) quote(s string, cells int) string {
	md := m.md
	md.Width = cells
	return md.code(s)
}

// causes writes why NEW stores more, or less.
func (m diffMarkdown) causes() {
	m.table("Why", 3, "OLD", "NEW", "difference", "stored for")
	for _, c := range m.Causes {
		if c.Bytes != (diff.Bytes{}) {
			m.md.line("| %s | %s | %s | %s |", m.size(c.Bytes.Old), m.size(c.Bytes.New), m.style.diff(c.Bytes), c.Kind.Title())
		}
	}
}

// steps lists the steps that make most of the difference.
func (m diffMarkdown) steps() {
	var all []diff.Step
	for _, s := range m.Steps {
		if !isSame(s) {
			all = append(all, s)
		}
	}
	if len(all) == 0 {
		return
	}
	all = sorted(all, func(s diff.Step) diff.Bytes { return s.Stored })
	shown := all[:min(len(all), markdownDiffSteps)]
	m.table("Steps: "+m.stepCounts()+shownOf(len(shown), len(all)), 3, "OLD", "NEW", "difference", "state", "")
	for _, s := range shown {
		m.md.line("| %s | %s | %s | %s | %s |", index(s.Old), index(s.New), m.style.diff(s.Stored), s.State, m.md.cell(m.stepText(s)))
	}
}

// directories lists those that show where the difference is.
func (m diffMarkdown) directories() {
	shown, more := m.dirs(markdownDiffDirs)
	if len(shown) == 0 {
		return
	}
	m.table("Directories, with all below them"+shownOf(len(shown), len(shown)+more), 3, "OLD", "NEW", "difference", "")
	for _, i := range shown {
		d := m.Files.Dirs[i]
		m.md.line("| %s | %s | %s | %s |", m.size(d.Bytes.Old), m.size(d.Bytes.New), m.style.diff(d.Bytes), m.md.cell(m.path(d.Old, d.New)))
	}
}

// packages lists those that make most of the difference.
func (m diffMarkdown) packages() {
	all := m.Packages.Changes
	if len(all) == 0 {
		return
	}
	shown := all[:min(len(all), markdownDiffPackages)]
	m.table("Packages: "+m.packageCounts()+shownOf(len(shown), len(all)), 1, "difference", "state", "version", "")
	for _, p := range shown {
		one := cmp.Or(p.New, p.Old)
		m.md.line("| %s | %s | %s | %s (%s) |", m.style.diff(p.Bytes), p.State, m.md.cell(m.versions(p)), m.md.cell(one.Name), one.Ecosystem)
	}
}

// unread says how much that should tell of packages can't be read.
func (m diffMarkdown) unread() {
	var parts []string
	for _, side := range m.sides() {
		if all := side.Packages.Unread; len(all) > 0 {
			parts = append(parts, fmt.Sprintf("%s of %s", text.Plural(len(all), "file"), side.name))
		}
	}
	if len(parts) > 0 {
		m.md.line("\n**Not read**, so that what these tell of is no package's: %s", strings.Join(parts, ", "))
	}
}

// config names what differs of the configs.
func (m diffMarkdown) config() {
	if len(m.Config) == 0 {
		return
	}
	var names []string
	for _, c := range m.Config[:min(len(m.Config), markdownDiffConfig)] {
		name := c.Key
		if c.Name != "" {
			name += " " + m.quote(c.Name, markdownName)
		}
		names = append(names, name)
	}
	if more := len(m.Config) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("%s more", text.Count(more)))
	}
	m.md.line("\n**Config**: %s", strings.Join(names, ", "))
}
