package analyze_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/source"
	"github.com/layerscope/layerscope/analyze/synth"
	"github.com/layerscope/layerscope/analyze/synth/fixture"
)

// file is a layer of one file of a size that tells it from others.
func file(size int64) synth.Layer {
	return synth.Layer{synth.Noise(fmt.Sprintf("f%d", size), size, uint64(size))}
}

// day is so many days after some day.
func day(n int) time.Time { return time.Date(2025, 2, 3, 12, 0, 0, 0, time.UTC).AddDate(0, 0, n) }

const frontend = "buildkit.dockerfile.v0"

// baseImage is built on nothing, and appImage on it, a day later. Only the
// records that both have say where the base ends: the last is metadata of the
// base's, and no CMD.
var (
	baseImage = synth.Image{Tags: []string{"base:1"}, Steps: []synth.Step{
		{CreatedBy: "COPY a / # buildkit", Comment: frontend, Created: day(0), Layer: file(1000)},
		{CreatedBy: "COPY b / # buildkit", Comment: frontend, Created: day(0), Layer: file(200)},
		{CreatedBy: "ENV A=b", Comment: frontend, Created: day(0)},
	}}
	appImage = synth.Image{Tags: []string{"app:1"}, Steps: slices.Concat(baseImage.Steps, []synth.Step{
		{CreatedBy: "ENV C=d", Comment: frontend, Created: day(1)},
		{CreatedBy: "COPY c / # buildkit", Comment: frontend, Created: day(1), Layer: file(30)},
	})}
)

// save writes an archive.
func save(t testing.TB, write func(io.Writer) error) string {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "image.tar")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func ociArchive(t testing.TB, ref synth.Ref) string {
	return save(t, func(w io.Writer) error { return synth.OCIArchive(w, ref) })
}

func dockerArchive(t testing.TB, img synth.Image) string {
	return save(t, func(w io.Writer) error { return synth.DockerArchive(w, img) })
}

func read(t testing.TB, ref string, opts analyze.Options) *analyze.Image {
	t.Helper()
	m, err := analyze.Analyze(t.Context(), ref, opts)
	if err != nil {
		t.Fatal(err)
	}
	checkBase(t, m)
	return m
}

// checkBase holds the base to what is true of any.
func checkBase(t testing.TB, m *analyze.Image) {
	t.Helper()
	layers, steps := 0, 0
	var base, own analyze.Sums
	for k, l := range m.Layers {
		sums := &own
		if l.Base {
			layers++
			sums = &base
		}
		if l.Base != (k < m.Base.Layers) {
			t.Errorf("layer %d of a base of %d: %v", k, m.Base.Layers, l.Base)
		}
		if m.Steps[l.Step].Base != l.Base {
			t.Errorf("layer %d and its step are of different images", k)
		}
		sums.Stored += l.Stored
		sums.Live += l.Live
		sums.Dead += l.Dead
		sums.Compressed += l.Compressed
	}
	for _, s := range m.Steps {
		if s.Base {
			steps++
		}
	}
	if layers != m.Base.Layers || steps != m.Base.Steps || m.Base.How == "" && layers+steps > 0 {
		t.Errorf("%d layers and %d steps are the base's: %+v", layers, steps, m.Base)
	}
	known := func(s, t analyze.Sums) bool {
		return s.Stored == t.Stored && s.Live == t.Live && s.Dead == t.Dead && (t.Compressed == analyze.Unknown || s.Compressed == t.Compressed)
	}
	if !known(base, m.Totals.Base) || !known(own, m.Totals.Own) {
		t.Errorf("base %+v and own %+v, totals %+v", base, own, m.Totals)
	}
	if m.Totals.Base.Stored+m.Totals.Own.Stored != m.Totals.Stored {
		t.Errorf("%+v don't add up", m.Totals)
	}
}

