package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/distribution/reference"

	"github.com/layerscope/layerscope/analyze/buildcontext"
	"github.com/layerscope/layerscope/analyze/cascade"
	"github.com/layerscope/layerscope/analyze/cascade/advice"
	"github.com/layerscope/layerscope/analyze/dockerfile"
	"github.com/layerscope/layerscope/analyze/source"
)

// buildInput is a build as it is given: a Dockerfile, options, and the files of
// its contexts.
type buildInput struct {
	app    *app
	shown  string // the Dockerfile's path as it is shown
	path   string // of the Dockerfile, "" if it is on standard input
	file   *dockerfile.File
	dir    string // of the context, "" if its files aren't known
	inside string // the Dockerfile's path in the context, with slashes; "" if it isn't there

	options cascade.Options
	source  source.Options
	trees   map[string]*buildcontext.Tree
}

// stdinPath stands for standard input.
const stdinPath = "-"

// readBuild reads the Dockerfile and lists the files of the contexts. A CONTEXT
// of "-" is, as docker takes it, a Dockerfile on standard input.
func (a *app) readBuild(ctx context.Context, dir string, f *cascadeFlags) (*buildInput, error) {
	in, err := a.readDockerfile(dir, f)
	if err != nil {
		return nil, err
	}
	// What is wrong with the Dockerfile is told before any context is read.
	if _, err := cascade.New(in.file, in.options); err != nil {
		return nil, in.advise(err)
	}
	return in, in.readTrees(ctx)
}

// readDockerfile reads the Dockerfile and the options of a build.
func (a *app) readDockerfile(dir string, f *cascadeFlags) (*buildInput, error) {
	in := &buildInput{app: a, dir: dir, source: a.analyzeOptions().Source, trees: map[string]*buildcontext.Tree{}}
	if err := in.find(f); err != nil {
		return nil, err
	}
	text, err := in.load(in.path)
	if err != nil {
		return nil, err
	}
	if in.file, err = parseDockerfile(in.shown, text); err != nil {
		return nil, err
	}
	return in, in.setOptions(f)
}

// find finds the Dockerfile and the context.
func (in *buildInput) find(f *cascadeFlags) error {
	if in.dir == stdinPath {
		if f.file != "" && f.file != stdinPath {
			return f.usageError("the CONTEXT - is a Dockerfile on standard input, and -f names another")
		}
		f.file, f.noContext = stdinPath, true
	}
	if isRemote(in.dir) {
		return &source.HintError{Err: fmt.Errorf("the context %q isn't on this machine", in.dir), Hint: "clone or unpack it first, and give its directory"}
	}
	if f.noContext {
		in.dir = ""
	} else if fi, err := os.Stat(in.dir); err == nil && !fi.IsDir() {
		return &source.HintError{
			Err:  &buildcontext.Error{Dir: in.dir, Err: buildcontext.ErrNotDirectory},
			Hint: fmt.Sprintf("a Dockerfile is given with -f: layerscope %s -f %s %s", f.cmd.Name(), in.dir, filepath.Dir(in.dir)),
		}
	} else if err != nil {
		return &buildcontext.Error{Dir: in.dir, Err: plainPath(err)}
	}
	switch f.file {
	case stdinPath:
		if isTerminal(in.app.in) {
			return &source.HintError{Err: errors.New("standard input is a terminal, not a Dockerfile"), Hint: fmt.Sprintf("pipe one in: layerscope %s -f - < Dockerfile", f.cmd.Name())}
		}
		in.shown = "Dockerfile on standard input"
		return nil
	case "":
		in.path = in.defaultFile(f)
	default:
		in.path = f.file
	}
	in.shown = in.path
	if in.dir != "" {
		in.inside = insideOf(in.dir, in.path)
	}
	return nil
}

// isRemote tells whether a context is one that builders fetch.
func isRemote(dir string) bool {
	if _, err := os.Stat(dir); err == nil {
		return false
	}
	for _, prefix := range []string{"http://", "https://", "git://", "ssh://", "git@", "github.com/"} {
		if strings.HasPrefix(dir, prefix) {
			return true
		}
	}
	return false
}

