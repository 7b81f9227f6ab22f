package advice

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"github.com/layerscope/layerscope/analyze/cascade"
	"github.com/layerscope/layerscope/analyze/dockerfile"
)

// changing are the names of variables whose values come and go with each build
// or release, and that no tool takes for a setting of its own.
var changing = regexp.MustCompile(`^(VERSION|RELEASE|[A-Z0-9_]+_VERSION|([A-Z0-9_]+_)?(COMMIT|COMMIT_SHA|COMMIT_HASH|COMMIT_ID|REVISION|GIT_SHA|GIT_SHA1|GITSHA|GIT_HASH|GIT_REV|GIT_REF|GIT_BRANCH|GIT_TAG|VCS_REF|BUILD_DATE|BUILDDATE|BUILD_TIME|BUILDTIME|BUILD_TIMESTAMP|BUILD_ID|BUILD_NUMBER|BUILD_NUM|BUILD_REF)|CI_[A-Z0-9_]+)$`)

// setting are the names that look like those and that tools do read.
var setting = regexp.MustCompile(`^(SETUPTOOLS_|PBR_|NPM_|NODE_|YARN_|PNPM_|COREPACK_|POETRY_|PIP_|PIPENV_|UV_|PYTHON|PYENV_|GO|CGO_|CARGO_|RUST|BUNDLE|GEM_|RUBY|RBENV_|COMPOSER_|PHP|JAVA_|MAVEN_|GRADLE_|DOTNET_|NUGET_|ASDF_|MISE_|SOURCE_DATE_|DEBIAN_|APT_|CI_JOB_TOKEN)`)

// findEarly finds variables that change often above installs that don't use
// them.
func findEarly(f *finder) ([]Finding, error) {
	return f.early(func(_ int, names []string, value bool) bool {
		return !slices.ContainsFunc(names, func(n string) bool { return !changing.MatchString(n) || setting.MatchString(n) })
	}, f.earlyFinding)
}

// platformArgs are set by BuildKit to what is built for.
var platformArgs = []string{"TARGETARCH", "TARGETOS", "TARGETPLATFORM", "TARGETVARIANT"}

// findEarlyTarget finds arguments of the target platform above installs that
// don't use them, in stages that run on the platform that builds.
func findEarlyTarget(f *finder) ([]Finding, error) {
	return f.early(func(stage int, names []string, value bool) bool {
		return !value && strings.Contains(f.rootOf(stage).Platform, "BUILDPLATFORM") &&
			!slices.ContainsFunc(names, func(n string) bool { return !slices.Contains(platformArgs, n) })
	}, f.earlyTargetFinding)
}

// rootOf returns the stage that a stage's image is pulled by.
func (f *finder) rootOf(stage int) *dockerfile.Stage {
	return f.b.Graph.File.Chain(f.b.Graph.Stages[stage].Stage)[0]
}

// sunk is an ARG or an ENV that can stand further below.
type sunk struct {
	step   *cascade.Step
	names  []string
	before int             // the line that it can stand before
	over   []*cascade.Step // that don't use it and take time
}

// early looks in each stage for variables that can stand further below.
func (f *finder) early(movable func(stage int, names []string, value bool) bool, finding func(v variant, e Edit, all []sunk) (*Finding, error)) ([]Finding, error) {
	var found []Finding
	for _, stage := range f.needed() {
		steps := f.stageSteps(stage)
		var all []sunk
		for i, s := range steps {
			names, value := setBy(s)
			if len(names) == 0 || !movable(stage, names, value) {
				continue
			}
			if one := f.sink(s, names, steps[i+1:]); one != nil {
				all = append(all, *one)
			}
		}
		for _, keyword := range []string{"ARG", "ENV"} {
			var some []sunk
			for _, one := range all {
				if one.step.Keyword == keyword {
					some = append(some, one)
				}
			}
			one, err := f.sinkAll(some, finding)
			if err != nil {
				return nil, err
			}
			if one != nil {
				found = append(found, *one)
			}
		}
	}
	return found, nil
}

// sinkAll moves variables of a stage to where they can stand; nil if there are
// none, or if nothing is gained.
func (f *finder) sinkAll(all []sunk, finding func(v variant, e Edit, all []sunk) (*Finding, error)) (*Finding, error) {
	if len(all) == 0 {
		return nil, nil
	}
	w := newRewriter(f.b.Graph.File.Source)
	for _, one := range all {
		w.move(f.withComments(one.step), one.before)
	}
	v, edit, ok := f.rewritten(w, nil, nil)
	if !ok {
		return nil, nil
	}
	return finding(v, edit, all)
}

// setBy returns the variables that an instruction sets, and whether with a
// value of its own.
func setBy(s *cascade.Step) (names []string, value bool) {
	if a, ok := s.Command.(*instructions.ArgCommand); ok {
		for _, kv := range a.Args {
			value = value || kv.Value != nil
		}
	} else {
		value = true
	}
	return s.Variables(), value
}

