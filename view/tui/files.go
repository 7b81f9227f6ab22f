package tui

import (
	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/layer"
	"github.com/layerscope/layerscope/analyze/tree"
	"github.com/layerscope/layerscope/view/text"
)

// files is the pane beside the steps: what the selected step changed, or the
// image after it, as a tree.
type files struct {
	u    *ui
	list *list

	whole   bool // the image after the step, not what the step changed
	order   order
	filter  string // "" for none
	folds   folds
	inFound folds // as long as there is a filter

	asked    int      // id of the last request
	answered int      // id of the last request that is no longer waited for
	shown    *listing // nil while there is none to show
	message  string   // what is said instead
	cursors  map[place]string
}

// place is a filesystem of the image whose cursor is remembered.
type place struct {
	layer int
	whole bool
}

func newFiles(u *ui, l *list) *files {
	return &files{u: u, list: l, cursors: map[place]string{}}
}

// subjectOf returns what to show of step i or, if there is nothing, why.
func subjectOf(m *analyze.Image, i int, whole bool, now state) (subject, string) {
	if m == nil || i < 0 {
		return subject{}, ""
	}
	s := subject{tree: m.Tree, layer: m.Steps[i].Layer, whole: whole, windows: m.Platform.OS == "windows"}
	known := true
	if whole {
		s.layer, known = m.LayerUpTo(i)
	}
	switch {
	case !known:
		return subject{}, "The history doesn't fit the layers: it can't be told what the image held after this step."
	case whole && s.layer < 0:
		return subject{}, "There is nothing in the image yet."
	case s.layer < 0 && m.Steps[i].Stored == analyze.Unknown:
		return subject{}, "The history doesn't tell this step's layer."
	case s.layer < 0:
		return subject{}, "This step made no layer: it set something in the image's configuration."
	case s.tree != nil:
		return s, ""
	case whole && now == reading:
		return subject{}, "The image after this step is shown once all layers are read."
	case whole:
		return subject{}, "Not all layers were read, so the image can't be put together."
	}
	if s.index = m.Layers[s.layer].Index; s.index != nil {
		return s, ""
	}
	if now == reading {
		return subject{}, "This layer isn't read yet."
	}
	return subject{}, "This layer wasn't read."
}

// refresh asks for what is to be shown now. What is shown of the same
// filesystem stays until the answer comes.
func (f *files) refresh() {
	f.remember()
	s, msg := f.subjectNow(f.whole)
	if s == (subject{}) {
		f.asked++ // what was asked for isn't wanted any more
		f.answered = f.asked
		f.message = msg
		if image, _ := f.subjectNow(true); image != s {
			f.message += "\n" + f.u.keys.of("files.view") + " shows the image after it."
		}
		f.clear()
		return
	}
	if f.shown != nil && f.shown.subject != s {
		f.message = ""
		if f.shown.subject.place() != s.place() {
			f.clear()
		}
	}
	f.asked++
	r := request{id: f.asked, subject: s, order: f.order, filter: f.filter, folds: f.current().clone()}
	f.u.ask(r)
	if f.behind() && f.shown == nil {
		f.message = "…"
	}
}

// subjectNow returns what there is to show of the selected step or, if there is
// nothing, why.
func (f *files) subjectNow(whole bool) (subject, string) {
	return subjectOf(f.u.home.image(), f.u.home.step(), whole, f.u.state())
}

func (f *files) clear() {
	f.shown = nil
	f.list.show(noRows{}, 0)
}

// behind reports whether the last request is still to be answered.
func (f *files) behind() bool { return f.answered != f.asked }

// current returns the folds that apply.
func (f *files) current() *folds {
	if f.filter != "" {
		return &f.inFound
	}
	return &f.folds
}

