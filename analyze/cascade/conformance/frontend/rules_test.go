package frontend

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// rule is a rule of BuildKit's cache as documented and measured: what becomes
// of the vertices of a build after another.
type rule struct {
	name          string
	before, after string // Dockerfiles; after "" is the same
	args          [2]string
	options       func(b *Build, after bool)
	want          string // the states of vertices that the Dockerfile's lines have, in their order
}

const (
	base = "FROM alpine\n"
	src  = "FROM golang AS build\nCOPY a /a\nRUN build\nFROM alpine\n"
)

// rules are BuildKit's, instruction by instruction. States are of the vertices
// that have a label, in the order of stages and labels: h, m and ? for hit,
// miss and may-miss.
var rules = []rule{
	{name: "nothing changes", before: base + "WORKDIR /w\nCOPY a b ./\nRUN x\n", want: "hhhh"},
	{name: "metadata", before: base + "LABEL a=1\nRUN x\n", after: base + "LABEL a=2\nEXPOSE 80\nVOLUME /v\nCMD y\nENTRYPOINT z\nSTOPSIGNAL 9\nMAINTAINER me\nHEALTHCHECK NONE\nRUN x\n", want: "hh"},

	{name: "ENV reaches later RUNs", before: base + "RUN a\nENV X=1\nRUN b\n", after: base + "RUN a\nENV X=2\nRUN b\n", want: "hhm"},
	{name: "ENV reaches a COPY through the RUN alone", before: base + "ENV X=1\nCOPY a /a\nWORKDIR /w\n", after: base + "ENV X=2\nCOPY a /a\nWORKDIR /w\n", want: "hhh"},
	{name: "ENV reaches a COPY after the RUN", before: base + "ENV X=1\nRUN r\nCOPY a /a\n", after: base + "ENV X=2\nRUN r\nCOPY a /a\n", want: "hmm"},
	{name: "ENV reaches a COPY that expands it", before: base + "ENV X=1\nCOPY a /$X\n", after: base + "ENV X=2\nCOPY a /$X\n", want: "hm"},
	{name: "ENV reaches stages based on it", before: "FROM alpine AS a\nENV X=1\nFROM a\nRUN b\n", after: "FROM alpine AS a\nENV X=2\nFROM a\nRUN b\n", want: "hm"},
	{name: "ENV's order counts", before: base + "ENV A=1\nENV B=2\nRUN x\n", after: base + "ENV B=2\nENV A=1\nRUN x\n", want: "hm"},
	{name: "ENV on one line or two", before: base + "ENV A=1 B=2\nRUN x\n", after: base + "ENV A=1\nENV B=2\nRUN x\n", want: "hh"},
	{name: "ARG equals ENV", before: base + "ARG A=1\nRUN x\n", after: base + "ENV A=1\nRUN x\n", want: "hh"},
	{name: "ARG without a value", before: base + "RUN x\n", after: base + "ARG A\nRUN x\n", want: "hh"},
	{name: "ARG given", before: base + "ARG A\nRUN x\n", args: [2]string{"A=1", "A=2"}, want: "hm"},
	{name: "ARG from its line on", before: base + "RUN a\nARG A\nRUN b\n", args: [2]string{"A=1", "A=2"}, want: "hhm"},
	{name: "global ARG", before: "ARG A=1\n" + base + "RUN x\n", after: "ARG A=2\n" + base + "RUN x\n", want: "hh"},
	{name: "global ARG declared again", before: "ARG A=1\n" + base + "ARG A\nRUN x\n", after: "ARG A=2\n" + base + "ARG A\nRUN x\n", want: "hm"},
	{name: "global ARG in FROM", before: "ARG A=1\nFROM a:$A\nRUN x\n", after: "ARG A=2\nFROM a:$A\nRUN x\n", want: "mm"},
	{name: "ARG not declared", before: base + "RUN x\n", args: [2]string{"A=1", "A=2"}, want: "hh"},
	{name: "proxy", before: base + "RUN x\n", args: [2]string{"", "HTTP_PROXY=http://p"}, want: "hh"},
	{name: "proxy declared", before: base + "ARG HTTP_PROXY\nRUN x\n", args: [2]string{"", "HTTP_PROXY=http://p"}, want: "hm"},
	{name: "TARGETARCH declared at the top", before: "FROM --platform=$BUILDPLATFORM golang\nARG TARGETARCH\nRUN go mod download\n",
		options: func(b *Build, after bool) {
			if b.Platform = "linux/amd64"; after {
				b.Platform = "linux/arm64"
			}
		}, want: "hm"},
	{name: "TARGETARCH not declared", before: "FROM --platform=$BUILDPLATFORM golang\nRUN go mod download\n",
		options: func(b *Build, after bool) {
			if b.Platform = "linux/amd64"; after {
				b.Platform = "linux/arm64"
			}
		}, want: "hh"},

	{name: "SHELL reaches shell forms", before: base + "RUN a\nSHELL [\"/bin/sh\", \"-c\"]\nRUN b\n", after: base + "RUN a\nSHELL [\"/bin/sh\", \"-ec\"]\nRUN b\n", want: "hhm"},
	{name: "SHELL doesn't reach lists", before: base + "SHELL [\"/bin/a\"]\nRUN [\"b\"]\n", after: base + "SHELL [\"/bin/c\"]\nRUN [\"b\"]\n", want: "hh"},
	{name: "a list that the shell form is", before: base + "RUN x\n", after: base + "RUN [\"/bin/sh\",\"-c\",\"x\"]\n", want: "hh"},
	{name: "USER", before: base + "USER a\nCOPY a /a\nWORKDIR /w\n", after: base + "USER b\nCOPY a /a\nWORKDIR /w\n", want: "hhm"},
	{name: "USER of a RUN", before: base + "USER a\nRUN x\n", after: base + "USER b\nRUN x\n", want: "hm"},
	{name: "WORKDIR with a slash", before: base + "WORKDIR /app\nRUN x\n", after: base + "WORKDIR /app/\nRUN x\n", want: "hhm"},
	{name: "WORKDIR /", before: base + "RUN x\n", after: base + "WORKDIR /\nRUN x\n", want: "hh"},
	{name: "WORKDIR's path", before: base + "WORKDIR /a\nCOPY a /a\n", after: base + "WORKDIR /b\nCOPY a /a\n", want: "hmm"},
	{name: "WORKDIR and a relative destination", before: base + "WORKDIR /a\nCOPY a .\n", after: base + "WORKDIR /a\nWORKDIR /b\nCOPY a .\n", want: "hhmm"},

	{name: "RUN: what isn't its text", before: base + "RUN a && \\\n  b\n", after: "from alpine\r\nrun a && \\\r\n# note\r\n\r\n  b  \r\n", want: "hh"},
	{name: "RUN: indented otherwise", before: base + "RUN a && \\\n  b\n", after: base + "RUN a && \\\n    b\n", want: "hm"},
	{name: "RUN: split", before: base + "RUN a && b\n", after: base + "RUN a && \\\nb\n", want: "hh"},
	{name: "RUN: as a heredoc", before: base + "RUN x\n", after: base + "RUN <<EOF\nx\nEOF\n", want: "hm"},
	{name: "heredoc: a comment", before: base + "RUN <<EOF\nx\nEOF\n", after: base + "RUN <<EOF\n# c\nx\nEOF\n", want: "hm"},
	{name: "heredoc: white space", before: base + "RUN <<EOF\nx\nEOF\n", after: base + "RUN <<EOF\nx \nEOF\n", want: "hm"},
	{name: "heredoc: another end", before: base + "RUN <<EOF\nx\nEOF\n", after: base + "RUN <<END\nx\nEND\n", want: "hh"},
	{name: "heredoc of a COPY", before: base + "COPY <<EOF /a\nx\nEOF\nRUN y\n", after: base + "COPY <<EOF /a\nz\nEOF\nRUN y\n", want: "hmm"},
	{name: "script", before: base + "RUN <<EOF\n#!/bin/sh\nx\nEOF\n", after: base + "RUN <<EOF\n#!/bin/sh\ny\nEOF\n", want: "hm"},

	{name: "COPY of an equal file of another directory", before: base + "COPY d/x /x\n", after: base + "COPY e/x /x\n", want: "hh"},
	{name: "COPY of an equal file of another name", before: base + "COPY d/x /x\n", after: base + "COPY d/y /x\n", want: "hm"},
	{name: "COPY: destination", before: base + "COPY a /x\n", after: base + "COPY a /y\n", want: "hm"},
	{name: "COPY: owner", before: base + "COPY a /x\n", after: base + "COPY --chown=1 a /x\n", want: "hm"},
	{name: "COPY: owner without a name", before: base + "COPY --chown=root:5 a /x\n", after: base + "COPY --chown=:5 a /x\n", want: "hh"},
	{name: "COPY: mode", before: base + "COPY --chmod=644 a /x\n", after: base + "COPY --chmod=600 a /x\n", want: "hm"},
	{name: "COPY: exclude", before: base + "COPY d /x\n", after: base + "COPY --exclude=z d /x\n", want: "hm"},
	{name: "COPY: parents", before: base + "COPY d/x /x\n", after: base + "COPY --parents d/x /x\n", want: "hm"},
	{name: "COPY: link", before: base + "COPY a /x\nRUN y\n", after: base + "COPY --link a /x\nRUN y\n", want: "hmmm"},
	{name: "COPY: link and mode is no merge", before: base + "COPY --link --chmod=1 a /x\n", after: base + "COPY --chmod=1 a /x\n", want: "hh"},
	{name: "COPY --link on another base", before: base + "COPY --link a /x\nRUN y\nCOPY --link b /y\n", after: "FROM busybox\nCOPY --link a /x\nRUN y\nCOPY --link b /y\n", want: "mhmmhm"},
	{name: "COPY --from a stage that is built again", before: src + "COPY --from=build /o /o\nRUN x\n", after: strings.Replace(src, "RUN build", "RUN other", 1) + "COPY --from=build /o /o\nRUN x\n", want: "hhmh??"},
	{name: "COPY --from an image of another digest", before: base + "COPY --from=busybox:1 /b /b\n", after: base + "COPY --from=busybox:2 /b /b\n", want: "h?"},
	{name: "COPY --from by name or number", before: src + "COPY --from=build /o /o\n", after: src + "COPY --from=0 /o /o\n", want: "hhhhh"},
	{name: "COPY --from of another path", before: src + "COPY --from=build /o/x /o\n", after: src + "COPY --from=build /p/x /o\n", want: "hhhh?"},

	{name: "ADD of a URL's directory", before: base + "ADD https://e.invalid/a/f /f\n", after: base + "ADD https://e.invalid/b/f /f\n", want: "h?"},
	{name: "ADD of a URL's name", before: base + "ADD https://e.invalid/a/f /f\n", after: base + "ADD https://e.invalid/a/g /f\n", want: "hm"},
	{name: "ADD of a URL by its checksum", before: base + "ADD --checksum=sha256:" + sum + " https://e.invalid/a/f /f\n", after: base + "ADD --checksum=sha256:" + sum + " https://e.invalid/b/f /f\n", want: "hh"},
	{name: "ADD of a URL by another checksum", before: base + "ADD --checksum=sha256:" + sum + " https://e.invalid/f /f\n", after: base + "ADD --checksum=sha256:" + strings.Repeat("2", 64) + " https://e.invalid/f /f\n", want: "hm"},
	{name: "ADD of a commit", before: base + "ADD https://e.invalid/a.git#" + sha + " /f\n", after: base + "ADD https://e.invalid/b.git#" + sha + " /f\n", want: "hh"},
	{name: "ADD of a branch", before: base + "ADD https://e.invalid/a.git#main /f\n", after: base + "ADD https://e.invalid/a.git#dev /f\n", want: "h?"},

	{name: "mount: secret", before: base + "RUN --mount=type=secret,id=a x\n", after: base + "RUN --mount=type=secret,id=b x\n", want: "hm"},
	{name: "mount: secret that must be there", before: base + "RUN --mount=type=secret,id=a x\n", after: base + "RUN --mount=type=secret,id=a,required x\n", want: "hm"},
	{name: "mount: ssh", before: base + "RUN --mount=type=ssh x\n", after: base + "RUN --mount=type=ssh,id=b x\n", want: "hm"},
	{name: "mount: tmpfs size", before: base + "RUN --mount=type=tmpfs,target=/t x\n", after: base + "RUN --mount=type=tmpfs,target=/t,size=1m x\n", want: "hm"},
	{name: "mount: cache target", before: base + "RUN --mount=type=cache,target=/t x\n", after: base + "RUN --mount=type=cache,target=/u x\n", want: "hm"},
	{name: "mount: cache id from the default", before: base + "RUN --mount=type=cache,target=/t x\n", after: base + "RUN --mount=type=cache,target=/t,id=a x\n", want: "hm"},
	{name: "mount: cache id to another", before: base + "RUN --mount=type=cache,target=/t,id=a x\n", after: base + "RUN --mount=type=cache,target=/t,id=b x\n", want: "hh"},
	{name: "mount: cache sharing", before: base + "RUN --mount=type=cache,target=/t x\n", after: base + "RUN --mount=type=cache,target=/t,sharing=locked x\n", want: "hm"},
	{name: "mount: cache id with a slash in the target", before: base + "RUN --mount=type=cache,target=/t/ x\n", after: base + "RUN --mount=type=cache,target=/t/,id=a,sharing=locked x\n", want: "hh"},
	{name: "mount: bind of an equal directory", before: base + "RUN --mount=target=/t,source=d x\n", after: base + "RUN --mount=target=/t,source=f x\n", want: "hh"},
	{name: "mount: bind of another directory", before: base + "RUN --mount=target=/t,source=d x\n", after: base + "RUN --mount=target=/t,source=e x\n", want: "hm"},

	{name: "ONBUILD of the stage's base", before: "FROM alpine AS p\nONBUILD RUN a\nFROM p\nRUN b\n", after: "FROM alpine AS p\nONBUILD RUN c\nFROM p\nRUN b\n", want: "hmm"},
	{name: "FROM: names, numbers, empty stages", before: "FROM alpine\nRUN x\n", after: "FROM busybox\nFROM alpine AS n\nFROM n\nRUN x\n", want: "hh"},
	{name: "FROM: platform", before: "FROM alpine\nRUN x\n", after: "FROM --platform=linux/s390x alpine\nRUN x\n", want: "mm"},
	{name: "directives", before: base + "RUN x \\\n  y\n", after: "# escape=`\n# check=skip=all\n" + base + "RUN x `\n  y\n", want: "hh"},
	{name: "SOURCE_DATE_EPOCH", before: base + "WORKDIR /a\nRUN x\n", args: [2]string{"", "SOURCE_DATE_EPOCH=1"}, want: "hmm"},
	{name: "SOURCE_DATE_EPOCH without WORKDIR", before: base + "RUN x\n", args: [2]string{"", "SOURCE_DATE_EPOCH=1"}, want: "hh"},
	{name: "no cache", before: base + "WORKDIR /a\nRUN x\nCOPY a /a\n", options: func(b *Build, after bool) {
		if after {
			b.NoCache = []string{""}
		}
	}, want: "hhmm"},
	{name: "no cache of a stage", before: "FROM alpine AS b\nRUN x\nWORKDIR /w\nFROM b\nRUN y\n", options: func(b *Build, after bool) {
		if after {
			b.NoCache = []string{"b"}
		}
	}, want: "hmmh"},
	{name: "twins are one", before: "FROM alpine AS a\nRUN x\nFROM alpine\nRUN x\nCOPY --from=a /f /f\n", want: "hhh"},
	{name: "a folder as a base has another session", before: "FROM base\nRUN x\n", options: func(b *Build, after bool) {
		b.Contexts = map[string]string{"base": "local:base"}
	}, want: "m"},
}

