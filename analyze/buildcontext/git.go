package buildcontext

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// GitError says what git can't tell.
type GitError struct {
	Dir string
	Rev string
	Err error
}

func (e *GitError) Error() string {
	return fmt.Sprintf("reading revision %s of %s: %v", e.Rev, e.Dir, e.Err)
}

func (e *GitError) Unwrap() error { return e.Err }

// Advice says what helps; "" if nothing is known to.
func (e *GitError) Advice() string {
	switch {
	case errors.Is(e.Err, exec.ErrNotFound):
		return "install git"
	case errors.Is(e.Err, ErrRevision):
		return "give a revision that git log of that directory knows: a branch, a tag or a commit"
	}
	return ""
}

// ErrRevision is that a revision isn't there.
var ErrRevision = errors.New("no such revision")

// maxGitFile is the most bytes of a file that [GitFile] returns.
const maxGitFile = 16 << 20

// Git returns the files of a directory in a Git revision, after the
// .dockerignore of that revision, as a checkout has them: files are 0644 or
// 0755, directories 0755, and those of submodules empty. No body is read, but
// in repositories that name objects by SHA-256. What filters do in a checkout,
// as line ends and LFS, isn't done. What git can't tell is a [*GitError].
func Git(ctx context.Context, dir, rev string, opt Options) (*Tree, error) {
	g, err := openGit(ctx, dir, rev)
	if err != nil {
		return nil, err
	}
	ignore, err := g.ignore(ctx, opt)
	if err != nil {
		return nil, err
	}
	return g.tree(ctx, ignore)
}

// GitFile returns a file as it is in a Git revision. A relative path is below
// dir; it may lead out of it, but not out of the repository. Links are followed
// within the revision. The error is a [*GitError], which is an [fs.ErrNotExist]
// if there is no such file.
func GitFile(ctx context.Context, dir, rev, path string) ([]byte, error) {
	g, err := openGit(ctx, dir, rev)
	if err != nil {
		return nil, err
	}
	return g.file(ctx, path)
}

// Since returns the files of a context as they are, and as they were in a Git
// revision: with what git diff tells undone. What Git doesn't know and ignores
// is in both, as it is now; new files that it doesn't ignore are in after alone.
// Modes that Git doesn't keep are the same in both.
func Since(ctx context.Context, dir, rev string, opt Options) (before, after *Tree, err error) {
	g, err := openGit(ctx, dir, rev)
	if err != nil {
		return nil, nil, err
	}
	if after, err = Read(ctx, dir, opt); err != nil {
		return nil, nil, err
	}
	ignore, err := g.ignore(ctx, opt)
	if err != nil {
		return nil, nil, err
	}
	before = after
	if !slices.Equal(ignore.text(), after.ignore.text()) {
		f, err := openFolder(dir)
		if err != nil {
			return nil, nil, err
		}
		if before, err = walk(ctx, f.list, ignore); err != nil {
			return nil, nil, err
		}
	}
	before, err = g.undo(ctx, before)
	return before, after, err
}

// text returns the patterns of a .dockerignore; none for none.
func (f *ignoreFile) text() []string {
	if f == nil {
		return nil
	}
	return f.patterns
}

// repository is a Git repository at a revision.
type repository struct {
	dir    string // of the context
	rev    string
	commit string // its object's name
	prefix string // of the context in the repository, with a slash at its end; "" for its root
	sha1   bool   // objects are named by SHA-1
}

func (g *repository) fail(err error) error { return &GitError{g.dir, g.rev, err} }

func openGit(ctx context.Context, dir, rev string) (*repository, error) {
	g := &repository{dir: dir, rev: rev}
	if rev == "" || strings.HasPrefix(rev, "-") || strings.ContainsAny(rev, "\x00\n") {
		return nil, &GitError{dir, strconv.Quote(rev), ErrRevision}
	}
	out, err := g.git(ctx, "", "rev-parse", "--show-object-format", "--show-prefix")
	if err != nil {
		return nil, g.fail(err)
	}
	format, prefix, _ := strings.Cut(string(out), "\n")
	g.sha1, g.prefix = format == "sha1", strings.TrimSuffix(prefix, "\n")
	out, err = g.git(ctx, "", "rev-parse", "--verify", "--quiet", rev+"^{commit}")
	if ctx.Err() != nil {
		return nil, ctx.Err()
	} else if err != nil {
		return nil, g.fail(ErrRevision)
	}
	g.commit = strings.TrimSpace(string(out))
	return g, nil
}

