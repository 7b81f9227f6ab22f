package edit

import (
	"bytes"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// full has an instruction for every kind.
const full = `ARG BASE=alpine:3.20 OTHER
FROM golang:1.25 AS build
ARG VERSION=1
ARG COMMIT
ENV A=1 B="2"
ENV C=3
ENV D=4
SHELL ["/bin/bash", "-c"]
WORKDIR /src/
WORKDIR sub
COPY --chown=1:2 --chmod=755 --link go.mod go.sum ./
COPY --exclude=*.md --parents cmd/*.go /parents
COPY go.mod .
RUN --mount=type=cache,target=/root/.cache,id=go --mount=type=secret,id=token,required go build \
  -o /out/app ./...
RUN --mount=type=tmpfs,target=/tmp,size=1m --mount=target=/x,src=sub --network=none --security=insecure true
RUN ["/bin/sh", "-c", "true"]
RUN <<EOF
echo one
EOF
COPY <<"EOF" /etc/two
two
EOF
FROM alpine:3.20@sha256:1111111111111111111111111111111111111111111111111111111111111112
FROM --platform=$BUILDPLATFORM build AS last
COPY --from=build /out/app /usr/bin/
ADD --checksum=sha256:3333333333333333333333333333333333333333333333333333333333333333 https://example.com/a.tar /a
ADD --keep-git-dir https://github.com/a/b.git /b
ADD --unpack https://example.com/b.tar /c
USER nobody
MAINTAINER someone
LABEL x=y z=1
EXPOSE 80
VOLUME /data
STOPSIGNAL SIGTERM
HEALTHCHECK NONE
ONBUILD RUN echo child
CMD ["app"]
ENTRYPOINT ["run"]
`

func TestEveryKindIsMade(t *testing.T) {
	made := map[string]int{}
	for _, e := range All([]byte(full), map[string]string{"VERSION": "2"}) {
		made[e.Kind]++
	}
	for _, k := range Kinds() {
		if made[k] == 0 {
			t.Errorf("no edit of kind %s", k)
		}
	}
	if n := len(Kinds()); n < 50 {
		t.Errorf("%d kinds of edit, want at least 50", n)
	}
}

func TestEditsOnceAndInOrder(t *testing.T) {
	args := map[string]string{"VERSION": "2"}
	a, b := All([]byte(full), args), All([]byte(full), args)
	if !reflect.DeepEqual(a, b) {
		t.Error("the second time there are other edits")
	}
	known := Kinds()
	if sorted := slices.Compact(slices.Sorted(slices.Values(known))); len(sorted) != len(known) {
		t.Errorf("%d names for %d kinds", len(sorted), len(known))
	}
	for _, e := range a {
		if !slices.Contains(known, e.Kind) {
			t.Errorf("%s is not a known kind", e.Kind)
		}
		if bytes.Equal(e.Dockerfile, []byte(full)) && (e.Args == nil || maps.Equal(e.Args, args)) {
			t.Errorf("%s on line %d changes nothing", e.Kind, e.Line)
		}
		if !parses(e.Dockerfile) {
			t.Errorf("%s on line %d leaves no Dockerfile:\n%s", e.Kind, e.Line, e.Dockerfile)
		}
	}
}

func TestSample(t *testing.T) {
	all := map[string]bool{}
	for _, e := range All([]byte(full), nil) {
		all[e.Kind+"\n"+string(e.Dockerfile)] = true
	}
	for _, n := range []int{1, 20, 200} {
		sample, kinds := Sample([]byte(full), nil, n, 1), map[string]bool{}
		if len(sample) != n {
			t.Errorf("%d edits, want %d", len(sample), n)
		}
		for _, e := range sample {
			kinds[e.Kind] = true
			if e.Args == nil && !all[e.Kind+"\n"+string(e.Dockerfile)] {
				t.Errorf("%s on line %d is none of all edits", e.Kind, e.Line)
			}
		}
		if len(kinds) < min(n, len(Kinds())*3/4) {
			t.Errorf("%d edits are of %d kinds", n, len(kinds))
		}
		if !reflect.DeepEqual(sample, Sample([]byte(full), nil, n, 1)) {
			t.Error("the same seed chooses others")
		}
	}
	if few := Sample([]byte("FROM a\n"), nil, 1<<20, 1); len(few) == 0 || len(few) > len(All([]byte("FROM a\n"), nil)) {
		t.Errorf("%d edits of a line", len(few))
	}
}

func TestNoDockerfile(t *testing.T) {
	for _, text := range []string{"", "# nothing\n", "HELLO world\n", "FROM a\nRUN <<EOF\n", "RUN true\n"} {
		if edits := All([]byte(text), nil); edits != nil {
			t.Errorf("%q: %d edits, want none", text, len(edits))
		}
	}
}

// TestEdits has for each kind what it makes of a Dockerfile: the lines from the
// edited instruction on.
func TestEdits(t *testing.T) {
	tests := []struct {
		kind, text string
		want       []string
	}{
		{"comment-before", "RUN a", []string{"# a note\nRUN a"}},
		{"blank-before", "RUN a", []string{"\nRUN a"}},
		{"trailing-space", "RUN a", []string{"RUN a  "}},
		{"keyword-case", "RUN a", []string{"run a"}},
		{"keyword-case", "run a", []string{"RUN a"}},
		{"indent", "RUN a", []string{"  RUN a"}},
		{"space-after-keyword", "RUN a", []string{"RUN  a"}},
		{"delete", "RUN a\nRUN b", []string{"RUN b"}},
		{"duplicate", "RUN a\nRUN b", []string{"RUN a\nRUN a\nRUN b"}},
		{"swap", "RUN a\n# c\nRUN <<E\nx\nE\nUSER d", []string{"RUN <<E\nx\nE\n# c\nRUN a\nUSER d"}},
		{"swap", "RUN a\nFROM b", nil},
		{"continuation-comment", "RUN a \\\n  b", []string{"RUN a \\\n# a note\n  b"}},
		{"continuation-blank", "RUN a \\\n  b", []string{"RUN a \\\n\n  b"}},
		{"continuation-reindent", "RUN a \\\n  b", []string{"RUN a \\\n    b"}},
		{"continuation-comment", "RUN a", nil},
		{"split-line", "RUN a b c", []string{"RUN a b \\\nc"}},
		{"split-line-indented", "RUN a b", []string{"RUN a \\\n    b"}},
		{"insert-run", "COPY <<E /x\ny\nE", []string{"COPY <<E /x\ny\nE\nRUN echo inserted"}},
		{"insert-heredoc", "RUN a", []string{"RUN a\nCOPY <<INSERTED /inserted\ntext\nINSERTED"}},
		{"run-append", "RUN a \\\n  b", []string{"RUN a \\\n  b && true"}},
		{"run-append", `RUN ["a"]`, []string{`RUN ["a","more"]`}},
		{"run-prepend", "RUN --network=none a", []string{"RUN --network=none true && a"}},
		{"run-space", "RUN a b c", []string{"RUN a  b c"}},
		{"run-space", "RUN a", nil},
		{"run-flag-space", "RUN --network=none a", []string{"RUN --network=none  a"}},
		{"run-form", "RUN a \\\n# c\n  'b' \"c\"", []string{`RUN ["/bin/sh","-c","a   'b' \"c\""]`}},
		{"run-form", `RUN ["a", "b c"]`, []string{"RUN a b c"}},
		{"run-to-heredoc", "RUN a \\\n  b", []string{"RUN <<COMMANDS\na   b\nCOMMANDS"}},
		{"run-network-add", "RUN a", []string{"RUN --network=none a", "RUN --network=host a", "RUN --network=default a"}},
		{"run-network-change", "RUN --network=none a", []string{"RUN --network=host a", "RUN --network=default a"}},
		{"run-network-drop", "RUN --network=none a", []string{"RUN a"}},
		{"run-security-add", "RUN a", []string{"RUN --security=insecure a", "RUN --security=sandbox a"}},
		{"heredoc-body", "RUN <<E\nx\nE", []string{"RUN <<E\necho more\nx\nE"}},
		{"heredoc-comment", "RUN <<E\nx\nE", []string{"RUN <<E\n# a note\nx\nE"}},
		{"heredoc-trailing-space", "RUN <<E\nx\nE", []string{"RUN <<E\nx  \nE"}},
		{"heredoc-delimiter", "COPY <<A <<B /d/\nx\nA\ny\nB", []string{"COPY <<AX <<B /d/\nx\nAX\ny\nB"}},
		{"heredoc-quote", "COPY <<A /d", nil},
		{"heredoc-quote", "COPY <<A /d\nA", []string{"COPY <<\"A\" /d\nA"}},
		{"heredoc-quote", "COPY <<'A' /d\nA", []string{"COPY <<A /d\nA"}},
		{"heredoc-chomp", "RUN <<A\n\tx\nA", []string{"RUN <<-A\n\tx\nA"}},
		{"mount-drop", "RUN --mount=type=ssh --mount=target=/x a", []string{"RUN --mount=target=/x a", "RUN --mount=type=ssh a"}},
		{"mount-swap", "RUN --mount=type=ssh --mount=target=/x a", []string{"RUN --mount=target=/x --mount=type=ssh a"}},
		{"mount-target", "RUN --mount=type=cache,target=/x/ a", []string{"RUN --mount=type=cache,target=/x-x a"}},
		{"mount-target-slash", "RUN --mount=type=cache,target=/x a", []string{"RUN --mount=type=cache,target=/x/ a"}},
		{"mount-target-slash", "RUN --mount=type=cache,target=/x/ a", []string{"RUN --mount=type=cache,target=/x a"}},
		{"mount-target-alias", "RUN --mount=target=/x,rw a", []string{"RUN --mount=rw,dst=/x a"}},
		{"mount-source", "RUN --mount=target=/x a", []string{"RUN --mount=target=/x,source=added a"}},
		{"mount-source", "RUN --mount=target=/x,src=b a", []string{"RUN --mount=target=/x,src=b-x a"}},
		{"mount-from", "RUN --mount=target=/x,from=b a", []string{"RUN --mount=target=/x a", "RUN --mount=target=/x,from=other.invalid/image a"}},
		{"mount-id", "RUN --mount=type=cache,target=/x a", []string{"RUN --mount=type=cache,target=/x,id=other a"}},
		{"mount-sharing", "RUN --mount=type=cache,target=/x,sharing=locked a", []string{
			"RUN --mount=type=cache,target=/x,sharing=private a", "RUN --mount=type=cache,target=/x,sharing=shared a"}},
		{"mount-size", "RUN --mount=type=tmpfs,target=/x a", []string{
			"RUN --mount=type=tmpfs,target=/x,size=4m a", "RUN --mount=type=tmpfs,target=/x,size=8m a"}},
		{"mount-required", "RUN --mount=type=secret,id=s,required a", []string{"RUN --mount=type=secret,id=s a"}},
		{"mount-env", "RUN --mount=type=secret,id=s a", []string{"RUN --mount=type=secret,id=s,env=SECRET a"}},
		{"mount-ro", "RUN --mount=target=/x,rw a", []string{"RUN --mount=target=/x,ro a"}},
		{"env-value", `ENV A=1 B="2"`, []string{`ENV A=1-x B="2"`, `ENV A=1 B="2-x"`}},
		{"env-value", "ENV A some words", []string{"ENV A some words-x"}},
		{"env-name", "ENV A=1", []string{"ENV AX=1"}},
		{"env-name", "ARG A=1 B", []string{"ARG AX=1 B", "ARG A=1 BX"}},
		{"env-quotes", `ENV A=1 B="2"`, []string{`ENV A="1" B="2"`, "ENV A=1 B=2"}},
		{"env-add", "ENV A=1", []string{"ENV A=1 ADDED=1"}},
		{"env-remove", "ENV A=1 B=2", []string{"ENV B=2", "ENV A=1"}},
		{"env-remove", "ENV A=1", nil},
		{"env-legacy", "ENV A=1", []string{"ENV A 1"}},
		{"env-swap", "ENV A=1 B=2", []string{"ENV B=2 A=1"}},
		{"env-swap-lines", "ENV A=1\nENV B=2", []string{"ENV B=2\nENV A=1"}},
		{"env-split", "ENV A=1 \\\n    B=2", []string{"ENV A=1\nENV B=2"}},
		{"env-merge", "ENV A=1\n# c\nENV B=2", []string{"ENV A=1 B=2"}},
		{"env-merge", "ENV A 1\nENV B=2", nil},
		{"arg-default", "ARG A=1 B", []string{"ARG A=1-x B"}},
		{"arg-default-add", "ARG A=1 B", []string{"ARG A=1 B=added"}},
		{"arg-default-drop", "ARG A=1 B", []string{"ARG A B"}},
		{"arg-default-empty", "ARG A=1 B", []string{"ARG A= B"}},
		{"arg-to-env", "ARG A=1", []string{"ENV A=1"}},
		{"env-to-arg", "ENV A=1", []string{"ARG A=1"}},
		{"config-value", `CMD ["a"]`, []string{`CMD ["a-x"]`}},
		{"config-value", "EXPOSE 80", []string{"EXPOSE 80 8099"}},
		{"config-value", "STOPSIGNAL SIGTERM", []string{"STOPSIGNAL SIGQUIT"}},
		{"config-value", "HEALTHCHECK NONE", []string{"HEALTHCHECK CMD true"}},
		{"config-value", "ONBUILD VOLUME /a", []string{"ONBUILD VOLUME /a more"}},
		{"workdir-path", "WORKDIR /a/", []string{"WORKDIR /a-x"}},
		{"workdir-slash", "WORKDIR /a", []string{"WORKDIR /a/"}},
		{"workdir-slash", "WORKDIR /a/", []string{"WORKDIR /a"}},
		{"workdir-relative", "WORKDIR /a", []string{"WORKDIR a"}},
		{"workdir-root", "WORKDIR /a", []string{"WORKDIR /"}},
		{"user", "USER a", []string{"USER a-x", "USER 4321:4321", "USER root"}},
		{"copy-source", "COPY a/b . /c", []string{"COPY a/other-b . /c", "COPY a/b other /c"}},
		{"copy-source-directory", "COPY a/b /c", []string{"COPY other/b /c"}},
		{"copy-source-glob", "COPY ab /c", []string{"COPY ab* /c", "COPY a? /c"}},
		{"copy-source-add", "COPY a /c/", []string{"COPY a added /c/"}},
		{"copy-source-drop", "COPY a b /c/", []string{"COPY b /c/"}},
		{"copy-source-swap", "COPY a b /c/", []string{"COPY b a /c/"}},
		{"copy-dest", "COPY a /c/", []string{"COPY a /c-x/"}},
		{"copy-dest-slash", "COPY a /c", []string{"COPY a /c/"}},
		{"copy-form", "COPY --link a /c", []string{`COPY --link ["a","/c"]`}},
		{"copy-to-add", "COPY a /c", []string{"ADD a /c"}},
		{"copy-link-add", "COPY a /c", []string{"COPY --link a /c", "COPY --link=true a /c", "COPY --link=false a /c"}},
		{"copy-link-drop", "COPY --link a /c", []string{"COPY a /c"}},
		{"copy-chown-change", "COPY --chown=1 a /c", []string{"COPY --chown=4321 a /c", "COPY --chown=4321:0 a /c", "COPY --chown=other:other a /c"}},
		{"copy-parents-pivot", "COPY --parents a/b /c", []string{"COPY --parents a/./b /c"}},
		{"copy-from", "COPY a /c", []string{"COPY --from=busybox:1.36 a /c"}},
		{"add-url", "ADD https://a/b /c", []string{"ADD https://a/other/b /c", "ADD https://a/other-b /c", "ADD https://a/b?query /c", "ADD https://a/b#fragment /c"}},
		{"from-tag", "FROM a:1 AS b", []string{"FROM a:other AS b"}},
		{"from-tag-latest", "FROM a:1", []string{"FROM a"}},
		{"from-as-rename", "FROM a AS b\nCOPY --from=b c d\nFROM b", []string{
			"FROM a AS b-x\nCOPY --from=b c d\nFROM b", "FROM a AS b-x\nCOPY --from=b-x c d\nFROM b-x"}},
		{"from-platform-drop", "FROM --platform=linux/arm64 a", []string{"FROM a"}},
		{"stage-duplicate", "FROM a AS b\nUSER c", []string{"FROM a AS b\nUSER c\nFROM a AS b\nUSER c"}},
	}
	for _, tt := range tests {
		t.Run(tt.kind+" "+tt.text, func(t *testing.T) {
			const top = "FROM top\n"
			var got []string
			for _, e := range All([]byte(top+tt.text+"\n"), nil) {
				if e.Kind == tt.kind && e.Line == 2 {
					got = append(got, strings.TrimSuffix(strings.TrimPrefix(string(e.Dockerfile), top), "\n"))
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("edits (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEditsOfStages(t *testing.T) {
	const text = "FROM a AS one\nRUN x\nFROM b\nRUN y\nFROM c AS three\nCOPY --from=one x /y\n"
	tests := []struct {
		kind string
		line int
		want []string // the line, edited
	}{
		{"copy-from", 6, []string{"COPY --from=1 x /y", "COPY --from=busybox:1.36 x /y"}},
		{"copy-from-number", 6, []string{"COPY --from=0 x /y"}},
		{"from-stage", 5, []string{"FROM one AS three"}},
		{"from-as-drop", 5, []string{"FROM c"}},
	}
	for _, tt := range tests {
		var got []string
		for _, e := range All([]byte(text), nil) {
			if e.Kind == tt.kind && e.Line == tt.line {
				got = append(got, strings.Split(string(e.Dockerfile), "\n")[tt.line-1])
			}
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.kind, diff)
		}
	}
}

func TestEditsOfArguments(t *testing.T) {
	const text = "ARG G=1\nFROM a\nARG V=2\nARG W\n"
	tests := []struct {
		kind string
		want []map[string]string
	}{
		{"build-arg-value", []map[string]string{{"G": "given", "V": "3"}, {"V": "3given"}, {"V": "3", "W": "given"}}},
		{"build-arg-empty", []map[string]string{{"G": "", "V": "3"}, {"V": ""}, {"V": "3", "W": ""}}},
		{"build-arg-drop", []map[string]string{{}}},
		{"build-arg-default", []map[string]string{{"G": "1", "V": "3"}}},
		{"build-arg-undeclared", []map[string]string{{"UNDECLARED": "1", "V": "3"}}},
		{"build-arg-epoch", []map[string]string{{"SOURCE_DATE_EPOCH": "1234567890", "V": "3"}}},
	}
	for _, tt := range tests {
		var got []map[string]string
		for _, e := range All([]byte(text), map[string]string{"V": "3"}) {
			if e.Kind == tt.kind {
				got = append(got, e.Args)
			}
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.kind, diff)
		}
	}
}