// sink finds how far below a variable can stand; nil if it gains nothing.
func (f *finder) sink(s *cascade.Step, names []string, rest []*cascade.Step) *sunk {
	one := &sunk{step: s, names: names}
	expands := strings.Contains(s.Text, "$")
	for _, t := range rest {
		if !f.independent(t, names) || expands && (t.Keyword == "ENV" || t.Keyword == "ARG") {
			break
		}
		if t.Keyword == "RUN" {
			if f.takesTime(t) {
				one.over = append(one.over, t)
			}
		}
		one.before = t.Lines.End + 1
	}
	if len(one.over) == 0 {
		return nil
	}
	// No further than it has to: right below the last that takes time.
	one.before = one.over[len(one.over)-1].Lines.End + 1
	return one
}

// independent tells whether an instruction does the same without variables.
func (f *finder) independent(s *cascade.Step, names []string) bool {
	text := f.textOf(s)
	for _, n := range names {
		if strings.Contains(text, n) {
			return false
		}
	}
	switch s.Keyword {
	case "ONBUILD", "SHELL":
		return false
	case "RUN":
		return f.ignores(s, names)
	}
	return true
}

// ignores tells whether a RUN is known not to read variables.
func (f *finder) ignores(s *cascade.Step, names []string) bool {
	effects := f.runs[s.Index].effects()
	for _, e := range effects {
		if e.install == nil {
			continue
		}
		if e.install.tool.openEnv {
			return false
		}
		// A Gemfile is a program, and scripts of a package.json may run.
		if slices.Contains([]string{"bundle", "npm", "yarn", "pnpm", "bun"}, e.install.tool.name) && f.manifestsMention(e.install.tool, names) {
			return false
		}
	}
	return effects != nil
}

// manifestsMention tells whether some manifest of a tool in the context has a
// variable's name; a Gemfile that can't be read may.
func (f *finder) manifestsMention(t *tool, names []string) bool {
	name := "package.json"
	if t.name == "bundle" {
		name = "Gemfile"
	}
	seen := false
	if f.tree != nil {
		for _, e := range f.tree.Entries() {
			if e.Path != name && !strings.HasSuffix(e.Path, "/"+name) || strings.Contains(e.Path, "node_modules/") {
				continue
			}
			text, ok := f.read(e.Path)
			seen = seen || ok
			if slices.ContainsFunc(names, func(n string) bool { return strings.Contains(text, n) }) {
				return true
			}
		}
	}
	return t.name == "bundle" && !seen
}

// takesTime tells whether a RUN downloads or installs.
func (f *finder) takesTime(s *cascade.Step) bool {
	return slices.ContainsFunc(f.runs[s.Index].effects(), func(e effect) bool { return e.heavy })
}

// otherValue is what an argument is changed to.
const otherValue = "0.0.0-other"

func (f *finder) earlyFinding(v variant, edit Edit, all []sunk) (*Finding, error) {
	var names []string
	args := map[string]string{}
	var lines []int
	for _, one := range all {
		for _, n := range one.names {
			if !slices.Contains(names, n) {
				names = append(names, n)
			}
			if one.step.Keyword == "ARG" {
				args[n] = otherValue
			}
		}
		if one.step.Keyword == "ENV" {
			lines = append(lines, one.step.Lines.Start)
		}
	}
	saves, err := f.saving(valuesChange(names, args, lines), v)
	if saves == nil || err != nil {
		return nil, err
	}
	return f.sunkFinding(edit, all, saves, "each new value runs that again"), nil
}

func (f *finder) earlyTargetFinding(v variant, edit Edit, all []sunk) (*Finding, error) {
	other := "linux/arm64"
	for _, one := range all {
		if slices.Contains(one.names, "TARGETVARIANT") {
			other = "linux/arm/v7"
		}
	}
	if strings.HasPrefix(f.b.Graph.Options.Platform, other) {
		other = "linux/amd64"
	}
	saves, err := f.saving(otherPlatform(other), v)
	if saves == nil || err != nil {
		return nil, err
	}
	return f.sunkFinding(edit, all, saves, "each platform runs that again"), nil
}

// sunkFinding says that variables stand above what doesn't use them.
func (f *finder) sunkFinding(edit Edit, all []sunk, saves *Saving, so string) *Finding {
	var what []string
	var steps []*cascade.Step
	for _, one := range all {
		what = append(what, fmt.Sprintf("%s %s on line %s", one.step.Keyword, list(one.names), one.step.Lines))
		steps = append(steps, one.step)
	}
	verb := "is"
	if len(all) > 1 {
		verb = "are"
	}
	over := all[0].over[0]
	doesnt := "which doesn't use it"
	if len(all) > 1 || len(all[0].names) > 1 {
		doesnt = "which doesn't use them"
	}
	return &Finding{
		Step: all[0].step.Index, Lines: linesOf(steps), Edit: edit, Saves: saves,
		Text: fmt.Sprintf("%s %s part of the environment of %s, %s: %s.", list(what), verb, on(over), doesnt, so),
	}
}
