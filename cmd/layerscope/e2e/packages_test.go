//go:build linux

package e2e

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// owned is what layerscope says of a package, or the real package manager.
type owned struct {
	Version string
	Bytes   int64
	Step    int
}

// packages reads what "packages --format json" says of one ecosystem, and
// checks that the bytes add up.
func (l *lab) packages(t *testing.T, ecosystem, image string) map[string]owned {
	t.Helper()
	var r struct {
		Totals   struct{ Live int64 }
		Packages []struct {
			Ecosystem, Name, Version string
			Bytes                    int64
			Step                     int
		}
		Unowned struct{ Bytes int64 }
		Unread  []struct{ Path, Reason string }
	}
	if err := json.Unmarshal([]byte(l.layerscope(t, "packages", "--format", "json", image).ok(t)), &r); err != nil {
		t.Fatal(err)
	}
	got := map[string]owned{}
	sum := r.Unowned.Bytes
	for _, p := range r.Packages {
		sum += p.Bytes
		if p.Ecosystem == ecosystem {
			got[p.Name] = owned{p.Version, p.Bytes, p.Step}
		}
	}
	if sum != r.Totals.Live {
		t.Errorf("packages and the rest have %d bytes, %d are live", sum, r.Totals.Live)
	}
	if len(r.Unread) > 0 {
		t.Errorf("not read: %v", r.Unread)
	}
	return got
}

// stages is a build of an image in two steps, each with all of a folder as it
// is at the time.
type stages struct {
	*lab
	name string
	root string
}

