package report

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/zeebo/xxh3"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/analyzetest"
	"github.com/layerscope/layerscope/analyze/layer"
	"github.com/layerscope/layerscope/analyze/synth"
	"github.com/layerscope/layerscope/analyze/tree"
	"github.com/layerscope/layerscope/view/text"
)

// sample is an image with many files of many sizes, of which layers above
// replace, link and delete some.
func sample(t *testing.T) *analyze.Image {
	file := func(i int) synth.Entry {
		return synth.Body(fmt.Sprintf("d%d/e%d/f%d", i%3, i%7, i), int64(i*i%977), uint64(i))
	}
	return analyzetest.Image(t, synth.Image{Steps: []synth.Step{
		{CreatedBy: "RUN many # buildkit", Layer: synth.Layer{synth.Many(500, file)}},
		{CreatedBy: "RUN links # buildkit", Layer: synth.Layer{
			synth.Hardlink("d0/link", "d1/e3/f31"),
			synth.Body("d2/e2/f2", 1500, 9),
			synth.Hardlink("z", "d2/e2/f2"),
		}},
		{CreatedBy: "RUN rm # buildkit", Layer: synth.Layer{synth.Whiteout("d1/e1"), synth.Opaque("d2/e5")}},
	}})
}

func TestIncomplete(t *testing.T) {
	m := new(analyze.Image)
	for name, err := range map[string]error{
		"Text":      Text(io.Discard, About(m), TextOptions{}),
		"JSON":      JSON(io.Discard, About(m), Tool{}),
		"Waste":     Waste(io.Discard, About(m), WasteOptions{}),
		"WasteJSON": WasteJSON(io.Discard, About(m), Tool{}),
		"Markdown":  Markdown(io.Discard, About(m), TextOptions{}),
		"SARIF":     SARIF(io.Discard, About(m), Tool{}),
		"Tree":      Tree(io.Discard, Listing{Image: m}, TextOptions{}),
		"TreeJSON":  TreeJSON(io.Discard, Listing{Image: m}, Tool{}),
	} {
		if !errors.Is(err, ErrIncomplete) {
			t.Errorf("%s of an image that isn't read gives error %v", name, err)
		}
	}
}

// TestTextWidth holds every line to the width, whatever the image's names.
func TestTextWidth(t *testing.T) {
	long := strings.Repeat("wide字[red]\x1b[31m\u202e ", 20)
	m := analyzetest.Image(t, synth.Image{
		Tags: []string{"example.org/a/long/name/for/an/image:1.0"},
		Steps: []synth.Step{
			{CreatedBy: long, Layer: synth.Layer{synth.Body(long, 123456, 1), synth.Body("é"+long, 1234, 1), synth.Body("same"+long, 123456, 1)}},
			{CreatedBy: long, Layer: synth.Layer{synth.Whiteout("é" + long), synth.Body("d/.ssh/id_rsa"+long, 9, 1)}},
			{CreatedBy: "ENV TOKEN=" + long},
			{CreatedBy: long, Layer: synth.Layer{synth.Whiteout("d"), synth.Body("root/.cache/pip/"+long, 55, 4)}},
			{CreatedBy: "CMD " + long},
		},
	})
	subject := About(m)
	for width := 60; width <= 140; width++ {
		for _, ascii := range []bool{false, true} {
			var b bytes.Buffer
			opts := TextOptions{Width: width, ASCII: ascii}
			if err := errors.Join(Text(&b, subject, opts), Waste(&b, subject, WasteOptions{opts, true})); err != nil {
				t.Fatal(err)
			}
			checkLines(t, b.String(), opts)
		}
	}
}

// checkLines holds every line of a report to its width, and to what may be
// printed.
func checkLines(t *testing.T, report string, opts TextOptions) {
	t.Helper()
	for line := range strings.Lines(report) {
		line = strings.TrimSuffix(line, "\n")
		if opts.Width > 0 && text.Width(line) > opts.Width {
			t.Errorf("width %d: line of %d cells: %q", opts.Width, text.Width(line), line)
		}
		if text.Printable(line) != line {
			t.Errorf("width %d: unprintable line %q", opts.Width, line)
		}
		if opts.ASCII && strings.ContainsFunc(line, func(r rune) bool { return r > '~' }) {
			t.Errorf("width %d: not ASCII: %q", opts.Width, line)
		}
	}
}

