package buildcontext

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/moby/patternmatcher"
)

// Selection is what one source of a COPY, an ADD or a bind mount takes of a
// tree: what BuildKit's content hash is told (solver/llbsolver/ops/opsutils,
// Selector). The zero Selection is the whole tree.
type Selection struct {
	Path string // from the root of the context, with or without the slash
	// Wildcard tells that Path is a pattern, as of [path.Match] for whole
	// paths. BuildKit sets it only where Path has a *, ? or [.
	Wildcard    bool
	FollowLinks bool // a link at the end of Path is followed, and those that a pattern or filter takes first
	// Include and Exclude are patterns as in .dockerignore, for paths below
	// what Path is; none is no filter. Required are beginnings of paths, with a
	// slash before them, that something must be selected of.
	Include, Exclude, Required []string

	// What buildah makes of what is taken, which counts for it and for no other
	// builder: the name of the one file, the owner as "uid:gid" and the mode in
	// octal; "" for what they are.
	Name, Owner, Mode string
}

// filtered tells whether single paths are looked at.
func (s *Selection) filtered() bool {
	return s.Wildcard || len(s.Include) > 0 || len(s.Exclude) > 0
}

func (s *Selection) equal(o *Selection) bool {
	return s.Name == o.Name && s.Owner == o.Owner && s.Mode == o.Mode &&
		s.Path == o.Path && s.Wildcard == o.Wildcard && s.FollowLinks == o.FollowLinks &&
		slices.Equal(s.Include, o.Include) && slices.Equal(s.Exclude, o.Exclude) && slices.Equal(s.Required, o.Required)
}

// normal returns the selections of an edge as BuildKit hashes them: plain paths
// that are in others are dropped, and all are sorted. None select everything.
func normal(sels []Selection) []Selection {
	var paths, followed []string
	var filtered, all []Selection
	for _, s := range sels {
		switch {
		case s.filtered():
			filtered = append(filtered, s)
		case s.FollowLinks:
			followed = append(followed, s.Path)
		default:
			paths = append(paths, s.Path)
		}
	}
	for _, p := range outermost(paths) {
		all = append(all, Selection{Path: p})
	}
	for _, p := range outermost(followed) {
		all = append(all, Selection{Path: p, FollowLinks: true})
	}
	all = append(all, filtered...)
	if len(all) == 0 {
		return []Selection{{}}
	}
	slices.SortStableFunc(all, func(a, b Selection) int { return cmp.Compare(a.Path, b.Path) })
	return all
}

// outermost returns the paths that are below none of the others, each once.
func outermost(paths []string) []string {
	slices.Sort(paths)
	paths = slices.Compact(paths)
	return slices.DeleteFunc(slices.Clone(paths), func(p string) bool {
		return slices.ContainsFunc(paths, func(q string) bool {
			return p != q && strings.HasPrefix(p, strings.TrimSuffix(q, "/")+"/")
		})
	})
}

// item is something that a selection takes.
type item struct {
	key  string // its name in the digest: below the selection's path
	path string // where it was found
	n    *node
	deep bool // with all that is below it
}

// items returns what a selection takes, in the order of its digest. single
// tells that the digest is that of the one item, whatever its key.
func (t *Tree) items(s *Selection) (items []item, single bool, err error) {
	if s.filtered() {
		return t.filteredItems(s)
	}
	at, n, err := t.resolve(s.Path, s.FollowLinks)
	if err != nil {
		return nil, false, err
	}
	if n == nil {
		return nil, false, t.noMatch(s.Path)
	}
	return []item{{path: at, n: n, deep: n.entry.IsDir()}}, true, nil
}

func (t *Tree) noMatch(pattern string) error {
	return &NoMatchError{Pattern: strings.TrimPrefix(pattern, "/"), Ignored: t.ignoredBy(clean(pattern))}
}

// filteredItems is contenthash's includedPaths, on a tree.
func (t *Tree) filteredItems(s *Selection) ([]item, bool, error) {
	c, err := newCollector(s)
	if err != nil {
		return nil, false, err
	}
	start, n := "", t.root
	if c.prefix != "" {
		// Links are followed at the end of what is before the first wildcard,
		// and nowhere else at the end of a path.
		follow := s.Wildcard && c.prefix != c.pattern
		if start, n, err = t.resolve(c.prefix, follow); err != nil {
			return nil, false, err
		}
		c.resolved = rooted(start)
	}
	if n != nil {
		if err := t.root.walkFrom(start, c.visit); err != nil && !errors.Is(err, errStop) {
			return nil, false, err
		}
	}
	for _, r := range s.Required {
		if !slices.ContainsFunc(c.items, func(f *found) bool { return strings.HasPrefix(f.path, r) }) {
			return nil, false, t.noMatch(r)
		}
	}
	return t.finish(s, c)
}

