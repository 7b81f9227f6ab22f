package cause_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/analyzetest"
	"github.com/layerscope/layerscope/analyze/cause"
	"github.com/layerscope/layerscope/analyze/layer"
	"github.com/layerscope/layerscope/analyze/synth"
	"github.com/layerscope/layerscope/analyze/tree"
)

// refs are the image's copies, with their sizes.
func refs(m *analyze.Image) map[tree.Ref]int64 {
	all := map[tree.Ref]int64{}
	for k, l := range m.Layers {
		for row, e := range l.Index.All() {
			if e.Type == layer.File && e.Size > 0 {
				all[tree.Ref{Layer: int32(k), Row: int32(row)}] = e.Size
			}
		}
	}
	return all
}

// addsUp checks that each copy has one cause, that what isn't a copy has none,
// and that the parts are the sums of the copies.
func addsUp(t testing.TB, m *analyze.Image, r *cause.Report) {
	t.Helper()
	sums, total := map[cause.Of]cause.Part{}, int64(0)
	copies := refs(m)
	for ref, size := range copies {
		of, ok := r.Of(ref)
		if !ok || of.Part == "" {
			t.Errorf("%+v has no cause: %v %t", ref, of, ok)
		}
		p := sums[of]
		sums[of] = cause.Part{Of: of, Bytes: p.Bytes + size, Copies: p.Copies + 1}
		if dead := m.Tree.LiveRefs(ref) == 0; dead != (of.Kind == cause.Dead) {
			t.Errorf("%+v is of %v, dead %t", ref, of, dead)
		}
	}
	for k, l := range m.Layers {
		for row := range l.Index.Len() {
			ref := tree.Ref{Layer: int32(k), Row: int32(row)}
			if _, copy := copies[ref]; !copy {
				if of, ok := r.Of(ref); ok {
					t.Errorf("%+v is no copy, and is of %v", ref, of)
				}
			}
		}
	}
	got := map[cause.Of]cause.Part{}
	for i, p := range r.Parts {
		total += p.Bytes
		got[p.Of] = p
		if i == 0 {
			continue
		}
		if q := r.Parts[i-1]; q.Kind > p.Kind || q.Kind == p.Kind && (q.Bytes < p.Bytes || q.Bytes == p.Bytes && q.Part >= p.Part) {
			t.Errorf("%v stands before %v", q, p)
		}
	}
	if diff := cmp.Diff(sums, got); diff != "" {
		t.Errorf("parts (-by copy +report):\n%s", diff)
	}
	if total != m.Totals.Stored {
		t.Errorf("causes have %d bytes, %d are stored", total, m.Totals.Stored)
	}
}

// byPath returns what live files are stored for, as "kind part".
func byPath(m *analyze.Image, r *cause.Report) map[string]string {
	out := map[string]string{}
	for n, st := range m.Tree.Standing(m.Tree.Layers() - 1) {
		if of, ok := r.Of(st.Inode); ok {
			out[m.Tree.Path(n)] = of.Kind.String() + " " + of.Part
		}
	}
	return out
}

