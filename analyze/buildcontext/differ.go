package buildcontext

import (
	"bytes"
	"context"
	"errors"
	"slices"
)

// Differ returns the paths by which what selections take of one tree, before a
// change, differs from what they take of another, after it: content or mode
// differs, or they are in one alone. They are sorted, and there are none exactly
// if the digests are equal. Only what may differ is read: nothing if the trees
// and the selections are the same, and of a tree that [Tree.Edit] made only
// what was edited.
//
// If selections take nothing of a, or follow links in a circle there, all of
// what they take of b differs: no build can have had it. In b it is an error, as
// of [Tree.Digest].
func Differ(ctx context.Context, a *Tree, as []Selection, b *Tree, bs []Selection, r Rules) ([]string, error) {
	if r.chain() {
		return differChain(ctx, a, as, b, bs, r)
	}
	as, bs = normal(as), normal(bs)
	same := slices.EqualFunc(as, bs, func(x, y Selection) bool { return x.equal(&y) })
	if same && a.root == b.root {
		return nil, ctx.Err()
	}
	tb, err := b.take(bs)
	if err != nil {
		return nil, err
	}
	ta, err := a.take(as)
	if err != nil {
		if _, ok := errors.AsType[*NoMatchError](err); !ok && !errors.Is(err, ErrLinks) {
			return nil, err
		}
		ta, same = nil, false
	} else if !same {
		if equal, err := sameDigests(ctx, a, as, b, bs, r); err != nil || equal {
			return nil, err
		}
	}
	d := &differ{}
	for i := range max(len(ta), len(tb)) {
		var x, y taken
		if i < len(ta) {
			x = ta[i]
		}
		if i < len(tb) {
			y = tb[i]
		}
		if x.single && y.single {
			d.item(x.items[0], y.items[0]) // whatever its name
		} else {
			d.items(x.items, y.items)
		}
	}
	paths, err := d.paths(ctx)
	if err == nil && len(paths) == 0 && !same {
		// What they take is alike, and yet it is selected in another way.
		paths = everything(ta, tb)
	}
	return paths, err
}

func sameDigests(ctx context.Context, a *Tree, as []Selection, b *Tree, bs []Selection, r Rules) (bool, error) {
	da, err := a.Digest(ctx, as, r)
	if err != nil {
		return false, err
	}
	db, err := b.Digest(ctx, bs, r)
	return da == db, err
}

// everything returns the paths of all that was taken.
func everything(all ...[]taken) []string {
	d := &differ{}
	for _, t := range all {
		for _, s := range t {
			d.items(s.items, nil)
		}
	}
	paths, _ := d.paths(context.Background())
	if len(paths) == 0 {
		return []string{"."}
	}
	return paths
}

// differ collects what differs.
type differ struct {
	found   []string
	unknown []pair // differ only if their bodies do
}

// pair is an entry before and after.
type pair struct{ a, b *Entry }

// items compares what two selections take, by key. Keys come in order.
func (d *differ) items(as, bs []item) {
	for len(as) > 0 || len(bs) > 0 {
		order := -1
		switch {
		case len(as) == 0:
			order = 1
		case len(bs) > 0:
			order = comparePaths(as[0].key, bs[0].key)
		}
		switch {
		case order < 0:
			d.only(as[0])
		case order > 0:
			d.only(bs[0])
		default:
			d.item(as[0], bs[0])
		}
		if order <= 0 {
			as = as[1:]
		}
		if order >= 0 {
			bs = bs[1:]
		}
	}
}

// only adds what is on one side alone.
func (d *differ) only(it item) {
	if it.deep {
		it.n.each(func(n *node) { d.add(n.entry.Path) })
	} else {
		d.add(it.path)
	}
}

func (d *differ) add(path string) {
	if path == "" {
		return // the root is everywhere
	}
	d.found = append(d.found, path)
}

func (d *differ) item(a, b item) {
	switch {
	case a.n == nil && b.n == nil:
	case a.n == nil || b.n == nil || a.deep != b.deep:
		d.only(a)
		d.only(b)
	case a.deep:
		d.nodes(a.n, b.n)
	default:
		d.entries(a.n.entry, b.n.entry)
	}
}

// nodes compares all of two nodes.
func (d *differ) nodes(a, b *node) {
	if a == b {
		return
	}
	if a.entry.IsDir() != b.entry.IsDir() {
		d.all(a)
		d.all(b)
		return
	}
	d.entries(a.entry, b.entry)
	i, j := 0, 0
	for i < len(a.kids) || j < len(b.kids) {
		switch {
		case j == len(b.kids) || i < len(a.kids) && a.kids[i].name < b.kids[j].name:
			d.all(a.kids[i])
			i++
		case i == len(a.kids) || b.kids[j].name < a.kids[i].name:
			d.all(b.kids[j])
			j++
		default:
			d.nodes(a.kids[i], b.kids[j])
			i, j = i+1, j+1
		}
	}
}

func (d *differ) all(n *node) { n.each(func(n *node) { d.add(n.entry.Path) }) }

// entries compares two entries without what is below them.
func (d *differ) entries(a, b *Entry) {
	switch {
	case a == b || a.Path == "" && b.Path == "":
	case a.Path == "" || b.Path == "" || !bytes.Equal(a.header(nil), b.header(nil)):
		d.add(a.Path)
		d.add(b.Path)
	case a.body != b.body:
		d.unknown = append(d.unknown, pair{a, b})
	}
}

// paths returns the paths that differ, after reading what must be read.
func (d *differ) paths(ctx context.Context) ([]string, error) {
	var unread []*Entry
	for _, p := range d.unknown {
		unread = append(unread, p.a, p.b)
	}
	if err := loadAll(ctx, unread); err != nil {
		return nil, err
	}
	for _, p := range d.unknown {
		x, y := &node{entry: p.a}, &node{entry: p.b}
		if x.leaf() != y.leaf() {
			d.add(p.a.Path)
			d.add(p.b.Path)
		}
	}
	slices.SortFunc(d.found, comparePaths)
	return slices.Compact(d.found), nil
}
