package disposable

import (
	"archive/tar"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/layerscope/layerscope/analyze/tree/naive"
)

// TestAgainstNaiveModel compares classes, copies and sums of random images: each
// has the files of one case, whose conditions may hold, and paths of all cases
// and what becomes of them when they are mixed.
func TestAgainstNaiveModel(t *testing.T) {
	var vocabulary []string
	for _, c := range cases {
		vocabulary = append(vocabulary, c.paths()...)
	}
	found := map[string]int{}
	for seed := range uint64(500) {
		g := generator{rand.New(rand.NewPCG(seed, 2)), vocabulary}
		layers, env := g.layers(), g.env()
		m := buildImage(t, layers, env)
		checkReport(t, m, Find(m), found)
		if t.Failed() {
			t.Fatalf("seed %d, env %q:\n%s", seed, env, naive.Describe(layers))
		}
	}
	for _, r := range Rules() {
		if found[r.ID] < 5 {
			t.Errorf("only %d of the random files are of class %s", found[r.ID], r.ID)
		}
	}
}

// paths returns the paths of a case.
func (c filesOfClass) paths() []string {
	var paths []string
	for _, line := range strings.Split(strings.TrimSpace(c.files), "\n") {
		paths = append(paths, strings.Fields(line)[1])
	}
	return paths
}

type generator struct {
	*rand.Rand
	vocabulary []string
}

func (g generator) layers() [][]tar.Header {
	layers := make([][]tar.Header, 1+g.IntN(3))
	var names []string
	for _, name := range cases[g.IntN(len(cases))].paths() {
		k := g.IntN(len(layers))
		layers[k] = append(layers[k], g.file(name))
		names = append(names, name)
	}
	for k := range layers {
		for range 4 + g.IntN(8) {
			h := g.member(names)
			names = append(names, strings.TrimSuffix(h.Name, "/"))
			layers[k] = append(layers[k], h)
			if g.IntN(3) == 0 { // something beside it
				h.Name = g.beside(h.Name)
				layers[k] = append(layers[k], h)
				names = append(names, h.Name)
			}
		}
	}
	return layers
}

func (g generator) file(name string) tar.Header {
	return tar.Header{Name: name, Typeflag: tar.TypeReg, Size: int64(g.IntN(6)) * 100, Mode: []int64{0o644, 0o644, 0o755, 0o600}[g.IntN(4)]}
}

// member returns a member, which may delete or link to a path before.
func (g generator) member(names []string) tar.Header {
	h := g.file(g.path())
	before := names[g.IntN(len(names))]
	switch g.IntN(16) {
	case 0:
		h.Name, h.Size = path.Join(path.Dir(before), ".wh."+path.Base(before)), 0
	case 1:
		h.Name, h.Size = path.Join(path.Dir(path.Dir(before)), ".wh."+path.Base(path.Dir(before))), 0
	case 2, 3, 4:
		h.Typeflag, h.Linkname, h.Size = tar.TypeLink, before, 0
	case 5:
		h.Typeflag, h.Linkname, h.Size = tar.TypeSymlink, "x", 0
	case 6:
		h.Typeflag, h.Name, h.Size = tar.TypeDir, h.Name+"/", 0
	}
	return h
}

// path returns a path of the vocabulary, often changed.
func (g generator) path() string {
	parts := strings.Split(g.vocabulary[g.IntN(len(g.vocabulary))], "/")
	other := strings.Split(g.vocabulary[g.IntN(len(g.vocabulary))], "/")
	i := g.IntN(len(parts))
	switch g.IntN(8) {
	case 0: // below another
		parts = append(slices.Clone(other[:g.IntN(len(other))]), parts...)
	case 1: // another's end
		parts = append(slices.Clone(parts[:i]), other[g.IntN(len(other)):]...)
	case 2: // one less
		if len(parts) > 1 {
			parts = slices.Delete(parts, i, i+1)
		}
	case 3: // one more
		parts = slices.Insert(parts, i, other[g.IntN(len(other))])
	case 4: // one for another
		parts[i] = other[g.IntN(len(other))]
	}
	return strings.Join(parts, "/")
}

// beside returns the path of something that conditions ask for.
func (g generator) beside(name string) string {
	dir, base := path.Split(strings.TrimSuffix(name, "/"))
	return dir + []string{base + "~", base + ".map", "._" + base, base + ".orig", "package.json", "composer.json", "test_x.py", "test/test_y.py",
		"tests/test_z.py", "__pycache__/" + strings.TrimSuffix(base, ".py") + ".cpython-312.pyc", "core", "jre", "#" + base + "#", ".pnp.cjs", "src.zip"}[g.IntN(15)]
}

func (g generator) env() []string {
	return [][]string{nil, nil, {"LANG=de_DE.UTF-8"}, {"LANGUAGE=it:sr@latin", "LANG"}, {"NODE_OPTIONS=--enable-source-maps"}, {"LC_ALL=[a-z", "LANG={", "LC_X=e"}}[g.IntN(6)]
}
