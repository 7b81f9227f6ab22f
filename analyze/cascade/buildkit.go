package cascade

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
	mode "github.com/tonistiigi/dchapes-mode"

	"github.com/layerscope/layerscope/analyze/buildcontext"
)

// rulesOf returns a builder's rules.
func rulesOf(b Builder) rules {
	switch b {
	case BuildKit:
		return buildKit{}
	case Classic:
		return classicBuilder{}
	}
	return buildahBuilder{}
}

// buildKit has a node for each RUN, COPY, ADD and WORKDIR. All else changes the
// configuration, which counts where a RUN or a path takes it up.
type buildKit struct{}

func (buildKit) prunes() bool { return true }

// begin takes what a stage's image is configured with into its environment.
func (buildKit) begin(s *plan) error {
	from := s.g.Steps[s.step]
	if s.base == nil && s.out != nil {
		from.Nodes = append(from.Nodes, s.out)
		if s.out.Kind == KindImage && s.context == nil {
			// Of several stages from one image the first names its node, before
			// BuildKit knows of the image's triggers.
			label := s.label()
			for _, c := range s.commands {
				if c.trigger {
					label.Total--
				}
			}
			if s.out.Label == (Label{}) {
				s.out.Label, s.out.Stage = label, s.stage.Index
			}
		}
	}
	if s.base != nil {
		// What the parent's ENVs set stands again, above its ARGs.
		s.env = s.env.with(s.imageEnv...)
	}
	if s.dir.value != "" {
		dir, err := chdir(s.dir.value, s.dir.value, s.osName())
		if err != nil {
			return err
		}
		s.dir.value = dir
	}
	return nil
}

// add makes the nodes of an instruction.
func (b buildKit) add(s *plan, c command) error {
	cmd := c.ins.Fresh()
	l := &lookup{env: s.env, unsure: s.unsure}
	if ex, ok := cmd.(instructions.SupportsSingleWordExpansion); ok && c.ins.Keyword != "ARG" {
		if err := ex.Expand(func(word string) (string, error) {
			value, _, err := s.lex.ProcessWord(word, l)
			return value, err
		}); err != nil {
			return err
		}
	}
	if ex, ok := cmd.(instructions.SupportsSingleWordExpansionRaw); ok {
		raw := shell.NewLex('\\')
		raw.SkipProcessQuotes = true
		if err := ex.ExpandRaw(func(word string) (string, error) {
			value, _, err := raw.ProcessWord(word, l)
			return value, err
		}); err != nil {
			return err
		}
	}
	deps := c.deps.or(l.deps)
	c.doubtful = l.doubtful
	s.doubt(c, s.env, l.doubtful)
	switch cmd := cmd.(type) {
	case *instructions.EnvCommand:
		s.setEnv(cmd, c, deps)
	case *instructions.ArgCommand:
		return s.setArgs(cmd, c)
	case *instructions.UserCommand:
		s.user = traced{cmd.User, c.step, deps}
	case *instructions.ShellCommand:
		s.shell = traced{strings.Join(cmd.Shell, "\x00"), c.step, deps}
	case *instructions.WorkdirCommand:
		return b.workdir(s, c, cmd.Path, deps)
	case *instructions.RunCommand:
		return b.run(s, c, cmd, deps)
	case *instructions.CopyCommand:
		f := files{SourcesAndDest: cmd.SourcesAndDest, chown: cmd.Chown, chmod: cmd.Chmod, link: cmd.Link, parents: cmd.Parents, exclude: cmd.ExcludePatterns}
		if c.from != nil {
			if !c.from.done {
				return fmt.Errorf("cannot copy from stage %q, it needs to be defined before current stage %q", cmd.From, s.stage.Label)
			}
			f.from, f.fromDeps = c.from.out, c.from.outDeps
		} else {
			f.from = s.local("")
		}
		return b.copy(s, c, f, deps)
	case *instructions.AddCommand:
		return b.copy(s, c, files{
			SourcesAndDest: cmd.SourcesAndDest, add: true, from: s.local(""),
			chown: cmd.Chown, chmod: cmd.Chmod, link: cmd.Link, exclude: cmd.ExcludePatterns,
			checksum: cmd.Checksum, keepGitDir: cmd.KeepGitDir, unpack: cmd.Unpack,
		}, deps)
	}
	return s.checkSetting(cmd, l)
}

