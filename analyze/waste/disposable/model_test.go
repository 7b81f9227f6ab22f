package disposable

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/layerscope/layerscope/analyze/layer"
	"github.com/layerscope/layerscope/analyze/tree"
	"github.com/layerscope/layerscope/analyze/waste"
)

// This file says a second time what the rules match, as simply as can be: a
// filesystem is a map from path to file, a rule some regular expressions on
// whole paths, and nothing is shared between files.

// naiveFS is a filesystem by path.
type naiveFS map[string]naiveFile

type naiveFile struct {
	typ  layer.Type
	ref  tree.Ref
	size int64
	mode uint32
}

func (fs naiveFS) has(name string) bool { _, ok := fs[name]; return ok }

// in returns the names in a directory.
func (fs naiveFS) in(dir string) []string {
	var names []string
	for p := range fs {
		if p != "" && parent(p) == dir {
			names = append(names, path.Base(p))
		}
	}
	return names
}

func parent(p string) string { return strings.TrimPrefix(path.Dir("/"+p), "/") }

// naiveRule matches a file whose path, or a directory above it, is matched.
type naiveRule struct {
	id     string
	files  string                             // regular expressions on whole paths
	fileIf func(fs naiveFS, file string) bool // of those of files
	more   string                             // files without that condition
	dirs   string
	dirIf  []naiveDir // further directories, if

	keepFiles, keepDirs string
	keepEnv             func(env []string, file string) bool
	unless              string
}

type naiveDir struct {
	dirs string
	ok   func(fs naiveFS, dir string) bool
}

const home = `(|root/|home/[^/]+/)`

