package advice

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"github.com/layerscope/layerscope/analyze/buildcontext"
	"github.com/layerscope/layerscope/analyze/cascade"
)

// group is files of a context that builds rarely need.
type group struct {
	what     string   // "what npm installed on this machine"
	patterns []string // of .dockerignore
	// when tells whether the build does without them; nil: always.
	when func(*finder) bool
	note string // what to look at first, a sentence; "" for nothing
}

var versionTools = regexp.MustCompile(`setuptools[_-]scm|hatch-vcs|hatch_vcs|versioneer|pbr|poetry-dynamic-versioning|dunamai|uv-dynamic-versioning|versioningit|nbgv|Nerdbank|GitVersion|MinVer|git-commit-id|vergen|gitinfo|git-rev|git describe|rev-parse|shadow-rs|built`)

// groups returns the groups, the surest first.
func groups() []group {
	return []group{
		{what: "packages installed on this machine", patterns: []string{"**/node_modules"}, when: (*finder).installsNode},
		{what: "a virtual environment of this machine", patterns: []string{".venv", "venv"}, when: (*finder).installsPython},
		{what: "bytecode and caches of Python", patterns: []string{"**/__pycache__", "**/*.pyc", "**/.pytest_cache", "**/.mypy_cache", "**/.ruff_cache", ".tox", ".nox"}},
		{what: "reports of test coverage", patterns: []string{"coverage", ".nyc_output", "htmlcov", ".coverage", "coverage.out"}},
		{what: "what the build makes anew", patterns: []string{"target"}, when: (*finder).buildsTarget},
		{what: "what the build makes anew", patterns: []string{".next", ".nuxt", ".svelte-kit", ".turbo", ".parcel-cache"}, when: (*finder).buildsNode},
		{what: "what the build makes anew", patterns: []string{"**/bin/Debug", "**/bin/Release", "**/obj"}, when: (*finder).buildsDotnet},
		{what: "logs", patterns: []string{"**/*.log"}},
		{what: "files of editors and desktops", patterns: []string{".idea", ".vscode", "**/*.swp", "**/*~", "**/.DS_Store", "**/Thumbs.db"}},
		{what: "git's own files", patterns: []string{".git"}, when: (*finder).withoutGit,
			note: "Look first whether the build derives a version of it, as setuptools_scm, git describe and go build do: of 33 builds surveyed 11 failed or lost their version without .git."},
		{what: "the configuration of CI and of Compose", patterns: []string{".github", ".gitlab-ci.yml", ".gitlab", ".circleci", ".travis.yml", "Jenkinsfile", "azure-pipelines.yml", "bitbucket-pipelines.yml", ".drone.yml", "compose*.yaml", "compose*.yml", "docker-compose*.yml", "docker-compose*.yaml"}},
		{what: "notes for people", patterns: []string{"README.md", "CHANGELOG.md", "CONTRIBUTING.md", "CODE_OF_CONDUCT.md", "SECURITY.md"}, when: (*finder).withoutReadme},
	}
}

// litter is a group of which a context has files.
type litter struct {
	group
	there []string // those of its patterns that match
	files *Files
}

// findLitter finds, for each COPY, what it copies that no step seems to need. A
// group is of the first step that reads something of it.
func findLitter(f *finder) ([]Finding, error) {
	if f.tree == nil {
		return nil, nil
	}
	served, again := f.served(), f.reincluded()
	of := map[int][]litter{}
	for _, g := range groups() {
		if g.when != nil && !g.when(f) {
			continue
		}
		there, removed := f.present(slices.DeleteFunc(g.patterns, func(p string) bool {
			_, paths := f.present([]string{p})
			return slices.ContainsFunc(paths, again)
		}))
		if len(removed) == 0 || slices.ContainsFunc(removed, f.wanted) {
			continue
		}
		files, first := f.copied(removed)
		if first == "" || slices.ContainsFunc(removed, served) {
			continue
		}
		at := f.readersOf(first)[0].Index
		of[at] = append(of[at], litter{g, there, files})
	}
	var found []Finding
	for _, s := range f.readers() {
		one, err := f.littered(s, of[s.Index])
		if err != nil {
			return nil, err
		}
		if one != nil {
			found = append(found, *one)
		}
	}
	return found, nil
}

