package tui

import (
	"cmp"
	"context"
	"slices"

	"github.com/layerscope/layerscope/analyze/tree"
)

// fileRow is one visible row of a file tree: an item of a view and how it is
// shown. A million of them are kept at a time.
type fileRow struct {
	item  int32
	depth uint16
	flags rowFlags
}

type rowFlags uint8

const (
	rowFolds rowFlags = 1 << iota // there is something below
	rowOpen                       // and it is shown
	rowHit                        // the filter found it
)

func (r fileRow) is(f rowFlags) bool { return r.flags&f != 0 }

// order is how rows of one directory are sorted.
type order uint8

const (
	bySize order = iota // biggest first, equal ones by name
	byName              // bytewise
)

func (o order) String() string { return [...]string{"by size", "by name"}[o] }

// shownBytes is the size that is shown for an item: what is there or, if there
// is nothing but what was removed, that, and then removed is set. Rows are
// sorted by it.
func shownBytes(it tree.Item) (n int64, removed bool) {
	if it.Change == tree.Removed || it.Total == 0 && it.Removed > 0 {
		return it.Removed, true
	}
	return it.Total, false
}

// rowBuilder makes the rows of a view. A filter, if there is one, leaves out
// what it didn't find.
type rowBuilder struct {
	view  *tree.View
	order order
	found *found // nil: no filter

	all     foldAll
	flipped map[tree.Node]bool
}

// checkEvery is how many items pass between looks at a context.
const checkEvery = 1 << 14

// rows returns the visible rows; the view's root isn't one. It costs what is
// visible, not what there is. The error is ctx's.
func (b *rowBuilder) rows(ctx context.Context) ([]fileRow, error) {
	var rows []fileRow
	stack := b.children(nil, 0, 0, false)
	for len(stack) > 0 {
		p := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if len(rows)%checkEvery == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		rows = append(rows, p.fileRow)
		if p.is(rowOpen) {
			stack = b.children(stack, int(p.item), p.depth+1, p.under)
		}
	}
	return rows, nil
}

// pending is a row on its way, with what sorts it.
type pending struct {
	fileRow
	under bool  // it, or a directory above it, was found by the filter
	bytes int64 // what it is sorted by, if by size
}

// children pushes what is visible in directory dir, last first. Any item can
// have something below it: that of a directory that became a link are the
// removed ones.
func (b *rowBuilder) children(stack []pending, dir int, depth uint16, under bool) []pending {
	start := len(stack)
	for i := dir + 1; i < b.view.End(dir); i = b.view.End(i) {
		if !under && !b.found.shows(i) {
			continue
		}
		p := pending{fileRow: fileRow{item: int32(i), depth: depth}, under: under || b.found.hit(i)}
		p.flags = b.flags(dir, i)
		if b.order == bySize {
			p.bytes, _ = shownBytes(b.view.At(i))
		}
		stack = append(stack, p)
	}
	kids := stack[start:]
	if b.order == bySize {
		slices.SortFunc(kids, func(x, y pending) int {
			return cmp.Or(cmp.Compare(y.bytes, x.bytes), cmp.Compare(x.item, y.item))
		})
	}
	slices.Reverse(kids)
	return stack
}

func (b *rowBuilder) flags(dir, i int) (f rowFlags) {
	if b.view.End(i) > i+1 {
		f |= rowFolds
		if b.open(dir, i) {
			f |= rowOpen
		}
	}
	if b.found.hit(i) {
		f |= rowHit
	}
	return f
}

// open says whether item i of directory dir is open: as the user left it, or
// so that what was found shows, or as seems handy.
func (b *rowBuilder) open(dir, i int) bool {
	if open, ok := b.flipped[b.view.At(i).Node]; ok {
		return open
	}
	switch {
	case b.all == allOpen:
		return true
	case b.all == allClosed:
		return false
	case b.found != nil:
		return b.found.below(i)
	}
	onlyChild := i == dir+1 && b.view.End(i) == b.view.End(dir)
	return b.view.Len() <= openWhole || onlyChild
}

// openWhole is how many items a view may have to be shown all open at first.
const openWhole = 200

// rowOf returns the row of an item or, where that is folded away, of the
// nearest item above it; -1 if there is none.
func rowOf(v *tree.View, rows []fileRow, n tree.Node) int {
	for ; n != tree.Root; n = v.Tree().Parent(n) {
		i, ok := v.Find(n)
		if !ok {
			continue
		}
		if r := slices.IndexFunc(rows, func(r fileRow) bool { return int(r.item) == i }); r >= 0 {
			return r
		}
	}
	return -1
}

// parentRow returns the row of the directory that row i stands in, -1 at the
// top.
func parentRow(rows []fileRow, i int) int {
	depth := rows[i].depth
	for i--; i >= 0; i-- {
		if rows[i].depth < depth {
			return i
		}
	}
	return -1
}

// nextHit returns the next row after i, or the next before it if step is -1,
// that the filter found, going around the end; -1 if there is none.
func nextHit(rows []fileRow, i, step int) int {
	n := len(rows)
	for k := 1; k <= n; k++ {
		r := ((i+step*k)%n + n) % n
		if rows[r].is(rowHit) {
			return r
		}
	}
	return -1
}