// defaultFile returns the Dockerfile that the builder takes if none is named.
func (in *buildInput) defaultFile(f *cascadeFlags) string {
	names := []string{"Dockerfile", "dockerfile"}
	if cascade.Builder(f.builder) == cascade.Buildah {
		names = []string{"Containerfile", "Dockerfile"}
	}
	for _, name := range names {
		path := filepath.Join(in.dir, name)
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	return filepath.Join(in.dir, "Dockerfile")
}

// load returns the text of a Dockerfile, of standard input for "" and "-".
func (in *buildInput) load(path string) ([]byte, error) {
	if path == "" || path == stdinPath {
		return dockerfile.LoadFrom("standard input", in.app.in)
	}
	text, err := dockerfile.Load(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &source.HintError{Err: err, Hint: "-f names the Dockerfile, and CONTEXT the directory of the build"}
	}
	return text, err
}

// parseDockerfile reads a Dockerfile. What another BuildKit than ours may know
// is no error, and a template is told as one.
func parseDockerfile(name string, text []byte) (*dockerfile.File, error) {
	f, err := dockerfile.Parse(name, text)
	wrong, ok := errors.AsType[*dockerfile.Error](err)
	if ok && wrong.Newer() && !isTemplate(text, wrong.Line) {
		if f, err := dockerfile.ParseEdited(name, text); err == nil && allNewer(f) {
			return f, nil
		}
	}
	if ok && isTemplate(text, wrong.Line) {
		return nil, &source.HintError{Err: err, Hint: "it looks like a template: give the Dockerfile that is made of it"}
	}
	return f, err
}

// allNewer tells whether everything that can't be read of a file may be right to
// another BuildKit.
func allNewer(f *dockerfile.File) bool {
	return !slices.ContainsFunc(f.Broken(), func(e *dockerfile.Error) bool { return !e.Newer() })
}

// isTemplate tells whether a line has what templates are written with.
func isTemplate(text []byte, line int) bool {
	lines := bytes.Split(text, []byte("\n"))
	if line < 1 || line > len(lines) {
		return false
	}
	for _, mark := range []string{"{{", "{%", "<%", "%%", "@@"} {
		if bytes.Contains(lines[line-1], []byte(mark)) {
			return true
		}
	}
	return false
}

// advise adds a hint to errors that may have one.
func (in *buildInput) advise(err error) error {
	if wrong, ok := errors.AsType[*cascade.Error](err); ok && isTemplate(in.file.Source, wrong.Line) {
		return &source.HintError{Err: err, Hint: "it looks like a template: give the Dockerfile that is made of it"}
	}
	return err
}

// setOptions reads the options of the build.
func (in *buildInput) setOptions(f *cascadeFlags) error {
	in.options = cascade.Options{Builder: cascade.Builder(f.builder), Target: f.target, Args: map[string]string{}, Contexts: map[string]string{}}
	if p := in.app.platform; p != nil {
		in.options.Platform = p.String()
	}
	for _, kv := range f.args {
		name, value, ok := strings.Cut(kv, "=")
		if name == "" {
			return f.usageError("--build-arg %q isn't NAME=VALUE", kv)
		}
		if !ok {
			// As with docker, a name alone is the environment's, if it is there.
			if value, ok = os.LookupEnv(name); !ok {
				continue
			}
		}
		in.options.Args[name] = value
	}
	for _, kv := range f.contexts {
		name, value, ok := strings.Cut(kv, "=")
		if !ok || name == "" || value == "" {
			return f.usageError("--build-context %q isn't NAME=VALUE", kv)
		}
		in.options.Contexts[contextName(name)] = value
	}
	for _, names := range f.noCacheFilter {
		in.options.NoCache = append(in.options.NoCache, strings.Split(names, ",")...)
	}
	return nil
}

// contextName returns the name of a --build-context as builders compare it.
func contextName(name string) string {
	base, platform, _ := strings.Cut(name, "::")
	if named, err := reference.ParseNormalizedNamed(base); err == nil {
		base = strings.TrimSuffix(reference.FamiliarString(named), ":latest")
	}
	if platform != "" {
		return base + "::" + platform
	}
	return base
}

// readTrees lists the files of the contexts that are directories.
func (in *buildInput) readTrees(ctx context.Context) error {
	if in.dir != "" {
		tree, err := buildcontext.Read(ctx, in.dir, in.contextOptions())
		if err != nil {
			return err
		}
		in.trees[""] = tree
	}
	for name, value := range in.options.Contexts {
		if !isDirectory(value) {
			continue
		}
		tree, err := buildcontext.Read(ctx, value, buildcontext.Options{})
		if err != nil {
			return err
		}
		in.trees[name] = tree
	}
	return nil
}

// isDirectory tells whether a --build-context is a directory, be there one or
// not.
func isDirectory(value string) bool {
	if fi, err := os.Stat(value); err == nil {
		return fi.IsDir()
	}
	scheme, _, ok := strings.Cut(value, ":")
	return !isRemote(value) && !(ok && (scheme == "docker-image" || scheme == "oci-layout" || scheme == "target"))
}

// advise looks for what would make builds cheaper, with the files of the build's
// own context as they are on the disk. No link leads out of it.
func (p *plan) advise(ctx context.Context, m cascade.Measures) ([]advice.Finding, error) {
	if p.in.dir == "" {
		return advice.Find(ctx, p.after, m, nil)
	}
	root, err := os.OpenRoot(p.in.dir)
	if err != nil {
		return nil, &buildcontext.Error{Dir: p.in.dir, Err: plainPath(err)}
	}
	defer root.Close()
	return advice.Find(ctx, p.after, m, root.FS())
}

// contextOptions are how the build's own context is read.
func (in *buildInput) contextOptions() buildcontext.Options {
	if in.path == "" || in.options.Builder == cascade.Classic {
		return buildcontext.Options{}
	}
	return buildcontext.Options{Dockerfile: in.path}
}

// insideOf returns a file's path in a directory, with slashes; "" if it is
// outside.
func insideOf(dir, path string) string {
	real := func(p string) string {
		if abs, err := filepath.Abs(p); err == nil {
			p = abs
		}
		if resolved, err := filepath.EvalSymlinks(p); err == nil {
			return resolved
		}
		return p
	}
	rel, err := filepath.Rel(real(dir), filepath.Join(real(filepath.Dir(path)), filepath.Base(path)))
	if err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return ""
	}
	return filepath.ToSlash(rel)
}

// plainPath returns an error without the path that os puts before it.
func plainPath(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}

// merged returns the pairs of both maps, the second's over the first's.
func merged(a, b map[string]string) map[string]string {
	out := maps.Clone(a)
	if out == nil {
		out = map[string]string{}
	}
	maps.Copy(out, b)
	return out
}
