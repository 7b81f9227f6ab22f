package diff

import (
	"context"
	"time"

	"github.com/layerscope/layerscope/analyze/layer"
	"github.com/layerscope/layerscope/analyze/tree"
)

// change is a pair that differs. What was moved is two of them.
type change struct {
	pair  int32
	from  int32 // of what was moved here, the change at its old path; else -1
	state FileState
	what  What
}

// findChanges finds the pairs that differ, moved files as removed and added ones,
// and adds up the others.
func (c *comparison) findChanges(ctx context.Context, f *Files) error {
	for i, p := range c.pairs {
		if err := done(ctx, i); err != nil {
			return err
		}
		if state, what, differs := c.compare(p); differs {
			c.changes = append(c.changes, change{int32(i), -1, state, what})
		} else {
			f.Unchanged.Add(c.bytes(i))
		}
	}
	return nil
}

// compare says whether a path differs, and how.
func (c *comparison) compare(p pair) (state FileState, what What, differs bool) {
	switch {
	case !p.old.stands():
		return FileAdded, 0, true
	case !p.new.stands():
		return FileRemoved, 0, true
	}
	what = c.differences(p)
	switch {
	case what&Type != 0:
		return FileTypeChanged, what, true
	case what&(Content|Target|Device) != 0:
		return FileModified, what, true
	}
	return FileMetadata, what, what != 0
}

// differences returns what differs at a path that both images have.
func (c *comparison) differences(p pair) What {
	t := c.old.t.Type(p.old.inode)
	if c.new.t.Type(p.new.inode) != t {
		return Type
	}
	what := c.metadata(p)
	a, x := c.old.entry(p.old)
	b, y := c.new.entry(p.new)
	switch t {
	case layer.File:
		if a.Content() != b.Content() {
			what |= Content
		}
	case layer.Symlink, layer.Hardlink: // this one leads to nothing
		if x.Link(a) != y.Link(b) {
			what |= Target
		}
	case layer.Char, layer.Block:
		if device(a, x) != device(b, y) {
			what |= Device
		}
	}
	if c.links.differ(p) {
		what |= Links
	}
	return what
}

func device(e *layer.Entry, x *layer.Index) [2]int64 {
	major, minor := x.Device(e)
	return [2]int64{major, minor}
}

// metadata returns what differs of the metadata of two things of one type.
func (c *comparison) metadata(p pair) What {
	a, b := metadataOf(c.old.entry(p.old)), metadataOf(c.new.entry(p.new))
	what := What(0)
	if a.mode != b.mode {
		what |= Mode
	}
	if a.uid != b.uid || a.gid != b.gid {
		what |= Owner
	}
	if a.xattrs != b.xattrs {
		what |= Xattrs
	}
	if c.strict && a.timed && b.timed && !a.mtime.Equal(b.mtime) {
		what |= Mtime
	}
	return what
}

// metadata is what a path has besides what it holds.
type metadata struct {
	mode, uid, gid uint32
	xattrs         layer.Hash // with their values
	timed          bool       // the time is known
	mtime          time.Time
}

// metadataOf returns the metadata of an entry, or of an implied directory.
func metadataOf(e *layer.Entry, x *layer.Index) metadata {
	if e == nil {
		return metadata{mode: tree.ImpliedMode}
	}
	m := metadata{e.Mode, e.UID, e.GID, x.XattrValues(e), true, e.ModTime()}
	if e.Type == layer.Symlink {
		m.mode = 0 // tars have one or another; the kernel, 0777
	}
	return m
}

// tell writes down the changes, once it is known what was moved.
func (c *comparison) tell(f *Files) {
	for _, ch := range c.changes {
		if ch.state == FileMoved && ch.from < 0 {
			continue // stands at its new path
		}
		p := c.pairs[ch.pair]
		file := File{State: ch.state, What: ch.what, Old: p.old.node, New: p.new.node, Bytes: c.bytes(int(ch.pair))}
		if ch.from >= 0 {
			from := c.changes[ch.from].pair
			file.Old, file.Bytes.Old = c.pairs[from].old.node, c.bytes(int(from)).Old
		}
		f.Changes = append(f.Changes, file)
		f.Sums[ch.state].Add(file.Bytes)
	}
}