// TestBaseGiven compares images in every format.
func TestBaseGiven(t *testing.T) {
	v1Archive := func(img synth.Image) string {
		return withoutList(t, dockerArchive(t, img))
	}
	ways := map[string]func(img synth.Image) string{
		"oci":    func(img synth.Image) string { return ociArchive(t, img) },
		"docker": func(img synth.Image) string { return dockerArchive(t, img) },
		"podman": func(img synth.Image) string {
			return save(t, func(w io.Writer) error { return synth.PodmanArchive(w, img) })
		},
		"stream": func(img synth.Image) string { return gzipped(t, ociArchive(t, img)) },
		"v1":     v1Archive,
	}
	bases, apps := map[string]string{}, map[string]string{}
	for way, write := range ways {
		bases[way], apps[way] = write(baseImage), write(appImage)
	}
	for baseWay, base := range bases {
		for appWay, app := range apps {
			t.Run(baseWay+" of "+appWay, func(t *testing.T) {
				m := read(t, app, analyze.Options{Base: base})
				if m.Base.How != analyze.BaseGiven || m.Base.Layers != 2 || m.Totals.Base.Stored != 1200 || m.Totals.Own.Stored != 30 {
					t.Errorf("%+v, totals %+v", m.Base, m.Totals)
				}
				if want := 3; baseWay != "v1" && appWay != "v1" && m.Base.Steps != want {
					t.Errorf("%d steps, want %d", m.Base.Steps, want)
				}
			})
		}
	}
	m := read(t, apps["oci"], analyze.Options{Base: apps["docker"]})
	if m.Base.Layers != 3 || m.Base.Steps != 5 || m.Totals.Own.Stored != 0 {
		t.Errorf("an image on itself: %+v", m.Base)
	}
}

// withoutList returns a copy of an archive without manifest.json: its form
// before docker 1.10, in which nothing has a digest.
func withoutList(t *testing.T, path string) string {
	t.Helper()
	return rewriteTar(t, path, func(name string, body []byte) []byte {
		if name == "manifest.json" {
			return nil
		}
		return body
	})
}

// rewriteTar returns a copy of a tar with its files' bodies edited, without
// those of which nothing is left.
func rewriteTar(t *testing.T, path string, edit func(name string, body []byte) []byte) string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return save(t, func(w io.Writer) error {
		tr, tw := tar.NewReader(f), tar.NewWriter(w)
		for {
			h, err := tr.Next()
			if err == io.EOF {
				return tw.Close()
			}
			body, rerr := io.ReadAll(tr)
			if err = errors.Join(err, rerr); err != nil {
				return err
			}
			if h.Typeflag == tar.TypeReg {
				if body = edit(h.Name, body); body == nil {
					continue
				}
			}
			h.Size = int64(len(body))
			if err := tw.WriteHeader(h); err != nil {
				return err
			}
			if _, err := tw.Write(body); err != nil {
				return err
			}
		}
	})
}

// gzipped returns a compressed copy of a file.
func gzipped(t *testing.T, path string) string {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return save(t, func(w io.Writer) error {
		zw := gzip.NewWriter(w)
		_, err := zw.Write(raw)
		return errors.Join(err, zw.Close())
	})
}

// only returns a copy of a docker archive whose list has but the image of a tag.
func only(t *testing.T, path, tag string) string {
	t.Helper()
	return rewriteTar(t, path, func(name string, body []byte) []byte {
		if name != "manifest.json" {
			return body
		}
		type image struct {
			Config           string
			RepoTags, Layers []string
		}
		var images []image
		if err := json.Unmarshal(body, &images); err != nil {
			t.Fatal(err)
		}
		images = slices.DeleteFunc(images, func(i image) bool { return !slices.Contains(i.RepoTags, tag) })
		body, err := json.Marshal(images)
		if err != nil {
			t.Fatal(err)
		}
		return body
	})
}

// TestBaseNotGiven says where images part.
func TestBaseNotGiven(t *testing.T) {
	app := ociArchive(t, appImage)
	changed := baseImage
	changed.Steps = slices.Clone(baseImage.Steps)
	changed.Steps[1].Layer = file(201)
	longer := appImage
	longer.Steps = slices.Concat(appImage.Steps, []synth.Step{{Layer: file(4)}})

	_, err := analyze.Analyze(t.Context(), app, analyze.Options{Base: dockerArchive(t, changed)})
	var not *analyze.NotBaseError
	if !errors.As(err, &not) {
		t.Fatalf("error %v", err)
	}
	base, own := read(t, dockerArchive(t, changed), analyze.Options{}), read(t, app, analyze.Options{})
	want := analyze.NotBaseError{
		Base: not.Base, Image: app, BaseLayers: 2, ImageLayers: 3, At: 1,
		OfBase: base.Layers[1].DiffID, OfImage: own.Layers[1].DiffID,
	}
	if diff := cmp.Diff(want, *not); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for _, part := range []string{"layer 1 of the base is " + want.OfBase.String(), "of the image " + want.OfImage.String(), "2 layers", "the image 3"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%v doesn't say %q", err, part)
		}
	}
	_, err = analyze.Analyze(t.Context(), app, analyze.Options{Base: ociArchive(t, longer)})
	if err == nil || !strings.Contains(err.Error(), "the base has 4 layers, the image only 3") {
		t.Errorf("a base with more layers: error %v", err)
	}
	for ref, want := range map[string]string{"gone.tar": `opening the base: no such file: "gone.tar"`, "-": "standard input"} {
		if _, err := analyze.Analyze(t.Context(), app, analyze.Options{Base: ref}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", ref, err, want)
		}
	}
	both := analyze.Options{Base: "-", Source: source.Options{Stdin: strings.NewReader("")}}
	if _, err := analyze.Analyze(t.Context(), "-", both); err == nil || !strings.Contains(err.Error(), "both") {
		t.Errorf("error %v", err)
	}
}

