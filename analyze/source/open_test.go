package source

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestOpenBare: a bare name is a path, else in the daemon, else in the
// registry.
func TestOpenBare(t *testing.T) {
	r := newTestRegistry(t, false)
	inRegistry := randomImage(t, 1, "linux/amd64")
	r.push(t, "a:1", inRegistry)
	e := newFakeEngine(t)
	host := e.start()
	archive := pack(t, legacy(t, amd64("x:1", layerTar(t, "x", "x")))...)
	t.Chdir(t.TempDir())
	if err := os.WriteFile("app", archive, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join("other", "app:1"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("DOCKER_HOST", host)
	source := func(ref string, opts Options) string {
		t.Helper()
		opts.Keychain = anonymous().Keychain
		opts.Stdin = bytes.NewReader(archive)
		d, _, err := readRef(t, ref, opts)
		if err != nil {
			return err.Error()
		}
		if d.Reference != ref {
			t.Errorf("%s: reference %q", ref, d.Reference)
		}
		return d.Source
	}
	tests := []struct{ ref, want string }{
		{"app", "docker-archive"},
		{"./app", "docker-archive"},
		{"docker-archive:app", "docker-archive"},
		{"-", "docker-archive"},
		{"app:1", "docker"},
		{r.name("a:1"), "registry"},
	}
	for _, tt := range tests {
		if got := source(tt.ref, Options{}); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.ref, got, tt.want)
		}
	}
	t.Chdir("other")
	if got := source("app:1", Options{}); got != "docker" {
		t.Errorf("a directory of an image's name: %s", got)
	}
	if got := source("./app:1", Options{}); !strings.Contains(got, "not an image layout") {
		t.Errorf("a directory named as one: %s", got)
	}

	t.Setenv("DOCKER_HOST", "unix:///nowhere")
	if got := source(r.name("a:1"), Options{}); got != "registry" {
		t.Errorf("without a daemon: %s", got)
	}
	if got := source(r.name("a:1"), Options{Host: "unix:///nowhere"}); !strings.Contains(got, "no daemon") {
		t.Errorf("without the daemon that is named: %s", got)
	}
	if got := source(r.name("a:1"), Options{Pull: true}); !strings.Contains(got, "no daemon") {
		t.Errorf("without a daemon to pull: %s", got)
	}
}

// TestOpenBarePlatform: the daemon has the image for another platform than is
// asked for, the registry for that one.
func TestOpenBarePlatform(t *testing.T) {
	r := newTestRegistry(t, false)
	want := randomImage(t, 1, "linux/arm64")
	r.push(t, "a:1", want)
	e := newFakeEngine(t)
	t.Setenv("DOCKER_HOST", e.start())
	opts := anonymous()
	opts.Platform = parsePlatform(t, "linux/arm64")
	checkRegistryImage(t, r.name("a:1"), opts, want)
}

func TestOpenBareErrors(t *testing.T) {
	r := newTestRegistry(t, false)
	t.Chdir(t.TempDir())
	e := newFakeEngine(t)
	host := e.start()
	for _, ref := range []string{"./none", "none.tar", "../none.tar.gz", "/none/at/all"} {
		_, err := Open(t.Context(), ref, anonymous())
		checkError(t, err, []string{"no such file", ref}, "")
	}
	_, err := Open(t.Context(), "Not A Name", anonymous())
	checkError(t, err, []string{"neither a file nor the name of an image"}, "")
	_, err = Open(t.Context(), "-", anonymous())
	checkError(t, err, []string{"standard input"}, "")
	opts := anonymous()
	opts.Tag = "x"
	_, err = Open(t.Context(), "oci:dir:y", opts)
	checkError(t, err, []string{"two tags"}, "")

	t.Setenv("DOCKER_HOST", host)
	_, err = Open(t.Context(), r.name("none:1"), anonymous())
	checkError(t, err, []string{"none:1", "404"}, "check the name")
	t.Setenv("DOCKER_HOST", "unix:///nowhere")
	_, err = Open(t.Context(), r.name("none:1"), anonymous())
	checkError(t, err, []string{"none:1", "404", "no daemon answers at unix:///nowhere"},
		"start the daemon, or use registry:// or an archive; or check the name")
}
