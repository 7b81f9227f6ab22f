package source

import (
	"archive/tar"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/layerscope/layerscope/analyze/synth"
)

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
	layerHex := sha256Of(synth.Gzip.Bytes([]byte(layer))).Hex
	image := func(change func(*v1.Manifest)) []item {
		b := newBlobs(t)
		m := v1.Manifest{Config: b.add(types.OCIConfigJSON, config), Layers: []v1.Descriptor{b.add(types.OCILayer, string(synth.Gzip.Bytes([]byte(layer))))}}
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
		"fewer layers":         {edit(legacy(t, good), "manifest.json", func(s string) string { return strings.ReplaceAll(s, `"Layers":["`, `"Layers":["x","`) }), "it has 2 layers, its config 1"},
		"manifest is missing":  {without(layout, manifest.Digest.Hex), manifest.Digest.String()},
		"manifest is another":  {edit(layout, manifest.Digest.Hex, func(s string) string { return s + " " }), "digest mismatch"},
		"config is another":    {edit(layout, sha256Of([]byte(config)).Hex, func(s string) string { return s + " " }), "digest mismatch"},
		"config blob missing":  {without(layout, sha256Of([]byte(config)).Hex), "reading the config: sha256:"},
		"layer blob missing":   {without(layout, layerHex), "layer 0 (sha256:" + layerHex},
		"more layers":          {image(func(m *v1.Manifest) { m.Layers = append(m.Layers, m.Layers[0]) }), "it has 2 layers, its config 1"},
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