func TestBar(t *testing.T) {
	tests := []struct {
		part, whole int64
		opts        TextOptions
		want        string
	}{
		{0, 100, TextOptions{}, ""},
		{analyze.Unknown, 100, TextOptions{}, ""},
		{5, analyze.Unknown, TextOptions{}, ""},
		{1, math.MaxInt64, TextOptions{}, "▏"},
		{25, 100, TextOptions{}, "██▌"},
		{100, 100, TextOptions{}, "██████████"},
		{100, 100, TextOptions{Width: 80}, "██████"},
		{100, 100, TextOptions{Width: 100}, "██████████"},
		{math.MaxInt64, math.MaxInt64, TextOptions{ASCII: true}, "##########"},
		{1, 1000, TextOptions{ASCII: true}, "#"},
		{25, 100, TextOptions{ASCII: true}, "###"},
	}
	for _, tt := range tests {
		if got := (style{tt.opts}).bar(tt.part, tt.whole); got != tt.want {
			t.Errorf("bar(%d, %d) with %+v = %q, want %q", tt.part, tt.whole, tt.opts, got, tt.want)
		}
	}
}

// TestLargestFiles compares with sorting all files.
func TestLargestFiles(t *testing.T) {
	m := sample(t)
	v := m.Tree.Final()
	var all []file
	copies := map[tree.Ref]bool{}
	for i := range v.Len() {
		if it := v.At(i); it.Type == layer.File && it.Size > 0 && !copies[it.State.Inode] {
			copies[it.State.Inode] = true
			all = append(all, file{it.Node, it.State.Inode, it.Size})
		}
	}
	slices.SortStableFunc(all, func(a, b file) int { return int(b.size - a.size) })
	for _, n := range []int{1, 2, 10, len(all), len(all) + 5} {
		want := all[:min(n, len(all))]
		if diff := cmp.Diff(want, largestFiles(m.Tree, n), cmp.AllowUnexported(file{})); diff != "" {
			t.Errorf("the %d largest files (-want +got):\n%s", n, diff)
		}
	}
}

// TestTreeSums reads a listing back: a directory's bytes are its children's.
func TestTreeSums(t *testing.T) {
	m := sample(t)
	for _, bySize := range []bool{false, true} {
		l := Listing{Image: m, View: m.Tree.Final(), Step: -1, Depth: -1, BySize: bySize}
		listed := entries(t, l)
		if listed[0].Path != "/" || listed[0].Total != m.Totals.Live || listed[0].Files != m.Totals.Files {
			t.Errorf("the root is %+v, the totals are %+v", listed[0], m.Totals)
		}
		sum := map[string]int64{}
		before := map[string]entryJSON{}
		for _, e := range listed[1:] {
			dir := filepath.Dir(e.Path)
			sum[dir] += e.Total
			if b, ok := before[dir]; ok && bySize && b.Total < e.Total {
				t.Errorf("%s (%d) comes before %s (%d)", b.Path, b.Total, e.Path, e.Total)
			} else if ok && !bySize && b.Path >= e.Path {
				t.Errorf("%s comes before %s", b.Path, e.Path)
			}
			before[dir] = e
		}
		for _, e := range listed {
			if e.Type == "dir" && e.Total != sum[e.Path] {
				t.Errorf("%s has %d bytes, what is in it %d", e.Path, e.Total, sum[e.Path])
			}
		}
	}
}

func TestTreeDepth(t *testing.T) {
	m := sample(t)
	for depth := -1; depth < 5; depth++ {
		l := Listing{Image: m, View: m.Tree.Final(), Step: -1, Depth: depth}
		deepest := 0
		for _, e := range entries(t, l) {
			deepest = max(deepest, strings.Count(strings.TrimSuffix(e.Path, "/"), "/"))
		}
		want := depth
		if depth < 0 || depth > 3 {
			want = 3
		}
		if deepest != want {
			t.Errorf("--depth %d lists %d levels, want %d", depth, deepest, want)
		}
	}
}

