package report

import (
	"cmp"
	"iter"
	"slices"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/tree"
)

// Listing says which files [Tree] and [TreeJSON] list, and in which order.
type Listing struct {
	Image *analyze.Image
	View  *tree.View // of the image's tree: the image up to a layer, or what one changed
	Item  int        // of View: where the listing begins

	Step    int  // the step that View is as of, or the changes of; -1 for the final image
	Changes bool // View is of changes

	Depth  int  // levels listed below Item; negative for all
	BySize bool // the largest of a directory first; else by name
}

// row is one line of a listing.
type row struct {
	item  int
	depth int    // below where the listing begins
	last  []bool // of each level down to this one: the last of its directory
}

// rows yields the items to list. A row's last is only valid until the next.
func (l *Listing) rows() iter.Seq[row] {
	return func(yield func(row) bool) {
		if yield(row{item: l.Item}) {
			l.below(l.Item, nil, yield)
		}
	}
}

// below yields what is below item i, whose place is last.
func (l *Listing) below(i int, last []bool, yield func(row) bool) bool {
	depth := len(last) + 1
	if l.Depth >= 0 && depth > l.Depth {
		return true
	}
	children := l.children(i)
	last = append(last, false)
	for n, c := range children {
		last[depth-1] = n == len(children)-1
		if !yield(row{c, depth, last}) || !l.below(c, last, yield) {
			return false
		}
	}
	return true
}

// children returns the items of directory i in the order wanted.
func (l *Listing) children(i int) []int {
	var cs []int
	for c := i + 1; c < l.View.End(i); c = l.View.End(c) {
		cs = append(cs, c)
	}
	if l.BySize {
		slices.SortStableFunc(cs, func(a, b int) int {
			x, y := l.View.At(a), l.View.At(b)
			return cmp.Compare(y.Total+y.Removed, x.Total+x.Removed)
		})
	}
	return cs
}

// path returns an item's path from the root, "/" for the root.
func (l *Listing) path(it tree.Item) string { return rooted(l.View.Tree(), it.Node) }

// step returns the step whose layer put what stands at an item there; -1 for a
// directory that is merely implied.
func (l *Listing) step(it tree.Item) int {
	if it.State.Entry == tree.Implied {
		return -1
	}
	return l.Image.Layers[it.State.Entry.Layer].Step
}
