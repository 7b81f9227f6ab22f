package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/layerscope/layerscope/analyze/buildcontext"
	"github.com/layerscope/layerscope/analyze/cascade"
	"github.com/layerscope/layerscope/analyze/dockerfile"
	"github.com/layerscope/layerscope/analyze/source"
	"github.com/layerscope/layerscope/view/report"
)

// change reads the change that the flags ask about. With --git the build before
// becomes that of the revision.
func (in *buildInput) change(ctx context.Context, f *cascadeFlags, p *plan) (*cascade.Change, error) {
	c := &cascade.Change{Contexts: map[string]*buildcontext.Tree{}, Args: map[string]string{}}
	if f.cmd.Flags().Changed("git") {
		if err := in.gitChange(ctx, f, p, c); err != nil {
			return nil, err
		}
	}
	if f.edited != "" {
		if err := in.editedFile(f, p, c); err != nil {
			return nil, err
		}
	}
	file := in.file
	if c.File != nil {
		file = c.File
	}
	if len(f.lines) > 0 {
		g, err := cascade.New(file, in.options)
		if err != nil {
			return nil, in.advise(err)
		}
		for _, spec := range f.lines {
			if err := lineChange(f, p, c, g, spec); err != nil {
				return nil, err
			}
		}
	}
	if err := in.fileChange(f, p, c); err != nil {
		return nil, err
	}
	for _, kv := range f.given {
		name, value, ok := strings.Cut(kv, "=")
		if !ok || name == "" {
			return nil, f.usageError("--arg %q isn't NAME=VALUE", kv)
		}
		c.Args[name] = value
		p.changes = append(p.changes, report.CascadeChange{Kind: report.ChangeArg, Arg: name, Text: value})
	}
	for _, ref := range f.bases {
		if ref == "" {
			return nil, f.usageError("--base names no image")
		}
		c.Bases = append(c.Bases, ref)
		p.changes = append(p.changes, report.CascadeChange{Kind: report.ChangeBase, Image: ref})
	}
	return c, nil
}

// editedFile reads what the Dockerfile becomes.
func (in *buildInput) editedFile(f *cascadeFlags, p *plan, c *cascade.Change) error {
	if f.git != "" {
		return f.usageError("--dockerfile and --git both say what the Dockerfile becomes")
	}
	name := f.edited
	if name == stdinPath {
		if in.path == "" {
			return f.usageError("standard input can't be both the Dockerfile and what it becomes")
		}
		name = "Dockerfile on standard input"
	}
	text, err := in.load(f.edited)
	if err != nil {
		return err
	}
	p.changes = append(p.changes, report.CascadeChange{Kind: report.ChangeDockerfile, Text: name})
	if bytes.Equal(text, in.file.Source) {
		return nil
	}
	if c.File, err = dockerfile.ParseEdited(name, text); err != nil { // it may be half typed
		return err
	}
	in.shown = name
	return nil
}

// lineChange reads --line: "7", "7-9", "3,7-9".
func lineChange(f *cascadeFlags, p *plan, c *cascade.Change, g *cascade.Graph, spec string) error {
	for part := range strings.SplitSeq(spec, ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		from, err1 := strconv.Atoi(strings.TrimSpace(first))
		to, err2 := strconv.Atoi(strings.TrimSpace(last))
		if err1 != nil || err2 != nil || from < 1 || to < from {
			return f.usageError("--line %q isn't a line such as 7, or lines such as 7-9 or 3,7", spec)
		}
		found := false
		for _, s := range g.Steps {
			if s.Lines.End < from || s.Lines.Start > to {
				continue
			}
			found = true
			if !slices.Contains(c.Lines, s.Lines.Start) {
				c.Lines = append(c.Lines, s.Lines.Start)
				p.changes = append(p.changes, report.CascadeChange{Kind: report.ChangeLine, Line: s.Lines})
			}
		}
		if _, err := g.StepAt(from); !found {
			return err
		}
	}
	return nil
}

// fileChange reads --file.
func (in *buildInput) fileChange(f *cascadeFlags, p *plan, c *cascade.Change) error {
	if len(f.files) == 0 {
		return nil
	}
	tree := c.Contexts[""]
	if tree == nil {
		tree = in.trees[""]
	}
	if tree == nil {
		return f.usageError("--file wants the files of a context, which aren't known")
	}
	var paths []string
	for _, glob := range f.files {
		found, err := in.match(tree, glob, p)
		if err != nil {
			return err
		}
		paths = append(paths, found...)
	}
	slices.Sort(paths)
	paths = slices.Compact(paths)
	var edits []buildcontext.Change
	for _, path := range paths {
		edits = append(edits, buildcontext.Change{Path: path, Kind: buildcontext.Changed})
		switch path {
		case in.inside:
			p.notes = append(p.notes, cascade.Note{Text: fmt.Sprintf("%s changes here as a file of the context alone: --line and --dockerfile tell what an edit of it does", path)})
		case ".dockerignore", in.inside + ".dockerignore":
			p.notes = append(p.notes, cascade.Note{Text: fmt.Sprintf("%s changes here as a file of the context alone: what it leaves out is taken to stay the same", path)})
		}
	}
	c.Contexts[""] = tree.Edit(edits...)
	p.edits = append(p.edits, paths...)
	p.changes = append(p.changes, report.CascadeChange{Kind: report.ChangeFiles, Files: paths})
	return nil
}

