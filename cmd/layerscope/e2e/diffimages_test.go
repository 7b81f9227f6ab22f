//go:build linux

package e2e

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// builtOf has the engine's BuildKit build a Dockerfile and returns the image's
// name. What is in the folder is the context.
func (l *lab) builtOf(name, dir, dockerfile string, args ...string) (string, error) {
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(dockerfile), 0o644); err != nil {
		return "", err
	}
	tag := ours + "/" + name
	args = append([]string{"DOCKER_BUILDKIT=1", l.Docker, "build", "--network", "none", "--tag", tag}, append(args, dir)...)
	_, err := l.output("env", args...)
	return tag, err
}

// savedAs returns the path of an archive of an image of the engine's.
func (l *lab) savedAs(t *testing.T, image string) string {
	t.Helper()
	return once(t, "save "+image, func() (string, error) {
		path := l.path(strings.NewReplacer("/", "-", ":", "-").Replace(image) + ".tar")
		_, err := l.output(l.Docker, "save", "--output", path, image)
		return path, err
	})
}

// pushedAs pushes an image of the engine's and returns its name in the
// registry, without the host.
func (l *lab) pushedAs(t *testing.T, image string) string {
	t.Helper()
	return once(t, "push "+image, func() (string, error) {
		remote := l.Registry + "/" + image
		if _, err := l.output(l.Docker, "tag", image, remote); err != nil {
			return "", err
		}
		_, err := l.output(l.Docker, "push", "--quiet", remote)
		return image, err
	})
}

// goProgram is built in an image.
const goProgram = `package main

import "os"

func main() { os.Stdout.WriteString("built there\n") }
`

// The two ways of building a Go program: where its tools are, and without them.
const (
	shellStage = `FROM scratch AS shell
COPY shell/ /
FROM shell%s
COPY go/ /usr/local/go/
ENV PATH=/bin:/usr/local/go/bin HOME=/root CGO_ENABLED=0 GOTOOLCHAIN=local GOFLAGS=-trimpath
WORKDIR /src
COPY src/ /src/
RUN go build -o /app/program .
`
	lastStage = `FROM shell
COPY --from=build /app/program /app/program
CMD ["/app/program"]
`
)

// goImages returns images of a Go program, built in one stage and in two with
// this machine's Go.
func (l *lab) goImages(t *testing.T) (single, multi string) {
	t.Helper()
	dir := once(t, "go context", l.goContext)
	single = once(t, "go single", func() (string, error) {
		return l.builtOf("go:single", dir, fmt.Sprintf(shellStage, "")+"CMD [\"/app/program\"]\n")
	})
	multi = once(t, "go multi", func() (string, error) {
		return l.builtOf("go:multi", dir, fmt.Sprintf(shellStage, " AS build")+lastStage)
	})
	return single, multi
}

// goContext writes a context with a shell, a program, and of Go what it takes to
// build that.
func (l *lab) goContext() (string, error) {
	dir := l.path("go-context")
	for path, content := range map[string]string{
		"src/main.go": goProgram, "src/go.mod": "module example.com/program\n", "shell/root/": "", "shell/tmp/": "",
	} {
		if err := write(filepath.Join(dir, path), content, strings.HasSuffix(path, "/")); err != nil {
			return "", err
		}
	}
	if err := l.putShell(filepath.Join(dir, "shell")); err != nil {
		return "", err
	}
	list := exec.Command("go", "list", "-deps", "-f", "{{.Dir}}", ".")
	list.Dir = filepath.Join(dir, "src")
	list.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	out, err := list.Output()
	if err != nil {
		return "", fmt.Errorf("listing what the program needs: %w", err)
	}
	root, err := exec.Command("go", "env", "GOROOT", "GOTOOLDIR").Output()
	if err != nil {
		return "", err
	}
	dirs := strings.Fields(string(root))
	goroot, tools := dirs[0], dirs[1]
	paths := []string{"VERSION", "go.env", "bin/go", "pkg/include", "src/runtime/cgo/abi_amd64.h", "src/runtime/cgo/abi_arm64.h"}
	for _, tool := range []string{"compile", "asm", "link"} {
		paths = append(paths, filepath.Join(tools, tool))
	}
	for _, pkg := range strings.Fields(string(out)) {
		files, err := filepath.Glob(pkg + "/*.*")
		if err != nil || !strings.HasPrefix(pkg, goroot) {
			continue // the program itself
		}
		paths = append(paths, slices.DeleteFunc(files, func(f string) bool { return strings.HasSuffix(f, "_test.go") })...)
	}
	return dir, copyPaths(goroot, filepath.Join(dir, "go"), paths)
}

