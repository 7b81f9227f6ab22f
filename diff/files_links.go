package diff

import (
	"context"

	"github.com/layerscope/layerscope/analyze/layer"
	"github.com/layerscope/layerscope/analyze/tree"
)

// This file says at which of its paths a copy with several hard links counts, and
// which paths are linked otherwise than they were. What has one path only, as
// nearly everything, takes no memory here.

// home is the path at which a copy of several paths counts.
type home struct {
	pair   int32
	common bool // both images have a file there
}

// links tells of the inodes of several paths which paths they share in both
// images. Of a path at which both have something of one type, the linked paths
// are a set in each image, of such paths alone; Links is that the two differ.
type links struct {
	old map[tree.Ref]oldSet
	new map[tree.Ref]int32 // how many paths the sets in NEW have
}

// oldSet is a set of linked paths in OLD.
type oldSet struct {
	paths int32
	new   tree.Ref // what the first of them is in NEW
	split bool     // another is something else there
}

// linked tells whether what stands there has other paths too.
func (s *side) linked(p standing) bool { return p.stands() && s.t.LiveRefs(p.inode) > 1 }

// findLinks finds the homes of copies and the sets of linked paths.
func (c *comparison) findLinks(ctx context.Context) error {
	c.links = links{map[tree.Ref]oldSet{}, map[tree.Ref]int32{}}
	for i, p := range c.pairs {
		if err := done(ctx, i); err != nil {
			return err
		}
		oldLinked, newLinked := c.old.linked(p.old), c.new.linked(p.new)
		if !oldLinked && !newLinked {
			continue
		}
		common := c.old.is(layer.File, p.old) && c.new.is(layer.File, p.new)
		if oldLinked {
			c.old.settle(p.old, home{int32(i), common})
		}
		if newLinked {
			c.new.settle(p.new, home{int32(i), common})
		}
		if p.old.stands() && c.new.is(c.old.t.Type(p.old.inode), p.new) {
			c.links.add(p)
		}
	}
	return nil
}

// settle makes h the home of the inode at p, if it is the first or the first that
// both images have.
func (s *side) settle(p standing, h home) {
	if was, ok := s.home[p.inode]; !ok || h.common && !was.common {
		s.home[p.inode] = h
	}
}

func (l *links) add(p pair) {
	set, ok := l.old[p.old.inode]
	if !ok {
		set.new = p.new.inode
	}
	set.paths++
	set.split = set.split || set.new != p.new.inode
	l.old[p.old.inode] = set
	l.new[p.new.inode]++
}

// differ tells whether the linked paths of a path differ, at which both images have
// something of one type. If all that are linked to it in OLD are so in NEW, and
// these are as many, the sets are the same.
func (l *links) differ(p pair) bool {
	set, ok := l.old[p.old.inode]
	return ok && (set.split || set.paths != l.new[p.new.inode])
}

// bytes returns the bytes that count at pair i.
func (c *comparison) bytes(i int) Bytes {
	p := &c.pairs[i]
	return Bytes{c.old.bytes(p.old, i), c.new.bytes(p.new, i)}
}

func (s *side) bytes(p standing, i int) int64 {
	if !s.is(layer.File, p) || s.linked(p) && s.home[p.inode].pair != int32(i) {
		return 0
	}
	e, _ := s.entry(p)
	return e.Size
}
