package cascade

import (
	"fmt"
	"strings"
	"testing"

	"github.com/layerscope/layerscope/analyze/buildcontext"
	"github.com/layerscope/layerscope/analyze/dockerfile"
)

// chainApp is a Dockerfile that all builders take.
const chainApp = `ARG TAG=12
ARG GLOBAL=1
FROM debian:$TAG AS build
ARG VERSION=1
ENV MODE=fast
WORKDIR /src
COPY go.mod ./
ARG GLOBAL
RUN go build
FROM alpine AS unused
RUN true
FROM alpine
LABEL a=b
COPY --from=build /out/app /app
RUN chmod +x /app
CMD ["/app"]
`

// The rules of the classic builder and of buildah, each as an edit of a line:
// what runs again of the instructions. Held against the builders themselves they
// are in analyze/cascade/conformance.
func TestChain(t *testing.T) {
	tests := []struct {
		name, old, new   string
		args             map[string]string
		classic, buildah string
	}{
		{name: "nothing", buildah: "not-built 10 11"},
		{name: "a label", old: "a=b", new: "a=c", classic: "miss 13 14 15 16", buildah: "miss 13 14 15 16; not-built 10 11"},
		{name: "a command", old: `["/app"]`, new: `["/app", "-v"]`, classic: "miss 16", buildah: "miss 16; not-built 10 11"},
		{name: "a default", old: "VERSION=1", new: "VERSION=2", classic: "miss 4 5 6 7 8 9; may-miss 14 15 16", buildah: "miss 9; may-miss 14 15 16; not-built 10 11"},
		{name: "a global default", old: "GLOBAL=1", new: "GLOBAL=2", classic: "miss 2 9; may-miss 14 15 16", buildah: "miss 2 9; may-miss 14 15 16; not-built 10 11"},
		{name: "an argument that is given", args: map[string]string{"VERSION": "2"}, classic: "miss 9; may-miss 14 15 16", buildah: "miss 9; may-miss 14 15 16; not-built 10 11"},
		{name: "a base", old: "TAG=12", new: "TAG=13", classic: "miss 1 3 4 5 6 7 8 9; may-miss 14 15 16", buildah: "miss 1 3 4 5 6 7 8 9; may-miss 14 15 16; not-built 10 11"},
		{name: "a space at the end", old: "ENV MODE=fast", new: "ENV MODE=fast ", buildah: "miss 5 6 7 8 9; may-miss 14 15 16; not-built 10 11"},
		{name: "another path of a stage", old: "/out/app", new: "/out/b/app", classic: "miss 14 15 16", buildah: "may-miss 14 15 16; not-built 10 11"},
		{name: "in a stage that isn't needed", old: "RUN true", new: "RUN false", classic: "miss 11", buildah: "not-built 10 11"},
	}
	for _, tt := range tests {
		for b, want := range map[Builder]string{Classic: tt.classic, Buildah: tt.buildah} {
			t.Run(tt.name+" "+string(b), func(t *testing.T) {
				text := strings.Replace(chainApp, tt.old, tt.new, 1)
				before := Build{Graph: graph(t, chainApp, Options{Builder: b})}
				after := Build{Graph: graph(t, text, Options{Builder: b, Args: tt.args})}
				p, err := Predict(t.Context(), after, []Build{before}, Assume{})
				if err != nil {
					t.Fatal(err)
				}
				if got := states(p); got != want {
					t.Errorf("got  %s\nwant %s\n%s", got, want, text)
				}
				for _, v := range p.Steps {
					if why := p.Why(v); (v.State == Miss || v.State == MayMiss) != (why != "") {
						t.Errorf("line %s is %s because %q", v.Step.Lines, v.State, why)
					}
				}
			})
		}
	}
}

// The table of all lines is what each line's prediction is.
func TestChainImpacts(t *testing.T) {
	for _, b := range []Builder{Classic, Buildah} {
		checkImpacts(t, graph(t, chainApp, Options{Builder: b}))
	}
}

