package advice

import (
	"slices"
	"strings"
)

// tool is a package manager of a language.
type tool struct {
	name  string
	names [][]string // what its commands begin with
	// effect tells what a command needs that has words behind the name.
	effect func(t *tool, args []string) effect
	// needs returns the files that an install reads, below a project's
	// directory; false if it needs more or if that can't be told.
	needs func(p *project, args []string) (files []string, ok bool)
	// outputs are what an install writes below the project.
	outputs []string
	// openEnv tells that what it reads may take up any variable of the
	// environment.
	openEnv bool
	sources []string // endings of the names of files that people edit
}

func names(all ...string) (out [][]string) {
	for _, n := range all {
		out = append(out, strings.Fields(n))
	}
	return out
}

var scripts = []string{".js", ".ts", ".tsx", ".jsx", ".vue", ".mjs"}

// tools returns the package managers that are known.
func tools() []*tool { return allTools }

var allTools = []*tool{
	{name: "npm", names: names("npm"), effect: npmEffect, needs: needsNode("package-lock.json", "npm-shrinkwrap.json"), outputs: []string{"node_modules"}, sources: scripts},
	{name: "yarn", names: names("yarn", "yarnpkg"), effect: yarnEffect, needs: needsNode("yarn.lock", ".yarnrc", ".yarnrc.yml", ".yarn"), outputs: []string{"node_modules"}, sources: scripts},
	{name: "pnpm", names: names("pnpm"), effect: pnpmEffect, needs: needsNode("pnpm-lock.yaml", "pnpm-workspace.yaml", ".pnpmfile.cjs", ".pnpmfile.mjs"), outputs: []string{"node_modules"}, sources: scripts},
	{name: "bun", names: names("bun"), effect: pnpmEffect, needs: needsNode("bun.lock", "bun.lockb", "bunfig.toml"), outputs: []string{"node_modules"}, sources: scripts},
	{name: "corepack", names: names("corepack"), effect: func(_ *tool, args []string) effect {
		if len(args) > 0 && args[0] == "enable" {
			return light
		}
		return standalone
	}},
	{name: "go", names: names("go"), effect: goEffect, needs: needsGo, sources: []string{".go"}},
	{name: "pip", names: names("pip", "pip3", "python -m pip", "python3 -m pip", "uv pip"), effect: pipEffect, needs: needsPip, outputs: []string{".venv", "venv"}, sources: []string{".py"}},
	{name: "uv", names: names("uv"), effect: uvEffect, needs: needsUV, outputs: []string{".venv"}, sources: []string{".py"}},
	{name: "poetry", names: names("poetry"), effect: poetryEffect, needs: needsPoetry, outputs: []string{".venv"}, sources: []string{".py"}},
	{name: "pipenv", names: names("pipenv"), effect: pipenvEffect, needs: needsPipenv, outputs: []string{".venv"}, sources: []string{".py"}},
	{name: "bundle", names: names("bundle"), effect: bundleEffect, needs: needsBundle, outputs: []string{"vendor/bundle"}, sources: []string{".rb"}},
	{name: "gem", names: names("gem"), effect: gemEffect},
	{name: "composer", names: names("composer", "composer.phar"), effect: composerEffect, needs: needsComposer, outputs: []string{"vendor"}, sources: []string{".php"}},
	{name: "cargo", names: names("cargo"), effect: cargoEffect},
	{name: "rustup", names: names("rustup"), effect: func(*tool, []string) effect { return standalone }},
	{name: "mvn", names: names("mvn", "./mvnw"), effect: mavenEffect, needs: needsMaven, outputs: []string{"target"}, openEnv: true, sources: []string{".java", ".kt"}},
	{name: "gradle", names: names("gradle", "./gradlew"), effect: gradleEffect, needs: needsGradle, outputs: []string{"build", ".gradle"}, openEnv: true, sources: []string{".java", ".kt"}},
	{name: "dotnet", names: names("dotnet"), effect: dotnetEffect, needs: needsDotnet, outputs: []string{"obj", "bin"}, openEnv: true, sources: []string{".cs", ".fs"}},
}

// split returns the words of a command that are no flags, and whether one of
// some flags is there.
func split(args []string, flags ...string) (plain []string, has bool) {
	for _, a := range args {
		if !strings.HasPrefix(a, "-") {
			plain = append(plain, a)
			continue
		}
		name, _, _ := strings.Cut(a, "=")
		has = has || slices.Contains(flags, name)
	}
	return plain, has
}