// TestBasePlatform takes of a base for several platforms the image's.
func TestBasePlatform(t *testing.T) {
	on := func(img synth.Image, arch, variant string, size int64) synth.Image {
		img.Platform = v1.Platform{OS: "linux", Architecture: arch, Variant: variant}
		img.Steps = slices.Concat([]synth.Step{{CreatedBy: "FROM " + arch, Layer: file(size)}}, img.Steps)
		return img
	}
	base := ociArchive(t, synth.Index{Tags: []string{"base:1"}, Images: []synth.Image{
		on(baseImage, "amd64", "", 1), on(baseImage, "arm", "v6", 2), on(baseImage, "arm", "v7", 3), on(baseImage, "s390x", "", 4),
	}})
	for _, tt := range []struct {
		arch, variant string
		size          int64
	}{{"amd64", "", 1}, {"amd64", "v3", 1}, {"arm", "v6", 2}, {"arm", "v7", 3}, {"s390x", "", 4}} {
		m := read(t, ociArchive(t, on(appImage, tt.arch, tt.variant, tt.size)), analyze.Options{Base: base})
		if m.Base.Layers != 3 || m.Base.Steps != 4 {
			t.Errorf("%s/%s: %+v", tt.arch, tt.variant, m.Base)
		}
	}
	_, err := analyze.Analyze(t.Context(), ociArchive(t, on(appImage, "riscv64", "", 5)), analyze.Options{Base: base})
	if err == nil || !strings.Contains(err.Error(), "opening the base: ") || !strings.Contains(err.Error(), "no image for linux/riscv64") {
		t.Errorf("error %v", err)
	}
}

// TestBaseMisfit marks layers whatever the history is like.
func TestBaseMisfit(t *testing.T) {
	for name, records := range map[string]int{"missing": 0, "short": 2, "long": 7} {
		app := appImage
		app.EditConfig = func(c *v1.ConfigFile) { c.History = append(c.History, c.History...)[:records] }
		m := read(t, ociArchive(t, app), analyze.Options{Base: ociArchive(t, baseImage)})
		steps := 2 // that stand for the layers
		if records >= 3 {
			steps += 3 // records that are the base's own
		}
		if m.Fit.String() != name || m.Base.Layers != 2 || m.Base.Steps != steps {
			t.Errorf("%s: fit %v, %+v", name, m.Fit, m.Base)
		}
	}
	base := baseImage // another history, but the layers agree
	base.Steps = slices.Clone(base.Steps)
	base.Steps[0].CreatedBy = "another"
	if m := read(t, ociArchive(t, appImage), analyze.Options{Base: ociArchive(t, base)}); m.Base.Layers != 2 || m.Base.Steps != 2 {
		t.Errorf("another history: %+v", m.Base)
	}
}