// local are the variables by which a hook's git, or another, would be told
// that the repository is elsewhere.
var local = []string{
	"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES",
	"GIT_COMMON_DIR", "GIT_PREFIX", "GIT_NAMESPACE", "GIT_EXTERNAL_DIFF", "GIT_LITERAL_PATHSPECS",
	"GIT_GLOB_PATHSPECS", "GIT_NOGLOB_PATHSPECS", "GIT_ICASE_PATHSPECS",
}

// git runs git in the context's directory, where it writes nothing, asks
// nothing and fetches nothing.
func (g *repository) git(ctx context.Context, stdin string, args ...string) ([]byte, error) {
	fixed := []string{"--no-pager", "--literal-pathspecs", "-c", "core.fsmonitor=false", "-C", g.dir}
	cmd := exec.CommandContext(ctx, "git", append(fixed, args...)...)
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return slices.Contains(local, name)
	})
	cmd.Env = append(cmd.Env, "GIT_OPTIONAL_LOCKS=0", "GIT_TERMINAL_PROMPT=0", "GIT_NO_LAZY_FETCH=1", "LC_ALL=C")
	cmd.Stdin = strings.NewReader(stdin)
	var errors bytes.Buffer
	cmd.Stderr = &errors
	out, err := cmd.Output()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil && errors.Len() > 0 {
		first, _, _ := strings.Cut(errors.String(), "\n")
		return nil, fmt.Errorf("git: %s", strings.TrimPrefix(first, "fatal: "))
	}
	return out, err
}

// inRepository returns a path's name in the repository. ok is false if it is
// outside.
func (g *repository) inRepository(p string) (name string, ok bool) {
	if filepath.IsAbs(p) {
		dir, err := filepath.Abs(g.dir)
		if err != nil {
			return "", false
		}
		if p, err = filepath.Rel(dir, p); err != nil {
			return "", false
		}
	}
	name = path.Join(g.prefix, filepath.ToSlash(p))
	return name, name != "." && name != ".." && !strings.HasPrefix(name, "../")
}

// file returns a file of the revision.
func (g *repository) file(ctx context.Context, p string) ([]byte, error) {
	name, ok := g.inRepository(p)
	if !ok || strings.ContainsAny(name, "\x00\n") {
		return nil, g.fail(fmt.Errorf("%s isn't in the repository: %w", p, fs.ErrNotExist))
	}
	objects, err := g.objects(ctx, []string{g.commit + ":" + name}, "--follow-symlinks")
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, g.fail(err)
	case objects[0] == nil:
		return nil, g.fail(fmt.Errorf("%s: %w", p, fs.ErrNotExist))
	case len(objects[0]) > maxGitFile:
		return nil, g.fail(fmt.Errorf("%s is larger than %d bytes", p, maxGitFile))
	}
	return objects[0], nil
}

// objects returns the bytes of blobs by their names; nil for what is none.
func (g *repository) objects(ctx context.Context, names []string, flags ...string) ([][]byte, error) {
	out, err := g.git(ctx, strings.Join(names, "\n")+"\n", append([]string{"cat-file", "--batch"}, flags...)...)
	if err != nil {
		return nil, err
	}
	objects := make([][]byte, len(names))
	for i := range names {
		line, rest, _ := bytes.Cut(out, []byte("\n"))
		out = rest
		fields := strings.Fields(string(line))
		if len(fields) < 2 || fields[len(fields)-1] == "missing" {
			continue
		}
		// "<object> blob <size>", or "<reason> <size>" of a link that leads
		// nowhere; either is followed by as many bytes and a line's end.
		size, err := strconv.Atoi(fields[len(fields)-1])
		if err != nil || size < 0 || size >= len(out) {
			return nil, fmt.Errorf("git cat-file answers %q", line)
		}
		if len(fields) == 3 && fields[1] == "blob" {
			objects[i] = append([]byte{}, out[:size]...)
		}
		out = out[size+1:]
	}
	return objects, nil
}