// elsewhere are flags by which a tool works in another directory.
var elsewhere = []string{"--prefix", "-C", "--dir", "--cwd", "--filter", "-F", "-w", "--workspace", "--workspaces", "-r", "--recursive", "-d", "--working-dir", "--gemfile", "--directory", "--project", "--userconfig", "--modules-folder"}

func installOf(t *tool, args []string) effect {
	return effect{known: true, heavy: true, install: &install{tool: t, args: args}}
}

func npmEffect(t *tool, args []string) effect {
	if _, away := split(args, elsewhere...); away {
		return unknown
	}
	plain, global := split(args, "-g", "--global")
	switch {
	case len(plain) == 0:
		return unknown
	case slices.Contains([]string{"config", "set", "cache", "version"}, plain[0]):
		return light
	case !slices.Contains([]string{"ci", "clean-install", "install", "i", "add"}, plain[0]):
		return unknown
	case global && !slices.ContainsFunc(plain[1:], isPath):
		return standalone
	case len(plain) == 1 && !global:
		return installOf(t, args)
	}
	return unknown
}

// isPath tells whether an argument names something local rather than a package.
func isPath(arg string) bool {
	return strings.HasPrefix(arg, ".") || strings.HasPrefix(arg, "/") || strings.HasPrefix(arg, "file:") || strings.HasPrefix(arg, "$")
}

func yarnEffect(t *tool, args []string) effect {
	plain, away := split(args, elsewhere...)
	switch {
	case away:
		return unknown
	case len(plain) == 0 || len(plain) == 1 && plain[0] == "install":
		if len(args) == 1 && (args[0] == "--version" || args[0] == "-v") {
			return light
		}
		return installOf(t, args)
	case plain[0] == "cache" || plain[0] == "config":
		return light
	case plain[0] == "global" && !slices.ContainsFunc(plain, isPath):
		return standalone
	}
	// A number after --network-timeout is its value.
	if len(plain) <= 2 && slices.Contains(args, "--network-timeout") && (len(plain) == 1 || plain[0] == "install") {
		return installOf(t, args)
	}
	return unknown
}

func pnpmEffect(t *tool, args []string) effect {
	if _, away := split(args, elsewhere...); away {
		return unknown
	}
	plain, global := split(args, "-g", "--global")
	switch {
	case len(plain) == 0:
		return unknown
	case plain[0] == "config" || plain[0] == "store":
		return light
	case global && (plain[0] == "add" || plain[0] == "install") && !slices.ContainsFunc(plain, isPath):
		return standalone
	case len(plain) == 1 && (plain[0] == "install" || plain[0] == "i" || plain[0] == "fetch" && t.name == "pnpm"):
		return installOf(t, args)
	}
	return unknown
}

func goEffect(t *tool, args []string) effect {
	plain, away := split(args, "-C", "-modfile")
	switch {
	case len(plain) == 0 || away:
		return unknown
	case plain[0] == "version" || plain[0] == "env":
		return light
	case plain[0] == "install" && len(plain) > 1 && !slices.ContainsFunc(plain[1:], func(p string) bool { return !strings.Contains(p, "@") || isPath(p) }):
		return standalone
	case len(plain) == 2 && plain[0] == "mod" && (plain[1] == "download" || plain[1] == "verify"):
		return installOf(t, args)
	}
	return unknown
}

// pipValues are flags of pip whose value is the next word.
var pipValues = []string{"-i", "--index-url", "--extra-index-url", "--trusted-host", "--prefix", "--platform", "--python-version", "--timeout", "--default-timeout", "--retries", "--progress-bar", "--only-binary", "--no-binary", "--root-user-action", "--upgrade-strategy", "-p", "--python", "--torch-backend", "--index-strategy", "-t", "--target"}

// pipFiles returns the files of requirements that pip is given; false if it is
// given something local beside them.
func pipFiles(args []string) (files []string, ok bool) {
	for i := 0; i < len(args); i++ {
		flag, value, hasValue := strings.Cut(args[i], "=")
		switch {
		case flag == "-r" || flag == "--requirement" || flag == "--requirements" || flag == "-c" || flag == "--constraint":
			if !hasValue {
				if i++; i >= len(args) {
					return nil, false
				}
				value = args[i]
			}
			files = append(files, value)
		case strings.HasPrefix(flag, "-r") && len(flag) > 2:
			files = append(files, flag[2:])
		case flag == "-e" || flag == "--editable" || flag == "-f" || flag == "--find-links" || flag == "--group":
			return nil, false
		case slices.Contains(pipValues, flag):
			if !hasValue {
				i++
			}
		case strings.HasPrefix(flag, "-"):
		case isPath(args[i]) || strings.Contains(args[i], "/") && !strings.Contains(args[i], "://") && !strings.Contains(args[i], "@") || strings.HasSuffix(args[i], ".whl") || strings.HasSuffix(args[i], ".gz"):
			return nil, false
		}
	}
	return files, true
}

