package cause

import "github.com/layerscope/layerscope/analyze/waste/disposable"

// rule is a part of a kind that is told by paths.
type rule struct {
	kind Kind
	disposable.Rule
}

// withJavac is the condition on a Java home that it is a JDK's: those of a JRE
// have all but the compiler.
var withJavac = disposable.Holding("bin/javac")

// toolchains are the rules of what is of a toolchain and of no package. Caches
// that toolchains keep beside them are left to package disposable.
func toolchains() []rule {
	return []rule{
		paths(Toolchain, "go", "/usr/local/go/**", "/usr/lib/go{,-[0-9]*}/**", "/{opt,usr/local}/go{[0-9],-[0-9]}*/**", "~/sdk/go[0-9]*/**"),
		paths(Toolchain, "rust", "/{usr/local,opt}/{rustup,rust,rust-[0-9]*}/**", "~/.rustup/**", "/{usr/local,opt}/cargo/env*",
			"/{usr/local/cargo,opt/cargo,root/.cargo,home/*/.cargo}/bin/{cargo,cargo-*,clippy-driver,rls,rust-*,rustc,rustdoc,rustfmt,rustup,rustup-init}").
			keep("**/{rustup,.rustup}/{downloads,tmp}/**"),
		paths(Toolchain, "java", "/{opt,usr/share,usr/local,usr/local/share}/{maven,gradle,ant,apache-maven,apache-ant,sbt,kotlin,kotlinc,scala,scala3}{,-[0-9]*}/**",
			"~/.sdkman/candidates/{maven,gradle,ant,sbt,kotlin,scala}/**").
			when(withJavac, "**/*{jdk,java,Java,JDK,jvm,graalvm,temurin,zulu,corretto}*/**", "/{usr/lib/jvm,opt/java,usr/local,opt}/*/**"),
		paths(Toolchain, "dotnet", "**/{dotnet,.dotnet}/{sdk,packs,templates,sdk-manifests,library-packs}/**"),
		paths(Toolchain, "c", "/usr/{lib,lib64,libexec}/{gcc,gcc-cross,llvm-[0-9]*,llvm[0-9]*,clang}/**", "/usr/local/{lib,lib64,libexec}/{gcc,clang}/**",
			"/{usr,usr/local,opt}/*-{linux,w64,apple,none}-*/**", "/opt/rh/{devtoolset,gcc-toolset,llvm-toolset}-*/**",
			"/{opt,usr/local}/{gcc,llvm,clang,musl,zig,emsdk}{,[0-9]*,-[0-9]*}/**", "/emsdk/**", "/usr/local/cuda*/{nvvm,bin}/**",
			"**/bin/{gcc,g++,gfortran,c++,cpp,clang,clang++,lld,ld.lld,llvm-*,nvcc,zig,musl-gcc}", "**/bin/{gcc,g++,gcc-ar,gcc-nm,gcc-ranlib,clang,clang++,cpp}-[0-9]*",
			"**/bin/*-linux-{gnu,musl,uclibc,android}*-{gcc,g++,ld,as,ar,nm,cpp,strip,objdump,objcopy,ranlib,readelf}"),
		paths(Toolchain, "other", "/opt/ghc/**", "~/.{ghcup,opam,nimble,stack}/**", "/usr/local/lib/ghc*/**", "/opt/{swift,swift-*,flutter,dart-sdk}/**",
			"/{opt,usr/local,usr/local/lib}/android{-sdk,-ndk,-sdk-linux}*/**", "~/Android/Sdk/**"),
		paths(Toolchain, "build-tools", "/{usr,usr/local}/share/{cmake,aclocal,automake,autoconf,bison,meson}{,-[0-9]*}/**", "/opt/{cmake,bazel,ninja}{,-[0-9]*}/**",
			"/{usr,usr/local,opt}/bin/{cmake,ctest,cpack,ccmake,ninja,make,gmake,meson,bazel,bazelisk,protoc,protoc-gen-*,ccache,sccache,autoconf,automake,libtool,libtoolize,pkg-config,bison,flex,m4}"),
		paths(Toolchain, "debug", "/usr/{,local/}lib/debug/**", "**/bin/{gdb,gdbserver,lldb,dlv,strace,ltrace,valgrind}"),

		// What a build leaves goes before what is of a toolchain anywhere.
		paths(Sources, "build-tree", "**/target/{debug,release,*/debug,*/release}/{deps,build,incremental,examples,.fingerprint}/**",
			"**/target/{classes,test-classes,generated-sources,generated-test-sources,maven-status,maven-archiver,surefire-reports}/**",
			"**/CMakeFiles/**", "**/{CMakeCache.txt,cmake_install.cmake,CTestTestfile.cmake,compile_commands.json,build.ninja,.ninja_log,.ninja_deps}",
			"**/.gradle/**", "**/build/{classes,generated,intermediates,kotlin}/**", "**/build/tmp/{compileJava,jar,kapt*}/**",
			"**/obj/{Debug,Release}/**", "**/obj/{project.assets.json,project.nuget.cache,*.nuget.g.props,*.nuget.g.targets,*.nuget.dgspec.json}",
			"**/{autom4te.cache,dist-newstyle,.stack-work}/**", "**/{config.log,config.status}",
			"**/*.{o,lo,gcno,gcda,rlib,rmeta,cmi,cmo,cmx}").keep(modules...),

		paths(Toolchain, "headers", "/{usr,usr/local,opt/*}/include/**", "**/lib{,32,64,x32}/**/*.{a,la}", "**/{lib,lib64,share}/pkgconfig/*.pc").keep(modules...),
	}
}