// match returns the files of the context that a glob names: from the context's
// root or, as shells complete them, from where one stands.
func (in *buildInput) match(tree *buildcontext.Tree, glob string, p *plan) ([]string, error) {
	path := filepath.ToSlash(glob)
	if filepath.IsAbs(glob) || !filepath.IsLocal(glob) || !tree.Has(path) && exists(glob) {
		inside := insideOf(in.dir, glob)
		if inside == "" {
			return nil, &source.HintError{Err: fmt.Errorf("%s isn't in the context %s", glob, in.dir), Hint: "--file names files of the context that change"}
		}
		path = inside
	}
	if !tree.Has(path) && !doublestar.ValidatePattern(path) {
		return nil, &source.HintError{Err: fmt.Errorf("--file %q is no pattern: %w", glob, doublestar.ErrBadPattern), Hint: `\ before a wildcard takes it as it is`}
	}
	found := tree.Match(path)
	if len(found) == 0 {
		found = in.leftOut(tree, path)
	}
	if len(found) == 0 {
		return nil, &source.HintError{Err: fmt.Errorf("no file of the context %s matches %q", in.dir, glob), Hint: "a name without wildcards may be that of a new file"}
	}
	if len(found) == 1 && !tree.Has(found[0]) && !exists(filepath.Join(in.dir, filepath.FromSlash(found[0]))) {
		p.notes = append(p.notes, cascade.Note{Text: fmt.Sprintf("%s isn't in the context: it is taken for a new file", found[0])})
	}
	return found, nil
}

// leftOut returns what a glob names of the files that .dockerignore leaves out.
func (in *buildInput) leftOut(tree *buildcontext.Tree, glob string) []string {
	// What can't be read is as good as not there.
	found, _ := doublestar.Glob(os.DirFS(in.dir), glob, doublestar.WithNoFollow())
	var edits []buildcontext.Change
	for _, path := range found {
		edits = append(edits, buildcontext.Change{Path: path, Kind: buildcontext.Changed})
	}
	return tree.Edit(edits...).LeftOut()
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// gitChange reads --git: what lies between two revisions, or between one and
// the files as they are.
func (in *buildInput) gitChange(ctx context.Context, f *cascadeFlags, p *plan, c *cascade.Change) error {
	if in.dir == "" {
		return f.usageError("--git wants the directory of a context")
	}
	first, second, two := strings.Cut(f.git, "..")
	if strings.HasPrefix(second, ".") || first == "" && !two {
		return f.usageError("--git %q isn't a revision, or two as in main..feature", f.git)
	}
	for _, rev := range []*string{&first, &second} {
		if two && *rev == "" {
			*rev = "HEAD" // as git takes it
		}
	}
	var before, after *buildcontext.Tree
	var err error
	opt := in.contextOptions()
	if two {
		if before, err = buildcontext.Git(ctx, in.dir, first, opt); err == nil {
			after, err = buildcontext.Git(ctx, in.dir, second, opt)
		}
	} else {
		before, after, err = buildcontext.Since(ctx, in.dir, first, opt)
	}
	if err != nil {
		return err
	}
	files, err := buildcontext.Differ(ctx, before, []buildcontext.Selection{{}}, after, []buildcontext.Selection{{}}, buildcontext.Rules{})
	if err != nil {
		return fmt.Errorf("comparing the revisions: %w", err)
	}
	if own := gitsOwn(after); own != "" && len(files) > 0 {
		after = after.Edit(buildcontext.Change{Path: own, Kind: buildcontext.Changed})
		p.gitsOwn = own
	}
	in.trees[""], c.Contexts[""] = before, after
	p.edits = append(p.edits, files...)
	p.changes = append(p.changes, report.CascadeChange{Kind: report.ChangeGit, Text: f.git, Files: files})
	if in.path == "" {
		return nil // it is the same before and after
	}
	return in.gitFiles(ctx, c, first, second)
}

// gitsOwn returns a file of Git's own that is in a context and that changes with
// every commit; "" if there is none.
func gitsOwn(tree *buildcontext.Tree) string {
	for _, path := range []string{".git/logs/HEAD", ".git/index", ".git"} {
		if tree.Has(path) {
			return path
		}
	}
	return ""
}

// gitFiles reads the Dockerfile of a revision, which the build before has, and
// that of the second one, if there is one.
func (in *buildInput) gitFiles(ctx context.Context, c *cascade.Change, first, second string) error {
	file := in.file
	path, err := filepath.Abs(in.path)
	if err != nil {
		return fmt.Errorf("reading the Dockerfile: %w", err)
	}
	read := func(rev string) (*dockerfile.File, error) {
		text, err := buildcontext.GitFile(ctx, in.dir, rev, path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, &source.HintError{Err: err, Hint: "the Dockerfile wasn't there, or had another name"}
		} else if err != nil {
			return nil, err
		}
		return parseDockerfile(rev+":"+in.path, text)
	}
	if second != "" {
		if file, err = read(second); err != nil {
			return err
		}
		in.shown = file.Name
	}
	then, err := read(first)
	if err != nil {
		return err
	}
	in.file = file
	if !bytes.Equal(then.Source, file.Source) {
		in.file, c.File = then, file
	}
	return nil
}