// finish follows the links among what was collected.
func (t *Tree) finish(s *Selection, c *collector) ([]item, bool, error) {
	items := make([]item, 0, len(c.items))
	for _, f := range c.items {
		it := item{key: strings.TrimPrefix(f.path, c.prefix), path: f.n.entry.Path, n: f.n}
		if f.follow && f.n.entry.isLink() {
			at, n, err := t.resolve(f.path, true)
			if err != nil {
				return nil, false, err
			}
			if n == nil {
				return nil, false, t.noMatch(f.path)
			}
			it.path, it.n, it.deep = at, n, n.entry.IsDir()
		}
		items = append(items, it)
	}
	single := len(items) == 1 && path.Base(rooted(clean(s.Path))) == path.Base(c.items[0].path)
	return items, single, nil
}

// rooted returns a path with a slash before it; "" for the root, as
// contenthash has it.
func rooted(p string) string {
	if p == "" {
		return ""
	}
	return "/" + p
}

// found is a path that was visited.
type found struct {
	path             string // as the selection names it, with a slash before it
	n                *node
	included, follow bool
	include, exclude patternmatcher.MatchInfo
}

// collector collects what a selection's pattern and filters take.
type collector struct {
	s                *Selection
	pattern          string // the selection's path, with a slash before it; "" for the root
	prefix           string // what of it is before the first wildcard
	resolved         string // prefix without links
	include, exclude *patterns

	items   []*found
	parents []*found // directories around the path that is visited
	matched string   // the last directory that the pattern matched
}

func newCollector(s *Selection) (*collector, error) {
	c := &collector{s: s, pattern: rooted(clean(s.Path))}
	c.prefix = c.pattern
	if s.Wildcard {
		c.prefix = beforeWildcards(c.pattern)
	}
	var err error
	if len(s.Include) > 0 {
		if c.include, err = newPatterns(s.Include); err != nil {
			return nil, fmt.Errorf("the patterns %q: %w", s.Include, err)
		}
	}
	if len(s.Exclude) > 0 {
		if c.exclude, err = newPatterns(s.Exclude); err != nil {
			return nil, fmt.Errorf("the patterns %q: %w", s.Exclude, err)
		}
	}
	return c, nil
}

// beforeWildcards returns the elements of a path before the first that has a
// wildcard.
func beforeWildcards(p string) string {
	var before []string
	for name := range strings.SplitSeq(p, "/") {
		if HasWildcard(name) {
			break
		}
		before = append(before, name)
	}
	return strings.Join(before, "/")
}

// HasWildcard tells whether a name has a wildcard that isn't escaped, which is
// what makes a source of a COPY a pattern.
func HasWildcard(name string) bool {
	for i := 0; i < len(name); i++ {
		switch name[i] {
		case '*', '?', '[':
			return true
		case '\\':
			i++
		}
	}
	return false
}

// errStop ends a walk.
var errStop = errors.New("stop")

// visit looks at a node. Nodes come in the order of a tree's paths.
func (c *collector) visit(n *node) error {
	at := rooted(n.entry.Path)
	if after, ok := strings.CutPrefix(at, c.resolved); ok {
		at = c.prefix + after
	}
	if at == "" && c.pattern == "" {
		return nil // the root itself has no name, mode or owner
	}
	for len(c.parents) > 0 && !under(at, c.parents[len(c.parents)-1].path) {
		c.parents = c.parents[:len(c.parents)-1]
	}
	var parent *found
	if len(c.parents) > 0 {
		parent = c.parents[len(c.parents)-1]
	}
	below, ok, err := c.below(at)
	if err != nil || !ok {
		return err
	}
	take, include, exclude, err := c.takes(below, parent)
	if err != nil || !take && !n.entry.IsDir() {
		return err
	}
	f := &found{path: at, n: n, follow: parent == nil && c.s.FollowLinks, include: include, exclude: exclude}
	if take {
		for _, p := range append(c.parents, f) {
			if !p.included {
				p.included = true
				c.items = append(c.items, p)
			}
		}
	}
	if n.entry.IsDir() {
		c.parents = append(c.parents, f)
	}
	return nil
}

