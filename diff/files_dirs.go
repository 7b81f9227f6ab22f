package diff

import (
	"cmp"
	"context"
	"slices"

	"github.com/layerscope/layerscope/analyze/layer"
)

// rollUp adds up what is at and below each directory. It knows of no moves: a path
// that is gone and one that has come count for themselves.
func (c *comparison) rollUp(ctx context.Context, f *Files) error {
	all := make([]Dir, len(c.dirs))
	changes := c.changes
	d := -1 // the last directory that was walked over
	for i, p := range c.pairs {
		if err := done(ctx, i); err != nil {
			return err
		}
		at := int(p.in)
		if d+1 < len(all) && c.dirs[d+1] == int32(i) {
			d++
			at = d
			all[d] = c.dir(p)
			if d > 0 {
				all[d].Depth = all[p.in].Depth + 1
			}
		}
		b := c.bytes(i)
		all[at].Bytes = all[at].Bytes.Plus(b)
		if len(changes) > 0 && changes[0].pair == int32(i) {
			all[at].Changed++
			all[at].Churn += churn(b, changes[0].what)
			changes = changes[1:]
		}
	}
	for d := len(all) - 1; d > 0; d-- {
		in := &all[c.pairs[c.dirs[d]].in]
		in.Bytes = in.Bytes.Plus(all[d].Bytes)
		in.Changed += all[d].Changed
		in.Churn += all[d].Churn
	}
	f.Dirs = differing(all)
	return nil
}

// dir returns the directory at a path, with nothing in it.
func (c *comparison) dir(p pair) Dir {
	d := Dir{Old: NoNode, New: NoNode}
	if c.old.is(layer.Dir, p.old) {
		d.Old = p.old.node
	}
	if c.new.is(layer.Dir, p.new) {
		d.New = p.new.node
	}
	return d
}

// churn returns the bytes that came and went at a path that differs.
func churn(b Bytes, what What) int64 {
	if what&Content != 0 {
		return b.Old + b.New
	}
	return b.Abs()
}

// differing returns the directories below which something differs, and the root,
// and says where each one's end.
func differing(all []Dir) []Dir {
	var dirs []Dir
	var open []int // those whose subdirectories aren't over
	for i, d := range all {
		if d.Changed == 0 && i > 0 {
			continue
		}
		for len(open) > 0 && dirs[open[len(open)-1]].Depth >= d.Depth {
			dirs[open[len(open)-1]].End = len(dirs)
			open = open[:len(open)-1]
		}
		open = append(open, len(dirs))
		dirs = append(dirs, d)
	}
	for _, i := range open {
		dirs[i].End = len(dirs)
	}
	return dirs
}

// Shares of churn by which directories are chosen.
const (
	leastShare = 100 // a directory with less than one part in these isn't shown
	mostShare  = 20  // one is shown by its child if all but one part in these is in that
)

// hierarchy are the directories that nearly every system has. That one of them
// came or went says nothing of what did.
var hierarchy = map[string]bool{
	"": true, "home": true, "lib": true, "opt": true, "root": true, "srv": true,
	"usr": true, "usr/lib": true, "usr/lib64": true, "usr/libexec": true, "usr/share": true,
	"usr/local": true, "usr/local/lib": true, "usr/local/share": true,
	"var": true, "var/cache": true, "var/lib": true,
}

const hierarchyDepth = 3

// Notable returns the indexes of the directories, at most n and in order, that
// show best where the difference is:
//
//   - of those with at least 1 % of all churn the n with the most;
//   - but not a directory of whose churn 95 % is in one of its subdirectories:
//     that is shown in its place;
//   - and nothing that is inside a directory which only one image has, unless
//     nearly every system has such a one (/usr, /usr/lib, /var, …).
//
// What is shown can be inside another directory that is: their bytes are
// cumulative both. Without any churn, as where only modes differ, there are none.
func (f *Files) Notable(n int) []int {
	var rows []int
	for i := 0; i < len(f.Dirs); {
		d, heir := &f.Dirs[i], f.heir(i)
		switch {
		case d.Churn < f.least():
			i = d.End
		case f.opaque(i):
			last := i
			for heir >= 0 {
				last, heir = heir, f.heir(heir)
			}
			rows = append(rows, last)
			i = d.End
		default:
			if heir < 0 {
				rows = append(rows, i)
			}
			i++
		}
	}
	if len(rows) > n {
		slices.SortStableFunc(rows, func(a, b int) int { return cmp.Compare(f.Dirs[b].Churn, f.Dirs[a].Churn) })
		rows = rows[:max(n, 0)]
		slices.Sort(rows)
	}
	return rows
}

// least returns the least churn of a directory that is shown.
func (f *Files) least() int64 { return max(1, (f.Dirs[0].Churn+leastShare-1)/leastShare) }

// heir returns the subdirectory that has nearly all churn of directory i and so is
// shown in its place, -1 if none has.
func (f *Files) heir(i int) int {
	d := &f.Dirs[i]
	for c := i + 1; c < d.End; c = f.Dirs[c].End {
		if churn := f.Dirs[c].Churn; churn >= f.least() && d.Churn-churn <= d.Churn/mostShare {
			return c
		}
	}
	return -1
}

// opaque tells whether directory i is shown without what is in it.
func (f *Files) opaque(i int) bool {
	d := f.Dirs[i]
	oneSided := d.Old == NoNode || d.New == NoNode
	return oneSided && (d.Depth > hierarchyDepth || !hierarchy[f.Path(d.Old, d.New)])
}