// littered makes one finding of the groups of a COPY: of those without which it
// still builds, and whose change reruns something.
func (f *finder) littered(s *cascade.Step, all []litter) (*Finding, error) {
	var one *Finding
	var patterns, what []string
	var notes string
	had := &Files{}
	for _, l := range all {
		more := append(slices.Clone(patterns), l.there...)
		_, removed := f.present(more)
		files, first := f.copied(removed)
		if files.Files == had.Files {
			continue // all are of the groups before
		}
		v, edit, ok := f.rewritten(nil, more, removed)
		if !ok {
			continue
		}
		saves, err := f.saving(fileChanges(l.files.Examples[0]), v)
		if err != nil {
			return nil, err
		}
		if saves == nil || !saves.some() {
			continue
		}
		if one == nil {
			one = &Finding{Step: s.Index, Saves: saves}
		}
		patterns, one.Edit = more, edit
		one.Context, one.Lines = files, linesOf(f.readersOf(first))
		what = append(what, fmt.Sprintf("%s (%s: %s, %s)", l.what, some(l.there), count(files.Files-had.Files, "file"), size(files.Bytes-had.Bytes)))
		had = files
		if l.note != "" {
			notes += " " + l.note
		}
	}
	if one != nil {
		one.Text = fmt.Sprintf("%s copies %s that no step seems to need: %s.%s", on(s), count(one.Context.Files, "file"), list(what), notes)
	}
	return one, nil
}

// size is a number of bytes as people read it, in powers of 1000.
func size(n int64) string {
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	x, units := float64(n)/1000, "kMGTPE"
	for x >= 999.95 {
		x, units = x/1000, units[1:]
	}
	return fmt.Sprintf("%.1f %cB", x, units[0])
}

// webRoots are the directories whose files web servers serve as they are.
var webRoots = []string{"/usr/share/nginx/html", "/var/www", "/usr/local/apache2/htdocs"}

// served returns what tells whether something at or below a path of the context
// is copied to where a web server serves it: nobody but the site's visitors can
// tell whether it is needed.
func (f *finder) served() func(p string) bool {
	paths := map[string]bool{}
	for _, s := range f.readers() {
		var dest string
		switch c := s.Command.(type) {
		case *instructions.CopyCommand:
			dest = c.DestPath
		case *instructions.AddCommand:
			dest = c.DestPath
		default:
			continue
		}
		at, ok := f.dest(s, dest)
		if !ok || !slices.ContainsFunc(webRoots, func(root string) bool { return within(root, at) }) {
			continue
		}
		for _, e := range f.takes[s.Index] {
			for p := e.Path; p != "." && !paths[p]; p = path.Dir(p) {
				paths[p] = true
			}
		}
	}
	return func(p string) bool { return paths[p] }
}

// reincluded returns what tells whether the .dockerignore takes a path, or
// something below it, back into the context by its name.
func (f *finder) reincluded() func(p string) bool {
	_, text, _ := f.ignoreFile()
	var names []string
	for line := range strings.Lines(text) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "!"); ok {
			if name = strings.Trim(path.Clean("/"+strings.TrimSpace(name)), "/"); strings.Trim(name, "*/") != "" {
				names = append(names, name)
			}
		}
	}
	return func(p string) bool {
		return slices.ContainsFunc(names, func(n string) bool { return within(p, n) || matches(n, p) })
	}
}

// copied returns the files at and below some paths that steps read, and the first
// of them; "" if there are none. The paths are in the order of the tree's.
func (f *finder) copied(paths []string) (files *Files, first string) {
	read := map[string]bool{}
	for _, s := range f.readers() {
		for _, e := range f.takes[s.Index] {
			read[e.Path] = true
		}
	}
	files = &Files{}
	for _, e := range f.tree.Entries() {
		for len(paths) > 1 && !within(paths[0], e.Path) && within(paths[1], e.Path) {
			paths = paths[1:]
		}
		if e.IsDir() || !within(paths[0], e.Path) || !read[e.Path] {
			continue
		}
		files.add(e)
		if first == "" {
			first = e.Path
		}
	}
	return files, first
}

func (f *Files) add(e *buildcontext.Entry) {
	const examples = 3
	f.Files++
	f.Bytes += e.Size
	if len(f.Examples) < examples {
		f.Examples = append(f.Examples, e.Path)
	}
}

