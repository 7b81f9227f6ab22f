//go:build unix

package buildcontext

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/moby/patternmatcher"
)

// project is a context with a little of everything.
func project() *Tree {
	return New(
		File{Path: "Dockerfile", Body: "FROM x"},
		File{Path: "package.json", Body: "{}"},
		File{Path: "package-lock.json", Body: "{}"},
		File{Path: "src/main.go", Body: "main"},
		File{Path: "src/lib/a.go", Body: "a"},
		File{Path: "src/lib/a_test.go", Body: "test"},
		File{Path: "src/lib/data/x.txt", Body: "x"},
		File{Path: "pages/[id].tsx", Body: "id"},
		File{Path: "current", Link: "src/lib"},
		File{Path: "loop", Link: "loop"},
		File{Path: "away", Link: "/etc/passwd"},
		File{Path: "links/up", Link: "../package.json"},
	)
}

func TestFiles(t *testing.T) {
	for _, c := range []struct {
		sels []Selection
		want string // "" is a NoMatchError
	}{
		{[]Selection{{Path: "/package.json"}}, "package.json"},
		{[]Selection{{Path: "./src/../package.json"}}, "package.json"},
		{[]Selection{{Path: "/src/lib/"}}, "src/lib src/lib/a.go src/lib/a_test.go src/lib/data src/lib/data/x.txt"},
		{[]Selection{{Path: "/package*.json", Wildcard: true}}, "package-lock.json package.json"},
		{[]Selection{{Path: "/s?c/*.go", Wildcard: true}}, "src/main.go"},
		{[]Selection{{Path: "/*/lib", Wildcard: true}}, "src/lib src/lib/a.go src/lib/a_test.go src/lib/data src/lib/data/x.txt"},
		{[]Selection{{Path: "/src/*/data", Wildcard: true}}, "src/lib/data src/lib/data/x.txt"},
		{[]Selection{{Path: "/pages/[[]id].tsx", Wildcard: true}}, "pages/[id].tsx"},
		{[]Selection{{Path: "/src", Exclude: []string{"**/*_test.go", "lib/data"}}}, "src src/lib src/lib/a.go src/main.go"},
		{[]Selection{{Path: "/src", Include: []string{"lib/*.go"}}}, "src src/lib src/lib/a.go src/lib/a_test.go"},
		{[]Selection{{Path: "/", Include: []string{"src/**/x.txt", "Docker*"}}}, "Dockerfile src src/lib src/lib/data src/lib/data/x.txt"},
		{[]Selection{{Path: "/current"}}, "current"},
		{[]Selection{{Path: "/current", FollowLinks: true}}, "src/lib src/lib/a.go src/lib/a_test.go src/lib/data src/lib/data/x.txt"},
		{[]Selection{{Path: "/current/a.go"}}, "src/lib/a.go"},
		{[]Selection{{Path: "/current/a*", Wildcard: true}}, "src/lib/a.go src/lib/a_test.go"},
		{[]Selection{{Path: "/links/*", Wildcard: true, FollowLinks: true}}, "package.json"},
		{[]Selection{{Path: "/links/*", Wildcard: true}}, "links/up"},
		{[]Selection{{Path: "/src/lib/data"}, {Path: "/src/lib"}, {Path: "/Dockerfile"}}, "Dockerfile src/lib src/lib/a.go src/lib/a_test.go src/lib/data src/lib/data/x.txt"},
		{[]Selection{{Path: "/nothing*", Wildcard: true}}, " "},
		{[]Selection{{Path: "/nothing"}}, ""},
		{[]Selection{{Path: "/package.json/x"}}, ""},
		{[]Selection{{Path: "/away", FollowLinks: true}}, ""},
		{[]Selection{{Path: "/s*", Wildcard: true, Required: []string{"/t"}}}, ""},
	} {
		files, err := project().Files(t.Context(), c.sels)
		if c.want == "" {
			if e, ok := errors.AsType[*NoMatchError](err); !ok || strings.HasPrefix(e.Pattern, "/") {
				t.Errorf("%+v: %v", c.sels, err)
			}
			continue
		}
		var got []string
		for _, e := range files {
			got = append(got, e.Path)
		}
		if err != nil || strings.Join(got, " ") != strings.TrimSpace(c.want) {
			t.Errorf("%+v: %q, %v; want %q", c.sels, got, err, c.want)
		}
	}
	if _, err := project().Files(t.Context(), []Selection{{Path: "loop", FollowLinks: true}}); !errors.Is(err, ErrLinks) {
		t.Errorf("a link to itself: %v", err)
	}
	if all, err := project().Files(t.Context(), nil); err != nil || len(all) != len(project().Entries()) {
		t.Errorf("no selection: %d, %v", len(all), err)
	}
}

