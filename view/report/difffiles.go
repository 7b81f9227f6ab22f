package report

import (
	"strings"

	"github.com/layerscope/layerscope/diff"
	"github.com/layerscope/layerscope/view/text"
)

// directories writes where the difference is.
func (t diffText) directories() {
	tab := table{cutLast: text.TruncateMiddle, columns: []column{{title: "OLD"}, {title: "NEW"}, {title: "DIFFERENCE"}, {title: "CHANGED"}, {title: "DIRECTORY", left: true}}}
	shown, more := t.dirs(fewRows)
	for _, i := range shown {
		d := t.Files.Dirs[i]
		tab.add(t.size(d.Bytes.Old), t.size(d.Bytes.New), t.style.diff(d.Bytes), text.Count(d.Changed), t.name(t.path(d.Old, d.New)))
	}
	if more > 0 {
		tab.add("", "", "", "", "and "+text.Count(more)+" more")
	}
	t.section("Directories, with all that is below them", tab)
}

// dirs returns the directories to list, and how many more show where the
// difference is: not the root, whose bytes are all that is live.
func (t diffText) dirs(most int) (shown []int, more int) {
	if t.rows == 0 {
		for i := range t.Files.Dirs {
			shown = append(shown, i)
		}
		return shown, 0
	}
	files := t.Comparison.Files
	all := files.Notable(len(files.Dirs))
	if len(all) == 0 || all[0] != 0 {
		shown = files.Notable(most)
		return shown, len(all) - len(shown)
	}
	shown = files.Notable(most + 1)[1:] // the root has the most churn
	return shown, len(all) - 1 - len(shown)
}

// fileStateText says what became of paths.
var fileStateText = [diff.NumFileStates]string{
	diff.FileAdded:       "added",
	diff.FileRemoved:     "removed",
	diff.FileModified:    "with other content",
	diff.FileMetadata:    "with another mode, owner or attributes",
	diff.FileMoved:       "moved",
	diff.FileTypeChanged: "of another type",
}

// changed says what became of paths of a state.
func (c Comparison) changed(state diff.FileState) string {
	if state == diff.FileMetadata && c.Options.Strict {
		return "with another time, mode, owner or attributes"
	}
	return fileStateText[state]
}

// fileSums writes what became of how many paths.
func (t diffText) fileSums() {
	tab := table{columns: []column{{title: "PATHS"}, {title: "OLD"}, {title: "NEW"}, {title: "DIFFERENCE"}, {left: true}}}
	row := func(count string, b diff.Bytes, what string) {
		tab.add(count, t.size(b.Old), t.size(b.New), t.style.diff(b), what)
	}
	for state, sum := range t.Files.Sums {
		if sum.Count > 0 {
			row(text.Count(sum.Count), sum.Bytes, t.changed(diff.FileState(state)))
		}
	}
	row(text.Count(t.Files.Unchanged.Count), t.Files.Unchanged.Bytes, "the same")
	row("", t.Files.Dead, "(dead: no path leads to them)")
	row("", t.Stored, "(all that is stored)")
	t.section("Paths of the final filesystem", tab)
}

// files writes the files that make most of the difference.
func (t diffText) files() {
	var all []diff.File
	for _, f := range t.Files.Changes {
		if f.State != diff.FileMoved {
			all = append(all, f)
		}
	}
	all = sorted(all, func(f diff.File) diff.Bytes { return f.Bytes })
	tab := table{cutLast: text.TruncateMiddle, columns: []column{{title: "OLD"}, {title: "NEW"}, {title: "DIFFERENCE"}, {title: "CHANGE", left: true}, {title: "PATH", left: true}}}
	t.list("Paths that differ most", tab, len(all), "path", func(tab *table, i int) {
		f := all[i]
		old, new := t.size(f.Bytes.Old), t.size(f.Bytes.New)
		if f.Old == diff.NoNode {
			old = ""
		}
		if f.New == diff.NoNode {
			new = ""
		}
		tab.add(old, new, t.style.diff(f.Bytes), t.what(f), t.name(t.path(f.Old, f.New)))
	}, nil)
}

// maxWhatDiffers is the most cells that what differs takes on a line of limited
// width.
const maxWhatDiffers = 14

// what says what differs of a path.
func (s style) what(f diff.File) string {
	if f.State == diff.FileAdded || f.State == diff.FileRemoved {
		return f.State.String()
	}
	return s.shorten(strings.Join(f.What.Names(), ", "), maxWhatDiffers, text.Truncate)
}

// moved writes from where to where files went, those together that went alike.
func (t diffText) moved() {
	all := t.Comparison.Files.MovedDirs()
	tab := table{cutLast: text.TruncateMiddle, columns: []column{{title: "BYTES"}, {title: "FILES"}, {left: true}, {title: "PATH", left: true}}}
	t.list("Moved", tab, len(all), "move", func(tab *table, i int) {
		m := all[i]
		tab.add(t.size(m.Bytes.New), text.Count(m.Count), "from", t.name(rooted(t.Old.Tree, m.Old)))
		tab.add("", "", "to", t.name(rooted(t.New.Tree, m.New)))
	}, nil)
}