// setEnv does an ENV.
func (s *plan) setEnv(cmd *instructions.EnvCommand, c command, deps set) {
	for _, kv := range cmd.Env {
		v := variable{kv.Key, kv.Value, c.step, deps}
		s.env = s.env.with(v)
		if i := slices.IndexFunc(s.imageEnv, func(w variable) bool { return w.name == v.name }); i >= 0 {
			s.imageEnv = slices.Clone(s.imageEnv)
			s.imageEnv[i] = v
		} else {
			s.imageEnv = append(slices.Clip(s.imageEnv), v)
		}
	}
	s.env = s.env.touched(c.deps)
}

// setArgs does an ARG: what is given to the build, else its default, else the
// value from before the first FROM.
func (s *plan) setArgs(cmd *instructions.ArgCommand, c command) error {
	for _, a := range cmd.Args {
		v := variable{name: a.Key, by: c.step, deps: c.deps}
		given, isGiven := s.opt.Args[a.Key]
		global := s.globals.get(a.Key)
		switch {
		case isGiven:
			v.value = given
		case a.Value != nil:
			value, deps, err := s.expand(*a.Value, s.env)
			if err != nil {
				return err
			}
			v.value, v.deps = value, v.deps.or(deps)
		case global != nil:
			v.value, v.deps = global.value, v.deps.or(global.deps)
			if global.by >= 0 {
				v.by = global.by
			}
		default:
			s.env = s.env.touched(v.deps.or(s.globals.all))
			continue
		}
		if a.Key == "BUILDKIT_SBOM_SCAN_CONTEXT" || a.Key == "BUILDKIT_SBOM_SCAN_STAGE" {
			continue // these are never in the environment
		}
		s.env = s.env.with(v)
	}
	return nil
}

// workdir does a WORKDIR: a directory is made, but for the root.
func (b buildKit) workdir(s *plan, c command, dir string, deps set) error {
	wd, err := chdir(s.dir.value, dir, s.osName())
	if err != nil {
		return fmt.Errorf("normalizing workdir: %w", err)
	}
	if !strings.HasPrefix(dir, "/") {
		deps = deps.or(s.dir.deps)
	}
	s.dir = traced{wd, c.step, deps}
	if wd == "/" {
		s.outDeps = s.outDeps.or(c.deps) // an edit of it makes a node
		return nil
	}
	n := &Node{Kind: KindMkdir, Label: s.label(), deps: deps.or(s.user.deps).or(s.epochs), Parts: []Part{{"workdir", path.Join("/", wd), c.step}}}
	if s.user.value != "" {
		n.Parts = append(n.Parts, Part{"user", owner(s.user.value), s.user.by})
	}
	if s.epoch != "" {
		n.Parts = append(n.Parts, Part{"SOURCE_DATE_EPOCH", s.epoch, -1})
	}
	s.push(c, n)
	return nil
}

// push adds a node that changes the stage's filesystem. The stage's filesystem
// is its first input.
func (s *plan) push(c command, n *Node) {
	n.In = append(s.rootfs(), n.In...)
	s.attach(c, n)
	s.out, s.outDeps = n, nil
}

// rootfs returns the edge to the stage's filesystem; none for scratch, whose
// edge would be none.
func (s *plan) rootfs() []Edge {
	if s.out == nil {
		return nil
	}
	return []Edge{{From: s.out, Role: RoleBase, deps: s.outDeps}}
}

// attach adds an instruction's node to the graph.
func (s *plan) attach(c command, n *Node) {
	n.Step, n.Stage, n.Trigger = c.step, s.stage.Index, c.trigger
	if s.out == nil {
		n.deps = n.deps.or(s.outDeps) // an edit gives it an input
	}
	n.seal()
	s.append(n)
	step := s.g.Steps[c.step]
	step.Nodes = append(step.Nodes, n)
}

// addUnknown adds an instruction that isn't known. What it does isn't either.
func (s *plan) addUnknown(c command, why error) error {
	n := &Node{Kind: KindUnknown, Uncached: true, deps: c.deps, Parts: []Part{{"text", c.ins.Text, c.step}}}
	s.push(c, n)
	s.outDeps = s.outDeps.or(c.deps)
	s.g.Notes = append(s.g.Notes, Note{c.ins.Lines, fmt.Sprintf("%v: from here on everything is taken to run again", why)})
	return nil
}