// ignore returns the revision's .dockerignore; nil if there is none. One beside
// a Dockerfile that isn't in the repository is as it is now.
func (g *repository) ignore(ctx context.Context, opt Options) (*ignoreFile, error) {
	if opt.Dockerfile != "" {
		name := opt.Dockerfile + ignoreName
		abs, err := filepath.Abs(name)
		if err != nil {
			return nil, g.fail(err)
		}
		var text []byte
		if _, ok := g.inRepository(abs); ok {
			text, err = g.file(ctx, abs)
		} else {
			text, err = os.ReadFile(name)
		}
		if err == nil {
			return parseIgnore(g.rev+":"+name, text)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	text, err := g.file(ctx, ignoreName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	return parseIgnore(g.rev+":"+g.prefix+ignoreName, text)
}

// tree returns the revision's files.
func (g *repository) tree(ctx context.Context, ignore *ignoreFile) (*Tree, error) {
	out, err := g.git(ctx, "", "ls-tree", "-r", "-t", "-z", "-l", "--full-tree", g.commit+":"+strings.TrimSuffix(g.prefix, "/"))
	if ctx.Err() != nil {
		return nil, ctx.Err()
	} else if err != nil {
		return nil, g.fail(err)
	}
	dirs := map[string][]*Entry{}
	var links []*Entry
	var targets []string
	for line := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		if line == "" {
			continue
		}
		about, p, _ := strings.Cut(line, "\t")
		fields := strings.Fields(about)
		if len(fields) != 4 {
			return nil, g.fail(fmt.Errorf("git ls-tree answers %q", line))
		}
		size, _ := strconv.ParseInt(fields[3], 10, 64) // "-" of what has none
		e, err := g.entry(p, fields[0], fields[2], size)
		if err != nil {
			return nil, g.fail(err)
		}
		if e.isLink() {
			links, targets = append(links, e), append(targets, fields[2])
		}
		dir, _ := path.Split(p)
		dir = strings.TrimSuffix(dir, "/")
		dirs[dir] = append(dirs[dir], e)
	}
	if err := g.readLinks(ctx, links, targets); err != nil {
		return nil, err
	}
	return walk(ctx, func(dir string) ([]*Entry, error) { return slices.Clone(dirs[dir]), nil }, ignore)
}

// readLinks sets where links lead, which their blobs say.
func (g *repository) readLinks(ctx context.Context, links []*Entry, blobs []string) error {
	if len(links) == 0 {
		return nil
	}
	texts, err := g.objects(ctx, blobs)
	if ctx.Err() != nil {
		return ctx.Err()
	} else if err != nil {
		return g.fail(err)
	}
	for i, e := range links {
		if texts[i] == nil {
			return g.fail(fmt.Errorf("%s: object %s is missing", e.Path, blobs[i]))
		}
		e.Link = string(texts[i])
	}
	return nil
}

// entry returns what Git has at a path.
func (g *repository) entry(p, mode, object string, size int64) (*Entry, error) {
	e := &Entry{Path: p}
	switch mode {
	case "040000", "160000": // a directory, a submodule
		e.Mode = fs.ModeDir | 0o755
		return e, nil
	case "120000":
		e.Mode = fs.ModeSymlink | 0o777
		return e, nil
	case "100755":
		e.Mode = 0o755
	default:
		e.Mode = 0o644
	}
	e.Size = size
	if !g.sha1 {
		e.body = &body{source: gitBlob{g, object}}
		return e, nil
	}
	var id contentID
	if n, err := hex.Decode(id[:], []byte(object)); err != nil || n != len(id) {
		return nil, fmt.Errorf("git names an object %q", object)
	}
	e.body = known(id, nil)
	return e, nil
}

// gitBlob is a blob whose name isn't what [contentID] is.
type gitBlob struct {
	g      *repository
	object string
}

func (b gitBlob) body(ctx context.Context, e *Entry) (contentID, []attr, error) {
	out, err := b.g.git(ctx, "", "cat-file", "blob", b.object)
	if ctx.Err() != nil {
		return contentID{}, nil, ctx.Err()
	} else if err != nil {
		return contentID{}, nil, b.g.fail(err)
	}
	h := newContentHash(int64(len(out)))
	io.Copy(h, bytes.NewReader(out))
	return contentID(h.Sum(nil)), nil, nil
}

// undo returns a tree of the working directory without what was changed since
// the revision.
func (g *repository) undo(ctx context.Context, t *Tree) (*Tree, error) {
	raw, err := g.git(ctx, "", "diff", "--raw", "-z", "--no-renames", "--no-abbrev", "--no-ext-diff", "--no-textconv",
		"--ignore-submodules=all", "--relative", g.commit, "--", ".")
	if err == nil {
		var untracked []byte
		if untracked, err = g.git(ctx, "", "ls-files", "-z", "--others", "--exclude-standard"); err == nil {
			return g.undone(ctx, t, splitNUL(raw), splitNUL(untracked))
		}
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return nil, g.fail(err)
}

func splitNUL(out []byte) []string {
	if len(out) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
}

// undone undoes the pairs of a raw diff, and takes new files out.
func (g *repository) undone(ctx context.Context, t *Tree, raw, untracked []string) (*Tree, error) {
	m, err := t.ignore.matcher()
	if err != nil {
		return nil, err
	}
	root := t.root
	var links []*Entry
	var blobs []string
	var old []*Entry
	for i := 0; i+1 < len(raw); i += 2 {
		fields, p := strings.Fields(strings.TrimPrefix(raw[i], ":")), raw[i+1]
		if len(fields) != 5 {
			return nil, g.fail(fmt.Errorf("git diff answers %q", raw[i]))
		}
		if fields[4] == "A" {
			untracked = append(untracked, p)
			continue
		}
		if out, err := m.ignores(p); err != nil || out {
			continue
		}
		e, err := g.entry(p, fields[0], fields[2], 0)
		if err != nil {
			return nil, g.fail(err)
		}
		if n := root.find(p); n != nil && fields[0] == fields[1] && n.entry.Mode.Type() == e.Mode.Type() {
			e.Mode, e.UID, e.GID = n.entry.Mode, n.entry.UID, n.entry.GID
		}
		if e.isLink() || e.Mode.IsRegular() {
			links, blobs = append(links, e), append(blobs, fields[2])
		}
		old = append(old, e)
	}
	for _, p := range untracked {
		root = removeEmpty(root, p)
	}
	if err := g.readOld(ctx, links, blobs); err != nil {
		return nil, err
	}
	for _, e := range old {
		root = root.set(e)
	}
	return &Tree{root: root, ignore: t.ignore, skipped: t.skipped, list: t.list}, nil
}

// readOld sets what the blobs of changed files say: sizes, and where links lead.
func (g *repository) readOld(ctx context.Context, entries []*Entry, blobs []string) error {
	if len(entries) == 0 {
		return nil
	}
	out, err := g.git(ctx, strings.Join(blobs, "\n")+"\n", "cat-file", "--batch-check=%(objectsize)")
	if ctx.Err() != nil {
		return ctx.Err()
	} else if err != nil {
		return g.fail(err)
	}
	var links []*Entry
	var targets []string
	for i, size := range strings.Fields(string(out)) {
		if i >= len(entries) {
			break
		}
		if e := entries[i]; e.isLink() {
			links, targets = append(links, e), append(targets, blobs[i])
		} else if e.Size, err = strconv.ParseInt(size, 10, 64); err != nil {
			return g.fail(fmt.Errorf("%s: object %s is missing", e.Path, blobs[i]))
		}
	}
	return g.readLinks(ctx, links, targets)
}

// removeEmpty returns a tree without a file, and without the directories that
// held nothing else: Git keeps no empty ones.
func removeEmpty(root *node, p string) *node {
	p = clean(p)
	for p != "" {
		root = root.remove(p)
		p = clean(path.Dir(p))
		if n := root.find(p); n == nil || len(n.kids) > 0 {
			break
		}
	}
	return root
}
