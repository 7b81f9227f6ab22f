package disposable

type filesOfClass struct {
	rule  string
	env   []string
	files string
}

// cases has, for each rule, files that it matches and files that it doesn't. A
// line is a class and a path: "+" is the rule at hand, "-" none, else the rule
// of that ID. It may end in a mode, "-> TARGET" for a symbolic link, or
// "= TARGET" for a hard link. Those of a case are in one image.
var cases = []filesOfClass{
	{rule: "apt-lists", files: `
		+ var/lib/apt/lists/deb.debian.org_debian_dists_bookworm_InRelease
		+ var/lib/apt/lists/partial/x
		- var/lib/apt/extended_states
		- var/lib/apt/lists.d
		- srv/chroot/var/lib/apt/lists/x`},
	{rule: "apt-archives", files: `
		+ var/cache/apt/pkgcache.bin
		+ var/cache/apt/archives/curl_8_amd64.deb
		+ root/agent.deb
		+ agent.deb
		+ home/me/agent.deb
		+ opt/agent.deb
		+ var/cuda-repo-debian12-12-6-local/cuda.deb
		+ var/cudnn-local-repo-debian12-9/libcudnn9.deb
		- srv/repo/pool/main/c/curl.deb
		- var/www/repo/curl.deb
		- opt/agent/agent.deb
		tmp tmp/agent.deb`},
	{rule: "apk-cache", files: `
		+ var/cache/apk/APKINDEX.b89edf6e.tar.gz
		+ etc/apk/cache/installed
		- lib/apk/db/installed
		- lib/apk/db/scripts.tar
		- usr/lib/apk/db/installed
		- etc/apk/repositories`},
	{rule: "rpm-cache", files: `
		+ var/cache/dnf/fedora-1/repodata/x-primary.xml.gz
		+ var/cache/yum/x86_64/7/base/gen/primary_db.sqlite
		+ var/cache/libdnf5/x/solv
		+ var/cache/zypp/raw/repo/x
		+ var/cache/tdnf/photon/x
		+ var/lib/rpm/__db.001
		+ root/epel-release.rpm
		- var/lib/rpm/rpmdb.sqlite
		- var/lib/rpm/Packages
		- var/lib/dnf/history.sqlite
		- usr/lib/sysimage/rpm/Packages.db
		- srv/mirror/a.rpm`},
	{rule: "pacman-cache", files: `
		+ var/cache/pacman/pkg/nginx-1-x86_64.pkg.tar.zst
		+ var/lib/pacman/sync/core.db
		- var/lib/pacman/local/nginx-1/desc
		- var/cache/nginx/x`},
	{rule: "conda-cache", files: `
		+ opt/conda/pkgs/numpy-1.conda
		+ opt/conda/pkgs/numpy-1/info/index.json
		- opt/conda/pkgs/numpy-1/lib/numpy.so
		- opt/conda/lib/numpy.so = opt/conda/pkgs/numpy-1/lib/numpy.so
		+ root/miniconda3/pkgs/urls.txt
		+ home/me/.conda/pkgs/urls
		- opt/conda/conda-meta/numpy-1.json
		- app/pkgs/mine/main`},
	{rule: "pip-cache", files: `
		+ root/.cache/pip/http/4/b/x
		+ home/app/.cache/pip/wheels/a/b.whl
		+ srv/home/.cache/pip/selfcheck/x
		+ root/.cache/pypoetry/cache/repositories/x
		+ root/.cache/pypoetry/artifacts/x.whl
		+ root/.cache/pipenv/hash-cache/x
		- root/.cache/pypoetry/virtualenvs/app-py3.12/bin/python
		- root/.cache/huggingface/hub/models--x/blobs/y
		- root/.cache/torch/hub/checkpoints/resnet.pth
		- root/.cache/whisper/base.pt
		- root/.cache/ms-playwright/chromium-1/chrome
		- root/.cache/puppeteer/chrome/linux-1/chrome
		- root/.cache/matplotlib/fontlist-v330.json
		- root/.cache/fontconfig/x.cache-7
		- root/.cache/node/corepack/v1/pnpm/9.0.0/bin/pnpm.cjs
		- root/.cache/deno/npm/x
		- root/.config/pip/pip.conf
		- usr/lib/python3/dist-packages/pip/cache.py`},
	{rule: "uv-cache", files: `
		+ root/.cache/uv/wheels-v1/x
		+ root/.cache/uv/archive-v0/y/pkg/a.so
		- app/.venv/lib/python3.13/site-packages/b.so
		- root/.cache/uv/archive-v0/y/pkg/b.so = app/.venv/lib/python3.13/site-packages/b.so
		- root/.local/share/uv/python/cpython-3.13/bin/python3.13
		- usr/local/bin/uv`},
	{rule: "npm-cache", files: `
		+ root/.npm/_cacache/content-v2/sha512/a/b
		+ root/.npm/_logs/2024-debug-0.log
		+ opt/cache/_cacache/index-v5/x
		+ root/.cache/node-gyp/20.1.0/include/node/node.h
		- root/.npm/_npx/abc/node_modules/tool/index.js
		- root/.npmrc
		- usr/local/lib/node_modules/npm/node_modules/cacache/lib/get.js
		- app/node_modules/x/index.js`},
	{rule: "yarn-cache", files: `
		+ usr/local/share/.cache/yarn/v6/npm-x/x.tgz
		+ root/.cache/yarn/v6/y
		+ app/.yarn/cache/left-pad.zip
		+ root/.yarn/berry/cache/left-pad.zip
		- app/.yarn/releases/yarn-4.0.0.cjs
		- app/.yarn/unplugged/x/y
		- app/.yarn/install-state.gz`},
	{rule: "yarn-cache", files: `
		- app/.pnp.cjs
		- app/.yarn/cache/left-pad.zip
		- root/.yarn/berry/cache/left-pad.zip
		- usr/local/share/.cache/yarn/v6/x
		npm-cache root/.npm/_cacache/x`},
	{rule: "pnpm-cache", files: `
		+ root/.local/share/pnpm/store/v3/files/00/abc
		+ pnpm/store/v10/files/00/abc
		+ app/.pnpm-store/v3/files/11/d
		+ root/.cache/pnpm/metadata/registry/x.json
		- app/node_modules/.pnpm/x@1/node_modules/x/index.js
		- pnpm/store/v10/files/22/x = app/node_modules/.pnpm/x@1/node_modules/x/index.js
		- pnpm/store/v10/links/x/1/h/node_modules/x/a.js
		- pnpm/store/v10/files/33/y = pnpm/store/v10/links/x/1/h/node_modules/x/a.js
		- root/.cache/pnpm/dlx/abc/node_modules/y/index.js
		- root/.local/share/pnpm/global/5/x
		- pnpm/pnpm`},
	{rule: "bun-cache", files: `
		+ root/.bun/install/cache/x@1/index.js
		- root/.bun/bin/bun
		- root/.bun/install/global/node_modules/x/index.js`},
	{rule: "go-cache", files: `
		+ root/.cache/go-build/00/x-d
		+ go/pkg/mod/github.com/a/b@v1/c.go
		+ go/pkg/mod/cache/download/x.zip
		+ root/go/pkg/sumdb/x/latest
		+ gopath/pkg/mod/cache/lock
		- usr/local/go/pkg/tool/linux_amd64/compile
		- usr/local/go/src/fmt/print.go
		- go/bin/tool
		- app/pkg/mod/mod.go
		- app/vendor/github.com/a/b/c.go`},
	{rule: "cargo-cache", files: `
		+ usr/local/cargo/registry/src/index/serde-1/src/lib.rs
		+ usr/local/cargo/git/db/x/HEAD
		+ root/.cargo/registry/cache/i/serde.crate
		+ usr/local/rustup/tmp/x
		+ root/.rustup/downloads/x
		+ src/target/release/incremental/app/x.bin
		+ src/target/release/deps/libserde.rlib
		+ src/target/x86_64-unknown-linux-musl/release/deps/app.d
		+ src/target/debug/.fingerprint/x/y
		- src/target/release/app
		- src/target/release/deps/app-1 = src/target/release/app
		- src/target/release/deps/libplugin.so
		- src/target/release/build/x/out/gen.so
		- usr/local/cargo/bin/cargo
		- root/.cargo/config.toml
		- usr/local/rustup/toolchains/stable/lib/rustlib/x/lib/libstd.rlib
		- opt/app/target/app.jar`},
	{rule: "maven-cache", files: `
		+ root/.m2/repository/org/x/1/x.jar
		+ home/me/.m2/wrapper/dists/m/bin/mvn
		- root/.m2/settings.xml
		- usr/share/maven-repo/org/x/x.jar
		- usr/share/maven/ref/settings-docker.xml
		- app/libs/x.jar`},
	{rule: "gradle-cache", files: `
		+ home/gradle/.gradle/caches/modules-2/files-2.1/x.jar
		+ root/.gradle/wrapper/dists/g/bin/gradle
		+ root/.gradle/daemon/8.5/daemon-1.out.log
		+ src/.gradle/8.5/fileHashes/fileHashes.bin
		+ opt/gradle-home/caches/modules-2/x
		- root/.gradle/gradle.properties
		- root/.gradle/init.d/x.gradle
		- root/.gradle/jdks/temurin-21/bin/java
		- src/gradle/wrapper/gradle-wrapper.jar`},
	{rule: "nuget-cache", files: `
		+ root/.nuget/packages/x/1/lib/x.dll
		+ root/.local/share/NuGet/http-cache/x
		- root/.nuget/NuGet/NuGet.Config
		- usr/share/dotnet/shared/Microsoft.NETCore.App/9/System.dll
		- app/x.dll`},
	{rule: "composer-cache", files: `
		+ root/.composer/cache/files/a/b.zip
		+ root/.cache/composer/repo/x.json
		- root/.composer/vendor/bin/tool
		- root/.composer/auth.json
		- app/vendor/a/b/src/B.php`},
	{rule: "gem-cache", files: `
		+ usr/local/bundle/cache/rails-7.gem
		+ usr/local/bundle/cache/bundler/git/x-1/HEAD
		+ app/vendor/bundle/ruby/3.3.0/cache/rails.gem
		+ usr/local/lib/ruby/gems/3.3.0/cache/rake.gem
		+ var/lib/gems/3.1.0/cache/rake.gem
		+ root/.gem/ruby/3.3.0/cache/x.gem
		+ root/.bundle/cache/compact_index/x
		+ root/.local/share/gem/specs/x
		- app/vendor/cache/private-1.gem
		- usr/local/bundle/gems/rails-7/lib/rails.rb
		- usr/local/lib/ruby/gems/3.3.0/specifications/rake.gemspec
		- root/.bundle/config`},
	{rule: "cpan-cache", files: `
		+ root/.cpanm/work/1/x.tar.gz
		+ root/.cpan/sources/x
		+ root/.cpan/build/Mojo/lib/Mojo.pm
		- root/.cpan/CPAN/MyConfig.pm
		- usr/local/share/perl/5.36/Mojo.pm`},
	{rule: "build-cache", files: `
		+ app/node_modules/.cache/babel-loader/x.json
		+ app/.next/cache/webpack/client/0.pack
		+ root/.ccache/0/x
		+ root/.cache/sccache/x
		+ app/.pytest_cache/v/cache/lastfailed
		+ app/.mypy_cache/3.12/x.json
		+ app/.eslintcache
		+ app/.angular/cache/17/x
		- app/node_modules/.cache/puppeteer/chrome/linux/chrome
		- app/node_modules/.cache/prisma/master/x/libquery_engine.node
		- app/node_modules/.prisma/client/index.js
		- app/.next/cache/fetch-cache/x
		- app/.next/server/app/page.js
		- app/.next/static/x.js
		- root/.cache/bazel/_bazel_root/x`},
	{rule: "core-dumps", files: `
		+ app/core 0600
		+ app/core.4711 0600
		+ var/crash/x.crash
		+ var/lib/systemd/coredump/core.x.zst
		+ app/hs_err_pid17.log
		+ app/java_pid17.hprof
		- app/bin/core 0755
		- app/lib/core
		- core 0644
		- srv/core.js 0600
		- srv/core.1.txt 0600
		- srv/core.12a 0600
		- srv/score 0600`},
	{rule: "logs", files: `
		+ var/log/dpkg.log
		+ var/log/journal/0/system.journal
		+ var/log/lastlog
		+ root/install.log
		+ build.log
		+ app/log/production.log
		+ usr/local/tomcat/logs/catalina.2024.log
		+ app/npm-debug.log.123
		+ app/yarn-error.log
		- var/log/nginx/access.log -> /dev/stdout
		- data/leveldb/000003.log
		- app/changes.log
		- usr/share/app/logs/README
		- var/lib/mnesia/LATEST.LOG
		- app/catalog/x.log`},
	{rule: "tmp", files: `
		+ tmp/x.tar.gz
		+ tmp/a/b/c.o
		+ var/tmp/y
		core-dumps tmp/hs_err_pid1.log
		+ tmp/src/.git/HEAD
		- app/tmp/cache
		- tmpfiles
		- usr/lib/tmpfiles.d/x.conf`},
	{rule: "vcs", files: `
		+ app/.git/HEAD
		+ app/.git/objects/pack/x.pack
		+ app/vendor/lib/.git/config
		+ srv/.svn/wc.db
		+ srv/.hg/store/x
		+ root/.pyenv/.git/index
		- app/.gitignore
		- app/.github/workflows/ci.yml
		- srv/git/project.git/HEAD
		- opt/flutter/.git/HEAD
		- opt/flutter/flutter_console.bat
		- opt/vcpkg/.git/HEAD
		- opt/vcpkg/.vcpkg-root
		- home/linuxbrew/.linuxbrew/Homebrew/.git/HEAD
		go-cache go/pkg/mod/cache/vcs/x/.git/HEAD`},
	{rule: "docs", files: `
		+ usr/share/doc/curl/changelog.gz
		+ usr/share/man/man1/ls.1.gz
		+ usr/share/man/de/man1/ls.1.gz
		+ usr/share/info/dir
		+ usr/share/gtk-doc/html/glib/index.html
		+ usr/local/share/man/man1/node.1
		+ usr/share/lintian/overrides/x
		+ usr/local/lib/node_modules/npm/docs/content/x.md
		+ usr/lib/ruby/gems/3.1.0/doc/rake-13/ri/x.ri
		+ usr/local/rustup/toolchains/stable/share/doc/rust/html/std/index.html
		+ var/cache/man/index.db
		- usr/share/doc/curl/copyright
		- usr/share/doc/curl/COPYING.gz
		- usr/share/doc/x/LICENSE
		- usr/share/doc/x/licenses/MIT
		- usr/share/licenses/x/LICENSE
		- usr/share/doc/x -> y
		- usr/share/docker/x
		- usr/share/groff/1.22/tmac/an.tmac
		- usr/share/perl5/Foo.pod
		- app/doc/index.html
		- app/man/page`},
	{rule: "locales", files: `
		+ usr/share/locale/de/LC_MESSAGES/apt.mo
		+ usr/share/locale/sr@latin/LC_MESSAGES/apt.mo
		+ usr/share/locale/eo/LC_MESSAGES/apt.mo
		+ usr/share/i18n/locales/de_DE
		+ usr/share/i18n/charmaps/UTF-8.gz
		+ usr/lib/locale/de_DE.utf8/LC_CTYPE
		+ usr/lib/locale/locale-archive.tmpl
		- usr/share/locale/en/LC_MESSAGES/apt.mo
		- usr/share/locale/en_GB/LC_MESSAGES/apt.mo
		- usr/share/locale/en@quot/LC_MESSAGES/apt.mo
		- usr/share/locale/locale.alias
		- usr/lib/locale/C.utf8/LC_CTYPE
		- usr/lib/locale/locale-archive
		- usr/share/i18n/locales/musl/de_DE.UTF-8
		- usr/share/i18n/SUPPORTED
		- usr/share/X11/locale/de/Compose
		- usr/share/zoneinfo/Europe/Berlin
		- app/locale/de/LC_MESSAGES/django.mo
		- usr/local/lib/python3.12/site-packages/django/conf/locale/de/LC_MESSAGES/django.mo`},
	{rule: "locales", env: []string{"PATH=/bin", "LANG=de_AT.UTF-8", "LANGUAGE=pt_BR:fr", "LC_ALL=../*"}, files: `
		- usr/share/locale/de/LC_MESSAGES/apt.mo
		- usr/share/locale/de_AT/LC_MESSAGES/apt.mo
		- usr/share/locale/pt/LC_MESSAGES/apt.mo
		- usr/share/locale/fr/LC_MESSAGES/apt.mo
		- usr/lib/locale/de_AT.utf8/LC_CTYPE
		+ usr/share/locale/del/LC_MESSAGES/apt.mo
		+ usr/share/locale/it/LC_MESSAGES/apt.mo`},
	{rule: "package-tests", files: `
		+ usr/local/lib/python3.12/site-packages/pandas/tests/test_algos.py
		+ usr/local/lib/python3.12/site-packages/pandas/tests/io/data/x.csv
		+ usr/local/lib/python3.12/site-packages/pandas/tests/__pycache__/test_algos.cpython-312.pyc
		+ usr/lib/python3/dist-packages/x/sub/test/x_test.py
		+ usr/lib/python3.11/test/test_os.py
		+ usr/local/lib/python3.12/idlelib/idle_test/x.py
		+ usr/local/go/test/fixedbugs/x.go
		+ app/node_modules/x/test/index.js
		- app/node_modules/x/package.json
		+ app/node_modules/@s/x/tests/a.js
		- app/node_modules/@s/x/package.json
		+ app/node_modules/x/lib/__tests__/a.js
		+ usr/local/bundle/gems/rake-13.0.6/test/x.rb
		+ usr/local/lib/ruby/gems/3.3.0/gems/rspec-core-3.12/spec/x.rb
		+ app/vendor/symfony/yaml/Tests/YamlTest.php
		- app/vendor/symfony/yaml/composer.json
		- app/tests/test_app.py
		- app/test/index.js
		- app/spec/models/user_spec.rb
		- app/vendor/github.com/x/tests/a.go
		- app/gems/mine-1.0/spec/x.rb
		- usr/local/lib/python3.12/site-packages/django/test/client.py
		- usr/local/lib/python3.12/site-packages/numexpr/tests/test_numexpr.py
		- usr/local/lib/python3.12/site-packages/astropy/tests/test_logger.py
		- usr/local/lib/python3.12/site-packages/jinja2/tests.py
		- usr/local/lib/python3.12/unittest/mock.py
		- usr/lib/python3.11/test/support/__init__.py
		- usr/lib/python3.11/test/__init__.py
		- app/node_modules/@playwright/test/index.js
		- app/node_modules/@playwright/test/package.json
		- app/node_modules/test/lib/a.js
		- app/node_modules/test/package.json
		- app/node_modules/y/package.json
		- app/node_modules/y/dist/test/a.js
		- app/node_modules/z/package.json
		- app/node_modules/z/test/package.json
		- app/node_modules/z/test/a.js
		- usr/local/go/src/testing/testing.go`},
	{rule: "headers", files: `
		+ usr/include/stdio.h
		+ usr/include/c++/12/vector
		+ usr/local/include/node/node.h
		+ usr/lib/x86_64-linux-gnu/libz.a
		+ usr/lib/libc.a
		+ usr/local/lib/libpython3.12.a
		- usr/include/python3.11/pyconfig.h
		- usr/include/x86_64-linux-gnu/python3.11/pyconfig-64.h
		- usr/lib/x86_64-linux-gnu/libz.so.1
		- usr/lib/x86_64-linux-gnu/ImageMagick-6.9.11/modules-Q16/coders/png.la
		- usr/local/go/src/runtime/go_asm.h
		- app/lib/model.a
		- app/include/x.h
		- usr/lib/gcc`},
	{rule: "headers", files: `
		- usr/include/stdio.h
		- usr/lib/libc.a
		- usr/bin/x86_64-linux-gnu-gcc-12`},
	{rule: "headers", files: `
		- usr/include/stdio.h
		- usr/local/cargo/bin/rustc -> rustup`},
	{rule: "headers", files: `
		+ usr/include/stdio.h
		- usr/bin/gcc-docs
		- usr/share/gcc/cc
		- usr/bin/cargo-cult`},
	{rule: "jdk-sources", files: `
		+ opt/java/lib/src.zip
		- opt/java/lib/jrt-fs.jar
		+ usr/lib/jvm/java-8/src.zip
		- usr/lib/jvm/java-8/jre/lib/rt.jar
		- app/src.zip
		- app/lib/src.zip`},
	{rule: "python-bytecode", files: `
		- app/a.py
		+ app/__pycache__/a.cpython-312.pyc
		+ app/__pycache__/a.cpython-312.opt-1.pyc
		+ app/__pycache__/a.cpython-312-pytest-8.1.1.pyc
		+ app/a.pyc
		+ app/a.pyo
		- app/__pycache__/b.cpython-312.pyc
		- app/c.pyc
		- app/__pycache__/app.py
		- app/d.py -> a.py
		+ app/__pycache__/d.cpython-312.pyc
		- app/__pycache__/.pyc
		- __pycache__/a.cpython-312.pyc`},
	{rule: "source-maps", files: `
		- app/dist/a.js
		+ app/dist/a.js.map
		- app/dist/b.css
		+ app/dist/b.css.map
		- app/dist/c.d.ts
		+ app/dist/c.d.ts.map
		- app/dist/d.js.map
		- app/dist/e.map
		- app/dist/e
		- boot/System.map`},
	{rule: "source-maps", env: []string{"NODE_OPTIONS=--max-old-space-size=512 --enable-source-maps"}, files: `
		- app/dist/a.js
		- app/dist/a.js.map`},
	{rule: "package-leftovers", files: `
		+ var/lib/dpkg/status-old
		+ var/cache/debconf/templates.dat-old
		+ etc/passwd-
		+ etc/subuid-
		+ etc/ssh/sshd_config.dpkg-dist
		+ etc/my.cnf.rpmnew
		+ var/backups/dpkg.status.0
		+ var/cache/ldconfig/aux-cache
		- var/lib/dpkg/status
		- var/cache/debconf/templates.dat
		- etc/passwd
		- app/x.rpmnew
		- etc/ld.so.cache`},
	{rule: "litter", files: `
		+ app/.DS_Store
		+ app/Thumbs.db
		+ app/.idea/workspace.xml
		+ app/.vscode/settings.json
		+ app/.a.txt.swp
		- app/a.txt
		+ app/a.txt~
		+ app/a.txt.orig
		+ app/a.txt.bak
		+ app/a.txt.rej
		+ app/#a.txt#
		+ app/._a.txt
		+ app/__MACOSX/x
		+ root/.bash_history
		+ home/me/.viminfo
		- app/b.txt~
		- app/b.txt.bak
		- app/._b
		- app/c 0755
		- app/c.orig 0755
		- app/data.swp
		- root/.vscode/extensions/x/index.js
		- home/me/work/.bash_history
		- app/desktop.ini
		- app/##
		- app/~`},
}
