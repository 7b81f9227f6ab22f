package dive_test

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/layerscope/layerscope/analyze/dive"
	"github.com/layerscope/layerscope/analyze/dive/divetest"
	"github.com/layerscope/layerscope/analyze/layer"
	"github.com/layerscope/layerscope/analyze/synth"
)

func indexes(t testing.TB, layers []synth.Layer) []*layer.Index {
	t.Helper()
	var out []*layer.Index
	for _, l := range layers {
		r := l.Open(synth.None)
		x, err := layer.Read(context.Background(), r, layer.Options{})
		if err != nil {
			t.Fatal(err)
		}
		r.Close()
		out = append(out, x)
	}
	return out
}

// check compares the numbers of some layers with the naive ones and returns
// them.
func check(t *testing.T, layers []synth.Layer) dive.Numbers {
	t.Helper()
	got := dive.Compute(indexes(t, layers))
	if diff := cmp.Diff(naive(t, layers), got, cmpopts.EquateNaNs()); diff != "" {
		t.Errorf("numbers (-naive +computed):\n%s", diff)
	}
	return got
}

// bytesOf is a file of so many.
func bytesOf(name string, n int64, opts ...synth.Option) synth.Entry {
	return synth.Body(name, n, 1, opts...)
}

// The cases in which dive's numbers mislead, with what dive says.
func TestMisleadingCases(t *testing.T) {
	type layers = []synth.Layer
	d, f, gone := synth.Dir, bytesOf, synth.Whiteout
	k := f("k", 10)
	tests := []struct {
		name    string
		layers  layers
		wasted  int64
		score   string // in percent, as dive shows it
		user    string // likewise, where the case is about it
		size    int64  // where the case is about it
		because string
	}{
		{name: "rm -rf d", layers: layers{{d("d"), f("d/a", 1000), f("d/b", 500), f("k", 100)}, {gone("d")}},
			wasted: 0, score: "100.00", because: "the directory was no leaf before"},
		{name: "rm -rf d && mkdir d", layers: layers{{d("d"), f("d/a", 1000)}, {d("d"), synth.Opaque("d"), f("d/b", 50)}},
			wasted: 0, score: "100.00", because: "opaque markers are dropped"},
		{name: "rm -rf d that was empty once", layers: layers{{d("d"), k}, {d("d"), f("d/a", 1000)}, {gone("d")}},
			wasted: 1000, score: "50.25", because: "the directory was a leaf"},
		{name: "rm of one hard link of two", layers: layers{{f("a", 1000), synth.Hardlink("b", "a")}, {gone("a")}},
			wasted: 1000, score: "0.00", because: "links are files of no bytes"},
		{name: "hard link copied up", layers: layers{{f("a", 1000), synth.Hardlink("b", "a")}, {f("b", 1000)}},
			wasted: 1000, score: "50.00"},
		{name: "overwritten by less", layers: layers{{f("a", 1000)}, {f("a", 400)}},
			wasted: 1400, score: "28.57", user: "350.00", because: "all copies are wasted, also the last"},
		{name: "the same again", layers: layers{{f("a", 1000)}, {f("a", 1000)}}, wasted: 2000, score: "50.00"},
		{name: "growing", layers: layers{{f("db", 1000)}, {f("db", 2000)}, {f("db", 3000)}},
			wasted: 6000, score: "16.67", because: "the smallest copy is the one kept"},
		{name: "chmod", layers: layers{{f("a", 1000)}, {f("a", 1000, synth.Mode(0o600))}}, wasted: 2000, score: "50.00", user: "200.00"},
		{name: "chown -R", layers: layers{
			{d("d"), f("d/a", 1000), f("d/b", 1000), f("d/c", 1000)},
			{d("d", synth.Owner(1, 1)), f("d/a", 1000, synth.Owner(1, 1)), f("d/b", 1000, synth.Owner(1, 1)), f("d/c", 1000, synth.Owner(1, 1))},
		}, wasted: 6000, score: "50.00", user: "200.00"},
		{name: "rm -rf d, then d again", layers: layers{{d("d"), f("d/a", 1000)}, {gone("d")}, {d("d"), f("d/a", 1000)}},
			wasted: 2000, score: "66.67", because: "the whiteout adds to both sums"},
		{name: "the same content twice", layers: layers{{f("a", 1000), f("b", 1000)}}, wasted: 0, score: "100.00"},
		{name: "mv a b", layers: layers{{f("a", 1000)}, {gone("a"), f("b", 1000)}}, wasted: 1000, score: "50.00"},
		{name: "dangling whiteout", layers: layers{{f("a", 1000), f("z", 2000)}, {gone("nothere"), f("a", 1000), f("z", 2000)}},
			wasted: 0, score: "99.97", because: "the rest of the layer isn't looked at, and the whiteout counts -1"},
		{name: "whiteout in the lowest layer", layers: layers{{f("bin/a", 1000), gone("etc/x")}}, wasted: 0, score: "99.90"},
		{name: "dir replaced by file", layers: layers{{d("d"), f("d/a", 1000)}, {f("d", 10)}}, wasted: 0, score: "100.00"},
		{name: "file replaced by dir", layers: layers{{f("d", 1000)}, {d("d"), f("d/a", 10)}}, wasted: 0, score: "100.00"},
		{name: "rm -rf of an implied dir", layers: layers{{f("d/a", 1000), f("d/b", 300)}, {gone("d")}},
			wasted: 0, score: "100.00", because: "what has no entry is no directory, so its whiteout counts nothing"},
		{name: "whiteout after a name before it", layers: layers{{d("+q"), f("+q/a", 1000)}, {d("+q"), f("+q/b", 500), gone("+q")}, {gone("+q"), f("+q/a", 1000)}},
			// L1: +q/b, then the whiteout of +q as L0 has it. It comes last
			// in the stack too: in L2 there is no +q to remove, but +q/a
			// was looked at before.
			wasted: 2000, score: "71.43"},
		{name: "empty dir re-chmodded", layers: layers{{d("d")}, {d("d", synth.Mode(0o700))}}, wasted: 0, score: "100.00"},
		{name: "symlink retargeted", layers: layers{{synth.Symlink("s", "a")}, {synth.Symlink("s", "b")}}, wasted: 0, score: "100.00"},
		{name: "path twice in one tar", layers: layers{{f("a", 1000), k, f("a", 1000)}}, wasted: 0, score: "100.00", size: 2010},
		{name: "the same layer twice", layers: layers{{f("a", 1000)}, {f("b", 2011)}, {f("b", 2011)}}, wasted: 4022, score: "59.96", size: 5022},
		{name: "no layers", layers: layers{}, wasted: 0, score: "100.00", user: "NaN"},
		{name: "one layer", layers: layers{{f("a", 1000)}}, wasted: 0, score: "100.00", user: "NaN"},
		{name: "one layer with waste", layers: layers{{f("a", 10, synth.Mode(0o040755)), gone("a")}}, wasted: 20, score: "50.00", user: "+Inf",
			because: "a file whose mode says directory is removed by its own layer"},
		{name: "a real build", layers: layers{
			{d("bin"), f("bin/busybox", 2_000_000)},
			{d("opt"), d("opt/big"), f("opt/big/x", 5_120_000), d("opt/op"), f("opt/op/x", 3_072_000), d("opt/hl"), f("opt/hl/a", 2_048_000), synth.Hardlink("opt/hl/b", "opt/hl/a")},
			{d("opt"), gone("opt/big")},
			{d("opt"), d("opt/op"), synth.Opaque("opt/op"), synth.File("opt/op/b", "hi\n")},
			{d("opt"), d("opt/hl"), gone("opt/hl/a")},
		}, wasted: 2_048_000, score: "88.20", because: "of 8,192,000 bytes that nobody can reach it counts none"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := check(t, tt.layers)
			if n.WastedBytes != tt.wasted || percent(n.EfficiencyScore) != tt.score {
				t.Errorf("%d bytes wasted, score %s; want %d, %s: %s", n.WastedBytes, percent(n.EfficiencyScore), tt.wasted, tt.score, tt.because)
			}
			if tt.user != "" && percent(n.UserWastedPercent) != tt.user {
				t.Errorf("%s %% of the user's bytes wasted, want %s", percent(n.UserWastedPercent), tt.user)
			}
			if tt.size != 0 && n.SizeBytes != tt.size {
				t.Errorf("%d bytes, want %d", n.SizeBytes, tt.size)
			}
		})
	}
}