// below returns the path that filters are asked for: what it is below the
// selection's path, or below what its pattern matched. ok is false if the
// selection doesn't reach there.
func (c *collector) below(at string) (rel string, ok bool, err error) {
	base := c.pattern
	if c.s.Wildcard {
		if c.pattern != "" && (c.matched == "" || !under(at, c.matched) || at == c.matched) {
			ok, err := path.Match(c.pattern, at)
			if err != nil {
				return "", false, fmt.Errorf("the pattern %q: %w", strings.TrimPrefix(c.pattern, "/"), err)
			}
			if !ok {
				return "", false, c.leaves(at)
			}
			c.matched = at
		}
		base = c.matched
	} else if !under(at, c.pattern) {
		return "", false, errStop
	}
	return strings.TrimPrefix(strings.TrimPrefix(at, base), "/"), true, nil
}

// under tells whether a path is another, or below it.
func under(p, dir string) bool {
	return strings.HasPrefix(p, dir) && (len(p) == len(dir) || p[len(dir)] == '/')
}

// leaves ends the walk where a pattern can match nothing more: beyond what is
// before its first wildcard. A backslash there is a name's own to the walk,
// while it isn't to the match, so that nothing can be told.
func (c *collector) leaves(at string) error {
	if c.prefix == "" || strings.Contains(c.prefix, `\`) || under(at, c.prefix) {
		return nil
	}
	return errStop
}

// takes asks the filters for a path. What they tell of it is for what is below.
func (c *collector) takes(rel string, parent *found) (take bool, include, exclude patternmatcher.MatchInfo, err error) {
	var above found
	if parent != nil {
		above = *parent
	}
	if c.include != nil {
		if take, include, err = c.include.under(rel, above.include); err != nil {
			return false, include, exclude, fmt.Errorf("the patterns %q: %w", c.s.Include, err)
		}
		if !take {
			return false, include, exclude, nil
		}
	}
	if c.exclude != nil {
		var out bool
		if out, exclude, err = c.exclude.under(rel, above.exclude); err != nil {
			return false, include, exclude, fmt.Errorf("the patterns %q: %w", c.s.Exclude, err)
		}
		return !out, include, exclude, nil
	}
	return true, include, exclude, nil
}

// walkFrom visits the node of a path that is there, all below it, and then all
// that comes after it in the tree's order.
func (n *node) walkFrom(start string, visit func(*node) error) error {
	if start == "" {
		return n.walkAll(visit)
	}
	name, rest, _ := strings.Cut(start, "/")
	i, _ := n.kid(name)
	if err := n.kids[i].walkFrom(rest, visit); err != nil {
		return err
	}
	for _, k := range n.kids[i+1:] {
		if err := k.walkAll(visit); err != nil {
			return err
		}
	}
	return nil
}

func (n *node) walkAll(visit func(*node) error) error {
	if err := visit(n); err != nil {
		return err
	}
	for _, k := range n.kids {
		if err := k.walkAll(visit); err != nil {
			return err
		}
	}
	return nil
}

// Files returns what selections take, by path: files and directories, once
// each. Links that are followed are given as what they lead to.
// A selection that takes nothing is a [*NoMatchError], unless it is a pattern.
func (t *Tree) Files(ctx context.Context, sels []Selection) ([]*Entry, error) {
	seen := map[*Entry]bool{}
	var all []*Entry
	add := func(n *node) {
		if n != t.root && !seen[n.entry] {
			seen[n.entry] = true
			all = append(all, n.entry)
		}
	}
	for _, s := range normal(sels) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		items, _, err := t.items(&s)
		if err != nil {
			return nil, err
		}
		for _, it := range items {
			if it.deep {
				it.n.each(add)
			} else {
				add(it.n)
			}
		}
	}
	slices.SortFunc(all, func(a, b *Entry) int { return comparePaths(a.Path, b.Path) })
	return all, nil
}

// comparePaths orders paths as trees do: a directory, what is in it, and then
// what else begins with its name.
func comparePaths(a, b string) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return cmp.Compare(rank(a[i]), rank(b[i]))
		}
	}
	return cmp.Compare(len(a), len(b))
}

func rank(c byte) byte {
	if c == '/' {
		return 0 // no name has a NUL
	}
	return c
}
