package diff_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/analyzetest"
	"github.com/layerscope/layerscope/analyze/layer"
	"github.com/layerscope/layerscope/analyze/source"
	"github.com/layerscope/layerscope/analyze/synth"
	"github.com/layerscope/layerscope/analyze/tree/naive"
	"github.com/layerscope/layerscope/diff"
)

// image returns an image of layers.
func image(layers ...synth.Layer) synth.Image {
	var img synth.Image
	for i, l := range layers {
		img.Steps = append(img.Steps, synth.Step{CreatedBy: fmt.Sprintf("COPY %d / # buildkit", i), Layer: l})
	}
	return img
}

// pairs are layer pairs in short: "old-new state".
func pairs(l *diff.Layers) (out []string) {
	for _, p := range l.Pairs {
		out = append(out, fmt.Sprintf("%d-%d %s", p.Old, p.New, p.State))
	}
	return out
}

// inDockerArchive analyzes an image that is saved as engines save it, with
// neither digests nor compressed sizes.
func inDockerArchive(t *testing.T, img synth.Image) *analyze.Image {
	t.Helper()
	var b bytes.Buffer
	path := filepath.Join(t.TempDir(), "image.tar")
	if err := errors.Join(synth.DockerArchive(&b, img), os.WriteFile(path, b.Bytes(), 0o600)); err != nil {
		t.Fatal(err)
	}
	m, err := analyze.Analyze(t.Context(), path, analyze.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

var (
	base  = synth.Layer{synth.Dir("etc"), synth.File("etc/a", "a"), synth.Noise("etc/noise", 3000, 1)}
	tools = synth.Layer{synth.Dir("bin"), synth.Noise("bin/tool", 5000, 2), synth.Hardlink("bin/link", "bin/tool")}
	app   = synth.Layer{synth.Noise("app", 7000, 3), synth.Whiteout("etc/a")}
	later = synth.ModTime(time.Unix(synth.Epoch+1000, 0))

	toolsLater   = synth.Layer{synth.Dir("bin", later), synth.Noise("bin/tool", 5000, 2, later), synth.Hardlink("bin/link", "bin/tool", later)}
	toolsMoved   = synth.Layer{tools[1], tools[0], tools[2]}
	toolsLinkTop = synth.Layer{tools[0], tools[2], tools[1]} // a link to what is below
	nothing      = synth.Layer{}
)

// sizes returns the layers' compressed sizes, Unknown among them.
func sizes(m *analyze.Image, layers ...int) (sum int64) {
	for _, k := range layers {
		if m.Layers[k].Compressed == analyze.Unknown {
			return analyze.Unknown
		}
		sum += m.Layers[k].Compressed
	}
	return sum
}

// chain returns what Docker's engine fetches of an image if it has another, of
// which all is known.
func chain(has, wants *analyze.Image) (sum int64) {
	if has.ID == wants.ID && has.ID != (v1.Hash{}) {
		return 0
	}
	fetched := map[v1.Hash]int64{}
	for k, l := range wants.Layers {
		if k < len(has.Layers) && len(fetched) == 0 && has.Layers[k].Digest == l.Digest {
			continue
		}
		fetched[l.Digest] = l.Compressed
	}
	for _, size := range fetched {
		sum += size
	}
	return sum
}

func TestCompareLayers(t *testing.T) {
	zstd := func(img synth.Image) synth.Image { img.Compression = synth.Zstd; return img }
	for _, tt := range []struct {
		name      string
		old, new  synth.Image
		pairs     []string
		pull      []int // layers of new
		back      []int // layers of old
		identical bool
	}{
		{"the same", image(base, app), image(base, app), []string{"0-0 shared", "1-1 shared"}, nil, nil, true},
		{"no layers", image(), image(), nil, nil, nil, true},
		{"nothing to something", image(), image(base), []string{"-1-0 onlyNew"}, []int{0}, nil, false},
		{"something to nothing", image(base), image(), []string{"0--1 onlyOld"}, nil, []int{0}, false},
		{"another on top", image(base, tools), image(base, app), []string{"0-0 shared", "1--1 onlyOld", "-1-1 onlyNew"}, []int{1}, []int{1}, false},
		{"another in between", image(base, app), image(base, tools, app), []string{"0-0 shared", "-1-1 onlyNew", "1-2 shared"}, []int{1}, nil, false},
		{"another order", image(base, app), image(app, base), []string{"1-0 shared", "0-1 shared"}, nil, nil, false},
		{"only old stands below", image(base, tools, app), image(app), []string{"0--1 onlyOld", "1--1 onlyOld", "2-0 shared"}, nil, []int{0, 1}, false},
		{"only old stands between", image(base, tools, app), image(base, nothing, app), []string{"0-0 shared", "1--1 onlyOld", "-1-1 onlyNew", "2-2 shared"}, []int{1}, []int{1}, false},
		{"zstd for gzip", image(base, app), zstd(image(base, app)), []string{"0-0 recompressed", "1-1 recompressed"}, []int{0, 1}, []int{0, 1}, false},
		{"times", image(base, tools), image(base, toolsLater), []string{"0-0 shared", "1-1 retouched"}, []int{1}, []int{1}, false},
		{"order of the tar", image(tools), image(toolsMoved), []string{"0-0 retouched"}, []int{0}, []int{0}, false},
		{"order that counts", image(tools), image(toolsLinkTop), []string{"0--1 onlyOld", "-1-0 onlyNew"}, []int{0}, []int{0}, false},
		{"times, in zstd", image(tools), zstd(image(toolsLater)), []string{"0-0 retouched"}, []int{0}, []int{0}, false},
		{"twice and once", image(base, nothing, app, nothing), image(base, nothing, app),
			[]string{"0-0 shared", "1-1 shared", "2-2 shared", "3--1 onlyOld"}, nil, nil, false},
		{"once and twice", image(base, nothing), image(base, nothing, app, nothing),
			[]string{"0-0 shared", "1-1 shared", "-1-2 onlyNew", "-1-3 onlyNew"}, []int{2}, nil, false},
		{"new, twice", image(base), image(base, app, app), []string{"0-0 shared", "-1-1 onlyNew", "-1-2 onlyNew"}, []int{1}, nil, false},
		{"twins keep their order", image(nothing, app, nothing, base), image(app, nothing, base),
			[]string{"0--1 onlyOld", "1-0 shared", "2-1 shared", "3-2 shared"}, nil, nil, false},
		{"shared before retouched", image(toolsLater, tools), image(tools), []string{"0--1 onlyOld", "1-0 shared"}, nil, []int{0}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			old, new := analyzetest.Image(t, tt.old), analyzetest.Image(t, tt.new)
			l := diff.CompareLayers(old, new)
			if d := cmp.Diff(tt.pairs, pairs(l)); d != "" {
				t.Errorf("pairs (-want +got):\n%s", d)
			}
			if want := (diff.Pull{Bytes: sizes(new, tt.pull...), Layers: len(tt.pull), Chain: chain(old, new)}); l.Pull != want {
				t.Errorf("pull %+v, want %+v", l.Pull, want)
			}
			if want := (diff.Pull{Bytes: sizes(old, tt.back...), Layers: len(tt.back), Chain: chain(new, old)}); l.Back != want {
				t.Errorf("back %+v, want %+v", l.Back, want)
			}
			if l.Identical() != tt.identical {
				t.Errorf("identical: %v", l.Identical())
			}
			addsUp(t, l, old, new)
		})
	}
}

// addsUp checks that each layer stands in one pair, in NEW's order, with its
// bytes.
func addsUp(t *testing.T, l *diff.Layers, old, new *analyze.Image) {
	t.Helper()
	var ofOld, ofNew []int
	var stored, compressed diff.Bytes
	for _, p := range l.Pairs {
		if p.Old >= 0 {
			ofOld = append(ofOld, p.Old)
		}
		if p.New >= 0 {
			ofNew = append(ofNew, p.New)
		}
		stored, compressed = stored.Plus(p.Stored), compressed.Plus(p.Compressed)
	}
	if !slices.IsSorted(ofNew) {
		t.Errorf("NEW's layers are in the order %v", ofNew)
	}
	slices.Sort(ofOld)
	for _, x := range []struct{ got, n int }{{len(slices.Compact(ofOld)), len(old.Layers)}, {len(slices.Compact(ofNew)), len(new.Layers)}} {
		if x.got != x.n {
			t.Errorf("%d layers are in pairs, of %d", x.got, x.n)
		}
	}
	want := diff.Bytes{Old: old.Totals.Stored, New: new.Totals.Stored}
	if stored != want {
		t.Errorf("the pairs store %+v, the images %+v", stored, want)
	}
	want = diff.Bytes{Old: old.Totals.Compressed, New: new.Totals.Compressed}
	if compressed != want {
		t.Errorf("the pairs have %+v compressed, the images %+v", compressed, want)
	}
}

// TestCompareLayersUnknown compares images of which less is known.
func TestCompareLayersUnknown(t *testing.T) {
	old, new := image(base, tools), image(base, toolsLater, app)
	registry, engine := analyzetest.Image(t, new), inDockerArchive(t, old)
	unknown := diff.Pull{Bytes: diff.Unknown, Layers: 1, Chain: diff.Unknown}

	l := diff.CompareLayers(engine, registry)
	if d := cmp.Diff([]string{"0-0 shared", "1-1 retouched", "-1-2 onlyNew"}, pairs(l)); d != "" {
		t.Errorf("pairs (-want +got):\n%s", d)
	}
	if want := (diff.Pull{Bytes: sizes(registry, 1, 2), Layers: 2, Chain: sizes(registry, 1, 2)}); l.Pull != want || l.Back != unknown {
		t.Errorf("pull %+v and %+v, want %+v and %+v", l.Pull, l.Back, want, unknown)
	}
	if l := diff.CompareLayers(registry, inDockerArchive(t, new)); !l.Identical() || l.Pull != (diff.Pull{}) || l.Back != (diff.Pull{}) {
		t.Errorf("the same image in an engine: %v, %+v, %+v", pairs(l), l.Pull, l.Back)
	}

	// Of a manifest alone, nothing is known of the content.
	described := analyzetest.Image(t, old)
	for i := range described.Layers {
		described.Layers[i].Index, described.Layers[i].Stored = nil, analyze.Unknown
	}
	l = diff.CompareLayers(described, registry)
	if d := cmp.Diff([]string{"0-0 shared", "1--1 onlyOld", "-1-1 onlyNew", "-1-2 onlyNew"}, pairs(l)); d != "" {
		t.Errorf("pairs of a manifest (-want +got):\n%s", d)
	}
	if p := l.Pairs[0]; p.Stored.Old != diff.Unknown || p.Stored.New != registry.Layers[0].Stored || p.Compressed.Old != p.Compressed.New {
		t.Errorf("a layer that wasn't read: %+v", p)
	}
	if p := l.Pairs[2]; p.Stored != (diff.Bytes{New: registry.Layers[1].Stored}) || p.Compressed != (diff.Bytes{New: registry.Layers[1].Compressed}) {
		t.Errorf("a layer that only NEW has: %+v", p)
	}
}

// TestPullChain sets what Docker's engine fetches against what one does that finds
// layers by their digests. The engine's own figures are in the e2e tests.
func TestPullChain(t *testing.T) {
	old := image(base, tools, app)
	changed := image(base, toolsLater, app)
	zstd := changed
	zstd.Compression = synth.Zstd
	for _, tt := range []struct {
		name         string
		old, new     synth.Image
		bytes, chain []int // layers of new
	}{
		{"shared above one that isn't", old, changed, []int{1}, []int{1, 2}},
		{"the lowest is gone", old, image(tools, app), nil, []int{0, 1}},
		{"the lowest again on top", old, image(base, tools, app, base), nil, []int{0}},
		{"one more", old, image(base, tools, app, toolsLater), []int{3}, []int{3}},
		{"twice", image(base), image(base, app, app), []int{1}, []int{1}},
		{"the same config", changed, zstd, []int{0, 1, 2}, nil},
		{"nothing", old, old, nil, nil},
	} {
		new := analyzetest.Image(t, tt.new)
		got := diff.CompareLayers(analyzetest.Image(t, tt.old), new).Pull
		if want := (diff.Pull{Bytes: sizes(new, tt.bytes...), Layers: len(tt.bytes), Chain: sizes(new, tt.chain...)}); got != want {
			t.Errorf("%s: %+v, want %+v", tt.name, got, want)
		}
	}
	unnamed := inDockerArchive(t, old) // by diffID
	new := analyzetest.Image(t, changed)
	if got := diff.CompareLayers(unnamed, new).Pull; got.Bytes != sizes(new, 1) || got.Chain != sizes(new, 1, 2) {
		t.Errorf("an engine's image: %+v", got)
	}
}

// TestCompareLayersForeign counts layers that are fetched from elsewhere: a host
// must fetch them all the same.
func TestCompareLayersForeign(t *testing.T) {
	windows := func(layers ...synth.Layer) synth.Image {
		img := image(layers...)
		img.Platform = v1.Platform{OS: "windows", Architecture: "amd64", OSVersion: "10.0.20348.1"}
		img.EditManifest = func(m *v1.Manifest) {
			m.Layers[0].MediaType, m.Layers[0].URLs = types.DockerForeignLayer, []string{"https://example.com/layer"}
		}
		return img
	}
	files := synth.Layer{synth.Dir("Files"), synth.Noise("Files/x", 9000, 5)}
	old, new := analyzetest.Image(t, windows(files, app)), analyzetest.Image(t, windows(files, tools))
	l := diff.CompareLayers(old, new)
	if d := cmp.Diff([]string{"0-0 shared", "1--1 onlyOld", "-1-1 onlyNew"}, pairs(l)); d != "" || l.Pull.Bytes != sizes(new, 1) {
		t.Errorf("pull %+v; pairs (-want +got):\n%s", l.Pull, d)
	}
	other := analyzetest.Image(t, windows(app, tools))
	if l := diff.CompareLayers(old, other); l.Pull.Bytes != sizes(other, 1) || l.Back.Bytes != sizes(old, 0) {
		t.Errorf("pull %+v, back %+v", l.Pull, l.Back)
	}
}

// modelLayer is a layer as a few small numbers.
type modelLayer struct{ content, times, packed int }

// model makes images of model layers, of contents of the same size.
type model struct {
	t       *testing.T
	indexes map[modelLayer]*layer.Index
}

func (m *model) index(l modelLayer) *layer.Index {
	l.packed = 0
	if m.indexes[l] == nil {
		m.indexes[l] = naive.Index(m.t, []tar.Header{{
			Name: fmt.Sprint("f", l.content), Typeflag: tar.TypeReg, Size: 10, ModTime: time.Unix(int64(1+l.times), 0),
		}})
	}
	return m.indexes[l]
}

func modelDigest(l modelLayer) v1.Hash {
	return v1.Hash{Algorithm: "sha256", Hex: fmt.Sprintf("%d.%d.%d", l.content, l.times, l.packed)}
}

func modelSize(l modelLayer) int64 { return int64(1 + l.content + 10*l.times + 100*l.packed) }

// image makes an image; digests tells whether those and the sizes are known.
func (m *model) image(layers []modelLayer, digests bool) *analyze.Image {
	img := new(analyze.Image)
	for _, l := range layers {
		x := m.index(l)
		made := analyze.Layer{
			Layer: source.Layer{DiffID: x.DiffID, Size: -1},
			Index: x, Sums: analyze.Sums{Stored: x.Stored, Compressed: diff.Unknown},
		}
		if digests {
			made.Digest, made.Size, made.Compressed = modelDigest(l), modelSize(l), modelSize(l)
		}
		img.Layers = append(img.Layers, made)
		img.Totals.Stored += x.Stored
		if digests {
			img.Totals.Compressed += made.Compressed
		} else {
			img.Totals.Compressed = diff.Unknown
		}
	}
	return img
}

// counts returns how many pairs of each state there must be: as many as there
// are equals of one kind, then of the next among those that are left.
func (m *model) counts(old, new []modelLayer, digests bool) map[diff.LayerState]int {
	kinds := []struct {
		state diff.LayerState
		key   func(modelLayer) modelLayer
	}{
		{diff.Shared, func(l modelLayer) modelLayer { return l }},
		{diff.Recompressed, func(l modelLayer) modelLayer { l.packed = 0; return l }},
		{diff.Retouched, func(l modelLayer) modelLayer { return modelLayer{content: l.content} }},
	}
	if !digests {
		kinds[0].key = kinds[1].key
	}
	old, new = slices.Clone(old), slices.Clone(new)
	n := map[diff.LayerState]int{}
	for _, k := range kinds {
		for i := 0; i < len(old); i++ {
			j := slices.IndexFunc(new, func(l modelLayer) bool { return k.key(l) == k.key(old[i]) })
			if j >= 0 {
				old, new = slices.Delete(old, i, i+1), slices.Delete(new, j, j+1)
				n[k.state]++
				i--
			}
		}
	}
	n[diff.OnlyOld], n[diff.OnlyNew] = len(old), len(new)
	return n
}

// pull adds up a set.
func (m *model) pull(has, wants []modelLayer) (p diff.Pull) {
	missing := map[modelLayer]bool{}
	for _, l := range wants {
		if !slices.Contains(has, l) {
			missing[l] = true
		}
	}
	for l := range missing {
		p.Bytes += modelSize(l)
		p.Layers++
	}
	p.Chain = chain(m.image(has, true), m.image(wants, true))
	return p
}

// TestCompareLayersRandom holds random images against multisets.
func TestCompareLayersRandom(t *testing.T) {
	m := &model{t, map[modelLayer]*layer.Index{}}
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 4))
		random := func() (layers []modelLayer) {
			for range r.IntN(9) {
				layers = append(layers, modelLayer{r.IntN(3), r.IntN(2), r.IntN(2)})
			}
			return layers
		}
		a, b := random(), random()
		withOld, withNew := r.IntN(4) > 0, r.IntN(4) > 0
		old, new := m.image(a, withOld), m.image(b, withNew)
		l := diff.CompareLayers(old, new)
		addsUp(t, l, old, new)
		got := map[diff.LayerState]int{diff.OnlyOld: 0, diff.OnlyNew: 0}
		for _, p := range l.Pairs {
			got[p.State]++
			if want := m.stateOf(a, b, p, withOld && withNew); p.State != want {
				t.Errorf("%+v: state %v, want %v", p, p.State, want)
			}
		}
		if d := cmp.Diff(m.counts(a, b, withOld && withNew), got); d != "" {
			t.Errorf("states (-want +got):\n%s", d)
		}
		m.checkOrder(t, l)
		if withOld && withNew {
			if want := m.pull(a, b); l.Pull != want {
				t.Errorf("pull %+v, want %+v", l.Pull, want)
			}
			if want := m.pull(b, a); l.Back != want {
				t.Errorf("back %+v, want %+v", l.Back, want)
			}
		}
		if l.Identical() != (len(a) == len(b) && !slices.ContainsFunc(l.Pairs, func(p diff.LayerPair) bool { return p.State != diff.Shared || p.Old != p.New })) {
			t.Errorf("identical: %v", l.Identical())
		}
		if t.Failed() {
			t.Fatalf("seed %d: %v (digests %v) and %v (%v): %v", seed, a, withOld, b, withNew, strings.Join(pairs(l), ", "))
		}
	}
}