// entries writes a listing as JSON and reads it.
func entries(t *testing.T, l Listing) []entryJSON {
	t.Helper()
	var b bytes.Buffer
	if err := TreeJSON(&b, l, Tool{"layerscope", "test"}); err != nil {
		t.Fatal(err)
	}
	var r treeReport
	d := json.NewDecoder(&b)
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		t.Fatal(err)
	}
	return r.Entries
}

// TestTreeInodes lists links of every kind, devices and attributes.
func TestTreeInodes(t *testing.T) {
	m := analyzetest.Image(t, synth.Image{Steps: []synth.Step{
		{CreatedBy: "RUN one", Layer: synth.Layer{
			synth.File("file", "a body", synth.Xattr("user.b", "2"), synth.Xattr("security.capability", "1")),
			synth.File("none", ""),
			synth.Symlink("sym", "file"),
			synth.Hardlink("hard", "file"),
			synth.CharDevice("tty", 5, 1),
		}},
		{CreatedBy: "RUN two", Layer: synth.Layer{
			synth.File("file", "another body"),
			synth.Hardlink("later", "hard"),
			synth.Hardlink("tosym", "sym"),
			synth.Hardlink("lost", "gone"),
			synth.BlockDevice("dir/disk", 8, 17),
		}},
	}})
	sum := func(s string) *string {
		h := xxh3.Hash128([]byte(s)).Bytes()
		return ptr(hex.EncodeToString(h[:]))
	}
	names := []string{"security.capability", "user.b"}
	want := map[string]entryJSON{
		"/":         {},
		"/dir":      {},
		"/dir/disk": {Inode: &inodeJSON{1, 4}, Device: &deviceJSON{8, 17}},
		"/file":     {Inode: &inodeJSON{1, 0}, XXH3: sum("another body")},
		"/hard":     {Inode: &inodeJSON{0, 0}, XXH3: sum("a body"), Xattrs: names, Hardlink: ptr("/file")},
		"/later":    {Inode: &inodeJSON{0, 0}, XXH3: sum("a body"), Xattrs: names, Hardlink: ptr("/hard")},
		"/lost":     {Inode: &inodeJSON{1, 3}, Link: ptr("gone"), Hardlink: ptr("/gone")},
		"/none":     {Inode: &inodeJSON{0, 1}},
		"/sym":      {Inode: &inodeJSON{0, 2}, Link: ptr("file")},
		"/tosym":    {Inode: &inodeJSON{0, 2}, Link: ptr("file"), Hardlink: ptr("/sym")},
		"/tty":      {Inode: &inodeJSON{0, 4}, Device: &deviceJSON{5, 1}},
	}
	got := map[string]entryJSON{}
	for _, e := range entries(t, Listing{Image: m, View: m.Tree.Final(), Step: -1, Depth: -1}) {
		got[e.Path] = entryJSON{Link: e.Link, Hardlink: e.Hardlink, Inode: e.Inode, Device: e.Device, Xattrs: e.Xattrs, XXH3: e.XXH3}
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmp.AllowUnexported(entryJSON{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestTreeBrokenLinks says what is wrong with hard links that lead nowhere.
func TestTreeBrokenLinks(t *testing.T) {
	m := analyzetest.Image(t, synth.Image{Steps: []synth.Step{
		{CreatedBy: "RUN one", Layer: synth.Layer{
			synth.Dir("dir"),
			synth.Hardlink("a", "gone"),
			synth.Hardlink("b", "dir"),
			synth.Hardlink("c", "later"),
			synth.Hardlink("d", "above"),
			synth.Hardlink("e", "implied"),
			synth.File("later", ""),
			synth.File("implied/file", ""),
		}},
		{CreatedBy: "RUN two", Layer: synth.Layer{synth.File("above", ""), synth.Whiteout("dir")}},
	}})
	var b bytes.Buffer
	if err := Tree(&b, Listing{Image: m, View: m.Tree.Final(), Step: -1, Depth: -1}, TextOptions{ASCII: true}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"a (hard link to /gone, which isn't there)",
		"b (hard link to /dir, which is a directory)",
		"c (hard link to /later, which wasn't there yet)",
		"d (hard link to /above, which isn't there)",
		"e (hard link to /implied, which is a directory)",
	} {
		if !strings.Contains(b.String(), want+"\n") {
			t.Errorf("%q is missing from\n%s", want, b.String())
		}
	}
}

func ptr[T any](v T) *T { return &v }

// TestTreeDeep lists a directory thousands deep: lines don't grow without end.
func TestTreeDeep(t *testing.T) {
	const depth = 8000
	m := analyzetest.Image(t, synth.Image{Steps: []synth.Step{{CreatedBy: "RUN deep", Layer: synth.Layer{
		synth.File(strings.Repeat("d/", depth)+"f", "x"),
	}}}})
	var b bytes.Buffer
	if err := Tree(&b, Listing{Image: m, View: m.Tree.Final(), Step: -1, Depth: -1}, TextOptions{ASCII: true}); err != nil {
		t.Fatal(err)
	}
	if lines := bytes.Count(b.Bytes(), []byte("\n")); lines != depth+3 { // header, root, f
		t.Errorf("%d lines, want %d", lines, depth+3)
	}
	if perLine := b.Len() / depth; perLine > 4*maxIndent+40 {
		t.Errorf("%d bytes a line", perLine)
	}
}

// TestDeterministic writes everything twice.
func TestDeterministic(t *testing.T) {
	m := sample(t)
	l := Listing{Image: m, View: m.Tree.Changes(1), Step: 1, Changes: true, Depth: -1, BySize: true}
	sameTwice(t, map[string]func(io.Writer) error{
		"Text":      func(w io.Writer) error { return Text(w, About(m), TextOptions{}) },
		"JSON":      func(w io.Writer) error { return JSON(w, About(m), Tool{}) },
		"Waste":     func(w io.Writer) error { return Waste(w, About(m), WasteOptions{All: true}) },
		"WasteJSON": func(w io.Writer) error { return WasteJSON(w, About(m), Tool{}) },
		"Markdown":  func(w io.Writer) error { return Markdown(w, About(m), TextOptions{}) },
		"Tree":      func(w io.Writer) error { return Tree(w, l, TextOptions{}) },
		"TreeJSON":  func(w io.Writer) error { return TreeJSON(w, l, Tool{}) },
	})
}

// sameTwice checks that what is written is the same each time, and that a writer
// that fails is told of.
func sameTwice(t *testing.T, writes map[string]func(io.Writer) error) {
	t.Helper()
	for name, write := range writes {
		var a, b bytes.Buffer
		if err := errors.Join(write(&a), write(&b)); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(a.Bytes(), b.Bytes()) {
			t.Errorf("%s isn't the same twice", name)
		}
		full := errors.New("disk full")
		if err := write(failing{full}); !errors.Is(err, full) {
			t.Errorf("%s to a writer that fails gives error %v", name, err)
		}
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestNullTime(t *testing.T) {
	for in, want := range map[time.Time]string{
		{}:                            "null",
		time.Unix(0, 0):               `"1970-01-01T00:00:00Z"`,
		time.Unix(1, 5e8):             `"1970-01-01T00:00:01.5Z"`,
		time.Unix(-1<<40, 0):          "null",
		time.Unix(math.MaxInt64/2, 0): "null",
		time.Date(2024, 1, 2, 3, 4, 5, 0, time.FixedZone("", 3600)): `"2024-01-02T02:04:05Z"`,
	} {
		got, err := json.Marshal(nullTime(in))
		if err != nil || string(got) != want {
			t.Errorf("nullTime(%v) = %s, %v; want %s", in, got, err, want)
		}
	}
}

// FuzzEncode checks that a string comes back as it was, but for what isn't
// UTF-8, and that what is written does nothing to a terminal.
func FuzzEncode(f *testing.F) {
	for _, s := range []string{"", "plain", "\x1b[31m", "\u009b", "\u202e\u2066", "\x7f", "\xff\xfe", "字", "😀", "\U000e0001", "a&&b<c>", "\u2028\ufeff", `\u001b"`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		b, err := encode(s, "")
		if err != nil {
			t.Fatal(err)
		}
		if got := string(b); text.Printable(got) != got {
			t.Errorf("%q is written as %q", s, got)
		}
		var back string
		if err := json.Unmarshal(b, &back); err != nil {
			t.Fatal(err)
		}
		if want := string([]rune(s)); back != want {
			t.Errorf("%q comes back as %q", want, back)
		}
	})
}
