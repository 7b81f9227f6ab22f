//go:build linux

package conformance

import (
	"cmp"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/layerscope/layerscope/analyze/cascade"
	"github.com/layerscope/layerscope/analyze/cascade/conformance/cases"
	"github.com/layerscope/layerscope/analyze/cascade/conformance/lab"
	"github.com/layerscope/layerscope/analyze/cascade/conformance/record"
)

// rule is one of BuildKit's cache rules: what becomes of the steps when a
// Dockerfile, its context or its arguments change.
type rule struct {
	name          string
	before, after string // Dockerfiles without "FROM alpine:3.20\n" if they have no FROM; "" after: the same
	change        func(dir string) error
	args          map[string]string // after
	attrs         map[string]string // after
	want          string            // outcomes of the later build: "2c 3r", of a stage b "b2c", of a merge "2Lr"
}

// ruleContext is what the rules' contexts have.
const ruleContext = `builders: buildkit
arg: GIVEN=1
dir: context/empty
-- Dockerfile --
FROM scratch
-- context/a/x.txt --
x
-- context/b/x.txt --
x
-- context/b/y.txt --
y
-- context/c/y.txt --
y
-- context/n.txt --
# note
n
`

// below returns the path of a file in the context.
func below(dir, name string) string { return filepath.Join(dir, "context", filepath.FromSlash(name)) }

func touch(name string) func(string) error {
	return func(dir string) error { return os.Chtimes(below(dir, name), time.Time{}, time.Unix(1e9, 0)) }
}

func chmod(name string, mode os.FileMode) func(string) error {
	return func(dir string) error { return os.Chmod(below(dir, name), mode) }
}

func chown(name string) func(string) error {
	return func(dir string) error { return os.Lchown(below(dir, name), 12, 34) }
}

func write(name, text string) func(string) error {
	return func(dir string) error { return os.WriteFile(below(dir, name), []byte(text), 0o644) }
}

func rename(name, to string) func(string) error {
	return func(dir string) error { return os.Rename(below(dir, name), below(dir, to)) }
}

// firebreak is a stage b that a target copies the file f from.
const firebreak = "FROM alpine:3.20 AS b\n%\nFROM alpine:3.20\nCOPY --from=b /f /f\nRUN cat /f\n"

// folders is a stage b, of one of whose folders a target takes the file f;
// mounted is the same by a mount.
const (
	folders = "FROM alpine:3.20 AS b\nRUN for i in d e same; do mkdir /$i; echo $i > /$i/f; done; cp /d/f /same\nFROM alpine:3.20\nCOPY --from=b /%/f /f\nRUN : one\n"
	mounted = "FROM alpine:3.20 AS b\nRUN for i in d e same; do mkdir /$i; echo $i > /$i/f; done; cp /d/f /same\nFROM alpine:3.20\nRUN --mount=from=b,source=/%/f,target=/f : one\nRUN : two\n"
)