// naiveRules are in the order of the table.
var naiveRules = []naiveRule{
	{id: "apt-lists", dirs: `var/lib/apt/lists`},
	{id: "apt-archives", dirs: `var/cache/apt`,
		files: `(` + home + `|opt/|usr/src/|usr/local/src/)[^/]*\.deb|var/[^/]*(-local-repo-[^/]*|-repo-[^/]*-local)/[^/]*\.deb`},
	{id: "apk-cache", dirs: `var/cache/apk|etc/apk/cache`},
	{id: "rpm-cache", dirs: `var/cache/(dnf|yum|libdnf5|tdnf|zypp|PackageKit)`,
		files: `var/lib/rpm/__db\.[0-9][^/]*|(` + home + `|opt/|usr/src/|usr/local/src/)[^/]*\.rpm`},
	{id: "pacman-cache", dirs: `var/cache/pacman/pkg|var/lib/pacman/sync`},
	{id: "conda-cache", dirs: `opt/conda/pkgs|(.*/)?(((mini|ana)conda3?)|miniforge3?|mambaforge|micromamba|\.conda|\.mamba)/pkgs`},
	{id: "pip-cache", dirs: `(.*/)?\.cache/(pip|pipenv|pypoetry/cache|pypoetry/artifacts)`},
	{id: "uv-cache", dirs: `(.*/)?\.cache/uv`},
	{id: "npm-cache", dirs: `(.*/)?(_cacache|\.npm/_logs|\.npm/_prebuilds|\.cache/node-gyp|\.node-gyp)`},
	{id: "yarn-cache", dirs: `(.*/)?(\.cache/yarn|\.yarn-cache|\.yarn/cache|\.yarn/berry/(cache|index|metadata))`,
		unless: `(.*/)?\.pnp\.(cjs|js|loader\.mjs)`},
	{id: "pnpm-cache", dirs: `(.*/)?(\.local/share/pnpm/store|\.pnpm-store|pnpm/store/v[0-9][^/]*|\.cache/pnpm)`,
		keepDirs: `(.*/)?((store|\.pnpm-store)/v[0-9][^/]*/links|\.cache/pnpm/dlx[^/]*)`},
	{id: "bun-cache", dirs: `(.*/)?\.bun/install/cache`},
	{id: "go-cache", dirs: `(.*/)?(\.cache/go-build|go/pkg/mod|go/pkg/sumdb|pkg/mod/cache)`},
	{id: "cargo-cache", dirs: `((.*/)?\.cargo|usr/local/cargo|opt/cargo)/(registry|git)|((.*/)?\.rustup|usr/local/rustup|opt/rustup)/(downloads|tmp)|` +
		`(.*/)?target/([^/]+/)?(debug|release)/(incremental|\.fingerprint)`,
		files: `(.*/)?target/([^/]+/)?(debug|release)/deps/[^/]*\.(rlib|rmeta|d|o)`},
	{id: "maven-cache", dirs: `(.*/)?\.m2/(repository|wrapper)`},
	{id: "gradle-cache", dirs: `(.*/)?(caches/modules-2|\.gradle/(caches|daemon|wrapper|native|notifications|\.tmp|buildOutputCleanup|vcs-1|[0-9][^/]*))`},
	{id: "nuget-cache", dirs: `(.*/)?(\.nuget/packages|\.local/share/NuGet/(http-cache|v3-cache|plugins-cache))`},
	{id: "composer-cache", dirs: `(.*/)?(\.composer/cache|\.cache/composer)`},
	{id: "gem-cache", dirs: `usr/local/bundle/cache|(.*/)?bundle/ruby/[^/]+/cache|(.*/)?ruby/gems/[^/]+/cache|var/lib/gems/[^/]+/cache|` +
		`(.*/)?(\.gem/ruby/[^/]+/cache|\.gem/specs|\.local/share/gem/specs|\.cache/gem|\.bundle/cache)`},
	{id: "cpan-cache", dirs: `(.*/)?(\.cpanm|\.cpan/build|\.cpan/sources)`},
	{id: "build-cache",
		dirs: `(.*/)?(node_modules/\.cache|\.next/cache/(webpack|swc|turbopack|eslint)|\.parcel-cache|\.nyc_output|\.mypy_cache|\.pytest_cache|` +
			`\.ruff_cache|\.phpunit\.cache|\.angular/cache|\.nx/cache|\.ccache|\.cache/s?ccache)`,
		files:    `(.*/)?\.(eslintcache|stylelintcache|phpunit\.result\.cache|php-cs-fixer\.cache|php_cs\.cache)`,
		keepDirs: `(.*/)?node_modules/\.cache/(puppeteer|ms-playwright|playwright|prisma|Cypress)`},
	{id: "core-dumps", dirs: `var/crash|var/lib/systemd/coredump|var/lib/apport/coredump`,
		files: `(.*/)?core(\.[0-9]+)?`, fileIf: func(fs naiveFS, p string) bool { return fs[p].mode == 0o600 },
		more: `(.*/)?((hs_err|replay)_pid[^/]*\.log|java_pid[^/]*\.hprof|javacore\.[0-9][^/]*\.txt|heapdump\.[0-9][^/]*\.phd|Snap\.[0-9][^/]*\.trc|core\.[0-9][^/]*\.dmp)`},
	{id: "tmp", dirs: `tmp|var/tmp`},
	{id: "logs", dirs: `var/log`,
		files: home + `[^/]*\.log|(.*/)?logs?/[^/]*\.log|(.*/)?(npm|yarn|pnpm|lerna)-debug\.log[^/]*|(.*/)?yarn-error\.log`},
	{id: "vcs", dirIf: []naiveDir{{`(.*/)?\.(git|hg|svn|bzr)`, func(fs naiveFS, d string) bool {
		for _, tool := range []string{"flutter_console.bat", ".vcpkg-root", "update_depot_tools"} {
			if fs.has(path.Join(parent(d), tool)) {
				return false
			}
		}
		return true
	}}}, keepDirs: `(.*/)?(Homebrew|\.linuxbrew)`},
	{id: "docs",
		dirs: `usr/share/(doc|man|info|gtk-doc|help|lintian|linda|doc-base|bug|ri)|usr/local/(man|share/(doc|man|info|gtk-doc|ri))|usr/man|` +
			`opt/[^/]+/share/(doc|man|info|gtk-doc)|var/cache/man|(.*/)?ruby/gems/[^/]+/doc|var/lib/gems/[^/]+/doc|usr/local/bundle/doc|` +
			`(.*/)?node_modules/npm/(docs|man)|(.*/)?toolchains/[^/]+/share/(doc|man)`,
		keepFiles: `(.*/)?(copyright|COPYRIGHT|Copyright|COPYING|LICENSE|LICENCE|License|license|licence|NOTICE)[^/]*`,
		keepDirs:  `(.*/)?(LICENSES|licenses|license|legal)`},
	{id: "locales", dirs: `usr/share/locale(-langpack)?/[^/]+|usr/lib/locale/[^/]+|usr/share/i18n/(locales|charmaps)`,
		files:    `usr/lib/locale/locale-archive\.tmpl`,
		keepDirs: `(usr/share/locale|usr/share/locale-langpack|usr/lib/locale)/(C|POSIX|en)([._@][^/]*)?|usr/share/i18n/locales/musl`,
		keepEnv: func(env []string, file string) bool {
			for _, v := range env {
				if m := regexp.MustCompile(`^(?:LANG|LANGUAGE|LC_\w*)=(.*)$`).FindStringSubmatch(v); m != nil {
					for _, l := range strings.Split(m[1], ":") {
						lang := regexp.MustCompile(`^([a-z]{2,3})([._@]|$)`).FindStringSubmatch(l)
						if lang != nil && matchesAbove(`(usr/share/locale|usr/share/locale-langpack|usr/lib/locale)/`+lang[1]+`([._@][^/]*)?`, file) {
							return true
						}
					}
				}
			}
			return false
		}},
	{id: "package-tests",
		dirs: `(.*/)?node_modules/(.*/)?__tests__|(.*/)?lib(|32|64)/python[23][^/]*/(ctypes/test|distutils/tests|idlelib/idle_test|lib2to3/tests|sqlite3/test|tkinter/test|unittest/test)|` +
			`(usr/local/bundle|var/lib/gems/[^/]+|(.*/)?ruby/[^/]+|(.*/)?ruby/gems/[^/]+)/gems/[^/]*-[0-9][^/]*/(test|spec)|usr/local/go/test`,
		dirIf: []naiveDir{
			{`(.*/)?(site|dist)-packages/(.*/)?tests?|(.*/)?lib(|32|64)/python[23][^/]*/test`, func(fs naiveFS, d string) bool {
				return slices.ContainsFunc(fs.in(d), regexp.MustCompile(`^(test_.*|.*_test)\.py$`).MatchString)
			}},
			{`(.*/)?node_modules/(@[^/]*/)?[^/]+/tests?`, func(fs naiveFS, d string) bool {
				return fs.has(path.Join(parent(d), "package.json")) && !fs.has(path.Join(d, "package.json"))
			}},
			{`(.*/)?vendor/[^/]+/[^/]+/[tT]ests`, func(fs naiveFS, d string) bool { return fs.has(path.Join(parent(d), "composer.json")) }},
		},
		keepFiles: `(.*/)?python[23][^/]*/test/__init__\.py`,
		keepDirs:  `(.*/)?(site|dist)-packages/(astropy|numexpr|tables|odoo)/tests|(.*/)?python[23][^/]*/test/support`},
	{id: "headers", dirs: `usr/(local/)?include`, files: `usr/(lib|lib32|lib64|libx32|local/lib|local/lib64)/(.*/)?[^/]*\.a`,
		keepFiles: `usr/(local/)?include/(.*/)?pyconfig[^/]*\.h`,
		unless: `(.*/)?bin/(cc|c\+\+|c89|c99|cpp|gcc|g\+\+|clang|clang\+\+|tcc|icc|icx|nvcc|zig|go|rustc|ghc|gfortran|flang|gnatmake|gdc|ldc2|dmd|nim|crystal|swiftc|ocamlopt|fpc|julia|root|cling|bpftrace|` +
			`(gcc|g\+\+|clang|clang\+\+)-[0-9][^/]*|[^/]*-(gcc|g\+\+|clang|clang\+\+|gfortran|ocamlopt)-[0-9][^/]*|[^/]*-(gcc|g\+\+|cc|c\+\+|clang|clang\+\+)|` +
			`gccgo(-[^/]*)?|ocamlopt\.[^/]*|(ghc|gfortran)-[0-9][^/]*)`},
	{id: "jdk-sources", files: `(.*/)?src\.zip`, fileIf: func(fs naiveFS, p string) bool {
		return fs.has(path.Join(parent(p), "jrt-fs.jar")) || fs.has(path.Join(parent(p), "jre"))
	}},
	{id: "python-bytecode", files: `(.*/)?[^/]*\.py[co]`, fileIf: func(fs naiveFS, p string) bool {
		dir, base := parent(p), path.Base(p)
		if path.Base(dir) != "__pycache__" {
			return fs.has(strings.TrimSuffix(p, p[len(p)-1:]))
		}
		return slices.ContainsFunc(fs.in(parent(dir)), func(source string) bool {
			name, ok := strings.CutSuffix(source, ".py")
			return ok && strings.HasPrefix(base[:len(base)-len(".pyc")], name+".")
		})
	}},
	{id: "source-maps", files: `(.*/)?[^/]*\.(js|mjs|cjs|jsx|css|ts|mts|cts)\.map`,
		fileIf: func(fs naiveFS, p string) bool { return fs.has(strings.TrimSuffix(p, ".map")) },
		keepEnv: func(env []string, _ string) bool {
			return slices.ContainsFunc(env, regexp.MustCompile(`^NODE_OPTIONS=.*--enable-source-maps`).MatchString)
		}},
	{id: "package-leftovers", dirs: `var/backups`,
		files: `var/lib/dpkg/(status|available|diversions|statoverride)-old|var/cache/debconf/[^/]*-old|etc/(passwd|shadow|group|gshadow|subuid|subgid)-|` +
			`etc/(.*/)?[^/]*\.(dpkg-(old|dist|new|bak|tmp)|ucf-(old|dist|new)|rpm(new|save|orig)|apk-new|pac(new|save))|var/cache/ldconfig/aux-cache`},
	{id: "litter", dirs: `(.*/)?(__MACOSX|\.AppleDouble|\.Spotlight-V100|\.Trashes|\.fseventsd|\.idea)`,
		more: `(.*/)?(\.DS_Store|Thumbs\.db|ehthumbs\.db|\.vscode/[^/]+|[^/]*\.sublime-workspace|\.[^/]*\.sw[nop])|` +
			home + `\.((bash|ash|sh|zsh|python|node_repl|mysql|psql|sqlite|irb|rediscli)_history|lesshst|viminfo|wget-hsts)`,
		files: `(.*/)?(\._[^/]*|[^/]*(~|\.orig|\.rej|\.bak)|#[^/]*#)`,
		fileIf: func(fs naiveFS, p string) bool {
			dir, base := parent(p), path.Base(p)
			beside := func(re string) bool {
				m := regexp.MustCompile(`(?s)^` + re + `$`).FindStringSubmatch(base)
				return m != nil && fs.has(path.Join(dir, m[1]))
			}
			return beside(`\._(.+)`) || fs[p].mode&0o111 == 0 && (beside(`(.+)(?:~|\.orig|\.rej|\.bak)`) || beside(`#(.+)#`))
		}},
}