// putShell puts a shell into what becomes an image.
func (l *lab) putShell(root string) error {
	if err := os.MkdirAll(filepath.Join(root, "bin"), 0o755); err != nil {
		return err
	}
	body, err := os.ReadFile("/bin/busybox")
	if err != nil {
		return fmt.Errorf("no busybox to put into an image: %w", err)
	}
	return errors.Join(
		os.WriteFile(filepath.Join(root, "bin/busybox"), body, 0o755),
		os.Symlink("busybox", filepath.Join(root, "bin/sh")))
}

// copyPaths copies files and whole folders from one folder to another. Paths
// may be absolute.
func copyPaths(from, to string, paths []string) error {
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	var list strings.Builder
	for _, p := range paths {
		list.WriteString(strings.TrimPrefix(strings.TrimPrefix(p, from), "/") + "\x00")
	}
	pack := exec.Command("tar", "-C", from, "--null", "-T", "-", "-c")
	pack.Stdin = strings.NewReader(list.String())
	unpack := exec.Command("tar", "-C", to, "-x")
	var err error
	if unpack.Stdin, err = pack.StdoutPipe(); err != nil {
		return err
	}
	if err := unpack.Start(); err != nil {
		return err
	}
	return errors.Join(pack.Run(), unpack.Wait())
}

// debian returns a minimal Debian image with apt, and the same after a
// cleaned-up apt-get that installed, upgraded and purged packages.
func (l *lab) debian(t *testing.T) (before, after string) {
	t.Helper()
	s := &stages{l, "debian", l.path("debian", "root")}
	dir := once(t, "debian root", func() (string, error) { return l.path("debian"), l.debianRoot(s.root) })
	before = once(t, "debian before", func() (string, error) {
		for _, deb := range []string{
			s.deb(t, "Package: greeter\nVersion: 1.0-1\n", greeter("1", 4000)),
			s.deb(t, "Package: leaver\nVersion: 3\n", map[string]string{"usr/bin/leave": strings.Repeat("l", 2500)}),
		} {
			s.dpkg(t, "dpkg", "--force-not-root,bad-path", "--log=/dev/null", "--install", deb)
		}
		return l.builtOf("debian:before", dir, "FROM scratch\nCOPY root/ /\nENV PATH=/usr/sbin:/usr/bin:/sbin:/bin\nCMD [\"/bin/bash\"]\n")
	})
	after = once(t, "debian after", func() (string, error) {
		if err := s.repository(t, filepath.Join(dir, "repo")); err != nil {
			return "", err
		}
		return l.builtOf("debian:after", dir, fmt.Sprintf(aptGet, before))
	})
	return before, after
}

// aptGet installs what there is and cleans up, as Dockerfiles do.
const aptGet = `FROM %s
RUN --mount=type=bind,source=repo,target=/repo export DEBIAN_FRONTEND=noninteractive && \
    echo 'deb [trusted=yes] file:/repo ./' > /etc/apt/sources.list && \
    apt-get -o APT::Sandbox::User=root update && \
    apt-get install -y --no-install-recommends tool greeter && \
    apt-get purge -y leaver && \
    apt-get clean && rm -rf /var/lib/apt/lists/* /var/log/* && > /etc/apt/sources.list
`

// greeter are the files of a version of a package: one is the same in each.
func greeter(fill string, size int) map[string]string {
	return map[string]string{"usr/bin/greet": strings.Repeat(fill, size), "usr/share/greeter/words": strings.Repeat("w", 900)}
}

