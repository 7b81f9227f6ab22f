package buildcontext

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// The classic builder and buildah hash each source of an instruction by itself,
// and each of several matches of a pattern: a file, or a directory with all that
// is below it. The hash of an instruction is that of all those in their order,
// which is the instruction's, and for matches that of their names.

// source is a file or a directory that a chain builder hashes.
type source struct {
	sel   *Selection
	dir   bool
	items []item
}

// sources returns what selections take for a chain builder, which fails where
// one takes nothing.
func (t *Tree) sources(sels []Selection, r Rules) ([]source, error) {
	if len(sels) == 0 {
		sels = []Selection{{}}
	}
	var all []source
	for i := range sels {
		paths, err := t.matches(&sels[i])
		if err != nil {
			return nil, err
		}
		for _, p := range paths {
			s := source{sel: &sels[i]}
			if r.Names {
				err = s.classic(t, p)
			} else {
				err = s.buildah(t, p)
			}
			if err != nil {
				return nil, err
			}
			all = append(all, s)
		}
	}
	return all, nil
}

// matches returns the paths that a selection names. There is always one.
func (t *Tree) matches(s *Selection) (paths []string, err error) {
	if !s.Wildcard {
		return []string{clean(s.Path)}, nil
	}
	pattern := clean(s.Path)
	err = t.root.walkAll(func(n *node) error {
		if n == t.root {
			return nil
		}
		ok, err := path.Match(pattern, n.entry.Path)
		if err != nil {
			return fmt.Errorf("the pattern %q: %w", pattern, err)
		}
		if ok {
			paths = append(paths, n.entry.Path)
		}
		return nil
	})
	if err == nil && len(paths) == 0 {
		err = t.noMatch(s.Path)
	}
	return paths, err
}

// classic takes a path as the classic builder does: everything by its whole
// name, and links as what they lead to.
func (s *source) classic(t *Tree, p string) error {
	at, n, err := t.resolve(p, true)
	if err != nil {
		return err
	}
	if n == nil {
		return t.noMatch(p)
	}
	if s.dir = n.entry.IsDir(); !s.dir {
		s.items = []item{{key: at, path: at, n: n}}
		return nil
	}
	n.each(func(k *node) {
		if k == t.root {
			return
		}
		at, to, err := t.resolve(k.entry.Path, true)
		if err != nil && errors.Is(err, ErrLinks) {
			return // what can't be hashed isn't
		}
		s.items = append(s.items, item{key: at, path: k.entry.Path, n: to})
	})
	// Links may make several of one key: how often something is reached counts.
	slices.SortStableFunc(s.items, func(a, b item) int { return cmp.Compare(a.key, b.key) })
	return nil
}

// buildah takes a path as buildah does: a file by the name that it gets, of a
// directory what is below it and not itself.
func (s *source) buildah(t *Tree, p string) error {
	_, n, err := t.resolve(p, true)
	if err != nil {
		return err
	}
	if n == nil {
		return t.noMatch(p)
	}
	if s.dir = n.entry.IsDir(); !s.dir {
		s.items = []item{{key: cmp.Or(s.sel.Name, path.Base(p)), path: n.entry.Path, n: n}}
		return nil
	}
	n.each(func(k *node) {
		if k != n {
			below := strings.TrimPrefix(k.entry.Path[len(n.entry.Path):], "/")
			s.items = append(s.items, item{key: below, path: k.entry.Path, n: k})
		}
	})
	return nil
}

// chainHash hashes sources by a chain builder's rules.
type chainHash struct {
	rules Rules
	// same are entries that stand at both sides of a comparison: they need no
	// reading.
	same map[*Entry]bool
}

// leaf returns the digest of an item of the source. Unless it is one of the
// same, it must have been loaded.
func (c chainHash) leaf(s *source, it *item) Digest {
	r := c.rules
	if it.n == nil {
		return sha256.Sum256([]byte("broken link"))
	}
	e := it.n.entry
	if r.Root {
		e = s.remade(e)
	}
	b := e.header(make([]byte, 0, 128))
	if r.Root {
		// The name of the owner counts, not the number, and it is looked up
		// where there is none but root.
		b = strconv.AppendBool(b, it.n.entry.UID == 0)
		b = strconv.AppendBool(b, it.n.entry.GID == 0)
		b = strconv.AppendQuote(b, s.sel.Owner)
	}
	if c.same[it.n.entry] {
		return sha256.Sum256(fmt.Appendf(b, "%p", it.n.entry))
	}
	if e.body != nil {
		for _, a := range e.body.attrs {
			if r.Names && a.name != "security.capability" {
				continue // the engine's client sends no others
			}
			b = strconv.AppendQuote(b, a.name)
			b = strconv.AppendQuote(b, a.value)
		}
		b = append(b, e.body.id[:]...)
	}
	return sha256.Sum256(b)
}

