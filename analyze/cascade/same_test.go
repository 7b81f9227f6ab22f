package cascade

import "testing"

// What is written otherwise and is the same to BuildKit.
func TestSame(t *testing.T) {
	tests := []struct{ name, one, other string }{
		{"the root as working directory", "RUN a", "WORKDIR /\nRUN a"},
		{"a secret's mode", "RUN --mount=type=secret,id=a b", "RUN --mount=type=secret,id=a,mode=0400,uid=0 b"},
		{"the owner of a secret that is a variable", "RUN --mount=type=secret,id=a,env=A b", "RUN --mount=type=secret,id=a,env=A,uid=7 b"},
		{"a socket's mode", "RUN --mount=type=ssh a", "RUN --mount=type=ssh,mode=0600 a"},
	}
	for _, tt := range tests {
		one, other := graph(t, "FROM alpine\n"+tt.one+"\n", Options{}), graph(t, "FROM alpine\n"+tt.other+"\n", Options{})
		p, err := Predict(t.Context(), Build{Graph: other}, []Build{{Graph: one}}, Assume{})
		if err != nil {
			t.Fatal(err)
		}
		if o := p.Nodes[len(p.Nodes)-1]; o.State != Hit {
			t.Errorf("%s: %v, %+v", tt.name, o.State, o.Cause)
		}
	}
}
