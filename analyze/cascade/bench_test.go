package cascade

import (
	"fmt"
	"strings"
	"testing"

	"github.com/layerscope/layerscope/analyze/dockerfile"
)

// large returns a Dockerfile of 59 stages and about 650 lines, as projects have
// that build for many platforms in one file.
func large() string {
	var b strings.Builder
	b.WriteString("ARG VERSION=1\nARG BASE=debian:12\nFROM --platform=$BUILDPLATFORM ${BASE} AS base\nARG DEBIAN_FRONTEND=noninteractive\nRUN apt-get update\n")
	for i := range 57 {
		from := "base"
		if i%3 == 1 {
			from = fmt.Sprintf("s%d", i-1)
		}
		fmt.Fprintf(&b, `
FROM %s AS s%d
ARG TARGETPLATFORM
ARG VERSION
ENV NAME=s%d PREFIX=/opt/s%d
WORKDIR /src/$NAME
COPY s%d/go.mod s%d/go.sum ./
RUN --mount=type=cache,target=/root/.cache go mod download
COPY --link s%d .
RUN --mount=type=bind,from=base,target=/base <<EOF
make PREFIX=$PREFIX VERSION=$VERSION
EOF
`, from, i, i, i, i, i, i)
	}
	b.WriteString("\nFROM scratch\n")
	for i := range 57 {
		fmt.Fprintf(&b, "COPY --from=s%d /opt/s%d /opt/s%d\n", i, i, i)
	}
	return b.String()
}

// small has 31 lines.
var small = app + strings.Repeat("RUN echo more\n", 12)

func benchmarkGraph(b *testing.B, text string) {
	f, err := dockerfile.Parse("Dockerfile", []byte(text))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := New(f, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGraphSmall(b *testing.B) { benchmarkGraph(b, small) }
func BenchmarkGraphLarge(b *testing.B) { benchmarkGraph(b, large()) }

// BenchmarkLine asks what one line reruns.
func BenchmarkLine(b *testing.B) {
	build := Build{Graph: graph(b, large(), Options{})}
	s, err := build.Graph.StepAt(5)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := Predict(b.Context(), build, []Build{build}, Assume{Steps: []int{s.Index}}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkImpacts makes the table of all lines.
func BenchmarkImpacts(b *testing.B) {
	build := Build{Graph: graph(b, large(), Options{})}
	for b.Loop() {
		if _, err := Impacts(b.Context(), build); err != nil {
			b.Fatal(err)
		}
	}
}
