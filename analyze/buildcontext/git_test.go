//go:build unix

package buildcontext

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// repo is a Git repository made for a test.
type repo struct {
	t   *testing.T
	dir string
}

func newRepo(t *testing.T, format string) *repo {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("there is no git")
	}
	r := &repo{t, t.TempDir()}
	r.git("init", "-q", "-b", "main", "--object-format="+format)
	return r
}

func (r *repo) git(args ...string) string {
	r.t.Helper()
	cmd := exec.Command("git", append([]string{"-C", r.dir, "-c", "user.name=a", "-c", "user.email=a@b", "-c", "core.autocrlf=false", "-c", "protocol.file.allow=always"}, args...)...)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null")
	out, err := cmd.CombinedOutput()
	if err != nil {
		r.t.Fatalf("git %q: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// write writes files; "-> x" is a link, "" removes one, "#!" makes it
// executable.
func (r *repo) write(files map[string]string) {
	r.t.Helper()
	for name, text := range files {
		p := filepath.Join(r.dir, name)
		os.Remove(p)
		if text == "" {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			r.t.Fatal(err)
		}
		var err error
		if target, ok := strings.CutPrefix(text, "-> "); ok {
			err = os.Symlink(target, p)
		} else if strings.HasPrefix(text, "#!") {
			err = errors.Join(os.WriteFile(p, []byte(text), 0o755), os.Chmod(p, 0o755))
		} else {
			err = errors.Join(os.WriteFile(p, []byte(text), 0o644), os.Chmod(p, 0o644))
		}
		if err != nil {
			r.t.Fatal(err)
		}
	}
}

func (r *repo) commit(files map[string]string) string {
	r.t.Helper()
	r.write(files)
	r.git("add", "-A")
	r.git("commit", "-q", "-m", "x")
	return r.git("rev-parse", "HEAD")
}

func (r *repo) tree(rev string, opt Options) *Tree {
	r.t.Helper()
	t, err := Git(r.t.Context(), r.dir, rev, opt)
	if err != nil {
		r.t.Fatal(err)
	}
	return t
}

// checkout is the first commit's files.
func checkout() map[string]string {
	return map[string]string{
		"Dockerfile": "FROM x", "run.sh": "#!/bin/sh", "a/b/c": "1", "a/l": "-> b/c", "odd\n\"name\"\xff": "2",
		".dockerignore": "docs\n", "docs/x": "3", "new.dockerignore": "a/b", "same": "4",
	}
}

// TestGit compares a revision with a checkout of it.
func TestGit(t *testing.T) {
	for _, format := range []string{"sha1", "sha256"} {
		r := newRepo(t, format)
		first := r.commit(checkout())
		all := []Selection{{}}
		without := Selection{Exclude: []string{".git"}} // a worktree has one, a revision doesn't
		for _, opt := range []Options{{}, {Dockerfile: filepath.Join(r.dir, "new")}} {
			disk := read(t, r.dir, opt)
			diff, err := Differ(t.Context(), disk, []Selection{without}, r.tree("HEAD", opt), []Selection{without}, BuildKit)
			if err != nil || len(diff) > 0 {
				t.Errorf("%s: a checkout differs from its commit: %q, %v", format, diff, err)
			}
		}
		if tree := r.tree("main", Options{Dockerfile: filepath.Join(r.dir, "new")}); tree.Has("a/b/c") || !tree.Has("docs/x") {
			t.Error("the Dockerfile's own .dockerignore doesn't count")
		}
		r.git("tag", "-a", "-m", "x", "v1")
		second := r.commit(map[string]string{"a/b/c": "changed", "run.sh": "not so", "same": "4", "docs/x": "5", "a/l": "-> b/d", "added": "1", "Dockerfile": ""})
		diff, err := Differ(t.Context(), r.tree("v1", Options{}), all, r.tree(second, Options{}), all, BuildKit)
		if d := cmp.Diff([]string{"Dockerfile", "a/b/c", "a/l", "added", "run.sh"}, diff); d != "" || err != nil {
			t.Errorf("%s: %v (-want +got)\n%s", format, err, d)
		}
		if diff, err := Differ(t.Context(), r.tree(first, Options{}), all, r.tree("HEAD~1", Options{}), all, BuildKit); err != nil || diff != nil {
			t.Errorf("%s: a commit differs from itself: %q, %v", format, diff, err)
		}
		ignored, err := r.tree("HEAD", Options{}).Ignored(t.Context())
		if d := cmp.Diff([]Ignored{{"docs", 1, 1, []string{"docs/x"}}}, ignored); d != "" || err != nil {
			t.Errorf("%s: %v (-want +got)\n%s", format, err, d)
		}
	}
}

func TestGitBelow(t *testing.T) {
	r := newRepo(t, "sha1")
	r.commit(map[string]string{"svc/app/x": "1", "svc/app/.dockerignore": "y", "svc/app/y": "1", "svc/Dockerfile": "FROM x", "svc/Dockerfile.dockerignore": "x", "top": "1"})
	app := filepath.Join(r.dir, "svc/app")
	for dockerfile, want := range map[string]string{"": ".dockerignore x", filepath.Join(r.dir, "svc/Dockerfile"): ".dockerignore y"} {
		tree, err := Git(t.Context(), app, "HEAD", Options{Dockerfile: dockerfile})
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(paths(tree.Entries()), " "); got != want {
			t.Errorf("with %q: %q, want %q", dockerfile, got, want)
		}
	}
	for p, want := range map[string]string{"x": "1", "../Dockerfile": "FROM x", filepath.Join(r.dir, "svc/Dockerfile"): "FROM x", "./../../top": "1"} {
		if got, err := GitFile(t.Context(), app, "HEAD", p); err != nil || string(got) != want {
			t.Errorf("GitFile(%q): %q, %v", p, got, err)
		}
	}
	for _, p := range []string{"gone", "../../../etc/passwd", "/etc/passwd", ".", "../app", "x\ny"} {
		_, err := GitFile(t.Context(), app, "HEAD", p)
		if _, ok := errors.AsType[*GitError](err); !ok || !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("GitFile(%q): %v", p, err)
		}
	}
	t.Setenv("GIT_DIR", t.TempDir()) // as a hook has it
	if _, err := Git(t.Context(), app, "HEAD", Options{}); err != nil {
		t.Errorf("with GIT_DIR: %v", err)
	}
}

func TestGitLinks(t *testing.T) {
	r := newRepo(t, "sha1")
	r.commit(map[string]string{"real": "1", "d/l": "-> ../real", "out": "-> /etc/passwd", "up": "-> ../../x", "loop": "-> loop", "broken": "-> gone", "dir": "-> d", "after": "2"})
	for p, want := range map[string]string{"d/l": "1", "dir/l": "1", "out": "", "up": "", "loop": "", "broken": "", "dir": "", "after": "2"} {
		got, err := GitFile(t.Context(), r.dir, "HEAD", p)
		if string(got) != want || (err != nil) != (want == "") {
			t.Errorf("GitFile(%q): %q, %v", p, got, err)
		}
	}
}

func TestGitSubmodule(t *testing.T) {
	sub := newRepo(t, "sha1")
	sub.commit(map[string]string{"inner": "1"})
	r := newRepo(t, "sha1")
	r.git("submodule", "--quiet", "add", sub.dir, "sub")
	r.commit(nil)
	tree := r.tree("HEAD", Options{})
	if got := strings.Join(paths(tree.Entries()), " "); got != ".gitmodules sub" {
		t.Errorf("%q", got)
	}
}

func TestGitRefuses(t *testing.T) {
	r := newRepo(t, "sha1")
	r.commit(map[string]string{"a": "1"})
	mark := filepath.Join(t.TempDir(), "mark")
	for _, rev := range []string{"", "-v", "--output=" + mark, "--exec=touch " + mark, "gone", "HEAD~9", "HEAD:a", "a..b", "HEAD\nHEAD", "HEAD\x00"} {
		_, err := Git(t.Context(), r.dir, rev, Options{})
		if e, ok := errors.AsType[*GitError](err); !ok || !errors.Is(err, ErrRevision) || e.Advice() == "" {
			t.Errorf("Git(%q): %v", rev, err)
		}
		if _, err := GitFile(t.Context(), r.dir, rev, "a"); !errors.Is(err, ErrRevision) {
			t.Errorf("GitFile(%q): %v", rev, err)
		}
	}
	if _, err := os.Stat(mark); err == nil {
		t.Error("a revision was run")
	}
	_, err := Git(t.Context(), t.TempDir(), "HEAD", Options{})
	if _, ok := errors.AsType[*GitError](err); !ok || !strings.Contains(err.Error(), "not a git repository") {
		t.Errorf("without a repository: %v", err)
	}
	t.Setenv("PATH", "")
	_, err = Git(t.Context(), r.dir, "HEAD", Options{})
	if e, ok := errors.AsType[*GitError](err); !ok || e.Advice() != "install git" {
		t.Errorf("without git: %v", err)
	}
}

func TestSince(t *testing.T) {
	r := newRepo(t, "sha1")
	first := checkout()
	first[".gitignore"] = "*.tmp\n"
	first["gone/only"] = "1"
	r.commit(first)
	r.write(map[string]string{"kept.tmp": "1"})
	if err := os.Chmod(filepath.Join(r.dir, "same"), 0o664); err != nil { // which Git doesn't keep
		t.Fatal(err)
	}
	all := []Selection{{Exclude: []string{".git"}}}
	since := func(rev string) []string {
		t.Helper()
		before, after, err := Since(t.Context(), r.dir, rev, Options{})
		if err != nil {
			t.Fatal(err)
		}
		diff, err := Differ(t.Context(), before, all, after, all, BuildKit)
		if err != nil {
			t.Fatal(err)
		}
		return diff
	}
	if diff := since("HEAD"); diff != nil {
		t.Errorf("nothing changed, but %q", diff)
	}
	r.write(map[string]string{"a/b/c": "longer", "run.sh": "#!other", "docs/x": "6", "a/l": "-> b", "untracked/x": "1", "more.tmp": "1", "gone/only": "", "odd\n\"name\"\xff": ""})
	r.git("add", "run.sh")
	want := []string{"a/b/c", "a/l", "gone/only", "odd\n\"name\"\xff", "run.sh", "untracked", "untracked/x"}
	if err := os.Remove(filepath.Join(r.dir, "gone")); err != nil {
		t.Fatal(err)
	}
	want = append(want[:2], append([]string{"gone"}, want[2:]...)...)
	if d := cmp.Diff(want, since("HEAD")); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	// What was left out before, and isn't now, is new.
	r.write(map[string]string{".dockerignore": "nothing\n"})
	want = append([]string{".dockerignore"}, want[:2]...)
	got := since("HEAD")
	if d := cmp.Diff(append(want, "docs", "docs/x"), got[:5]); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	before, _, err := Since(t.Context(), r.dir, "HEAD", Options{})
	if err != nil {
		t.Fatal(err)
	}
	if e, ok := before.Lookup("a/b/c"); !ok || e.Size != 1 {
		t.Errorf("a/b/c before: %+v", e)
	}
	if e, ok := before.Lookup("a/l"); !ok || e.Link != "b/c" {
		t.Errorf("a/l before: %+v", e)
	}
}