var rules = []rule{
	{name: "metadata", before: "LABEL a=1\nCMD a\nEXPOSE 80\nRUN : one\nVOLUME /v\nRUN : two", after: "LABEL a=2\nCMD b\nEXPOSE 81\nRUN : one\nVOLUME /w\nSTOPSIGNAL 9\nRUN : two", want: "2c 3c"},
	{name: "ENV reaches RUN, and COPY through it alone", before: "ENV V=1\nCOPY n.txt /a\nWORKDIR /w\nRUN : one\nCOPY n.txt /b", after: "ENV V=2\nCOPY n.txt /a\nWORKDIR /w\nRUN : one\nCOPY n.txt /b", want: "2c 3c 4r 5r"},
	{name: "ENV expanded in a COPY", before: "ENV V=1\nCOPY n.txt /$V", after: "ENV V=2\nCOPY n.txt /$V", want: "2r"},
	{name: "ENV swapped", before: "ENV A=1\nENV B=2\nRUN : one", after: "ENV B=2\nENV A=1\nRUN : one", want: "2r"},
	{name: "ENV in one line or in two", before: "ENV A=1 B=2\nRUN : one", after: "ENV A=1\nENV B=2\nRUN : one", want: "2c"},
	{name: "ARG for ENV", before: "ARG A=1\nRUN : one", after: "ENV A=1\nRUN : one", want: "2c"},
	{name: "ENV of a stage reaches those from it", before: "FROM alpine:3.20 AS b\nENV A=1\nRUN : one\nFROM b\nRUN : two", after: "FROM alpine:3.20 AS b\nENV A=2\nRUN : one\nFROM b\nRUN : two", want: "b2r 1r"},
	{name: "ARG acts from its line on", before: "RUN : one\nARG V=1\nRUN : two", after: "RUN : one\nARG V=2\nRUN : two", want: "2c 3r"},
	{name: "ARG without a value", before: "RUN : one\nRUN : two", after: "ARG V\nRUN : one\nARG W\nRUN : two", want: "2c 3c"},
	{name: "a build argument", before: "RUN : one\nARG GIVEN\nRUN : two", args: map[string]string{"GIVEN": "2"}, want: "2c 3r"},
	{name: "a build argument that nobody declares", before: "RUN : one", args: map[string]string{"GIVEN": "1", "OTHER": "1"}, want: "2c"},
	{name: "a predefined proxy argument", before: "RUN : one", args: map[string]string{"GIVEN": "1", "HTTPS_PROXY": "http://p"}, want: "2c"},
	{name: "a predefined proxy argument, declared", before: "ARG HTTPS_PROXY=http://q\nRUN : one", args: map[string]string{"GIVEN": "1", "HTTPS_PROXY": "http://p"}, want: "2r"},
	{name: "a global ARG", before: "ARG V=1\nFROM alpine:3.20\nRUN : one\nARG V\nRUN : two", after: "ARG V=2\nFROM alpine:3.20\nRUN : one\nARG V\nRUN : two", want: "2c 3r"},
	{name: "a global ARG in FROM", before: "ARG V=3.20\nFROM alpine:$V\nRUN : one", after: "ARG V=3.19\nFROM alpine:$V\nRUN : one", want: "2r"},
	{name: "SHELL", before: "RUN : one\nCOPY n.txt /\nRUN [\"true\"]\nRUN : two", after: "SHELL [\"/bin/sh\", \"-ec\"]\nRUN : one\nCOPY n.txt /\nRUN [\"true\"]\nRUN : two", want: "2r 3r 4r 5r"},
	{name: "SHELL and an exec form above", before: "RUN [\"true\"]\nRUN : two", after: "SHELL [\"/bin/sh\", \"-ec\"]\nRUN [\"true\"]\nRUN : two", want: "2c 3r"},
	{name: "exec form of the shell", before: "RUN : one", after: `RUN ["/bin/sh", "-c", ": one"]`, want: "2c"},
	{name: "USER reaches RUN and WORKDIR, not COPY", before: "COPY n.txt /\nWORKDIR /w\nRUN true", after: "USER 1\nCOPY n.txt /\nWORKDIR /w\nRUN true", want: "2c 3r 4r"},
	{name: "WORKDIR with a slash", before: "WORKDIR /w\nRUN : one", after: "WORKDIR /w/\nRUN : one", want: "2c 3r"},
	{name: "WORKDIR of another path", before: "WORKDIR /w\nCOPY n.txt /\nRUN : one", after: "WORKDIR /v\nCOPY n.txt /\nRUN : one", want: "2r 3r 4r"},
	{name: "WORKDIR / makes nothing", before: "RUN : one", after: "WORKDIR /\nRUN : one", want: "2c"},
	{name: "RUN: comments, case, trailing spaces", before: "RUN : one && \\\n  : two\nRUN : three", after: "run : one && \\\n# why\n\n  : two  \nRUN : three", want: "2c 3c"},
	{name: "RUN: CR LF", before: "RUN : one && \\\n  : two\nRUN : three", after: "RUN : one && \\\r\n  : two\r\nRUN : three", want: "2c 3c"},
	{name: "RUN: a continuation indented", before: "RUN : one && \\\n  : two\nRUN : three", after: "RUN : one && \\\n    : two\nRUN : three", want: "2r 3r"},
	{name: "RUN: a line split", before: "RUN : one && : two", after: "RUN : one && \\\n: two", want: "2c"},
	{name: "RUN heredoc: a comment in it", before: "RUN <<E\ntrue\nE\nRUN : one", after: "RUN <<E\n# c\ntrue\nE\nRUN : one", want: "2r 3r"},
	{name: "RUN heredoc of one line", before: "RUN true", after: "RUN <<E\ntrue\nE", want: "2r"},
	{name: "COPY heredoc", before: "COPY <<E /e\n1\nE\nRUN : one", after: "COPY <<E /e\n2\nE\nRUN : one", want: "2r 3r"},
	{name: "COPY: another folder, the same content", before: "COPY a/x.txt /x\nRUN : one", after: "COPY b/x.txt /x\nRUN : one", want: "2c 3c"},
	{name: "COPY: another base name", before: "COPY b/x.txt /x", after: "COPY b/y.txt /x", want: "2r"},
	{name: "COPY: another destination", before: "COPY b/x.txt /x", after: "COPY b/x.txt /y", want: "2r"},
	{name: "COPY: --chown", before: "COPY n.txt /", after: "COPY --chown=1 n.txt /", want: "2r"},
	{name: "COPY: --chmod", before: "COPY n.txt /", after: "COPY --chmod=600 n.txt /", want: "2r"},
	{name: "COPY: --exclude", before: "COPY b /b", after: "COPY --exclude=z b /b", want: "2r"},
	{name: "COPY: --link", before: "COPY n.txt /n\nRUN : one", after: "COPY --link n.txt /n\nRUN : one", want: "2r 2Lr 3r"},
	{name: "COPY --link stays when the base changes", before: "RUN : one\nCOPY --link n.txt /n\nRUN : two\nCOPY --link b /b", after: "RUN : another\nCOPY --link n.txt /n\nRUN : two\nCOPY --link b /b", want: "2r 3c 3Lr 4r 5c 5Lr"},
	{name: "COPY --link --chmod is no merge", before: "RUN : one\nCOPY --link --chmod=600 n.txt /n", after: "RUN : another\nCOPY --link --chmod=600 n.txt /n", want: "2r 3r"},
	{name: "context: a file's time", before: "COPY n.txt /", change: touch("n.txt"), want: "2c"},
	{name: "context: a file's owner", before: "COPY n.txt /", change: chown("n.txt"), want: "2c"},
	{name: "context: a file's mode", before: "COPY n.txt /", change: chmod("n.txt", 0o600), want: "2r"},
	{name: "context: a file's bytes", before: "COPY n.txt /\nRUN : one", change: write("n.txt", "other"), want: "2r 3r"},
	{name: "context: another file", before: "COPY b /b\nCOPY n.txt /\nRUN : one", change: write("n.txt", "other"), want: "2c 3r 4r"},
	{name: "context: a folder's mode", before: "COPY b /b\nCOPY . /all", change: chmod("b", 0o700), want: "2r 3r"},
	{name: "context: an empty folder's mode", before: "COPY empty /e\nCOPY . /all", change: chmod("empty", 0o700), want: "2r 3r"},
	{name: "context: a file renamed in a folder", before: "COPY b /b", change: rename("b/y.txt", "b/z.txt"), want: "2r"},
	{name: "context: a new file that is ignored", before: "COPY . /", change: func(dir string) error { return os.WriteFile(below(dir, "z"), nil, 0o644) }, want: "2r"},
	{name: "firebreak: the same bytes", before: strings.ReplaceAll(firebreak, "%", "RUN echo f > /f"), after: strings.ReplaceAll(firebreak, "%", "RUN true; echo f > /f"), want: "b2r 2c 3c"},
	{name: "firebreak: other bytes", before: strings.ReplaceAll(firebreak, "%", "RUN echo f > /f"), after: strings.ReplaceAll(firebreak, "%", "RUN echo g > /f"), want: "b2r 2r 3r"},
	{name: "firebreak: another image", before: "COPY --from=busybox:1 /etc/passwd /p", after: "COPY --from=busybox:2 /etc/passwd /p", want: "2c"},
	{name: "firebreak: another folder, other bytes", before: strings.ReplaceAll(folders, "%", "d"), after: strings.ReplaceAll(folders, "%", "e"), want: "b2c 2r 3r"},
	{name: "firebreak: another folder, the same bytes", before: strings.ReplaceAll(folders, "%", "d"), after: strings.ReplaceAll(folders, "%", "same"), want: "b2c 2c 3c"},
	{name: "mount: another folder of a stage, other bytes", before: strings.ReplaceAll(mounted, "%", "d"), after: strings.ReplaceAll(mounted, "%", "e"), want: "b2c 2r 3r"},
	{name: "mount: another folder of a stage, the same bytes", before: strings.ReplaceAll(mounted, "%", "d"), after: strings.ReplaceAll(mounted, "%", "same"), want: "b2c 2c 3c"},
	{name: "mount: the secret's id and target", before: "RUN --mount=type=secret,id=a : one\nRUN --mount=type=secret,id=b,target=/s : two", after: "RUN --mount=type=secret,id=a : one\nRUN --mount=type=secret,id=b,target=/t : two", want: "2c 3r"},
	{name: "mount: a tmpfs' size", before: "RUN --mount=type=tmpfs,target=/t : one", after: "RUN --mount=type=tmpfs,target=/t,size=1000000 : one", want: "2r"},
	{name: "mount: a cache's id, from default", before: "RUN --mount=type=cache,target=/c : one", after: "RUN --mount=type=cache,target=/c,id=x : one", want: "2r"},
	{name: "mount: a cache's id, both given", before: "RUN --mount=type=cache,target=/c,id=x : one", after: "RUN --mount=type=cache,target=/c,id=y : one", want: "2c"},
	{name: "mount: a cache's sharing, with a slash", before: "RUN --mount=type=cache,target=/c/ : one", after: "RUN --mount=type=cache,target=/c/,sharing=locked : one", want: "2c"},
	{name: "mount: a cache's target", before: "RUN --mount=type=cache,target=/c : one", after: "RUN --mount=type=cache,target=/d : one", want: "2r"},
	{name: "mount: a bind of the context, by content", before: "RUN --mount=source=n.txt,target=/n : one\nRUN --mount=source=b,target=/b : two", change: write("b/y.txt", "other"), want: "2c 3r"},
	{name: "ONBUILD", before: "FROM alpine:3.20 AS b\nONBUILD RUN : one\nRUN : two\nFROM b\nRUN : three", after: "FROM alpine:3.20 AS b\nONBUILD RUN : another\nRUN : two\nFROM b\nRUN : three", want: "b2c 1r 2r"},
	{name: "FROM: names and empty stages", before: "FROM alpine:3.20 AS b\nRUN : one\nFROM alpine:3.20\nCOPY --from=b /etc/passwd /p", after: "FROM scratch AS nothing\nFROM alpine:3.20 AS c\nRUN : one\nFROM alpine:3.20\nCOPY --from=c /etc/passwd /p", want: "c2c 2c"},
	{name: "FROM: another tag, the same digest", before: "FROM debian:bookworm-slim\nRUN : one", after: "FROM debian:latest\nRUN : one", want: "2c"},
	{name: "FROM: the same layers, another configuration", before: "FROM alpine:3.20\nCOPY n.txt /\nRUN : one", after: "FROM alpine:3.19\nCOPY n.txt /\nRUN : one", want: "2r 3r"},
	{name: "parser directives", before: "RUN : one", after: "# escape=\\\n# check=skip=all\nFROM alpine:3.20\nRUN : one", want: "2c"},
	{name: "the .dockerignore's own comment, copied", before: "COPY . /all", change: write(".dockerignore", "# why\n"), want: "2r"},
	{name: "SOURCE_DATE_EPOCH makes WORKDIR anew", before: "WORKDIR /w\nRUN : one", args: map[string]string{"GIVEN": "1", "SOURCE_DATE_EPOCH": "1"}, want: "2r 3r"},
	{name: "--add-host", before: "COPY n.txt /\nRUN : one", attrs: map[string]string{"add-hosts": "h=1.2.3.4"}, want: "2c 3r"},
	{name: "--no-cache of a stage", before: "WORKDIR /w\nRUN : one\nCOPY n.txt /", attrs: map[string]string{"no-cache": "stage-0"}, want: "2c 3c 4c"},
	{name: "--no-cache of a stage by its name", before: "FROM alpine:3.20 AS b\nWORKDIR /w\nRUN : one\nCOPY n.txt /\nFROM b\nRUN : two", attrs: map[string]string{"no-cache": "b"}, want: "b2c b3r b4r 1r"},
	// In the first build the copy's source is its base, which is one input.
	{name: "two stages alike are one", before: "FROM alpine:3.20 AS b\nRUN : one\nFROM alpine:3.20\nRUN : one\nCOPY --from=b /etc/passwd /p", after: "FROM alpine:3.20 AS b\nRUN : one\nRUN : two\nFROM alpine:3.20\nRUN : one\nCOPY --from=b /etc/passwd /p", want: "b2c b3r 3r"},
}