// take shows a listing, unless it was asked for too long ago.
func (f *files) take(l *listing) {
	if l.id != f.asked {
		return
	}
	f.answered, f.shown, f.message = l.id, l, ""
	switch {
	case l.err != nil:
		f.shown, f.message = nil, l.err.Error()
	case len(l.rows) > 0:
		f.list.show(fileRows{f.u.look, l}, f.rowOfCursor(l))
		return
	case l.filter != "":
		f.message = "Nothing here matches " + l.filter
	case l.subject.whole:
		f.message = "The image is empty."
	default:
		f.message = "This step's layer changed nothing."
	}
	f.list.show(noRows{}, 0)
}

// remember notes where the cursor is.
func (f *files) remember() {
	if it, ok := f.selected(); ok {
		f.cursors[f.shown.subject.place()] = f.shown.view.Tree().Path(it.Node)
	}
}

// place is the same for a subject of which more is read since.
func (s subject) place() place { return place{s.layer, s.whole} }

// rowOfCursor returns where the cursor was when this was last shown, 0 if it
// never was.
func (f *files) rowOfCursor(l *listing) int {
	path, ok := f.cursors[l.subject.place()]
	if !ok {
		return 0
	}
	n, ok := l.view.Tree().Lookup(path)
	if !ok {
		return 0
	}
	return max(0, rowOf(l.view, l.rows, n))
}

// selected returns the item under the cursor, false if there is none.
func (f *files) selected() (tree.Item, bool) {
	r, ok := f.row()
	if !ok {
		return tree.Item{}, false
	}
	return f.shown.view.At(int(r.item)), true
}

// partial reports whether the files are those of one layer while the others
// aren't read: all of them look added.
func (l *listing) partial() bool { return l.subject.tree == nil }

// title returns the pane's title and what else is to be said.
func (f *files) title() (title, more string) {
	title = "Changes"
	if f.whole {
		title = "Image"
	}
	if f.shown == nil {
		return title, ""
	}
	k := f.u.look
	root := f.shown.view.At(0)
	switch {
	case f.filter != "":
		return title, k.join("/"+f.filter, text.Plural(f.shown.hits, "hit"), f.order.String())
	case f.u.state() == failed:
		return title, unverified + ": shown as added"
	case f.shown.partial():
		return title, "not all read: shown as added"
	}
	return title, k.join(text.Plural(root.Files, "file"), k.size(root.Total), f.order.String())
}

// details returns two lines about the file under the cursor, which there is.
func (f *files) details(width int) [][]span {
	it, _ := f.selected()
	k, t := f.u.look, f.shown.view.Tree()
	path := []span{{"/" + t.Path(it.Node), roleStrong}}
	if kind, target := linkOf(t, it); kind != noLink {
		path = append(path, span{" " + k.arrow(kind) + " " + target, roleLink})
	}
	return [][]span{path, {{k.fitting(f.facts(it), width), roleText}}}
}

// facts returns what is to be said of an item in a few words each.
func (f *files) facts(it tree.Item) []string {
	k, t := f.u.look, f.shown.view.Tree()
	facts := []string{changeWord(it), k.size(it.Total)}
	if it.Change == tree.Removed {
		facts[1] = k.size(it.Removed)
	} else if it.Removed > 0 {
		facts = append(facts, k.size(it.Removed)+" removed")
	}
	if it.Type == layer.Dir {
		facts = append(facts, text.Plural(it.Files, "file"))
	}
	facts = append(facts, modeOf(t, it), ownerOf(t, it))
	if e, _ := t.Entry(it.State.Inode); e != nil {
		facts = append(facts, text.Time(e.ModTime()))
	}
	return facts
}

// changeWord returns what a step did to an item, "" if nothing.
func changeWord(it tree.Item) string {
	if it.Change == tree.Unchanged {
		return ""
	}
	return it.Change.String()
}

func (u *ui) switchView() {
	u.home.files.whole = !u.home.files.whole
	u.home.files.refresh()
}

func (u *ui) switchOrder() {
	f := u.home.files
	f.order = 1 - f.order
	f.refresh()
}
