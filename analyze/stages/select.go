package stages

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/moby/patternmatcher"

	"github.com/layerscope/layerscope/analyze/buildcontext"
	"github.com/layerscope/layerscope/analyze/layer"
	"github.com/layerscope/layerscope/analyze/tree"
)

// This file finds what a source of a COPY takes of a stage, as BuildKit's file
// backend does (solver/llbsolver/file, and copy of tonistiigi/fsutil):
//
//   - Links on the way to the source, and at its end, are followed within the
//     stage; those found inside a directory are copied as links.
//   - A pattern is matched below what of it has no wildcard, and no link is
//     followed on the way. What it matches is a source of its own.
//   - A directory gives what is in it. --exclude, and what --parents makes of the
//     source, count for what is inside, never for a source itself.

// maxPath is the most bytes of a path that patterns are held to, as many as
// Linux takes of one: each directory of it is matched, with all of its path.
const maxPath = 4096

var errLongPath = fmt.Errorf("a path is longer than %d bytes", maxPath)

// found is told of what a selection takes: a path that isn't a directory, and
// the entry that holds its bytes.
type found func(n tree.Node, inode tree.Ref)

// walk finds what a selection takes. What isn't there is a *[tree.MissingError].
func (l *ledger) walk(ctx context.Context, sel buildcontext.Selection, found found) error {
	if l.tree == nil {
		if sel.Wildcard || path.Join("/", sel.Path) == "/" {
			return nil
		}
		return &tree.MissingError{Path: sel.Path, At: strings.TrimPrefix(path.Join("/", sel.Path), "/"), Removed: -1}
	}
	sources, err := l.sources(ctx, sel)
	if err != nil {
		return err
	}
	w := &walker{ledger: l, found: found}
	if err := w.filter(sel); err != nil {
		return err
	}
	for _, n := range sources {
		if err := w.walk(ctx, n); err != nil {
			return err
		}
	}
	if len(sel.Required) > 0 && !w.any {
		return &tree.MissingError{Path: sel.Required[0], At: strings.TrimPrefix(sel.Required[0], "/"), Removed: -1}
	}
	return nil
}

// sources returns what a selection's path leads to.
func (l *ledger) sources(ctx context.Context, sel buildcontext.Selection) ([]tree.Node, error) {
	plain, pattern := sel.Path, []string(nil)
	if sel.Wildcard {
		parts := strings.Split(strings.TrimPrefix(path.Join("/", sel.Path), "/"), "/")
		first := slices.IndexFunc(parts, buildcontext.HasWildcard)
		plain, pattern = strings.Join(parts[:first], "/"), parts[first:]
	}
	start, err := l.finder.Resolve(plain)
	if err != nil {
		return nil, err
	}
	nodes := []tree.Node{start}
	for i, part := range pattern {
		if nodes, err = l.matches(ctx, nodes, part); err != nil {
			return nil, err
		}
		if i < len(pattern)-1 {
			continue
		}
		for j, n := range nodes { // a link that is matched is followed
			if l.state(n) != layer.Symlink {
				continue
			}
			if nodes[j], err = l.finder.Resolve(l.tree.Path(n)); err != nil {
				return nil, err
			}
		}
	}
	return nodes, nil
}

// matches returns what is in directories under names that a pattern matches. A
// pattern that is wrong matches nothing.
func (l *ledger) matches(ctx context.Context, dirs []tree.Node, pattern string) ([]tree.Node, error) {
	var out []tree.Node
	for _, dir := range dirs {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if dir != tree.Root && l.state(dir) != layer.Dir {
			continue
		}
		for n := dir + 1; n < l.tree.End(dir); n = l.tree.End(n) {
			if _, ok := l.tree.StateAt(n, l.top()); !ok {
				continue
			}
			if ok, err := path.Match(pattern, l.tree.Name(n)); ok && err == nil {
				out = append(out, n)
			}
		}
	}
	return out, nil
}

func (l *ledger) top() int { return l.tree.Layers() - 1 }

// state returns the type of what stands at a path.
func (l *ledger) state(n tree.Node) layer.Type {
	s, _ := l.tree.StateAt(n, l.top())
	return l.tree.Type(s.Inode)
}

// walker goes through what sources hold.
type walker struct {
	*ledger
	found            found
	any              bool // something was found, be it a directory
	include, exclude *patternmatcher.PatternMatcher
}

// filter reads the patterns of a selection.
func (w *walker) filter(sel buildcontext.Selection) (err error) {
	for _, p := range slices.Concat(sel.Include, sel.Exclude) {
		if !utf8.ValidString(p) || strings.Contains(p, "\x00") { // neither can a builder send it
			return fmt.Errorf("the pattern %q isn't UTF-8", p)
		}
	}
	if len(sel.Include) > 0 {
		if w.include, err = patternmatcher.New(sel.Include); err != nil {
			return fmt.Errorf("the patterns %q: %w", sel.Include, err)
		}
	}
	if len(sel.Exclude) > 0 {
		if w.exclude, err = patternmatcher.New(sel.Exclude); err != nil {
			return fmt.Errorf("the patterns %q: %w", sel.Exclude, err)
		}
	}
	return nil
}

// folder is a directory that the walk is in.
type folder struct {
	end              tree.Node
	path             string // below the source, with a slash at the end; "" for the source
	include, exclude patternmatcher.MatchInfo
}

// walk goes through a source: a file, or what is in a directory.
func (w *walker) walk(ctx context.Context, source tree.Node) error {
	t := w.tree
	s, ok := t.StateAt(source, w.top())
	if source != tree.Root && t.Type(s.Inode) != layer.Dir {
		if ok {
			w.any = true
			w.found(source, s.Inode)
		}
		return nil
	}
	open := []folder{{end: t.End(source)}}
	for n := source + 1; n < t.End(source); {
		if n&0xfff == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		for n >= open[len(open)-1].end {
			open = open[:len(open)-1]
		}
		next, below, err := w.visit(n, open[len(open)-1])
		if err != nil {
			return err
		}
		if below != nil {
			open = append(open, *below)
		}
		n = next
	}
	return nil
}

// visit looks at one path. It returns the next to look at and, for a directory,
// the folder to look into.
func (w *walker) visit(n tree.Node, in folder) (next tree.Node, below *folder, err error) {
	t := w.tree
	s, ok := t.StateAt(n, w.top())
	if !ok {
		return t.End(n), nil, nil
	}
	isDir := t.Type(s.Inode) == layer.Dir
	f := folder{end: t.End(n)}
	take, out := true, false
	if w.include != nil || w.exclude != nil {
		if take, out, err = w.judge(t.Name(n), in, &f); err != nil {
			return 0, nil, err
		}
	}
	if take && !out {
		w.any = true
		if !isDir {
			w.found(n, s.Inode)
		}
	}
	if !isDir || out && !w.exclude.Exclusions() {
		return t.End(n), nil, nil
	}
	return n + 1, &f, nil
}

// judge asks the patterns whether they take a path, and leave it out.
func (w *walker) judge(name string, in folder, f *folder) (take, out bool, err error) {
	f.path = in.path + name
	if len(f.path) > maxPath {
		return false, false, errLongPath
	}
	take = true
	if w.include != nil {
		if take, f.include, err = w.include.MatchesUsingParentResults(f.path, in.include); err != nil {
			return false, false, fmt.Errorf("matching a path: %w", err)
		}
	}
	if w.exclude != nil {
		if out, f.exclude, err = w.exclude.MatchesUsingParentResults(f.path, in.exclude); err != nil {
			return false, false, fmt.Errorf("matching a path: %w", err)
		}
	}
	f.path += "/"
	return take, out, nil
}
