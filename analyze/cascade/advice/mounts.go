package advice

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"github.com/layerscope/layerscope/analyze/cascade"
)

// cache is what a tool keeps of its downloads.
type cache struct {
	target string // of root
	// shared tells that later steps of the tool need what the mount holds, so
	// that they have to mount it too.
	shared bool
	base   string // the mount is at its place in images whose name has this; "" for all
}

// caches returns what tools keep, where people run them as root.
func caches() map[string]cache {
	return map[string]cache{
		"npm":      {target: "/root/.npm"},
		"pnpm":     {target: "/root/.local/share/pnpm/store"},
		"bun":      {target: "/root/.bun/install/cache"},
		"pip":      {target: "/root/.cache/pip"},
		"poetry":   {target: "/root/.cache/pypoetry"},
		"pipenv":   {target: "/root/.cache/pipenv"},
		"go":       {target: "/go/pkg/mod", shared: true, base: "golang"},
		"mvn":      {target: "/root/.m2", shared: true, base: "maven"},
		"dotnet":   {target: "/root/.nuget/packages", shared: true},
		"gem":      {target: "/usr/local/bundle/cache", base: "ruby"},
		"bundle":   {target: "/usr/local/bundle/cache", base: "ruby"},
		"cargo":    {target: "/usr/local/cargo/registry", shared: true, base: "rust"},
		"composer": {target: "/tmp/cache", base: "composer"},
	}
}

// mountless is a frontend whose RUN has no --mount; 1.2 is the first that does.
var mountless = regexp.MustCompile(`(?m)^#\s*syntax\s*=\s*\S*dockerfile:1\.[01]\b`)

// findUnmounted finds downloads that a cache mount would keep.
func findUnmounted(f *finder) ([]Finding, error) {
	if mountless.Match(f.b.Graph.File.Source) {
		return nil, nil
	}
	w := newRewriter(f.b.Graph.File.Source)
	var steps []*cascade.Step
	var what []string
	for _, stage := range f.needed() {
		for _, s := range f.stageSteps(stage) {
			targets, tools := f.unmounted(stage, s)
			if len(targets) == 0 {
				continue
			}
			steps = append(steps, s)
			for _, t := range tools {
				if !slices.Contains(what, t) {
					what = append(what, t)
				}
			}
			line := f.sourceLine(s.Lines.Start)
			at := strings.Index(strings.ToUpper(line), "RUN") + len("RUN")
			flags := ""
			for _, t := range targets {
				flags += " --mount=type=cache,target=" + t
			}
			w.replace[s.Lines.Start] = line[:at] + flags + line[at:]
			f.withoutNoCache(w, s)
		}
	}
	if len(steps) == 0 {
		return nil, nil
	}
	_, edit, ok := f.rewritten(w, nil, nil)
	if !ok {
		return nil, nil
	}
	where := on(steps[0])
	if len(steps) > 1 {
		where += fmt.Sprintf(" and %s below it", count(len(steps)-1, "instruction"))
	}
	runs := "runs"
	if len(steps) > 1 {
		runs = "run"
	}
	return []Finding{{
		Step: steps[0].Index, Lines: linesOf(steps), Edit: edit,
		Text: fmt.Sprintf("Whenever %s %s again, %s %s all that was downloaded before. A cache mount keeps it; what that saves isn't computed, as the step runs as often, only faster.",
			where, runs, list(what), downloads(what)),
	}}, nil
}

func downloads(tools []string) string {
	if len(tools) == 1 {
		return "downloads"
	}
	return "download"
}

// unmounted returns the caches that a RUN would do with, and the tools whose
// they are.
func (f *finder) unmounted(stage int, s *cascade.Step) (targets, tools []string) {
	if s.Keyword != "RUN" || len(s.Nodes) == 0 || strings.Contains(strings.Join(s.Flags, " "), "type=") {
		return nil, nil
	}
	if u := f.at[s.Index].user; u != "" && u != "root" && u != "0" {
		return nil, nil
	}
	if len(s.Heredocs) > 0 || !strings.HasPrefix(strings.ToUpper(strings.TrimSpace(f.sourceLine(s.Lines.Start))), "RUN") {
		return nil, nil
	}
	if f.runs[s.Index].opaque || strings.Contains(f.rootOf(stage).Base, "windows") || strings.Contains(f.rootOf(stage).Base, "nanoserver") {
		return nil, nil
	}
	for _, e := range f.runs[s.Index].commands {
		t := toolOf(e)
		c, ok := caches()[t]
		if !ok || !downloading(t, e) || slices.Contains(tools, t) || !f.mountable(stage, s, t, c) {
			continue
		}
		targets, tools = append(targets, c.target), append(tools, t)
	}
	return targets, tools
}

