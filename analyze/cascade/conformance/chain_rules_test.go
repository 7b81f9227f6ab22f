//go:build linux

package conformance

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/layerscope/layerscope/analyze/buildcontext"
	"github.com/layerscope/layerscope/analyze/cascade"
	"github.com/layerscope/layerscope/analyze/cascade/conformance/cases"
	"github.com/layerscope/layerscope/analyze/cascade/conformance/lab"
	"github.com/layerscope/layerscope/analyze/cascade/conformance/record"
	"github.com/layerscope/layerscope/analyze/dockerfile"
)

// chainRule is a cache rule of the classic builder and of buildah: what becomes
// of the instructions when a Dockerfile, its context or its arguments change.
type chainRule struct {
	name          string
	before, after string // Dockerfiles, without "FROM alpine:3.20\n" if they have no FROM; "" after: the same
	args, given   map[string]string
	change        func(context string) error
	// What becomes of each instruction, a stage after the other, FROM left out:
	// c for cached, r for ran, ? for what hangs on bytes and how it came out
	// behind it: "?c". "" if the builder can't build it.
	classic, buildah string
}

const chainContext = `builders: classic buildah
-- Dockerfile --
FROM scratch
-- context/a/x.txt --
x
-- context/b/x.txt --
x
-- context/b/y.txt --
y
-- context/n.txt --
n
-- context/t/f --
f
`

func in(f func(path string) error, name string) func(string) error {
	return func(context string) error { return f(filepath.Join(context, filepath.FromSlash(name))) }
}

func touched(path string) error { return os.Chtimes(path, time.Time{}, time.Unix(1e9, 0)) }

func moded(mode os.FileMode) func(string) error {
	return func(path string) error { return os.Chmod(path, mode) }
}

func owned(id int) func(string) error {
	return func(path string) error { return os.Lchown(path, id, id) }
}

func written(text string) func(string) error {
	return func(path string) error { return os.WriteFile(path, []byte(text), 0o644) }
}

func set(kv ...string) map[string]string {
	m := map[string]string{}
	for i := 0; i < len(kv); i += 2 {
		m[kv[i]] = kv[i+1]
	}
	return m
}

// fire is a stage that a target copies from.
func fire(made, copied string) string {
	return "FROM alpine:3.20 AS b\nRUN " + made + "\nFROM alpine:3.20\n" + copied + "\nRUN cat /f"
}