// remade returns an entry as buildah makes it.
func (s *source) remade(e *Entry) *Entry {
	made := *e
	made.Mode &^= fs.ModeSetuid | fs.ModeSetgid
	if mode, err := strconv.ParseUint(s.sel.Mode, 8, 32); err == nil {
		made.Mode = made.Mode&^(fs.ModePerm|fs.ModeSticky) | fs.FileMode(mode)&fs.ModePerm
		for bit, to := range map[uint64]fs.FileMode{0o4000: fs.ModeSetuid, 0o2000: fs.ModeSetgid, 0o1000: fs.ModeSticky} {
			if mode&bit != 0 {
				made.Mode |= to
			}
		}
	}
	return &made
}

// chainDigest is [Tree.Digest] by the rules of a chain builder.
func (t *Tree) chainDigest(ctx context.Context, sels []Selection, r Rules) (Digest, error) {
	all, err := t.sources(sels, r)
	if err != nil {
		return Digest{}, err
	}
	c := chainHash{rules: r}
	if err := c.load(ctx, all); err != nil {
		return Digest{}, err
	}
	return c.digest(all), nil
}

// load reads what a digest needs and what wasn't read.
func (c chainHash) load(ctx context.Context, all []source) error {
	var unread []*Entry
	for _, s := range all {
		for i := range s.items {
			if n := s.items[i].n; n != nil && !c.same[n.entry] {
				unread = s.items[i].unread(unread)
			}
		}
	}
	return loadAll(ctx, unread)
}

func (c chainHash) digest(all []source) Digest {
	h := sha256.New()
	for _, s := range all {
		var l list
		for i := range s.items {
			l.add(s.items[i].key, c.leaf(&s, &s.items[i]))
		}
		d := l.sum()
		h.Write(strconv.AppendBool(nil, s.dir))
		h.Write(d[:])
	}
	return Digest(h.Sum(nil))
}

// differChain is [Differ] by the rules of a chain builder.
func differChain(ctx context.Context, a *Tree, as []Selection, b *Tree, bs []Selection, r Rules) ([]string, error) {
	if a.root == b.root && slices.EqualFunc(as, bs, func(x, y Selection) bool { return x.equal(&y) }) {
		return nil, ctx.Err()
	}
	after, err := b.sources(bs, r)
	if err != nil {
		return nil, err
	}
	before, err := a.sources(as, r)
	if _, ok := errors.AsType[*NoMatchError](err); err != nil && !ok {
		return nil, err
	}
	c := chainHash{r, shared(before, after)}
	if err := c.load(ctx, slices.Concat(before, after)); err != nil {
		return nil, err
	}
	if err == nil && c.digest(before) == c.digest(after) {
		return nil, nil
	}
	return c.differing(before, after), nil
}

// shared returns the entries that stand in both under the same names alone.
func shared(before, after []source) map[*Entry]bool {
	entries := func(all []source) map[string]*Entry {
		m := map[string]*Entry{}
		for _, s := range all {
			for _, it := range s.items {
				if it.n != nil {
					m[it.key] = it.n.entry
				}
			}
		}
		return m
	}
	old, now := entries(before), entries(after)
	same := map[*Entry]bool{}
	for key, e := range now {
		if old[key] == e {
			same[e] = true
		}
	}
	for _, m := range [...][2]map[string]*Entry{{old, now}, {now, old}} {
		for key, e := range m[0] {
			if m[1][key] != e {
				delete(same, e)
			}
		}
	}
	return same
}

// differing returns the paths by which two differ that do.
func (c chainHash) differing(before, after []source) []string {
	type kept struct {
		path string
		sum  Digest
	}
	old := map[string]kept{}
	for _, s := range before {
		for i, it := range s.items {
			old[it.key] = kept{it.path, c.leaf(&s, &s.items[i])}
		}
	}
	var found, all []string
	for _, s := range after {
		for i, it := range s.items {
			was, ok := old[it.key]
			if delete(old, it.key); !ok || was.sum != c.leaf(&s, &s.items[i]) {
				found = append(found, it.path)
			}
			all = append(all, it.path)
		}
	}
	for _, was := range old {
		found = append(found, was.path)
	}
	if len(found) == 0 { // the same files, in another order or as other sources
		found = all
	}
	if len(found) == 0 {
		found = []string{"."}
	}
	slices.SortFunc(found, comparePaths)
	return slices.Compact(found)
}
