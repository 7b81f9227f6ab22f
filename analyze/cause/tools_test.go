package cause

import (
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/layerscope/layerscope/analyze/packages"
)

// named are packages of real distributions and the toolchains that they are of.
const named = `
	dpkg  c            gcc gcc-12 g++ g++-12 cpp cpp-12 gcc-12-x86-64-linux-gnu cpp-14-aarch64-linux-gnu gfortran-12 binutils binutils-common binutils-x86-64-linux-gnu libbinutils libctf0 libctf-nobfd0 libgprofng0 libcc1-0 libisl23 libasan8 libtsan2 libubsan1 liblsan0 clang-17 libclang-cpp17 llvm-17-dev libllvm17 lld-17 cuda-nvcc-12-4
	dpkg  -            gcc-12-base gcc-14-base libgcc-s1 libstdc++6 libgomp1 libatomic1 libmpfr6 makedev make-initrd libc6 perl python3 nodejs openjdk-17-jre-headless default-jre java-common golang-docker-credential-helpers udev libudev1 node-typescript libnginx-mod-http-headers-more-filter git gettext-base dpkg debconf device-tree clang-format-17 busybox-static qemu-user-static stress rustic cargon
	dpkg  go           golang golang-go golang-1.22-go golang-1.22-src golang-src gccgo-12
	dpkg  rust         rustc cargo rust-src libstd-rust-1.63 libstd-rust-dev rustc-1.78 rustup
	dpkg  java         openjdk-17-jdk openjdk-17-jdk-headless default-jdk temurin-21-jdk openjdk-17-source maven ant
	dpkg  dotnet       dotnet-sdk-8.0 dotnet-targeting-pack-8.0 dotnet-apphost-pack-8.0
	dpkg  build-tools  make cmake cmake-data ninja-build autoconf automake libtool m4 bison flex pkg-config pkgconf pkgconf-bin build-essential dpkg-dev libdpkg-perl fakeroot libfakeroot patch debhelper node-gyp lto-disabled-list
	dpkg  headers      libc6-dev libc-dev-bin linux-libc-dev libstdc++-12-dev libgcc-12-dev zlib1g-dev python3-dev python3.11-dev libpq-dev libc6-dev-i386 linux-headers-6.1.0-18-amd64 golang-github-pkg-errors-dev librust-libc-dev libc6-dev-arm64-cross cuda-cudart-dev-12-4
	dpkg  debug        gdb gdbserver strace libc6-dbg zlib1g-dbgsym valgrind
	apk   c            gcc g++ binutils clang17 llvm17 llvm17-libs isl26 mpc1
	apk   -            libgcc libstdc++ musl busybox busybox-static apk-tools nodejs npm openjdk17-jre openjdk17-jre-headless nginx-mod-http-headers-more mpc go-away-x gotop
	apk   go           go golang
	apk   rust         rust cargo rust-src
	apk   java         openjdk17 openjdk17-jdk openjdk17-jmods openjdk8
	apk   dotnet       dotnet8-sdk dotnet8-targeting-pack aspnetcore8-targeting-pack
	apk   build-tools  make build-base alpine-sdk samurai pkgconf abuild
	apk   headers      musl-dev linux-headers zlib-dev zlib-static openssl-libs-static fortify-headers libc-dev python3-dev
	apk   debug        musl-dbg gdb strace
	rpm   c            gcc gcc-c++ cpp binutils gcc-toolset-13-gcc clang llvm-libs libmpc libasan gcc-plugin-annobin
	rpm   -            libgcc libstdc++ glibc glibc-common java-17-openjdk java-17-openjdk-headless nodejs git make-x python3
	rpm   go           golang golang-bin golang-src go-toolset go1.22
	rpm   java         java-17-openjdk-devel java-11-openjdk-jmods maven
	rpm   headers      glibc-devel kernel-headers glibc-headers glibc-static python3-devel openssl-devel
	rpm   debug        gdb gdb-headless glibc-debuginfo
	rpm   build-tools  make cmake cmake-filesystem redhat-rpm-config annobin-docs m4 pkgconf-pkg-config libpkgconf
	python build-tools cmake Cython ninja setuptools-rust
	python -           setuptools pip wheel cffi gcc make numpy
	npm   -            npm typescript webpack make go cmake
	npm   build-tools  node-gyp
	gem   -            rake bundler make
	go    go           cmd/go golang.org/x/tools/gopls
	go    debug        github.com/go-delve/delve
	go    -            example.org/cmd golang.org/x/crypto k8s.io/kubernetes
`

func TestToolchainOf(t *testing.T) {
	for _, line := range strings.Split(strings.TrimSpace(named), "\n") {
		fields := strings.Fields(line)
		for _, name := range fields[2:] {
			want := strings.TrimPrefix(fields[1], "-")
			if got := toolchainOf(packages.Ecosystem(fields[0]), name); got != want {
				t.Errorf("%s package %s is of toolchain %q, want %q", fields[0], name, got, want)
			}
		}
	}
}

// TestRules holds the rules to what paths are matched by.
func TestRules(t *testing.T) {
	rules := slices.Concat(databases(), toolchains(), sources())
	if len(rules) > 64 {
		t.Errorf("there are %d rules", len(rules))
	}
	seen := map[string]bool{}
	for _, r := range rules {
		key := r.kind.String() + " " + r.ID
		if seen[key] || r.ID == "" || len(r.Paths) == 0 {
			t.Errorf("%q is there twice, or empty", key)
		}
		seen[key] = true
		for _, p := range r.Paths {
			for _, c := range strings.Split(p.Glob, "/") {
				if _, err := path.Match(strings.NewReplacer("{", "", "}", "").Replace(c), ""); err != nil {
					t.Errorf("%s has the glob %q: %v", key, p.Glob, err)
				}
			}
			if nested.MatchString(p.Glob) || !strings.HasPrefix(p.Glob, "/") && !strings.HasPrefix(p.Glob, "**/") && !strings.HasPrefix(p.Glob, "~/") {
				t.Errorf("%s has the glob %q", key, p.Glob)
			}
		}
	}
}

// nested are braces that aren't as globs have them.
var nested = regexp.MustCompile(`\{[^}]*\{|\}[^{]*\}|^[^{]*\}|\{[^}]*$`)