// TestBaseRandom builds images on images, and cuts them again.
func TestBaseRandom(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for n := range 120 {
		var steps []synth.Step
		for range 1 + rng.IntN(8) {
			s := synth.Step{CreatedBy: fmt.Sprintf("RUN %d # buildkit", rng.IntN(5)), Created: day(rng.IntN(3))}
			if rng.IntN(3) > 0 {
				s.Layer = file(1 + rng.Int64N(4))
			}
			steps = append(steps, s)
		}
		cut := rng.IntN(len(steps) + 1)
		layers, bytes := 0, int64(0)
		for _, s := range steps[:cut] {
			if s.Layer != nil {
				layers++
			}
		}
		app := ociArchive(t, synth.Image{Steps: steps})
		m := read(t, app, analyze.Options{Base: dockerArchive(t, synth.Image{Steps: steps[:cut]})})
		for _, l := range m.Layers[:layers] {
			bytes += l.Stored
		}
		if m.Base.How != analyze.BaseGiven || m.Base.Layers != layers || m.Base.Steps != cut || m.Totals.Base.Stored != bytes {
			t.Fatalf("try %d: %+v, want %d layers, %d steps", n, m.Base, layers, cut)
		}
		// The layers that a provenance names are those, however it was made.
		p := synth.Provenance{Max: true, From: "docker-image://docker.io/library/base:1", FromLayers: layers, Version: []string{"v0.2", "v1"}[n%2]}
		if layers == 0 {
			p.From = ""
		}
		m = read(t, ociArchive(t, synth.Index{Images: []synth.Image{{Steps: steps}}, Attest: true, Provenance: p}), analyze.Options{})
		if m.Base.How != analyze.BaseProvenance || m.Base.Layers != layers || m.Base.Steps > cut {
			t.Fatalf("try %d: by provenance %+v, want %d layers and at most %d steps", n, m.Base, layers, cut)
		}
	}
}

// pushed pushes an image or index and returns how it is reached.
func pushed(t *testing.T, host, rest string, x synth.Index) string {
	t.Helper()
	ref, err := name.ParseReference(host + "/" + rest)
	if err != nil {
		t.Fatal(err)
	}
	idx, err := x.V1()
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.WriteIndex(ref, idx); err != nil {
		t.Fatal(err)
	}
	return "registry://" + ref.Name()
}