// stateOf returns the state of a pair by what its layers are.
func (m *model) stateOf(old, new []modelLayer, p diff.LayerPair, digests bool) diff.LayerState {
	switch {
	case p.Old < 0:
		return diff.OnlyNew
	case p.New < 0:
		return diff.OnlyOld
	}
	a, b := old[p.Old], new[p.New]
	switch {
	case a.content != b.content:
		return 255 // none would do
	case a.times != b.times:
		return diff.Retouched
	case a.packed != b.packed && digests:
		return diff.Recompressed
	}
	return diff.Shared
}

// checkOrder checks where the layers stand that only OLD has: before the first of
// NEW whose partner is above them in OLD, not before one whose partner isn't, and
// not right behind one that only NEW has.
func (m *model) checkOrder(t *testing.T, l *diff.Layers) {
	t.Helper()
	for i, p := range l.Pairs {
		if p.New >= 0 {
			continue
		}
		for j, q := range l.Pairs {
			above := q.New >= 0 && q.Old > p.Old
			if above && j < i {
				t.Errorf("layer %d of OLD stands behind %d of NEW, whose partner is %d", p.Old, q.New, q.Old)
			}
		}
		if i > 0 && l.Pairs[i-1].Old < 0 {
			t.Errorf("layer %d of OLD stands behind %d that only NEW has", p.Old, l.Pairs[i-1].New)
		}
		for _, q := range l.Pairs[i+1:] {
			if q.New >= 0 && q.Old >= 0 {
				if q.Old < p.Old {
					t.Errorf("layer %d of OLD stands before %d of NEW, whose partner is %d", p.Old, q.New, q.Old)
				}
				break
			}
		}
	}
}

// TestCompareLayersHostile compares images of as many layers as there can be.
func TestCompareLayersHostile(t *testing.T) {
	const n = 65535
	many := func(kinds, shift int) *analyze.Image {
		m := new(analyze.Image)
		for i := range n {
			h := v1.Hash{Algorithm: "sha256", Hex: fmt.Sprint((i + shift) % kinds)}
			m.Layers = append(m.Layers, analyze.Layer{Layer: source.Layer{DiffID: h, Digest: h}})
		}
		return m
	}
	for _, kinds := range []int{1, 5, 257, n} { // of which there are equally many
		l := diff.CompareLayers(many(kinds, 0), many(kinds, 7))
		if i := slices.IndexFunc(l.Pairs, func(p diff.LayerPair) bool { return p.State != diff.Shared }); i >= 0 || len(l.Pairs) != n {
			t.Errorf("%d kinds: %d pairs, of which %d isn't shared", kinds, len(l.Pairs), i)
		}
	}
}