var chainRules = []chainRule{
	// Every instruction makes an image, and all below is upon it.
	{name: "nothing changes", before: "LABEL a=1\nRUN : one", classic: "cc", buildah: "cc"},
	{name: "LABEL", before: "LABEL a=1\nRUN : one", after: "LABEL a=2\nRUN : one", classic: "rr", buildah: "rr"},
	{name: "EXPOSE", before: "RUN : one\nEXPOSE 80\nRUN : two", after: "RUN : one\nEXPOSE 81\nRUN : two", classic: "crr", buildah: "crr"},
	{name: "CMD that the base has", before: "RUN : one", after: "CMD [\"/bin/sh\"]\nRUN : one", classic: "rr", buildah: "rr"},
	{name: "an unused ENV", before: "ENV A=1\nCOPY n.txt /\nRUN : one", after: "ENV A=2\nCOPY n.txt /\nRUN : one", classic: "rrr", buildah: "rrr"},
	{name: "HEALTHCHECK's interval", before: "HEALTHCHECK --interval=30s CMD true\nRUN : one", after: "HEALTHCHECK --interval=60s CMD true\nRUN : one", classic: "rr", buildah: "rr"},
	{name: "STOPSIGNAL, USER, VOLUME, ONBUILD, SHELL and MAINTAINER", before: "STOPSIGNAL 9\nUSER 0\nVOLUME /v\nONBUILD RUN : one\nSHELL [\"/bin/sh\", \"-c\"]\nMAINTAINER me",
		after: "STOPSIGNAL 9\nUSER 0\nVOLUME /v\nONBUILD RUN : one\nSHELL [\"/bin/sh\", \"-c\"]\nMAINTAINER you", classic: "cccccr", buildah: "cccccr"},
	{name: "SHELL", before: "SHELL [\"/bin/sh\", \"-c\"]\nCOPY n.txt /", after: "SHELL [\"/bin/sh\", \"-ec\"]\nCOPY n.txt /", classic: "rr", buildah: "rr"},
	{name: "another base", before: "RUN : one", after: "FROM debian:12\nRUN : one", classic: "r", buildah: "r"},
	{name: "another tag of the same image", before: "FROM debian:bookworm-slim\nRUN : same", after: "FROM debian:latest\nRUN : same", classic: "c", buildah: "c"},
	{name: "a FROM begins anew", before: "RUN : one\nFROM alpine:3.20\nRUN : two", after: "RUN : another\nFROM alpine:3.20\nRUN : two", classic: "rc", buildah: "c"},
	{name: "a stage that isn't needed", before: "FROM alpine:3.20 AS x\nRUN : one\nFROM alpine:3.20\nRUN : two", classic: "cc", buildah: "c"},
	{name: "a stage's name", before: "FROM alpine:3.20 AS x\nRUN : one\nFROM x\nRUN : two", after: "FROM alpine:3.20 AS y\nRUN : one\nFROM y\nRUN : two", classic: "cc", buildah: "cc"},
	{name: "two stages become one", before: "FROM alpine:3.20 AS x\nRUN : one\nFROM x\nRUN : two", after: "FROM alpine:3.20\nRUN : one\nRUN : two", classic: "cc", buildah: "cc"},
	{name: "an equal step of another stage", before: "RUN : zero", after: "FROM alpine:3.20 AS x\nRUN : one\nRUN : two\nFROM alpine:3.20\nRUN : one\nRUN : two\nCOPY --from=x /etc/passwd /p", classic: "rrccr", buildah: "rrccr"},
	{name: "an equal COPY of another stage", before: "RUN : zero", after: "FROM alpine:3.20 AS x\nCOPY n.txt /n\nFROM alpine:3.20\nCOPY n.tx[t] /n\nCOPY --from=x /etc/passwd /p", classic: "rcr", buildah: "rcr"},

	// The text.
	{name: "trailing space", before: "ENV A=1\nRUN : one", after: "ENV A=1  \nRUN : one", classic: "cc", buildah: "rr"},
	{name: "trailing space of a RUN", before: "RUN : one", after: "RUN : one  ", classic: "c", buildah: "r"},
	{name: "the case of a keyword", before: "RUN : one\nENV A=1", after: "run : one\nenv A=1", classic: "cc", buildah: "cr"},
	{name: "spaces within", before: "ENV A=1\nLABEL a=1 b=2", after: "ENV A 1\nLABEL a=1   b=2", classic: "cc", buildah: "rr"},
	{name: "quotes", before: "ENV A=1", after: "ENV A=\"1\"", classic: "c", buildah: "r"},
	{name: "a comment between lines", before: "RUN : one && \\\n  : two", after: "RUN : one && \\\n# why\n\n  : two", classic: "c", buildah: "c"},
	{name: "a line that is split", before: "RUN : one && : two", after: "RUN : one && \\\n: two", classic: "c", buildah: "c"},
	{name: "a line that is split and indented", before: "RUN : one && : two", after: "RUN : one && \\\n  : two", classic: "r", buildah: "r"},
	{name: "CR LF", before: "RUN : one && \\\n  : two\nENV A=1", after: "RUN : one && \\\r\n  : two\r\nENV A=1\r\n", classic: "cc", buildah: "cc"},
	{name: "exec form of the shell", before: "RUN : one", after: "RUN [\"/bin/sh\", \"-c\", \": one\"]", classic: "c", buildah: "r"},
	{name: "exec form of the shell of a CMD", before: "CMD a b", after: "CMD [\"/bin/sh\", \"-c\", \"a b\"]", classic: "c", buildah: "r"},
	{name: "two ENVs in one", before: "ENV A=1\nENV B=2\nRUN : one", after: "ENV A=1 B=2\nRUN : one", classic: "rr", buildah: "rr"},
	{name: "a value that looks like two", before: "ENV A=1 B=2", after: "ENV A=\"1 B=2\"", classic: "r", buildah: "r"},
	{name: "ENVs swapped", before: "ENV A=1 B=2", after: "ENV B=2 A=1", classic: "r", buildah: "r"},
	{name: "a VOLUME that looks like two", before: "VOLUME /a /b", after: "VOLUME [\"/a /b\"]", classic: "r", buildah: "r"},
	{name: "a SHELL that looks alike", before: "SHELL [\"/bin/sh\", \"-c\"]", after: "SHELL [\"/bin/sh -c\"]", classic: "r", buildah: "r"},
	{name: "WORKDIR with a slash", before: "WORKDIR /w\nRUN : one", after: "WORKDIR /w/\nRUN : one", classic: "rr", buildah: "rr"},
	{name: "WORKDIR relative", before: "WORKDIR /w\nWORKDIR x", after: "WORKDIR /w\nWORKDIR /w/x", classic: "cc", buildah: "cr"},
	{name: "EXPOSE with a protocol", before: "EXPOSE 80", after: "EXPOSE 80/tcp", classic: "r", buildah: "r"},
	{name: "parser directives", before: "RUN : one", after: "# escape=\\\nFROM alpine:3.20\nRUN : one", classic: "c", buildah: "c"},

	// Variables.
	{name: "an ARG's default, unused", before: "ARG V=1\nCOPY n.txt /\nRUN : one", after: "ARG V=2\nCOPY n.txt /\nRUN : one", classic: "rrr", buildah: "ccr"},
	{name: "an ARG's default, in an ENV", before: "ARG V=1\nENV W=$V\nRUN : one", after: "ARG V=2\nENV W=$V\nRUN : one", classic: "rrr", buildah: "ccr"},
	{name: "an ARG that is given", before: "ARG V=1\nCOPY n.txt /\nRUN : one", given: set("V", "2"), classic: "ccr", buildah: "ccr"},
	{name: "an ARG that is given its default", before: "ARG V=1\nRUN : one", given: set("V", "1"), classic: "cc", buildah: "cc"},
	{name: "an ARG that is given, in an ENV", before: "ARG V=1\nENV W=$V\nLABEL a=1", given: set("V", "2"), classic: "crr", buildah: "ccc"},
	{name: "an ARG that gets a value", before: "ARG V\nCOPY n.txt /\nRUN : one", given: set("V", "2"), classic: "ccr", buildah: "rrr"},
	{name: "an ARG that is given nothing", before: "ARG V\nRUN : one", given: set("V", ""), classic: "cr", buildah: "rr"},
	{name: "an argument that nobody declares", before: "ARG V=1\nRUN : one", given: set("W", "2"), classic: "cc", buildah: "cc"},
	{name: "an ARG acts from its line on", before: "RUN : one\nARG V=1\nRUN : two", after: "RUN : one\nARG V=2\nRUN : two", classic: "crr", buildah: "ccr"},
	{name: "an ARG of another stage", before: "FROM alpine:3.20 AS b\nARG V=1\nRUN : one\nFROM b\nRUN : two", after: "FROM alpine:3.20 AS b\nARG V=1\nRUN : one\nFROM b\nRUN : two", given: set("V", "2"), classic: "crr", buildah: "crr"},
	{name: "an ARG that an ENV overrides", before: "ARG V=1\nENV V=3\nRUN : one", given: set("V", "2"), classic: "ccc", buildah: "ccc"},
	{name: "an ARG that an ENV above overrides", before: "ENV V=3\nARG V=1\nRUN : $V", given: set("V", "2"), classic: "ccc", buildah: "ccc"},
	{name: "an ARG that an ENV of the base overrides", before: "FROM alpine:3.20 AS b\nENV V=3\nFROM b\nARG V=1\nRUN : $V", given: set("V", "2"), classic: "ccc", buildah: "ccr"},
	{name: "a global ARG", before: "ARG V=1\nFROM alpine:3.20\nRUN : one\nARG V\nLABEL a=1\nRUN : two", after: "ARG V=2\nFROM alpine:3.20\nRUN : one\nARG V\nLABEL a=1\nRUN : two", classic: "cccr", buildah: "cccr"},
	{name: "a global ARG in FROM", before: "ARG V=3.20\nFROM alpine:$V\nRUN : one", after: "ARG V=3.19\nFROM alpine:$V\nRUN : one", classic: "r", buildah: "r"},
	{name: "a global ARG and a default", before: "ARG V=1\nFROM alpine:3.20\nARG V=5\nRUN : one", after: "ARG V=2\nFROM alpine:3.20\nARG V=5\nRUN : one", classic: "cc", buildah: "cc"},
	{name: "an ARG without a value after one with", before: "ARG V=1\nARG V\nRUN : one", given: set("W", "1"), classic: "ccc", buildah: "ccc"},
	{name: "the order of ARGs", before: "ARG B=1\nARG A=2\nRUN : one", after: "ARG A=2\nARG B=1\nRUN : one", classic: "rrr", buildah: "rrr"},
	{name: "a proxy", before: "ENV A=1\nCOPY n.txt /\nRUN : one", given: set("HTTP_PROXY", "http://p"), classic: "ccr", buildah: "ccc"},
	{name: "another proxy", before: "RUN : one", args: set("HTTP_PROXY", "http://q"), given: set("HTTP_PROXY", "http://p"), classic: "c", buildah: "c"},
	{name: "a proxy, and an ARG", before: "ARG V=1\nRUN : one", given: set("https_proxy", "http://p"), classic: "cc", buildah: "rr"},
	{name: "a proxy that an ARG declares", before: "ARG HTTP_PROXY\nRUN : one", args: set("HTTP_PROXY", "http://q"), given: set("HTTP_PROXY", "http://p"), classic: "cr", buildah: "cr"},
	{name: "a proxy that an ARG has a default for", before: "ARG HTTP_PROXY=x\nRUN : one", args: set("HTTP_PROXY", "http://q"), given: set("HTTP_PROXY", "http://p"), classic: "cr", buildah: "cc"},
	{name: "a proxy that an ENV sets", before: "ENV HTTP_PROXY=x\nRUN : one", given: set("HTTP_PROXY", "http://p"), classic: "cc", buildah: "cr"},
	{name: "a variable in WORKDIR, LABEL and EXPOSE", before: "ARG V=1\nWORKDIR /w$V\nLABEL a=$V\nEXPOSE 8$V", given: set("V", "2"), classic: "crrr", buildah: "cccc"},
	{name: "a variable in the destination of a COPY", before: "ARG V=1\nCOPY n.txt /$V/", given: set("V", "2"), classic: "cr", buildah: "cc"},
	{name: "a variable that names the copy", before: "ARG V=1\nCOPY n.txt /$V", given: set("V", "2"), classic: "cr", buildah: "cr"},
	{name: "a variable in a source, of the same bytes", before: "ARG V=a\nCOPY $V/x.txt /x", given: set("V", "b"), classic: "cr", buildah: "cc"},
	{name: "TARGETARCH", before: "ARG TARGETARCH\nRUN : one", given: set("TARGETARCH", "z"), classic: "cr", buildah: "cr"},

	// Files.
	{name: "bytes", before: "COPY n.txt /\nRUN : one", change: in(written("other"), "n.txt"), classic: "rr", buildah: "rr"},
	{name: "another file's bytes", before: "COPY a /a\nRUN : one", change: in(written("other"), "n.txt"), classic: "cc", buildah: "cc"},
	{name: "time", before: "COPY n.txt /\nCOPY b /b", change: in(touched, "n.txt"), classic: "cc", buildah: "cc"},
	{name: "mode", before: "COPY n.txt /", change: in(moded(0o600), "n.txt"), classic: "r", buildah: "r"},
	{name: "mode of the directory itself", before: "COPY b /b", change: in(moded(0o700), "b"), classic: "r", buildah: "c"},
	{name: "setuid", before: "COPY n.txt /", change: in(moded(0o644|os.ModeSetuid), "n.txt"), classic: "r", buildah: "c"},
	{name: "owner, no longer root", before: "COPY n.txt /", change: in(owned(1000), "n.txt"), classic: "c", buildah: "r"},
	{name: "owner of the directory itself", before: "COPY b /b", change: in(owned(1000), "b"), classic: "c", buildah: "c"},
	{name: "a folder of the same bytes", before: "COPY a /a", after: "COPY b /a", change: in(os.Remove, "b/y.txt"), classic: "r", buildah: "c"},
	{name: "a file of the same bytes elsewhere", before: "COPY a/x.txt /x", after: "COPY b/x.txt /x", classic: "r", buildah: "c"},
	{name: "a file of the same bytes and another name", before: "COPY n.txt /x", after: "COPY b/y.txt /x", change: in(written("n\n"), "b/y.txt"), classic: "r", buildah: "c"},
	{name: "a file of the same bytes and another name, in a folder", before: "COPY n.txt /x/", after: "COPY b/y.txt /x/", change: in(written("n\n"), "b/y.txt"), classic: "r", buildah: "r"},
	{name: "a pattern that takes the same", before: "COPY n.txt /x/", after: "COPY n.* /x/", classic: "c", buildah: "c"},
	{name: "a pattern that takes several", before: "COPY b/x.txt b/y.txt /x/", after: "COPY b/* /x/", classic: "c", buildah: "c"},
	{name: "the order of sources", before: "COPY n.txt b/y.txt /x/", after: "COPY b/y.txt n.txt /x/", classic: "r", buildah: "r"},
	{name: "spellings of a path", before: "COPY b /b\nCOPY n.txt /", after: "COPY ./b/ /b\nCOPY /n.txt /", classic: "cc", buildah: "cc"},
	{name: "spellings of a destination", before: "WORKDIR /w\nCOPY n.txt ./", after: "WORKDIR /w\nCOPY n.txt /w/", classic: "cr", buildah: "cr"},
	{name: "ADD for COPY", before: "COPY n.txt /", after: "ADD n.txt /", classic: "r", buildah: "r"},
	{name: "--chown", before: "COPY n.txt /", after: "COPY --chown=1:1 n.txt /", classic: "r", buildah: "r"},
	{name: "--chown of root", before: "COPY n.txt /", after: "COPY --chown=0:0 n.txt /", classic: "r", buildah: "c"},
	{name: "--chown, a user alone", before: "COPY --chown=7 n.txt /", after: "COPY --chown=7:7 n.txt /", classic: "r", buildah: "c"},
	{name: "--chmod", before: "COPY n.txt /", after: "COPY --chmod=600 n.txt /", buildah: "r"},
	{name: "--chmod that it has", before: "COPY n.txt /", after: "COPY --chmod=0644 n.txt /", buildah: "c"},
	{name: "a .dockerignore's comment, copied", before: "COPY . /all", change: in(written("# why\n"), ".dockerignore"), classic: "r", buildah: "r"},
	{name: "a file that is ignored", before: "COPY b /b", change: in(written("b/y.txt\n"), ".dockerignore"), classic: "r", buildah: "r"},
	{name: "a URL's last name", before: "ADD http://example.com/a/f /f/", after: "ADD http://example.com/b/f /f/", classic: "?c", buildah: "?c"},
	{name: "another URL, copied as a name", before: "ADD http://example.com/f /f", after: "ADD http://example.com/g /f", classic: "r", buildah: "?r"},
	{name: "a mounted file", before: "RUN --mount=type=bind,source=n.txt,target=/n : one", change: in(written("other"), "n.txt"), buildah: "c"},

	// Files of stages.
	{name: "a firebreak, the same bytes", before: fire("echo f > /f", "COPY --from=b /f /f"), after: fire(":; echo f > /f", "COPY --from=b /f /f"), classic: "r?c?c", buildah: "r?c?c"},
	{name: "a firebreak, other bytes", before: fire("echo f > /f", "COPY --from=b /f /f"), after: fire("echo g > /f", "COPY --from=b /f /f"), classic: "r?r?r", buildah: "r?r?r"},
	{name: "another path of a stage", before: fire("echo f > /f; echo f > /g", "COPY --from=b /f /f"), after: fire("echo f > /f; echo f > /g", "COPY --from=b /g /f"), classic: "crr", buildah: "c?c?c"},
	{name: "another path of a stage, in a folder", before: fire("echo f > /f; echo f > /g", "COPY --from=b /f /"), after: fire("echo f > /f; echo f > /g", "COPY --from=b /g /\nRUN ln -s g f"), classic: "crrr", buildah: "c?rrr"},
	{name: "a stage by its number", before: fire("echo f > /f", "COPY --from=b /f /f"), after: fire("echo f > /f", "COPY --from=0 /f /f"), classic: "ccc", buildah: "ccc"},
	{name: "another stage, the same bytes", before: "FROM alpine:3.20 AS a\nRUN echo f > /f\nFROM alpine:3.20 AS b\nRUN :; echo f > /f\nFROM alpine:3.20\nCOPY --from=a /f /f", after: "FROM alpine:3.20 AS a\nRUN echo f > /f\nFROM alpine:3.20 AS b\nRUN :; echo f > /f\nFROM alpine:3.20\nCOPY --from=b /f /f", classic: "cc?c", buildah: "r?c"},
	{name: "a stage's name in another case", before: "FROM alpine:3.20 AS Named\nRUN : one\nFROM alpine:3.20\nCOPY --from=named /etc/passwd /p", after: "FROM alpine:3.20 AS Named\nRUN : another\nFROM alpine:3.20\nCOPY --from=named /etc/passwd /p", classic: "r?c", buildah: "c"},
	{name: "a FROM of a stage's name in another case", before: "FROM alpine:3.20 AS Named\nRUN : one\nFROM NAMED\nRUN : two", after: "FROM alpine:3.20 AS Named\nRUN : another\nFROM NAMED\nRUN : two", classic: "rr"},
	{name: "an image's files, of another image", before: "COPY --from=busybox:1 /etc/passwd /p", after: "COPY --from=busybox:2 /etc/passwd /p", classic: "?c", buildah: "?c"},
	{name: "--chown of what a stage has", before: fire("echo f > /f", "COPY --from=b /f /f"), after: fire("echo f > /f", "COPY --from=b --chown=0:0 /f /f"), classic: "crr", buildah: "c?c?c"},

	// ONBUILD.
	{name: "a trigger of a stage", before: "FROM alpine:3.20 AS b\nONBUILD RUN : one\nFROM b\nRUN : two", after: "FROM alpine:3.20 AS b\nONBUILD RUN : another\nFROM b\nRUN : two", classic: "rrr", buildah: "rr"},
	{name: "triggers of a stage, one of which copies", before: "FROM alpine:3.20 AS b\nONBUILD RUN : one\nONBUILD COPY n.txt /\nONBUILD RUN : two\nFROM b\nRUN : three", change: in(written("other"), "n.txt"), classic: "ccccrrr", buildah: "cccc"},
	{name: "triggers of an image", before: "FROM node:20-onbuild\nRUN : one", change: in(written("other"), "n.txt"), classic: "ccrr", buildah: "ccrr"},
}