// TestBaseFound finds the base by what was said of the image.
func TestBaseFound(t *testing.T) {
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer server.Close()
	host := strings.TrimPrefix(server.URL, "http://")
	baseRef := pushed(t, host, "base:1", synth.Index{Images: []synth.Image{baseImage}})
	baseName := strings.TrimPrefix(baseRef, "registry://")
	pushed(t, host, "other:1", synth.Index{Images: []synth.Image{{Steps: []synth.Step{{Layer: file(7)}}}}})
	ref, err := name.ParseReference(baseName)
	if err != nil {
		t.Fatal(err)
	}
	index, err := remote.Head(ref)
	if err != nil {
		t.Fatal(err)
	}
	digest := index.Digest
	at := host + "/base@" + digest.String()

	// A registry is in the way of the layers' digests: the other witnesses
	// are asked of archives too.
	material := fmt.Sprintf("pkg:docker/%s/base@1?digest=%s", strings.ReplaceAll(host, ":", "%3A"), digest)
	builder := fmt.Sprintf("pkg:docker/%s/other@1", strings.ReplaceAll(host, ":", "%3A"))
	from := "docker-image://" + baseName + "@" + digest.String()
	recompressed := func(h v1.Hash) v1.Hash { h.Hex = h.Hex[1:] + "0"; return h }
	annotations := map[string]string{"org.opencontainers.image.base.name": baseName, "org.opencontainers.image.base.digest": digest.String()}
	annotated := appImage
	annotated.EditManifest = func(m *v1.Manifest) { m.Annotations = annotations }
	nobodys := v1.Hash{Algorithm: "sha256", Hex: strings.Repeat("a", 64)}
	unknown := appImage
	unknown.EditManifest = func(m *v1.Manifest) {
		m.Annotations = map[string]string{"org.opencontainers.image.base.name": baseName, "org.opencontainers.image.base.digest": nobodys.String()}
	}
	listed := appImage
	listed.Annotations = annotations
	stale := appImage
	stale.EditManifest = func(m *v1.Manifest) {
		m.Annotations = map[string]string{"org.opencontainers.image.base.name": host + "/other:1"}
	}
	labelled := appImage
	labelled.Config.Labels = annotations
	inherited := labelled // by an image built on app
	inherited.Steps = slices.Concat(appImage.Steps, []synth.Step{
		{CreatedBy: `CMD ["x"]`, Comment: frontend, Created: day(1)},
		{CreatedBy: "COPY d / # buildkit", Comment: frontend, Created: day(2), Layer: file(4)},
	})
	guessable := appImage
	guessable.Steps = slices.Insert(slices.Clone(appImage.Steps), 3, synth.Step{CreatedBy: `CMD ["x"]`, Comment: frontend, Created: day(0)})

	exact := analyze.Base{How: analyze.BaseProvenance, Name: baseName, Digest: digest, Layers: 2, Steps: 2}
	looked := exact
	looked.Steps = 3 // by the records of the base that was found
	how := func(b analyze.Base, how string) analyze.Base { b.How = how; return b }
	named := analyze.Base{Name: baseName, Digest: digest}
	for _, tt := range []struct {
		name              string
		image             synth.Image
		provenance        *synth.Provenance
		registry, archive analyze.Base
	}{
		{"max", appImage, &synth.Provenance{Max: true, From: from, FromLayers: 2}, looked, exact},
		{"max, v0.2", appImage, &synth.Provenance{Version: "v0.2", Max: true, From: from, FromLayers: 2}, looked, exact},
		{"max, compressed again", appImage, &synth.Provenance{Max: true, From: from, FromLayers: 2, EditLayers: recompressed}, looked, exact},
		{"max without layers", appImage, &synth.Provenance{Max: true, From: from, FromLayers: -1}, looked, named},
		{"max on scratch", appImage, &synth.Provenance{Max: true, Materials: []string{builder}}, analyze.Base{How: analyze.BaseProvenance}, analyze.Base{How: analyze.BaseProvenance}},
		{"max before annotations", annotated, &synth.Provenance{Max: true, FromLayers: 1, From: "docker-image://" + host + "/gone:1"},
			analyze.Base{How: analyze.BaseProvenance, Name: host + "/gone:1", Layers: 1, Steps: 1},
			analyze.Base{How: analyze.BaseProvenance, Name: host + "/gone:1", Layers: 1, Steps: 1}},
		{"min", appImage, &synth.Provenance{Materials: []string{builder, material}}, looked, analyze.Base{}},
		{"min, v0.2", appImage, &synth.Provenance{Version: "v0.2", Materials: []string{material}}, looked, analyze.Base{}},
		{"min, perhaps on scratch", appImage, &synth.Provenance{Materials: []string{builder}}, analyze.Base{}, analyze.Base{}},
		{"min, with a guess", guessable, &synth.Provenance{Materials: []string{material}, Frontend: "docker/dockerfile:1"},
			analyze.Base{How: analyze.BaseProvenance, Name: baseName, Digest: digest, Layers: 2, Steps: 3},
			analyze.Base{How: analyze.BaseGuessed, Name: baseName, Digest: digest, Layers: 2, Steps: 4}},
		{"annotations", annotated, nil, how(looked, analyze.BaseAnnotations), named},
		{"annotations with a digest that isn't there", unknown, nil,
			analyze.Base{How: analyze.BaseAnnotations, Name: baseName, Digest: nobodys, Layers: 2, Steps: 3}, analyze.Base{Name: baseName, Digest: nobodys}},
		{"annotations of the index", listed, nil, how(looked, analyze.BaseAnnotations), named},
		{"annotations of another image", stale, nil, analyze.Base{Name: host + "/other:1"}, analyze.Base{Name: host + "/other:1"}},
		{"labels", labelled, nil, how(looked, analyze.BaseLabels), analyze.Base{}},
		{"inherited labels", inherited, nil, analyze.Base{How: analyze.BaseGuessed, Layers: 3, Steps: 6}, analyze.Base{How: analyze.BaseGuessed, Layers: 3, Steps: 6}},
		{"nothing", appImage, nil, analyze.Base{}, analyze.Base{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			x := synth.Index{Images: []synth.Image{tt.image}}
			if tt.provenance != nil {
				x.Attest, x.Provenance = true, *tt.provenance
			}
			opts := analyze.Options{Source: source.Options{Keychain: authn.NewMultiKeychain()}}
			archive := ociArchive(t, x)
			for ref, want := range map[string]analyze.Base{
				pushed(t, host, "app:1", x): tt.registry, archive: tt.archive, gzipped(t, archive): tt.archive,
			} {
				if diff := cmp.Diff(want, read(t, ref, opts).Base); diff != "" {
					t.Errorf("%s: -want +got:\n%s", ref, diff)
				}
			}
		})
	}
	if m := read(t, ociArchive(t, appImage), analyze.Options{Base: "registry://" + at}); m.Base.Digest == (v1.Hash{}) || m.Base.Steps != 3 {
		t.Errorf("a base by digest: %+v", m.Base)
	}
}

