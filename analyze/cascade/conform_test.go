package cascade

import (
	"context"
	"testing"
)

// What isn't to be cached leads what reads it to no record, but by content. What
// reads that in turn finds its own.
func TestNoCache(t *testing.T) {
	const text = "FROM alpine AS a\nWORKDIR /a\nRUN x\nWORKDIR /b\nWORKDIR /c\nFROM alpine\nCOPY --from=a /x /y\nRUN y\n"
	for stage, want := range map[string]string{"a": "miss 3 4", "stage-1": "", "": "miss 3 4 7 8"} {
		before := Build{Graph: graph(t, text, Options{})}
		after := Build{Graph: graph(t, text, Options{NoCache: []string{stage}})}
		p, err := Predict(context.Background(), after, []Build{before}, Assume{})
		if err != nil {
			t.Fatal(err)
		}
		if got := states(p); got != want {
			t.Errorf("%q: %s, want %s", stage, got, want)
		}
		if c := p.Steps[3].Cause; want != "" && (c == nil || c.Kind != CauseNoCache) {
			t.Errorf("%q: line 4: %+v, want that its cause isn't to be cached", stage, c)
		}
	}
	const direct = "FROM alpine AS a\nRUN x\nFROM alpine\nCOPY --from=a /x /y\n"
	p, err := Predict(context.Background(), Build{Graph: graph(t, direct, Options{NoCache: []string{"a"}})}, []Build{{Graph: graph(t, direct, Options{})}}, Assume{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := states(p), "miss 2; may-miss 4"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// A context that nothing read before is no instruction's.
func TestFirstCopy(t *testing.T) {
	before := Build{Graph: graph(t, "FROM alpine\n", Options{})}
	after := Build{Graph: graph(t, "FROM alpine\nCOPY a /a\n", Options{})}
	p, err := Predict(context.Background(), after, []Build{before}, Assume{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := states(p), "miss 2"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// An ARG that a FROM names its image by makes it another image.
func TestNamedByArg(t *testing.T) {
	before := Build{Graph: graph(t, "ARG TAG=1\nARG OTHER\nFROM alpine:$TAG\nRUN x\n", Options{})}
	for step, want := range map[int]string{0: "miss 1 3 4", 1: "miss 2"} {
		p, err := Predict(context.Background(), before, []Build{before}, Assume{Steps: []int{step}})
		if err != nil {
			t.Fatal(err)
		}
		if got := states(p); got != want {
			t.Errorf("step %d: %s, want %s", step, got, want)
		}
	}
	p, _ := Predict(context.Background(), before, []Build{before}, Assume{Steps: []int{0}})
	if c := p.Steps[2].Cause; c == nil || c.Kind != CauseBase || c.Step != 0 {
		t.Errorf("the FROM: %+v, want the ARG for its cause", c)
	}
}

// A heredoc with a shebang is called by the shell.
func TestScriptShell(t *testing.T) {
	const script = "RUN <<EOF\n#!/bin/a\nEOF\n"
	before := Build{Graph: graph(t, "FROM alpine\n"+script, Options{})}
	after := Build{Graph: graph(t, "FROM alpine\nSHELL [\"/bin/b\"]\n"+script, Options{})}
	p, err := Predict(context.Background(), after, []Build{before}, Assume{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := states(p), "miss 2 3"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// The table of all lines says of a build that isn't to be cached what
// predictions do.
func TestImpactsNoCache(t *testing.T) {
	const text = "FROM alpine AS a\nWORKDIR /a\nRUN x\nWORKDIR /b\nRUN y\nFROM alpine\nCOPY --from=a /x /y\nRUN z\n"
	b := Build{Graph: graph(t, text, Options{NoCache: []string{"a"}})}
	impacts, err := Impacts(context.Background(), b)
	if err != nil {
		t.Fatal(err)
	}
	for _, im := range impacts {
		p, err := Predict(context.Background(), b, []Build{b}, Assume{Steps: []int{im.Step.Index}})
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range p.Steps {
			if im.States[i] != v.State {
				t.Errorf("an edit of line %s: line %s is a %v in the table and a %v predicted", im.Step.Lines, v.Step.Lines, im.States[i], v.State)
			}
		}
	}
}

// A user without a name is root.
func TestOwnerWithoutName(t *testing.T) {
	before := Build{Graph: graph(t, "FROM alpine\nCOPY --link --chown=0 a /a\nCOPY --chown=root:5 b /b\n", Options{})}
	after := Build{Graph: graph(t, "FROM alpine\nCOPY --link --chown=: a /a\nCOPY --chown=:5 b /b\n", Options{})}
	p, err := Predict(context.Background(), after, []Build{before}, Assume{})
	if err != nil {
		t.Fatal(err)
	}
	if got := states(p); got != "" {
		t.Errorf("%s, want nothing", got)
	}
}

// An image is its digest, whatever it is called.
func TestPinnedImage(t *testing.T) {
	const digest = "@sha256:1111111111111111111111111111111111111111111111111111111111111111"
	before := Build{Graph: graph(t, "FROM a.invalid/b:1"+digest+"\nRUN x\n", Options{})}
	after := Build{Graph: graph(t, "FROM c.invalid/d"+digest+"\nRUN x\n", Options{})}
	p, err := Predict(context.Background(), after, []Build{before}, Assume{})
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Steps[1].State; got != Hit {
		t.Errorf("the RUN: %v, want it cached", got)
	}
}

// What reads a stage from scratch reads something once that is from an image.
func TestReadsScratch(t *testing.T) {
	for _, read := range []string{"RUN --mount=from=s,target=/s x", "COPY --from=s a /a", "RUN --mount=type=cache,from=s,target=/s,uid=1 x"} {
		b := Build{Graph: graph(t, "FROM scratch AS s\nFROM alpine\n"+read+"\n", Options{})}
		p, err := Predict(context.Background(), b, []Build{b}, Assume{Steps: []int{0}})
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Steps[2].State; got < MayMiss {
			t.Errorf("%s: %v after any edit of the FROM it reads", read, got)
		}
	}
}
