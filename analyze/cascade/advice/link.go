package advice

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/distribution/reference"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/shell"

	"github.com/layerscope/layerscope/analyze/cascade"
)

// oldSyntax is a frontend that knows no --link.
var oldSyntax = regexp.MustCompile(`(?m)^#\s*syntax\s*=\s*\S*dockerfile:(1\.[0-3]\b|experimental|1\.[0-3]-)|^#\s*syntax\s*=\s*(?:\S*/)?dockerfile-upstream`)

// findUnlinked finds copies in the target's stage that are made again when its
// base moves, though they don't hang on it.
func findUnlinked(f *finder) ([]Finding, error) {
	g := f.b.Graph
	stage := g.Target
	chain := g.File.Chain(stage.Stage)
	ref, name := f.movingBase(chain[0].Index)
	if ref == "" || oldSyntax.Match(g.File.Source) {
		return nil, nil
	}
	var steps []*cascade.Step
	w := newRewriter(g.File.Source)
	for _, s := range f.belowRuns(stage.Index) {
		if !f.linkable(s) || f.copiesFrom(s, ref) {
			continue
		}
		line := f.sourceLine(s.Lines.Start)
		at := strings.Index(strings.ToUpper(line), s.Keyword)
		w.replace[s.Lines.Start] = line[:at+len(s.Keyword)] + " --link" + line[at+len(s.Keyword):]
		steps = append(steps, s)
	}
	if len(steps) == 0 {
		return nil, nil
	}
	v, edit, ok := f.rewritten(w, nil, nil)
	if !ok {
		return nil, nil
	}
	saves, err := f.saving(baseMoves(ref, name), v)
	if saves == nil || err != nil {
		return nil, err
	}
	what := on(steps[0])
	if len(steps) > 1 {
		what = fmt.Sprintf("%s and %s more", what, strconv.Itoa(len(steps)-1))
	}
	needs := "needs nothing of its base %s, and yet is done again whenever that moves."
	if len(steps) > 1 {
		needs = "need nothing of their base %s, and yet are done again whenever that moves."
	}
	return []Finding{{
		Step: steps[0].Index, Lines: linesOf(steps), Edit: edit, Saves: saves,
		Text: what + " " + fmt.Sprintf(needs, name),
	}}, nil
}

// belowRuns returns the instructions of a stage below its last RUN, which stands
// on all that is above it and reruns with the base either way.
func (f *finder) belowRuns(stage int) []*cascade.Step {
	steps := f.stageSteps(stage)
	for i := len(steps) - 1; i >= 0; i-- {
		if steps[i].Keyword == "RUN" {
			return steps[i+1:]
		}
	}
	return steps
}

// copiesFrom tells whether an instruction copies of what hangs on an image: the
// image moves, and so may what is copied.
func (f *finder) copiesFrom(s *cascade.Step, ref string) bool {
	c, ok := s.Command.(*instructions.CopyCommand)
	if !ok || c.From == "" {
		return false
	}
	seen := map[*cascade.Node]bool{}
	var hangs func(n *cascade.Node) bool
	hangs = func(n *cascade.Node) bool {
		if seen[n] {
			return false
		}
		seen[n] = true
		if n.Kind == cascade.KindImage && n.Context == ref {
			return true
		}
		return slices.ContainsFunc(n.In, func(e cascade.Edge) bool { return hangs(e.From) })
	}
	return slices.ContainsFunc(s.Nodes, func(n *cascade.Node) bool {
		// The first is what the copy is put upon.
		return len(n.In) > 1 && slices.ContainsFunc(n.In[1:], func(e cascade.Edge) bool { return hangs(e.From) })
	})
}

// familiar returns an image's name as people write it.
func familiar(ref string) string {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return ref
	}
	return strings.TrimSuffix(reference.FamiliarString(named), ":latest")
}

// movingBase returns the image that a stage is from, in full and as people write
// it; "" if it is none, or pinned.
func (f *finder) movingBase(stage int) (ref, name string) {
	for _, s := range f.b.Graph.Steps {
		if s.Stage != stage || s.Keyword != "FROM" || len(s.Nodes) == 0 {
			continue
		}
		if n := s.Nodes[0]; n.Kind == cascade.KindImage && !strings.Contains(n.Context, "@") && !strings.HasPrefix(f.b.Graph.Stages[stage].Base, "sha256:") {
			return n.Context, familiar(n.Context)
		}
	}
	return "", ""
}

// linkable tells whether a COPY means the same with --link, in an image that has
// the usual directories.
func (f *finder) linkable(s *cascade.Step) bool {
	c, ok := s.Command.(*instructions.CopyCommand)
	if !ok || c.Link || c.Chmod != "" || c.Parents || len(s.Nodes) == 0 || !strings.HasPrefix(strings.TrimSpace(strings.ToUpper(f.sourceLine(s.Lines.Start))), "COPY") {
		return false
	}
	if strings.Contains(c.Chown, "$") || !numeric(c.Chown) {
		return false
	}
	dest, _, err := shell.NewLex(f.b.Graph.File.Escape).ProcessWord(c.DestPath, f.at[s.Index].vars)
	if err != nil || strings.ContainsAny(dest, "$") {
		return false
	}
	dir := strings.HasSuffix(dest, "/") || dest == "." || strings.HasSuffix(dest, "/.") || f.copiesDir(c)
	if !path.IsAbs(dest) {
		dest = path.Join(f.at[s.Index].dir, dest)
	}
	dest = path.Clean(dest)
	if !dir && f.maybeDir(s, dest) {
		return false
	}
	return f.plainParents(s, dest, dir)
}

