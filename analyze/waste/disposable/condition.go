package disposable

import (
	"strings"

	"github.com/layerscope/layerscope/analyze/layer"
)

// Condition is what must hold beside a glob. That of a glob of files is asked
// of each file, that of a glob that ends in /** of the directory before it.
type Condition struct {
	Text string // completes "GLOB, …": "if its source is beside it"

	file func(d *dir, name string, e *layer.Entry) bool
	dir  func(d *dir) bool
}

var withSource = &Condition{
	Text: "if its source is there (`NAME.py` in the directory, or in that of `__pycache__`)",
	file: func(d *dir, name string, _ *layer.Entry) bool {
		module, ok := strings.CutSuffix(name, ".pyc")
		if !ok {
			module, _ = strings.CutSuffix(name, ".pyo")
		}
		if d.up == nil || d.w.t.Name(d.node) != "__pycache__" {
			return d.has(module + ".py")
		}
		// PEP 3147: NAME.TAG.pyc or NAME.TAG.opt-N.pyc; tags of tools have
		// dots themselves, as names may.
		for i := range len(module) {
			if module[i] == '.' && d.up.has(module[:i]+".py") {
				return true
			}
		}
		return false
	},
}

var besideMapped = &Condition{
	Text: "if the file it is of is beside it",
	file: func(d *dir, name string, _ *layer.Entry) bool { return d.has(strings.TrimSuffix(name, ".map")) },
}

// macOS keeps in ._NAME what other filesystems have no place for.
var besideData = &Condition{
	Text: "if the file it is of is beside it",
	file: func(d *dir, name string, _ *layer.Entry) bool { return d.has(strings.TrimPrefix(name, "._")) },
}

// A program may be renamed so that a script of its name can wrap it.
var backup = &Condition{
	Text: "if the file it is of is beside it, and it can't be executed",
	file: func(d *dir, name string, e *layer.Entry) bool {
		return e.Mode&0o111 == 0 && d.has(original(name))
	},
}

// original returns the name of what an editor's or a tool's backup is of, "" if
// it is of nothing.
func original(name string) string {
	if len(name) > 2 && name[0] == '#' && name[len(name)-1] == '#' {
		return name[1 : len(name)-1]
	}
	for _, suffix := range []string{"~", ".orig", ".rej", ".bak"} {
		if n, ok := strings.CutSuffix(name, suffix); ok {
			return n
		}
	}
	return ""
}

// core(5): the kernel makes it with mode 0600.
var byKernel = &Condition{
	Text: "if it is of mode 0600, as the kernel writes it, and what follows the dot is a number",
	file: func(_ *dir, name string, e *layer.Entry) bool {
		pid, numbered := strings.CutPrefix(name, "core.")
		return e.Mode == 0o600 && (!numbered || strings.Trim(pid, "0123456789") == "")
	},
}

var holdsTests = &Condition{
	Text: "if there is a `test_*.py` or `*_test.py` right in it",
	dir: func(d *dir) bool {
		return d.any(func(name string) bool {
			module, ok := strings.CutSuffix(name, ".py")
			return ok && (strings.HasPrefix(module, "test_") || strings.HasSuffix(module, "_test"))
		})
	},
}

// A directory with a package.json of its own is an entry point, or a package
// that is called test.
var ofNodePackage = &Condition{
	Text: "if there is a `package.json` beside it and none in it",
	dir:  func(d *dir) bool { return d.up.has("package.json") && !d.has("package.json") },
}

var ofComposerPackage = &Condition{
	Text: "if there is a `composer.json` beside it",
	dir:  func(d *dir) bool { return d.up.has("composer.json") },
}

// Tools that look at their own checkout to tell their version, or to update
// themselves.
var notOfTool = &Condition{
	Text: "but not in a checkout of Flutter, vcpkg or depot_tools, which need it to run",
	dir: func(d *dir) bool {
		return d.up == nil || !d.up.has("flutter_console.bat") && !d.up.has(".vcpkg-root") && !d.up.has("update_depot_tools")
	},
}

var ofJDK = &Condition{
	Text: "if it is a JDK's: there is a `jrt-fs.jar` beside it, or a `jre`",
	file: func(d *dir, _ string, _ *layer.Entry) bool { return d.has("jrt-fs.jar") || d.has("jre") },
}
