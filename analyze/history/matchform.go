package history

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerfile/shell"

	"github.com/layerscope/layerscope/analyze/dockerfile"
)

// form is an instruction as records may tell it.
type form struct {
	ins *dockerfile.Instruction
	// texts are its operands as builders write them, normal.
	texts []string
	// patterns are its operands with any value for each variable.
	patterns []pattern
	// dests are where a COPY or ADD may be said to copy to.
	dests []string
	// declared are the arguments that an ARG and those above it declare.
	declared []string
	// exec is set for a RUN in exec form, which some records have no keyword
	// for.
	exec bool
}

// record is what is compared of a step with instructions.
type record struct {
	*Step
	text string // its operands, normal
	dest string // where a COPY or ADD without its sources goes; "" for others
}

func newRecord(s *Step) record {
	_, operands := cutKeyword(s.Text)
	r := record{s, normal(s.Instruction, operands), ""}
	switch s.Instruction {
	case "": // perhaps the command of a RUN
		r.text = spaced(s.Text)
	case "COPY", "ADD":
		if m := lostSources.FindStringSubmatch(spaced(operands)); m != nil {
			r.dest = cleanDest(m[1])
		}
	}
	return r
}

// like tells how a step's record agrees with the instruction.
func (f *form) like(r record) How {
	if r.Synthetic || r.Instruction != f.ins.Keyword && !(r.Instruction == "" && f.exec) {
		return Unmatched
	}
	switch {
	case slices.Contains(f.texts, r.text):
		return Matched
	case f.mayBe(r):
		return Aligned
	}
	return Unmatched
}

// mayBe tells whether a record whose text isn't that of the instruction can be
// of it nevertheless.
func (f *form) mayBe(r record) bool {
	switch r.Instruction {
	case "":
		return false
	case "COPY", "ADD":
		if r.dest != "" {
			return slices.Contains(f.dests, r.dest) || f.fits(r.dest)
		}
	case "ARG":
		// buildah names all arguments that have a value by then.
		others := func(name string) bool { return !slices.Contains(f.declared, name) }
		if r.Builder == Buildah && !slices.ContainsFunc(strings.Fields(r.text), others) {
			return true
		}
	case "RUN": // after a shell or arguments that couldn't be told apart
		return slices.ContainsFunc(f.texts, func(t string) bool {
			before, ok := strings.CutSuffix(r.text, t)
			return ok && t != "" && strings.HasSuffix(before, " ")
		})
	}
	return f.fits(r.text)
}

func (f *form) fits(text string) bool {
	return slices.ContainsFunc(f.patterns, func(p pattern) bool { return p.matches(text) })
}

// pattern is a text with holes that anything fits in: the parts around them.
type pattern []string

func (p pattern) matches(s string) bool {
	s, ok := strings.CutPrefix(s, p[0])
	for _, part := range p[1 : len(p)-1] {
		i := strings.Index(s, part)
		if i < 0 {
			return false
		}
		s = s[i+len(part):]
	}
	return ok && strings.HasSuffix(s, p[len(p)-1])
}

// lostSources is a COPY of which the sources' checksum is told, see [sources].
var lostSources = regexp.MustCompile(`^(?:--\S+ )*(?:file|dir|multi):[0-9a-f]+ in (.*)$`)

// cutKeyword splits an instruction after its first word.
func cutKeyword(text string) (keyword, operands string) {
	text = strings.TrimSpace(text)
	i := strings.IndexAny(text, " \t\n")
	if i < 0 {
		return text, ""
	}
	return text[:i], text[i+1:]
}

// values are variables as the history tells them.
type values struct{ args, env dockerfile.Vars }

// former makes the forms of instructions in their order.
type former struct {
	values
	lex      *shell.Lex
	globals  dockerfile.Vars
	vars     dockerfile.Vars // in force
	declared []string        // the arguments that the stage declares
	workdir  string          // in force; "" if it isn't known
	shell    []string        // in force, as far as known
}

