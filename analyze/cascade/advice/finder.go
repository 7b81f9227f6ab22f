package advice

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/shell"

	"github.com/layerscope/layerscope/analyze/buildcontext"
	"github.com/layerscope/layerscope/analyze/cascade"
	"github.com/layerscope/layerscope/analyze/dockerfile"
)

// finder is what rules look at.
type finder struct {
	ctx   context.Context
	b     cascade.Build
	m     cascade.Measures
	files fs.FS
	tree  *buildcontext.Tree // nil if the context isn't known
	sound bool               // the build copies nothing that isn't there
	lines []string           // of the Dockerfile
	taken map[int]bool       // lines that instructions stand on

	at    []place                       // by Step.Index
	takes map[int][]*buildcontext.Entry // what steps read of the context
	sels  map[int][]buildcontext.Selection
	runs  map[int]*script // of each RUN
}

// place is what an instruction is done in.
type place struct {
	dir  string // working directory, absolute; of a base that isn't known it begins with unknownDir
	user string
	vars dockerfile.Vars
}

// unknownDir stands for the working directory of an image that isn't known.
const unknownDir = "/\x00"

func newFinder(ctx context.Context, b cascade.Build, m cascade.Measures, files fs.FS) *finder {
	f := &finder{
		ctx: ctx, b: b, m: m, files: files, tree: b.Contexts[""], taken: map[int]bool{},
		takes: map[int][]*buildcontext.Entry{}, sels: map[int][]buildcontext.Selection{}, runs: map[int]*script{},
		lines: strings.Split(string(b.Graph.File.Source), "\n"),
	}
	for _, s := range b.Graph.Steps {
		for n := s.Lines.Start; n <= s.Lines.End; n++ {
			f.taken[n] = true
		}
		if c, ok := s.Command.(*instructions.RunCommand); ok {
			f.runs[s.Index] = newScript(c)
		} else if s.Keyword == "RUN" {
			f.runs[s.Index] = &script{opaque: true} // one that can't be read, as with an unknown flag
		}
	}
	f.sound = b.Check(ctx) == nil
	f.readPlaces()
	f.readTakes()
	return f
}

// readPlaces follows the settings of the stages.
func (f *finder) readPlaces() {
	g := f.b.Graph
	given := dockerfile.Vars(g.Options.Args)
	globals := g.File.Globals(given)
	lex := shell.NewLex(g.File.Escape)
	f.at = make([]place, len(g.Steps))
	ends := make([]place, len(g.Stages))
	for i, stage := range g.Stages {
		p := place{dir: unknownDir, vars: dockerfile.Vars{}}
		if stage.Base == "scratch" {
			p.dir = "/"
		}
		if stage.Parent >= 0 {
			p = ends[stage.Parent]
		}
		p.vars = copyVars(p.vars)
		for _, s := range f.stageSteps(i) {
			f.at[s.Index] = place{p.dir, p.user, copyVars(p.vars)}
			expand := func(word string) string {
				out, _, err := lex.ProcessWord(word, p.vars)
				if err != nil {
					return word
				}
				return out
			}
			switch c := s.Command.(type) {
			case *instructions.WorkdirCommand:
				if dir := expand(c.Path); path.IsAbs(dir) {
					p.dir = path.Clean(dir)
				} else {
					p.dir = path.Join(p.dir, dir)
				}
			case *instructions.UserCommand:
				p.user = expand(c.User)
			case *instructions.EnvCommand:
				for _, kv := range c.Env {
					p.vars[kv.Key] = expand(kv.Value)
				}
			case *instructions.ArgCommand:
				for _, a := range c.Args {
					if v, ok := given[a.Key]; ok {
						p.vars[a.Key] = v
					} else if a.Value != nil {
						p.vars[a.Key] = expand(*a.Value)
					} else if v, ok := globals[a.Key]; ok {
						p.vars[a.Key] = v
					}
				}
			}
		}
		ends[i] = p
	}
}

// dest returns where in its stage an instruction copies to, an absolute path;
// false if that hangs on what isn't known.
func (f *finder) dest(s *cascade.Step, word string) (string, bool) {
	dest, _, err := shell.NewLex(f.b.Graph.File.Escape).ProcessWord(word, f.at[s.Index].vars)
	if err != nil || strings.Contains(dest, "$") {
		return "", false
	}
	if !path.IsAbs(dest) {
		dest = path.Join(f.at[s.Index].dir, dest)
	}
	return path.Clean(dest), true
}

func copyVars(v dockerfile.Vars) dockerfile.Vars {
	c := make(dockerfile.Vars, len(v))
	for k, x := range v {
		c[k] = x
	}
	return c
}

// readTakes finds what steps read of the build's context.
func (f *finder) readTakes() {
	if f.tree == nil {
		return
	}
	for _, n := range f.b.Graph.Nodes {
		for i := range n.In {
			e := &n.In[i]
			if e.From.Kind != cascade.KindLocal || e.From.Context != "" || e.Content == nil || n.Trigger {
				continue
			}
			entries, err := f.tree.Files(f.ctx, e.Content)
			if err != nil {
				continue // the builder fails there
			}
			f.takes[n.Step] = append(f.takes[n.Step], entries...)
			f.sels[n.Step] = append(f.sels[n.Step], e.Content...)
		}
	}
}

