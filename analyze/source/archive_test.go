package source

import (
	"archive/tar"
	"context"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/layerscope/layerscope/analyze/progress"
)

// TestAnyOrder checks that a stream's members may come in any order, and that
// the image is the same as when the archive is read in place.
func TestAnyOrder(t *testing.T) {
	base, app := layerTar(t, "a", "base"), layerTar(t, "b", "app")
	b := newBlobs(t)
	oci := b.layout(named(b.image(amd64("", base, app, base)), "x:1"))
	archives := map[string][]item{
		"legacy": legacy(t, amd64("x:1", base, app, base)),
		"oci":    oci,
		"both":   append(oci, dockerList(t, amd64("x:1", base, app, base))),
	}
	for name, items := range archives {
		t.Run(name, func(t *testing.T) {
			var want *Description
			rng := rand.New(rand.NewPCG(1, 2))
			for range 40 {
				rng.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
				path := writeFile(t, pack(t, items...))
				agree(t, path, Options{})
				got, err := readAll(t, path, Options{})
				if err != nil {
					t.Fatal(err)
				}
				if want == nil {
					want = got
				}
				if diff := cmp.Diff(want, got); diff != "" && name != "legacy" {
					t.Fatalf("another order, another image (-, +):\n%s", diff)
				}
			}
		})
	}
}

// dockerList returns the manifest.json that stands beside a layout which holds
// the image.
func dockerList(t testing.TB, s sample) item {
	entry := dockerImage{RepoTags: s.tags, Config: "blobs/sha256/" + sha256Of([]byte(s.config(t))).Hex}
	for _, l := range s.layers {
		entry.Layers = append(entry.Layers, "blobs/sha256/"+sha256Of(gzipBytes(t, []byte(l))).Hex)
	}
	return item{name: "manifest.json", body: toJSON(t, []dockerImage{entry})}
}

func TestDescription(t *testing.T) {
	layer := layerTar(t, "a", "base")
	zipped := gzipBytes(t, []byte(layer))
	s := amd64("alpine:3", layer)
	config := s.config(t)
	id, diffID := sha256Of([]byte(config)), sha256Of([]byte(layer))
	b := newBlobs(t)
	manifest := b.image(s)
	layout := b.layout(named(manifest, "alpine:3"))
	key := "blobs/sha256/" + sha256Of(zipped).Hex
	stored := Layer{Key: key, DiffID: diffID, Digest: sha256Of(zipped), MediaType: types.OCILayer, Size: int64(len(zipped))}

	u := newBlobs(t)
	unpacked := u.manifest(v1.Manifest{
		Config: u.add(types.OCIConfigJSON, config), Layers: []v1.Descriptor{u.add(types.OCIUncompressedLayer, layer)},
	})
	uncompressed := u.layout(unpacked)
	plainList := item{name: "manifest.json", body: toJSON(t, []dockerImage{{
		Config: "blobs/sha256/" + id.Hex, RepoTags: s.tags, Layers: []string{"blobs/sha256/" + diffID.Hex}}})}

	legacyItems := legacy(t, s)
	legacyKey := memberName(legacyItems[3].name)
	for name, tt := range map[string]struct {
		items  []item
		source string
		name   string
		tags   []string
		digest v1.Hash
		layer  Layer
	}{
		"docker save before 25": {legacyItems, "docker-archive", "docker.io/library/alpine:3", []string{"alpine:3"}, v1.Hash{},
			Layer{Key: legacyKey, DiffID: diffID, Size: -1}},
		"docker save since 25": {append(layout, dockerList(t, s)), "docker-archive", "docker.io/library/alpine:3",
			[]string{"alpine:3"}, manifest.Digest, stored},
		"docker save of plain tars": {append(uncompressed, plainList), "docker-archive", "docker.io/library/alpine:3", []string{"alpine:3"}, unpacked.Digest,
			Layer{Key: "blobs/sha256/" + diffID.Hex, DiffID: diffID, MediaType: types.OCIUncompressedLayer, Size: -1}},
		"oci": {layout, "oci-archive", "", []string{"alpine:3"}, manifest.Digest, stored},
		"oci of plain tars": {uncompressed, "oci-archive", "", nil, unpacked.Digest,
			Layer{Key: "blobs/sha256/" + diffID.Hex, DiffID: diffID, Digest: diffID, MediaType: types.OCIUncompressedLayer, Size: int64(len(layer))}},
	} {
		t.Run(name, func(t *testing.T) {
			path := writeFile(t, pack(t, tt.items...))
			got, err := readAll(t, path, Options{})
			if err != nil {
				t.Fatal(err)
			}
			agree(t, path, Options{})
			if string(got.RawConfig) != config {
				t.Errorf("config %s, want %s", got.RawConfig, config)
			}
			got.Config, got.RawConfig, got.Annotations = nil, nil, nil
			want := &Description{
				Source: tt.source, Name: tt.name, Tags: tt.tags, ID: id, Digest: tt.digest,
				Platform: v1.Platform{OS: "linux", Architecture: "amd64"}, Layers: []Layer{tt.layer},
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want, +got):\n%s", diff)
			}
		})
	}
}