// classified are paths of real images and what they are stored for.
const classified = `
	application /app         app/server app/main.py app/static/index.js app/views/a.php app/run.sh app/Gemfile.rb app/lib.pl app/data.json app/model.onnx
	application /            server init
	application /usr         usr/local/bin/app usr/local/bin/makeself usr/local/lib/libapp.so usr/local/gopher/x usr/share/app/x
	application /opt         opt/app/app.jar opt/java/openjdk/bin/java opt/java/openjdk/lib/modules opt/gold/x opt/google/chrome/chrome
	application /usr         usr/local/cargo/bin/app
	application /srv         srv/video.ts
	application /venv        venv/lib/python3.12/site-packages/mine/_speed.c venv/lib/python3.12/site-packages/mine/libx.a
	toolchain go             usr/local/go/bin/go usr/local/go/src/fmt/print.go usr/local/go/pkg/tool/linux_amd64/compile usr/local/go/VERSION usr/lib/go-1.22/bin/go root/sdk/go1.26.1/bin/go
	toolchain rust           usr/local/rustup/toolchains/stable-x86_64-unknown-linux-gnu/lib/libstd.so usr/local/cargo/bin/rustc root/.cargo/bin/cargo home/me/.rustup/settings.toml usr/local/cargo/env
	toolchain java           opt/jdk-21/bin/javac opt/jdk-21/lib/modules opt/jdk-21/jmods/java.base.jmod usr/lib/jvm/temurin/bin/javac usr/lib/jvm/temurin/lib/server/libjvm.so usr/share/maven/lib/maven-core.jar opt/gradle-8.5/lib/gradle.jar
	toolchain dotnet         usr/share/dotnet/sdk/8.0.100/dotnet.dll usr/share/dotnet/packs/x.dll root/.dotnet/sdk/9.0/x
	toolchain c              usr/lib/gcc/x86_64-linux-gnu/12/cc1 usr/local/lib/gcc/x/cc1 usr/local/x86_64-linux-musl/bin/ld opt/rh/devtoolset-11/root/usr/bin/gcc usr/lib/llvm-17/bin/clang usr/local/bin/clang-17 usr/local/bin/x86_64-linux-musl-gcc opt/zig/zig
	toolchain build-tools    usr/local/bin/cmake usr/local/share/cmake-3.28/Modules/x.cmake usr/local/bin/ninja usr/bin/protoc
	toolchain headers        usr/include/zlib.h usr/local/include/node/v8.h opt/x/include/x.h usr/local/lib/libz.a usr/lib/x86_64-linux-gnu/libc.a usr/local/lib/pkgconfig/zlib.pc usr/local/include/python3.12/pyconfig.h
	toolchain debug          usr/lib/debug/.build-id/ab/cd.debug go/bin/dlv usr/local/bin/gdb
	toolchain other          root/.ghcup/bin/ghc
	disposable go-cache      go/pkg/mod/github.com/x/y@v1/y.go root/.cache/go-build/00/00-a
	disposable cargo-cache   usr/local/cargo/registry/src/x/lib.rs src/rs/target/release/incremental/a/b src/rs/target/release/deps/liba.rlib
	disposable apt-lists     var/lib/apt/lists/deb_main_Packages
	disposable tmp           tmp/x.go
	packages rpm             usr/lib/sysimage/rpm/rpmdb.sqlite-shm var/lib/rpm/.dbenv.lock
	packages apk             lib/apk/db/scripts.tar
	sources go               src/main.go src/go.mod src/go.sum
	sources rust             src/rs/main.rs src/rs/Cargo.lock
	sources c                src/x.c src/x.h src/x.cpp src/k.cu
	sources java             src/j/A.java src/j/pom.xml src/j/build.gradle.kts src/j/gradlew
	sources kotlin           src/j/A.kt
	sources dotnet           src/n/A.cs src/n/A.csproj
	sources typescript       src/w/a.ts src/w/a.d.ts
	sources web              src/w/a.tsx src/w/a.vue src/w/tsconfig.json
	sources build-files      src/Makefile src/CMakeLists.txt src/Dockerfile src/x.mk
	sources build-tree       src/rs/target/release/deps/app-1234 src/rs/target/debug/build/x/out src/c/CMakeFiles/x/y.bin src/c/x.o src/c/config.log src/j/target/classes/A.class src/j/build/classes/A.class src/n/obj/Release/net8.0/A.dll src/n/obj/project.assets.json
	application /src         src/rs/target/release/app src/j/target/app.jar src/n/bin/Release/net8.0/A.dll src/README.md src/teapot.obj
`

// classes returns what the classified paths are stored for, as "kind part".
func classes() map[string]string {
	classes := map[string]string{}
	for _, line := range strings.Split(strings.TrimSpace(classified), "\n") {
		fields := strings.Fields(line)
		for _, p := range fields[2:] {
			classes[p] = fields[0] + " " + fields[1]
		}
	}
	return classes
}

