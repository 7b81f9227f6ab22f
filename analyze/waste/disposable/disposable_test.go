package disposable

import (
	"archive/tar"
	"cmp"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/layerscope/layerscope/analyze/layer"
	"github.com/layerscope/layerscope/analyze/tree"
	"github.com/layerscope/layerscope/analyze/tree/naive"
	"github.com/layerscope/layerscope/analyze/waste"
)

// TestRules holds the table to itself.
func TestRules(t *testing.T) {
	rules := table()
	if len(rules) > maxRules {
		t.Fatalf("%d rules don't fit a set of %d", len(rules), maxRules)
	}
	ids := map[string]bool{}
	for _, r := range rules {
		if ids[r.ID] {
			t.Errorf("two rules are called %s", r.ID)
		}
		ids[r.ID] = true
		for _, s := range []string{r.ID, r.Title, r.What, r.Why, r.Fix, r.Bad, r.Good} {
			if s == "" || strings.TrimSpace(s) != s {
				t.Errorf("%s: something is missing, or has space around it", r.ID)
			}
		}
		for _, p := range r.Paths {
			checkGlob(t, r.ID, p.Glob)
			if c := p.If; c != nil && (strings.HasSuffix(p.Glob, "/**") != (c.dir != nil) || (c.dir == nil) == (c.file == nil)) {
				t.Errorf("%s: the condition of %s isn't of its kind", r.ID, p.Glob)
			}
		}
		for _, g := range slices.Concat(r.Keep, r.Unless) {
			checkGlob(t, r.ID, g)
		}
		for _, g := range r.Unless {
			if strings.HasSuffix(g, "/**") {
				t.Errorf("%s: unless %s is of a tree", r.ID, g)
			}
		}
	}
	if !slices.IsSortedFunc(Rules(), func(a, b *Rule) int { return cmp.Compare(a.ID, b.ID) }) || len(Rules()) != len(rules) {
		t.Error("Rules() aren't all, by ID")
	}
}

func checkGlob(t *testing.T, id, glob string) {
	t.Helper()
	for _, g := range expand(glob) {
		if !strings.HasPrefix(g, "/") && !strings.HasPrefix(g, "**/") || strings.ContainsAny(g, "{}") {
			t.Errorf("%s: %s stands for %s", id, glob, g)
		}
		parts := strings.Split(strings.TrimPrefix(g, "/"), "/")
		for i, p := range parts {
			if _, err := path.Match(p, "x"); err != nil || p == "" || p == "**" && i > 0 && parts[i-1] == "**" {
				t.Errorf("%s: %s stands for %s", id, glob, g)
			}
		}
	}
}

// TestCases holds the rules, and the naive model of them, to files of which the
// class is known.
func TestCases(t *testing.T) {
	tested := map[string]bool{}
	for i, c := range cases {
		tested[c.rule] = true
		t.Run(fmt.Sprint(c.rule, i), func(t *testing.T) {
			var members []tar.Header
			want := map[string]string{}
			for _, line := range strings.Split(strings.TrimSpace(c.files), "\n") {
				h, class := parseLine(t, c.rule, line)
				members = append(members, h)
				want[h.Name] = class
			}
			m := buildImage(t, [][]tar.Header{sortLinks(members)}, c.env)
			fs := finalFS(m)
			got, naive := classesByPath(m, fs), naiveByPath(fs, c.env)
			for p, class := range want {
				if got[p] != class || naive[p] != class {
					t.Errorf("%s is of class %q, of the naive model's %q; want %q", p, got[p], naive[p], class)
				}
			}
		})
	}
	for _, r := range Rules() {
		if !tested[r.ID] {
			t.Errorf("%s has no cases", r.ID)
		}
	}
}

// parseLine parses a line of cases.
func parseLine(t testing.TB, rule, line string) (h tar.Header, class string) {
	t.Helper()
	f := strings.Fields(line)
	h = tar.Header{Name: f[1], Typeflag: tar.TypeReg, Size: 1, Mode: 0o644}
	switch {
	case len(f) == 3:
		mode, err := strconv.ParseInt(f[2], 8, 64)
		if err != nil {
			t.Fatal(err)
		}
		h.Mode = mode
	case len(f) == 4 && f[2] == "->":
		h.Typeflag, h.Linkname, h.Size = tar.TypeSymlink, f[3], 0
	case len(f) == 4:
		h.Typeflag, h.Linkname, h.Size = tar.TypeLink, f[3], 0
	}
	return h, map[string]string{"+": rule, "-": ""}[f[0]] + strings.Trim(f[0], "+-")
}