func TestOuterCompression(t *testing.T) {
	items := legacy(t, amd64("x:1", layerTar(t, "a", strings.Repeat("text ", 1000))))
	archive := pack(t, items...)
	want, err := readAll(t, writeFile(t, archive), Options{})
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"gzip": gzipBytes(t, archive), "zstd": zstdBytes(t, archive)} {
		path := writeFile(t, data)
		var p progress.Progress
		got, err := readAll(t, path, Options{Progress: &p})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-plain, +compressed):\n%s", name, diff)
		}
		if s := p.Snapshot(); s.Bytes != int64(len(data)) || s.Total != int64(len(data)) {
			t.Errorf("%s: progress %d of %d, want all of %d", name, s.Bytes, s.Total, len(data))
		}
		for _, cut := range []int{11, len(data) / 2, len(data) - 1} {
			if _, err := readAll(t, writeFile(t, data[:cut]), Options{}); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%s cut at %d of %d: %v, want unexpected EOF", name, cut, len(data), err)
			}
		}
	}
}

// TestTruncated cuts an archive everywhere. What is left is either the whole
// image, if only the padding or the end blocks are gone, or an error that says
// where the cut is, the same in place and as a stream.
func TestTruncated(t *testing.T) {
	items := legacy(t, amd64("x:1", layerTar(t, "a", "base")))
	archive := pack(t, items...)
	end := len(archive) - 2*tarBlock
	for cut := 1; cut < len(archive); cut += 97 {
		path := writeFile(t, archive[:cut])
		agree(t, path, Options{})
		_, err := readAll(t, path, Options{})
		var hint *HintError
		switch {
		case cut > end:
			// A whole image, and a block of zeros that isn't whole.
		case err == nil && cut < end-tarBlock:
			t.Errorf("cut at %d of %d: no error", cut, len(archive))
		case err != nil && !strings.Contains(err.Error(), "image.tar"):
			t.Errorf("cut at %d: %v doesn't name the archive", cut, err)
		case errors.As(err, &hint), err == nil:
		case !errors.Is(err, io.ErrUnexpectedEOF) && !strings.Contains(err.Error(), "missing"):
			t.Errorf("cut at %d: %v", cut, err)
		}
	}
	for _, cut := range []int{end, end + tarBlock} {
		path := writeFile(t, archive[:cut])
		agree(t, path, Options{})
		if _, err := readAll(t, path, Options{}); err != nil {
			t.Errorf("without its end blocks: %v", err)
		}
	}
	layer := items[3].name
	at := strings.Index(string(archive), layer) + tarBlock + 700 // in the layer's body
	_, err := readAll(t, writeFile(t, archive[:at]), Options{})
	if err == nil || !strings.Contains(err.Error(), layer) || !strings.Contains(err.Error(), "cut short") {
		t.Errorf("cut in a layer: %v, want an error that names %s", err, layer)
	}
}