// formsOf returns the forms of all that an image of a stage is made by.
func formsOf(f *dockerfile.File, stage *dockerfile.Stage, known values) []*form {
	w := &former{
		values: known, lex: shell.NewLex(f.Escape), globals: f.Globals(known.args),
		vars: dockerfile.Vars{}, shell: []string{"/bin/sh", "-c"},
	}
	for k, v := range known.env {
		w.vars[k] = v
	}
	var forms []*form
	var triggers []*dockerfile.Instruction // that the stage before put off
	for _, s := range f.Chain(stage) {
		for _, ins := range slices.Concat(triggers, s.Instructions) {
			forms = append(forms, w.form(ins))
		}
		triggers, w.declared = nil, nil
		for _, ins := range s.Instructions {
			if ins.Trigger != nil {
				triggers = append(triggers, ins.Trigger)
			}
		}
	}
	return forms
}

// form makes the form of an instruction and does what it does to those after
// it.
func (w *former) form(ins *dockerfile.Instruction) *form {
	f := &form{ins: ins}
	_, raw := cutKeyword(ins.Text)
	add := func(texts ...string) {
		for _, t := range texts {
			f.texts = append(f.texts, normal(ins.Keyword, t))
		}
	}
	add(raw)
	switch c := ins.Command.(type) {
	case *instructions.RunCommand:
		f.exec = !c.PrependShell
		add(w.runs(c, raw)...)
	case *instructions.CopyCommand:
		w.copies(f, c.SourcesAndDest)
	case *instructions.AddCommand:
		w.copies(f, c.SourcesAndDest)
	case *instructions.EnvCommand:
		w.pairs(f, c.Env)
		for _, kv := range c.Env {
			w.vars[w.expand(kv.Key)] = w.expand(kv.Value)
		}
	case *instructions.LabelCommand:
		w.pairs(f, c.Labels)
	case *instructions.ArgCommand:
		w.declare(f, c.Args)
	case *instructions.WorkdirCommand:
		w.enter(f, c.Path)
	case *instructions.CmdCommand:
		add(w.command(c.ShellDependantCmdLine))
	case *instructions.EntrypointCommand:
		add(w.command(c.ShellDependantCmdLine))
	case *instructions.HealthCheckCommand:
		h := c.Health
		add(checkForm(raw, h.Test, []string{h.Interval.String(), h.Timeout.String(), h.StartPeriod.String(),
			h.StartInterval.String(), string(rune(h.Retries))}))
	case *instructions.ShellCommand:
		w.shell = c.Shell
		add(strings.Join(c.Shell, " "))
	case *instructions.ExposeCommand:
		w.words(f, c.Ports)
	case *instructions.VolumeCommand:
		w.words(f, c.Volumes)
	case *instructions.UserCommand:
		w.words(f, []string{c.User})
	case *instructions.StopSignalCommand:
		w.words(f, []string{c.Signal})
	}
	return f
}

// runs returns how the command of a RUN may be recorded.
func (w *former) runs(c *instructions.RunCommand, raw string) []string {
	cmd := strings.Join(c.CmdLine, " ")
	texts := []string{cmd}
	if len(c.Files) > 0 && len(c.CmdLine) == 1 {
		texts = heredocs(cmd, raw, c.Files)
	}
	if c.PrependShell {
		for _, t := range slices.Clone(texts) {
			texts = append(texts, strings.Join(w.shell, " ")+" "+t)
		}
	}
	return texts
}

// heredocs returns what BuildKit makes of a command with heredocs
// (dockerfile2llb, dispatchRun), and buildah, which leaves the last line out.
func heredocs(cmd, raw string, files []instructions.ShellInlineFile) []string {
	var all strings.Builder
	for _, f := range files {
		all.WriteString("\n" + f.Data + f.Name)
	}
	body := all.String()
	short := strings.TrimSuffix(body, files[len(files)-1].Name)
	texts := []string{cmd + body, raw + body, cmd + short, raw + short}
	if parser.MustParseHeredoc(cmd) != nil {
		data := files[0].Data
		if files[0].Chomp {
			data = parser.ChompHeredocContent(data)
		}
		if strings.HasPrefix(data, "#!") {
			data = "<<" + files[0].Name
		}
		texts = append(texts, data)
	}
	return texts
}