func TestNoMatchNamesTheIgnore(t *testing.T) {
	dir := write(t, map[string]string{"a/x": "", ".dockerignore": "b\na\n"})
	_, err := read(t, dir, Options{}).Digest(t.Context(), []Selection{{Path: "/a/x"}}, BuildKit)
	if e, ok := errors.AsType[*NoMatchError](err); !ok || e.Ignored != "a" || !strings.Contains(e.Advice(), `"a"`) || e.Error() != `nothing in the build context matches "a/x"` {
		t.Errorf("%v", err)
	}
}

// TestSame compares different selections of different trees.
func TestSame(t *testing.T) {
	a := New(File{Path: "a/x.txt", Body: "1"}, File{Path: "b/x.txt", Body: "1"}, File{Path: "b2/y.txt", Body: "1"}, File{Path: "l", Link: "a"}, File{Path: "lx", Link: "a/x.txt"})
	b := New(File{Path: "c/x.txt", Body: "1"}, File{Path: "c/.hidden", Body: ""}, File{Path: "other", Body: "1", Mode: 0o755})
	for _, c := range []struct {
		name string
		x    Selection
		y    Selection // of b where it is Path "c" or "other"
		same bool
	}{
		{"files of other directories", Selection{Path: "a/x.txt"}, Selection{Path: "b/x.txt"}, true},
		{"files of other names", Selection{Path: "a/x.txt"}, Selection{Path: "b2/y.txt"}, true},
		{"directories of other names", Selection{Path: "a"}, Selection{Path: "b"}, true},
		{"directories with other names", Selection{Path: "a"}, Selection{Path: "b2"}, false},
		{"a directory and a file", Selection{Path: "a"}, Selection{Path: "a/x.txt"}, false},
		{"a pattern and what it matches", Selection{Path: "a/*", Wildcard: true}, Selection{Path: "b/*", Wildcard: true}, true},
		{"one file of a name, by a pattern for directories", Selection{Path: "a*/x.txt", Wildcard: true}, Selection{Path: "[b]/x.txt", Wildcard: true}, true},
		{"a link and what it leads to", Selection{Path: "l", FollowLinks: true}, Selection{Path: "b", FollowLinks: true}, true},
		{"a link that isn't followed", Selection{Path: "lx"}, Selection{Path: "a/x.txt"}, false},
		{"another tree", Selection{Path: "a"}, Selection{Path: "c", Exclude: []string{".hidden"}}, true},
		{"another tree with a file more", Selection{Path: "a"}, Selection{Path: "c"}, false},
		{"another mode", Selection{Path: "a/x.txt"}, Selection{Path: "other"}, false},
		{"nothing and nothing", Selection{Path: "q*", Wildcard: true}, Selection{Path: "r*", Wildcard: true}, true},
	} {
		other := a
		if c.y.Path == "c" || c.y.Path == "other" {
			other = b
		}
		if same := digest(t, a, c.x) == digest(t, other, c.y); same != c.same {
			t.Errorf("%s: same: %v", c.name, same)
		}
		diff, err := Differ(t.Context(), a, []Selection{c.x}, other, []Selection{c.y}, BuildKit)
		if err != nil || (len(diff) == 0) != c.same {
			t.Errorf("%s: Differ: %q, %v", c.name, diff, err)
		}
	}
	// The order of sources doesn't count, nor one that is in another.
	if digest(t, a, Selection{Path: "a"}, Selection{Path: "lx"}) != digest(t, a, Selection{Path: "lx"}, Selection{Path: "a/x.txt"}, Selection{Path: "a"}) {
		t.Error("the order of sources counts")
	}
}