var (
	compiled = map[string]*regexp.Regexp{}
	answers  = map[[2]string]bool{} // most paths are asked for again and again
)

// whole reports whether a regular expression matches all of a path.
func whole(re, p string) bool {
	if re == "" {
		return false
	}
	if compiled[re] == nil {
		compiled[re] = regexp.MustCompile(`(?s)^(` + re + `)$`)
	}
	ok, known := answers[[2]string{re, p}]
	if !known {
		ok = compiled[re].MatchString(p)
		answers[[2]string{re, p}] = ok
	}
	return ok
}

// above returns the directories above a path, but for the root.
func above(p string) []string {
	var dirs []string
	for d := parent(p); d != ""; d = parent(d) {
		dirs = append(dirs, d)
	}
	return dirs
}

func matchesAbove(re, p string) bool {
	return slices.ContainsFunc(above(p), func(d string) bool { return whole(re, d) })
}

func (r *naiveRule) matches(fs naiveFS, env []string, p string) bool {
	if whole(r.keepFiles, p) || matchesAbove(r.keepDirs, p) || r.keepEnv != nil && r.keepEnv(env, p) {
		return false
	}
	for _, c := range r.dirIf {
		for _, d := range above(p) {
			if whole(c.dirs, d) && c.ok(fs, d) {
				return true
			}
		}
	}
	return matchesAbove(r.dirs, p) || whole(r.more, p) || whole(r.files, p) && (r.fileIf == nil || r.fileIf(fs, p))
}