// TestChainRules holds the rules that predictions for the classic builder and
// for buildah are made by against the builders, and the predictions against the
// rules.
func TestChainRules(t *testing.T) {
	bases, err := lab.NewBases()
	if err != nil {
		lab.Lacks(t, err)
	}
	for _, c := range []*oracle{classic, buildah} {
		t.Run(string(c.rules), func(t *testing.T) {
			var real builder
			if os.Getenv(askedEnv) == "full" {
				if real, err = c.open(lab.Open(t), string(c.rules)); err != nil {
					lab.Lacks(t, err)
				}
			}
			for i, r := range chainRules {
				t.Run(r.name, func(t *testing.T) { r.check(t, c.rules, real, bases, i) })
			}
		})
	}
}

func (r *chainRule) check(t *testing.T, b cascade.Builder, real builder, bases *lab.Bases, number int) {
	want := r.classic
	if b == cascade.Buildah {
		want = r.buildah
	}
	if want == "" {
		t.Skip("not for this builder")
	}
	c, err := cases.Parse("rule", []byte(chainContext))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(r.before, "onbuild") {
		c.Files = append(c.Files, cases.File{Path: "context/package.json", Mode: 0o644, Body: []byte("{}\n")})
	}
	var builds []cascade.Build
	var seen record.Seen
	for i, text := range []string{r.before, cmp.Or(r.after, r.before)} {
		if !strings.Contains(text, "FROM ") || strings.HasPrefix(text, "RUN : ") {
			text = "FROM alpine:3.20\n" + text
		}
		// Each rule has a base of its own, so that it finds nothing of another.
		c.Dockerfile = []byte(strings.ReplaceAll(text, "3.20", fmt.Sprintf("3.20.%d", number)) + "\n")
		c.Dockerfile = bytes.ReplaceAll(c.Dockerfile, []byte("debian:12"), fmt.Appendf(nil, "debian:12.%d", number))
		args := maps.Clone(r.args)
		dir := tempDir(t)
		if err := c.Write(dir); err != nil {
			t.Fatal(err)
		}
		if i == 1 {
			if args == nil {
				args = map[string]string{}
			}
			maps.Copy(args, r.given)
			if r.change != nil {
				if err := r.change(c.ContextPath(dir, "")); err != nil {
					t.Fatal(err)
				}
			}
		}
		builds = append(builds, planned(t, b, c, dir, args, bases))
		if real != nil {
			if seen, err = real.Build(t.Context(), lab.Build{Case: c, Dir: dir, Args: args}); err != nil {
				t.Fatal(err)
			}
		}
	}
	p, err := cascade.Predict(t.Context(), builds[1], builds[:1], cascade.Assume{})
	if err != nil {
		t.Fatal(err)
	}
	outcomes := strings.ReplaceAll(want, "?", "")
	var built, predicted strings.Builder
	i := 0
	for _, n := range builds[1].Graph.Nodes {
		place, ok := chainPlace(n)
		if !ok {
			continue
		}
		if o, ok := seen[place]; ok {
			built.WriteByte(byte(o))
		}
		switch p.Nodes[n.ID].State {
		case cascade.Hit:
			predicted.WriteByte('c')
		case cascade.Miss:
			predicted.WriteByte('r')
		case cascade.MayMiss:
			predicted.WriteString("?" + outcomes[i:min(i+1, len(outcomes))])
		}
		i++
	}
	if predicted.String() != want {
		t.Errorf("predicted: %s, want %s", predicted.String(), want)
	}
	if real != nil && (built.String() != outcomes || len(seen) != i) {
		t.Errorf("built: %s of %d, want %s", built.String(), len(seen), outcomes)
	}
}

// tempDir returns a folder whose name buildah can be given: it splits those
// that have commas, as t.TempDir's have if the test's has.
func tempDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "rule-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// planned returns the graph of a build, and its files.
func planned(t *testing.T, b cascade.Builder, c *cases.Case, dir string, args map[string]string, images cascade.Images) cascade.Build {
	t.Helper()
	f, err := dockerfile.Parse("Dockerfile", c.Dockerfile)
	if err != nil {
		t.Fatal(err)
	}
	g, err := cascade.New(f, cascade.Options{Builder: b, Args: args, Images: images})
	if err != nil {
		t.Fatal(err)
	}
	tree, err := buildcontext.Read(t.Context(), c.ContextPath(dir, ""), buildcontext.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return cascade.Build{Graph: g, Contexts: map[string]*buildcontext.Tree{"": tree}}
}
