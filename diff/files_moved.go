package diff

import (
	"cmp"
	"context"
	"slices"

	"github.com/zeebo/xxh3"

	"github.com/layerscope/layerscope/analyze/layer"
	"github.com/layerscope/layerscope/analyze/tree"
)

// mostAlike is the most components at the end of two paths that are compared to
// see how alike they are.
const mostAlike = 8

// end is one end of what may be a move: a file that is gone, or has come.
type end struct {
	content layer.Content
	change  int32
}

// findMoved pairs files with bytes that are gone with such of the same content
// that have come. Of several of one content those belong together whose paths
// end alike in the most components (up to mostAlike), the rest if they are in one
// directory, and what is left then in the order of the paths.
func (c *comparison) findMoved(ctx context.Context) error {
	gone, came := c.ends(FileRemoved), c.ends(FileAdded)
	for len(gone) > 0 && len(came) > 0 {
		switch order := compareContents(gone[0].content, came[0].content); {
		case order < 0:
			gone = gone[1:]
		case order > 0:
			came = came[1:]
		default:
			g, n := run(gone), run(came)
			if err := c.match(ctx, gone[:g], came[:n]); err != nil {
				return err
			}
			gone, came = gone[g:], came[n:]
		}
	}
	return nil
}

// ends returns the files with bytes of a state, those of one content together and
// in the order of their paths.
func (c *comparison) ends(state FileState) []end {
	var ends []end
	for i, ch := range c.changes {
		if ch.state != state {
			continue
		}
		s, p := c.end(int32(i), state)
		if e, _ := s.entry(p); e != nil && e.Type == layer.File && e.Size > 0 {
			ends = append(ends, end{e.Content(), int32(i)})
		}
	}
	slices.SortFunc(ends, func(a, b end) int {
		return cmp.Or(compareContents(a.content, b.content), cmp.Compare(a.change, b.change))
	})
	return ends
}

// end returns what stands at a change's path in the image that has it.
func (c *comparison) end(ch int32, state FileState) (*side, standing) {
	p := &c.pairs[c.changes[ch].pair]
	if state == FileRemoved {
		return c.old, p.old
	}
	return c.new, p.new
}

func compareContents(a, b layer.Content) int {
	return cmp.Or(cmp.Compare(a.Size, b.Size), cmp.Compare(a.Hash.Hi, b.Hash.Hi), cmp.Compare(a.Hash.Lo, b.Hash.Lo))
}

// run returns how many of the first ends have one content.
func run(ends []end) int {
	n := 1
	for n < len(ends) && ends[n].content == ends[0].content {
		n++
	}
	return n
}

// match pairs files of one content: as many as there are of both. It takes time
// in proportion to their number.
func (c *comparison) match(ctx context.Context, gone, came []end) error {
	if len(gone) == 1 && len(came) == 1 {
		c.moved(gone[0], came[0])
		return nil
	}
	for n := mostAlike; n > 0; n-- {
		if err := ctx.Err(); err != nil {
			return err
		}
		gone, came = c.matchBy(gone, came, func(s *side, p standing, _ int32) (uint64, bool) {
			return s.tail(p.node, n)
		})
	}
	gone, came = c.matchBy(gone, came, func(_ *side, _ standing, in int32) (uint64, bool) {
		return uint64(in), true
	})
	for i := range min(len(gone), len(came)) {
		c.moved(gone[i], came[i])
	}
	return nil
}

// matchBy pairs files of one key, in order, and returns what is left, in the same
// arrays. A file that has no key is.
func (c *comparison) matchBy(gone, came []end, key func(s *side, p standing, in int32) (uint64, bool)) (leftGone, leftCame []end) {
	leftGone, leftCame = gone[:0], came[:0]
	if len(gone) == 0 || len(came) == 0 {
		return leftGone, leftCame
	}
	keyOf := func(e end, state FileState) (uint64, bool) {
		s, p := c.end(e.change, state)
		return key(s, p, c.pairs[c.changes[e.change].pair].in)
	}
	const taken = -1
	first := make(map[uint64]int32, len(gone)) // of a key, plus one
	next := make([]int32, len(gone))           // of the same key, plus one
	for i := len(gone) - 1; i >= 0; i-- {
		if k, ok := keyOf(gone[i], FileRemoved); ok {
			first[k], next[i] = int32(i+1), first[k]
		}
	}
	for _, e := range came {
		k, ok := keyOf(e, FileAdded)
		i := first[k] - 1
		if !ok || i < 0 {
			leftCame = append(leftCame, e)
			continue
		}
		c.moved(gone[i], e)
		first[k], next[i] = next[i], taken
	}
	for i, e := range gone {
		if next[i] != taken {
			leftGone = append(leftGone, e)
		}
	}
	return leftGone, leftCame
}

// tail returns a hash of the last n components of a path, false if it has fewer.
func (s *side) tail(node tree.Node, n int) (uint64, bool) {
	h := uint64(0)
	for range n {
		if node == tree.Root {
			return 0, false
		}
		h = (h ^ xxh3.HashString(s.t.Name(node))) * 0x9e3779b97f4a7c15
		node = s.t.Parent(node)
	}
	return h, true
}

// moved makes one change of two.
func (c *comparison) moved(gone, came end) {
	from, to := &c.changes[gone.change], &c.changes[came.change]
	from.state, to.state = FileMoved, FileMoved
	to.from = gone.change
	to.what = c.metadata(pair{old: c.pairs[from.pair].old, new: c.pairs[to.pair].new})
}

// MovedDir is files that were moved alike: from below one path to below another,
// where the rest of their paths is the same.
type MovedDir struct {
	// Old and New are the paths in the images' trees, of which neither is the
	// root. They are those of the file if there is one.
	Old, New tree.Node
	Sum
}

// mostCut is the most components that are cut from two paths to see from where to
// where a file was moved: a bound on the work for hostile images.
const mostCut = 256

// MovedDirs returns the files that were moved, those together that were so alike:
// the components at the end of the old and the new path that are the same are cut
// off, and the files with the same rest are one. The most bytes stand first, then
// it is as the new paths are in order.
func (f *Files) MovedDirs() []MovedDir {
	var dirs []MovedDir
	index := map[[2]tree.Node]int{}
	for _, c := range f.Changes {
		if c.State != FileMoved {
			continue
		}
		key := f.cut(c.Old, c.New)
		i, ok := index[key]
		if !ok {
			i = len(dirs)
			index[key] = i
			dirs = append(dirs, MovedDir{Old: c.Old, New: c.New})
		} else {
			dirs[i].Old, dirs[i].New = key[0], key[1]
		}
		dirs[i].Add(c.Bytes)
	}
	slices.SortStableFunc(dirs, func(a, b MovedDir) int {
		return cmp.Or(cmp.Compare(b.Bytes.Old+b.Bytes.New, a.Bytes.Old+a.Bytes.New), cmp.Compare(a.New, b.New))
	})
	return dirs
}

// cut cuts off the components at the end of two paths that are the same, but the
// first of either.
func (f *Files) cut(old, new tree.Node) [2]tree.Node {
	for range mostCut {
		o, n := f.old.Parent(old), f.new.Parent(new)
		if o == tree.Root || n == tree.Root || f.old.Name(old) != f.new.Name(new) {
			break
		}
		old, new = o, n
	}
	return [2]tree.Node{old, new}
}