// naiveClasses returns the class of each path of a file that isn't empty, "" for
// none.
func naiveClasses(fs naiveFS, env []string) map[string]string {
	classes := map[string]string{}
	var rules []naiveRule
	for _, r := range naiveRules {
		off := false
		for p, f := range fs {
			off = off || f.typ != layer.Dir && whole(r.unless, p)
		}
		if !off {
			rules = append(rules, r)
		}
	}
	for p, f := range fs {
		if f.typ != layer.File || f.size == 0 {
			continue
		}
		classes[p] = ""
		for _, r := range rules {
			if r.matches(fs, env, p) {
				classes[p] = r.id
				break
			}
		}
	}
	return classes
}

// naiveFind returns the copies of each class by the first of their paths.
func naiveFind(fs naiveFS, env []string) map[string][]string {
	classes := naiveClasses(fs, env)
	paths := map[tree.Ref][]string{}
	for p := range classes {
		paths[fs[p].ref] = append(paths[fs[p].ref], p)
	}
	found := map[string][]string{}
	for _, links := range paths {
		slices.SortFunc(links, func(a, b string) int { return slices.Compare(strings.Split(a, "/"), strings.Split(b, "/")) })
		if !slices.ContainsFunc(links, func(p string) bool { return classes[p] == "" }) {
			found[classes[links[0]]] = append(found[classes[links[0]]], links[0])
		}
	}
	for _, f := range found {
		slices.Sort(f)
	}
	return found
}

// finalFS returns the final filesystem of an image.
func finalFS(m waste.Image) naiveFS {
	fs := naiveFS{}
	for n, st := range m.Tree.Standing(m.Tree.Layers() - 1) {
		f := naiveFile{typ: m.Tree.Type(st.Inode), ref: st.Inode}
		if e, _ := m.Tree.Entry(st.Inode); e != nil {
			f.size, f.mode = e.Size, e.Mode
		}
		fs[m.Tree.Path(n)] = f
	}
	return fs
}