func TestPaths(t *testing.T) {
	want := classes()
	var l synth.Layer
	for p := range want {
		size := int64(len(p))
		if strings.HasSuffix(p, "video.ts") {
			size = 2 << 20
		}
		l = append(l, synth.Body(p, size, uint64(len(l))))
	}
	m := analyzetest.WithPackages(t, l)
	r := m.Causes(true)
	addsUp(t, m, r)
	if diff := cmp.Diff(want, byPath(m, r)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// TestTypeScriptRuns has an image that runs TypeScript as it is written.
func TestTypeScriptRuns(t *testing.T) {
	m := analyzetest.WithPackages(t, synth.Layer{synth.File("app/a.ts", "a"), synth.File("usr/bin/deno", "d"), synth.File("app/x.go", "g")})
	want := map[string]string{"app/a.ts": "application /app", "usr/bin/deno": "application /usr", "app/x.go": "sources go"}
	if diff := cmp.Diff(want, byPath(m, m.Causes(true))); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// TestKinds has each kind, and copies that would be of several.
func TestKinds(t *testing.T) {
	status := func(name string) string {
		return "Package: " + name + "\nStatus: install ok installed\nVersion: 1\nArchitecture: amd64\n\n"
	}
	list := func(name, paths string) synth.Entry {
		return synth.File("var/lib/dpkg/info/"+name+".list", strings.ReplaceAll(paths, " ", "\n")+"\n")
	}
	l := synth.Layer{
		synth.File("var/lib/dpkg/status", status("gcc-12")+status("gcc-12-base")+status("libz1")+status("libz-dev")+status("golang-1.22-src")),
		list("gcc-12", "/usr/bin/gcc-12 /usr/share/doc/gcc-12/README"),
		list("gcc-12-base", "/usr/share/gcc/python"),
		list("libz1", "/usr/lib/libz.so /usr/share/doc/libz1/changelog /usr/share/x/example.c /usr/lib/libz.a"),
		list("libz-dev", "/usr/include/z.h"),
		list("golang-1.22-src", "/usr/share/go-1.22/src/fmt.go"),
		synth.File("usr/bin/gcc-12", "1"), synth.File("usr/share/doc/gcc-12/README", "22"), synth.File("usr/share/gcc/python", "333"),
		synth.File("usr/lib/libz.so", "4444"), synth.File("usr/share/doc/libz1/changelog", "55555"), synth.File("usr/share/x/example.c", "6"),
		synth.File("usr/lib/libz.a", "7"), synth.File("usr/include/z.h", "8"), synth.File("usr/share/go-1.22/src/fmt.go", "9"),
		synth.File("app/node_modules/typescript/package.json", `{"name":"typescript","version":"5.0.0"}`),
		synth.File("app/node_modules/typescript/lib/lib.d.ts", "10"),
		synth.File("app/node_modules/node-gyp/package.json", `{"name":"node-gyp","version":"5.0.0"}`),
		synth.File("app/a", "linked"), synth.Hardlink("src/a.go", "app/a"), // by its first path
		synth.File("src/b.go", "linked too"), synth.Hardlink("usr/lib/zz", "src/b.go"),
		synth.File("etc/gone", "gone"), synth.File("etc/touched", "touched"), synth.File("etc/new", "old"), synth.File("etc/dir", "d"),
	}
	above := synth.Layer{
		synth.Whiteout("etc/gone"), synth.File("etc/touched", "touched"), synth.File("etc/new", "new"), synth.Symlink("etc/dir", "x"),
	}
	m := analyzetest.WithPackages(t, l, above)
	want := map[string]string{
		"usr/bin/gcc-12": "toolchain c", "usr/share/doc/gcc-12/README": "toolchain c", "usr/share/gcc/python": "packages dpkg",
		"usr/lib/libz.so": "packages dpkg", "usr/share/doc/libz1/changelog": "disposable docs", "usr/share/x/example.c": "packages dpkg",
		"usr/lib/libz.a": "packages dpkg", "usr/include/z.h": "toolchain headers", "usr/share/go-1.22/src/fmt.go": "toolchain go",
		"app/node_modules/typescript/package.json": "packages npm", "app/node_modules/typescript/lib/lib.d.ts": "packages npm",
		"app/node_modules/node-gyp/package.json": "toolchain build-tools",
		"app/a":                                  "application /app", "src/a.go": "application /app", "src/b.go": "sources go", "usr/lib/zz": "sources go",
		"etc/touched": "application /etc", "etc/new": "application /etc", "var/lib/dpkg/status": "packages dpkg",
		"var/lib/dpkg/info/gcc-12.list": "toolchain c", "var/lib/dpkg/info/gcc-12-base.list": "packages dpkg", "var/lib/dpkg/info/libz1.list": "packages dpkg",
		"var/lib/dpkg/info/libz-dev.list": "toolchain headers", "var/lib/dpkg/info/golang-1.22-src.list": "toolchain go",
	}
	r := m.Causes(true)
	addsUp(t, m, r)
	if diff := cmp.Diff(want, byPath(m, r)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	var dead []cause.Part
	for _, p := range r.Parts {
		if p.Kind == cause.Dead {
			dead = append(dead, p)
		}
	}
	wantDead := []cause.Part{
		{Of: cause.Of{Kind: cause.Dead, Part: "rewritten"}, Bytes: 7, Copies: 1}, {Of: cause.Of{Kind: cause.Dead, Part: "deleted"}, Bytes: 4, Copies: 1},
		{Of: cause.Of{Kind: cause.Dead, Part: "overwritten"}, Bytes: 3, Copies: 1}, {Of: cause.Of{Kind: cause.Dead, Part: "replaced"}, Bytes: 1, Copies: 1},
	}
	if diff := cmp.Diff(wantDead, dead); diff != "" {
		t.Errorf("dead (-want +got):\n%s", diff)
	}
}