// toolOf returns the name of the tool that a command is of; "" if it is none.
func toolOf(words []string) string {
	for _, t := range tools() {
		for _, name := range t.names {
			if n := len(name); len(words) >= n && slices.Equal(words[:n], name) {
				if words[0] == "uv" {
					return ""
				}
				return t.name
			}
		}
	}
	return ""
}

// downloading tells whether a command of a tool fetches packages.
func downloading(tool string, words []string) bool {
	verbs := map[string][]string{
		"npm": {"ci", "install", "i", "clean-install"}, "pnpm": {"install", "i", "add", "fetch"}, "bun": {"install", "i", "add"},
		"pip": {"install", "wheel", "download"}, "poetry": {"install"}, "pipenv": {"install", "sync"},
		"go": {"mod", "build", "install", "test", "generate", "run", "vet", "list"}, "dotnet": {"restore", "build", "publish", "test", "run", "pack"},
		"gem": {"install"}, "bundle": {"install"}, "cargo": {"build", "install", "fetch", "test", "run"}, "composer": {"install", "update", "require"},
	}
	if tool == "mvn" {
		return true
	}
	if slices.ContainsFunc(words, func(w string) bool { return w == "-g" || w == "--global" || strings.HasPrefix(w, "git+") }) {
		return false // one tool, or nothing that is cached
	}
	return slices.ContainsFunc(words[1:], func(w string) bool { return slices.Contains(verbs[tool], w) })
}

// mountable tells whether a RUN can have a tool's cache mounted: nothing below
// it needs what would then not be in a layer, and it isn't told to keep none.
func (f *finder) mountable(stage int, s *cascade.Step, tool string, c cache) bool {
	text := f.textOf(s)
	if c.base != "" && !strings.Contains(f.rootOf(stage).Base, c.base) || f.b.Graph.Stages[stage].Stage == nil {
		return false
	}
	vars := f.at[s.Index].vars
	for _, name := range []string{"PIP_NO_CACHE_DIR", "PIP_CACHE_DIR", "NPM_CONFIG_CACHE", "npm_config_cache", "GOPATH", "GOMODCACHE", "GOFLAGS", "PNPM_HOME", "CARGO_HOME", "BUNDLE_PATH", "GEM_HOME", "NUGET_PACKAGES", "COMPOSER_HOME", "COMPOSER_CACHE_DIR", "HOME", "XDG_CACHE_HOME", "POETRY_CACHE_DIR"} {
		if vars[name] != "" {
			return false
		}
	}
	for _, word := range []string{c.target, "cache clean", "cache purge", "clear-cache", "store prune", "/root/.cache", "~/.cache", "clean-cache", "--no-cache ", "-modcache", "-mod=vendor"} {
		if strings.Contains(text+" ", word) {
			return false
		}
	}
	if f.tree != nil && tool == "go" && f.tree.Has("vendor") {
		return false
	}
	return !c.shared || f.allMount(stage, tool, c)
}

// allMount tells whether all that needs a tool's cache is known, so that it can
// have it mounted: the RUNs of the stage, of those it is from and from it.
func (f *finder) allMount(stage int, tool string, c cache) bool {
	for _, s := range f.b.Graph.Steps {
		if copy, ok := s.Command.(*instructions.CopyCommand); ok && copy.From != "" && slices.ContainsFunc(copy.SourcePaths, func(p string) bool {
			return within(strings.TrimSuffix(p, "/"), c.target) || within(c.target, p)
		}) {
			return false
		}
		if s.Stage < 0 || !slices.Contains(f.b.Graph.File.Chain(f.b.Graph.File.Stages[s.Stage]), f.b.Graph.File.Stages[stage]) && s.Stage != stage {
			continue
		}
		if s.Keyword != "RUN" {
			continue
		}
		sc := f.runs[s.Index]
		if sc.opaque || len(s.Heredocs) > 0 || strings.Contains(strings.Join(s.Flags, " "), "type=") {
			return false
		}
		if u := f.at[s.Index].user; u != "" && u != "root" && u != "0" {
			return false
		}
		for _, words := range sc.commands {
			e := effectOf(words)
			own := toolOf(words) == tool
			if !own && !(e.known && e.install == nil) {
				return false
			}
			if own && !downloading(tool, words) && !e.known {
				return false
			}
		}
	}
	return true
}

// withoutNoCache takes flags out of a RUN that tell its tool to keep nothing.
func (f *finder) withoutNoCache(w *rewriter, s *cascade.Step) {
	for n := s.Lines.Start; n <= s.Lines.End; n++ {
		line := f.sourceLine(n)
		if r, ok := w.replace[n]; ok {
			line = r
		}
		if strings.Contains(line, " --no-cache-dir") {
			w.replace[n] = strings.ReplaceAll(line, " --no-cache-dir", "")
		}
	}
}
