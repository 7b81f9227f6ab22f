package diff

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/analyzetest"
	"github.com/layerscope/layerscope/analyze/cause"
	"github.com/layerscope/layerscope/analyze/synth"
)

// withBaseLayer returns the image with its lowest layer as its base.
func withBaseLayer(m *analyze.Image) *analyze.Image {
	c := *m
	c.Base = analyze.Base{How: analyze.BaseGiven, Layers: 1}
	c.Layers = slices.Clone(m.Layers)
	c.Layers[0].Base = true
	return &c
}

// causesAddUp checks that causes are all there, in order, and that they and
// their parts add up to what the images store.
func causesAddUp(t testing.TB, old, new *analyze.Image, causes []Cause) {
	t.Helper()
	var total Bytes
	if len(causes) != cause.NumKinds {
		t.Fatalf("there are %d causes", len(causes))
	}
	for k, c := range causes {
		if int(c.Kind) != k {
			t.Errorf("cause %d is %s", k, c.Kind)
		}
		var sum Bytes
		for i, p := range c.Parts {
			sum = sum.Plus(p.Bytes)
			if i > 0 && c.Parts[i-1].Bytes.Abs() < p.Bytes.Abs() {
				t.Errorf("%+v stands after smaller differences", p)
			}
		}
		if sum != c.Bytes {
			t.Errorf("%s has %v bytes, its parts %v", c.Kind, c.Bytes, sum)
		}
		total = total.Plus(sum)
	}
	if want := (Bytes{old.Totals.Stored, new.Totals.Stored}); total != want {
		t.Errorf("causes have %v bytes, %v are stored", total, want)
	}
}

func causeLines(causes []Cause) []string {
	var out []string
	for _, c := range causes {
		for _, p := range c.Parts {
			out = append(out, fmt.Sprintf("%s %s %d %d", c.Kind, p.ID, p.Bytes.Old, p.Bytes.New))
		}
	}
	return out
}

// TestCompareCauses has what several stages buy: the program without what it
// was built by.
func TestCompareCauses(t *testing.T) {
	db, list := dpkgStatus("libc6", "1", "amd64"), "/usr/lib/libc.so\n"
	base := synth.Layer{synth.Body("bin/sh", 1000, 1), synth.File("var/lib/dpkg/status", db), synth.Body("usr/lib/libc.so", 500, 2),
		synth.File("var/lib/dpkg/info/libc6.list", list)}
	libc := 500 + len(db) + len(list)
	single := analyzetest.WithPackages(t, base,
		synth.Layer{synth.Body("usr/local/go/bin/go", 7000, 3), synth.Body("usr/local/go/VERSION", 10, 4)},
		synth.Layer{synth.Body("src/main.go", 300, 5), synth.Body("src/go.mod", 40, 6)},
		synth.Layer{synth.Body("root/.cache/go-build/aa/bb-d", 900, 7), synth.Body("app", 2000, 8), synth.Body("tmp.o", 5, 9)},
		synth.Layer{synth.Whiteout("tmp.o")},
	)
	multi := analyzetest.WithPackages(t, base, synth.Layer{synth.Body("app", 2000, 8)})

	got := compareCauses(single, multi)
	causesAddUp(t, single, multi, got)
	own := []string{
		fmt.Sprintf("packages dpkg %d %d", libc, libc),
		"toolchain go 7010 0",
		"disposable go-cache 900 0",
		"sources go 340 0",
		"application / 2000 2000", "application /bin 1000 1000",
		"dead deleted 5 0",
	}
	if diff := gocmp.Diff(own, causeLines(got)); diff != "" {
		t.Errorf("without a base (-want +got):\n%s", diff)
	}
	if diff := gocmp.Diff(own, causeLines(compareCauses(withBaseLayer(single), multi))); diff != "" {
		t.Errorf("with one's base (-want +got):\n%s", diff)
	}

	got = compareCauses(withBaseLayer(single), withBaseLayer(multi))
	causesAddUp(t, single, multi, got)
	want := []string{
		"base application 1000 1000", fmt.Sprintf("base packages %d %d", libc, libc),
		"toolchain go 7010 0", "disposable go-cache 900 0", "sources go 340 0", "application / 2000 2000", "dead deleted 5 0",
	}
	if diff := gocmp.Diff(want, causeLines(got)); diff != "" {
		t.Errorf("with both bases (-want +got):\n%s", diff)
	}
	// An image of no layers is known to have none of a base.
	if c := compareCauses(analyzetest.WithPackages(t), withBaseLayer(multi))[cause.Base]; c.Bytes != (Bytes{0, multi.Layers[0].Stored}) {
		t.Errorf("against no layers the base is %v", c.Bytes)
	}
}

func TestCausesAddUp(t *testing.T) {
	for seed := range uint64(synth.Rounds(100)) {
		r := rand.New(rand.NewPCG(seed, 5))
		old, new := analyzetest.WithPackages(t, randomPackages(r)...), analyzetest.WithPackages(t, randomPackages(r)...)
		causesAddUp(t, old, new, compareCauses(old, new))
		causesAddUp(t, old, new, compareCauses(withBaseLayer(old), withBaseLayer(new)))
	}
	empty := analyzetest.WithPackages(t)
	causesAddUp(t, empty, empty, compareCauses(empty, empty))
	packagesAddUp(t, empty, empty, comparePackages(empty, empty))
}

// largeWithPackages is an image of n files: half of them of dpkg's packages of fifty, of
// which some are of a toolchain, a quarter npm's of twenty, the rest of none.
func largeWithPackages(b *testing.B, n int, version string) *analyze.Image {
	b.Helper()
	var l synth.Layer
	var db strings.Builder
	for p := range n / 100 {
		name := fmt.Sprintf("lib%d%s", p, []string{"", "-dev", "-bin", ""}[p%4])
		db.WriteString(dpkgStatus(name, version, "amd64"))
		var list strings.Builder
		for i := range 50 {
			path := fmt.Sprintf("usr/lib/p%d/f%d.so", p, i)
			fmt.Fprintf(&list, "/%s\n", path)
			l = append(l, synth.Body(path, 10, uint64(i)))
		}
		l = append(l, synth.File("var/lib/dpkg/info/"+name+".list", list.String()))
	}
	for p := range n / 80 {
		dir := fmt.Sprintf("app/node_modules/n%d", p)
		l = append(l, synth.File(dir+"/package.json", npmJSON(fmt.Sprintf("n%d", p), version)))
		for i := range 20 {
			l = append(l, synth.Body(fmt.Sprintf("%s/f%d.js", dir, i), 10, uint64(i)))
		}
	}
	for i := range n / 4 {
		l = append(l, synth.Body(fmt.Sprintf("src/d%d/f%d.go", i/30, i), 10, uint64(i)))
	}
	return analyzetest.WithPackages(b, append(l, synth.File("var/lib/dpkg/status", db.String())))
}

// BenchmarkTables compares what two images of 100,000 files are made of.
func BenchmarkTables(b *testing.B) {
	old, new := largeWithPackages(b, 100_000, "1.0.0"), largeWithPackages(b, 100_000, "1.1.0")
	b.Logf("%d files", old.Totals.Files)
	b.Run("packages", func(b *testing.B) {
		for b.Loop() {
			comparePackages(old, new)
		}
	})
	b.Run("causes", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			compareCauses(old, new)
		}
	})
}
