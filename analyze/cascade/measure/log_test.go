package measure

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/layerscope/layerscope/analyze/buildlog"
	"github.com/layerscope/layerscope/analyze/cascade"
	"github.com/layerscope/layerscope/analyze/dockerfile"
)

// logged is the Dockerfile that the logs of package buildlog are of, and serial
// the one of the builders that know no heredocs and no --link.
const (
	logged = `ARG WHO=world
FROM scratch AS base
COPY bin /bin
SHELL ["/bin/sh", "-c"]

FROM base AS Build
ARG WHO
WORKDIR /src
RUN sleep 0.4 && echo "hello $WHO" > hello
RUN echo '#3 DONE 9.9s'; \
    # a comment between
    echo 'Step 4/15 : RUN forged'; printf '\n#1 [internal] forged\n\n#3 CACHED\nSTEP 9/9: RUN forged\n ---> Using cache\n'; \
    sleep 0.3
RUN <<EOF
sleep 0.2
echo heredoc > doc
EOF

FROM base
LABEL a=b
COPY --link hello.txt /hello.txt
COPY --from=build /src /src
COPY <<-A <<-B /in/
	a
	A
	b
	B
RUN sleep 0.25
CMD ["/bin/sh"]
`
	serial = `ARG WHO=world
FROM scratch AS base
COPY bin /bin
FROM base AS Build
ARG WHO
WORKDIR /src
RUN sleep 0.4 && echo "hello $WHO" > hello
RUN echo '#3 DONE 9.9s'; \
    # a comment between
    echo 'Step 4/15 : RUN forged'; printf '\n#1 [internal] forged\n\n#3 CACHED\nSTEP 9/9: RUN forged\n ---> Using cache\n--> Using cache 0123\n'; \
    sleep 0.3
FROM base
LABEL a=b
COPY hello.txt /hello.txt
COPY --from=build /src /src
RUN sleep 0.25
CMD ["/bin/sh"]
`
)

func graph(t *testing.T, text string, opt cascade.Options) *cascade.Graph {
	t.Helper()
	f, err := dockerfile.Parse("Dockerfile", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	g, err := cascade.New(f, opt)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// logOf reads one of package buildlog's logs of real builds.
func logOf(t *testing.T, name string) *buildlog.Log {
	t.Helper()
	archive, err := txtar.ParseFile("../../buildlog/testdata/logs.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range archive.Files {
		if f.Name == name {
			log, err := buildlog.Parse(t.Context(), strings.NewReader(string(f.Data)))
			if err != nil {
				t.Fatal(err)
			}
			return log
		}
	}
	t.Fatalf("there is no log %s", name)
	return nil
}

// times lists the lines that have a time, and it.
func times(g *cascade.Graph, m cascade.Measures) (all []string) {
	for i, s := range g.Steps {
		if d := m[i].Duration; d != nil {
			all = append(all, fmt.Sprintf("%s %.1f", s.Lines, d.Seconds()))
		}
	}
	return all
}

// TestFromLog holds the times on lines to those that one reads in the logs.
func TestFromLog(t *testing.T) {
	for _, tt := range []struct {
		log, text string
		want      []string
	}{
		{"plain", logged, []string{"3 0.0", "8 0.1", "9 0.6", "10-13 0.6", "14-17 0.5", "21 0.1", "22 0.1", "23-27 0.1", "28 0.5"}},
		{"classic", serial, []string{"3 0.3", "6 0.2", "7 1.6", "8-11 1.1", "14 0.4", "15 0.2", "16 1.8"}},
		{"buildah", serial, []string{"6 0.1", "7 1.3", "8-11 0.9", "15 0.3", "16 0.9"}},
		// An edit above moves steps, and changes one.
		{"plain", strings.Replace(logged, "WORKDIR /src\n", "WORKDIR /src\nRUN new\n", 1),
			[]string{"3 0.0", "8 0.1", "10 0.6", "11-14 0.6", "15-18 0.5", "22 0.1", "23 0.1", "24-28 0.1", "29 0.5"}},
		{"plain", strings.Replace(logged, "sleep 0.4", "sleep 44", 1),
			[]string{"3 0.0", "8 0.1", "10-13 0.6", "14-17 0.5", "21 0.1", "22 0.1", "23-27 0.1", "28 0.5"}},
		// What is cached has no time.
		{"plain-cached", logged, nil},
	} {
		g := graph(t, tt.text, cascade.Options{})
		r, err := FromLog(g, logOf(t, tt.log), "build.log")
		if err != nil {
			t.Errorf("%s: %v", tt.log, err)
			continue
		}
		got := times(g, r.Measures)
		if tt.want == nil {
			for _, s := range got {
				if strings.HasPrefix(s, "3 ") {
					t.Errorf("%s: %v", tt.log, got)
				}
			}
			continue
		}
		if diff := cmp.Diff(tt.want, got); diff != "" || r.Known != len(tt.want) {
			t.Errorf("%s: %d known, -want +got\n%s", tt.log, r.Known, diff)
		}
	}
}

// TestForeignLog takes nothing of a log of another build.
func TestForeignLog(t *testing.T) {
	g := graph(t, "FROM node AS build\nWORKDIR /src\nCOPY package.json ./\nRUN npm ci\nCOPY . .\nRUN npm run build\n", cascade.Options{})
	for _, name := range []string{"plain", "rawjson", "classic", "buildah"} {
		_, err := FromLog(g, logOf(t, name), "build.log")
		if _, ok := errors.AsType[*ForeignError](err); !ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAlike(t *testing.T) {
	for _, tt := range []struct {
		instruction, log string
		want             bool
	}{
		{"RUN a $B c", "RUN a value c", true},
		{"RUN a $B c", "RUN a c d", false},
		{"RUN a ${B:-x}", "RUN a anything", true},
		{"RUN ab", "RUN abc", false},
		{"RUN ab", "RUN a", false},
		{`RUN ["/bin/x", "-c"]`, "RUN /bin/x -c", true},
		{"run  a   b", "RUN a b", true},
		{"RUN <<EOF sh", "RUN <<EOF sh (make...)", true},
		{"RUN <<EOF", "RUN <<EOF (sleep 0.2...)", true},
		{"COPY x$A y$A /z", "COPY x1 y1 /z", true},
		{"COPY x$A y$A /z", "COPY x1 /z", false},
		{"RUN $X", "COPY a b", false},
	} {
		if got := alike(tt.instruction, tt.log); got != tt.want {
			t.Errorf("alike(%q, %q) = %v", tt.instruction, tt.log, got)
		}
	}
}
