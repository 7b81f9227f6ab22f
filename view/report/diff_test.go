package report

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/analyzetest"
	"github.com/layerscope/layerscope/analyze/synth"
	"github.com/layerscope/layerscope/diff"
)

// compared compares two images.
func compared(t testing.TB, old, new synth.Image) Comparison {
	t.Helper()
	opts := analyze.Options{Packages: true}
	d, err := diff.Compare(context.Background(), analyzetest.ImageWith(t, old, opts), analyzetest.ImageWith(t, new, opts), diff.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return Comparison{Diff: d}
}

// layersCompared is a comparison of nothing but two images' layers.
func layersCompared(c Comparison) Comparison {
	return Comparison{Diff: &diff.Diff{Old: c.Old, New: c.New, Layers: c.Layers}}
}

// tooMuch is an image with too much of everything, with names of which each is
// evil. It has n of each, and none that another number has.
func tooMuch(n int) synth.Image {
	evil := fmt.Sprintf("%d`` ` | **bold** <script> \x1b[31m\n# title \u202e [x](y) 字 ", n) + strings.Repeat("long", 40)
	img := synth.Image{
		Tags:     []string{fmt.Sprintf("app:%d", n)},
		Platform: v1.Platform{OS: "linux", Architecture: evil},
		Config:   v1.Config{Labels: map[string]string{}, Cmd: []string{evil}, WorkingDir: evil},
	}
	var status strings.Builder
	for i := range n {
		img.Config.Labels[evil+fmt.Sprint(i)] = evil
		img.Config.Env = append(img.Config.Env, fmt.Sprintf("%s%d=%s", evil, i, evil))
		fmt.Fprintf(&status, "Package: %s%d\nStatus: install ok installed\nVersion: %d%s\n\n", strings.ReplaceAll(evil, "\n", ""), i, n, strings.ReplaceAll(evil, "\n", ""))
		img.Steps = append(img.Steps, synth.Step{CreatedBy: fmt.Sprintf("RUN %d %s # buildkit", i, evil), Layer: synth.Layer{
			synth.Body(fmt.Sprintf("%d/%s", i, evil), int64(1000*i+n), uint64(i*1000+n)),
			synth.Body(fmt.Sprintf("from%d/%d/same", n, i), int64(100*i), uint64(i)),
			synth.File("var/lib/dpkg/status", status.String()),
			synth.File(fmt.Sprintf("%s%d/node_modules/bad/package.json", evil, i), "bad"),
			synth.File("etc/os-release", fmt.Sprintf("ID=os%d\nPRETTY_NAME='%s'\n", n, strings.ReplaceAll(evil, "\n", ""))),
		}})
	}
	return img
}

// TestDiffWidth holds every line to the width, whatever the images' names.
func TestDiffWidth(t *testing.T) {
	c := compared(t, tooMuch(20), tooMuch(30))
	c.Budget = ptr(int64(0))
	for width := 60; width <= 140; width += 4 {
		for _, ascii := range []bool{false, true} {
			for _, all := range []bool{false, true} {
				var b bytes.Buffer
				opts := DiffOptions{TextOptions{Width: width, ASCII: ascii, Bytes: all}, all}
				if err := errors.Join(Diff(&b, c, opts), Diff(&b, layersCompared(c), opts)); err != nil {
					t.Fatal(err)
				}
				checkLines(t, b.String(), opts.TextOptions)
			}
		}
	}
}

// TestDiffLists counts the rows of lists with limits and without.
func TestDiffLists(t *testing.T) {
	c := compared(t, tooMuch(5), tooMuch(60))
	few, all := diffLines(t, c, DiffOptions{}), diffLines(t, c, DiffOptions{All: true})
	if n := len(few); n > 250 { // however much differs
		t.Errorf("the text has %d lines", n)
	}
	if n := section(few, "Paths that differ most"); n != fewRows+1 {
		t.Errorf("%d rows of paths", n)
	}
	others := 0
	for _, f := range c.Files.Changes {
		if f.State != diff.FileMoved {
			others++
		}
	}
	if n := section(all, "Paths that differ most"); n != others {
		t.Errorf("with --all %d rows of paths, want %d", n, others)
	}
	if n := section(all, "Directories"); n != len(c.Files.Dirs) {
		t.Errorf("with --all %d rows of directories, want %d", n, len(c.Files.Dirs))
	}
	edited := 0
	for _, s := range c.Steps {
		if s.State == diff.StepEdited {
			edited++
		}
	}
	if n := section(all, "Steps"); n != len(c.Steps)+edited+1 {
		t.Errorf("with --all %d rows of steps, want %d, %d of edited ones, and the sum", n, len(c.Steps), edited)
	}
	if n := section(all, "Layers"); n != len(c.Layers.Pairs) {
		t.Errorf("with --all %d rows of layers, want %d", n, len(c.Layers.Pairs))
	}
	if n := section(all, "Packages"); n < len(c.Packages.Changes) {
		t.Errorf("with --all %d rows of packages, want %d and sums", n, len(c.Packages.Changes))
	}
}

// TestDiffTakingTurns bounds the rows of steps and layers of which every other one
// is the same in both images. With --all there is a row for each.
func TestDiffTakingTurns(t *testing.T) {
	const n = 200
	history := func(tag string) (img synth.Image) {
		for i := range n {
			name := fmt.Sprintf("both%d", i)
			if i%2 == 0 {
				name = fmt.Sprintf("%s%d", tag, i)
			}
			img.Steps = append(img.Steps, synth.Step{CreatedBy: "RUN " + name + " # buildkit", Layer: synth.Layer{synth.File(name, name)}})
		}
		return img
	}
	c := compared(t, history("x"), history("y"))
	few, all := diffLines(t, c, DiffOptions{}), diffLines(t, c, DiffOptions{All: true})
	for _, title := range []string{"Steps", "Layers"} {
		if rows := section(few, title); rows > 3*someRows+1 || rows == 0 {
			t.Errorf("%d rows of %s", rows, title)
		}
		if rows := section(all, title); rows < n*3/2 {
			t.Errorf("with --all %d rows of %s", rows, title)
		}
	}
	for _, want := range []string{"layers)", "steps)"} {
		if !strings.Contains(strings.Join(few, "\n"), want) {
			t.Errorf("no row says how many %s are in it", want)
		}
	}
}

// TestSumOfLayers adds up layers of one state, and of several.
func TestSumOfLayers(t *testing.T) {
	shared := diff.LayerPair{Old: 1, New: 2, State: diff.Shared, Stored: diff.Bytes{Old: 5, New: 5}, Compressed: diff.Bytes{Old: diff.Unknown, New: 3}}
	added := diff.LayerPair{Old: -1, New: 3, State: diff.OnlyNew, Stored: diff.Bytes{New: 7}, Compressed: diff.Bytes{New: 4}}
	if sum, state := sumOfLayers([]diff.LayerPair{added, added}); state != "only NEW" || sum.Old != -1 || sum.Stored != (diff.Bytes{New: 14}) {
		t.Errorf("%+v, %q", sum, state)
	}
	sum, state := sumOfLayers([]diff.LayerPair{added, shared})
	want := diff.LayerPair{Old: 1, New: 3, State: diff.OnlyNew, Stored: diff.Bytes{Old: 5, New: 12}, Compressed: diff.Bytes{Old: diff.Unknown, New: 7}}
	if state != "" || sum != want {
		t.Errorf("%+v, %q, want %+v", sum, state, want)
	}
}

// TestDiffCutsAreSaid: what a list leaves out it says.
func TestDiffCutsAreSaid(t *testing.T) {
	c := compared(t, tooMuch(20), tooMuch(30))
	lines := diffLines(t, c, DiffOptions{})
	at := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, "Directories") })
	last := lines[at+1+section(lines, "Directories")]
	notable := 0
	for _, i := range c.Files.Notable(len(c.Files.Dirs)) {
		if i > 0 { // the root isn't listed
			notable++
		}
	}
	if want := fmt.Sprintf("and %d more", notable-fewRows); !strings.HasSuffix(last, want) {
		t.Errorf("the last row of directories is %q, want %q; %d are notable", last, want, notable)
	}
	var b bytes.Buffer
	if err := DiffMarkdown(&b, c, TextOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, title := range []string{
		fmt.Sprintf("**Directories, with all below them (4 of %d shown)**", notable),
		fmt.Sprintf("%s (4 of %d shown)**", c.packageCounts(), len(c.Packages.Changes)),
		fmt.Sprintf("%s (5 of %d shown)**", c.stepCounts(), len(c.Steps)),
	} {
		if !strings.Contains(b.String(), title) {
			t.Errorf("no title %q in\n%s", title, b.String())
		}
	}
}

