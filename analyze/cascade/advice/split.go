package advice

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"github.com/layerscope/layerscope/analyze/cascade"
	"github.com/layerscope/layerscope/analyze/dockerfile"
)

// findSplits finds copies of a whole directory above an install that reads a few
// files of it.
func findSplits(f *finder) ([]Finding, error) {
	if f.tree == nil {
		return nil, nil
	}
	var found []Finding
	for _, stage := range f.needed() {
		steps := f.stageSteps(stage)
		for i, s := range steps {
			one, err := f.split(s, steps[i+1:])
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

// broad is a COPY of a directory of the context.
type broad struct {
	step   *cascade.Step
	source string // the directory in the context; "" for all
	dest   string // absolute
	text   string // the destination as written, with a slash at its end
	flags  []string
}

// broadCopy reads a COPY as one of a whole directory.
func (f *finder) broadCopy(s *cascade.Step) (broad, bool) {
	c, ok := s.Command.(*instructions.CopyCommand)
	if !ok || c.From != "" || len(c.SourcePaths) != 1 || len(c.SourceContents) > 0 || c.Parents || len(c.ExcludePatterns) > 0 {
		return broad{}, false
	}
	src := c.SourcePaths[0]
	dir := path.Clean("/" + src)[1:]
	if strings.ContainsAny(src, "$*?[\\ ") || strings.ContainsAny(c.DestPath, "\\ ") {
		return broad{}, false
	}
	if e, ok := f.tree.Lookup(dir); dir != "" && (!ok || !e.IsDir()) {
		return broad{}, false
	}
	dest, ok := f.dest(s, c.DestPath)
	if !ok {
		return broad{}, false
	}
	b := broad{step: s, source: dir, dest: dest, text: strings.TrimSuffix(c.DestPath, "/") + "/"}
	if c.DestPath == "." {
		b.text = "./"
	}
	for _, flag := range s.Flags {
		if name, _, _ := strings.Cut(flag, "="); name != "--chown" && name != "--chmod" && name != "--link" {
			return broad{}, false
		}
		b.flags = append(b.flags, flag)
	}
	return b, true
}

// installs are the steps right below a COPY that need a part of it.
type installs struct {
	first, last *cascade.Step // that install
	files       []string      // in the context
	ignore      []string      // what they write, that is in the context too
	sources     []string      // endings of the names of what people edit
}

// installsAfter looks at what follows a COPY; nil if it is nothing that needs a
// part of it alone.
func (f *finder) installsAfter(b broad, rest []*cascade.Step) *installs {
	in := &installs{}
	variables := false // are set in between
	for _, s := range rest {
		switch s.Keyword {
		case "RUN":
			if !f.addInstall(in, b, s) {
				return in.some()
			}
			if in.first != nil && variables && strings.Contains(b.step.Text, "$") {
				return nil
			}
		case "COPY", "ADD", "ONBUILD", "SHELL":
			return in.some()
		case "WORKDIR":
			if !strings.HasPrefix(b.text, "/") {
				return in.some()
			}
		case "ENV", "ARG":
			variables = true
		}
	}
	return in.some()
}

func (in *installs) some() *installs {
	if in.first == nil {
		return nil
	}
	return in
}

// addInstall adds what a RUN needs; false if that isn't known, or is more than
// manifests.
func (f *finder) addInstall(in *installs, b broad, s *cascade.Step) bool {
	for _, flag := range s.Flags {
		if strings.HasPrefix(flag, "--mount") && strings.Contains(flag, "bind") {
			return false
		}
	}
	effects := f.runs[s.Index].effects()
	if effects == nil {
		return false
	}
	heavy := false
	var files, ignore, sources []string
	for _, e := range effects {
		heavy = heavy || e.heavy
		if e.install == nil {
			continue
		}
		dir, below := strings.CutPrefix(path.Join(f.at[s.Index].dir, e.install.dir)+"/", strings.TrimSuffix(b.dest, "/")+"/")
		if !below {
			return false
		}
		if f.installed(e.install.tool, b.step) {
			return false
		}
		p := &project{f, path.Join(b.source, dir)}
		needs, ok := e.install.tool.needs(p, e.install.args)
		if !ok || len(needs) == 0 {
			return false
		}
		for _, n := range needs {
			files = append(files, p.path(n))
		}
		for _, out := range e.install.tool.outputs {
			if p.has(out) && !slices.Contains(needs, out) {
				ignore = append(ignore, p.path(out))
			}
		}
		sources = append(sources, e.install.tool.sources...)
	}
	if !heavy || len(files) == 0 && in.first == nil {
		return len(files) == 0 // nothing of the project is read
	}
	if in.first == nil {
		in.first = s
	}
	in.last = s
	in.files, in.ignore, in.sources = append(in.files, files...), append(in.ignore, ignore...), append(in.sources, sources...)
	return true
}

// installed tells whether a step above another, of the stage or of those it is
// from, installs by a tool already: then little is left to do.
func (f *finder) installed(t *tool, above *cascade.Step) bool {
	for _, stage := range f.b.Graph.File.Chain(f.b.Graph.Stages[above.Stage].Stage) {
		for _, s := range f.stageSteps(stage.Index) {
			if s.Index >= above.Index {
				break
			}
			if s.Keyword != "RUN" {
				continue
			}
			if slices.ContainsFunc(f.runs[s.Index].commands, func(words []string) bool {
				return toolOf(words) == t.name && effectOf(words).install != nil || len(words) > 1 && words[0] == t.name && words[1] == "sync"
			}) {
				return true
			}
		}
	}
	return false
}

// split finds that a COPY is better split; nil if it isn't.
func (f *finder) split(s *cascade.Step, rest []*cascade.Step) (*Finding, error) {
	b, ok := f.broadCopy(s)
	if !ok || len(s.Nodes) == 0 {
		return nil, nil
	}
	in := f.installsAfter(b, rest)
	if in == nil {
		return nil, nil
	}
	in.files, in.ignore, in.sources = once(in.files), once(in.ignore), once(in.sources)
	source := f.typicalSource(b, in)
	if source == "" || slices.ContainsFunc(slices.Concat(in.files, in.ignore), func(p string) bool { return !plainPattern(p) || strings.ContainsAny(p, " $") }) {
		return nil, nil
	}
	w := newRewriter(f.b.Graph.File.Source)
	r := f.withComments(s)
	w.insert(r.Start, f.copies(b, in.files)...)
	w.move(r, in.last.Lines.End+1)
	v, edit, ok := f.rewritten(w, in.ignore, in.ignore)
	if !ok {
		return nil, nil
	}
	saves, err := f.saving(fileChanges(source), v)
	if saves == nil || err != nil {
		return nil, err
	}
	runs := []dockerfile.Range{s.Lines, in.first.Lines}
	if in.last != in.first {
		runs = append(runs, in.last.Lines)
	}
	return &Finding{
		Step: s.Index, Lines: runs, Edit: edit, Saves: saves,
		Text: fmt.Sprintf("%s copies %s, of which %s needs %s: a change of any other file installs everything again.",
			on(s), count(f.regular(s), "file"), on(in.first), some(in.files)),
	}, nil
}

// regular counts the files that a step reads.
func (f *finder) regular(s *cascade.Step) (n int) {
	for _, e := range f.takes[s.Index] {
		if !e.IsDir() {
			n++
		}
	}
	return n
}

// some names files, a few of many.
func some(files []string) string {
	const most = 4
	if len(files) > most {
		return strings.Join(files[:most-1], ", ") + fmt.Sprintf(" and %d more", len(files)-most+1)
	}
	return list(files)
}

// typicalSource returns a file that a COPY takes and that the install doesn't
// need: one that people edit; "" if there is none.
func (f *finder) typicalSource(b broad, in *installs) string {
	best, bestRank := "", 0
	for _, e := range f.takes[b.step.Index] {
		own := func(p string) bool { return within(p, e.Path) }
		if e.IsDir() || slices.ContainsFunc(in.files, own) || slices.ContainsFunc(in.ignore, own) || e.Path == f.b.Dockerfile || strings.HasSuffix(e.Path, ".dockerignore") || within(".git", e.Path) {
			continue
		}
		rank := 1
		if slices.Contains(in.sources, path.Ext(e.Path)) {
			rank = 2
		}
		if rank > bestRank {
			best, bestRank = e.Path, rank
		}
	}
	return best
}

// copies returns COPY instructions for files of the context, each to where the
// broad COPY puts it. A directory has one of its own.
func (f *finder) copies(b broad, files []string) []string {
	prefix := strings.Join(append([]string{"COPY"}, b.flags...), " ") + " "
	var lines []string
	byDir := map[string][]string{}
	var dirs []string
	for _, name := range files {
		if e, ok := f.tree.Lookup(name); ok && e.IsDir() {
			lines = append(lines, prefix+name+" "+b.text+strings.TrimPrefix(strings.TrimPrefix(name, b.source), "/")+"/")
			continue
		}
		dir := path.Dir(name)
		if byDir[dir] == nil {
			dirs = append(dirs, dir)
		}
		byDir[dir] = append(byDir[dir], name)
	}
	var first []string
	for _, dir := range dirs {
		to := b.text
		if below := strings.Trim(strings.TrimPrefix(strings.TrimPrefix("/"+dir, path.Join("/", b.source)), "/"), "/."); dir != "." && below != "" {
			to += strings.TrimPrefix(strings.TrimPrefix(dir, b.source), "/") + "/"
		}
		first = append(first, prefix+strings.Join(byDir[dir], " ")+" "+to)
	}
	return append(first, lines...)
}

// once returns words in their order, each once.
func once(words []string) (all []string) {
	for _, w := range words {
		if !slices.Contains(all, w) {
			all = append(all, w)
		}
	}
	return all
}
