package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/layerscope/layerscope/analyze/buildcontext"
	"github.com/layerscope/layerscope/analyze/cascade"
	"github.com/layerscope/layerscope/analyze/cascade/advice"
	"github.com/layerscope/layerscope/analyze/cascade/reads"
	"github.com/layerscope/layerscope/analyze/dockerfile"
	"github.com/layerscope/layerscope/analyze/synth/fixture"
)

const shop = `ARG NODE=20
FROM node:$NODE AS deps
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci

FROM deps AS build
ENV MODE=production API_TOKEN=hunter2secret
COPY . .
RUN npm run build

FROM deps AS test
RUN npm test

FROM nginx:1.27
LABEL a=b
COPY --from=build /app/dist /usr/share/nginx/html
COPY --link nginx.conf /etc/nginx/
RUN nginx -t && echo hunter2secret
CMD ["nginx"]
`

// cascadeOf makes a report of a Dockerfile: of an edit of lines, or of all lines.
func cascadeOf(t testing.TB, text string, tree *buildcontext.Tree, lines ...int) *Cascade {
	t.Helper()
	f, err := dockerfile.ParseEdited("Dockerfile", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	g, err := cascade.New(f, cascade.Options{})
	if err != nil {
		t.Fatal(err)
	}
	b := cascade.Build{Graph: g}
	if tree != nil {
		b.Contexts, b.Dockerfile = map[string]*buildcontext.Tree{"": tree}, "Dockerfile"
	}
	after, assume, err := b.With(cascade.Change{Lines: lines})
	if err != nil {
		t.Fatal(err)
	}
	c := Cascade{Dockerfile: "Dockerfile", Notes: g.Notes}
	if c.Prediction, err = cascade.Predict(t.Context(), after, []cascade.Build{b}, assume); err != nil {
		t.Fatal(err)
	}
	for _, l := range lines {
		s, _ := g.StepAt(l)
		c.Changes = append(c.Changes, CascadeChange{Kind: ChangeLine, Line: s.Lines})
	}
	if len(lines) == 0 {
		if c.Impacts, err = cascade.Impacts(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	if tree != nil {
		if c.Findings, err = advice.Find(t.Context(), b, nil, nil); err != nil {
			t.Fatal(err)
		}
		r, err := reads.Of(t.Context(), b)
		if err != nil {
			t.Fatal(err)
		}
		c.Files = &CascadeFiles{Report: r}
	}
	return AboutCascade(c)
}

// measured gives every instruction bytes and seconds that tell it apart, but for
// one, of which nothing is known.
func measured(c *Cascade, unknown int) *Cascade {
	c.Measures = make(cascade.Measures, len(c.graph().Steps))
	for i := range c.Measures {
		if i == unknown {
			continue
		}
		n, d := int64(1)<<i, time.Duration(i+1)*time.Second
		c.Measures[i] = cascade.Measure{Bytes: &n, Duration: &d, How: cascade.HowMatched}
	}
	return c
}

func shopTree() *buildcontext.Tree {
	return buildcontext.New(
		buildcontext.File{Path: "Dockerfile", Body: shop}, buildcontext.File{Path: "package.json", Body: "{}"},
		buildcontext.File{Path: "package-lock.json", Body: "{}"}, buildcontext.File{Path: "nginx.conf", Body: "x"},
		buildcontext.File{Path: "src/a.js", Body: "a"})
}

func cascadeString(t testing.TB, write func(*bytes.Buffer) error) string {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func cascadeTextOf(t testing.TB, c *Cascade, opts TextOptions) string {
	return cascadeString(t, func(b *bytes.Buffer) error { return CascadeText(b, c, opts) })
}

// TestCascadeText reads a report of a change as a person does.
func TestCascadeText(t *testing.T) {
	c := measured(cascadeOf(t, shop, nil, 8), 9)
	got := cascadeTextOf(t, c, TextOptions{Width: 72})
	for _, line := range []string{
		"○ 3 WORKDIR /app 4 B 3.0s", "○ 5 RUN npm ci 16 B 5.0s", "● 8 ENV MODE=production API_TOKEN=…", "○ 9 COPY . . 128 B 8.0s", "● 10 RUN npm run build 256 B 9.0s",
		"· 12 FROM deps AS test", "· 13 RUN npm test", "◐ 17 COPY --from=build /app/dist /usr/share/nginx/h… 8.2 kB 14s",
		"○ 18 COPY --link nginx.conf /etc/nginx/ 16 kB 15s", "◐ 19 RUN nginx -t && echo … 33 kB 16s",
	} {
		if !strings.Contains(squeeze(got), line) {
			t.Errorf("there is no line %q in\n%s", line, got)
		}
	}
	if strings.Contains(got, "hunter2") {
		t.Error("a secret is shown")
	}
}

// squeeze makes one space of several.
func squeeze(s string) string { return regexp.MustCompile(` +`).ReplaceAllString(s, " ") }

// TestCascadeWidth holds every line to the width, whatever the Dockerfile holds.
func TestCascadeWidth(t *testing.T) {
	long := strings.Repeat("wide字[red]\x1b[31m\u202e ", 20)
	text := "FROM a AS b\nRUN " + long + "\nCOPY x" + strings.Repeat("y", 300) + " /\nENV A=" + strings.Repeat("v", 200) + "\nFROM b\nRUN c\nCOPY --from=b /" + strings.Repeat("z", 200) + " /\n"
	tree := buildcontext.New(buildcontext.File{Path: "x" + strings.Repeat("y", 300), Body: "a"}, buildcontext.File{Path: "un\x1bread\u202e/" + strings.Repeat("n", 300), Body: "a"})
	for width := 60; width <= 140; width += 4 {
		for _, ascii := range []bool{false, true} {
			for _, lines := range [][]int{nil, {2}, {4}} {
				c := measured(cascadeOf(t, text, tree, lines...), 3)
				opts := TextOptions{Width: width, ASCII: ascii}
				checkLines(t, cascadeTextOf(t, c, opts), opts)
			}
		}
	}
}

// evilDockerfile holds what a terminal, tview, Markdown or DOT could trip over.
const evilDockerfile = "FROM alpine AS a\nRUN echo \x1b]0;t\a [red]x[-] `|` \"quoted\" \\\" \u009b31m \xff\u200b <b> && true\n" +
	"ENV X=\"\x1b[2J|\"\nCOPY we\x1bird|`\u2066 /d\nLABEL \"[::b]\"=\"\u202e\"\nFROM a\nCOPY --from=a /o\x1but /\nRUN --mount=type=bind,from=a,target=/t\x07 x\n"

func evilTree() *buildcontext.Tree {
	return buildcontext.New(buildcontext.File{Path: "we\x1bird|`\u2066", Body: "a"}, buildcontext.File{Path: "x\xff\n\u202e", Body: "b"})
}

// TestCascadeHostile walks a hostile Dockerfile through every format.
func TestCascadeHostile(t *testing.T) {
	for _, lines := range [][]int{nil, {2}, {3}} {
		c := cascadeOf(t, evilDockerfile, evilTree(), lines...)
		c.Context, c.Dockerfile = "ctx\x1b\u202e", "Docker\x1bfile`|"
		c.Notes = append(c.Notes, cascade.Note{Text: "a \x1b note | ` \u202e"})
		c.Sources = []CascadeSource{{Kind: "image", Name: "im\x1bage", Problem: "it \x07 isn't"}}
		if len(lines) > 0 {
			c.Changes = append(c.Changes, CascadeChange{Kind: ChangeFiles, Files: []string{"x\xff\n\u202e"}})
		}
		for _, opts := range []TextOptions{{}, {ASCII: true}, {Width: 80}} {
			checkLines(t, cascadeTextOf(t, c, opts), opts)
			checkLines(t, cascadeString(t, func(b *bytes.Buffer) error { return CascadeMarkdown(b, c, opts) }), TextOptions{ASCII: opts.ASCII})
		}
		js := cascadeString(t, func(b *bytes.Buffer) error { return CascadeJSON(b, c, Tool{"layerscope", "test"}) })
		checkLines(t, js, TextOptions{})
		checkCascadeJSON(t, c, js)
		dot := cascadeString(t, func(b *bytes.Buffer) error { return CascadeDOT(b, c) })
		checkLines(t, dot, TextOptions{})
		checkDOT(t, dot)
	}
}

// cascadeSchema is docs/cascade.schema.json.
func cascadeSchema(t testing.TB) *jsonschema.Schema {
	t.Helper()
	s, err := jsonschema.NewCompiler().Compile(filepath.Join("..", "..", "docs", "cascade.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// decoded is what the checks read of the JSON.
type decoded struct {
	Changes      []any
	Instructions []struct {
		Index      int
		Works      bool
		State      string
		Bytes      *int64
		Seconds    *float64
		Cause      *struct{ Text string }
		Line       struct{ Start, End int }
		How        *string
		Compressed *int64
	}
	Cost  decodedCost
	Lines []struct {
		Index    int
		Built    bool
		Reruns   []int
		MayRerun []int
		decodedCost
	}
}

type decodedCost struct {
	Misses, MayMisses, Hits, NotBuilt int
	Bytes                             struct {
		Min, Max int64
		Unknown  int
	}
	Seconds struct {
		Min, Max float64
		Unknown  int
	}
}

// checkCascadeJSON holds JSON to its schema, its sums to its instructions, and
// the table of lines to predictions one by one.
func checkCascadeJSON(t testing.TB, c *Cascade, js string) {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(js))
	if err != nil {
		t.Fatal(err)
	}
	if err := cascadeSchema(t).Validate(doc); err != nil {
		t.Error(err)
	}
	var d decoded
	if err := json.Unmarshal([]byte(js), &d); err != nil {
		t.Fatal(err)
	}
	states := map[string]int{}
	var want decodedCost
	for _, ins := range d.Instructions {
		if ins.Works || ins.State == "not-built" {
			states[ins.State]++
		}
		if (ins.Cause == nil) != (ins.State == "hit" || ins.State == "not-built") {
			t.Errorf("line %d is a %s, its cause %v", ins.Line.Start, ins.State, ins.Cause)
		}
		again, sure := ins.State == "miss" || ins.State == "may-miss", ins.State == "miss"
		if !ins.Works || !again {
			continue
		}
		if ins.Bytes == nil {
			want.Bytes.Unknown++
		} else {
			want.Bytes.Max += *ins.Bytes
			if sure {
				want.Bytes.Min += *ins.Bytes
			}
		}
		if ins.Seconds == nil {
			want.Seconds.Unknown++
		} else {
			want.Seconds.Max += *ins.Seconds
			if sure {
				want.Seconds.Min += *ins.Seconds
			}
		}
	}
	want.Misses, want.MayMisses, want.Hits, want.NotBuilt = states["miss"], states["may-miss"], states["hit"], states["not-built"]
	if diff := cmp.Diff(want, d.Cost); diff != "" {
		t.Errorf("the cost isn't that of the instructions (-want +got):\n%s", diff)
	}
	if (d.Lines == nil) != (len(d.Changes) > 0) {
		t.Errorf("%d lines with %d changes", len(d.Lines), len(d.Changes))
	}
	for _, l := range d.Lines {
		if l.Misses != len(l.Reruns) || l.MayMisses != len(l.MayRerun) {
			t.Errorf("line %d: %d and %d, of %v and %v", l.Index, l.Misses, l.MayMisses, l.Reruns, l.MayRerun)
		}
		var sum int64
		for _, i := range l.Reruns {
			if b := d.Instructions[i].Bytes; b != nil {
				sum += *b
			}
		}
		if sum != l.Bytes.Min {
			t.Errorf("line %d: %d bytes, its instructions have %d", l.Index, l.Bytes.Min, sum)
		}
	}
}

// TestCascadeJSON holds the JSON's numbers to the text's.
func TestCascadeJSON(t *testing.T) {
	c := measured(cascadeOf(t, shop, shopTree(), 8), 9)
	js := cascadeString(t, func(b *bytes.Buffer) error { return CascadeJSON(b, c, Tool{"layerscope", "test"}) })
	checkCascadeJSON(t, c, js)
	var d decoded
	if err := json.Unmarshal([]byte(js), &d); err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(cascadeTextOf(t, c, TextOptions{Bytes: true}), "\n", " ")
	m := regexp.MustCompile(`Certainly (\d+) instructions?: .*?(\d+)\. +(\d+) more if /app/dist from build differs: \S+, (\d+)\. +(\d+) cached, (\d+) not built\.`).FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("no sums in %s", text)
	}
	var got []int64
	for _, s := range m[1:] {
		n, _ := strconv.ParseInt(s, 10, 64)
		got = append(got, n)
	}
	want := []int64{int64(d.Cost.Misses), d.Cost.Bytes.Min, int64(d.Cost.MayMisses), d.Cost.Bytes.Max - d.Cost.Bytes.Min, int64(d.Cost.Hits), int64(d.Cost.NotBuilt)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-JSON +text\n%s", diff)
	}
	if strings.Contains(js, "hunter2") {
		t.Error("a secret is told")
	}
	all := measured(cascadeOf(t, shop, shopTree()), 4)
	checkCascadeJSON(t, all, cascadeString(t, func(b *bytes.Buffer) error { return CascadeJSON(b, all, Tool{"layerscope", "test"}) }))
}

// TestCascadeLines holds the table of all lines to predictions one by one.
func TestCascadeLines(t *testing.T) {
	table := cascadeTextOf(t, cascadeOf(t, shop, nil), TextOptions{ASCII: true})
	for _, s := range cascadeOf(t, shop, nil).graph().Steps {
		c := cascadeOf(t, shop, nil, s.Lines.Start)
		n := c.Prediction.Counts()
		want := fmt.Sprintf("%s %d ", s.Lines, n.Misses)
		if n.MayMisses > 0 {
			want = fmt.Sprintf("%s %d +%d ", s.Lines, n.Misses, n.MayMisses)
		}
		if !c.graph().Stages[max(s.Stage, 0)].Needed {
			want = fmt.Sprintf("%s . ", s.Lines)
		}
		if !strings.Contains(squeeze(table), "\n "+want) {
			t.Errorf("no line begins with %q in\n%s", want, table)
		}
	}
}

// TestMarkdownCascade keeps the comment on a pull request short.
func TestMarkdownCascade(t *testing.T) {
	var text strings.Builder
	text.WriteString("FROM a\n")
	for i := range 200 {
		fmt.Fprintf(&text, "RUN step %d | with a pipe\n", i)
	}
	for _, lines := range [][]int{nil, {2}, {1, 2, 3, 4, 5, 6, 7, 8, 9}} {
		c := measured(cascadeOf(t, text.String(), nil, lines...), 3)
		for range 20 {
			c.Notes = append(c.Notes, cascade.Note{Text: "something"})
		}
		md := cascadeString(t, func(b *bytes.Buffer) error { return CascadeMarkdown(b, c, TextOptions{}) })
		if n := strings.Count(md, "\n"); n >= 60 {
			t.Errorf("%d lines", n)
		}
		cells := -1
		for line := range strings.Lines(md) {
			if !strings.HasPrefix(line, "|") {
				cells = -1
				continue
			}
			n := strings.Count(line, "|") - strings.Count(line, `\|`)
			if cells >= 0 && n != cells {
				t.Errorf("a row of %d cells where there are %d: %s", n, cells, line)
			}
			cells = n
		}
	}
}

// Statements of the DOT that is written, one a line.
var (
	dotString = `"(?:[^"\\]|\\.)*"`
	dotLines  = []*regexp.Regexp{
		regexp.MustCompile(`^digraph cascade \{$`), regexp.MustCompile(`^  rankdir=LR;$`), regexp.MustCompile(`^  node \[.*\];$`),
		regexp.MustCompile(`^  subgraph cluster_\d+ \{$`), regexp.MustCompile(`^ *\}$`), regexp.MustCompile(`^    label=` + dotString + `;$`),
		regexp.MustCompile(`^ +(n\d+|stage\d+) \[label=` + dotString + `(, [a-z]+=(\w+|` + dotString + `))*\];$`),
		regexp.MustCompile(`^  (n\d+) -> (n\d+) \[style=(solid|dashed)(, label=` + dotString + `)?\];$`),
	}
)

// checkDOT checks the syntax of a graph, and that edges lead from and to nodes.
func checkDOT(t testing.TB, dot string) {
	t.Helper()
	nodes, open := map[string]bool{}, 0
	for line := range strings.Lines(dot) {
		line = strings.TrimSuffix(line, "\n")
		i := slices.IndexFunc(dotLines, func(r *regexp.Regexp) bool { return r.MatchString(line) })
		if i < 0 {
			t.Fatalf("%q is no statement", line)
		}
		m := dotLines[i].FindStringSubmatch(line)
		switch i {
		case 0, 3:
			open++
		case 4:
			open--
		case 6:
			if nodes[m[1]] {
				t.Errorf("%s is there twice", m[1])
			}
			nodes[m[1]] = true
		case 7:
			if !nodes[m[1]] || !nodes[m[2]] {
				t.Errorf("%q leads from or to nothing", line)
			}
		}
	}
	if open != 0 {
		t.Errorf("%d braces are open", open)
	}
}

func TestDOT(t *testing.T) {
	c := cascadeOf(t, shop, shopTree(), 8)
	dot := cascadeString(t, func(b *bytes.Buffer) error { return CascadeDOT(b, c) })
	checkDOT(t, dot)
	for _, want := range []string{`label="build"`, "miss", "may-miss", "style=dashed, label=\"/app/dist\"", "not-built"} {
		if !strings.Contains(dot, want) {
			t.Errorf("there is no %s in\n%s", want, dot)
		}
	}
	if n := strings.Count(dot, "subgraph"); n != 4 {
		t.Errorf("%d clusters, there are 4 stages", n)
	}
	program, err := exec.LookPath("dot")
	if err != nil {
		t.Skip("Graphviz isn't there to read it")
	}
	cmd := exec.Command(program, "-Tsvg")
	cmd.Stdin = strings.NewReader(dot)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("dot: %v\n%s", err, out)
	}
}

// TestRealCascades writes the table of all lines of other projects' Dockerfiles,
// a row for each instruction, in text and in JSON.
func TestRealCascades(t *testing.T) {
	written, refused := 0, 0
	for _, d := range fixture.Dockerfiles(t) {
		f, err := dockerfile.Read(d.Path)
		if err != nil {
			continue
		}
		g, err := cascade.New(f, cascade.Options{})
		if err != nil {
			refused++
			continue
		}
		b := cascade.Build{Graph: g}
		c := Cascade{Dockerfile: d.Name, Notes: g.Notes}
		if c.Impacts, err = cascade.Impacts(t.Context(), b); err != nil {
			t.Fatalf("%s: %v", d.Name, err)
		}
		if c.Prediction, err = cascade.Predict(t.Context(), b, []cascade.Build{b}, cascade.Assume{}); err != nil {
			t.Fatalf("%s: %v", d.Name, err)
		}
		about := AboutCascade(c)
		opts := TextOptions{Width: 80}
		text := cascadeTextOf(t, about, opts)
		checkLines(t, text, opts)
		_, rows, _ := strings.Cut(text, "INSTRUCTION\n")
		rows, _, _ = strings.Cut(rows, "\n\n")
		if n := strings.Count(rows, "\n") + 1; n != len(g.Steps) {
			t.Errorf("%s: %d rows, %d instructions", d.Name, n, len(g.Steps))
		}
		js := cascadeString(t, func(b *bytes.Buffer) error { return CascadeJSON(b, about, Tool{"layerscope", "test"}) })
		var doc decoded
		if err := json.Unmarshal([]byte(js), &doc); err != nil || len(doc.Lines) != len(g.Steps) || len(doc.Instructions) != len(g.Steps) {
			t.Errorf("%s: %v, %d lines, %d instructions of %d", d.Name, err, len(doc.Lines), len(doc.Instructions), len(g.Steps))
		}
		if written%25 == 0 {
			checkCascadeJSON(t, about, js)
			checkDOT(t, cascadeString(t, func(b *bytes.Buffer) error { return CascadeDOT(b, about) }))
		}
		written++
	}
	t.Logf("%d tables, %d refused", written, refused)
	if written < 1000 {
		t.Errorf("only %d tables", written)
	}
}

// TestCascadeMostlyUnknown has bars of instructions where few bytes are known, and
// no sum that is at least nothing.
func TestCascadeMostlyUnknown(t *testing.T) {
	c := cascadeOf(t, "FROM a\nRUN b\nRUN c\nRUN d\nRUN e\n", nil)
	known := int64(0)
	c.Measures = make(cascade.Measures, len(c.graph().Steps))
	c.Measures[1].Bytes = &known
	got := squeeze(cascadeTextOf(t, c, TextOptions{}))
	for _, line := range []string{"\n 2 4 – ██████████ RUN b\n", "\n 4 2 – █████ RUN d\n"} {
		if !strings.Contains(got, line) {
			t.Errorf("there is no line %q in\n%s", line, got)
		}
	}
}
