package edit

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
)

// Change is a change of a build context.
type Change struct {
	Kind string // one of ContextKinds
	Path string // of the file or directory changed, with slashes, relative to the context
	// Apply makes the change in a copy of the context. "owner" needs root.
	Apply func(dir string) error
}

// contextKind is a kind of change of one file or directory; change gets its
// path.
type contextKind struct {
	name   string
	on     func(fs.FileMode) bool
	change func(path string) error
}

func isDir(m fs.FileMode) bool  { return m.IsDir() }
func isFile(m fs.FileMode) bool { return m.IsRegular() }
func isLink(m fs.FileMode) bool { return m&fs.ModeSymlink != 0 }
func isAny(fs.FileMode) bool    { return true }

var contextKinds = []contextKind{
	{"bytes", isFile, func(p string) error {
		text, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		if len(text) == 0 {
			return os.WriteFile(p, []byte("x"), 0o644)
		}
		text[len(text)/2] ^= 1 // as long as before
		return os.WriteFile(p, text, 0o644)
	}},
	{"append", isFile, func(p string) error {
		text, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		return os.WriteFile(p, append(text, "more\n"...), 0o644)
	}},
	{"rewritten", isFile, func(p string) error { // with the same bytes
		text, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		return os.WriteFile(p, text, 0o644)
	}},
	{"mode", func(m fs.FileMode) bool { return !isLink(m) }, func(p string) error {
		info, err := os.Stat(p)
		if err != nil {
			return err
		}
		return os.Chmod(p, info.Mode().Perm()^0o011)
	}},
	{"mtime", func(m fs.FileMode) bool { return !isLink(m) }, func(p string) error {
		at := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
		return os.Chtimes(p, at, at)
	}},
	{"owner", isAny, func(p string) error { return os.Lchown(p, 1234, 1234) }},
	{"removed", isAny, os.RemoveAll},
	{"renamed", isAny, func(p string) error { return os.Rename(p, p+"-x") }},
	{"copied", isFile, func(p string) error {
		text, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(filepath.Dir(p), "copy-of-"+filepath.Base(p)), text, 0o644)
	}},
	{"to-link", isFile, func(p string) error { // to a file of the same bytes
		if err := os.Rename(p, p+".real"); err != nil {
			return err
		}
		return os.Symlink(filepath.Base(p)+".real", p)
	}},
	{"to-directory", isFile, func(p string) error {
		if err := os.Remove(p); err != nil {
			return err
		}
		return os.Mkdir(p, 0o755)
	}},
	{"link-target", isLink, func(p string) error {
		target, err := os.Readlink(p)
		if err != nil {
			return err
		}
		return errors.Join(os.Remove(p), os.Symlink(target+"-x", p))
	}},
	{"new-file", isDir, func(p string) error { return os.WriteFile(filepath.Join(p, "new-file"), []byte("new\n"), 0o644) }},
	{"new-directory", isDir, func(p string) error { return os.Mkdir(filepath.Join(p, "new-directory"), 0o755) }},
}

// ignoreKinds are changes of the .dockerignore: lines more.
var ignoreKinds = []struct{ name, text string }{
	{"ignore-comment", "# a note\n"},
	{"ignore-nothing", "there-is-no-such-file\n"},
	{"ignore-go", "**/*.go\n"},
	{"ignore-all-but-one", "*\n!new-file\n"},
}

// ContextKinds returns the names of all kinds of change. One in "ignored-…" is
// of a file that .dockerignore leaves out.
func ContextKinds() []string {
	var names []string
	for _, k := range contextKinds {
		names = append(names, k.name, "ignored-"+k.name)
	}
	for _, k := range ignoreKinds {
		names = append(names, k.name)
	}
	return names
}

// Context returns every change of every kind that applies to a context's files
// and directories, in the order of their paths. Those of the context's own
// directory are only what is new in it. The context isn't touched. A .dockerignore
// that can't be read is as if there were none.
func Context(dir string) []Change {
	ignored := ignores(dir)
	var changes []Change
	_ = filepath.WalkDir(dir, func(p string, entry fs.DirEntry, err error) error {
		if err != nil {
			return nil // what can't be read has no changes
		}
		rel, err := filepath.Rel(dir, p)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		for _, k := range contextKinds {
			if !k.on(entry.Type()) || rel == "." && !strings.HasPrefix(k.name, "new-") {
				continue
			}
			name := k.name
			if ignored(rel) {
				name = "ignored-" + name
			}
			changes = append(changes, Change{name, rel, func(dir string) error {
				if err := k.change(filepath.Join(dir, filepath.FromSlash(rel))); err != nil {
					return fmt.Errorf("%s of %s: %w", k.name, rel, err)
				}
				return nil
			}})
		}
		return nil
	})
	for _, k := range ignoreKinds {
		changes = append(changes, Change{k.name, ".dockerignore", func(dir string) error {
			return appendTo(filepath.Join(dir, ".dockerignore"), k.text)
		}})
	}
	return changes
}

// appendTo appends to a file that may not be there.
func appendTo(path, text string) error {
	old, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if len(old) > 0 && !strings.HasSuffix(string(old), "\n") {
		text = "\n" + text
	}
	return os.WriteFile(path, append(old, text...), 0o644)
}

// ignores returns what tells whether .dockerignore leaves a path out.
func ignores(dir string) func(string) bool {
	none := func(string) bool { return false }
	f, err := os.Open(filepath.Join(dir, ".dockerignore"))
	if err != nil {
		return none
	}
	defer f.Close()
	patterns, err := ignorefile.ReadAll(f)
	if err != nil {
		return none
	}
	m, err := patternmatcher.New(patterns)
	if err != nil {
		return none
	}
	return func(p string) bool {
		out, err := m.MatchesOrParentMatches(path.Clean(p))
		return err == nil && out && !slices.Contains([]string{"Dockerfile", ".dockerignore"}, p)
	}
}
