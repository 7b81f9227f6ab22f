package layer

import (
	"encoding/binary"
	"math/rand/v2"
	"strings"

	"github.com/zeebo/xxh3"

	"github.com/layerscope/layerscope/analyze/internal/children"
)

// Outline is what tells layers apart whose entries differ in more than their
// times: two with the same outline have the same entries, as far as 128 bits
// tell, but for when they were modified, how the tar encodes them, and where
// in it they stand, if that makes no difference to what the layer does. The
// bodies count by their [Content], the extended attributes with their values.
//
// An outline is good for the process that made it: its hash is seeded anew each
// time, so that nobody can make two layers collide.
type Outline struct {
	entries int
	sum     Hash
}

// seed keeps outlines out of a hostile image's hands.
var seed = rand.Uint64()

// Outline returns the layer's outline. It walks over the entries twice.
func (x *Index) Outline() Outline {
	o := outliner{x: x, ordered: isOrdered(x), dirs: make([]Hash, x.Dirs())}
	for d := 1; d < x.Dirs(); d++ {
		o.dirs[d] = o.hash(o.dirs[x.DirParent(d)], x.DirName(d))
	}
	out := Outline{entries: x.Len()}
	for i, e := range x.All() {
		out.sum = out.sum.plus(o.entry(i, e))
	}
	return out
}

// plus adds two hashes as 128-bit numbers: a sum doesn't depend on the order,
// and unlike an exclusive or it counts what comes twice.
func (h Hash) plus(o Hash) Hash {
	lo := h.Lo + o.Lo
	hi := h.Hi + o.Hi
	if lo < h.Lo {
		hi++
	}
	return Hash{hi, lo}
}

// outliner hashes the entries of a layer.
type outliner struct {
	x       *Index
	ordered bool   // the tar's order counts
	dirs    []Hash // of the directories' paths
	buf     []byte
}

// hash returns the hash of a name in a directory.
func (o *outliner) hash(parent Hash, name string) Hash {
	o.buf = o.buf[:0]
	o.number(parent.Hi, parent.Lo)
	o.buf = append(o.buf, name...)
	return o.sum()
}

func (o *outliner) sum() Hash {
	s := xxh3.Hash128Seed(o.buf, seed)
	return Hash{s.Hi, s.Lo}
}

func (o *outliner) number(ns ...uint64) {
	for _, n := range ns {
		o.buf = binary.LittleEndian.AppendUint64(o.buf, n)
	}
}

// text appends a string with its length, so that no two rows of strings are one.
func (o *outliner) text(s string) {
	o.number(uint64(len(s)))
	o.buf = append(o.buf, s...)
}

// entry returns the hash of entry i.
func (o *outliner) entry(i int, e *Entry) Hash {
	o.buf = o.buf[:0]
	dir := o.dirs[e.dir]
	o.number(dir.Hi, dir.Lo, uint64(e.Type), uint64(e.Mode), uint64(e.UID)<<32|uint64(e.GID))
	o.number(uint64(e.Size), e.Hash.Hi, e.Hash.Lo)
	if o.ordered {
		o.number(uint64(i))
	}
	o.text(o.x.Name(e))
	o.text(o.x.Link(e))
	major, minor := o.x.Device(e)
	values := o.x.XattrValues(e)
	o.number(uint64(major), uint64(minor), values.Hi, values.Lo)
	return o.sum()
}

// isOrdered tells whether what a layer does may hang on the order of its
// entries: whether a path stands twice, something that is no directory has
// something below it, or a hard link isn't to an entry before it. In any other
// order of the tar a layer is the same (design §5, Stacking), whiteouts and what
// is opaque included.
func isOrdered(x *Index) bool {
	p := newPaths(x)
	for i, e := range x.All() {
		if !e.stands() {
			continue
		}
		if _, twice := p.entry(e.dir, x.Name(e)); twice {
			return true
		}
		if e.Type == Hardlink && !p.linksBack(x.Link(e)) {
			return true
		}
		p.add(i, e)
	}
	for d := 1; d < x.Dirs(); d++ {
		if i, ok := p.entry(int32(x.DirParent(d)), x.DirName(d)); ok && x.At(int(i)).Type != Dir {
			return true
		}
	}
	return false
}

// stands tells whether something stands at the entry's path because of it.
func (e *Entry) stands() bool { return e.Type != Whiteout && e.Type != Opaque && e.Type != Ignored }

// paths finds the entries of a layer by their paths, and its directories if
// there is a hard link to look up.
type paths struct {
	x       *Index
	entries children.Table
	dirs    *children.Table // nil until it is needed
}

func newPaths(x *Index) *paths {
	p := &paths{x: x}
	p.entries.Grow(x.Len())
	return p
}

func (p *paths) entryHash(i int32) uint64 {
	e := p.x.At(int(i))
	return children.Hash(e.dir, p.x.Name(e))
}

func (p *paths) add(i int, e *Entry) {
	p.entries.Insert(children.Hash(e.dir, p.x.Name(e)), int32(i), p.entryHash)
}

// entry returns the entry that was added with a name in a directory.
func (p *paths) entry(dir int32, name string) (i int32, ok bool) {
	i = p.entries.Find(children.Hash(dir, name), func(i int32) bool {
		e := p.x.At(int(i))
		return e.dir == dir && p.x.Name(e) == name
	})
	return i, i >= 0
}

// linksBack tells whether a hard link's target is an entry that was added, and
// no directory.
func (p *paths) linksBack(target string) bool {
	parent, base := splitPath(target)
	dir, ok := p.dir(parent)
	if !ok {
		return false
	}
	i, ok := p.entry(dir, base)
	return ok && p.x.At(int(i)).Type != Dir
}

// dir returns the directory at a clean path.
func (p *paths) dir(path string) (dir int32, ok bool) {
	if p.dirs == nil {
		p.indexDirs()
	}
	for path != "" {
		var name string
		name, path, _ = strings.Cut(path, "/")
		parent := dir
		dir = p.dirs.Find(children.Hash(parent, name), func(d int32) bool {
			return p.x.dirs[d].parent == parent && p.x.DirName(int(d)) == name
		})
		if dir < 0 {
			return dir, false
		}
	}
	return dir, true
}

func (p *paths) indexDirs() {
	p.dirs = new(children.Table)
	p.dirs.Grow(p.x.Dirs())
	hash := func(d int32) uint64 { return children.Hash(p.x.dirs[d].parent, p.x.DirName(int(d))) }
	for d := 1; d < p.x.Dirs(); d++ {
		p.dirs.Insert(hash(int32(d)), int32(d), hash)
	}
}