// repository makes a folder of packages that apt-get can install from.
func (s *stages) repository(t *testing.T, dir string) error {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, deb := range map[string]string{
		"greeter.deb": s.deb(t, "Package: greeter\nVersion: 1.1-1\n", greeter("2", 6000)),
		"tool.deb": s.deb(t, "Package: tool\nVersion: 2:5.0+x-1\nDepends: libtool0 (>= 1)\n", map[string]string{
			"usr/bin/tool": strings.Repeat("tool", 3000), "usr/share/tool/data": noise(40_000)}),
		"libtool0.deb": s.deb(t, "Package: libtool0\nVersion: 1.7\n", map[string]string{
			"usr/lib/libtool.so.0.1": strings.Repeat("lib", 9000), "usr/lib/libtool.so.0": "-> libtool.so.0.1"}),
	} {
		if err := os.Rename(deb, filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	index := exec.Command("sh", "-c", `for deb in *.deb; do
		dpkg-deb -f "$deb" && echo "Filename: ./$deb" && echo "Size: $(stat -c %s "$deb")" &&
		echo "SHA256: $(sha256sum <"$deb" | cut -d' ' -f1)" && echo || exit
	done >Packages`)
	index.Dir = dir
	if out, err := index.CombinedOutput(); err != nil {
		return fmt.Errorf("indexing packages: %w: %s", err, out)
	}
	return nil
}

// debianParts are the packages that the image has of this machine's, with those
// that they need.
var debianParts = []string{"apt", "base-files", "bash", "coreutils", "dash", "diffutils", "findutils", "grep", "libc-bin", "perl-base", "sed", "tar"}

// debianRoot makes a root folder of packages that this machine has installed.
func (l *lab) debianRoot(root string) error {
	parts := slices.Clone(debianParts)
	for _, awk := range []string{"mawk", "gawk", "original-awk"} { // base-files needs one
		if _, err := os.Stat("/var/lib/dpkg/info/" + awk + ".list"); err == nil {
			parts = append(parts, awk)
		}
	}
	out, err := l.output("apt-cache", append([]string{"depends", "--recurse", "--installed", "--no-recommends", "--no-suggests",
		"--no-conflicts", "--no-breaks", "--no-replaces", "--no-enhances"}, parts...)...)
	if err != nil {
		return err
	}
	wanted := map[string]bool{}
	for line := range strings.Lines(string(out)) {
		if !strings.ContainsAny(line, " |<") {
			wanted[strings.TrimSpace(line)] = true
		}
	}
	names, err := copyStatus(root, wanted)
	if err != nil {
		return err
	}
	out, err = l.output("dpkg-query", append([]string{"--listfiles"}, names...)...)
	if err != nil {
		return err
	}
	var paths []string
	for line := range strings.Lines(string(out)) {
		if path := realPath(strings.TrimSuffix(line, "\n")); path != "" {
			paths = append(paths, path)
		}
	}
	for _, name := range names {
		kept, err := filepath.Glob("/var/lib/dpkg/info/" + name + "[.:]*")
		if err != nil {
			return err
		}
		paths = append(paths, kept...)
	}
	slices.Sort(paths)
	if err := copyFiles(root, slices.Compact(paths)); err != nil {
		return err
	}
	for path, content := range map[string]string{
		"etc/passwd": "root:x:0:0:root:/root:/bin/bash\n_apt:x:100:65534::/nonexistent:/bin/false\nnobody:x:65534:65534::/:/bin/false\n",
		"etc/group":  "root:x:0:\nnogroup:x:65534:\n", "etc/apt/sources.list": "",
		"var/lib/dpkg/updates/": "", "var/lib/dpkg/triggers/": "", "var/log/apt/": "", "var/cache/apt/archives/partial/": "", "tmp/": "",
	} {
		if err := write(filepath.Join(root, path), content, strings.HasSuffix(path, "/")); err != nil {
			return err
		}
	}
	return nil
}

// copyStatus writes what dpkg says of the wanted packages that are installed
// here, and returns their names.
func copyStatus(root string, wanted map[string]bool) (names []string, err error) {
	status, err := os.ReadFile("/var/lib/dpkg/status")
	if err != nil {
		return nil, err
	}
	var kept strings.Builder
	for record := range strings.SplitSeq(string(status), "\n\n") {
		first, _, _ := strings.Cut(record, "\n")
		name := strings.TrimPrefix(first, "Package: ")
		if wanted[name] && strings.Contains(record, "\nStatus: install ok installed\n") {
			names = append(names, name)
			kept.WriteString(strings.TrimSpace(record) + "\n\n")
		}
	}
	return names, write(filepath.Join(root, "var/lib/dpkg/status"), kept.String(), false)
}

// realPath returns where a path that dpkg lists is, through merged folders; ""
// for what isn't needed, as in a slim image, or isn't there.
func realPath(path string) string {
	for _, left := range []string{"/usr/share/doc/", "/usr/share/man/", "/usr/share/locale/", "/usr/share/info/", "/usr/share/zoneinfo/"} {
		if strings.HasPrefix(path, left) {
			return ""
		}
	}
	if !strings.HasPrefix(path, "/") || path == "/." {
		return ""
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(path))
	if err != nil {
		return ""
	}
	path = filepath.Join(dir, filepath.Base(path))
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	return path
}

// copyFiles copies paths of this machine, of folders not what is in them.
func copyFiles(root string, paths []string) error {
	var list strings.Builder
	for _, p := range paths {
		list.WriteString(strings.TrimPrefix(p, "/") + "\x00")
	}
	copying := exec.Command("sh", "-c", `tar -C / --null --no-recursion -T - -c | tar -C "$0" -x`, root)
	copying.Stdin = strings.NewReader(list.String())
	if out, err := copying.CombinedOutput(); err != nil {
		return fmt.Errorf("copying files: %w: %s", err, out)
	}
	return nil
}

// rebuilt returns an image, and the same built again from files of another time:
// nothing but times differs.
func (l *lab) rebuilt(t *testing.T) (first, again string) {
	t.Helper()
	dir := once(t, "rebuilt context", func() (string, error) {
		dir := l.path("rebuilt-context")
		for path, content := range map[string]string{"tree/etc/conf": "conf\n", "tree/srv/data/a": noise(50_000), "tree/srv/link": "-> data/a"} {
			if err := write(filepath.Join(dir, path), content, false); err != nil {
				return "", err
			}
		}
		return dir, l.putShell(filepath.Join(dir, "tree"))
	})
	at := func(tag, time string) string {
		return once(t, "rebuilt "+tag, func() (string, error) {
			if _, err := l.output("find", filepath.Join(dir, "tree"), "-exec", "touch", "--no-dereference", "--date", time, "{}", "+"); err != nil {
				return "", err
			}
			return l.builtOf("rebuilt:"+tag, dir, `FROM scratch
COPY tree/ /
RUN ["/bin/busybox", "sh", "-c", "busybox seq 1 5000 > /srv/made && busybox ln /srv/made /srv/twin && busybox mkdir /srv/dir"]
RUN ["/bin/busybox", "rm", "/srv/data/a"]
CMD ["/bin/sh"]
`, "--no-cache")
		})
	}
	return at("1", "2021-01-02 03:04:05"), at("2", "2022-02-03 04:05:06")
}

// squashed returns an image that has all files of another in one layer.
func (l *lab) squashed(t *testing.T, image string) string {
	t.Helper()
	return once(t, "squash "+image, func() (string, error) {
		tag := ours + "/squashed:1"
		_, err := l.output("sh", "-c", `set -e
			id=$("$0" create --network none "$1" nothing)
			"$0" export "$id" >"$3" || bad=1
			"$0" rm "$id" >/dev/null
			[ -z "$bad" ]
			"$0" import "$3" "$2"
			rm "$3"`, l.Docker, image, tag, l.path("squashed.tar"))
		return tag, err
	})
}

// inZstd returns the name, in the registry and without the host, of an image
// that is there with its layers compressed with zstd.
func (l *lab) inZstd(t *testing.T, image string) string {
	t.Helper()
	saved := l.savedAs(t, image)
	return once(t, "zstd "+image, func() (string, error) {
		layout, name := l.path("zstd-layout"), ours+"/zstd:1"
		if _, err := l.output(skopeo, "copy", "--dest-compress-format", "zstd", "docker-archive:"+saved, "oci:"+layout+":1"); err != nil {
			return "", err
		}
		_, err := l.output(skopeo, "copy", "--dest-tls-verify=false", "oci:"+layout+":1", "docker://"+l.Registry+"/"+name)
		return name, err
	})
}
