package cascade

import (
	"context"
	"testing"
)

// What isn't to be cached leads to no record of what reads it, but by content.
func TestNoCache(t *testing.T) {
	const text = "FROM alpine AS a\nWORKDIR /a\nRUN x\nWORKDIR /b\nFROM alpine\nCOPY --from=a /x /y\n"
	before := Build{Graph: graph(t, text, Options{})}
	after := Build{Graph: graph(t, text, Options{NoCache: []string{"a"}})}
	p, err := Predict(context.Background(), after, []Build{before}, Assume{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := states(p), "miss 3 4; may-miss 6"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if c := p.Steps[3].Cause; c == nil || c.Kind != CauseNoCache {
		t.Errorf("line 4: %+v, want that its cause isn't to be cached", c)
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
