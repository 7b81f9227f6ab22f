package advice

import (
	"encoding/json"
	"path"
	"regexp"
	"slices"
	"strings"
)

// project is a directory of the context that something is installed for.
type project struct {
	f   *finder
	dir string // in the context; "" for its root
}

func (p *project) path(name string) string { return path.Join(p.dir, name) }

func (p *project) has(name string) bool { return p.f.tree.Has(p.path(name)) }

func (p *project) read(name string) (string, bool) { return p.f.read(p.path(name)) }

// there returns those of some names that are there.
func (p *project) there(names ...string) (found []string) {
	for _, n := range names {
		if p.has(n) && !slices.Contains(found, n) {
			found = append(found, n)
		}
	}
	return found
}

// packageJSON is what counts of a package.json.
type packageJSON struct {
	Scripts                                                                            map[string]string
	Workspaces                                                                         any
	Dependencies, DevDependencies, OptionalDependencies, PeerDependencies, Resolutions map[string]any
	Overrides                                                                          map[string]any
	PNPM                                                                               map[string]any
}

// needsNode knows what the package managers of Node.js read beside
// package.json, each with its own files. Scripts that run at an install may read
// anything.
func needsNode(own ...string) func(*project, []string) ([]string, bool) {
	return func(p *project, args []string) ([]string, bool) {
		text, ok := p.read("package.json")
		var pkg packageJSON
		if !ok || !p.has("package.json") || json.Unmarshal([]byte(strings.TrimPrefix(text, "\ufeff")), &pkg) != nil {
			return nil, false
		}
		if pkg.Workspaces != nil || p.has("binding.gyp") || p.has(".pnp.cjs") || strings.Contains(text, "patchedDependencies") {
			return nil, false
		}
		if !slices.Contains(args, "--ignore-scripts") {
			for _, name := range []string{"preinstall", "install", "postinstall", "prepublish", "preprepare", "prepare", "postprepare"} {
				if pkg.Scripts[name] != "" {
					return nil, false
				}
			}
		}
		for _, deps := range []map[string]any{pkg.Dependencies, pkg.DevDependencies, pkg.OptionalDependencies, pkg.PeerDependencies, pkg.Resolutions, pkg.Overrides, pkg.PNPM} {
			if hasLocal(deps) {
				return nil, false
			}
		}
		if ws, ok := p.read("pnpm-workspace.yaml"); p.has("pnpm-workspace.yaml") && (!ok || strings.Contains(ws, "packages:") || strings.Contains(ws, "patchedDependencies")) {
			return nil, false
		}
		return p.there(append([]string{"package.json", ".npmrc"}, own...)...), true
	}
}

// hasLocal tells whether some value, however deep, names something local.
func hasLocal(values map[string]any) bool {
	for _, v := range values {
		switch v := v.(type) {
		case string:
			for _, prefix := range []string{"file:", "link:", "portal:", "workspace:", "patch:", "exec:", "./", "../", "/", "~/"} {
				if strings.HasPrefix(v, prefix) {
					return true
				}
			}
		case map[string]any:
			if hasLocal(v) {
				return true
			}
		}
	}
	return false
}

var localReplace = regexp.MustCompile(`=>\s*"?\.{0,2}/`)

func needsGo(p *project, _ []string) ([]string, bool) {
	text, ok := p.read("go.mod")
	if !ok || !p.has("go.mod") || p.has("go.work") || localReplace.MatchString(text) {
		return nil, false
	}
	return p.there("go.mod", "go.sum"), true
}

func needsPip(p *project, args []string) ([]string, bool) {
	files, _ := pipFiles(args[1:])
	if args[0] == "sync" {
		files, _ = split(args[1:])
	}
	seen := map[string]bool{}
	for i := 0; i < len(files); i++ {
		if !p.requirements(files[i], &files, seen) {
			return nil, false
		}
	}
	slices.Sort(files)
	return slices.Compact(files), true
}