// broken are archives that must be refused, and what the error must say.
func broken(t testing.TB) map[string]struct {
	items []item
	want  string
} {
	layer := layerTar(t, "a", "base")
	good := amd64("x:1", layer)
	config := good.config(t)
	edit := func(items []item, name string, change func(string) string) []item {
		items = append([]item(nil), items...)
		for i := range items {
			if strings.HasSuffix(items[i].name, name) {
				items[i].body = change(items[i].body)
			}
		}
		return items
	}
	without := func(items []item, name string) []item {
		var left []item
		for _, it := range items {
			if !strings.HasSuffix(it.name, name) {
				left = append(left, it)
			}
		}
		return left
	}
	to := func(s string) func(string) string { return func(string) string { return s } }
	b := newBlobs(t)
	manifest := b.image(good)
	layout := b.layout(manifest)
	layerHex := sha256Of(gzipBytes(t, []byte(layer))).Hex
	image := func(change func(*v1.Manifest)) []item {
		b := newBlobs(t)
		m := v1.Manifest{Config: b.add(types.OCIConfigJSON, config), Layers: []v1.Descriptor{b.add(types.OCILayer, string(gzipBytes(t, []byte(layer))))}}
		change(&m)
		return b.layout(b.manifest(m))
	}
	v1Archive := func(parent string) []item {
		return []item{
			{name: "repositories", body: `{"x":{"1":"aa"}}`},
			{name: "aa/json", body: `{"id":"aa","parent":"bb"}`}, {name: "aa/layer.tar", body: layer},
			{name: "bb/json", body: `{"id":"bb","parent":"` + parent + `"}`}, {name: "bb/layer.tar", body: layer},
		}
	}
	return map[string]struct {
		items []item
		want  string
	}{
		"no members":           {nil, "not an image archive"},
		"some tar":             {[]item{{name: "etc/passwd", body: "root"}}, "not an image archive"},
		"empty list":           {[]item{{name: "manifest.json", body: "[]"}}, "manifest.json lists no images"},
		"null list":            {[]item{{name: "manifest.json", body: "null"}}, "manifest.json lists no images"},
		"list is no JSON":      {[]item{{name: "manifest.json", body: "nonsense"}}, `parsing "manifest.json"`},
		"empty index":          {[]item{{name: "index.json", body: "{}"}}, "index.json lists no images"},
		"index is no JSON":     {edit(layout, "index.json", to("foobar")), `parsing "index.json"`},
		"index with bad hash":  {[]item{{name: "index.json", body: `{"manifests":[{"digest":"sha256:xyz"}]}`}}, `parsing "index.json"`},
		"config is no JSON":    {edit(legacy(t, good), sha256Of([]byte(config)).Hex+".json", to("{nonsense")), "parsing the config"},
		"config is null":       {edit(legacy(t, good), sha256Of([]byte(config)).Hex+".json", to("null")), "parsing the config"},
		"config is missing":    {without(legacy(t, good), sha256Of([]byte(config)).Hex+".json"), "reading the config"},
		"layer is missing":     {without(legacy(t, good), "/layer.tar"), "layer 0"},
		"fewer layers":         {edit(legacy(t, good), "manifest.json", func(s string) string { return strings.ReplaceAll(s, `"Layers":["`, `"Layers":["x","`) }), "2 layers and the config 1"},
		"manifest is missing":  {without(layout, manifest.Digest.Hex), manifest.Digest.String()},
		"manifest is another":  {edit(layout, manifest.Digest.Hex, func(s string) string { return s + " " }), "digest mismatch"},
		"config is another":    {edit(layout, sha256Of([]byte(config)).Hex, func(s string) string { return s + " " }), "digest mismatch"},
		"config blob missing":  {without(layout, sha256Of([]byte(config)).Hex), "reading the config: sha256:"},
		"layer blob missing":   {without(layout, layerHex), "layer 0 (sha256:" + layerHex},
		"more layers":          {image(func(m *v1.Manifest) { m.Layers = append(m.Layers, m.Layers[0]) }), "2 layers and the config 1"},
		"unknown layer type":   {image(func(m *v1.Manifest) { m.Layers[0].MediaType = "application/squashfs" }), `unknown layer media type "application/squashfs"`},
		"artifact":             {image(func(m *v1.Manifest) { m.Config.MediaType = "application/helm" }), `artifacts of type "application/helm"`},
		"foreign layer":        {without(image(func(m *v1.Manifest) { m.Layers[0].MediaType = types.DockerForeignLayer }), layerHex), "foreign"},
		"repositories is none": {[]item{{name: "repositories", body: "[]"}}, `parsing "repositories"`},
		"no repositories":      {[]item{{name: "repositories", body: "{}"}}, "repositories lists no images"},
		"v1 loop":              {v1Archive("aa"), `image "aa" is its own ancestor`},
		"v1 parent missing":    {v1Archive("cc"), `image "cc" is missing`},
		"v1 without layer":     {without(v1Archive(""), "bb/layer.tar"), `layer "bb/layer.tar" is missing`},
		"link loop":            {append(without(legacy(t, good), "/layer.tar"), loop(legacy(t, good)[3].name)...), "layer 0"},
	}
}

