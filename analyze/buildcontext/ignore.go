package buildcontext

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
)

// ignoreName is the name of the file at the root of a context that says what
// isn't sent, and what is put behind the name of a Dockerfile for one of its
// own.
const ignoreName = ".dockerignore"

// maxIgnore is the most bytes that a .dockerignore may have.
const maxIgnore = 4 << 20

// ignoreFile is a .dockerignore.
type ignoreFile struct {
	name     string // as messages name it
	patterns []string
}

// parseIgnore reads the text of a .dockerignore; nil if it leaves out nothing.
func parseIgnore(name string, text []byte) (*ignoreFile, error) {
	patterns, err := ignorefile.ReadAll(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	f := &ignoreFile{name, patterns}
	m, err := f.matcher()
	if err != nil {
		return nil, err
	}
	if m == nil {
		return nil, nil
	}
	return f, nil
}

// readIgnore finds and reads the .dockerignore of a context: the Dockerfile's
// own first. Neither is looked for outside of the directory that it is in.
func readIgnore(root *os.Root, dir string, opt Options) (*ignoreFile, error) {
	if opt.Dockerfile != "" {
		if beside, err := os.OpenRoot(filepath.Dir(opt.Dockerfile)); err == nil {
			defer beside.Close()
			name := opt.Dockerfile + ignoreName
			text, err := readSmall(beside, filepath.Base(name))
			if err != nil {
				return nil, fmt.Errorf("reading %s: %w", name, plain(err))
			} else if text != nil {
				return parseIgnore(name, text)
			}
		}
	}
	text, err := readSmall(root, ignoreName)
	if err != nil {
		return nil, &Error{dir, ignoreName, plain(err)}
	}
	return parseIgnore(filepath.Join(dir, ignoreName), text)
}

// readSmall reads a file of a directory; nil if there is none, or if it is none
// that can be read, as a directory or a link that leads out.
func readSmall(root *os.Root, name string) ([]byte, error) {
	f, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		if errors.Is(err, fs.ErrPermission) {
			return nil, err
		}
		return nil, nil
	}
	defer f.Close()
	if fi, err := f.Stat(); err != nil || !fi.Mode().IsRegular() {
		return nil, nil
	}
	text, err := io.ReadAll(io.LimitReader(f, maxIgnore+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxIgnore {
		return nil, fmt.Errorf("larger than %d bytes", maxIgnore)
	}
	return append([]byte{}, text...), nil // an empty file is one too
}

// matcher returns what matches paths; nil if there are no patterns. A matcher
// is for one goroutine.
func (f *ignoreFile) matcher() (*matcher, error) {
	if f == nil {
		return nil, nil
	}
	pm, err := newPatterns(f.patterns)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", f.name, err)
	}
	if len(pm.Patterns()) == 0 {
		return nil, nil
	}
	m := &matcher{patterns: pm, file: f, plain: true}
	for _, p := range pm.Patterns() {
		if p.Exclusion() {
			e := withoutGlob(p.String())
			m.exceptions = append(m.exceptions, e+"/")
			m.plain = m.plain && !strings.ContainsAny(e, `*[]?^\`)
		}
	}
	// Patterns are compiled when they are first matched.
	if _, err := m.ignores("a"); err != nil {
		return nil, err
	}
	return m, nil
}

// matcher tells which paths a .dockerignore leaves out.
type matcher struct {
	*patterns
	file       *ignoreFile
	exceptions []string // the patterns with a !, with a slash at their end
	plain      bool     // none of the exceptions has a wildcard but at its end
}

// withoutGlob returns a pattern without a /* or /** at its end.
func withoutGlob(p string) string {
	return strings.TrimSuffix(strings.TrimSuffix(p, "/**"), "/*")
}

// match tells whether a path is left out. above is what the directory it is in
// gave; what is returned is for what is below the path.
func (m *matcher) match(path string, above patternmatcher.MatchInfo) (bool, patternmatcher.MatchInfo, error) {
	if m == nil {
		return false, above, nil
	}
	out, info, err := m.under(path, above)
	return out, info, m.wrap(err)
}

// ignores tells whether a path is left out. It is asked for from the root down,
// as builders do: a pattern that is looked at only for what is below a
// directory gives another answer than for the path alone.
func (m *matcher) ignores(path string) (out bool, err error) {
	if m == nil {
		return false, nil
	}
	var above patternmatcher.MatchInfo
	for end := range len(path) + 1 {
		if end == len(path) || path[end] == '/' {
			if out, above, err = m.match(path[:end], above); err != nil {
				return false, err
			}
		}
	}
	return out, nil
}

// withholds tells whether BuildKit's client lists a file, and then sends none of
// its bytes: to open it, it asks for the path alone, which where there are
// exceptions may give another answer. The file arrives empty.
func (m *matcher) withholds(path string) bool {
	if m == nil || !m.Exclusions() {
		return false
	}
	out, err := m.matches(path)
	return err == nil && out
}

func (m *matcher) wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("reading %s: %w", m.file.name, err)
}

// prunes tells whether nothing below a directory that is left out can be let
// in again. It is BuildKit's rule: only the text of exceptions is looked at,
// and where one has a wildcard nothing is pruned.
func (m *matcher) prunes(dir string) bool {
	if !m.plain {
		return false
	}
	dir = m.path(dir) + "/"
	return !slices.ContainsFunc(m.exceptions, func(e string) bool { return strings.HasPrefix(e, dir) })
}

// skipped is a path that .dockerignore leaves out.
type skipped struct {
	entry  *Entry
	pruned bool // nothing below was looked at
}

// Ignored is what a pattern of .dockerignore leaves out.
type Ignored struct {
	Pattern  string
	Files    int      // regular files and links
	Bytes    int64    // of regular files
	Examples []string // the first few paths
}

// maxExamples is how many examples there are of what a pattern leaves out.
const maxExamples = 3

// IgnoreFile returns the path of the .dockerignore that counts, as it was read;
// "" if there is none, or if it has no patterns.
func (t *Tree) IgnoreFile() string {
	if t.ignore == nil {
		return ""
	}
	return t.ignore.name
}

// Ignored returns what .dockerignore leaves out, by the pattern that does, the
// largest first. Directories that a build doesn't look into are counted now, so
// that it may take a while; what can't be read of them isn't counted.
func (t *Tree) Ignored(ctx context.Context) ([]Ignored, error) {
	if len(t.skipped) == 0 {
		return nil, ctx.Err()
	}
	c, err := newIgnoredCount(t)
	if err != nil {
		return nil, err
	}
	for _, s := range t.skipped {
		pattern := c.pattern(s.entry.Path)
		if !s.pruned {
			c.add(pattern, s.entry)
		} else if err := c.below(ctx, pattern, s.entry.Path); err != nil {
			return nil, err
		}
	}
	return c.sorted(), nil
}

// ignoredCount adds up what patterns leave out.
type ignoredCount struct {
	list      lister
	patterns  []string
	matchers  []*patterns // of each pattern alone, without its !
	byPattern map[string]*Ignored
}

func newIgnoredCount(t *Tree) (*ignoredCount, error) {
	c := &ignoredCount{list: t.list, byPattern: map[string]*Ignored{}}
	for _, p := range t.ignore.patterns {
		m, err := newPatterns([]string{strings.TrimPrefix(p, "!")})
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", t.ignore.name, err)
		}
		c.patterns = append(c.patterns, p)
		c.matchers = append(c.matchers, m)
	}
	return c, nil
}

// pattern returns the pattern that leaves a path out, which something does.
func (c *ignoredCount) pattern(path string) string {
	by, last := "", ""
	for i, p := range c.patterns {
		if ok, err := c.matchers[i].matches(path); err != nil || !ok {
			continue
		}
		switch exception := strings.HasPrefix(p, "!"); {
		case exception:
			by = ""
		case by == "":
			by, last = p, p
		}
	}
	return cmp.Or(by, last) // an exception for a directory may not count below it
}

func (c *ignoredCount) add(pattern string, e *Entry) {
	if e.IsDir() {
		return
	}
	i := c.byPattern[pattern]
	if i == nil {
		i = &Ignored{Pattern: pattern}
		c.byPattern[pattern] = i
	}
	i.Files++
	i.Bytes += e.Size
	if len(i.Examples) < maxExamples {
		i.Examples = append(i.Examples, e.Path)
	}
}

// below adds all that is below a directory.
func (c *ignoredCount) below(ctx context.Context, pattern, dir string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if c.list == nil {
		return nil
	}
	entries, err := c.list(dir)
	if err != nil {
		return nil // builders don't look into it either
	}
	for _, e := range entries {
		c.add(pattern, e)
		if e.IsDir() {
			if err := c.below(ctx, pattern, e.Path); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *ignoredCount) sorted() []Ignored {
	var all []Ignored
	for _, i := range c.byPattern {
		all = append(all, *i)
	}
	slices.SortFunc(all, func(a, b Ignored) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(b.Files, a.Files), cmp.Compare(a.Pattern, b.Pattern))
	})
	return all
}

// ignoredBy returns the pattern that leaves a path out; "" if none does.
func (t *Tree) ignoredBy(path string) string {
	m, err := t.ignore.matcher()
	if err != nil || m == nil || path == "" {
		return ""
	}
	if out, err := m.ignores(path); err != nil || !out {
		return ""
	}
	c, err := newIgnoredCount(t)
	if err != nil {
		return ""
	}
	return c.pattern(path)
}
