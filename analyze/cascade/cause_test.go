package cascade

import (
	"testing"

	"github.com/layerscope/layerscope/analyze/buildcontext"
	"github.com/layerscope/layerscope/analyze/dockerfile"
)

// Causes in words, as lines of a Dockerfile have them after a change.
func TestWhy(t *testing.T) {
	content := func(more ...buildcontext.File) map[string]*buildcontext.Tree {
		return map[string]*buildcontext.Tree{"": tree(more...)}
	}
	tests := []struct {
		name, text string
		change     Change
		differs    []string
		want       map[int]string
		misses     int
	}{
		{"a global ARG that no stage declares", "ARG V=1\nFROM alpine:$V\nRUN a\nENV B=1\nRUN b\n", Change{Lines: []int{1}}, nil,
			map[int]string{3: "its base hangs on ARG V on line 1", 5: "its base hangs on ARG V on line 1"}, 2},
		{"a global ARG that one does", "ARG V=1\nFROM alpine\nARG V\nRUN a\n", Change{Lines: []int{1}}, nil,
			map[int]string{4: "ARG V on line 1 is part of its environment"}, 1},
		{"two that read a file", "FROM alpine\nRUN --mount=type=bind,source=x,target=/x a\nCOPY x /\nRUN b\n", Change{Contexts: content(buildcontext.File{Path: "x", Body: "y"})}, nil,
			map[int]string{2: "x changed", 3: "x changed", 4: "x, copied by line 3, changed"}, 3},
		{"a file that a RUN mounts", "FROM alpine\nRUN --mount=type=bind,source=x,target=/x a\nRUN b\n", Change{Contexts: content(buildcontext.File{Path: "x", Body: "y"})}, nil,
			map[int]string{3: "x, mounted by line 2, changed"}, 2},
		{"below a linked copy", "FROM alpine\nRUN a\nCOPY --link x /\nRUN b\n", Change{Lines: []int{2}}, nil,
			map[int]string{4: "line 2 changed"}, 2},
		{"what is taken to differ", "FROM alpine AS a\nRUN a\nFROM alpine\nCOPY --from=a /a /a\nRUN b\n", Change{Lines: []int{2}}, []string{"/a"},
			map[int]string{4: "it copies /a from a, taken to differ", 5: "as line 4, which copies /a from a, taken to differ"}, 3},
		{"ONBUILD", "FROM alpine AS a\nONBUILD COPY x /\nONBUILD RUN gen\nFROM a\nRUN b\n", Change{Contexts: content(buildcontext.File{Path: "x", Body: "y"})}, nil,
			map[int]string{4: "x changed"}, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := Build{Graph: graph(t, tt.text, Options{}), Contexts: content()}
			after, assume, err := b.With(tt.change)
			if err != nil {
				t.Fatal(err)
			}
			if assume.Content, err = after.Graph.Settle(nil, tt.differs); err != nil {
				t.Fatal(err)
			}
			p, err := Predict(t.Context(), after, []Build{b}, assume)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range p.Steps {
				if want, ok := tt.want[v.Step.Lines.Start]; ok && p.Why(v) != want {
					t.Errorf("line %s: %q, want %q", v.Step.Lines, p.Why(v), want)
				}
			}
			if c := p.Counts(); c.Misses != tt.misses {
				t.Errorf("%+v, want %d misses", c, tt.misses)
			}
		})
	}
}

// An edited Dockerfile need not be finished.
func TestUnfinished(t *testing.T) {
	b := Build{Graph: graph(t, "FROM alpine\nRUN a\nRUN b\nRUN c\n", Options{})}
	for _, line := range []string{"COPY a", `ENV A="x`, "RUN <<EOF", "RUN --mount=type=ca", "RUN --newflag b", "COPY --from=$X a b", "PROVIDE x"} {
		f, err := dockerfile.ParseEdited("D", []byte("FROM alpine\nRUN a\n"+line+"\nRUN c\n"))
		if err != nil {
			t.Fatal(err)
		}
		after, assume, err := b.With(Change{File: f})
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		p, err := Predict(t.Context(), after, []Build{b}, assume)
		if err != nil {
			t.Fatal(err)
		}
		want := "miss 3 4"
		if line == "RUN <<EOF" { // which takes the rest of the file
			want = "miss 3"
		}
		if got := states(p); got != want {
			t.Errorf("%s: %s, want %s", line, got, want)
		}
	}
}