// run does a RUN.
func (b buildKit) run(s *plan, c command, cmd *instructions.RunCommand, deps set) error {
	n := &Node{Kind: KindExec, deps: deps, Uncached: s.uncached()}
	args, script, err := s.command(cmd)
	if err != nil {
		return err
	}
	by := c.step
	if cmd.PrependShell { // also of a script
		sh := []string{"/bin/sh", "-c"}
		if s.osName() == "windows" {
			sh = []string{"cmd", "/S", "/C"}
		}
		if s.shell.value != "" {
			sh = strings.Split(s.shell.value, "\x00")
		}
		args = append(slices.Clone(sh), strings.Join(args, " "))
		n.shell, n.deps = s.shell, n.deps.or(s.shell.deps)
	}
	n.Parts = []Part{{"command", strings.Join(args, "\x00"), by}}
	n.Parts = append(n.Parts, Part{"workdir", cmp.Or(s.dir.value, "/"), s.dir.by}, Part{"user", s.user.value, s.user.by},
		Part{"network", networkOf(cmd), by}, Part{"security", instructions.GetSecurity(cmd), by}, Part{"platform", s.platformText(), s.step})
	for _, d := range instructions.GetDevices(cmd) {
		n.Parts = append(n.Parts, Part{"device", fmt.Sprintf("%s %v", d.Name, d.Required), by})
	}
	n.deps = n.deps.or(s.dir.deps).or(s.user.deps).or(s.env.all).or(one(s.step)).or(s.nameDeps)
	n.env = s.env
	mounts, err := s.mounts(c, cmd, script)
	if err != nil {
		return err
	}
	b.wire(s, n, mounts, c)
	n.Label = s.label()
	s.attach(c, n)
	s.out, s.outDeps = n, nil
	return nil
}

// platformText names the platform that a command runs on.
func (s *plan) platformText() string {
	if s.platform == nil {
		return ""
	}
	p := s.platform
	return strings.Join(append([]string{p.OS, p.Architecture, p.Variant, p.OSVersion}, p.OSFeatures...), "/")
}

// networkOf returns a RUN's network; "" is the build's.
func networkOf(cmd *instructions.RunCommand) string {
	if n := instructions.GetNetwork(cmd); n != instructions.NetworkDefault {
		return string(n)
	}
	return ""
}

// command returns a RUN's arguments without the shell. A heredoc with a shebang
// is a script: it runs itself.
func (s *plan) command(cmd *instructions.RunCommand) (args []string, script string, err error) {
	args = cmd.CmdLine
	if len(cmd.Files) == 0 {
		return args, "", nil
	}
	if len(args) != 1 || !cmd.PrependShell {
		return nil, "", fmt.Errorf("parsing produced an invalid run command: %v", args)
	}
	if parser.MustParseHeredoc(args[0]) == nil {
		// The shell gets the heredocs as they are.
		var b strings.Builder
		b.WriteString(args[0])
		for _, f := range cmd.Files {
			b.WriteString("\n" + f.Data + f.Name)
		}
		return []string{b.String()}, "", nil
	}
	data := cmd.Files[0].Data
	if cmd.Files[0].Chomp {
		data = parser.ChompHeredocContent(data)
	}
	if s.osName() == "windows" || !strings.HasPrefix(data, "#!") {
		return []string{data}, "", nil
	}
	return []string{"/dev/pipes/" + cmd.Files[0].Name}, data, nil
}

// owner is a user as BuildKit keeps it: names as they are, numbers as numbers.
func owner(user string) string {
	parts := strings.SplitN(user, ":", 2)
	if len(parts) == 2 && parts[1] == "" {
		parts = parts[:1]
	}
	for i, part := range parts {
		if part == "root" || part == "" {
			parts[i] = "0"
		} else if n, err := strconv.ParseInt(part, 10, 32); err == nil {
			parts[i] = strconv.FormatInt(n, 10)
		} else {
			parts[i] = "name " + part
		}
	}
	return strings.Join(parts, ":")
}

// permissions is a --chmod as BuildKit keeps it.
func permissions(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	refused := fmt.Errorf("invalid chmod parameter: '%v'. it should be octal string and between 0 and 07777", text)
	if p, err := strconv.ParseUint(text, 8, 32); err == nil {
		if p > 0o7777 {
			return "", refused
		}
		return strconv.FormatUint(uint64(os.FileMode(p)), 8), nil
	}
	if _, err := mode.Parse(text); err != nil {
		if _, ok := errors.AsType[*strconv.NumError](err); ok {
			return "", refused
		}
		return "", err
	}
	return text, nil
}

// whole is a selection of everything.
func whole() []buildcontext.Selection { return []buildcontext.Selection{{}} }