// stageSteps returns the instructions of a stage, without its FROM.
func (f *finder) stageSteps(stage int) []*cascade.Step {
	var steps []*cascade.Step
	for _, s := range f.b.Graph.Steps {
		if s.Stage == stage && s.Keyword != "FROM" {
			steps = append(steps, s)
		}
	}
	return steps
}

// needed returns the stages that the target needs.
func (f *finder) needed() []int {
	var all []int
	for i, s := range f.b.Graph.Stages {
		if s.Needed {
			all = append(all, i)
		}
	}
	return all
}

// readers returns the steps that read the context, in the order of the file.
func (f *finder) readers() []*cascade.Step {
	var steps []*cascade.Step
	for _, s := range f.b.Graph.Steps {
		if len(f.takes[s.Index]) > 0 {
			steps = append(steps, s)
		}
	}
	return steps
}

// names tells whether some step names a path of the context, or something below
// it, rather than a directory around it or a pattern.
func (f *finder) names(p string) bool {
	for _, sels := range f.sels {
		for _, s := range sels {
			at := strings.Trim(path.Clean("/"+s.Path), "/")
			if at != "" && within(p, at) {
				return true
			}
			if s.Wildcard {
				if ok, err := path.Match(at, p); err != nil || ok && !strings.HasPrefix(at, "*") {
					return true
				}
			}
			if slices.ContainsFunc(s.Include, func(in string) bool { return within(p, in) || within(in, p) }) {
				return true
			}
		}
	}
	return false
}

// mentions tells whether the text of some RUN has a word.
func (f *finder) mentions(word string) bool {
	for i := range f.runs {
		if hasWord(f.textOf(f.b.Graph.Steps[i]), word) {
			return true
		}
	}
	return false
}

// textOf returns an instruction's text with its heredocs.
func (f *finder) textOf(s *cascade.Step) string {
	text := s.Text
	for _, h := range s.Heredocs {
		text += "\n" + h.Content
	}
	return text
}

// hasWord tells whether a text has a word that is no part of a longer one.
func hasWord(text, word string) bool {
	for at := 0; ; {
		i := strings.Index(text[at:], word)
		if i < 0 {
			return false
		}
		i += at
		end := i + len(word)
		if (i == 0 || !wordByte(text[i-1]) || !wordByte(word[0])) && (end == len(text) || !wordByte(text[end])) {
			return true
		}
		at = i + 1
	}
}

func wordByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// maxManifest is the most bytes of a file of the context that is looked into.
const maxManifest = 4 << 20

// read returns the text of a file of the context; false if it can't be had.
func (f *finder) read(name string) (string, bool) {
	if f.files == nil || !fs.ValidPath(name) {
		return "", false
	}
	if fi, err := fs.Stat(f.files, name); err != nil || !fi.Mode().IsRegular() {
		return "", false
	}
	file, err := f.files.Open(name)
	if err != nil {
		return "", false
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxManifest+1))
	if err != nil || len(text) > maxManifest {
		return "", false
	}
	return string(text), true
}

// ignoreFile returns the name and the text of the .dockerignore that counts;
// false if the text isn't known.
func (f *finder) ignoreFile() (name, text string, ok bool) {
	name = ".dockerignore"
	if own := f.b.Dockerfile + name; f.b.Dockerfile != "" && strings.HasSuffix(f.tree.IgnoreFile(), path.Base(own)) && path.Base(own) != name {
		name = own
	}
	if f.files == nil {
		return name, "", false
	}
	if _, err := fs.Stat(f.files, name); errors.Is(err, fs.ErrNotExist) {
		return name, "", f.tree.IgnoreFile() == ""
	}
	text, ok = f.read(name)
	return name, text, ok
}

// list joins words: "a", "a and b", "a, b and c".
func list(words []string) string {
	if n := len(words); n > 1 {
		return strings.Join(words[:n-1], ", ") + " and " + words[n-1]
	}
	return strings.Join(words, "")
}

// on names an instruction and where it stands: "COPY . . on line 7".
func on(s *cascade.Step) string {
	lines := "line " + s.Lines.String()
	if s.Lines.Start != s.Lines.End {
		lines = "lines " + s.Lines.String()
	}
	words := slices.DeleteFunc(strings.Fields(s.Text), func(w string) bool { return strings.HasPrefix(w, "--mount=") })
	return short(strings.Join(words, " ")) + " on " + lines
}

// short is an instruction's text as one that fits a sentence.
func short(text string) string {
	const most = 40
	if r := []rune(text); len(r) > most {
		return strings.TrimSpace(string(r[:most])) + "…"
	}
	return text
}

// count names a number of things: "1 instruction", "3 instructions".
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// again says how much runs again: "3 instructions", "3 instructions and perhaps
// 1 more".
func again(c cascade.Cost) string {
	switch {
	case c.MayMisses == 0:
		return count(c.Misses, "instruction")
	case c.Misses == 0:
		return "perhaps " + count(c.MayMisses, "instruction")
	}
	return fmt.Sprintf("%s and perhaps %d more", count(c.Misses, "instruction"), c.MayMisses)
}
