package content

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/layerscope/layerscope/analyze/buildcontext"
)

// world makes random contexts on the disk, and changes them.
type world struct {
	*rand.Rand
	dir   string
	name  string
	root  bool // may make devices and change owners
	xattr bool // the file system keeps extended attributes
	did   []string
}

var (
	names  = []string{"a", "b", "ab", "a-b", "c", "x.txt", "y.txt", "z.txt", ".env", "node_modules", "src", "é", "sp ace", "[x]", "a*", `a\b`, "\xff\xfe", "new\nline", "Dockerfile", "a]b"}
	bodies = []string{"", "1", "2", "one", "two", "one\n", strings.Repeat("long ", 20000)}
	modes  = []fs.FileMode{0o644, 0o644, 0o644, 0o755, 0o777, 0o755 | fs.ModeSticky, 0o600, 0o444, 0o755 | fs.ModeSetuid, 0o755 | fs.ModeSetgid, 0o777 | fs.ModeSticky, 0o400}
	links  = []string{"a", "b", "src", "../a", "../b", "/a", "/src", "/", ".", "..", "../../..", "/etc/passwd", "../../../../etc/passwd", "gone", "a/b", "/a/../b", "x.txt", "src/", "a//b", "gone/../a"}
	globs  = []string{"*", "a*", "*.txt", "?", "[ab]", "**", "**/*.txt", "src/*", "*/a", "a/*", "**/a", "src/**", "[^a]*", "a/**/b", "*/*", "node_modules", ".env", `a\*`, "b/", "/a", "./a", "é*", "."}
)

func pick[T any](w *world, of []T) T { return of[w.IntN(len(of))] }

func (w *world) chance(percent int) bool { return w.IntN(100) < percent }

// fill makes the contents of a directory.
func (w *world) fill(dir string, depth int) {
	for range w.IntN(6) + 1 {
		w.add(filepath.Join(dir, pick(w, names)), depth)
	}
}

// add makes something at a path, if nothing is there.
func (w *world) add(p string, depth int) {
	if _, err := os.Lstat(p); err == nil {
		return
	}
	switch n := w.IntN(20); {
	case n < 6 && depth < 4:
		if os.Mkdir(p, 0o755) == nil {
			w.fill(p, depth+1)
			if w.chance(30) {
				os.Chmod(p, pick(w, []fs.FileMode{0o755, 0o700, 0o775, 0o755 | fs.ModeSetgid, 0o777 | fs.ModeSticky}))
			}
		}
	case n < 7:
		os.Mkdir(p, 0o755)
	case n < 10:
		os.Symlink(pick(w, links), p)
	case n < 11:
		if paths := w.paths(); len(paths) > 0 {
			os.Link(pick(w, paths), p)
		}
	case n < 12 && w.chance(40):
		unix.Mkfifo(p, 0o644)
	case n < 12 && w.chance(40):
		unix.Mknod(p, unix.S_IFSOCK|0o755, 0)
	case n < 12 && w.root:
		unix.Mknod(p, pick(w, []uint32{unix.S_IFCHR, unix.S_IFBLK})|0o644, int(unix.Mkdev(1, uint32(w.IntN(3)))))
	default:
		os.WriteFile(p, []byte(pick(w, bodies)), 0o644)
		os.Chmod(p, pick(w, modes))
		if w.xattr && w.chance(10) {
			w.attribute(p)
		}
	}
}

// paths returns the paths below the context, as the system has them.
func (w *world) paths() []string {
	var all []string
	filepath.WalkDir(w.dir, func(p string, _ fs.DirEntry, _ error) error {
		if p != w.dir {
			all = append(all, p)
		}
		return nil
	})
	return all
}

// change makes one small change, and says which.
func (w *world) change() {
	paths := w.paths()
	if len(paths) == 0 || w.chance(15) {
		dir := w.dir
		if len(paths) > 0 && w.chance(60) {
			if p := pick(w, paths); isDir(p) {
				dir = p
			}
		}
		p := filepath.Join(dir, pick(w, names))
		w.add(p, 3)
		w.note("add", p)
		return
	}
	p := pick(w, paths)
	fi, err := os.Lstat(p)
	if err != nil {
		return
	}
	link := fi.Mode()&fs.ModeSymlink != 0
	if filepath.Dir(p) == w.dir && strings.HasSuffix(p, ".dockerignore") {
		w.ignoreFile(filepath.Base(p))
		w.note("ignore", p)
		return
	}
	switch n := w.IntN(9); {
	case n == 0 && fi.Mode().IsRegular():
		os.WriteFile(p, []byte(pick(w, bodies)), 0)
		w.note("write", p)
	case n == 1 && fi.Mode().IsRegular() && fi.Size() > 0:
		data, _ := os.ReadFile(p)
		data[len(data)-1] ^= 1
		os.WriteFile(p, data, 0)
		w.note("flip", p)
		if w.chance(30) {
			os.Chtimes(p, fi.ModTime(), fi.ModTime())
			w.note("time as before", p)
		}
	case n == 2 && !link:
		os.Chmod(p, pick(w, modes)|0o500)
		w.note("chmod", p)
	case n == 3 && !link:
		at := time.Unix(int64(w.IntN(1e9)), 0)
		os.Chtimes(p, at, at)
		w.note("touch", p)
	case n == 4 && w.root:
		os.Lchown(p, w.IntN(3), w.IntN(3))
		if !link {
			os.Chmod(p, fi.Mode()) // chown takes setuid away
		}
		w.note("chown", p)
	case n == 5:
		to := filepath.Join(filepath.Dir(p), pick(w, names))
		if _, err := os.Lstat(to); err != nil {
			os.Rename(p, to)
			w.note("rename", p+" "+to)
		}
	case n == 6:
		os.RemoveAll(p)
		w.note("remove", p)
	case n == 7:
		os.RemoveAll(p)
		w.add(p, 3)
		w.note("replace", p)
	case n == 8 && w.xattr && !link:
		w.attribute(p)
	}
}