// present returns those patterns that match something of the context, and the
// paths that they match, without what is below others.
func (f *finder) present(patterns []string) (there, paths []string) {
	seen := map[string]bool{}
	for _, e := range f.tree.Entries() {
		for _, p := range patterns {
			if !matches(p, e.Path) {
				continue
			}
			seen[p] = true
			if len(paths) == 0 || !within(paths[len(paths)-1], e.Path) {
				paths = append(paths, e.Path)
			}
		}
	}
	return slices.DeleteFunc(slices.Clone(patterns), func(p string) bool { return !seen[p] }), paths
}

// matches tells whether a pattern of a group matches a path itself, as one of
// .dockerignore does.
func matches(pattern, p string) bool {
	rest, anywhere := strings.CutPrefix(pattern, "**/")
	if anywhere {
		at := len(p)
		for range strings.Count(rest, "/") + 1 {
			if at = strings.LastIndexByte(p[:max(at, 0)], '/'); at < 0 {
				break
			}
		}
		p = p[at+1:]
	}
	ok, err := path.Match(rest, p)
	return err == nil && ok
}

// wanted tells whether some step names a path, or its last element.
func (f *finder) wanted(p string) bool { return f.names(p) || f.mentions(path.Base(p)) }

// runsTool tells whether some RUN has a command of a tool that begins with one
// of some words.
func (f *finder) runsTool(tools []string, verbs ...string) bool {
	for i, sc := range f.runs {
		if stage := f.b.Graph.Steps[i].Stage; stage < 0 || !f.b.Graph.Stages[stage].Needed {
			continue
		}
		for _, words := range sc.commands {
			if slices.Contains(tools, words[0]) && (len(words) == 1 || slices.ContainsFunc(words[1:], func(w string) bool { return slices.Contains(verbs, w) })) {
				return true
			}
		}
	}
	return false
}

var nodeTools = []string{"npm", "yarn", "pnpm", "bun", "yarnpkg"}

func (f *finder) installsNode() bool {
	return f.runsTool(nodeTools, "ci", "install", "i", "clean-install")
}

func (f *finder) installsPython() bool {
	return f.runsTool([]string{"pip", "pip3", "uv", "poetry", "pipenv", "python", "python3"}, "install", "sync")
}

func (f *finder) buildsTarget() bool {
	return f.tree.Has("pom.xml") && f.runsTool([]string{"mvn", "mvnw", "./mvnw"}, "package", "install", "verify", "compile") ||
		f.tree.Has("Cargo.toml") && f.runsTool([]string{"cargo"}, "build", "install")
}

func (f *finder) buildsNode() bool {
	return f.tree.Has("package.json") && f.runsTool(nodeTools, "build")
}

func (f *finder) buildsDotnet() bool { return f.runsTool([]string{"dotnet"}, "build", "publish") }

// withoutGit tells whether nothing is seen to read .git.
func (f *finder) withoutGit() bool {
	for i := range f.runs {
		text := f.textOf(f.b.Graph.Steps[i])
		if hasWord(text, "git") && !strings.Contains(text, "install") || versionTools.MatchString(text) {
			return false
		}
	}
	for _, name := range []string{"pyproject.toml", "setup.py", "setup.cfg", "pom.xml", "Cargo.toml", "build.gradle", "build.gradle.kts", "Directory.Build.props", "Makefile", "package.json", "version.json"} {
		if text, ok := f.read(name); ok && versionTools.MatchString(text) {
			return false
		}
	}
	return true
}

// withoutReadme tells whether no manifest names a README, as those of packages
// do.
func (f *finder) withoutReadme() bool {
	for _, e := range f.tree.Entries() {
		name := path.Base(e.Path)
		if !slices.Contains([]string{"pyproject.toml", "setup.py", "setup.cfg", "Cargo.toml", "package.json", "MANIFEST.in"}, name) && path.Ext(name) != ".gemspec" && !isProjectFile(name) {
			continue
		}
		if strings.Contains(e.Path, "node_modules/") {
			continue
		}
		if text, ok := f.read(e.Path); !ok || strings.Contains(strings.ToLower(text), "readme") || strings.Contains(text, "hatchling") || strings.Contains(text, "CHANGELOG") {
			return false
		}
	}
	return true
}