// copies adds what a COPY or ADD copies, and to where.
func (w *former) copies(f *form, c instructions.SourcesAndDest) {
	words := slices.Clone(c.SourcePaths)
	for _, src := range c.SourceContents {
		words = append(words, "<<"+src.Path)
	}
	w.words(f, append(words, c.DestPath))
	for _, dest := range []string{c.DestPath, w.expand(c.DestPath)} {
		f.dests = append(f.dests, cleanDest(dest))
		if w.workdir != "" && !path.IsAbs(dest) {
			f.dests = append(f.dests, cleanDest(path.Join(w.workdir, dest)))
		}
	}
	w.pattern(f, cleanDest(w.holes(c.DestPath)))
}

// cleanDest is a path without what doesn't matter to it.
func cleanDest(s string) string { return path.Clean(strings.TrimSpace(s)) }

// pairs adds "A=1 B=2".
func (w *former) pairs(f *form, kvs instructions.KeyValuePairs) {
	words := make([]string, len(kvs))
	for i, kv := range kvs {
		words[i] = kv.String()
	}
	w.words(f, words)
}

// words adds operands, whose variables builders expand.
func (w *former) words(f *form, words []string) {
	plain, open := make([]string, len(words)), make([]string, len(words))
	for i, word := range words {
		plain[i], open[i] = w.expand(word), w.holes(word)
	}
	f.texts = append(f.texts, normal(f.ins.Keyword, strings.Join(plain, " ")))
	w.pattern(f, normal(f.ins.Keyword, strings.Join(open, " ")))
}

// declare adds the arguments of an ARG: with the values that they have here,
// and with any.
func (w *former) declare(f *form, args []instructions.KeyValuePairOptional) {
	var words, names, open []string
	for _, a := range args {
		value, known := w.args[a.Key]
		if !known && a.Value != nil {
			value, known = w.expand(*a.Value), true
		}
		if !known {
			value, known = w.globals[a.Key]
		}
		names = append(names, a.Key)
		open = append(open, a.Key+hole)
		if known {
			w.vars[a.Key] = value
			words = append(words, a.Key+"="+value)
		} else {
			words = append(words, a.Key)
		}
	}
	w.declared = append(w.declared, names...)
	f.declared = slices.Clip(w.declared)
	for _, list := range [][]string{words, names} {
		f.texts = append(f.texts, normal("ARG", strings.Join(list, " ")))
	}
	w.pattern(f, normal("ARG", strings.Join(open, " ")))
}

// enter adds a WORKDIR, which builders write as the path it leads to.
func (w *former) enter(f *form, dir string) {
	w.words(f, []string{dir})
	to := w.expand(dir)
	if !path.IsAbs(to) {
		// Below a working directory of the base's, which may be any.
		w.pattern(f, hole+"/"+normal("WORKDIR", w.holes(dir)))
		if w.workdir == "" {
			return
		}
		to = path.Join(w.workdir, to)
	}
	w.workdir = path.Clean(to)
	f.texts = append(f.texts, normal("WORKDIR", w.workdir))
}

// command returns a CMD or ENTRYPOINT, with the shell that it is for.
func (w *former) command(c instructions.ShellDependantCmdLine) string {
	if c.PrependShell {
		return strings.Join(append(slices.Clone(w.shell), c.CmdLine...), " ")
	}
	return strings.Join(c.CmdLine, " ")
}

// expand returns a word as a builder expands it, with the variables that are
// known.
func (w *former) expand(word string) string { return w.expandWith(word, w.vars) }

// hole stands for the value of a variable: a character that is no one's.
const hole = "\ue000"

// anyVars has a hole for each variable.
type anyVars struct{}

func (anyVars) Get(string) (string, bool) { return hole, true }
func (anyVars) Keys() []string            { return nil }

// holes returns a word with a hole for each variable.
func (w *former) holes(word string) string { return w.expandWith(word, anyVars{}) }

func (w *former) expandWith(word string, vars shell.EnvGetter) string {
	s, _, err := w.lex.ProcessWord(word, vars)
	if err != nil {
		return word
	}
	return s
}

// pattern adds the pattern of a text with holes, if it has any.
func (w *former) pattern(f *form, text string) {
	if parts := strings.Split(text, hole); len(parts) > 1 {
		f.patterns = append(f.patterns, parts)
	}
}