// attribute sets an extended attribute: of those that only root may set some
// count and some don't.
func (w *world) attribute(p string) {
	name := "user.kind"
	if w.root {
		name = pick(w, []string{"user.kind", "user.kind", "trusted.kind", "security.kind", "com.apple.kind"})
	}
	err := unix.Lsetxattr(p, name, []byte(pick(w, bodies[:4])), 0)
	w.note(fmt.Sprintf("xattr %s %v", name, err), p)
}

func (w *world) note(what, p string) {
	w.did = append(w.did, fmt.Sprintf("%s %q", what, strings.ReplaceAll(p, w.dir+"/", "")))
}

func isDir(p string) bool {
	fi, err := os.Lstat(p)
	return err == nil && fi.IsDir()
}

// ignore writes a .dockerignore; sometimes the Dockerfile's own too.
func (w *world) ignore() {
	w.ignoreFile(".dockerignore")
	if w.chance(20) {
		w.ignoreFile("Dockerfile.dockerignore")
	}
}

func (w *world) ignoreFile(name string) {
	var lines []string
	for range w.IntN(6) {
		line := w.pattern()
		if w.chance(40) {
			line = "!" + line
		}
		lines = append(lines, line)
	}
	if w.chance(50) { // something is left out, and something of it is not
		p := w.path()
		top, _, _ := strings.Cut(p, "/")
		name, above := filepath.Base(p), filepath.Dir(p)
		lines = append(lines, pick(w, []string{"*", "**", top, top + "/*", top + "/**", "**/" + top, above}),
			"!"+pick(w, []string{p, above, above + "/*", above + "/**", "**/" + name, "**/*.txt", above + "/" + name[:1] + "*", "*/" + name}))
		if w.chance(30) {
			lines = append(lines, w.pattern())
		}
	}
	if w.chance(20) {
		lines = append([]string{"# all of it", "", "  a  "}, lines...)
	}
	text := strings.Join(lines, pick(w, []string{"\n", "\n", "\r\n"}))
	if w.chance(10) {
		text = "\xef\xbb\xbf" + text
	}
	os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o644)
}

// pattern returns a pattern that may match something of the context.
func (w *world) pattern() string {
	switch n := w.IntN(10); {
	case n < 5:
		return pick(w, globs)
	case n < 8:
		return w.path()
	case n < 9:
		return w.path() + "/" + pick(w, globs)
	default:
		return filepath.Dir(w.path()) + "/" + pick(w, globs)
	}
}

// path returns a path of the context, or one that isn't there.
func (w *world) path() string {
	paths := w.paths()
	if len(paths) == 0 || w.chance(8) {
		return pick(w, names) + "/" + pick(w, names)
	}
	p, _ := filepath.Rel(w.dir, pick(w, paths))
	if w.chance(8) {
		p += "/" + pick(w, names) // by way of a link, or not at all
	}
	return p
}

// selections returns what a COPY might take, of one source or several.
func (w *world) selections() []buildcontext.Selection {
	var sels []buildcontext.Selection
	for range max(1, w.IntN(5)-1) {
		s := buildcontext.Selection{FollowLinks: w.chance(70)}
		switch n := w.IntN(10); {
		case n < 2:
			s.Path = pick(w, []string{"/", "", "."})
		case n < 6:
			s.Path = "/" + w.path()
		default:
			s.Path = "/" + w.pattern()
		}
		s.Wildcard = isPattern(s.Path)
		if w.chance(20) {
			s.Exclude = append(s.Exclude, w.filters()...)
		}
		if w.chance(15) {
			s.Include = append(s.Include, w.filters()...)
		}
		if w.chance(5) {
			s.Required = []string{"/" + w.path()}
		}
		sels = append(sels, s)
	}
	return sels
}

// isPattern tells whether a COPY's source has wildcards; a backslash takes what
// follows it for itself.
func isPattern(s string) bool {
	s = strings.NewReplacer(`\\`, "", `\*`, "", `\?`, "", `\[`, "").Replace(s)
	return strings.ContainsAny(s, "*?[")
}

func (w *world) filters() []string {
	var all []string
	for range w.IntN(3) + 1 {
		p := w.pattern()
		if w.chance(15) {
			p = "!" + p
		}
		all = append(all, p)
	}
	return all
}

// keepsAttributes tells whether a directory's file system has extended
// attributes.
func keepsAttributes(dir string) bool {
	err := unix.Lsetxattr(dir, "user.try", []byte("1"), 0)
	unix.Lremovexattr(dir, "user.try")
	return err == nil
}