// requirements reads a file of requirements and adds those that it includes;
// false if it names something local, or can't be read.
func (p *project) requirements(name string, files *[]string, seen map[string]bool) bool {
	if seen[name] {
		return true
	}
	seen[name] = true
	text, ok := p.read(name)
	if !ok || !p.has(name) || strings.HasPrefix(name, "/") || strings.HasPrefix(name, "..") || strings.ContainsAny(name, "$*") || len(seen) > 20 {
		return false
	}
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(strings.TrimSpace(line), " #")
		word := strings.Fields(strings.ReplaceAll(line, "=", " = "))
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "-r") || strings.HasPrefix(line, "--requirement") || strings.HasPrefix(line, "-c") || strings.HasPrefix(line, "--constraint"):
			include := strings.TrimPrefix(strings.TrimPrefix(word[len(word)-1], "-r"), "-c")
			*files = append(*files, path.Join(path.Dir(name), include))
		case strings.HasPrefix(line, "-e"), strings.HasPrefix(line, "--editable"), strings.HasPrefix(line, "-f"), strings.HasPrefix(line, "--find-links"),
			isPath(line), strings.Contains(line, "file:"), strings.Contains(line, "@ ."):
			return false
		case !strings.HasPrefix(line, "-") && strings.Contains(word[0], "/") && !strings.Contains(word[0], "://") && !strings.Contains(line, "@"):
			return false
		}
	}
	return true
}

var localPath = regexp.MustCompile(`(?m)\bpath\s*=|\bworkspace\s*=|\bfile://|@\s*\.`)

func needsUV(p *project, args []string) ([]string, bool) {
	text, ok := p.read("pyproject.toml")
	if !ok || !p.has("pyproject.toml") || localPath.MatchString(text) || strings.Contains(text, "[tool.uv.workspace]") {
		return nil, false
	}
	// A project with a build system is built and installed as well.
	if strings.Contains(text, "[build-system]") && !slices.Contains(args, "--no-install-project") {
		return nil, false
	}
	return p.there("pyproject.toml", "uv.lock", "uv.toml", ".python-version"), true
}

func needsPoetry(p *project, args []string) ([]string, bool) {
	text, ok := p.read("pyproject.toml")
	if !ok || !p.has("pyproject.toml") || localPath.MatchString(text) || !slices.Contains(args, "--no-root") && !strings.Contains(text, "package-mode = false") {
		return nil, false
	}
	return p.there("pyproject.toml", "poetry.lock", "poetry.toml"), true
}

func needsPipenv(p *project, _ []string) ([]string, bool) {
	text, ok := p.read("Pipfile")
	if !ok || !p.has("Pipfile") || localPath.MatchString(text) || strings.Contains(text, "editable") {
		return nil, false
	}
	return p.there("Pipfile", "Pipfile.lock"), true
}

// A Gemfile is a program.
var gemfileReads = regexp.MustCompile(`(?m)\bgemspec\b|\bpath:|:path\b|^\s*path\b|eval_gemfile|require_relative|File\.|Dir[.\[]|instance_eval|__dir__`)
var rubyVersion = regexp.MustCompile(`File\.read\(\s*["']\.ruby-version["']\s*\)(\.strip|\.chomp)?`)

func needsBundle(p *project, _ []string) ([]string, bool) {
	text, ok := p.read("Gemfile")
	if !ok || !p.has("Gemfile") || p.has("vendor/cache") || p.has(".bundle") || gemfileReads.MatchString(rubyVersion.ReplaceAllString(text, "")) {
		return nil, false
	}
	return p.there("Gemfile", "Gemfile.lock", ".ruby-version", ".tool-versions"), true
}

func needsComposer(p *project, args []string) ([]string, bool) {
	text, ok := p.read("composer.json")
	var c struct {
		Scripts      map[string]any
		Autoload     map[string]any
		AutoloadDev  map[string]any `json:"autoload-dev"`
		Repositories any
		Config       map[string]any
	}
	if !ok || !p.has("composer.json") || json.Unmarshal([]byte(text), &c) != nil {
		return nil, false
	}
	if _, quiet := split(args, "--no-scripts"); !quiet && len(c.Scripts) > 0 {
		return nil, false
	}
	if _, none := split(args, "--no-autoloader"); !none {
		_, optimized := split(args, "-o", "--optimize-autoloader", "-a", "--classmap-authoritative")
		for _, a := range []map[string]any{c.Autoload, c.AutoloadDev} {
			optimized = optimized || a["classmap"] != nil || a["files"] != nil
		}
		if optimized || c.Config["optimize-autoloader"] == true || c.Config["classmap-authoritative"] == true {
			return nil, false
		}
	}
	repositories, _ := json.Marshal(c.Repositories)
	if strings.Contains(string(repositories), `"path"`) || strings.Contains(string(repositories), `"artifact"`) {
		return nil, false
	}
	return p.there("composer.json", "composer.lock", "symfony.lock", "auth.json"), true
}

