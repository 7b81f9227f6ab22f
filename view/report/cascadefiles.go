package report

import (
	"fmt"
	"strings"

	"github.com/layerscope/layerscope/analyze/cascade/reads"
	"github.com/layerscope/layerscope/view/text"
)

// maxGroups is how many of the files that nothing reads are named.
const maxGroups = 10

// manyFiles is how many files an instruction takes without the largest being
// named.
const manyFiles = 10

// files writes which files the build reads.
func (t cascadeText) files() {
	t.changedFiles()
	t.reads()
	for _, c := range t.Files.Contexts {
		t.ignored(c)
		t.unread(c)
	}
	if len(t.Files.Contexts) == 0 {
		t.wrapped("", "The files of the context aren't known.")
	}
}

// changedFiles writes which instructions take the files that change.
func (t cascadeText) changedFiles() {
	if len(t.Files.Changed) == 0 {
		return
	}
	tab := table{style: t.style, cutLast: text.TruncateMiddle}
	tab.columns = []column{{title: "TAKEN BY", left: true}, {title: "FILE THAT CHANGES", left: true}}
	for _, f := range t.Files.Changed {
		lines := make([]string, len(f.Took))
		for i, s := range f.Took {
			lines[i] = linesOf(s.Lines)
		}
		by := strings.Join(lines, ", ")
		if by == "" {
			by = "nothing"
		}
		tab.add(by, t.name(f.Path))
	}
	fmt.Fprintln(t.w)
	tab.write(t.w)
}

// reads writes what each instruction takes.
func (t cascadeText) reads() {
	tab := table{style: t.style, cutLast: text.Truncate}
	tab.columns = []column{{title: "LINE"}, {title: "FILES"}, {title: "BYTES"}, {title: "CONTEXT", left: true}, {title: "WHAT IT TAKES", left: true}}
	other := false
	for _, r := range t.Files.Reads {
		other = other || r.Context != ""
		files, bytes := text.Count(r.Sum.Files), t.size(r.Bytes)
		if r.Err != nil {
			files, bytes = "none", ""
		}
		tab.add(r.Step.Lines.String(), files, bytes, t.name(r.Context), t.foreign(t.text(r.Step)))
	}
	if !other {
		tab.drop("CONTEXT")
	}
	fmt.Fprintln(t.w, "\nFiles that instructions take")
	if len(tab.rows) == 0 {
		t.line("  none")
		return
	}
	tab.write(t.w)
	t.largest()
}

// largest names the largest files of instructions that take many.
func (t cascadeText) largest() {
	tab := table{style: t.style, cutLast: text.TruncateMiddle}
	tab.columns = []column{{title: "LINE"}, {title: "BYTES"}, {title: "PATH", left: true}}
	for _, r := range t.Files.Reads {
		if r.Sum.Files <= manyFiles {
			continue
		}
		for _, e := range r.Largest {
			tab.add(r.Step.Lines.String(), t.size(e.Size), t.name(e.Path))
		}
	}
	if len(tab.rows) > 0 {
		fmt.Fprintln(t.w, "\nThe largest of them, where there are many")
		tab.write(t.w)
	}
}

// ignored writes what .dockerignore leaves out.
func (t cascadeText) ignored(c reads.Context) {
	if c.IgnoreFile == "" {
		fmt.Fprintln(t.w)
		t.wrapped("", fmt.Sprintf("There is no .dockerignore in the context%s.", t.ofContext(c)))
		return
	}
	fmt.Fprintf(t.w, "\n%s\n", t.cut(fmt.Sprintf("Left out by %s", t.name(c.IgnoreFile))))
	if len(c.Ignored) == 0 {
		t.line("  nothing")
		return
	}
	tab := table{style: t.style, cutLast: text.TruncateMiddle}
	tab.columns = []column{{title: "FILES"}, {title: "BYTES"}, {title: "PATTERN", left: true}, {title: "SUCH AS", left: true}}
	for _, i := range c.Ignored {
		example := ""
		if len(i.Examples) > 0 {
			example = t.name(i.Examples[0])
		}
		tab.add(text.Count(i.Files), t.size(i.Bytes), t.name(i.Pattern), example)
	}
	tab.write(t.w)
}

// unread writes what nothing reads.
func (t cascadeText) unread(c reads.Context) {
	fmt.Fprintf(t.w, "\n%s\n", t.cut(fmt.Sprintf("In the context%s and read by no instruction", t.ofContext(c))))
	if c.Unread.Files == 0 {
		t.line("  nothing")
		return
	}
	tab := table{style: t.style, cutLast: text.TruncateMiddle}
	tab.columns = []column{{title: "FILES"}, {title: "BYTES"}, {title: "PATH", left: true}}
	for i, g := range c.Groups {
		if i == maxGroups {
			var rest reads.Sum
			for _, g := range c.Groups[i:] {
				rest.Files += g.Files
				rest.Bytes += g.Bytes
			}
			tab.add(text.Count(rest.Files), t.size(rest.Bytes), "("+text.Plural(len(c.Groups)-i, "more path")+")")
			break
		}
		tab.add(text.Count(g.Files), t.size(g.Bytes), t.name(g.Path))
	}
	tab.add(text.Count(c.Unread.Files), t.size(c.Unread.Bytes), fmt.Sprintf("(all, of %s in %s)", t.size(c.All.Bytes), text.Plural(c.All.Files, "file")))
	tab.write(t.w)
}

// ofContext names a context that isn't the build's own.
func (t cascadeText) ofContext(c reads.Context) string {
	if c.Name == "" {
		return ""
	}
	return " " + t.name(c.Name)
}