// TestBuildpacks takes the lifecycle's word for images that it made itself.
func TestBuildpacks(t *testing.T) {
	ids := read(t, ociArchive(t, appImage), analyze.Options{}).Layers
	label := func(top v1.Hash, rest string) map[string]string {
		return map[string]string{"io.buildpacks.lifecycle.metadata": fmt.Sprintf(`{"runImage": {"topLayer": %q%s}}`, top, rest)}
	}
	digest := v1.Hash{Algorithm: "sha256", Hex: strings.Repeat("a", 64)}
	reference := fmt.Sprintf(`, "reference": "index.docker.io/org/run@%s"`, digest)
	for _, tt := range []struct {
		name    string
		labels  map[string]string
		records string // what made the last layer
		want    analyze.Base
	}{
		{"by digest", label(ids[1].DiffID, reference), "Application Layer",
			analyze.Base{How: analyze.BaseLabels, Name: "index.docker.io/org/run", Digest: digest, Layers: 2, Steps: 2}},
		{"by name too", label(ids[0].DiffID, reference+`, "image": "org/run:1"`), "Application Layer",
			analyze.Base{How: analyze.BaseLabels, Name: "org/run:1", Digest: digest, Layers: 1, Steps: 1}},
		{"by ID", label(ids[1].DiffID, `, "reference": "5d0da3dc976460b72c77d94c8a1ad043720b0416bfc16c52c45d4847e53fadb6"`), "Application Layer",
			analyze.Base{How: analyze.BaseLabels, Layers: 2, Steps: 2}},
		{"inherited", label(ids[0].DiffID, reference), "COPY c / # buildkit", analyze.Base{How: analyze.BaseGuessed, Layers: 2, Steps: 4}},
		{"another layer", label(digest, reference), "Application Layer", analyze.Base{}},
		{"no JSON", map[string]string{"io.buildpacks.lifecycle.metadata": "{"}, "Application Layer", analyze.Base{}},
	} {
		img := appImage
		img.Config.Labels = tt.labels
		img.Steps = slices.Clone(appImage.Steps)
		last := &img.Steps[len(img.Steps)-1]
		last.CreatedBy, last.Comment, last.Created = tt.records, "", day(0)
		for i := range img.Steps[:len(img.Steps)-1] { // that no other way knows
			img.Steps[i].CreatedBy, img.Steps[i].Comment = "", ""
		}
		got := read(t, ociArchive(t, img), analyze.Options{}).Base
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", tt.name, diff)
		}
	}
}

// TestBaseFixtures reads the base of what other tools made of one Dockerfile.
func TestBaseFixtures(t *testing.T) {
	built := filepath.Join(fixture.Dir(t), "built")
	sha := func(hex string) v1.Hash { return v1.Hash{Algorithm: "sha256", Hex: hex} }
	const busybox = "localhost/local/busybox:deb"
	for file, want := range map[string]analyze.Base{
		"buildkit-oci-attest.tar": {How: analyze.BaseProvenance, Name: "docker.io/local/busybox:deb", Layers: 1, Steps: 1,
			Digest: sha("75affcc2266ed8c0a2f23756d46431dc2ffce30f77a02cc5da41d61a8af56811")},
		"buildah-layers-oci.tar": {How: analyze.BaseLabels, Name: busybox, Layers: 1, Steps: 1,
			Digest: sha("dc107c0d2afa6ad99f33ddeb922be646f6dcfff801f2720ab6b152e8c68ab5a5")},
		"buildah-nolayers-oci.tar": {How: analyze.BaseLabels, Name: busybox, Layers: 1, Steps: 1,
			Digest: sha("35fcfe01219a3cf1d01c557cd25bf81d4d27a86340af80fb196ab1ce6739382f")},
		"buildkit-oci-gzip.tar": {How: analyze.BaseGuessed, Layers: 1, Steps: 1},
	} {
		m, err := analyzeFixture(t, filepath.Join(built, file), source.Options{})
		if err != nil {
			t.Fatal(err)
		}
		checkBase(t, m)
		if diff := cmp.Diff(want, m.Base); diff != "" {
			t.Errorf("%s: -want +got:\n%s", file, diff)
		}
	}
	// The same base in another archive, with its layers unpacked.
	archive := filepath.Join(built, "podman-docker-multi.tar")
	for _, tag := range []string{"localhost/mini:l", "localhost/mini:nl"} {
		opts := analyze.Options{Source: source.Options{Tag: tag}, Base: only(t, archive, busybox)}
		if m := read(t, archive, opts); m.Base.How != analyze.BaseGiven || m.Base.Layers != 1 || m.Base.Steps != 1 {
			t.Errorf("%s: %+v", tag, m.Base)
		}
	}
}