func TestRules(t *testing.T) {
	tree := New(File{Path: "a/x", Body: "1"}, File{Path: "b/x", Body: "1"}, File{Path: "b/l", Link: "../a/x"}, File{Path: "b/broken", Link: "gone"})
	none := []Selection{{Path: "q*", Wildcard: true}}
	for name, r := range map[string]Rules{"buildkit": BuildKit, "classic": Classic, "buildah": Buildah} {
		_, err := tree.Digest(t.Context(), none, r)
		if _, ok := errors.AsType[*NoMatchError](err); ok != (name != "buildkit") {
			t.Errorf("%s of a pattern that matches nothing: %v", name, err)
		}
	}
	classic := func(t2 *Tree, p string) Digest {
		d, err := t2.Digest(t.Context(), []Selection{{Path: p}}, Classic)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	if classic(tree, "a/x") == classic(tree, "b/x") {
		t.Error("the classic builder counts whole names")
	}
	if classic(tree, "b/l") != classic(tree, "a/x") {
		t.Error("the classic builder follows links")
	}
	changed := tree.Edit(Change{Path: "a/x"})
	for _, r := range []Rules{BuildKit, Classic} {
		diff, err := Differ(t.Context(), tree, []Selection{{Path: "b"}}, changed, []Selection{{Path: "b"}}, r)
		if err != nil || (len(diff) > 0) != r.Names {
			t.Errorf("what a link in b leads to changed: %q, %v by %+v", diff, err, r)
		}
	}
}

// TestAgainstNaive compares random trees with a comparison as simple as can be:
// of all that is below the selected directory, or let in by filters, by name.
func TestAgainstNaive(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	same := 0
	for range 3000 {
		a, b := randomTree(r), randomTree(r)
		if r.IntN(2) == 0 {
			all := a.Entries()
			b = a.Edit(Change{Path: all[r.IntN(len(all))].Path, Kind: ChangeKind(r.IntN(4))})
		}
		s := Selection{Path: pickOf(r, "", "a", "b", "a/b")}
		if r.IntN(2) == 0 {
			s.Exclude = []string{pickOf(r, "a", "**/b", "*", "c/*"), pickOf(r, "b/b", "a/*", "c")}
		}
		na, oka := naive(a, s)
		nb, okb := naive(b, s)
		if !oka || !okb {
			continue
		}
		equal := slices.Equal(na, nb)
		if got := digest(t, a, s) == digest(t, b, s); got != equal {
			t.Fatalf("%+v of\n%v\n%v: digests equal: %v", s, na, nb, got)
		}
		diff, err := Differ(t.Context(), a, []Selection{s}, b, []Selection{s}, BuildKit)
		if err != nil || (len(diff) == 0) != equal {
			t.Fatalf("%+v of\n%v\n%v: Differ: %q, %v", s, na, nb, diff, err)
		}
		// Whatever differs is named, and nothing else is.
		for _, line := range append(na, nb...) {
			p, _, _ := strings.Cut(line, " ")
			alone := !slices.Contains(na, line) || !slices.Contains(nb, line)
			if full := path.Join(s.Path, p); full != "" && slices.Contains(diff, full) != alone {
				t.Fatalf("%+v of\n%v\n%v: %q differs: %v, but Differ says %q", s, na, nb, full, alone, diff)
			}
		}
		if equal {
			same++
		}
	}
	if same < 100 {
		t.Errorf("only %d of them were the same", same)
	}
}

func pickOf(r *rand.Rand, of ...string) string { return of[r.IntN(len(of))] }

func randomTree(r *rand.Rand) *Tree {
	files := []File{{Path: "a/b/c"}}
	for range r.IntN(8) {
		f := File{Path: pickOf(r, "a", "b", "c") + "/" + pickOf(r, "a", "b") + "/" + pickOf(r, "a", "b", "c"), Body: pickOf(r, "", "1", "2")}
		switch r.IntN(6) {
		case 0:
			f.Mode = 0o755
		case 1:
			f.Link, f.Body = pickOf(r, "a", "b"), ""
		}
		files = append(files, f)
	}
	return New(files...)
}

// naive returns a line for each thing that a selection of a directory takes.
func naive(t *Tree, s Selection) ([]string, bool) {
	n := t.root.find(s.Path)
	if n == nil || !n.entry.IsDir() {
		return nil, false
	}
	out, _ := patternmatcher.New(s.Exclude)
	var lines []string
	var parents []string
	for _, e := range append([]*Entry{n.entry}, t.Entries()...) {
		rel, below := strings.CutPrefix(e.Path, s.Path)
		if !below || rel != "" && s.Path != "" && rel[0] != '/' || e.Path == "" {
			continue
		}
		if e == n.entry && len(lines) > 0 {
			continue
		}
		rel = strings.TrimPrefix(rel, "/")
		line := fmt.Sprintf("%s %v %d %s", rel, e.Mode, e.Size, e.Link)
		if e.body != nil && (e.Mode.IsRegular() || e.body.edited) {
			line += fmt.Sprintf(" %x", e.body.id)
		}
		if len(s.Exclude) > 0 {
			if gone, err := out.MatchesOrParentMatches(rel); err != nil || gone {
				parents = append(parents, line)
				continue
			}
		}
		for _, p := range parents { // directories that were out until something in them is in
			name, _, _ := strings.Cut(p, " ")
			if (name == "" || strings.HasPrefix(rel, name+"/")) && !slices.Contains(lines, p) {
				lines = append(lines, p)
			}
		}
		lines = append(lines, line)
	}
	slices.SortFunc(lines, func(a, b string) int { return cmp.Compare(a, b) })
	return lines, true
}

func FuzzSelect(f *testing.F) {
	f.Add("/src", "**/*_test.go", "lib/*", "*.go\n!src", true)
	f.Add("/s*/[a-z]*", "", "", "", false)
	f.Add("/current/\\*", "!a", "[", "\xff\n\x00*", true)
	f.Add("//..//links/up/", "**", "*", "!\n#", true)
	f.Fuzz(func(t *testing.T, p, include, exclude, ignore string, follow bool) {
		parsed, err := parseIgnore("ignore", []byte(ignore))
		if err != nil {
			return
		}
		whole := project()
		list := func(dir string) ([]*Entry, error) {
			var in []*Entry
			for _, e := range whole.Entries() {
				if d := path.Dir(e.Path); d == dir || d == "." && dir == "" {
					in = append(in, e)
				}
			}
			return in, nil
		}
		tree, err := walk(t.Context(), list, parsed)
		if err != nil {
			return
		}
		checkIgnored(t, whole, tree, parsed)
		s := Selection{Path: p, Wildcard: HasWildcard(p), FollowLinks: follow}
		if include != "" {
			s.Include = strings.Split(include, "\n")
		}
		if exclude != "" {
			s.Exclude = strings.Split(exclude, "\n")
		}
		checkSelection(t, tree, s)
	})
}

// checkIgnored holds a walk to the patterns asked for each path alone.
func checkIgnored(t *testing.T, whole, tree *Tree, ignore *ignoreFile) {
	m, err := ignore.matcher()
	if err != nil {
		t.Fatalf("the patterns were sound before: %v", err)
	}
	for _, e := range whole.Entries() {
		out, err := m.ignores(e.Path)
		if err != nil {
			return
		}
		if has := tree.Has(e.Path); !e.IsDir() && has == out {
			t.Fatalf("%s is there: %v, but ignored: %v", e.Path, has, out)
		}
	}
}

// checkSelection holds digests, files and differences to each other.
func checkSelection(t *testing.T, tree *Tree, s Selection) {
	sels := []Selection{s}
	for _, r := range []Rules{BuildKit, Classic, Buildah} {
		d, err := tree.Digest(t.Context(), sels, r)
		files, _ := tree.Files(t.Context(), sels)
		if err != nil {
			continue
		}
		for _, e := range files {
			if got, ok := tree.Lookup(e.Path); !ok || got != e {
				t.Fatalf("%q isn't of the tree", e.Path)
			}
			edited := tree.Edit(Change{Path: e.Path, Kind: Mode})
			diff, err := Differ(t.Context(), tree, sels, edited, sels, r)
			if err != nil {
				t.Fatalf("after an edit of %q: %v", e.Path, err)
			}
			now, err := edited.Digest(t.Context(), sels, r)
			if err != nil || (now == d) != (len(diff) == 0) {
				t.Fatalf("after an edit of %q: equal %v, %q, %v", e.Path, now == d, diff, err)
			}
		}
	}
}

func TestEdit(t *testing.T) {
	dir := write(t, map[string]string{"a": "1", "d/x": "1", "d/y": "1", "d/e/z": "1", "l": "-> d", "node_modules/x": "1", ".dockerignore": "node_modules\n*.log"})
	tree := read(t, dir, Options{})
	all := []Selection{{}}
	for _, c := range []struct {
		changes []Change
		want    string // that differ
		out     string // that are left out
	}{
		{nil, "", ""},
		{[]Change{{Path: "a"}}, "a", ""},
		{[]Change{{Path: "/./d/x", Kind: Changed}}, "d/x", ""},
		{[]Change{{Path: "d"}}, "d/e/z d/x d/y", ""},
		{[]Change{{Path: "new"}}, "new", ""},
		{[]Change{{Path: "d/new/file", Kind: Added}}, "d/new d/new/file", ""},
		{[]Change{{Path: "l/new", Kind: Added}}, "d/new", ""},
		{[]Change{{Path: "l"}}, "l", ""},
		{[]Change{{Path: "a", Kind: Added}}, "a", ""},
		{[]Change{{Path: "a/b", Kind: Added}}, "a a/b", ""},
		{[]Change{{Path: "a", Kind: Removed}}, "a", ""},
		{[]Change{{Path: "d/e", Kind: Removed}}, "d/e d/e/z", ""},
		{[]Change{{Path: "gone", Kind: Removed}, {Path: "gone", Kind: Mode}, {Path: ""}}, "", ""},
		{[]Change{{Path: "a", Kind: Mode}}, "a", ""},
		{[]Change{{Path: "d/e", Kind: Mode}}, "d/e d/e/z", ""},
		{[]Change{{Path: "a", Kind: Mode}, {Path: "a", Kind: Mode}}, "", ""},
		{[]Change{{Path: "new"}, {Path: "new", Kind: Removed}}, "", ""},
		{[]Change{{Path: "node_modules/x"}, {Path: "x.log", Kind: Added}, {Path: "a"}}, "a", "node_modules/x x.log"},
	} {
		edited := tree.Edit(c.changes...)
		diff, err := Differ(t.Context(), tree, all, edited, all, BuildKit)
		if err != nil || strings.Join(diff, " ") != c.want || strings.Join(edited.LeftOut(), " ") != c.out {
			t.Errorf("%v: %q, left out %q, %v", c.changes, diff, edited.LeftOut(), err)
		}
		if again, err := Differ(t.Context(), edited, all, tree.Edit(c.changes...), all, BuildKit); err != nil || again != nil {
			t.Errorf("%v twice: %q, %v", c.changes, again, err)
		}
	}
	once := tree.Edit(Change{Path: "a"})
	if digest(t, once) == digest(t, once.Edit(Change{Path: "a"})) {
		t.Error("a file that changed twice is as if it had once")
	}
}

// TestDifferReadsLittle has a file that can't be read any more.
func TestDifferReadsLittle(t *testing.T) {
	dir := write(t, map[string]string{"a": "1", "b": "1"})
	tree := read(t, dir, Options{})
	for _, p := range []string{"a", "b"} {
		if err := removeFile(dir, p); err != nil {
			t.Fatal(err)
		}
	}
	all := []Selection{{}}
	if diff, err := Differ(t.Context(), tree, all, tree, all, BuildKit); err != nil || diff != nil {
		t.Errorf("of the same: %q, %v", diff, err)
	}
	diff, err := Differ(t.Context(), tree, all, tree.Edit(Change{Path: "a", Kind: Mode}, Change{Path: "c"}), all, BuildKit)
	if d := gocmp.Diff([]string{"a", "c"}, diff); d != "" || err != nil {
		t.Errorf("%v (-want +got)\n%s", err, d)
	}
}

func TestMatch(t *testing.T) {
	tree := project().Edit(Change{Path: "empty/x"}, Change{Path: "empty/x", Kind: Removed})
	for glob, want := range map[string]string{
		"package.json":       "package.json",
		"/./package.json":    "package.json",
		"package*.json":      "package-lock.json package.json",
		"src":                "src/lib/a.go src/lib/a_test.go src/lib/data/x.txt src/main.go",
		"src/":               "src/lib/a.go src/lib/a_test.go src/lib/data/x.txt src/main.go",
		"s*":                 "src/lib/a.go src/lib/a_test.go src/lib/data/x.txt src/main.go",
		"*.go":               "",
		"**/*.go":            "src/lib/a.go src/lib/a_test.go src/main.go",
		"src/**/*.txt":       "src/lib/data/x.txt",
		"src/*/a{,_test}.go": "src/lib/a.go src/lib/a_test.go",
		"pages/[id].tsx":     "pages/[id].tsx", // as it stands
		"pages/[j].tsx":      "",
		"empty":              "empty",
		"new/file":           "new/file",
		"current":            "current",
		"[":                  "[",
		"nothing*":           "",
	} {
		if got := strings.Join(tree.Match(glob), " "); got != want {
			t.Errorf("Match(%q) is %q, want %q", glob, got, want)
		}
	}
}
