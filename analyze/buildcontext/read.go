package buildcontext

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/moby/patternmatcher"
)

// Options are what a build is told of its context. The zero value reads a
// --build-context, which has no Dockerfile.
type Options struct {
	// Dockerfile is the path of the Dockerfile, wherever it is. If a
	// "<Dockerfile>.dockerignore" is beside it, it counts and the .dockerignore
	// at the root of the context doesn't. The classic builder knows no such
	// file: leave the option empty for it.
	Dockerfile string
}

// Read lists the files of a directory as a builder gets them. Bodies are read
// when they are first compared. What is wrong with the directory, or with a
// file that isn't left out by .dockerignore, is an [*Error].
func Read(ctx context.Context, dir string, opt Options) (*Tree, error) {
	f, err := openFolder(dir)
	if err != nil {
		return nil, err
	}
	ignore, err := readIgnore(f.root, dir, opt)
	if err != nil {
		return nil, err
	}
	return walk(ctx, f.list, ignore)
}

// openFolder opens a context's directory.
func openFolder(dir string) (*folder, error) {
	fi, err := os.Stat(dir)
	if err != nil {
		return nil, &Error{dir, "", plain(err)}
	}
	if !fi.IsDir() {
		return nil, &Error{dir, "", ErrNotDirectory}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, &Error{dir, "", plain(err)}
	}
	return &folder{dir: dir, root: root}, nil
}

// list returns what is in a directory of the folder. What goes while it is
// listed isn't there, as for BuildKit.
func (f *folder) list(dir string) ([]*Entry, error) {
	name, prefix := dir, dir+"/"
	if dir == "" {
		name, prefix = ".", ""
	}
	d, err := f.root.Open(name)
	if err != nil {
		return nil, f.fail(dir, err)
	}
	defer d.Close()
	listed, err := d.ReadDir(-1)
	if err != nil {
		return nil, f.fail(dir, err)
	}
	entries := make([]*Entry, 0, len(listed))
	for _, l := range listed {
		fi, err := l.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		} else if err != nil {
			return nil, f.fail(prefix+l.Name(), err)
		}
		e, err := f.entry(prefix+l.Name(), fi)
		if err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// entry describes a file.
func (f *folder) entry(path string, fi fs.FileInfo) (*Entry, error) {
	const kept = fs.ModeType | fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky
	e := &Entry{Path: path, Mode: fi.Mode() & kept, mtime: fi.ModTime().UnixNano(), body: &body{source: f}}
	// A socket arrives as an empty file.
	e.Mode &^= fs.ModeSocket | fs.ModeIrregular
	if fi.Mode().IsRegular() {
		e.Size = fi.Size()
	}
	if e.isLink() {
		var err error
		if e.Link, err = f.root.Readlink(path); err != nil {
			return nil, f.fail(path, err)
		}
	}
	setSystem(e, fi)
	return e, nil
}

// lister returns what is in a directory, "" for the root, in any order.
type lister func(dir string) ([]*Entry, error)

// walk makes a tree of what isn't left out.
func walk(ctx context.Context, list lister, ignore *ignoreFile) (*Tree, error) {
	m, err := ignore.matcher()
	if err != nil {
		return nil, err
	}
	w := &walker{ctx: ctx, list: list, matcher: m, first: map[uint64]string{}}
	t := &Tree{root: newRoot(), ignore: ignore, list: list}
	if t.root.kids, err = w.below("", patternmatcher.MatchInfo{}, false); err != nil {
		return nil, err
	}
	t.skipped = w.skipped
	return t, nil
}

// walker walks a context as BuildKit's client does.
type walker struct {
	ctx     context.Context
	list    lister
	matcher *matcher
	skipped []skipped
	first   map[uint64]string // names of inodes that have several
}

// below returns what is in a directory. The directory itself may be left out:
// then it is there only if something below it is.
func (w *walker) below(dir string, above patternmatcher.MatchInfo, out bool) ([]*node, error) {
	if err := w.ctx.Err(); err != nil {
		return nil, err
	}
	entries, err := w.list(dir)
	switch {
	case err == nil:
	case out && errors.Is(err, fs.ErrPermission), dir != "" && errors.Is(err, fs.ErrNotExist):
		return nil, nil
	default:
		return nil, err
	}
	slices.SortFunc(entries, func(a, b *Entry) int { return strings.Compare(a.Path, b.Path) })
	kids := make([]*node, 0, len(entries))
	for _, e := range entries {
		k, err := w.visit(e, above)
		if err != nil {
			return nil, err
		}
		if k != nil {
			kids = append(kids, k)
		}
	}
	return slices.Clip(kids), nil
}

// visit returns the node of an entry; nil if it is left out.
func (w *walker) visit(e *Entry, above patternmatcher.MatchInfo) (*node, error) {
	out, info, err := w.matcher.match(e.Path, above)
	if err != nil {
		return nil, err
	}
	k := newNode(e)
	switch {
	case e.IsDir() && out && w.matcher.prunes(e.Path):
		w.skipped = append(w.skipped, skipped{e, true})
		return nil, nil
	case e.IsDir():
		if k.kids, err = w.below(e.Path, info, out); err != nil {
			return nil, err
		}
		if out && len(k.kids) == 0 {
			return nil, nil
		}
	case out:
		w.skipped = append(w.skipped, skipped{e, false})
		return nil, nil
	}
	if e.Mode.IsRegular() && w.matcher.withholds(e.Path) {
		e.withhold()
	}
	if e.inode != 0 {
		if first, ok := w.first[e.inode]; ok {
			e.first = first
		} else {
			w.first[e.inode] = e.Path
		}
	}
	return k, nil
}
