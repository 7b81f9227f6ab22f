package cascade

import (
	"errors"
	"strings"
	"testing"

	"github.com/layerscope/layerscope/analyze/buildcontext"
)

// tree is the context of app.
func tree(more ...buildcontext.File) *buildcontext.Tree {
	return buildcontext.New(append([]buildcontext.File{
		{Path: "go.mod", Body: "module x\n"}, {Path: "main.go", Body: "package main\n"}, {Path: "conf/a", Body: "a"},
		{Path: "x", Body: "x"}, {Path: "doc/README", Body: "r"},
	}, more...)...)
}

// What becomes of files of the context, by BuildKit's rules.
func TestFiles(t *testing.T) {
	g := graph(t, app, Options{})
	before := Build{Graph: g, Contexts: map[string]*buildcontext.Tree{"": tree()}}
	tests := []struct {
		name string
		tree *buildcontext.Tree
		want string
		why  string // of the first instruction that runs again
	}{
		{"nothing", tree(), "not-built 11 12", ""},
		{"a source", before.Contexts[""].Edit(buildcontext.Change{Path: "main.go"}), "miss 9 10; may-miss 16 18; not-built 11 12", "main.go changed"},
		{"a manifest", before.Contexts[""].Edit(buildcontext.Change{Path: "go.mod"}), "miss 7 8 9 10; may-miss 16 18; not-built 11 12", "go.mod changed"},
		{"a new file", tree(buildcontext.File{Path: "new"}), "miss 9 10; may-miss 16 18; not-built 11 12", "new is new"},
		{"what a linked copy takes", before.Contexts[""].Edit(buildcontext.Change{Path: "conf/a"}), "miss 9 10 17 18; may-miss 16; not-built 11 12", "conf/a changed"},
		{"an owner", tree(buildcontext.File{Path: "x", Body: "x", UID: 7, GID: 8}), "not-built 11 12", ""},
		{"a mode", tree(buildcontext.File{Path: "x", Body: "x", Mode: 0o755}), "miss 9 10; may-miss 16 18; not-built 11 12", "x changed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := Predict(t.Context(), Build{Graph: g, Contexts: map[string]*buildcontext.Tree{"": tt.tree}}, []Build{before}, Assume{})
			if err != nil {
				t.Fatal(err)
			}
			if got := states(p); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			why := ""
			for _, v := range p.Steps {
				if why == "" {
					why = p.Why(v)
				}
			}
			if why != tt.why {
				t.Errorf("because %q, want %q", why, tt.why)
			}
		})
	}
}

// A Dockerfile that COPY . . takes along reruns that with any edit.
func TestDockerfileInContext(t *testing.T) {
	g := graph(t, app, Options{})
	b := Build{Graph: g, Contexts: map[string]*buildcontext.Tree{"": tree(buildcontext.File{Path: "Dockerfile", Body: app})}, Dockerfile: "Dockerfile"}
	after, assume, err := b.With(Change{Lines: []int{14}})
	if err != nil {
		t.Fatal(err)
	}
	p, err := Predict(t.Context(), after, []Build{b}, assume)
	if err != nil {
		t.Fatal(err)
	}
	const want = "miss 9 10 14; may-miss 16 18; not-built 11 12"
	if got := states(p); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	impacts, err := Impacts(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range p.Steps {
		if got := impacts[13].States[i]; got != v.State {
			t.Errorf("line %s: %v, and %v in the table", v.Step.Lines, v.State, got)
		}
	}
}

// Content that is built again decides what hangs on it, and a user may know it.
func TestSettle(t *testing.T) {
	g := graph(t, app, Options{})
	b := Build{Graph: g}
	for _, tt := range []struct{ same, differs, want string }{
		{"", "", "miss 10; may-miss 16 18; not-built 11 12"},
		{"build", "", "miss 10; not-built 11 12"},
		{"/out", "", "miss 10; not-built 11 12"},
		{"", "/out/app", "miss 10 16 18; not-built 11 12"},
	} {
		after, assume, err := b.With(Change{Lines: []int{10}})
		if err != nil {
			t.Fatal(err)
		}
		if assume.Content, err = g.Settle(strings.Fields(tt.same), strings.Fields(tt.differs)); err != nil {
			t.Fatal(err)
		}
		p, err := Predict(t.Context(), after, []Build{b}, assume)
		if err != nil {
			t.Fatal(err)
		}
		if got := states(p); got != tt.want {
			t.Errorf("same %q, differs %q: %s, want %s", tt.same, tt.differs, got, tt.want)
		}
	}
	_, err := g.Settle([]string{"nothing"}, nil)
	if e, ok := errors.AsType[*SettleError](err); !ok || !strings.Contains(e.Advice(), "/out/app") {
		t.Errorf("%v", err)
	}
}

func TestRefused(t *testing.T) {
	g := graph(t, "FROM scratch\nCOPY there /\nCOPY nowhere /\n", Options{})
	b := Build{Graph: g, Contexts: map[string]*buildcontext.Tree{"": buildcontext.New(buildcontext.File{Path: "there"})}}
	err := b.Check(t.Context())
	if e, ok := errors.AsType[*Failure](err); !ok || e.Step.Lines.Start != 3 || !strings.Contains(err.Error(), "nowhere") {
		t.Errorf("%v", err)
	}
	for _, line := range []int{0, 9} {
		_, err := g.StepAt(line)
		if e, ok := errors.AsType[*LineError](err); !ok || !strings.Contains(e.Error(), "its last stands on line 3") {
			t.Errorf("line %d: %v", line, err)
		}
	}
	_, _, err = b.With(Change{Bases: []string{"debian"}})
	if e, ok := errors.AsType[*BaseError](err); !ok || e.Advice() != "the build needs no image" {
		t.Errorf("%v", err)
	}
}

// The base's digest moves, and arguments get other values.
func TestWith(t *testing.T) {
	b := Build{Graph: graph(t, app, Options{Args: map[string]string{"VERSION": "1"}})}
	for _, tt := range []struct {
		change Change
		want   string
	}{
		{Change{Bases: []string{"alpine"}}, "miss 13 15 16 18; not-built 11 12"},
		{Change{Bases: []string{"docker.io/library/debian:12"}}, "miss 2 5 6 7 8 9 10; may-miss 16 18; not-built 11 12"},
		{Change{Args: map[string]string{"VERSION": "2"}}, "miss 6 7 8 9 10; may-miss 16 18; not-built 11 12"},
		{Change{Args: map[string]string{"VERSION": "1"}}, "not-built 11 12"},
		{Change{Args: map[string]string{"HTTP_PROXY": "x", "OTHER": "y"}}, "not-built 11 12"},
		{Change{Lines: []int{17, 14}}, "miss 14 17 18; not-built 11 12"},
	} {
		after, assume, err := b.With(tt.change)
		if err != nil {
			t.Fatal(err)
		}
		p, err := Predict(t.Context(), after, []Build{b}, assume)
		if err != nil {
			t.Fatal(err)
		}
		if got := states(p); got != tt.want {
			t.Errorf("%+v: %s, want %s", tt.change, got, tt.want)
		}
	}
}
