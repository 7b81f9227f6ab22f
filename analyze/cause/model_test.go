package cause_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/analyzetest"
	"github.com/layerscope/layerscope/analyze/cause"
	"github.com/layerscope/layerscope/analyze/packages"
	"github.com/layerscope/layerscope/analyze/synth"
	"github.com/layerscope/layerscope/analyze/tree"
)

// This file holds causes against a second model: each copy by itself, by the
// order that the package's comment gives.

// vocabulary are the classified paths whose class nothing else in the image has
// a say in.
func vocabulary() []string {
	var paths []string
	for p, class := range classes() {
		if class != "toolchain java" && !strings.HasSuffix(p, "video.ts") {
			paths = append(paths, p)
		}
	}
	slices.Sort(paths)
	return paths
}

// random makes an image of some of the paths, in several layers, some of them
// owned by packages, of which two are of a toolchain.
func random(r *rand.Rand, paths []string) []synth.Layer {
	owners := []string{"libx1", "gcc-13", "curl", "libx-dev"}
	lists := map[string]string{}
	layers := make([]synth.Layer, 2+r.IntN(3))
	var before []string
	for k := range layers {
		for range 12 {
			p := paths[r.IntN(len(paths))]
			switch r.IntN(8) {
			case 0:
				if len(before) > 0 {
					layers[k] = append(layers[k], synth.Hardlink(p, before[r.IntN(len(before))]))
				}
			case 1:
				if len(before) > 0 {
					gone := before[r.IntN(len(before))]
					layers[k] = append(layers[k], synth.Whiteout([]string{gone, path.Dir(gone)}[r.IntN(2)]))
				}
			default:
				layers[k] = append(layers[k], synth.Body(p, 1+r.Int64N(1000), r.Uint64()))
				before = append(before, p)
			}
			if r.IntN(4) == 0 {
				lists[owners[r.IntN(len(owners))]] += "/" + p + "\n"
			}
		}
	}
	db, last := "", &layers[len(layers)-1]
	for _, name := range owners {
		db += fmt.Sprintf("Package: %s\nStatus: install ok installed\nVersion: 1\nArchitecture: amd64\n\n", name)
		if lists[name] != "" {
			*last = append(*last, synth.File("var/lib/dpkg/info/"+name+".list", lists[name]))
		}
	}
	*last = append(*last, synth.File("var/lib/dpkg/status", db))
	return layers
}

// otherwise are the languages of what is disposable, but for another link.
var otherwise = map[string]string{
	"src/rs/target/release/incremental/a/b": "build-tree", "src/rs/target/release/deps/liba.rlib": "build-tree",
	"go/pkg/mod/github.com/x/y@v1/y.go": "go", "tmp/x.go": "go", "usr/local/cargo/registry/src/x/lib.rs": "rust",
}

// naive returns what copies are stored for.
func naive(m *analyze.Image, f *analyze.Findings, base []bool) map[tree.Ref]string {
	want := map[tree.Ref]string{}
	for _, c := range f.Dead.Copies {
		want[c.Ref] = "dead " + c.Reason.String()
	}
	waste := map[tree.Ref]string{}
	for _, c := range f.Disposable.Classes {
		for _, file := range c.Files {
			waste[file.Ref] = c.Rule.ID
		}
	}
	first, known := map[tree.Ref]string{}, classes()
	for n, st := range m.Tree.Standing(m.Tree.Layers() - 1) {
		if _, ok := first[st.Inode]; !ok {
			first[st.Inode] = m.Tree.Path(n)
		}
	}
	for ref := range refs(m) {
		if want[ref] != "" {
			continue
		}
		p := first[ref]
		kind, part, _ := strings.Cut(known[p], " ")
		top, _, _ := strings.Cut(p, "/")
		if top = "/" + top; top == "/"+p {
			top = "/"
		}
		owner := ""
		if o := m.Packages.Owner(ref); o != nil {
			owner = o.Name
		}
		of := "application " + top
		switch {
		case owner == "gcc-13":
			of = "toolchain c"
		case owner == "libx-dev":
			of = "toolchain headers"
		case owner == "" && kind == "toolchain":
			of = "toolchain " + part
		case waste[ref] != "":
			of = "disposable " + waste[ref]
		case owner != "" || strings.HasPrefix(p, "var/lib/dpkg/"):
			of = "packages dpkg"
		case kind == "packages" || kind == "sources":
			of = kind + " " + part
		case otherwise[p] != "":
			of = "sources " + otherwise[p]
		}
		if base[ref.Layer] {
			kind, _, _ := strings.Cut(of, " ")
			of = "base " + kind
		}
		want[ref] = of
	}
	return want
}

func TestAgainstNaiveModel(t *testing.T) {
	found := map[string]int{}
	paths := vocabulary()
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 3))
		m := analyzetest.WithPackages(t, random(r, paths)...)
		f := m.Findings()
		base := make([]bool, len(m.Layers))
		base[0] = r.IntN(2) == 0
		report := cause.Find(cause.Image{Tree: m.Tree, Packages: m.Packages, Dead: f.Dead, Disposable: f.Disposable, Base: base})
		addsUp(t, m, report)
		for ref, want := range naive(m, f, base) {
			of, _ := report.Of(ref)
			if got := of.Kind.String() + " " + of.Part; got != want {
				t.Errorf("%+v is of %q, want %q", ref, got, want)
			}
			found[of.Kind.String()]++
			if o := m.Packages.Owner(ref); o != nil && o.Ecosystem == packages.Dpkg && of.Kind == cause.Toolchain {
				found["owned toolchain"]++
			}
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	for _, k := range slices.Concat(slices.Collect(maps.Keys(found)), []string{"base", "packages", "toolchain", "disposable", "sources", "application", "dead", "owned toolchain"}) {
		if found[k] < 100 {
			t.Errorf("only %d copies are of %s", found[k], k)
		}
	}
	t.Log(found)
}
