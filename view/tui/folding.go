package tui

import "github.com/layerscope/layerscope/analyze/layer"

// This file has what keys do in the tree of files.

// setOpen opens or closes the directory under the cursor.
func (f *files) setOpen(open bool) {
	if it, ok := f.selected(); ok {
		f.current().set(f.shown.view.Tree().Path(it.Node), open)
		f.refresh()
	}
}

// row returns the row under the cursor, false if there is none.
func (f *files) row() (fileRow, bool) {
	if f.shown == nil || len(f.shown.rows) == 0 {
		return fileRow{}, false
	}
	return f.shown.rows[f.list.row()], true
}

// openDir opens a directory, or goes into it if it is open.
func (u *ui) openDir() {
	f := u.home.files
	switch r, ok := f.row(); {
	case !ok || !r.is(rowFolds):
	case r.is(rowOpen):
		f.list.move(f.list.row() + 1)
	default:
		f.setOpen(true)
	}
}

// closeDir closes a directory or goes to the one above, and from the top to the
// steps.
func (u *ui) closeDir() {
	f := u.home.files
	r, ok := f.row()
	if !ok {
		u.home.focusOn(paneSteps)
		return
	}
	if r.is(rowOpen) {
		f.setOpen(false)
		return
	}
	if up := parentRow(f.shown.rows, f.list.row()); up >= 0 {
		f.list.move(up)
		return
	}
	u.home.focusOn(paneSteps)
}

func (u *ui) toggleDir() {
	f := u.home.files
	if r, ok := f.row(); ok && r.is(rowFolds) {
		f.setOpen(!r.is(rowOpen))
	}
}

// enterFile opens or closes what can be, and shows the details of all else.
func (u *ui) enterFile() {
	f := u.home.files
	it, ok := f.selected()
	if !ok {
		return
	}
	if r, _ := f.row(); r.is(rowFolds) || it.Type == layer.Dir {
		u.toggleDir()
		return
	}
	u.fileDetails()
}

func (u *ui) foldAll(all foldAll) {
	f := u.home.files
	*f.current() = folds{all: all}
	f.refresh()
}

// nextMatch goes to the next row that the filter found, or with -1 to the one
// before.
func (u *ui) nextMatch(step int) {
	f := u.home.files
	if f.filter == "" {
		u.say(roleDim, "no filter: / starts one")
		return
	}
	if f.shown == nil {
		return
	}
	if r := nextHit(f.shown.rows, f.list.row(), step); r >= 0 {
		f.list.move(r)
	}
}

func (u *ui) fileDetails() {
	if it, ok := u.home.files.selected(); ok {
		u.open(filePage(u, u.home.files.shown, it))
	}
}
