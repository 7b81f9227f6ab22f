package disposable

import "slices"

// development are the rules about what serves developers and readers, not the
// programs that run.
func development() []*Rule {
	return []*Rule{
		{
			ID:    "vcs",
			Title: "version control",
			What:  "The history of sources: `.git`, `.hg`, `.svn` and the like.",
			Why: "Nothing that runs reads it, with few exceptions: applications that ask git for their version at start, and tools " +
				"that update themselves. It also gives all of the history to whoever has the image.",
			Fix:   "Name `.git` in `.dockerignore`. Clone in a stage of its own, or let `ADD` fetch the repository, which leaves `.git` out.",
			Bad:   `RUN git clone https://example.org/app.git /opt/app`,
			Good:  `ADD https://example.org/app.git#v1.4.2 /opt/app`,
			Paths: when(notOfTool, "**/{.git,.hg,.svn,.bzr}/**"),
			Keep:  []string{"**/{Homebrew,.linuxbrew}/**"},
		},
		{
			ID:    "docs",
			Title: "documentation",
			What:  "Manuals, info pages, HTML and other documentation that packages install for readers.",
			Why: "Nobody reads it in a container. Copyright notices and licences (`copyright`, `COPYING`, `LICENSE`) are not " +
				"matched: whoever passes the image on may have to pass them on. Some packages do keep files in `/usr/share/doc` that " +
				"are of use, as examples and database schemas. Keep the directories: some packages' installation fails where `/usr/share/man/man1` is missing.",
			Fix: "Tell the package manager not to unpack it: `path-exclude` for dpkg, `tsflags=nodocs` for dnf and yum, " +
				"`rpm.install.excludedocs` for zypper. apk has it in packages of its own.",
			Bad: `RUN apt-get update && apt-get install -y postgresql-client && rm -rf /var/lib/apt/lists/*`,
			Good: `RUN printf '%s\n' \
      'path-exclude /usr/share/doc/*' \
      'path-include /usr/share/doc/*/copyright' \
      'path-exclude /usr/share/man/*' \
      'path-exclude /usr/share/info/*' > /etc/dpkg/dpkg.cfg.d/no-docs \
 && apt-get update && apt-get install -y postgresql-client && rm -rf /var/lib/apt/lists/*`,
			Paths: paths("/usr/share/{doc,man,info,gtk-doc,help,lintian,linda,doc-base,bug,ri}/**",
				"/usr/local/{man,share/doc,share/man,share/info,share/gtk-doc,share/ri}/**", "/usr/man/**",
				"/opt/*/share/{doc,man,info,gtk-doc}/**", "/var/cache/man/**",
				"**/ruby/gems/*/doc/**", "/var/lib/gems/*/doc/**", "/usr/local/bundle/doc/**",
				"**/node_modules/npm/{docs,man}/**", "**/toolchains/*/share/{doc,man}/**"),
			Keep: []string{"**/{copyright,COPYRIGHT,Copyright,COPYING,LICENSE,LICENCE,License,license,licence,NOTICE}*",
				"**/{LICENSES,licenses,license,legal}/**"},
		},
		{
			ID:    "locales",
			Title: "translations and locales",
			What: "Messages in other languages than English, compiled locales other than C, POSIX and English, and the sources " +
				"that locales are compiled of.",
			Why: "A container runs in one locale, most often C.UTF-8. An application that answers its users in several languages " +
				"by gettext needs its own messages. One archive of all compiled locales (`locale-archive`) is not matched: it has the wanted one too.",
			Fix: "Tell the package manager not to unpack them: `path-exclude` for dpkg, `%_install_langs` for rpm. " +
				"Install `locales` only to generate a locale, in a stage of its own; C.UTF-8 is there without.",
			Bad: `RUN apt-get update && apt-get install -y locales-all git && rm -rf /var/lib/apt/lists/*
ENV LANG=en_US.UTF-8`,
			Good: `RUN printf '%s\n' \
      'path-exclude /usr/share/locale/*' \
      'path-include /usr/share/locale/locale.alias' > /etc/dpkg/dpkg.cfg.d/no-locales \
 && apt-get update && apt-get install -y git && rm -rf /var/lib/apt/lists/*
ENV LANG=C.UTF-8`,
			Paths: paths(append(localeGlobs("*"), "/usr/share/i18n/{locales,charmaps}/**", "/usr/lib/locale/locale-archive.tmpl")...),
			// musl's locales are used as they lie there.
			Keep: append(localeGlobs("{C,POSIX,en}{,[._@]*}"), "/usr/share/i18n/locales/musl/**"),
			Env:  languagesWanted,
		},
		{
			ID:    "package-tests",
			Title: "tests of packages",
			What:  "Test suites that came with installed packages of Python, Node.js, Ruby and PHP, and with Python and Go themselves.",
			Why: "They test the package, which its authors have done. An application's own tests are not matched. " +
				"A few packages import from their tests: those that are known to (astropy, numexpr, PyTables, Odoo) are left out, but try the image afterwards.",
			Fix: "Remove them in the RUN that installs. `npm ci --omit=dev`, `bundle config set without test` and " +
				"`composer install --prefer-dist` install less of them to begin with.",
			Bad: `RUN pip install --no-cache-dir pandas`,
			Good: `RUN pip install --no-cache-dir pandas \
 && rm -rf /usr/local/lib/python3.*/site-packages/pandas/tests`,
			Paths: slices.Concat(
				when(holdsTests, "**/{site,dist}-packages/**/{tests,test}/**", "**/lib{,32,64}/python[23]*/test/**"),
				when(ofNodePackage, "**/node_modules/*/{tests,test}/**", "**/node_modules/@*/*/{tests,test}/**"),
				when(ofComposerPackage, "**/vendor/*/*/{tests,Tests}/**"),
				paths("**/node_modules/**/__tests__/**",
					"**/lib{,32,64}/python[23]*/{ctypes/test,distutils/tests,idlelib/idle_test,lib2to3/tests,sqlite3/test,tkinter/test,unittest/test}/**",
					"{/usr/local/bundle,/var/lib/gems/*,**/ruby/*,**/ruby/gems/*}/gems/*-[0-9]*/{test,spec}/**", "/usr/local/go/test/**"),
			),
			Keep: []string{"**/{site,dist}-packages/{astropy,numexpr,tables,odoo}/tests/**",
				"**/python[23]*/test/support/**", "**/python[23]*/test/__init__.py"},
		},
		{
			ID:    "headers",
			Title: "headers and static libraries",
			What:  "C and C++ headers and static libraries, in an image that has no compiler to use them.",
			Why: "Only compiling and linking read them. Where anything that compiles is found in a directory called bin, the rule " +
				"matches nothing. An image that others build upon may have them for those.",
			Fix: "Install development packages (`-dev`, `-devel`) in a stage of its own, or remove them in the RUN that needed them.",
			Bad: `RUN apt-get update && apt-get install -y gcc libpq-dev \
 && pip install --no-cache-dir psycopg2 && apt-get purge -y gcc`,
			Good: `FROM python:3 AS build
RUN pip wheel --wheel-dir /wheels psycopg2

FROM python:3-slim
RUN apt-get update && apt-get install -y --no-install-recommends libpq5 && rm -rf /var/lib/apt/lists/*
RUN --mount=type=bind,from=build,source=/wheels,target=/wheels pip install --no-cache-dir /wheels/*.whl`,
			Paths: paths("/usr/{include,local/include}/**", "/usr/{lib,lib32,lib64,libx32,local/lib,local/lib64}/**/*.a"),
			// Python reads it at run time (sysconfig, distutils).
			Keep: []string{"/usr/{include,local/include}/**/pyconfig*.h"},
			Unless: []string{
				"**/bin/{cc,c++,c89,c99,cpp,gcc,g++,clang,clang++,tcc,icc,icx,nvcc,zig,go,rustc,ghc,gfortran,flang,gnatmake,gdc,ldc2,dmd,nim,crystal,swiftc,ocamlopt,fpc,julia,root,cling,bpftrace}",
				"**/bin/{gcc,g++,clang,clang++,*-gcc,*-g++,*-clang,*-clang++,*-gfortran,*-ocamlopt}-[0-9]*",
				"**/bin/*-{gcc,g++,cc,c++,clang,clang++}",
				"**/bin/{gccgo,gccgo-*,ocamlopt.*,ghc-[0-9]*,gfortran-[0-9]*}",
			},
		},
		{
			ID:    "jdk-sources",
			Title: "sources of the JDK",
			What:  "The archive of a JDK's own sources, `src.zip`.",
			Why:   "Only debuggers and editors read it.",
			Fix:   "Take an image of a JRE, make one with jlink, or remove the file in the RUN that installs.",
			Bad:   `RUN curl -fsSL https://example.org/jdk.tar.gz | tar -xz -C /opt`,
			Good:  `RUN curl -fsSL https://example.org/jdk.tar.gz | tar -xz -C /opt --exclude=src.zip`,
			Paths: when(ofJDK, "**/src.zip"),
		},
	}
}