func pipEffect(t *tool, args []string) effect {
	if len(args) == 0 {
		return unknown
	}
	switch args[0] {
	case "cache", "config", "list", "check", "--version":
		return light
	case "install", "wheel", "download":
		files, ok := pipFiles(args[1:])
		switch {
		case !ok:
			return unknown
		case len(files) == 0:
			return standalone
		}
		return installOf(t, args)
	case "sync": // of uv: files
		plain, _ := split(args[1:])
		if len(plain) == 1 && strings.HasSuffix(plain[0], ".txt") {
			return installOf(t, args)
		}
	}
	return unknown
}

func uvEffect(t *tool, args []string) effect {
	plain, away := split(args, "--project", "--directory", "--package", "--all-packages", "--script")
	switch {
	case len(plain) == 0 || away:
		return unknown
	case plain[0] == "venv" || plain[0] == "python" || plain[0] == "cache":
		return light
	case plain[0] == "tool" && len(plain) > 2 && plain[1] == "install" && !slices.ContainsFunc(plain, isPath):
		return standalone
	case plain[0] == "sync":
		return installOf(t, args)
	}
	return unknown
}

func poetryEffect(t *tool, args []string) effect {
	plain, away := split(args, elsewhere...)
	switch {
	case len(plain) == 0 || away:
		return unknown
	case plain[0] == "config" || plain[0] == "--version" || plain[0] == "cache":
		return light
	case plain[0] == "install":
		return installOf(t, args)
	}
	return unknown
}

func pipenvEffect(t *tool, args []string) effect {
	plain, _ := split(args)
	if len(plain) == 1 && (plain[0] == "install" || plain[0] == "sync") && !slices.ContainsFunc(args, isPath) {
		return installOf(t, args)
	}
	return unknown
}

func bundleEffect(t *tool, args []string) effect {
	plain, away := split(args, elsewhere...)
	switch {
	case away:
		return unknown
	case len(plain) > 0 && plain[0] == "config":
		return light
	case len(plain) == 0 || plain[0] == "install":
		return installOf(t, args)
	}
	return unknown
}

func gemEffect(_ *tool, args []string) effect {
	plain, _ := split(args)
	if len(plain) > 0 && (plain[0] == "install" || plain[0] == "update") && !slices.ContainsFunc(plain, func(p string) bool { return isPath(p) || strings.HasSuffix(p, ".gem") }) {
		return standalone
	}
	return unknown
}

func composerEffect(t *tool, args []string) effect {
	plain, away := split(args, elsewhere...)
	switch {
	case len(plain) == 0 || away:
		return unknown
	case plain[0] == "install" && len(plain) == 1:
		return installOf(t, args)
	case plain[0] == "clear-cache" || plain[0] == "config":
		return light
	case plain[0] == "global":
		return standalone
	}
	return unknown
}

func cargoEffect(_ *tool, args []string) effect {
	plain, local := split(args, "--path")
	if len(plain) > 1 && plain[0] == "install" && !local {
		return standalone
	}
	return unknown
}

func mavenEffect(t *tool, args []string) effect {
	plain, away := split(args, "-f", "--file", "-pl", "--projects", "-s", "--settings")
	if len(plain) == 0 || away {
		return unknown
	}
	for _, goal := range plain {
		if i := strings.LastIndexByte(goal, ':'); i < 0 || !strings.Contains(goal[:i], "dependency") || !slices.Contains([]string{"go-offline", "resolve", "resolve-plugins"}, goal[i+1:]) {
			return unknown
		}
	}
	return installOf(t, args)
}

func gradleEffect(t *tool, args []string) effect {
	plain, away := split(args, "-p", "--project-dir", "-b", "--build-file", "-c", "-I", "--init-script")
	if len(plain) == 1 && plain[0] == "dependencies" && !away {
		return installOf(t, args)
	}
	return unknown
}

func dotnetEffect(t *tool, args []string) effect {
	if len(args) > 0 && args[0] == "restore" {
		if _, local := split(args, "-s", "--source", "--configfile"); !local {
			return installOf(t, args)
		}
	}
	return unknown
}
