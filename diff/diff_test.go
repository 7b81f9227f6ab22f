package diff

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/analyzetest"
	"github.com/layerscope/layerscope/analyze/synth"
)

// storedBy adds up the bytes of the layers' members.
func storedBy(layers []synth.Layer) (n int64) {
	for _, l := range layers {
		for _, e := range l {
			if h := e.Header(); h.Typeflag == tar.TypeReg {
				n += h.Size
			}
		}
	}
	return n
}

// tables returns what each table of a diff adds up to.
func tables(d *Diff) map[string]Bytes {
	sums := map[string]Bytes{"total": d.Live.Plus(d.Dead), "stored": d.Stored}
	add := func(table string, b Bytes) { sums[table] = sums[table].Plus(b) }
	for _, p := range d.Layers.Pairs {
		add("layers", p.Stored)
	}
	for _, s := range d.Steps {
		add("steps", s.Stored)
	}
	for _, s := range d.Files.Sums {
		add("files", s.Bytes)
	}
	for _, f := range d.Files.Changes {
		add("paths", f.Bytes)
	}
	for _, table := range []string{"files", "paths"} {
		add(table, d.Files.Unchanged.Bytes)
		add(table, d.Files.Dead)
	}
	add("directories", d.Files.Dirs[0].Bytes)
	add("directories", d.Files.Dead)
	for _, p := range d.Packages.Changes {
		add("packages", p.Bytes)
	}
	for _, s := range d.Packages.Sums {
		add("package states", s.Bytes)
	}
	for _, table := range []string{"packages", "package states"} {
		add(table, d.Packages.Unchanged.Bytes)
		add(table, d.Packages.Unowned)
		add(table, d.Packages.Dead)
	}
	for _, c := range d.Causes {
		add("causes", c.Bytes)
	}
	return sums
}

// randomNext returns the layers of a next release: some of the last one's,
// and others.
func randomNext(r *rand.Rand, layers []synth.Layer) []synth.Layer {
	next := randomPackages(r)
	kept := slices.Clone(layers[:r.IntN(len(layers)+1)])
	if r.IntN(3) == 0 {
		kept = append(kept, synth.Layer{synth.Whiteout(fmt.Sprintf("usr/f%d", r.IntN(5))), synth.Opaque("app1")})
	}
	return append(kept, next[:r.IntN(len(next)+1)]...)
}

// TestTables checks that every table adds up to what the images store.
func TestTables(t *testing.T) {
	for seed := range uint64(synth.Rounds(150)) {
		r := rand.New(rand.NewPCG(seed, 6))
		olds := randomPackages(r)
		news := randomNext(r, olds)
		old, new := analyzetest.WithPackages(t, olds...), analyzetest.WithPackages(t, news...)
		if r.IntN(2) == 0 && len(news) > 0 {
			old, new = withBaseLayer(old), withBaseLayer(new)
		}
		d, err := Compare(context.Background(), old, new, Options{Strict: r.IntN(2) == 0})
		if err != nil {
			t.Fatal(err)
		}
		want := Bytes{storedBy(olds), storedBy(news)}
		for table, sum := range tables(d) {
			if sum != want {
				t.Errorf("seed %d: %s add up to %v, not %v", seed, table, sum, want)
			}
		}
		same, err := Compare(context.Background(), new, new, Options{Strict: true})
		if err != nil {
			t.Fatal(err)
		}
		if !same.Identical() || len(same.Files.Changes) > 0 || len(same.Packages.Changes) > 0 || same.Layers.Pull.Bytes != 0 {
			t.Errorf("seed %d: an image differs from itself", seed)
		}
		if t.Failed() {
			return
		}
	}
}

// TestIdentical tells what is the same from what only looks so.
func TestIdentical(t *testing.T) {
	base := synth.Image{Steps: []synth.Step{{CreatedBy: "RUN a", Layer: synth.Layer{synth.File("f", "1")}}, {CreatedBy: "ENV A=1"}}}
	tests := []struct {
		name string
		edit func(*synth.Image)
		want bool
	}{
		{"the same", func(*synth.Image) {}, true},
		{"a config", func(m *synth.Image) { m.Config.User = "me" }, false},
		{"a step without a layer", func(m *synth.Image) { m.Steps[1].CreatedBy = "ENV A=2" }, false},
		{"a step more", func(m *synth.Image) { m.Steps = append(m.Steps, synth.Step{CreatedBy: "ENV B=1"}) }, false},
		{"a time", func(m *synth.Image) {
			m.Steps[0].Layer = synth.Layer{synth.File("f", "1", later)}
		}, false},
		{"a compression", func(m *synth.Image) { m.Compression = synth.Zstd }, false},
	}
	old := analyzetest.ImageWith(t, base, analyze.Options{Packages: true})
	for _, tt := range tests {
		img := base
		img.Steps = slices.Clone(base.Steps)
		tt.edit(&img)
		d, err := Compare(context.Background(), old, analyzetest.ImageWith(t, img, analyze.Options{Packages: true}), Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := d.Identical(); got != tt.want {
			t.Errorf("%s: identical is %v", tt.name, got)
		}
	}
}

func TestCompareRefuses(t *testing.T) {
	whole := analyzetest.WithPackages(t)
	for name, m := range map[string]*analyze.Image{
		"half an image":    {Packages: whole.Packages},
		"without packages": analyzetest.Image(t, synth.Image{}),
	} {
		for _, pair := range [][2]*analyze.Image{{m, whole}, {whole, m}} {
			if _, err := Compare(context.Background(), pair[0], pair[1], Options{}); !errors.Is(err, ErrIncomplete) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Compare(canceled, whole, whole, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
}

// BenchmarkCompare compares two images of 100,000 files each.
func BenchmarkCompare(b *testing.B) {
	old, new := largeWithPackages(b, 100_000, "1.0.0"), largeWithPackages(b, 100_000, "1.1.0")
	for b.Loop() {
		if _, err := Compare(context.Background(), old, new, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