// loop returns links that lead to each other.
func loop(name string) []item {
	return []item{
		{name: name, typ: tar.TypeSymlink, link: "../loop"},
		{name: "loop", typ: tar.TypeLink, link: name},
	}
}

func TestBroken(t *testing.T) {
	for name, tt := range broken(t) {
		t.Run(name, func(t *testing.T) {
			path := writeFile(t, pack(t, tt.items...))
			_, err := readAll(t, path, Options{})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("in place: %v, want %q", err, tt.want)
			}
			agree(t, path, Options{})
		})
	}
}

func TestNotAnArchive(t *testing.T) {
	for name, data := range map[string]string{
		"empty": "", "text": "hello, world\n", "zip": "PK\x03\x04" + strings.Repeat("x", 1000), "short": "x",
	} {
		path := writeFile(t, []byte(data))
		for _, open := range []func(context.Context, string, Options) (Image, error){open, openArchive} {
			_, err := open(t.Context(), path, Options{})
			var hint *HintError
			if !errors.As(err, &hint) || !strings.Contains(err.Error(), "not an image archive") {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if _, err := open(t.Context(), filepath.Join(t.TempDir(), "none"), Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if _, err := openArchive(t.Context(), t.TempDir(), Options{}); err == nil || !strings.Contains(err.Error(), "directory") {
		t.Errorf("a directory as an archive: %v", err)
	}
	if _, err := open(t.Context(), t.TempDir(), Options{}); err == nil || !strings.Contains(err.Error(), "no index.json") {
		t.Errorf("an empty directory: %v", err)
	}
}

// TestWrongSizes checks that a descriptor's size may be wrong as long as the
// digest is right.
func TestWrongSizes(t *testing.T) {
	b := newBlobs(t)
	layer := layerTar(t, "a", "base")
	config := b.add(types.OCIConfigJSON, amd64("", layer).config(t))
	blob := b.add(types.OCILayer, string(gzipBytes(t, []byte(layer))))
	config.Size, blob.Size = 1, 1
	m := b.manifest(v1.Manifest{Config: config, Layers: []v1.Descriptor{blob}})
	m.Size = 1
	path := writeFile(t, pack(t, b.layout(m)...))
	if _, err := readAll(t, path, Options{}); err != nil {
		t.Error(err)
	}
	agree(t, path, Options{})
}

// TestEachBlobOnce checks that a blob two layers share is handed out once, and
// that what isn't wanted isn't handed out.
func TestEachBlobOnce(t *testing.T) {
	a, b := layerTar(t, "a", "base"), layerTar(t, "b", "app")
	path := writeFile(t, pack(t, legacy(t, amd64("x:1", a, b, a))...))
	d, err := readAll(t, path, Options{}) // fails if a key comes twice
	if err != nil {
		t.Fatal(err)
	}
	if d.Layers[0].Key != d.Layers[2].Key || d.Layers[0].Key == d.Layers[1].Key {
		t.Errorf("layers %v", d.Layers)
	}
	img, err := openArchive(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	var keys []string
	_, err = img.Read(t.Context(), Request{
		Want:  func(l Layer) bool { return l.DiffID == sha256Of([]byte(b)) },
		Visit: func(_ context.Context, b Blob) error { keys = append(keys, b.Key); return nil },
	})
	if want := []string{d.Layers[1].Key}; err != nil || !cmp.Equal(keys, want) {
		t.Errorf("handed out %q, %v, want %q", keys, err, want)
	}
}

// TestParallel checks that layers of a file are handed out several at a time.
func TestParallel(t *testing.T) {
	n := runtime.GOMAXPROCS(0)
	var layers []string
	for i := range 4 * n {
		layers = append(layers, layerTar(t, "f", strings.Repeat("x", i)))
	}
	var together sync.WaitGroup
	together.Add(n)
	img, err := openArchive(t.Context(), writeFile(t, pack(t, legacy(t, amd64("x:1", layers...))...)), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	var mu sync.Mutex
	visited := 0
	_, err = img.Read(t.Context(), Request{Visit: func(_ context.Context, b Blob) error {
		mu.Lock()
		visited++
		first := visited <= n
		mu.Unlock()
		if first {
			together.Done()
			together.Wait() // for the others: hangs if they don't come
		}
		_, err := io.Copy(io.Discard, b.Reader)
		return err
	}})
	if err != nil || visited != len(layers) {
		t.Errorf("visited %d of %d: %v", visited, len(layers), err)
	}
}

// TestVisitError checks that an error about a layer is returned with the
// layer's name, and one about something else isn't.
func TestVisitError(t *testing.T) {
	layer := layerTar(t, "a", "base")
	items := append([]item{{name: "other.tar", body: layerTar(t, "b", "other")}}, legacy(t, amd64("x:1", layer))...)
	path := writeFile(t, pack(t, items...))
	errBad := errors.New("bad")
	fail := func(which string) Request {
		return Request{Visit: func(_ context.Context, b Blob) error {
			if strings.HasSuffix(b.Key, which) {
				return errBad
			}
			return nil
		}}
	}
	for name, open := range map[string]func() (Image, error){
		"in place": func() (Image, error) { return openArchive(t.Context(), path, Options{}) },
		"stream":   func() (Image, error) { return openStream(t.Context(), archiveOf(t, path), Options{}) },
	} {
		for _, which := range []string{"layer.tar", "other.tar"} {
			img, err := open()
			if err != nil {
				t.Fatal(err)
			}
			_, err = img.Read(t.Context(), fail(which))
			if which == "other.tar" && err != nil {
				t.Errorf("%s, not a layer: %v", name, err)
			}
			if which == "layer.tar" && (!errors.Is(err, errBad) || !strings.Contains(err.Error(), "reading layer 0 (")) {
				t.Errorf("%s: %v", name, err)
			}
			img.Close()
		}
	}
}

// TestCancel checks that reading ends with its context, even if the reader of
// the archive blocks.
func TestCancel(t *testing.T) {
	archive := pack(t, legacy(t, amd64("x:1", layerTar(t, "a", strings.Repeat("x", 5000))))...)
	for name, sent := range map[string]int{"at once": 0, "in a member": 3000, "between": 1 << 10} {
		ctx, cancel := context.WithCancel(t.Context())
		pr, pw := io.Pipe()
		img, err := openStream(ctx, pr, Options{})
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			pw.Write(archive[:sent])
			cancel()
		}()
		done := make(chan error, 1)
		go func() {
			_, err := img.Read(ctx, Request{Visit: func(_ context.Context, b Blob) error {
				_, err := io.Copy(io.Discard, b.Reader)
				return err
			}})
			done <- err
		}()
		select {
		case err := <-done:
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v", name, err)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%s: still reading", name)
		}
		pw.Close()
	}
}

// TestCancelVisit checks that cancelling while layers are read in place ends
// the reading with the context's error.
func TestCancelVisit(t *testing.T) {
	path := writeFile(t, pack(t, legacy(t, amd64("x:1", layerTar(t, "a", "1"), layerTar(t, "a", "2")))...))
	ctx, cancel := context.WithCancel(t.Context())
	img, err := openArchive(ctx, path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	_, err = img.Read(ctx, Request{Visit: func(ctx context.Context, b Blob) error {
		cancel()
		_, err := io.Copy(io.Discard, b.Reader)
		return err
	}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestMetadataBounds checks that a stream's metadata is bounded and that a
// manifest among a flood of other JSON still counts.
func TestMetadataBounds(t *testing.T) {
	big := "{" + strings.Repeat(" ", maxMetadata-2) + "}"
	items := []item{{name: "manifest.json", body: big + " "}}
	path := writeFile(t, pack(t, items...))
	for name, err := range map[string]error{"in place": second(readAll(t, path, Options{})), "stream": second(readStreamed(t, path))} {
		if err == nil || !strings.Contains(err.Error(), "too large") {
			t.Errorf("%s: %v", name, err)
		}
	}
	items = nil
	for i := range 6 {
		items = append(items, item{name: "sbom" + string(rune('0'+i)) + ".json", body: big})
	}
	items = append(legacy(t, amd64("x:1", layerTar(t, "a", "1"))), items...)
	if _, err := readStreamed(t, writeFile(t, pack(t, items...))); err != nil {
		t.Errorf("among other JSON: %v", err)
	}
}

func second(_ *Description, err error) error { return err }

func readStreamed(t *testing.T, path string) (*Description, error) {
	t.Helper()
	img, err := openStream(t.Context(), archiveOf(t, path), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	return readImage(t, t.Context(), img)
}

// TestStreamOnce checks that a stream says so if it is read again.
func TestStreamOnce(t *testing.T) {
	img, err := openStream(t.Context(), strings.NewReader(""), Options{})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		_, err = img.Read(t.Context(), Request{Visit: ignore})
	}
	if err == nil || !strings.Contains(err.Error(), "already") {
		t.Errorf("got %v", err)
	}
}

// TestLayout checks the forms of directories.
func TestLayout(t *testing.T) {
	layer := layerTar(t, "a", "base")
	b := newBlobs(t)
	s := amd64("x:1", layer)
	manifest := b.image(s)
	layout := b.layout(named(manifest, "x:1"))
	var skopeo []item
	for _, it := range b.items {
		name := filepath.Base(it.name)
		if name == manifest.Digest.Hex {
			name = "manifest.json"
		}
		skopeo = append(skopeo, item{name: name, body: it.body})
	}
	for name, tt := range map[string]struct {
		items  []item
		source string
	}{
		"layout":          {layout, "oci"},
		"no oci-layout":   {layout[:len(layout)-1], "oci"},
		"skopeo's dir":    {append(skopeo, item{name: "version", body: "Directory Transport Version: 1.1\n"}), "docker-dir"},
		"unpacked docker": {append(layout, dockerList(t, s)), "docker-dir"},
	} {
		dir := unpack(t, tt.items...)
		d, err := readAll(t, dir, Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if d.Source != tt.source || d.Digest != manifest.Digest {
			t.Errorf("%s: source %q digest %s, want %q %s", name, d.Source, d.Digest, tt.source, manifest.Digest)
		}
		agree(t, dir, Options{})
	}
	dir := unpack(t, layout...)
	if img, err := openLayout(t.Context(), dir, "x:1", Options{}); err != nil {
		t.Errorf("by tag: %v", err)
	} else {
		img.Close()
	}
	if _, err := openLayout(t.Context(), dir, "y", Options{}); err == nil || !strings.Contains(err.Error(), `"x:1"`) {
		t.Errorf("by another tag: %v, want the list", err)
	}
	if err := os.Remove(filepath.Join(dir, "index.json")); err != nil {
		t.Fatal(err)
	}
	if _, err := openLayout(t.Context(), dir, "", Options{}); err == nil {
		t.Error("a layout without an index was opened")
	}
}

func FuzzOpenStream(f *testing.F) {
	layer := layerTar(f, "a", "base")
	b := newBlobs(f)
	layout := b.layout(named(b.image(amd64("", layer)), "x"))
	for _, items := range [][]item{
		legacy(f, amd64("x:1", layer, layer)), layout, append(layout, dockerList(f, amd64("x:1", layer))),
	} {
		f.Add(pack(f, items...))
		f.Add(gzipBytes(f, pack(f, items...)))
	}
	for _, tt := range broken(f) {
		f.Add(pack(f, tt.items...))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		img, err := openStream(t.Context(), strings.NewReader(string(data)), Options{})
		if err != nil {
			t.Fatal(err)
		}
		d, err := img.Read(t.Context(), Request{Visit: ignore})
		if (d == nil) == (err == nil) {
			t.Fatalf("description %v and error %v", d, err)
		}
		path := writeFile(t, data)
		agree(t, path, Options{})
	})
}