// newStages begins with a folder that is laid out as distributions do.
func (l *lab) newStages(t *testing.T, name string) *stages {
	t.Helper()
	s := &stages{l, name, l.path("packages-"+name, "root")}
	for path, content := range map[string]string{
		"usr/bin/": "", "usr/lib/": "", "bin": "-> usr/bin", "lib": "-> usr/lib", "etc/": "", "tmp/": "",
		"srv/own": strings.Repeat("nobody's\n", 1000),
	} {
		if err := write(filepath.Join(s.root, path), content, strings.HasSuffix(path, "/")); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// copy makes the next stage of what the folder holds now.
func (s *stages) copy(t *testing.T, n int) {
	t.Helper()
	s.tool(t, "cp", "-a", s.root, s.path("packages-"+s.name, fmt.Sprint("stage", n)))
}

// image builds the image.
func (s *stages) image(t *testing.T) string {
	t.Helper()
	dir := s.path("packages-" + s.name)
	if err := write(filepath.Join(dir, "Dockerfile"), "FROM scratch\nCOPY stage0/ /\nCOPY stage1/ /\nCMD [\"none\"]\n", false); err != nil {
		t.Fatal(err)
	}
	tag := ours + "/" + s.name + ":1"
	s.tool(t, "env", "DOCKER_BUILDKIT=0", s.Docker, "build", "--network", "none", "--tag", tag, dir)
	return "docker://" + tag
}

// bytes returns the bytes of the regular files among these paths, each of
// several links once.
func (s *stages) bytes(t *testing.T, paths []string) (sum int64) {
	t.Helper()
	seen := []os.FileInfo{}
	for _, p := range paths {
		dir, err := filepath.EvalSymlinks(filepath.Join(s.root, filepath.Dir(p)))
		if err != nil {
			continue
		}
		info, err := os.Lstat(filepath.Join(dir, filepath.Base(p)))
		if err != nil || info.Mode().Type() != fs.ModeDir && info.Mode().Type() != 0 {
			continue
		}
		known := info.IsDir()
		for _, other := range seen {
			known = known || os.SameFile(info, other)
		}
		if !known {
			seen = append(seen, info)
			sum += info.Size()
		}
	}
	return sum
}

// deb builds a Debian package.
func (s *stages) deb(t *testing.T, control string, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for path, content := range files {
		if err := write(filepath.Join(dir, path), content, false); err != nil {
			t.Fatal(err)
		}
	}
	if err := write(filepath.Join(dir, "DEBIAN/control"), control+"Architecture: all\nMaintainer: nobody <n@example.org>\nDescription: x\n", false); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "package.deb")
	s.tool(t, "dpkg-deb", "--root-owner-group", "--build", dir, out)
	return out
}

// dpkg runs dpkg, or another of its commands, on the folder.
func (s *stages) dpkg(t *testing.T, command string, args ...string) []byte {
	t.Helper()
	return s.tool(t, command, append([]string{"--root=" + s.root}, args...)...)
}

// Files are dpkg's as dpkg itself says: through merged folders, diversions,
// replaced files and a removed package's configuration.
func TestDpkgPackages(t *testing.T) {
	l := open(t, engine, dpkg)
	s := l.newStages(t, "dpkg")
	for _, path := range []string{"var/lib/dpkg/status", "var/lib/dpkg/info/", "var/lib/dpkg/updates/"} {
		if err := write(filepath.Join(s.root, path), "", strings.HasSuffix(path, "/")); err != nil {
			t.Fatal(err)
		}
	}
	install := func(deb string) {
		t.Helper()
		s.dpkg(t, "dpkg", "--force-not-root,bad-path", "--log=/dev/null", "--install", deb)
	}
	install(s.deb(t, "Package: one\nVersion: 1.0-1\n", map[string]string{
		"lib/one.so":          strings.Repeat("1", 10_000),
		"usr/bin/one":         strings.Repeat("one", 1_000),
		"usr/share/one/taken": strings.Repeat("taken", 100),
		"usr/share/one/own":   strings.Repeat("own", 100),
		"etc/one.conf":        "one = 1\n",
		"DEBIAN/conffiles":    "/etc/one.conf\n",
	}))
	install(s.deb(t, "Package: conf\nVersion: 3\n", map[string]string{
		"usr/bin/conf": strings.Repeat("c", 500), "etc/conf": "left\n", "DEBIAN/conffiles": "/etc/conf\n",
	}))
	s.dpkg(t, "dpkg", "--force-not-root,bad-path", "--log=/dev/null", "--remove", "conf")
	s.copy(t, 0)
	s.dpkg(t, "dpkg-divert", "--package", "two", "--divert", "/usr/bin/one.real", "--rename", "--add", "/usr/bin/one")
	install(s.deb(t, "Package: two\nVersion: 2:2.0-1\nReplaces: one\n", map[string]string{
		"usr/bin/one":         strings.Repeat("two", 2_000),
		"usr/share/one/taken": strings.Repeat("two's now", 100),
	}))
	s.copy(t, 1)

	want := map[string]owned{}
	for name, step := range map[string]int{"one": 0, "conf": 0, "two": 1} {
		version := string(s.dpkg(t, "dpkg-query", "--show", "--showformat=${Version}", name))
		want[name] = owned{version, s.bytes(t, s.debPaths(t, name)), step}
	}
	same(t, want, s.lab.packages(t, "dpkg", s.image(t)))
}

// debPaths returns what dpkg-query lists of a package, and what dpkg keeps of
// it.
func (s *stages) debPaths(t *testing.T, name string) (paths []string) {
	t.Helper()
	for line := range strings.Lines(string(s.dpkg(t, "dpkg-query", "--listfiles", name))) {
		line = strings.TrimSpace(line)
		if _, to, ok := strings.Cut(line, "diverted by two to: "); ok {
			paths[len(paths)-1] = to
		} else if strings.HasPrefix(line, "/") {
			paths = append(paths, line)
		}
	}
	kept, err := filepath.Glob(filepath.Join(s.root, "var/lib/dpkg/info", name+".*"))
	if err != nil || len(kept) == 0 {
		t.Fatalf("dpkg keeps nothing of %s: %v", name, err)
	}
	for _, path := range kept {
		paths = append(paths, strings.TrimPrefix(path, s.root))
	}
	return paths
}

// rpm builds an rpm package of files; those below usr/share/doc are its
// documentation.
func (s *stages) rpm(t *testing.T, name, version string, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	spec := fmt.Sprintf("Name: %s\nVersion: %s\nRelease: 1\nSummary: x\nLicense: none\nBuildArch: noarch\n", name, version)
	if name == "two" {
		spec += "Epoch: 7\n"
	}
	spec += "%description\nx\n%install\nmkdir -p %{buildroot}\ncp -a " + dir + "/files/. %{buildroot}/\n%files\n"
	for path, content := range files {
		if err := write(filepath.Join(dir, "files", path), content, false); err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(path, "usr/share/doc/") {
			spec += "%doc "
		}
		spec += "/" + path + "\n"
	}
	if err := write(filepath.Join(dir, "it.spec"), spec, false); err != nil {
		t.Fatal(err)
	}
	s.tool(t, "rpmbuild", "--quiet", "-bb", "--define", "_topdir "+dir, "--define", "_binary_payload w0.gzdio", filepath.Join(dir, "it.spec"))
	built, err := filepath.Glob(filepath.Join(dir, "RPMS", "noarch", "*.rpm"))
	if err != nil || len(built) != 1 {
		t.Fatalf("rpmbuild made %v, %v", built, err)
	}
	return built[0]
}

// Files are rpm's as rpm itself says; documentation that was left out isn't
// there.
func TestRpmPackages(t *testing.T) {
	l := open(t, engine, rpm)
	s := l.newStages(t, "rpm")
	run := func(args ...string) string {
		t.Helper()
		return string(l.tool(t, "rpm", append([]string{"--root", s.root, "--dbpath", "/usr/lib/sysimage/rpm"}, args...)...))
	}
	install := func(path string, args ...string) {
		t.Helper()
		run(append(args, "--install", "--nodeps", "--nosignature", path)...)
	}
	install(s.rpm(t, "one", "1.0", map[string]string{
		"usr/lib/one.so":         strings.Repeat("1", 10_000),
		"usr/bin/one":            strings.Repeat("one", 1_000),
		"usr/share/doc/one/text": strings.Repeat("doc", 700),
	}))
	s.copy(t, 0)
	install(s.rpm(t, "two", "2", map[string]string{
		"usr/bin/two":            strings.Repeat("two", 3_000),
		"usr/share/doc/two/text": strings.Repeat("doc", 900),
	}), "--excludedocs")
	// Somebody else's file stands where the documentation would be.
	if err := write(filepath.Join(s.root, "usr/share/doc/two/text"), "not two's\n", false); err != nil {
		t.Fatal(err)
	}
	s.copy(t, 1)

	want := map[string]owned{}
	for name, step := range map[string]int{"one": 0, "two": 1} {
		var paths []string
		for line := range strings.Lines(run("--query", "--state", name)) {
			if path, ok := strings.CutPrefix(line, "normal "); ok {
				paths = append(paths, strings.TrimSpace(path))
			}
		}
		version := run("--query", "--queryformat", "%|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE}", name)
		want[name] = owned{version, s.bytes(t, paths), step}
	}
	same(t, want, l.packages(t, "rpm", s.image(t)))
}