// TestDiffMarkdownNames tells two images of one name apart by what was asked for.
func TestDiffMarkdownNames(t *testing.T) {
	title := func(c Comparison) string {
		var b bytes.Buffer
		if err := DiffMarkdown(&b, c, TextOptions{}); err != nil {
			t.Fatal(err)
		}
		first, _, _ := strings.Cut(b.String(), "\n")
		return first
	}
	c := compared(t, synth.Image{Tags: []string{"app:1"}}, synth.Image{Tags: []string{"app:1"}})
	old, new := *c.Old, *c.New
	old.Reference, new.Reference = "main.tar", "ci.tar"
	c.Old, c.New = &old, &new
	if got, want := title(c), "### layerscope: ` main.tar ` → ` ci.tar `"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	new.Name = "app:2"
	if got, want := title(c), "### layerscope: ` "+old.Name+" ` → ` app:2 `"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// diffLines returns the lines of a text.
func diffLines(t *testing.T, c Comparison, opts DiffOptions) []string {
	t.Helper()
	var b bytes.Buffer
	if err := Diff(&b, c, opts); err != nil {
		t.Fatal(err)
	}
	return strings.Split(b.String(), "\n")
}

// section returns how many rows the table under a title has.
func section(lines []string, title string) int {
	at := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, title) })
	if at < 0 {
		return 0
	}
	return slices.Index(lines[at:], "") - 2 // the title and the header
}