func percent(x float64) string { return fmt.Sprintf("%.2f", 100*x) }

// TestHeadersThatLie has sums that don't fit: dive adds up what headers claim,
// and only files have bodies that would have to be there.
func TestHeadersThatLie(t *testing.T) {
	claim := func(h *tar.Header) { h.Size = 1<<62 + 1<<40 }
	l := synth.Layer{synth.Hardlink("a", "b", claim), synth.Hardlink("c", "b", claim)}
	n := check(t, []synth.Layer{l, l, l})
	if uint64(n.UserSizeBytes) != 4*(1<<40) {
		t.Errorf("%d bytes of the user's, want what is left of 4 times 2^62 + 2^40 in 64 bits", uint64(n.UserSizeBytes))
	}
}

// TestDeepPath has a path of ten thousand components come and go twice.
func TestDeepPath(t *testing.T) {
	come := synth.Layer{synth.Dir("a"), bytesOf(strings.Repeat("a/", 10_000)+"f", 10)}
	gone := synth.Layer{synth.Whiteout("a")}
	got := dive.Compute(indexes(t, []synth.Layer{come, gone, come, gone}))
	want := dive.Numbers{SizeBytes: 20, UserSizeBytes: 10, EfficiencyScore: 0.5, WastedBytes: 40, UserWastedPercent: 4}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("numbers (-want +got):\n%s", diff)
	}
}

func TestRandomImages(t *testing.T) {
	wasted, below, gaveUp := 0, 0, 0
	for seed := range uint64(500) {
		var layers []synth.Layer
		for _, s := range divetest.Image(seed).Steps {
			layers = append(layers, s.Layer)
		}
		n := check(t, layers)
		if t.Failed() {
			t.Fatalf("seed %d:\n%s", seed, describe(t, layers))
		}
		if n.WastedBytes > 0 {
			wasted++
		}
		if n.EfficiencyScore < 0.9 {
			below++
		}
		if n.WastedBytes == 0 && n.EfficiencyScore < 1 {
			gaveUp++
		}
	}
	// Images that all come out alike would prove nothing.
	t.Logf("%d waste bytes, %d score below 0.9, %d score below 1 for no waste", wasted, below, gaveUp)
	if wasted < 150 || below < 150 || gaveUp < 50 {
		t.Error("the random images are too much alike")
	}
}

// describe lists the tars' members.
func describe(t testing.TB, layers []synth.Layer) string {
	var b bytes.Buffer
	for k, l := range layers {
		r := l.Open(synth.None)
		for tr := tar.NewReader(r); ; {
			h, err := tr.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&b, "%d %c %o %q %d\n", k, h.Typeflag, h.Mode, h.Name, h.Size)
		}
		r.Close()
	}
	return b.String()
}
