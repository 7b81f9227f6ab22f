package cascade

import (
	"fmt"
	"strings"
	"testing"

	"github.com/layerscope/layerscope/analyze/dockerfile"
)

// graph returns the graph of a Dockerfile.
func graph(t testing.TB, text string, opt Options) *Graph {
	t.Helper()
	f, err := dockerfile.Parse("Dockerfile", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	g, err := New(f, opt)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// states tells a prediction as "miss 3 4; may-miss 7", by the first lines of
// the instructions that aren't hits. Metadata that doesn't change isn't told.
func states(p *Prediction) string {
	var parts []string
	for _, state := range []State{Miss, MayMiss, NotBuilt} {
		var lines []string
		for _, v := range p.Steps {
			if v.State == state {
				lines = append(lines, fmt.Sprint(v.Step.Lines.Start))
			}
		}
		if len(lines) > 0 {
			parts = append(parts, state.String()+" "+strings.Join(lines, " "))
		}
	}
	return strings.Join(parts, "; ")
}

// app is a Dockerfile of most kinds of instructions.
const app = `ARG BASE=debian:12
FROM ${BASE} AS build
ARG VERSION=1
ENV MODE=fast
WORKDIR /src
RUN apt-get update
COPY go.mod ./
RUN go mod download
COPY . .
RUN go build -o /out/app
FROM scratch AS unused
COPY x /x
FROM alpine
LABEL a=b
RUN apk add curl
COPY --from=build /out/app /app
COPY --link conf /conf
RUN chmod +x /app
CMD ["/app"]
`

// The rules of BuildKit, each as an edit of a line.
func TestBuildKit(t *testing.T) {
	tests := []struct {
		name, old, new, want string
	}{
		{"nothing", "", "", "not-built 11 12"},
		{"a label", "LABEL a=b", "LABEL a=c", "miss 14; not-built 11 12"},
		{"a command", `CMD ["/app"]`, `CMD ["/app", "-v"]`, "miss 19; not-built 11 12"},
		{"an ENV: the RUNs below", "MODE=fast", "MODE=slow", "miss 4 6 7 8 9 10; may-miss 16 18; not-built 11 12"},
		{"an ARG's default", "VERSION=1", "VERSION=2", "miss 3 6 7 8 9 10; may-miss 16 18; not-built 11 12"},
		{"an ARG that equals an ENV", "ARG VERSION=1", "ENV VERSION=1", "miss 3; not-built 11 12"},
		{"the base", "BASE=debian:12", "BASE=debian:13", "miss 1 2 5 6 7 8 9 10; may-miss 16 18; not-built 11 12"},
		{"a working directory", "WORKDIR /src", "WORKDIR /s", "miss 5 6 7 8 9 10; may-miss 16 18; not-built 11 12"},
		{"a slash after a working directory", "WORKDIR /src", "WORKDIR /src/", "miss 6 7 8 9 10; may-miss 16 18; not-built 11 12"},
		{"a comment and blank lines", "RUN apt-get update", "# hello\n\nRUN apt-get update", "not-built 13 14"},
		{"the case of an instruction", "RUN apt-get update", "run apt-get update", "not-built 11 12"},
		{"a space at the end", "RUN apt-get update", "RUN apt-get update  ", "not-built 11 12"},
		{"a space inside", "RUN apt-get update", "RUN apt-get  update", "miss 6 7 8 9 10; may-miss 16 18; not-built 11 12"},
		{"a line split without indentation", "RUN apt-get update", "RUN apt-get \\\nupdate", "not-built 12 13"},
		{"the exec form of the shell", "RUN apt-get update", `RUN ["/bin/sh", "-c", "apt-get update"]`, "not-built 11 12"},
		{"a destination", "COPY go.mod ./", "COPY go.mod ./m", "miss 7 8 9 10; may-miss 16 18; not-built 11 12"},
		{"a copy of another owner", "COPY go.mod ./", "COPY --chown=1 go.mod ./", "miss 7 8 9 10; may-miss 16 18; not-built 11 12"},
		{"a linked copy: what is copied after it as well", "COPY --link conf", "COPY --link config", "miss 17 18; not-built 11 12"},
		{"a step before a linked copy", "RUN apk add curl", "RUN apk add wget", "miss 15 16 18; not-built 11 12"},
		{"a copy loses its link", "COPY --link conf", "COPY conf", "miss 17 18; not-built 11 12"},
		{"what is copied from a stage", "/out/app /app", "/out/tool/app /app", "may-miss 16 18; not-built 11 12"},
		{"a name of a stage", "AS unused", "AS unneeded", "not-built 11 12"},
		{"in a stage that isn't needed", "COPY x /x", "COPY y /y", "not-built 11 12"},
		{"a shell", "WORKDIR /src", "WORKDIR /src\nSHELL [\"/bin/bash\", \"-c\"]", "miss 6 7 8 9 10 11; may-miss 17 19; not-built 12 13"},
		{"the shell that there is", "WORKDIR /src", "WORKDIR /src\nSHELL [\"/bin/sh\", \"-c\"]", "miss 6; not-built 12 13"},
		{"a user, who owns what WORKDIR makes", "WORKDIR /src", "USER 1\nWORKDIR /src", "miss 5 6 7 8 9 10 11; may-miss 17 19; not-built 12 13"},
		{"a predefined argument", "ARG VERSION=1", "ARG VERSION=1\nARG TARGETARCH", "miss 4 7 8 9 10 11; may-miss 17 19; not-built 12 13"},
		{"an argument without a value", "ARG VERSION=1", "ARG VERSION=1\nARG OTHER", "miss 4; not-built 12 13"},
	}
	before := Build{Graph: graph(t, app, Options{})}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.Replace(app, tt.old, tt.new, 1)
			if tt.old != "" && text == app {
				t.Fatalf("nothing replaced by %q", tt.new)
			}
			p, err := Predict(t.Context(), Build{Graph: graph(t, text, Options{})}, []Build{before}, Assume{})
			if err != nil {
				t.Fatal(err)
			}
			got := states(p)
			if got != tt.want {
				t.Errorf("got  %s\nwant %s\n%s", got, tt.want, text)
			}
			for _, v := range p.Steps {
				if why := p.Why(v); (v.State == Miss || v.State == MayMiss) != (why != "") {
					t.Errorf("line %s is %s because %q", v.Step.Lines, v.State, why)
				}
			}
		})
	}
}