// TestDiffMarkdownFits writes a comparison of images with too much of everything:
// it stays under 60 lines, and no name of them is more than a name.
func TestDiffMarkdownFits(t *testing.T) {
	c := compared(t, tooMuch(40), tooMuch(60))
	c.Budget = ptr(int64(math.MinInt64 / 4))
	for _, c := range []Comparison{c, layersCompared(c)} {
		for _, ascii := range []bool{false, true} {
			var b bytes.Buffer
			if err := DiffMarkdown(&b, c, TextOptions{ASCII: ascii}); err != nil {
				t.Fatal(err)
			}
			lines := checkComment(t, b.String(), ascii)
			for i, l := range lines {
				bars := func(s string) int { return strings.Count(strings.ReplaceAll(s, `\|`, ""), "|") }
				if i > 0 && strings.HasPrefix(l, "|") && strings.HasPrefix(lines[i-1], "|") && bars(l) != bars(lines[i-1]) {
					t.Errorf("a row has %d bars, the one above %d: %q", bars(l), bars(lines[i-1]), l)
				}
			}
		}
	}
}

func TestDiffDeterministic(t *testing.T) {
	c := compared(t, tooMuch(5), tooMuch(7))
	sameTwice(t, map[string]func(io.Writer) error{
		"Diff":         func(w io.Writer) error { return Diff(w, c, DiffOptions{All: true}) },
		"DiffMarkdown": func(w io.Writer) error { return DiffMarkdown(w, c, TextOptions{}) },
		"DiffJSON":     func(w io.Writer) error { return DiffJSON(w, c, Tool{}) },
	})
}

// TestDiffFileOrder lists the paths that make the largest difference first, and
// of what makes none the largest.
func TestDiffFileOrder(t *testing.T) {
	b := func(old, new int64) diff.Bytes { return diff.Bytes{Old: old, New: new} }
	want := []diff.Bytes{b(0, 100), b(60, 0), b(1000, 1050), b(70, 70), b(20, 20), b(0, 0)}
	for _, order := range [][]int{{5, 4, 3, 2, 1, 0}, {2, 0, 4, 1, 5, 3}} {
		var in []diff.Bytes
		for _, i := range order {
			in = append(in, want[i])
		}
		if d := cmp.Diff(want, sorted(in, func(b diff.Bytes) diff.Bytes { return b })); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
	}
	var r struct {
		Files struct {
			Added, Removed, Moved struct {
				Items []struct{ BytesOld, BytesNew int64 }
			}
		}
	}
	var out bytes.Buffer
	if err := DiffJSON(&out, compared(t, tooMuch(4), tooMuch(20)), Tool{}); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	for name, items := range map[string][]struct{ BytesOld, BytesNew int64 }{
		"added": r.Files.Added.Items, "removed": r.Files.Removed.Items, "moved": r.Files.Moved.Items,
	} {
		if len(items) < 2 {
			t.Errorf("%d paths are %s", len(items), name)
		}
		for i := 1; i < len(items); i++ {
			if x, y := items[i-1], items[i]; x.BytesOld+x.BytesNew < y.BytesOld+y.BytesNew {
				t.Errorf("%s: %+v stands before %+v", name, x, y)
			}
		}
	}
}

func TestShare(t *testing.T) {
	for b, want := range map[diff.Bytes]string{
		{Old: 0, New: 5}:             "",
		{Old: 5, New: 5}:             "",
		{Old: diff.Unknown, New: 5}:  "",
		{Old: 5, New: diff.Unknown}:  "",
		{Old: 1000, New: 1001}:       "+0.1%",
		{Old: 10000, New: 10001}:     "",
		{Old: 1000, New: 0}:          "-100.0%",
		{Old: 1000, New: 9000}:       "+800.0%",
		{Old: 1000, New: 50_000}:     "+4,900%",
		{Old: 1, New: 1_000_000_001}: "+100,000,000,000%",
	} {
		got := style{TextOptions{ASCII: true}}.share(b)
		if got != want {
			t.Errorf("%+v: %q, want %q", b, got, want)
		}
	}
}