const (
	sha = "1111111111111111111111111111111111111111"
	sum = sha + "111111111111111111111111"
)

// write makes a folder of files.
func write(t *testing.T, files map[string]string) *Folder {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		p := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return NewFolder(dir)
}

func args(text string) map[string]string {
	if name, value, ok := strings.Cut(text, "="); ok {
		return map[string]string{name: value}
	}
	return nil
}

// letters tells the states of the vertices that have a label, in their order.
func letters(t *testing.T, after, before *Graph) string {
	t.Helper()
	states, err := Verdicts(context.Background(), after, []*Graph{before}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var vs []*Vertex
	for _, v := range after.Vertices {
		if v.Label != (Label{}) {
			vs = append(vs, v)
		}
	}
	slices.SortStableFunc(vs, func(a, b *Vertex) int {
		return strings.Compare(fmt.Sprintf("%s %3d", a.Label.Stage, a.Label.Index), fmt.Sprintf("%s %3d", b.Label.Stage, b.Label.Index))
	})
	var b strings.Builder
	for _, v := range vs {
		b.WriteByte("h?m"[states[v.Index]])
	}
	return b.String()
}

func TestRules(t *testing.T) {
	files := map[string]string{"a": "a", "b": "b", "d/x": "same", "d/y": "same", "d/sub/z": "1", "e/x": "same", "f/x": "same", "f/y": "same", "f/sub/z": "1"}
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			var graphs [2]*Graph
			for i, text := range []string{r.before, r.after} {
				if text == "" {
					text = r.before
				}
				b := Build{Dockerfile: []byte(text), Args: args(r.args[i]), Folders: map[string]*Folder{"": write(t, files), "base": write(t, files)}}
				if r.options != nil {
					r.options(&b, i == 1)
				}
				g, err := Convert(context.Background(), b)
				if err != nil {
					t.Fatal(err)
				}
				graphs[i] = g
			}
			if got := letters(t, graphs[1], graphs[0]); got != r.want {
				for _, v := range graphs[1].Vertices {
					t.Logf("%d %s %s %v", v.Index, v.Kind, v.Name, v.Lines)
				}
				t.Errorf("%s, want %s", got, r.want)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	tests := []struct {
		text string
		line int
	}{
		{"FROM alpine\nHELLO\n", 2},
		{"FROM alpine\nCOPY --from=3 a /b\n", 0}, // it doesn't say
		{"FROM alpine\nRUN --mount=type=bind,target=/ x\n", 2},
		{"FROM alpine\nUSER a\nCOPY --chmod=9 a /b\n", 3},
		{"FROM $X\n", 1},
		{"FROM --platform=what/is/this/it alpine\n", 1},
	}
	for _, tt := range tests {
		_, err := Convert(context.Background(), Build{Dockerfile: []byte(tt.text)})
		refused, ok := err.(*Refused)
		if !ok {
			t.Errorf("%q: %v, want it refused", tt.text, err)
			continue
		}
		if refused.Line != tt.line {
			t.Errorf("%q: line %d, want %d: %v", tt.text, refused.Line, tt.line, err)
		}
	}
}

func TestNamesAndLines(t *testing.T) {
	const text = "FROM golang AS build\nRUN a \\\n  b\nFROM alpine\nWORKDIR /w\nCOPY --link --from=build /x /y\n"
	g, err := Convert(context.Background(), Build{Dockerfile: []byte(text)})
	if err != nil {
		t.Fatal(err)
	}
	type row struct {
		Kind  Kind
		Label Label
		Lines []Lines
	}
	var got []row
	for _, v := range g.Vertices {
		got = append(got, row{v.Kind, v.Label, v.Lines})
	}
	want := []row{
		{KindImage, Label{"build", 1, 2}, []Lines{{1, 1}}},
		{KindExec, Label{"build", 2, 2}, []Lines{{2, 3}}},
		{KindCopy, Label{"stage-1", 3, 3}, []Lines{{6, 6}}},
		{KindImage, Label{"stage-1", 1, 3}, []Lines{{4, 4}}},
		{KindMkdir, Label{"stage-1", 2, 3}, []Lines{{5, 5}}},
		{KindMerge, Label{"stage-1", 3, 3}, []Lines{{6, 6}}},
	}
	less := func(a, b row) int {
		return strings.Compare(fmt.Sprint(a.Label, a.Kind), fmt.Sprint(b.Label, b.Kind))
	}
	slices.SortFunc(got, less)
	slices.SortFunc(want, less)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("vertices (-want +got):\n%s", diff)
	}
	if g.Target == nil || g.Target.Kind != KindMerge {
		t.Errorf("the target is %v, want the merge", g.Target)
	}
}

// TestContent changes a context's files.
func TestContent(t *testing.T) {
	const text = "FROM alpine\nCOPY a /a\nCOPY d /d\nCOPY *.txt /t/\nCOPY --exclude=y d /e\n"
	files := map[string]string{"a": "1", "d/x": "2", "d/y": "3", "one.txt": "4", "unread": "5", ".dockerignore": "d/ignored\n", "d/ignored": "6"}
	tests := []struct {
		name   string
		change func(files map[string]string)
		mode   string
		want   string
	}{
		{"nothing", func(map[string]string) {}, "", "hhhhh"},
		{"a file", func(f map[string]string) { f["a"] = "9" }, "", "hmmmm"},
		{"a file of a directory", func(f map[string]string) { f["d/x"] = "9" }, "", "hhmmm"},
		{"a new file of a directory", func(f map[string]string) { f["d/z"] = "9" }, "", "hhmmm"},
		{"a file that is left out", func(f map[string]string) { f["d/ignored"] = "9" }, "", "hhhhh"},
		{"a file that nothing reads", func(f map[string]string) { f["unread"] = "9" }, "", "hhhhh"},
		{"a file for a pattern", func(f map[string]string) { f["two.txt"] = "9" }, "", "hhhmm"},
		{"a mode", func(f map[string]string) {}, "a", "hmmmm"},
		{"a file that isn't there", func(f map[string]string) { delete(f, "a") }, "", "hmmmm"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var graphs [2]*Graph
			for i := range graphs {
				now := map[string]string{}
				for k, v := range files {
					now[k] = v
				}
				if i == 1 {
					tt.change(now)
				}
				folder := write(t, now)
				if i == 1 && tt.mode != "" {
					if err := os.Chmod(filepath.Join(folder.dir, tt.mode), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				g, err := Convert(context.Background(), Build{Dockerfile: []byte(text), Folders: map[string]*Folder{"": folder}})
				if err != nil {
					t.Fatal(err)
				}
				graphs[i] = g
			}
			if got := letters(t, graphs[1], graphs[0]); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}

// TestKnown settles what hangs on rebuilt content.
func TestKnown(t *testing.T) {
	var graphs [2]*Graph
	for i, cmd := range []string{"one", "two"} {
		g, err := Convert(context.Background(), Build{Dockerfile: []byte("FROM golang AS build\nRUN " + cmd + "\nFROM alpine\nCOPY --from=build /o /o\nRUN x\n")})
		if err != nil {
			t.Fatal(err)
		}
		graphs[i] = g
	}
	for same, want := range map[bool]State{true: Hit, false: Miss} {
		states, err := Verdicts(context.Background(), graphs[1], graphs[:1], func(v *Vertex, input int) (bool, bool) { return same, true })
		if err != nil {
			t.Fatal(err)
		}
		if got := states[graphs[1].Target.Index]; got != want {
			t.Errorf("same %v: %v, want %v", same, got, want)
		}
	}
}

// TestSeveralBuilds goes back to an earlier build.
func TestSeveralBuilds(t *testing.T) {
	var graphs []*Graph
	for _, cmd := range []string{"one", "two", "one"} {
		g, err := Convert(context.Background(), Build{Dockerfile: []byte(base + "RUN " + cmd + "\n")})
		if err != nil {
			t.Fatal(err)
		}
		graphs = append(graphs, g)
	}
	states, err := Verdicts(context.Background(), graphs[2], graphs[:2], nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]State{Hit, Hit}, states); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
}