func needsMaven(p *project, _ []string) ([]string, bool) {
	text, ok := p.read("pom.xml")
	if !ok || !p.has("pom.xml") || strings.Contains(text, "<modules>") || strings.Contains(text, "<systemPath>") || strings.Contains(text, "file://") {
		return nil, false
	}
	if strings.Contains(text, "<parent>") && !strings.Contains(text, "<relativePath/>") && !strings.Contains(text, "<relativePath />") && p.dir != "" {
		return nil, false
	}
	return p.there("pom.xml", "mvnw", ".mvn"), true
}

var gradleProjects = regexp.MustCompile(`(?m)^\s*(include|includeBuild)\b`)
var gradleReads = regexp.MustCompile(`(?m)\bapply\s*\(?\s*from\b|\bfile(s|Tree)?\s*\(|\bproject\s*\(\s*["']`)

func needsGradle(p *project, _ []string) ([]string, bool) {
	if p.has("buildSrc") || p.has("settings.gradle.dcl") {
		return nil, false
	}
	files := p.there("settings.gradle", "settings.gradle.kts", "build.gradle", "build.gradle.kts", "gradle.properties", "gradlew", "gradle", "gradle.lockfile")
	if len(p.there("build.gradle", "build.gradle.kts")) == 0 {
		return nil, false
	}
	for _, name := range files {
		if strings.HasPrefix(path.Ext(name), ".gradle") || strings.HasSuffix(name, ".kts") {
			text, ok := p.read(name)
			if !ok || gradleProjects.MatchString(text) || gradleReads.MatchString(text) {
				return nil, false
			}
		}
	}
	return files, true
}

func isProjectFile(name string) bool {
	return slices.Contains([]string{".csproj", ".fsproj", ".vbproj"}, path.Ext(name))
}

// maxProjects is the most project files that are copied one by one.
const maxProjects = 20

func needsDotnet(p *project, args []string) ([]string, bool) {
	plain, _ := split(args[1:])
	for _, name := range plain {
		if !p.has(name) && !strings.HasPrefix(name, "linux-") && !strings.HasPrefix(name, "$") {
			return nil, false
		}
	}
	files := p.there("NuGet.config", "nuget.config", "NuGet.Config", "Directory.Build.props", "Directory.Build.targets", "Directory.Packages.props", "global.json")
	projects := 0
	for _, e := range p.f.tree.Entries() {
		name, below := strings.CutPrefix("/"+e.Path, path.Join("/", p.dir)+"/")
		if p.dir == "" {
			name, below = e.Path, true
		}
		if !below || e.IsDir() {
			continue
		}
		base := path.Base(name)
		solution := path.Dir(name) == "." && (path.Ext(name) == ".sln" || path.Ext(name) == ".slnx")
		nested := path.Dir(name) != "." && slices.Contains([]string{"Directory.Build.props", "Directory.Build.targets", "Directory.Packages.props"}, base)
		if base == "packages.config" || base == "paket.dependencies" {
			return nil, false
		}
		if !isProjectFile(name) && !solution && !nested && base != "packages.lock.json" {
			continue
		}
		if isProjectFile(name) {
			projects++
			text, ok := p.read(name)
			if !ok || strings.Contains(text, "<Import ") {
				return nil, false
			}
		}
		files = append(files, name)
	}
	if projects == 0 || projects > maxProjects || len(files) > 2*maxProjects {
		return nil, false
	}
	slices.Sort(files)
	return slices.Compact(files), true
}