// sortLinks puts hard links after what they lead to.
func sortLinks(members []tar.Header) []tar.Header {
	slices.SortStableFunc(members, func(a, b tar.Header) int {
		return cmp.Compare(btoi(a.Typeflag == tar.TypeLink), btoi(b.Typeflag == tar.TypeLink))
	})
	return members
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// classesByPath returns the class that Find has the file at a path in.
func classesByPath(m waste.Image, fs naiveFS) map[string]string {
	byRef := map[tree.Ref]string{}
	for _, c := range Find(m).Classes {
		for _, copy := range c.Files {
			byRef[copy.Ref] = c.Rule.ID
		}
	}
	classes := map[string]string{}
	for p, f := range fs {
		classes[p] = byRef[f.ref]
	}
	return classes
}

func naiveByPath(fs naiveFS, env []string) map[string]string {
	byRef := map[tree.Ref]string{}
	for class, found := range naiveFind(fs, env) {
		for _, p := range found {
			byRef[fs[p].ref] = class
		}
	}
	classes := map[string]string{}
	for p, f := range fs {
		classes[p] = byRef[f.ref]
	}
	return classes
}

// buildImage stacks layers of members with bodies of zeros. Every other layer's
// compressed bytes are known.
func buildImage(t testing.TB, layers [][]tar.Header, env []string) waste.Image {
	t.Helper()
	m := waste.Image{Tree: naive.Tree(t, layers), Env: env}
	for k := range layers {
		m.Compressed = append(m.Compressed, k%2 == 0)
	}
	return m
}

// checkReport holds a report to the naive model and to itself, and counts the
// copies of each class.
func checkReport(t *testing.T, m waste.Image, r *Report, found map[string]int) {
	t.Helper()
	got := map[string][]string{}
	for _, c := range r.Classes {
		for _, copy := range c.Files {
			got[c.Rule.ID] = append(got[c.Rule.ID], m.Tree.Path(copy.Path))
		}
		slices.Sort(got[c.Rule.ID])
		found[c.Rule.ID] += len(c.Files)
	}
	if diff := gocmp.Diff(naiveFind(finalFS(m), m.Env), got); diff != "" {
		t.Errorf("classes (-naive +rules):\n%s", diff)
	}
	checkSums(t, m, r)
}

// checkSums checks that each copy is live and in one class, and that sums add
// up and orders hold.
func checkSums(t *testing.T, m waste.Image, r *Report) {
	t.Helper()
	seen := map[tree.Ref]bool{}
	total := m.NewTally()
	for i, c := range r.Classes {
		tally := m.NewTally()
		for j, copy := range c.Files {
			if seen[copy.Ref] {
				t.Errorf("%s is there twice", m.Tree.Path(copy.Path))
			}
			seen[copy.Ref] = true
			st, ok := m.Tree.StateAt(copy.Path, m.Tree.Layers()-1)
			if e, _ := m.Tree.Entry(copy.Ref); !ok || st.Inode != copy.Ref || e.Type != layer.File || e.Size != copy.Bytes || copy.Bytes == 0 {
				t.Errorf("%s isn't live, or of %d bytes", m.Tree.Path(copy.Path), copy.Bytes)
			}
			if j > 0 && (c.Files[j-1].Bytes < copy.Bytes || c.Files[j-1].Bytes == copy.Bytes && c.Files[j-1].Path >= copy.Path) {
				t.Errorf("%s is out of order", m.Tree.Path(copy.Path))
			}
			tally.Add(copy.Copy)
			total.Add(copy.Copy)
		}
		if diff := gocmp.Diff(tally, c.Tally); diff != "" || c.Sum.Copies == 0 {
			t.Errorf("%s adds up to (-want +got):\n%s", c.Rule.ID, diff)
		}
		if i > 0 && cmp.Or(cmp.Compare(c.Bytes, r.Classes[i-1].Bytes), cmp.Compare(r.Classes[i-1].Rule.ID, c.Rule.ID)) > 0 {
			t.Errorf("%s is out of order", c.Rule.ID)
		}
		origins := waste.Sum{}
		for _, sum := range c.Origins {
			origins = origins.Plus(sum)
		}
		if origins != c.Sum {
			t.Errorf("%s: origins add up to %v, the class to %v", c.Rule.ID, origins, c.Sum)
		}
	}
	if diff := gocmp.Diff(total, r.Tally); diff != "" {
		t.Errorf("the report adds up to (-want +got):\n%s", diff)
	}
}

// TestFindEmpty checks images with nothing to find.
func TestFindEmpty(t *testing.T) {
	for _, layers := range [][][]tar.Header{nil, {nil}, {{{Name: "a", Typeflag: tar.TypeReg, Size: 1}}}} {
		m := buildImage(t, layers, nil)
		if r := Find(m); len(r.Classes) != 0 || r.Bytes != 0 || len(r.Layers) != len(layers) {
			t.Errorf("found %v", r)
		}
	}
}

// TestFindLayers checks what a class says about the steps to change.
func TestFindLayers(t *testing.T) {
	file := func(name string, size int64) tar.Header {
		return tar.Header{Name: name, Typeflag: tar.TypeReg, Size: size, Mode: 0o644}
	}
	m := buildImage(t, [][]tar.Header{
		{file("var/log/a", 5), file("tmp/a", 7)},
		{file("var/log/b", 100)},
		{file("var/log/c", 40), file("tmp/.wh.a", 0)},
		{file("var/log/b", 100)}, // the same again
	}, nil)
	r := Find(m)
	if len(r.Classes) != 1 || r.Classes[0].Rule.ID != "logs" {
		t.Fatalf("classes %v", r.Classes)
	}
	bytes := func(sums []waste.Sum) (out []int64) {
		for _, s := range sums {
			out = append(out, s.Bytes)
		}
		return out
	}
	if diff := gocmp.Diff([]int64{5, 0, 40, 100}, bytes(r.Classes[0].Layers)); diff != "" {
		t.Errorf("bytes by the layers that store them (-want +got):\n%s", diff)
	}
	if diff := gocmp.Diff([]int64{5, 100, 40, 0}, bytes(r.Classes[0].Origins)); diff != "" {
		t.Errorf("bytes by the layers that brought them (-want +got):\n%s", diff)
	}
	if r.Compressed != waste.Unknown {
		t.Errorf("compressed bytes are %d, one layer's aren't known", r.Compressed)
	}
}

// TestFindRemoved checks that what was removed says nothing about what is left.
func TestFindRemoved(t *testing.T) {
	file := func(name string) tar.Header {
		return tar.Header{Name: name, Typeflag: tar.TypeReg, Size: 1, Mode: 0o644}
	}
	for _, tt := range []struct {
		stays, goes, whiteout string
		before, after         int64
	}{
		{"usr/include/a.h", "usr/bin/gcc", "usr/bin/.wh.gcc", 0, 1},
		{"root/.cache/yarn/x", "app/.pnp.cjs", ".wh.app", 0, 1},
		{"lib/python3.9/site-packages/a/tests/data", "lib/python3.9/site-packages/a/tests/test_a.py", "lib/python3.9/site-packages/a/tests/.wh.test_a.py", 2, 0},
		{"app/a.js.map", "app/a.js", "app/.wh.a.js", 1, 0},
		{"opt/flutter/.git/HEAD", "opt/flutter/flutter_console.bat", "opt/flutter/.wh.flutter_console.bat", 0, 1},
	} {
		layers := [][]tar.Header{{file(tt.stays), file(tt.goes)}, {file(tt.whiteout)}}
		if got := Find(buildImage(t, layers[:1], nil)).Bytes; got != tt.before {
			t.Errorf("%s beside %s: %d bytes, want %d", tt.stays, tt.goes, got, tt.before)
		}
		if got := Find(buildImage(t, layers, nil)).Bytes; got != tt.after {
			t.Errorf("%s without %s: %d bytes, want %d", tt.stays, tt.goes, got, tt.after)
		}
	}
}

// TestDeep looks through a path of many directories and a directory of many
// files, each a file that asks what is beside it.
func TestDeep(t *testing.T) {
	deep := strings.Repeat("site-packages/tests/", 1_500)
	members := []tar.Header{{Name: deep + "x", Typeflag: tar.TypeReg, Size: 1, Format: tar.FormatPAX}}
	for i := range 20_000 {
		members = append(members, tar.Header{Name: fmt.Sprintf("d/%d.js.map", i), Typeflag: tar.TypeReg, Size: 1})
	}
	if r := Find(buildImage(t, [][]tar.Header{members}, nil)); len(r.Classes) != 0 {
		t.Errorf("found %v", r.Classes)
	}
}
