package tui

import (
	"bytes"
	"context"
	"strings"
	"unicode"

	"github.com/layerscope/layerscope/analyze/tree"
)

// found is what a filter found in a view: the items whose path holds the
// pattern. An item is a hit if the pattern ends in its own name, or the slash
// before; all below it hold the pattern too, but are merely below a hit.
type found struct {
	flags []foundFlags // by item
	hits  int
}

type foundFlags uint8

const (
	foundHit   foundFlags = 1 << iota // the item is a hit
	foundBelow                        // a hit is below the item
)

// hit reports whether item i is a hit; nothing is without a filter.
func (f *found) hit(i int) bool { return f != nil && f.flags[i]&foundHit != 0 }

// below reports whether a hit is below item i.
func (f *found) below(i int) bool { return f != nil && f.flags[i]&foundBelow != 0 }

// shows reports whether item i, unless below a hit, is to be shown: everything
// is without a filter.
func (f *found) shows(i int) bool { return f == nil || f.flags[i] != 0 }

// find looks for pattern in the paths of v ("/etc/passwd"): a substring,
// whatever the case unless it has upper case itself. The error is ctx's.
func find(ctx context.Context, v *tree.View, pattern string) (*found, error) {
	s := newSearch(pattern)
	f := &found{flags: make([]foundFlags, v.Len())}
	above := make([]dirPath, 0, 32) // the directories that hold item i
	for i := 1; i < v.Len(); i++ {
		if i%checkEvery == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		for len(above) > 0 && above[len(above)-1].end <= i {
			above = above[:len(above)-1]
		}
		start := 0
		if len(above) > 0 {
			start = above[len(above)-1].pathLen
		}
		s.path = s.path[:start]
		if s.hits(v.Tree().Name(v.At(i).Node)) {
			f.flags[i] |= foundHit
			f.hits++
			for k := len(above) - 1; k >= 0 && f.flags[above[k].item]&foundBelow == 0; k-- {
				f.flags[above[k].item] |= foundBelow
			}
		}
		if v.End(i) > i+1 {
			above = append(above, dirPath{item: i, end: v.End(i), pathLen: len(s.path)})
		}
	}
	return f, nil
}

// dirPath is a directory on the way down to an item.
type dirPath struct{ item, end, pathLen int }

// search holds a pattern and the path that is looked at.
type search struct {
	pattern []byte
	fold    bool
	path    []byte
}

func newSearch(pattern string) *search {
	s := &search{fold: !strings.ContainsFunc(pattern, unicode.IsUpper)}
	s.pattern = []byte(pattern)
	return s
}

// hits adds a name to the path and reports whether the pattern ends in it. Only
// as much of the path before is looked at as the pattern may reach back.
func (s *search) hits(name string) bool {
	if s.fold {
		name = strings.ToLower(name)
	}
	from := max(0, len(s.path)-(len(s.pattern)-1))
	s.path = append(append(s.path, '/'), name...)
	return bytes.Contains(s.path[from:], s.pattern)
}