// TestRules holds the rules that predictions are made by against a builder, if
// that is asked for, and the predictions against the rules.
func TestRules(t *testing.T) {
	bases, err := lab.NewBases()
	if err != nil {
		lab.Lacks(t, err)
	}
	var real *lab.BuildKit
	if os.Getenv(askedEnv) == "full" {
		if real, err = lab.Open(t).BuildKit("rules"); err != nil {
			lab.Lacks(t, err)
		}
	}
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) { r.check(t, real, bases) })
	}
}

func (r *rule) check(t *testing.T, real *lab.BuildKit, bases *lab.Bases) {
	c, err := cases.Parse("rule", []byte(ruleContext))
	if err != nil {
		t.Fatal(err)
	}
	if real != nil {
		if err := real.Empty(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	h := &History{Case: c, Builder: cascade.BuildKit, Images: bases, Place: rulePlace}
	for i, text := range []string{r.before, cmp.Or(r.after, r.before)} {
		b := lab.Build{Case: c, Dir: t.TempDir()}
		c.Dockerfile = dockerfileOf(text)
		if err := c.Write(b.Dir); err != nil {
			t.Fatal(err)
		}
		if i > 0 {
			b.Args, b.Attrs = r.args, r.attrs
			if r.change != nil {
				if err := r.change(b.Dir); err != nil {
					t.Fatal(err)
				}
			}
		}
		if real != nil {
			seen, err := real.Build(t.Context(), b)
			if err != nil {
				t.Fatal(err)
			}
			if got := outcomes(seen); i > 0 && got != r.want {
				t.Errorf("BuildKit: want %s, got %s", r.want, got)
			}
		}
		if r.attrs != nil {
			continue // options that a case doesn't have
		}
		tally, err := h.Judge(t.Context(), b.Dir, record.Build{Edit: r.name, Args: b.Args, Seen: r.wanted(t)})
		if err != nil {
			t.Fatal(err)
		}
		if tally.Wrong > 0 || tally.Verdicts != i*len(r.wanted(t)) {
			t.Errorf("%s\n%s", &tally, tally.Report())
		}
	}
}

// rulePlace is a node's place as rules give it.
func rulePlace(n *cascade.Node) (record.Place, bool) {
	p, ok := BuildKitPlace(n)
	return record.Place{Stage: stageOf(p), Index: p.Index, Link: p.Link}, ok
}

// wanted reads the outcomes.
func (r *rule) wanted(t *testing.T) record.Seen {
	seen := record.Seen{}
	for word := range strings.FieldsSeq(r.want) {
		m := regexp.MustCompile(`^([a-z]*)(\d+)(L?)([cr])$`).FindStringSubmatch(word)
		if m == nil {
			t.Fatalf("%q is no outcome", word)
		}
		index, _ := strconv.Atoi(m[2])
		seen[record.Place{Stage: m[1], Index: index, Link: m[3] != ""}] = record.Outcome(m[4][0])
	}
	return seen
}

// dockerfileOf makes a rule's text a Dockerfile. What it runs need not be there.
func dockerfileOf(text string) []byte {
	if !strings.Contains(text, "FROM ") {
		text = "FROM alpine:3.20\n" + text
	}
	return []byte(text + "\n")
}

// outcomes writes down what was seen, in order.
func outcomes(seen record.Seen) string {
	var vertices []record.Place
	for v := range seen {
		vertices = append(vertices, v)
	}
	slices.SortFunc(vertices, func(a, b record.Place) int {
		return cmp.Or(strings.Compare(stageOf(b), stageOf(a)), cmp.Compare(a.Index, b.Index), strings.Compare(a.String(), b.String()))
	})
	var words []string
	for _, v := range vertices {
		word := stageOf(v) + strconv.Itoa(v.Index)
		if v.Link {
			word += "L"
		}
		words = append(words, word+string(rune(seen[v])))
	}
	return strings.Join(words, " ")
}

// stageOf is a stage's name, "" for the last.
func stageOf(v record.Place) string {
	if strings.HasPrefix(v.Stage, "stage-") {
		return ""
	}
	return v.Stage
}
