//go:build linux

package e2e

import (
	_ "embed"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// ours is the namespace of all images these tests make.
const ours = "layerscope-e2e"

// The builders of the image under test, which all build testdata/Dockerfile.
const (
	classic  = "classic"  // the engine's own
	buildkit = "buildkit" // BuildKit in the engine
)

//go:embed testdata/Dockerfile
var dockerfile string

// payload are the bytes of the image's one large file.
var payload = noise(3_000_000)

// noise returns n bytes that don't compress, the same ones each time.
func noise(n int) string {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{}).Read(b)
	return string(b)
}

// config is what the image's /etc/app.conf holds at first; the Dockerfile
// overwrites it.
const config = "release unknown\n"

// contextFiles are the files of the build context. A name that ends in a slash is a
// folder's; content that starts with "-> " is a symbolic link.
var contextFiles = map[string]string{
	"Dockerfile":                dockerfile,
	"payload.bin":               payload,
	"rootfs/etc/passwd":         "root:x:0:0::/:/bin/sh\nsomeone:x:1000:1001::/work:/bin/sh\n",
	"rootfs/etc/group":          "root:x:0:\nsomeone:x:1001:\n",
	"rootfs/etc/app.conf":       config,
	"rootfs/tmp/":               "",
	"tree/gone/file":            "a file to be deleted\n",
	"tree/gone/folder/a":        "a file to go with its folder\n",
	"tree/gone/folder/deep/b":   strings.Repeat("another one\n", 100),
	"tree/gone/stays":           "a file to stay\n",
	"tree/opaque/a":             strings.Repeat("a", 10_000),
	"tree/opaque/sub/b":         strings.Repeat("b", 20_000),
	"tree/folder2file/x":        strings.Repeat("x", 1_000),
	"tree/file2folder":          strings.Repeat("y", 2_000),
	"tree/folder2link/z":        strings.Repeat("z", 3_000),
	"tree/link2folder":          "-> gone",
	"tree/link":                 "-> keep/plain",
	"tree/dangling":             "-> ../../nowhere/at all",
	"tree/keep/plain":           "plain\n",
	"tree/keep/secret":          "secret\n",
	"tree/keep/old":             strings.Repeat("old\n", 500),
	"tree/keep/cut":             strings.Repeat("cut here\n", 1000),
	"tree/keep/nothing":         "",
	"tree/keep/twin one":        strings.Repeat("twins\n", 300),
	"tree/keep/twin two":        strings.Repeat("twins\n", 300),
	"tree/keep/deep/er/est/end": "end\n",
}

// context writes the build context and returns its folder.
func (l *lab) context() (string, error) {
	dir := l.path("context")
	busybox, err := os.ReadFile("/bin/busybox")
	if err != nil {
		return "", fmt.Errorf("no busybox to put into an image: %w", err)
	}
	for name, content := range contextFiles {
		if err := write(filepath.Join(dir, name), content, strings.HasSuffix(name, "/")); err != nil {
			return "", err
		}
	}
	if err := os.Chmod(filepath.Join(dir, "rootfs/tmp"), 0o777|os.ModeSticky); err != nil {
		return "", err
	}
	shell := filepath.Join(dir, "rootfs/bin/busybox")
	if err := write(shell, string(busybox), false); err != nil {
		return "", err
	}
	return dir, os.Chmod(shell, 0o755)
}

func write(path, content string, folder bool) error {
	if folder {
		return os.MkdirAll(path, 0o755)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if target, ok := strings.CutPrefix(content, "-> "); ok {
		return os.Symlink(target, path)
	}
	return os.WriteFile(path, []byte(content), 0o644)
}

// shared are the names and paths of what tests share. (They run one after the
// other.)
var shared = map[string]struct {
	name string
	err  error
}{}

// once makes something that tests share, if no test has before: one failure to
// make it is each one's.
func once(t *testing.T, key string, make func() (name string, err error)) string {
	t.Helper()
	made, ok := shared[key]
	if !ok {
		made.name, made.err = make()
		shared[key] = made
	}
	if made.err != nil {
		t.Fatal(made.err)
	}
	return made.name
}

// built returns the name, in the engine, of the image that a builder made.
func (l *lab) built(t *testing.T, builder string) string {
	t.Helper()
	dir := once(t, "context", l.context)
	return once(t, "build "+builder, func() (string, error) {
		name := ours + "/" + builder + ":1"
		setting := "DOCKER_BUILDKIT=0"
		if builder == buildkit {
			setting = "DOCKER_BUILDKIT=1"
		}
		_, err := l.output("env", setting, l.Docker, "build", "--network", "none", "--tag", name, dir)
		return name, err
	})
}

// pushed returns the name that the image has in the registry.
func (l *lab) pushed(t *testing.T, builder string) string {
	t.Helper()
	local := l.built(t, builder)
	return once(t, "push "+builder, func() (string, error) {
		name := l.Registry + "/" + local
		if _, err := l.output(l.Docker, "tag", local, name); err != nil {
			return "", err
		}
		_, err := l.output(l.Docker, "push", name)
		return name, err
	})
}

// saved returns the path of an archive of the image, as docker save wrote it.
func (l *lab) saved(t *testing.T, builder string) string {
	t.Helper()
	local := l.built(t, builder)
	return once(t, "save "+builder, func() (string, error) {
		path := l.path(builder + ".tar")
		_, err := l.output(l.Docker, "save", "--output", path, local)
		return path, err
	})
}
