//go:build unix

package buildcontext

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// write makes a context on the disk: a name with a slash at its end is a
// directory, a text that begins with "-> " a link.
func write(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		if target, ok := strings.CutPrefix(text, "-> "); ok {
			err = os.Symlink(target, p)
		} else if strings.HasSuffix(name, "/") {
			err = os.MkdirAll(p, 0o755)
		} else {
			err = os.WriteFile(p, []byte(text), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func read(t testing.TB, dir string, opt Options) *Tree {
	t.Helper()
	tree, err := Read(t.Context(), dir, opt)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// paths returns the paths of entries but directories with something in them.
func paths(entries []*Entry) []string {
	var all []string
	for i, e := range entries {
		if e.IsDir() && i+1 < len(entries) && strings.HasPrefix(entries[i+1].Path, e.Path+"/") {
			continue
		}
		all = append(all, e.Path)
	}
	return all
}

func TestIgnore(t *testing.T) {
	files := func(names ...string) map[string]string {
		m := map[string]string{}
		for _, n := range names {
			m[n] = n
		}
		return m
	}
	many := files("a", "b.log", "src/a.go", "src/b.log", "src/deep/a.go", "src/deep/c.log", "node_modules/x/index.js", "node_modules/keep.js", "docs/README.md", "docs/x.md", "empty/")
	all := []string{"a", "b.log", "docs/README.md", "docs/x.md", "empty", "node_modules/keep.js", "node_modules/x/index.js", "src/a.go", "src/b.log", "src/deep/a.go", "src/deep/c.log"}
	without := func(gone ...string) []string {
		return slices.DeleteFunc(slices.Clone(all), func(p string) bool {
			return slices.ContainsFunc(gone, func(g string) bool { return p == g || strings.HasPrefix(p, g+"/") })
		})
	}
	for _, c := range []struct {
		name, ignore string
		want         []string
	}{
		{"comment and blank lines", "# a\n\n  \n#src", all},
		{"not a comment", " #src\na", without("a")},
		{"name", "a", without("a")},
		{"a name is at the root alone", "a.go", all},
		{"directory", "src", without("src")},
		{"slash at the end", "src/", without("src")},
		{"slash at the front", "/src/deep", without("src/deep")},
		{"dot", "./src/../src/deep", without("src/deep")},
		{"star", "*.log", without("b.log")},
		{"star of directories", "*/*.log", without("src/b.log")},
		{"two stars", "**/*.log", without("b.log", "src/b.log", "src/deep/c.log")},
		{"contents", "src/*", without("src/a.go", "src/b.log", "src/deep")},
		{"white space", "  a  \r\n\tb.log\t\r\n", without("a", "b.log")},
		{"byte order mark", "\xef\xbb\xbfa\nb.log", without("a", "b.log")},
		{"question mark and class", "?\n[a-c].log", without("a", "b.log")},
		{"exception", "docs/*\n!docs/README.md", without("docs/x.md")},
		{"exception below a directory", "docs\n!docs/README.md", without("docs/x.md")},
		{"exception of a pattern", "**\n!**/*.go", []string{"src/a.go", "src/deep/a.go"}},
		{"all but one directory", "*\n!src/deep", []string{"src/deep/a.go", "src/deep/c.log"}},
		{"the last counts", "!docs/README.md\ndocs", without("docs")},
		{"in, out and in", "docs\n!docs\ndocs/x.md", without("docs/x.md")},
		{"space after !", "docs\n! docs/x.md", without("docs/README.md")},
		{"everything", "*", nil},
		{"a dot matches nothing", ".", all},
		{"an empty directory", "empty", without("empty")},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := write(t, many)
			if err := os.WriteFile(filepath.Join(dir, "Dockerfile.dockerignore"), []byte(c.ignore), 0o644); err != nil {
				t.Fatal(err)
			}
			tree := read(t, dir, Options{Dockerfile: filepath.Join(dir, "Dockerfile")})
			got := slices.DeleteFunc(paths(tree.Entries()), func(p string) bool { return p == "Dockerfile.dockerignore" })
			if len(got) == 0 {
				got = nil
			}
			want := c.want
			// src is left empty, and arrives.
			if c.name == "contents" {
				want = append(slices.Clone(want), "src")
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
		})
	}
}

// TestWithheld has a file that BuildKit lists and then sends nothing of, since
// it asks two questions of the patterns and gets two answers.
func TestWithheld(t *testing.T) {
	dir := write(t, map[string]string{"d/e/x": "1", ".dockerignore": "**\n!d/e/*\n*\n"})
	sels := []Selection{{Path: "/d/e/x"}}
	before := read(t, dir, Options{})
	if !before.Has("d/e/x") {
		t.Fatal("the file isn't listed")
	}
	if err := os.WriteFile(filepath.Join(dir, "d/e/x"), []byte("2"), 0o644); err != nil {
		t.Fatal(err)
	}
	if diff, err := Differ(t.Context(), before, sels, read(t, dir, Options{}), sels, BuildKit); err != nil || diff != nil {
		t.Errorf("bytes that aren't sent count: %q, %v", diff, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "d/e/x"), []byte("22"), 0o644); err != nil {
		t.Fatal(err)
	}
	if diff, err := Differ(t.Context(), before, sels, read(t, dir, Options{}), sels, BuildKit); err != nil || len(diff) != 1 {
		t.Errorf("the size counts: %q, %v", diff, err)
	}
}

func TestWhichIgnoreFile(t *testing.T) {
	dir := write(t, map[string]string{
		"a": "", "b": "", "c": "",
		".dockerignore":               "a",
		"x.Dockerfile.dockerignore":   "b",
		"empty.dockerignore":          "",
		"dir.dockerignore/x":          "",
		"away.dockerignore":           "-> /etc/passwd",
		"inside.dockerignore":         "-> x.Dockerfile.dockerignore",
		"sub/.dockerignore":           "c",
		"sub/Dockerfile.dockerignore": "c",
	})
	for dockerfile, gone := range map[string]string{
		"":                                    "a",
		filepath.Join(dir, "Dockerfile"):      "a",
		filepath.Join(dir, "x.Dockerfile"):    "b",
		filepath.Join(dir, "empty"):           "", // it is there, and it counts
		filepath.Join(dir, "dir"):             "a",
		filepath.Join(dir, "away"):            "a",
		filepath.Join(dir, "inside"):          "b",
		filepath.Join(dir, "sub/Dockerfile"):  "c",
		filepath.Join(dir, "nowhere/missing"): "a",
	} {
		tree := read(t, dir, Options{Dockerfile: dockerfile})
		for _, p := range []string{"a", "b", "c"} {
			if tree.Has(p) == (p == gone) {
				t.Errorf("with %q: %s is there: %v", dockerfile, p, tree.Has(p))
			}
		}
		if (tree.IgnoreFile() == "") != (gone == "") {
			t.Errorf("with %q: the ignore file is %q", dockerfile, tree.IgnoreFile())
		}
	}
}

func TestIgnored(t *testing.T) {
	dir := write(t, map[string]string{
		".dockerignore":       "node_modules\n*.log\n.git\n!keep.log\ndocs/*\n!docs/**/a.md",
		"node_modules/a/b.js": "12345", "node_modules/c.js": "1", "node_modules/link": "-> c.js",
		".git/HEAD": "123", "a.log": "1234567890", "keep.log": "1", "docs/a.md": "1", "docs/b.md": "12", "docs/x/a.md": "1", "docs/x/b.md": "1",
	})
	got, err := read(t, dir, Options{}).Ignored(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []Ignored{
		{"*.log", 1, 10, []string{"a.log"}},
		{"node_modules", 3, 6, []string{"node_modules/a/b.js", "node_modules/c.js", "node_modules/link"}},
		{"docs/*", 2, 3, []string{"docs/b.md", "docs/x/b.md"}},
		{".git", 1, 3, []string{".git/HEAD"}},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	if none, err := read(t, write(t, map[string]string{"a": ""}), Options{}).Ignored(t.Context()); err != nil || none != nil {
		t.Errorf("without a .dockerignore: %v, %v", none, err)
	}
}

// TestUnreadable has a directory that can't be listed: a build fails, unless
// .dockerignore leaves it out.
func TestUnreadable(t *testing.T) {
	list := func(dir string) ([]*Entry, error) {
		if dir == "" {
			return []*Entry{{Path: "a", Mode: 0o644}, {Path: "locked", Mode: fs.ModeDir}}, nil
		}
		return nil, &Error{"ctx", dir, fs.ErrPermission}
	}
	for ignore, fails := range map[string]bool{"": true, "locked": false, "locked\n!**/x": false, "a": true} {
		f, err := parseIgnore(".dockerignore", []byte(ignore))
		if err != nil {
			t.Fatal(err)
		}
		tree, err := walk(t.Context(), list, f)
		if !fails {
			if err != nil || tree.Has("locked") || !tree.Has("a") {
				t.Errorf("%q: %v", ignore, err)
			}
			continue
		}
		if e, ok := errors.AsType[*Error](err); !ok || e.Path != "locked" || e.Advice() == "" || !errors.Is(err, fs.ErrPermission) {
			t.Errorf("%q: %v", ignore, err)
		}
	}
}

func TestBadContexts(t *testing.T) {
	dir := write(t, map[string]string{"file": "", "bad/.dockerignore": "a[", "alone/.dockerignore": "!", "long/.dockerignore": strings.Repeat("x", 1<<17)})
	for _, c := range []struct {
		path, says string
		is         error
	}{
		{"file", "not a directory", ErrNotDirectory},
		{"gone", "no such file", fs.ErrNotExist},
		{"bad", ".dockerignore: syntax error in pattern", nil},
		{"alone", `.dockerignore: illegal exclusion pattern: "!"`, nil},
		{"long", ".dockerignore: bufio.Scanner: token too long", nil},
	} {
		p := filepath.Join(dir, c.path)
		_, err := Read(t.Context(), p, Options{})
		if err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), p) {
			t.Errorf("%s: %v", c.path, err)
		}
		if c.is != nil {
			if e, ok := errors.AsType[*Error](err); !ok || e.Advice() == "" || !errors.Is(err, c.is) {
				t.Errorf("%s: %#v", c.path, err)
			}
		}
	}
}

func TestEntries(t *testing.T) {
	dir := write(t, map[string]string{"a/b": "123", "a-b": "", "l": "-> a/b"})
	if err := os.Chmod(filepath.Join(dir, "a/b"), 0o750|fs.ModeSetuid); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	tree := read(t, dir, Options{})
	var got []string
	for _, e := range tree.Entries() {
		got = append(got, fmt.Sprint(e.Path, " ", e.Mode, " ", e.Size, " ", e.Link))
	}
	want := []string{"a drwxr-xr-x 0 ", "a/b urwxr-x--- 3 ", "a-b -rw-r--r-- 0 ", "l Lrwxrwxrwx 0 a/b", "pipe prw------- 0 "}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	if e, ok := tree.Lookup("/a/./b"); !ok || e.UID != os.Getuid() || e.GID == -1 {
		t.Errorf("Lookup: %+v, %v", e, ok)
	}
	for _, p := range []string{"", "/", "x", "a/b/c", "../a/b/.."} {
		if _, ok := tree.Lookup(p); ok != (p == "../a/b/..") {
			t.Errorf("Lookup(%q) is %v", p, ok)
		}
	}
}

// TestNothingOutside has links that lead out, and a FIFO: hashing must neither
// read what they lead to nor wait.
func TestNothingOutside(t *testing.T) {
	outside := write(t, map[string]string{"secret": "1", "dir/x": "1"})
	dir := write(t, map[string]string{"abs": "-> " + outside + "/secret", "rel": "-> ../../../../../../" + outside + "/secret", "d": "-> " + outside + "/dir"})
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o644); err != nil {
		t.Fatal(err)
	}
	before := digest(t, read(t, dir, Options{}), Selection{})
	if err := os.WriteFile(filepath.Join(outside, "secret"), []byte("2"), 0o644); err != nil {
		t.Fatal(err)
	}
	if after := digest(t, read(t, dir, Options{}), Selection{}); after != before {
		t.Error("a file outside of the context counts")
	}
	for _, p := range []string{"abs", "rel", "d", "d/x"} {
		_, err := read(t, dir, Options{}).Digest(t.Context(), []Selection{{Path: p, FollowLinks: true}}, BuildKit)
		if _, ok := errors.AsType[*NoMatchError](err); !ok {
			t.Errorf("%s: %v", p, err)
		}
	}
}

// TestSwapped has a directory that becomes a link out of the context between
// listing and hashing, and files that go, grow and shrink.
func TestSwapped(t *testing.T) {
	outside := write(t, map[string]string{"x": "secret"})
	for name, swap := range map[string]func(dir string) error{
		"a/x": func(dir string) error {
			return errors.Join(os.Rename(filepath.Join(dir, "a"), filepath.Join(dir, "old")), os.Symlink(outside, filepath.Join(dir, "a")))
		},
		"gone":  func(dir string) error { return os.Remove(filepath.Join(dir, "gone")) },
		"grown": func(dir string) error { return os.WriteFile(filepath.Join(dir, "grown"), []byte("1234567"), 0o644) },
		"less":  func(dir string) error { return os.WriteFile(filepath.Join(dir, "less"), []byte("1"), 0o644) },
		"pipe": func(dir string) error {
			return errors.Join(os.Remove(filepath.Join(dir, "pipe")), syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o644))
		},
	} {
		dir := write(t, map[string]string{name: "public"})
		tree := read(t, dir, Options{})
		if err := swap(dir); err != nil {
			t.Fatal(err)
		}
		_, err := tree.Digest(t.Context(), nil, BuildKit)
		if e, ok := errors.AsType[*Error](err); !ok || e.Path == "" || !strings.HasPrefix(name, e.Path) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCancelled(t *testing.T) {
	dir := write(t, map[string]string{"a": "1", "b/c": "2"})
	tree := read(t, dir, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Read(ctx, dir, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Read: %v", err)
	}
	if _, err := tree.Digest(ctx, nil, BuildKit); !errors.Is(err, context.Canceled) {
		t.Errorf("Digest: %v", err)
	}
	// What was broken off is read when it is asked for again.
	if _, err := tree.Digest(t.Context(), nil, BuildKit); err != nil {
		t.Error(err)
	}
}

// digest returns the digest of selections by BuildKit's rules.
func digest(t testing.TB, tree *Tree, sels ...Selection) Digest {
	t.Helper()
	d, err := tree.Digest(t.Context(), sels, BuildKit)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestWhatCounts changes one thing of a file on the disk.
func TestWhatCounts(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(p string) error
		rules  Rules
		counts bool
	}{
		{"nothing", func(string) error { return nil }, BuildKit, false},
		{"bytes", func(p string) error { return os.WriteFile(p, []byte("two"), 0) }, BuildKit, true},
		{"size", func(p string) error { return os.WriteFile(p, []byte("more"), 0) }, BuildKit, true},
		{"mode", func(p string) error { return os.Chmod(p, 0o755) }, BuildKit, true},
		{"sticky", func(p string) error { return os.Chmod(p, 0o644|fs.ModeSticky) }, BuildKit, true},
		{"time", func(p string) error { return os.Chtimes(p, time.Unix(1, 0), time.Unix(1, 0)) }, BuildKit, false},
		{"owner", func(p string) error { return os.Chown(p, 1234, 1234) }, BuildKit, false},
		{"owner, to buildah", func(p string) error { return os.Chown(p, 1234, 1234) }, Buildah, true},
		{"owner, to the classic builder", func(p string) error { return os.Chown(p, 1234, 1234) }, Classic, false},
		{"type", func(p string) error { return errors.Join(os.Remove(p), os.Symlink("x", p)) }, BuildKit, true},
		{"name", func(p string) error { return os.Rename(p, p+"2") }, BuildKit, true},
	} {
		if strings.HasPrefix(c.name, "owner") && os.Getuid() != 0 {
			t.Logf("%s: only root may change it", c.name)
			continue
		}
		dir := write(t, map[string]string{"d/f": "one", "d/g": ""})
		before := read(t, dir, Options{})
		sels := []Selection{{Path: "/d"}}
		old, err := before.Digest(t.Context(), sels, c.rules)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.change(filepath.Join(dir, "d/f")); err != nil {
			t.Fatal(err)
		}
		after := read(t, dir, Options{})
		now, err := after.Digest(t.Context(), sels, c.rules)
		if err != nil {
			t.Fatal(err)
		}
		if (old != now) != c.counts {
			t.Errorf("%s counts: %v", c.name, old != now)
		}
		diff, err := Differ(t.Context(), before, sels, after, sels, c.rules)
		if err != nil || (len(diff) > 0) != c.counts || c.counts && diff[0] != "d/f" {
			t.Errorf("%s: Differ: %q, %v", c.name, diff, err)
		}
	}
}

func removeFile(dir, name string) error { return os.Remove(filepath.Join(dir, name)) }
