package diff

import (
	"context"
	"strings"

	"github.com/layerscope/layerscope/analyze/layer"
	"github.com/layerscope/layerscope/analyze/tree"
)

// comparison is two final filesystems being compared. Its pairs are all paths of
// either in depth-first order.
type comparison struct {
	strict   bool
	old, new *side
	pairs    []pair
	dirs     []int32 // the pairs of which one is a directory: that of each directory's number
	links    links
	changes  []change // what of the pairs differs, in their order
}

// pair is a path of either image.
type pair struct {
	old, new standing
	in       int32 // number of the directory that it is in; the root's is its own
}

// standing is what stands at a path of one image.
type standing struct {
	node  tree.Node // NoNode if nothing does
	inode tree.Ref
}

var nothing = standing{NoNode, tree.Implied}

func (s standing) stands() bool { return s.node != NoNode }

// side is one of the images.
type side struct {
	t    *tree.Tree
	next standing // the first that wasn't walked over
	home map[tree.Ref]home
}

func newSide(t *tree.Tree) *side {
	// The root stands even where there are no layers.
	s := &side{t: t, next: standing{tree.Root, tree.Implied}, home: map[tree.Ref]home{}}
	if st, ok := t.StateAt(tree.Root, t.Layers()-1); ok {
		s.next.inode = st.Inode
	}
	return s
}

// before returns the next path if it comes before end.
func (s *side) before(end tree.Node) standing {
	if s.next.stands() && s.next.node < end {
		return s.next
	}
	return nothing
}

// advance walks to the next path that stands.
func (s *side) advance() {
	last := s.t.Layers() - 1
	for n := s.next.node + 1; int(n) < s.t.Len(); n++ {
		if st, ok := s.t.StateAt(n, last); ok {
			s.next = standing{n, st.Inode}
			return
		}
	}
	s.next = nothing
}

func (s *side) entry(p standing) (*layer.Entry, *layer.Index) { return s.t.Entry(p.inode) }

// is tells whether something of a type stands there.
func (s *side) is(t layer.Type, p standing) bool { return p.stands() && s.t.Type(p.inode) == t }

// end returns the node after a directory's subtree, 0 if it is none.
func (s *side) end(p standing) tree.Node {
	if s.is(layer.Dir, p) {
		return s.t.End(p.node)
	}
	return 0
}

// walk pairs the paths. Both trees are in one order, so that the walk is a merge:
// of the two next paths in the innermost directory the one that is first, or
// both.
func (c *comparison) walk(ctx context.Context) error {
	type open struct {
		oldEnd, newEnd tree.Node // 0 in the image that has no directory there
		dir            int32
	}
	stack := []open{{1, 1, 0}} // the root is before 1
	for len(stack) > 0 {
		if err := done(ctx, len(c.pairs)); err != nil {
			return err
		}
		in := stack[len(stack)-1]
		p := pair{c.old.before(in.oldEnd), c.new.before(in.newEnd), in.dir}
		if !p.old.stands() && !p.new.stands() {
			stack = stack[:len(stack)-1]
			continue
		}
		p = c.first(p)
		if p.old.stands() {
			c.old.advance()
		}
		if p.new.stands() {
			c.new.advance()
		}
		c.pairs = append(c.pairs, p)
		if oldEnd, newEnd := c.old.end(p.old), c.new.end(p.new); oldEnd > 0 || newEnd > 0 {
			stack = append(stack, open{oldEnd, newEnd, int32(len(c.dirs))})
			c.dirs = append(c.dirs, int32(len(c.pairs)-1))
		}
	}
	return nil
}

// first leaves of two paths in one directory the one that is first.
func (c *comparison) first(p pair) pair {
	if !p.old.stands() || !p.new.stands() {
		return p
	}
	switch order := strings.Compare(c.old.t.Name(p.old.node), c.new.t.Name(p.new.node)); {
	case order < 0:
		p.new = nothing
	case order > 0:
		p.old = nothing
	}
	return p
}