// numeric tells whether a --chown is of numbers.
func numeric(chown string) bool {
	for part := range strings.SplitSeq(chown, ":") {
		if _, err := strconv.Atoi(part); err != nil && part != "" {
			return false
		}
	}
	return true
}

// copiesDir tells whether a COPY is of a directory of the context.
func (f *finder) copiesDir(c *instructions.CopyCommand) bool {
	if c.From != "" || len(c.SourcePaths) != 1 || f.tree == nil {
		return false
	}
	src := path.Clean("/" + c.SourcePaths[0])[1:]
	e, ok := f.tree.Lookup(src)
	return src == "" || ok && e.IsDir()
}

// maybeDir tells whether a path may be a directory of the stage by now: then a
// file would be copied into it, and with --link would be put in its place.
func (f *finder) maybeDir(s *cascade.Step, dest string) bool {
	if f.fileLike(s, dest) == f.dirLike(s) {
		return true // nothing tells
	}
	for _, t := range f.stageSteps(s.Stage) {
		if within(dest, f.at[t.Index].dir) {
			return true
		}
		if c, ok := t.Command.(*instructions.CopyCommand); ok && t != s && strings.HasPrefix(path.Clean(c.DestPath)+"/", dest+"/") {
			return true
		}
	}
	return false
}

// fileLike tells whether a destination looks like a file's: it has an ending, the
// name of what is copied, or is in a directory of programs.
func (f *finder) fileLike(s *cascade.Step, dest string) bool {
	c := s.Command.(*instructions.CopyCommand)
	return path.Ext(dest) != "" || len(c.SourcePaths) == 1 && path.Base(c.SourcePaths[0]) == path.Base(dest) || path.Base(path.Dir(dest)) == "bin"
}

// dirLike tells whether what is copied looks like a directory, whose content goes
// into the destination either way.
func (f *finder) dirLike(s *cascade.Step) bool {
	c := s.Command.(*instructions.CopyCommand)
	if len(c.SourcePaths) != 1 {
		return false
	}
	src := c.SourcePaths[0]
	return strings.HasSuffix(src, "/") || slices.Contains([]string{"build", "dist", "out", "public", "html", "www", "site", "publish", "static", "wheels", "node_modules", ".next", ".output"}, path.Base(src))
}

// plainDirs are directories that images have as the root's own, open to all, and
// that are no links.
var plainDirs = []string{"/usr/local", "/usr/share", "/opt", "/srv", "/app", "/usr/src", "/etc/nginx"}

// plainParents tells whether the directories around a path are what --link makes
// of them: the root's own, 0755, and no links.
func (f *finder) plainParents(s *cascade.Step, dest string, dir bool) bool {
	if !slices.ContainsFunc(plainDirs, func(p string) bool { return within(p, dest) && dest != p || p == "/app" && dest == p }) && !f.madeByRoot(s, dest) {
		return false
	}
	// What programs have below /usr/share may be another user's in the base.
	if within("/usr/share", dest) && !within("/usr/share/nginx/html", dest) && strings.Count(dest, "/") > 3 || strings.HasPrefix(dest, "/usr/local/lib64") {
		return false
	}
	top := "/" + strings.SplitN(dest[1:], "/", 2)[0]
	if top == "/usr" || top == "/etc" {
		top = dest
	}
	for _, stage := range f.b.Graph.File.Chain(f.b.Graph.Stages[s.Stage].Stage) {
		for _, t := range f.stageSteps(stage.Index) {
			if t == s {
				return true
			}
			switch t.Keyword {
			case "RUN":
				text := f.textOf(t)
				if strings.Contains(text, top) || strings.Contains(text, "chown") || strings.Contains(text, "chmod") || strings.Contains(text, "$") && strings.Contains(text, "mkdir") {
					return false
				}
			case "WORKDIR":
				if u := f.at[t.Index].user; u != "" && u != "root" && u != "0" {
					return false
				}
			case "COPY", "ADD":
				if strings.Contains(t.Text, "--chown") {
					return false
				}
			}
		}
	}
	return true
}

// madeByRoot tells whether a path is in the working directory that the stage
// itself made.
func (f *finder) madeByRoot(s *cascade.Step, dest string) bool {
	wd := f.at[s.Index].dir
	return path.IsAbs(wd) && wd != "/" && !strings.HasPrefix(wd, unknownDir) && within(wd, dest) &&
		!slices.ContainsFunc([]string{"/home", "/root", "/tmp", "/var", "/run", "/bin", "/lib", "/sbin", "/usr/lib", "/usr/bin", "/usr/sbin", "/etc"}, func(p string) bool { return within(p, wd) })
}