// databases are the rules of what package managers keep of what they installed.
func databases() []rule {
	return []rule{
		paths(Packages, "dpkg", "/var/lib/dpkg/**"),
		paths(Packages, "apk", "/{,usr/}lib/apk/db/**"),
		paths(Packages, "rpm", "/{var/lib/rpm,usr/lib/sysimage/rpm,usr/share/rpm,var/lib/dnf,var/lib/yum}/**"),
	}
}

// modules are where packages of languages are that run as they are written. What
// is in them without belonging to a package is left alone.
var modules = []string{"**/{site,dist}-packages/**", "**/node_modules/**"}

// maxSource is more than any file has that somebody wrote. Where a name has
// another meaning too that tells them apart: an MPEG stream is NAME.ts as well.
const maxSource = 1 << 20

// sources are the rules of what is source code and of no package.
func sources() []rule {
	return []rule{
		source("go", "**/*.go", "**/go.{mod,sum,work,work.sum}"),
		source("rust", "**/*.rs", "**/Cargo.{toml,lock}", "**/rust-toolchain{,.toml}"),
		source("c", "**/*.{c,cc,cpp,cxx,c++,h,hh,hpp,hxx,inl,ipp,tcc,cu,cuh}"),
		source("assembler", "**/*.{s,S,asm}"),
		source("java", "**/*.java", "**/pom.xml", "**/{build,settings}.gradle{,.kts}", "**/gradlew{,.bat}", "**/mvnw{,.cmd}", "**/{gradle-wrapper,maven-wrapper}.{jar,properties}"),
		source("kotlin", "**/*.kt"),
		source("scala", "**/*.{scala,sbt}"),
		source("swift", "**/*.swift", "**/Package.{swift,resolved}"),
		source("dotnet", "**/*.{cs,fs,fsi,vb,cshtml,razor,csproj,fsproj,vbproj,sln,slnx}"),
		source("typescript").when(disposable.Smaller(maxSource), "**/*.{ts,mts,cts}").
			unless("**/bin/{deno,bun,tsx,ts-node}"),
		source("web", "**/*.{jsx,tsx,vue,svelte,scss,sass,less}", "**/tsconfig*.json").unless("**/bin/{deno,bun,tsx,ts-node}"),
		source("other", "**/*.{hs,lhs,ml,mli,zig,nim,cr,d,f90,f95,pas,dart}"),
		source("build-files", "**/{CMakeLists.txt,Makefile,makefile,GNUmakefile,Makefile.am,Makefile.in,configure,configure.ac,configure.in,meson.build,BUILD.bazel,WORKSPACE}",
			"**/*.{mk,m4,cmake}", "**/{Dockerfile,Containerfile,.dockerignore}", "**/Dockerfile.*"),
	}
}

// paths is a rule of globs, as [disposable.Path] has them.
func paths(k Kind, id string, globs ...string) rule {
	return rule{k, disposable.Rule{ID: id}}.when(nil, globs...)
}

func source(language string, globs ...string) rule {
	return paths(Sources, language, globs...).keep(modules...)
}

// when adds globs under a condition.
func (r rule) when(c *disposable.Condition, globs ...string) rule {
	for _, g := range globs {
		r.Paths = append(r.Paths, disposable.Path{Glob: g, If: c})
	}
	return r
}

func (r rule) keep(globs ...string) rule {
	r.Keep = append(r.Keep, globs...)
	return r
}

func (r rule) unless(globs ...string) rule {
	r.Unless = append(r.Unless, globs...)
	return r
}
