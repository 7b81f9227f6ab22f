package stages

import (
	"context"
	"slices"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/buildcontext"
	"github.com/layerscope/layerscope/analyze/cause"
	"github.com/layerscope/layerscope/analyze/layer"
	"github.com/layerscope/layerscope/analyze/tree"
)

// ledger keeps which files of a stage are taken.
type ledger struct {
	tree   *tree.Tree // nil for a stage of nothing
	finder *tree.Finder
	stored int64

	copies [][]mark // by layer and row
	paths  []mark   // by node
	taken  Sum
	now    int32 // number of the instruction that takes, from 1
}

// mark tells who took something.
type mark struct {
	last  int32 // the last instruction that did, 0 for none
	taken bool  // one that counts did
}

// set notes that an instruction takes something: whether it does for the first
// time, and whether it is the first that counts.
func (m *mark) set(now int32, counts bool) (first, newly bool) {
	first, newly = m.last != now, counts && !m.taken
	m.last, m.taken = now, m.taken || counts
	return first, newly
}

// newLedger begins the ledger of a stage; nil is one of nothing.
func newLedger(m *analyze.Image) *ledger {
	if m == nil {
		return &ledger{}
	}
	return &ledger{tree: m.Tree, stored: m.Totals.Stored}
}

// take counts what selections take. It enters it if that counts.
func (l *ledger) take(ctx context.Context, sels []buildcontext.Selection, counts bool) (Sum, error) {
	l.open()
	l.now++
	var sum Sum
	for _, sel := range sels {
		if err := l.walk(ctx, sel, func(n tree.Node, inode tree.Ref) { l.enter(n, inode, counts, &sum) }); err != nil {
			return Sum{}, err
		}
	}
	return sum, nil
}

// open makes the marks, which a stage that nobody takes anything of does
// without.
func (l *ledger) open() {
	if l.tree == nil || l.finder != nil {
		return
	}
	l.finder = l.tree.Finder(l.tree.Layers() - 1)
	l.paths = make([]mark, l.tree.Len())
	l.copies = make([][]mark, l.tree.Layers())
}

// enter enters a path that isn't a directory, and the copy that it leads to.
func (l *ledger) enter(n tree.Node, inode tree.Ref, counts bool, sum *Sum) {
	first, newly := l.paths[n].set(l.now, counts)
	if first {
		sum.Files++
	}
	if newly {
		l.taken.Files++
	}
	e, x := l.tree.Entry(inode)
	if e == nil || e.Type != layer.File || e.Size == 0 {
		return
	}
	rows := l.copies[inode.Layer]
	if rows == nil {
		rows = make([]mark, x.Len())
		l.copies[inode.Layer] = rows
	}
	first, newly = rows[inode.Row].set(l.now, counts)
	if first {
		sum.Bytes += e.Size
	}
	if newly {
		l.taken.Bytes += e.Size
	}
}

// causer tells what a copy is stored for.
type causer interface {
	Of(tree.Ref) (cause.Of, bool)
}

// left adds up what nobody took.
func (l *ledger) left(m *analyze.Image, causes causer) LeftBehind {
	var left LeftBehind
	parts := map[cause.Of]*cause.Part{}
	for k, lay := range m.Layers {
		for row, e := range lay.Index.All() {
			if e.Type != layer.File || e.Size == 0 || l.isTaken(k, row) {
				continue
			}
			of, _ := causes.Of(tree.Ref{Layer: int32(k), Row: int32(row)})
			part := parts[of]
			if part == nil {
				part = &cause.Part{Of: of}
				parts[of] = part
			}
			part.Bytes += e.Size
			part.Copies++
			left.Bytes += e.Size
			left.Copies++
		}
	}
	for _, part := range parts {
		left.Parts = append(left.Parts, *part)
	}
	slices.SortFunc(left.Parts, cause.Part.Compare)
	return left
}

// isTaken tells whether a copy is taken by an instruction that counts.
func (l *ledger) isTaken(k, row int) bool {
	return l.copies != nil && l.copies[k] != nil && l.copies[k][row].taken
}
