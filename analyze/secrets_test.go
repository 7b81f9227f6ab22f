package analyze_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/analyzetest"
	"github.com/layerscope/layerscope/analyze/source"
	"github.com/layerscope/layerscope/analyze/synth"
	"github.com/layerscope/layerscope/analyze/synth/fixture"
)

// leaky is an image that hides secrets: by deleting them, with a directory or
// by overwriting them, and some that it doesn't hide.
var leaky = synth.Image{
	Config: v1.Config{
		Env:        []string{"PATH=/usr/bin", "API_TOKEN=hunter2secret"},
		Labels:     map[string]string{"build": "by hunter2secret"},
		Entrypoint: []string{"/app", "--token", "hunter2secret"},
		Healthcheck: &v1.HealthConfig{
			Test: []string{"CMD", "/check", "--token", "hunter2secret"},
		},
		OnBuild: []string{"RUN echo hunter2secret"},
	},
	Steps: []synth.Step{
		{CreatedBy: "ARG API_TOKEN=hunter2secret", Comment: "buildkit.dockerfile.v0"},
		{CreatedBy: "COPY . /app # buildkit", Comment: "buildkit.dockerfile.v0", Layer: synth.Layer{
			synth.File("app/b/id_rsa", "key b"),
			synth.File("app/a/.env", "env a"),
			synth.File("app/keep/.npmrc", "token"),   // merely given another owner
			synth.File("app/.netrc", "seen"),         // live under another name
			synth.File("app/.aws/credentials", "v1"), // overwritten
			synth.File("app/readme", "text"),
			synth.File("app/empty/.pgpass", ""), // no bytes, no leak
		}},
		{CreatedBy: "RUN |1 API_TOKEN=hunter2secret /bin/sh -c chown -R app /app # buildkit", Comment: "buildkit.dockerfile.v0", Layer: synth.Layer{
			synth.File("app/keep/.npmrc", "token", synth.Owner(1, 1)),
			synth.File("app/b/id_rsa", "key b", synth.Owner(1, 1)),
			synth.File("app/.aws/credentials", "v2"),
			synth.File("app/netrc.bak", "seen"),
		}},
		{CreatedBy: "RUN /bin/sh -c rm # buildkit", Comment: "buildkit.dockerfile.v0", Layer: synth.Layer{
			synth.Whiteout("app/b"),
			synth.Whiteout("app/a/.env"),
			synth.Whiteout("app/.netrc"),
			synth.Whiteout("app/readme"),
			synth.Whiteout("app/empty"),
		}},
	},
}

func TestSecretFiles(t *testing.T) {
	m := analyzetest.Image(t, leaky)
	type leak struct {
		Kind, Path    string
		Wrote, Killed int
	}
	want := []leak{
		{"AWS credentials", "app/.aws/credentials", 0, 1},
		{"environment file", "app/a/.env", 0, 2},
		{"private key", "app/b/id_rsa", 0, 1},
		{"private key", "app/b/id_rsa", 1, 2},
	}
	var got []leak
	for _, f := range m.Findings().SecretFiles {
		got = append(got, leak{f.Kind, m.Tree.Path(f.Path), int(f.Ref.Layer), f.KilledBy})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestSecretFilesLinked finds secrets by any of the names that led to them, not
// only by the last.
func TestSecretFilesLinked(t *testing.T) {
	m := analyzetest.Image(t, synth.Image{Steps: []synth.Step{
		{CreatedBy: "COPY . / # buildkit", Layer: synth.Layer{
			synth.File("root/.ssh/id_rsa", "one"), synth.Hardlink("root/.a", "root/.ssh/id_rsa"),
			synth.File("home/id_rsa", "two"), synth.Hardlink("x", "home/id_rsa"),
			synth.File("y", "three"),
		}},
		{CreatedBy: "RUN ln /y /srv/.netrc # buildkit", Layer: synth.Layer{synth.Hardlink("srv/.netrc", "y")}},
		{CreatedBy: "RUN rm -r /root /home /srv # buildkit", Layer: synth.Layer{synth.Whiteout("root"), synth.Whiteout("home"), synth.Whiteout("srv")}},
		{CreatedBy: "RUN rm /x /y # buildkit", Layer: synth.Layer{synth.Whiteout("x"), synth.Whiteout("y")}},
	}})
	var got []string
	for _, f := range m.Findings().SecretFiles {
		got = append(got, fmt.Sprint(m.Tree.Path(f.Path), " ", f.Ref.Layer, " ", f.KilledBy))
	}
	if diff := cmp.Diff([]string{"home/id_rsa 0 3", "root/.ssh/id_rsa 0 2", "srv/.netrc 0 3"}, got); diff != "" {
		t.Errorf("leaks, written and hidden by (-want +got):\n%s", diff)
	}
}

// TestRedacted looks for the secret in all that the redacted image tells, and
// for the rest of what it told before.
func TestRedacted(t *testing.T) {
	m := analyzetest.Image(t, leaky)
	told := func(m *analyze.Image) string {
		b, err := json.Marshal([]any{m.Config.Config, m.Steps})
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	const secret = "hunter2secret"
	before := told(m)
	if n := strings.Count(before, secret); n < 9 {
		t.Fatalf("the image tells its secret %d times only", n)
	}
	after := told(m.Redacted())
	if strings.Contains(after, secret) {
		t.Errorf("the secret is still told: %s", after)
	}
	if want := strings.ReplaceAll(before, secret, "…"); after != want {
		t.Errorf("redacted\n%s\nwant\n%s", after, want)
	}
	if told(m) != before {
		t.Error("the image itself was changed")
	}
	if f := m.Findings(); len(f.SecretValues) != 1 || f.SecretValues[0].Name != "API_TOKEN" || f.SecretValues[0].Step != 0 {
		t.Errorf("found %+v", f.SecretValues)
	}
}

// TestSecretFixtures looks for secrets in other projects' images. One
// Dockerfile of them deletes a key; nothing else is to be found.
func TestSecretFixtures(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(fixture.Dir(t), "built", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range fixture.Listed(t) {
		paths = append(paths, f.Path)
	}
	images, keys := 0, 0
	for _, path := range paths {
		m, err := analyzeFixture(t, path, source.Options{})
		if err != nil {
			continue // other tests' affair
		}
		images++
		f := m.Findings()
		for _, s := range f.SecretFiles {
			if p := m.Tree.Path(s.Path); p != "srv/app/id_rsa" || s.Kind != "private key" {
				t.Errorf("%s: %s %q", path, s.Kind, p)
			}
			keys++
		}
		for _, v := range f.SecretValues {
			t.Errorf("%s: %+v in %q", path, v, m.Steps[v.Step].Text)
		}
	}
	t.Logf("%d images, %d keys", images, keys)
	if keys == 0 {
		t.Error("the key wasn't found")
	}
}
