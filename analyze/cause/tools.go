package cause

import (
	"regexp"
	"slices"
	"sync"

	"github.com/layerscope/layerscope/analyze/packages"
)

// This file tells by their names which packages are of a toolchain. A package
// of libraries that only compilers load is of theirs; one that programs load
// too (libgomp1, libgcc-s1) isn't.

// system are ecosystems of operating systems.
var system = []packages.Ecosystem{packages.Dpkg, packages.Apk, packages.Rpm}

// tool is packages of a toolchain.
type tool struct {
	in    []packages.Ecosystem
	part  string
	names *regexp.Regexp // of the whole name
}

// tools returns the toolchains' packages; the first that matches counts. Most
// calls of the program do without them.
var tools = sync.OnceValue(func() []tool {
	return []tool{
		// What only looks like one.
		{system, "", names(`gcc-\d+-base|gcc-libs|clang-format.*|golang-docker-credential-helpers|make-initrd.*|busybox-static|apk-tools-static|bash-static|` +
			`qemu-user-static.*`)},

		{system, "debug", names(`gdb|gdb-.*|gdbserver|lldb(-.*)?|strace|ltrace|valgrind(-.*)?|delve|.*-dbg|.*-dbgsym|.*-debuginfo(-common)?|.*-debugsource`)},
		{system, "java", names(`.*-jdk(-.*)?|default-jdk(-.*)?|openjdk-?\d+(-(source|jmods|src|demos?|static-libs))?|java-.*-(devel|jmods|src|demo|static-libs)(-.*)?|` +
			`maven|maven-\d.*|gradle|ant|sbt|kotlin|scala|ecj`)},
		{system, "go", names(`go|go\d.*|go-(toolset|bootstrap|rpm-macros|filesystem|srpm-macros)|golang|golang-(\d.*|go|bin|src|misc|docs?|any|race|tests|shared|std)|gccgo.*|gcc-go`)},
		{system, "rust", names(`rust|rust-(src|std|stdlib|gdb|lldb|clippy|fmt|analysis|analyzer|doc|toolset|all|debugger-common|std-static.*)|rust\d.*|rustc(-.*)?|` +
			`rustup|rustfmt|clippy|cargo(-.*)?|libstd-rust-.*`)},
		{system, "dotnet", names(`dotnet-sdk-.*|dotnet-(templates|targeting-pack|apphost-pack)-.*|dotnet\d+-(sdk|templates|targeting-pack|apphost-pack|build|stage0).*|` +
			`(aspnetcore|netstandard)(-|\d+-)targeting-pack.*|mono-(devel|mcs|complete)|msbuild`)},
		{system, "c", names(`gcc|gcc-(\d.*|c\+\+|gfortran|gnat|gdc|objc|multilib|plugin.*|toolset.*|x86-.*|aarch64-.*|arm-.*|mingw.*)|gcc\d.*|g\+\+.*|cpp|cpp-?\d.*|cpp-.*-linux-gnu.*|` +
			`gfortran.*|gobjc.*|gnat.*|gdc.*|` +
			`binutils(-.*)?|libbinutils|libctf.*|libgprofng.*|libsframe.*|libcc1-.*|libisl\d.*|isl\d*|isl-.*|libmpc\d?|mpc1|` +
			`lib(a|hwa|t|l|ub)san\d*|libubsan.*|` +
			`clang.*|libclang.*|llvm.*|libllvm.*|lld(-.*)?|lldb.*|compiler-rt.*|tcc|musl-tools|mold|gold|` +
			`cuda-(nvcc|toolkit|compiler|cuobjdump|gdb|nvprune|nvdisasm|crt|command-line-tools|minimal-build|nvvm|sanitizer)(-.*)?`)},
		{system, "other", names(`ghc|ghc-?\d.*|ghc-compiler.*|cabal-install|haskell-stack|ocaml|ocaml-(nox|compiler-libs|base.*)|opam|fpc.*|nim|crystal|zig|swiftlang.*|ldc|dmd|vala.*`)},
		{system, "build-tools", names(`make|make-guile|cmake|cmake\d|cmake-.*|ninja|ninja-build|samurai|meson|autoconf.*|automake.*|autotools-dev|autopoint|libtool|libtool-bin|` +
			`m4|bison|flex|pkg-config|pkgconf|pkgconf-.*|libpkgconf\d*|pkgconfig|build-base|build-essential|alpine-sdk|abuild.*|fakeroot|libfakeroot|dpkg-dev|libdpkg-perl|` +
			`debhelper|libdebhelper-perl|dh-.*|devscripts|lto-disabled-list|patch|rpm-build.*|rpmdevtools|redhat-rpm-config|annobin.*|scons|bazel.*|ccache|sccache|distcc|` +
			`gperf|re2c|ragel|nasm|yasm|swig.*|doxygen.*|intltool.*|gtk-doc-tools|help2man|texinfo|protobuf-compiler|protoc|node-gyp`)},
		{system, "headers", names(`.*-dev|.*-dev-(bin|tools|i386|x32|arm64|amd64)(-cross)?|.*-dev-.*-cross|cuda-.*-dev-\d.*|.*-devel|.*-devel-.*|.*-headers|` +
			`(linux|kernel)-headers-.*|.*-libs-static|libc-dev.*`)},
		{[]packages.Ecosystem{packages.Rpm}, "headers", names(`.*-static`)},
		{[]packages.Ecosystem{packages.Apk}, "headers", names(`(zlib|zstd|xz|bzip2|expat|ncurses|readline|gmp|sqlite|brotli|nghttp2|curl|pcre2?|libs?\w*)-static`)},

		{[]packages.Ecosystem{packages.Python}, "build-tools", names(`(?i)cmake|ninja|meson|meson-python|cython|scons|conan|maturin|setuptools[-_]rust|pybind11|scikit[-_]build([-_]core)?`)},
		{[]packages.Ecosystem{packages.Python}, "c", names(`(?i)ziglang|nvidia[-_]cuda[-_]nvcc.*`)},
		{[]packages.Ecosystem{packages.Npm}, "build-tools", names(`node-gyp|cmake-js`)},
		{[]packages.Ecosystem{packages.Go}, "go", names(`cmd|cmd/.*|golang\.org/x/tools(/.*)?|honnef\.co/go/tools`)},
		{[]packages.Ecosystem{packages.Go}, "debug", names(`github\.com/go-delve/delve`)},
	}
})

func names(pattern string) *regexp.Regexp { return regexp.MustCompile(`^(?:` + pattern + `)$`) }

// toolchainOf returns the toolchain that a package is of, "" if of none.
func toolchainOf(eco packages.Ecosystem, name string) string {
	for _, t := range tools() {
		if slices.Contains(t.in, eco) && t.names.MatchString(name) {
			return t.part
		}
	}
	return ""
}
