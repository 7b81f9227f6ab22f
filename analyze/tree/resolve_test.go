package tree_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/layerscope/layerscope/analyze/layer"
	"github.com/layerscope/layerscope/analyze/synth"
	"github.com/layerscope/layerscope/analyze/tree"
)

func stack(t *testing.T, layers ...synth.Layer) *tree.Tree {
	t.Helper()
	var xs []*layer.Index
	for _, l := range layers {
		r := l.Open(synth.None)
		x, err := layer.Read(context.Background(), r, layer.Options{})
		r.Close()
		if err != nil {
			t.Fatal(err)
		}
		xs = append(xs, x)
	}
	tr, err := tree.Build(t.Context(), xs, tree.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// linked is an image whose links lead everywhere, in two layers.
func linked(t *testing.T) *tree.Tree {
	chain := func(n int) synth.Entry {
		return synth.Many(n, func(i int) synth.Entry {
			return synth.Symlink(fmt.Sprintf("chain%d", i), fmt.Sprintf("chain%d", i+1))
		})
	}
	return stack(t,
		synth.Layer{
			synth.Dir("usr/bin"),
			synth.File("usr/bin/sh", "#!"),
			synth.Symlink("bin", "usr/bin"),
			synth.Symlink("usr/abs", "/bin/sh"),
			synth.Symlink("usr/out", "../../../../bin/sh"),
			synth.Symlink("self", "self"),
			synth.Symlink("a", "b"), synth.Symlink("b", "a"),
			synth.Symlink("dangling", "usr/nothing"),
			synth.Symlink("etc", "conf"),
			synth.Hardlink("hard", "usr/bin/sh"),
			synth.Hardlink("hardlink-to-link", "bin"),
			synth.File("conf/app", "1"),
			chain(40),
			synth.File("chain40", "end"),
		},
		synth.Layer{
			synth.Whiteout("conf/app"),
			synth.File("new", ""),
		},
	)
}

func TestResolve(t *testing.T) {
	tr := linked(t)
	tests := []struct {
		path string
		k    int
		want string
	}{
		{"/", 1, ""},
		{"", 1, ""},
		{"..", 1, ""},
		{"/usr/bin/sh", 1, "usr/bin/sh"},
		{"usr//bin/./sh", 1, "usr/bin/sh"},
		{"bin", 1, "usr/bin"},
		{"bin/", 1, "usr/bin"},
		{"bin/sh", 1, "usr/bin/sh"},
		{"bin/../abs", 1, "usr/bin/sh"}, // .. of where the link leads, as in any Unix
		{"usr/abs", 1, "usr/bin/sh"},
		{"usr/out", 1, "usr/bin/sh"},
		{"../../bin/sh", 1, "usr/bin/sh"},
		{"hard", 1, "hard"},
		{"hardlink-to-link/sh", 1, "usr/bin/sh"},
		{"etc/app", 0, "conf/app"},
		{"chain0", 1, "chain40"},
	}
	for _, tt := range tests {
		n, err := tr.Resolve(tt.path, tt.k)
		if err != nil {
			t.Errorf("Resolve(%q, %d): %v", tt.path, tt.k, err)
		} else if got := tr.Path(n); got != tt.want {
			t.Errorf("Resolve(%q, %d) = %q, want %q", tt.path, tt.k, got, tt.want)
		}
	}
}

func TestResolveErrors(t *testing.T) {
	tr := linked(t)
	for path, want := range map[string]error{
		"self":           tree.ErrLoop,
		"self/x":         tree.ErrLoop,
		"a":              tree.ErrLoop,
		"usr/bin/sh/x":   tree.ErrNotDir,
		"usr/bin/sh/..":  tree.ErrNotDir,
		"usr/abs/../bin": tree.ErrNotDir,
	} {
		if _, err := tr.Resolve(path, 1); !errors.Is(err, want) {
			t.Errorf("Resolve(%q) gives error %v, want %v", path, err, want)
		}
	}
}

func TestResolveMissing(t *testing.T) {
	tr := linked(t)
	tests := []struct {
		path string
		k    int
		want tree.MissingError
	}{
		{"/usr/nothing/here", 1, tree.MissingError{At: "usr/nothing", Removed: -1}},
		{"dangling", 1, tree.MissingError{At: "usr/nothing", Removed: -1}},
		{"/etc/app", 1, tree.MissingError{At: "conf/app", Removed: 1}},
		{"new", 0, tree.MissingError{At: "new", Removed: -1}},
		{"usr", -1, tree.MissingError{At: "usr", Removed: -1}},
	}
	for _, tt := range tests {
		tt.want.Path = tt.path
		_, err := tr.Resolve(tt.path, tt.k)
		var got *tree.MissingError
		if !errors.As(err, &got) || *got != tt.want {
			t.Errorf("Resolve(%q, %d) gives %#v, want %#v", tt.path, tt.k, err, tt.want)
		}
	}
}