// Whose an instruction is in the output: buildah's numbers.
func TestChainLabels(t *testing.T) {
	var got []string
	for _, n := range graph(t, chainApp, Options{Builder: Classic}).Nodes {
		if l := n.Label; l.Index > 0 {
			got = append(got, fmt.Sprintf("[%s] %d/%d", l.Stage, l.Index, l.Total))
		}
	}
	const want = "[1] 2/7 [1] 3/7 [1] 4/7 [1] 5/7 [1] 6/7 [1] 7/7 [2] 2/2 [3] 2/5 [3] 3/5 [3] 4/5 [3] 5/5"
	if strings.Join(got, " ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, " "), want)
	}
}

// An archive that buildah unpacks counts by what is in it, which isn't looked
// into.
func TestChainUnpacks(t *testing.T) {
	for text, want := range map[string]string{
		"FROM a\nADD x.tar /\n":   "may-miss 2",
		"FROM a\nADD x.txt /\n":   "miss 2",
		"FROM a\nCOPY x.tar /\n":  "miss 2",
		"FROM a\nADD x.* /\n":     "miss 2",
		"FROM a\nADD x.tar y /\n": "may-miss 2",
	} {
		g := graph(t, text, Options{Builder: Buildah})
		files := func(x string) Build {
			return Build{Graph: g, Contexts: map[string]*buildcontext.Tree{"": buildcontext.New(
				buildcontext.File{Path: "x.tar", Body: x}, buildcontext.File{Path: "x.txt", Body: x}, buildcontext.File{Path: "y"})}}
		}
		p, err := Predict(t.Context(), files("1"), []Build{files("2")}, Assume{})
		if err != nil {
			t.Fatal(err)
		}
		if got := states(p); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

// A .dockerignore that is copied is another in each build of the classic
// builder's, if the Dockerfile isn't in the context.
func TestClassicIgnoreFile(t *testing.T) {
	for inside, want := range map[string]string{"": "miss 2", "Dockerfile": ""} {
		g := graph(t, "FROM a\nCOPY . /\nCOPY x /\n", Options{Builder: Classic})
		b := Build{Graph: g, Dockerfile: inside, Contexts: map[string]*buildcontext.Tree{"": buildcontext.New(
			buildcontext.File{Path: ".dockerignore", Body: "z\n"}, buildcontext.File{Path: "x"})}}
		p, err := Predict(t.Context(), b, []Build{b}, Assume{})
		if err != nil {
			t.Fatal(err)
		}
		if got := states(p); (got == "") != (want == "") || !strings.HasPrefix(got, want) {
			t.Errorf("Dockerfile at %q: %s, want %s", inside, got, want)
		}
	}
}

func TestChainRefuses(t *testing.T) {
	for text, want := range map[string][2]string{
		"FROM a\nRUN <<E\ntrue\nE\n":                         {"D:2: the classic builder knows no heredocs", "D:2: buildah knows no heredocs"},
		"FROM a\nCOPY --link x /\n":                          {"D:2: the classic builder knows no COPY --link", "D:2: buildah knows no COPY --link"},
		"FROM a\nCOPY --chmod=600 x /\n":                     {"D:2: the classic builder knows no COPY --chmod", ""},
		"FROM a\nCOPY --chmod=u+x x /\n":                     {"D:2: the classic builder knows no COPY --chmod", "D:2: error parsing chmod u+x"},
		"FROM a\nRUN --mount=type=cache,target=/c true\n":    {"D:2: the classic builder knows no RUN --mount", ""},
		"FROM a\nRUN --network=none true\n":                  {"D:2: the classic builder knows no RUN --network", "D:2: buildah knows no RUN --network"},
		"FROM a\nHEALTHCHECK --start-interval=1s CMD true\n": {"D:2: the classic builder knows no HEALTHCHECK --start-interval", "D:2: buildah knows no HEALTHCHECK --start-interval"},
		"FROM a AS b\nFROM b AS B\n":                         {"D:2: b stage name already used", ""},
		"FROM a\nCOPY http://x/y /\n":                        {"D:2: source can't be a URL for COPY", "D:2: source can't be a URL for COPY"},
		"FROM --platform=$BUILDPLATFORM a\n":                 {"D:1: empty platform value from expression $BUILDPLATFORM", ""},
	} {
		f, err := dockerfile.Parse("D", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		for i, b := range []Builder{Classic, Buildah} {
			got := ""
			if _, err := New(f, Options{Builder: b}); err != nil {
				got = err.Error()
			}
			if got != want[i] {
				t.Errorf("%s: %q: %q, want %q", b, text, got, want[i])
			}
		}
	}
}
