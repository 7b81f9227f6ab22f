package buildcontext

import (
	"errors"
	"fmt"
	"path"
	"slices"
)

// classicItems returns what a selection takes for the classic builder: each
// path by its whole name, and each link as what it leads to. It knows no
// filters. The order and the grouping of several matches don't count: names
// tell them apart.
func (t *Tree) classicItems(s *Selection) ([]item, error) {
	if !s.Wildcard {
		return t.classicSource(s.Path)
	}
	pattern := clean(s.Path)
	var items []item
	err := t.root.walkAll(func(n *node) error {
		if n == t.root {
			return nil
		}
		ok, err := path.Match(pattern, n.entry.Path)
		if err != nil {
			return fmt.Errorf("the pattern %q: %w", pattern, err)
		}
		if ok {
			more, err := t.classicSource(n.entry.Path)
			if err != nil {
				return err
			}
			items = append(items, more...)
		}
		return nil
	})
	sortItems(items)
	return items, err
}

// classicSource returns what a path takes.
func (t *Tree) classicSource(p string) ([]item, error) {
	at, n, err := t.resolve(p, true)
	if err != nil {
		return nil, err
	}
	if n == nil {
		return nil, t.noMatch(p)
	}
	if !n.entry.IsDir() {
		return []item{{key: at, path: at, n: n}}, nil
	}
	var items []item
	n.each(func(k *node) {
		if k == t.root {
			return
		}
		at, to, err := t.resolve(k.entry.Path, true)
		if err != nil && errors.Is(err, ErrLinks) {
			return // what can't be hashed isn't
		}
		items = append(items, item{key: at, path: k.entry.Path, n: to})
	})
	sortItems(items)
	return items, nil
}

// sortItems sorts items by key. Links may make several of one key: how often
// something is reached counts.
func sortItems(items []item) {
	slices.SortStableFunc(items, func(a, b item) int { return comparePaths(a.key, b.key) })
}
