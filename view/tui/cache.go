package tui

import (
	"context"
	"slices"

	"github.com/layerscope/layerscope/analyze/layer"
	"github.com/layerscope/layerscope/analyze/tree"
)

// viewCache keeps the views that were looked at last, so that going back to one
// costs nothing. It belongs to the worker.
type viewCache struct {
	recent []cachedView // latest first
	tree   *tree.Tree   // that the views are of
}

type cachedView struct {
	subject subject
	view    *tree.View
}

// maxCachedItems is how many items the kept views may have together, each 56
// bytes; the latest view is kept in any case.
const maxCachedItems = 2_000_000

// get returns the view of a subject. It fails if ctx is done.
func (c *viewCache) get(ctx context.Context, s subject) (*tree.View, error) {
	if s.tree != c.tree {
		c.recent, c.tree = nil, s.tree // those of layers read apart are outdated
	}
	i := slices.IndexFunc(c.recent, func(e cachedView) bool { return e.subject == s })
	if i >= 0 {
		e := c.recent[i]
		c.recent = slices.Insert(slices.Delete(c.recent, i, i+1), 0, e)
		return e.view, nil
	}
	v, err := s.build(ctx)
	if err != nil {
		return nil, err
	}
	c.recent = slices.Insert(c.recent, 0, cachedView{s, v})
	c.trim()
	return v, nil
}

// trim drops the oldest views until the others fit.
func (c *viewCache) trim() {
	items := 0
	for i, e := range c.recent {
		if items += e.view.Len(); items > maxCachedItems && i > 0 {
			c.recent = slices.Delete(c.recent, i, len(c.recent))
			return
		}
	}
}

// build makes the subject's view.
func (s subject) build(ctx context.Context) (*tree.View, error) {
	if s.tree == nil {
		t, err := tree.Build(ctx, []*layer.Index{s.index}, tree.Options{Windows: s.windows})
		if err != nil {
			return nil, err
		}
		return t.Changes(0), nil
	}
	if s.whole {
		return s.tree.At(s.layer), nil
	}
	return s.tree.Changes(s.layer), nil
}

// foundCache keeps what the last filter found: rows are rebuilt more often than
// the filter changes.
type foundCache struct {
	view    *tree.View
	pattern string
	found   *found
}

// get returns what pattern finds in v. The error is ctx's.
func (c *foundCache) get(ctx context.Context, v *tree.View, pattern string) (*found, error) {
	if c.view == v && c.pattern == pattern {
		return c.found, nil
	}
	f, err := find(ctx, v, pattern)
	if err != nil {
		return nil, err
	}
	*c = foundCache{view: v, pattern: pattern, found: f}
	return f, nil
}