func TestSpans(t *testing.T) {
	tests := []struct {
		rows string // upper case for those shown, of letters that are alike
		want string
	}{
		{"", ""}, {"a", "a"}, {"A", "A"}, {"aaa", "aaa"}, {"AAA", "A A A"},
		{"aaBcc", "aa B cc"}, {"abba", "a bb a"}, {"aAaa", "a A aa"},
	}
	for _, tt := range tests {
		shown := func(i int) bool { return tt.rows[i] < 'a' }
		alike := func(a, b int) bool { return tt.rows[a] == tt.rows[b] }
		var got []string
		for _, s := range cutSpans(len(tt.rows), shown, alike) {
			got = append(got, tt.rows[s.from:s.to])
		}
		if joined := strings.Join(got, " "); joined != tt.want {
			t.Errorf("%s is cut into %q, want %q", tt.rows, joined, tt.want)
		}
	}
}

func TestIndexes(t *testing.T) {
	for _, tt := range []struct {
		at   []int
		want string
	}{{[]int{-1}, ""}, {[]int{0}, "0"}, {[]int{-1, 3, -1}, "3"}, {[]int{2, 3, 4}, "2-4"}, {[]int{-1, 0, -1, 7}, "0-7"}, {[]int{2, 0, 1}, "0-2"}} {
		if got := indexes(span{0, len(tt.at)}, func(i int) int { return tt.at[i] }); got != tt.want {
			t.Errorf("%v: %q, want %q", tt.at, got, tt.want)
		}
	}
}

// TestOverBudget tells of a NEW that is over the budget by less than is shown.
func TestOverBudget(t *testing.T) {
	for _, tt := range []struct {
		old, new, budget int64
		want             string
	}{
		{0, 5_000_000, 5_000_000, ""},
		{0, 5_000_001, 5_000_000, "budget: NEW stores +5000001 B, the limit is +5000000 B"},
		{0, 7_000_000, 5_000_000, "budget: NEW stores +7.0 MB, the limit is +5.0 MB"},
		{9_000_000, 8_500_000, -1_000_000, "budget: NEW stores -500 kB, the limit is -1.0 MB"},
		{9_000_000, 8_000_000, -1_000_000, ""},
		{1, 1, 0, ""},
		{1, 2, 0, "budget: NEW stores +1 B, the limit is 0 B"},
	} {
		c := Comparison{Diff: &diff.Diff{Stored: diff.Bytes{Old: tt.old, New: tt.new}}, Budget: &tt.budget}
		if got := c.OverBudget(TextOptions{}); got != tt.want {
			t.Errorf("%+v: %q", tt, got)
		}
	}
	if got := (Comparison{Diff: &diff.Diff{Stored: diff.Bytes{New: 1}}}).OverBudget(TextOptions{}); got != "" {
		t.Errorf("without a budget: %q", got)
	}
}

// TestPullText says what is fetched, known or not.
func TestPullText(t *testing.T) {
	for p, want := range map[diff.Pull]string{
		{}:                               "A host that has OLD fetches no layer",
		{Bytes: 1000, Layers: 1}:         "A host that has OLD fetches 1.0 kB in 1 layer",
		{Bytes: diff.Unknown, Layers: 3}: "A host that has OLD fetches 3 layers, of a size that isn't known",
	} {
		if got := (style{}).pull(oldName, p); got != want {
			t.Errorf("%+v: %q", p, got)
		}
	}
}

// TestDiffLongValues: on a narrow line too the values of a variable that differ at
// their ends are seen to differ.
func TestDiffLongValues(t *testing.T) {
	path := func(last string) synth.Image {
		return synth.Image{Config: v1.Config{Env: []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:" + last}}}
	}
	lines := diffLines(t, compared(t, path("/go/bin"), path("/app/bin")), DiffOptions{TextOptions: TextOptions{Width: 60}})
	at := slices.Index(lines, "Config")
	if at < 0 || !strings.HasSuffix(lines[at+2], ":/go/bin") || !strings.HasSuffix(lines[at+3], ":/app/bin") {
		t.Errorf("%q", lines[max(at, 0):])
	}
}

// TestConfigValues tells a command's words apart from a value.
func TestConfigValues(t *testing.T) {
	for _, tt := range []struct {
		key   string
		words []string
		want  string
	}{
		{"cmd", []string{"a b", "c\x1b"}, `["a b","c\u001b"]`},
		{"cmd", []string{}, `[]`},
		{"user", []string{"root\n"}, `root`},
		{"volumes", []string{}, ``},
	} {
		if got := (style{}).value(tt.key, tt.words); got != tt.want {
			t.Errorf("%s %q: %q, want %q", tt.key, tt.words, got, tt.want)
		}
	}
}
