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
