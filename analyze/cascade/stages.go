package cascade

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/containerd/platforms"
	"github.com/distribution/reference"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/layerscope/layerscope/analyze/dockerfile"
)

// planner makes a graph. What stages there are, what each is from and which
// the target needs is the same for all builders; what an instruction is made
// into is its rules'.
type planner struct {
	file   *dockerfile.File
	opt    Options
	rules  rules
	g      *Graph
	from   []int // the step of each stage's FROM
	lex    *shell.Lex
	build  ocispecs.Platform // that builds
	target ocispecs.Platform // that is built for
	epoch  string            // SOURCE_DATE_EPOCH, "" if not given
	epochs set               // instructions that it hangs on

	globals *environ
	plans   []*plan          // the stages, then images that are copied from or mounted
	alone   bool             // there is one stage to BuildKit, whose name it doesn't say
	byName  map[string]*plan // by name in lower case; as written for buildah, to which the case counts
	sources map[string]*Node // images, contexts and URLs, each of which is one node
}

// rules are a builder's: they make nodes of instructions.
type rules interface {
	// prunes tells whether stages are left out that the target doesn't need.
	prunes() bool
	// begin is called with what a stage begins with, before its instructions.
	begin(p *plan) error
	// add makes the nodes of an instruction.
	add(p *plan, c command) error
}

// plan is a stage, or an image that no FROM names, while its nodes are made.
type plan struct {
	*planner
	stage    *Stage // nil for an image that no FROM names
	index    int    // into planner.plans
	step     int    // of the FROM, or of the first instruction that names the image
	name     string // of the base, in full if it is an image
	nameDeps set    // what the base's name and platform hang on
	platform *ocispecs.Platform
	base     *plan  // the stage that this one is from
	context  *given // the --build-context that stands for the stage or its base; nil for none
	replaced bool   // the context stands for the stage itself
	commands []command
	reads    []*plan
	readBy   []int // instructions that read those, as indexes into Graph.Steps
	onBuild  bool  // triggers have been added
	needed   bool
	done     bool // its state is its result
	state

	// What a builder that makes an image of each instruction knows of the
	// stage: its arguments, what its own ENVs set, and the proxies that an ARG
	// declares by their names alone.
	args     []argument
	stageEnv []variable
	bare     []string

	numbered, total int // nodes that BuildKit's output numbers
}

// command is an instruction to be done in a stage.
type command struct {
	ins     *dockerfile.Instruction
	step    int   // in Graph.Steps; a trigger's own ONBUILD's, or the FROM
	deps    set   // instructions that it comes from
	from    *plan // of COPY --from
	mounts  []*plan
	trigger bool
	broken  error // it isn't known, or was refused

	doubtful bool // see Take.Unsure
}

// state is what a stage has come to.
type state struct {
	out      *Node // nil for scratch
	outDeps  set   // instructions whose edit makes out another
	env      *environ
	imageEnv []variable // what the image's configuration has of env
	dir      traced
	user     traced
	shell    traced // joined by NUL; "" for the default
	onBuild  []trigger
	unsure   unsure
}

// traced is a value, and what it comes from.
type traced struct {
	value string
	by    int
	deps  set
}

// trigger is an ONBUILD.
type trigger struct {
	text string
	step int // -1 for a base image's
}

func newPlanner(f *dockerfile.File, opt Options) (*planner, error) {
	p := &planner{
		file: f, opt: opt, lex: shell.NewLex(f.Escape),
		g:      &Graph{File: f, Options: opt},
		byName: map[string]*plan{}, sources: map[string]*Node{},
	}
	p.build = platforms.Normalize(ocispecs.Platform{OS: "linux", Architecture: platforms.DefaultSpec().Architecture, Variant: platforms.DefaultSpec().Variant})
	p.target = p.build
	if opt.Platform != "" {
		parsed, err := platforms.Parse(opt.Platform)
		if err != nil {
			return nil, fmt.Errorf("reading the platform %q: %w", opt.Platform, err)
		}
		p.target = platforms.Normalize(parsed)
	}
	if _, err := f.Target(opt.Target); err != nil {
		return nil, err
	}
	for _, ins := range f.Args {
		p.step(ins, -1)
	}
	for _, s := range f.Stages {
		p.g.Stages = append(p.g.Stages, &Stage{Stage: s, Below: -1})
		p.from = append(p.from, len(p.g.Steps))
		p.step(s.From, s.Index)
		for _, ins := range s.Instructions {
			p.step(ins, s.Index)
		}
	}
	p.rules = rulesOf(opt.Builder)
	return p, nil
}

// step adds an instruction to the graph's.
func (p *planner) step(ins *dockerfile.Instruction, stage int) {
	p.g.Steps = append(p.g.Steps, &Step{Instruction: ins, Index: len(p.g.Steps), Stage: stage})
}

// plan makes the graph.
func (p *planner) plan() (*Graph, error) {
	if err := p.readGlobals(); err != nil {
		return nil, err
	}
	if p.opt.Builder == BuildKit {
		if err := p.readEpoch(); err != nil {
			return nil, err
		}
	}
	if err := p.readStages(); err != nil {
		return nil, err
	}
	target, _ := p.file.Target(p.opt.Target) // newPlanner has seen it
	p.g.Target = p.g.Stages[target.Index]
	if err := p.resolve(p.plans[target.Index]); err != nil {
		return nil, err
	}
	p.nameStages()
	for i := 0; i < len(p.plans); i++ {
		s := p.plans[i]
		if !s.needed || s.done {
			continue
		}
		if err := s.run(); err != nil {
			return nil, err
		}
	}
	if p.opt.Builder == BuildKit {
		p.unite()
		p.prune(p.plans[target.Index])
	}
	p.note()
	return p.g, nil
}

// note adds what can't be known of any build of the file, and leaves out what
// has been said already.
func (p *planner) note() {
	for _, n := range p.g.Nodes {
		switch n.Kind {
		case KindHTTP:
			if n.part("checksum") == "" {
				p.g.Notes = append(p.g.Notes, Note{p.g.Steps[n.Step].Lines, fmt.Sprintf("what %s holds is taken for what it held", n.Context)})
			}
		case KindGit:
			p.g.Notes = append(p.g.Notes, Note{p.g.Steps[n.Step].Lines, fmt.Sprintf("what %s holds is taken for what it held", n.Context)})
		}
	}
	slices.SortStableFunc(p.g.Notes, func(a, b Note) int { return a.Lines.Start - b.Lines.Start })
	p.g.Notes = slices.CompactFunc(p.g.Notes, func(a, b Note) bool { return a.Text == b.Text })
}

// fail says that the builder refuses the instruction.
func (p *planner) fail(step int, err error) error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return &Error{File: p.file.Name, Line: p.g.Steps[step].Lines.Start, Err: err}
}

// predefined returns the arguments that BuildKit, and buildah but for a few,
// give every build.
func (p *planner) predefined() []variable {
	stage := p.opt.Target
	if stage == "" {
		if stage = p.file.Stages[len(p.file.Stages)-1].Name; stage == "" {
			stage = "default"
		}
	}
	vars := []variable{
		{name: "BUILDPLATFORM", value: platforms.Format(p.build)},
		{name: "BUILDOS", value: p.build.OS},
		{name: "BUILDOSVERSION", value: p.build.OSVersion},
		{name: "BUILDARCH", value: p.build.Architecture},
		{name: "BUILDVARIANT", value: p.build.Variant},
		{name: "TARGETPLATFORM", value: platforms.FormatAll(p.target)},
		{name: "TARGETOS", value: p.target.OS},
		{name: "TARGETOSVERSION", value: p.target.OSVersion},
		{name: "TARGETARCH", value: p.target.Architecture},
		{name: "TARGETVARIANT", value: p.target.Variant},
		{name: "TARGETSTAGE", value: stage},
	}
	if p.opt.Builder == Buildah {
		vars = slices.DeleteFunc(vars, func(v variable) bool { return v.name == "TARGETSTAGE" || strings.HasSuffix(v.name, "OSVERSION") })
	}
	for i := range vars {
		vars[i].by = -1
		if v, ok := p.opt.Args[vars[i].name]; ok {
			vars[i].value = v
		}
	}
	return vars
}

// readGlobals reads the ARGs before the first FROM.
func (p *planner) readGlobals() error {
	var vars []variable
	if p.opt.Builder != Classic {
		vars = p.predefined()
	}
	p.globals = newEnviron(vars, nil)
	for i, ins := range p.file.Args {
		if ins.Broken != nil {
			continue
		}
		for _, a := range ins.Command.(*instructions.ArgCommand).Args {
			v := variable{name: a.Key, by: i, deps: one(i)}
			if given, ok := p.opt.Args[a.Key]; ok {
				v.value = given
			} else if a.Value != nil {
				value, deps, err := p.expand(*a.Value, p.globals)
				if err != nil {
					return p.fail(i, err)
				}
				v.value, v.deps = value, v.deps.or(deps)
			} else {
				p.globals = p.globals.touched(one(i))
				continue
			}
			p.globals = p.globals.with(v)
		}
	}
	return nil
}

// expand replaces the variables of a word, and tells what the result hangs on.
func (p *planner) expand(word string, env *environ) (string, set, error) {
	l := &lookup{env: env}
	value, _, err := p.lex.ProcessWord(word, l)
	return value, l.deps, err
}

// readStages reads what each stage is from, and what it reads of others.
func (p *planner) readStages() error {
	for _, s := range p.g.Stages {
		if err := p.readStage(s); err != nil {
			return err
		}
	}
	for _, s := range slices.Clone(p.plans) {
		for i, ins := range s.stage.Instructions {
			step := s.step + 1 + i
			c := command{ins: ins, step: step, deps: one(step)}
			if c.broken = ins.Broken; c.broken == nil {
				c.broken = s.addSources(&c)
			}
			if c.broken != nil && ins.Broken == nil && !p.opt.Unfinished {
				return p.fail(step, c.broken)
			}
			s.commands = append(s.commands, c)
		}
	}
	p.alone = len(p.plans) == 1 // what triggers of the base read doesn't count
	if err := p.circular(); err != nil {
		return err
	}
	return p.checkNames()
}

// checkNames refuses what is no name of an image, which BuildKit does also where
// the target doesn't need the stage.
func (p *planner) checkNames() error {
	if p.opt.Builder != BuildKit {
		return nil
	}
	for _, s := range p.plans {
		if s.base != nil || s.name == "scratch" && !s.replaced {
			continue
		}
		if _, err := reference.ParseNormalizedNamed(s.name); err != nil {
			return p.fail(s.step, fmt.Errorf("failed to parse stage name %q: %w", s.name, err))
		}
	}
	return nil
}

// readStage reads a FROM.
func (p *planner) readStage(stage *Stage) error {
	s := &plan{planner: p, stage: stage, index: len(p.plans), step: p.from[stage.Index]}
	if stage.From.Broken != nil {
		s.name = "scratch" // and then an unknown node
		p.plans = append(p.plans, s)
		return nil
	}
	name, deps, err := p.expand(stage.Base, p.globals)
	if err != nil {
		return p.fail(s.step, err)
	}
	if name == "" {
		return p.fail(s.step, fmt.Errorf("base name (%s) should not be blank", stage.Base))
	}
	s.name, s.nameDeps = name, deps
	if stage.Platform != "" {
		text, deps, err := p.expand(stage.Platform, p.globals)
		if err != nil {
			return p.fail(s.step, err)
		}
		if text == "" {
			return p.fail(s.step, fmt.Errorf("empty platform value from expression %s", stage.Platform))
		}
		parsed, err := platforms.Parse(text)
		if err != nil {
			return p.fail(s.step, fmt.Errorf("failed to parse platform %s: %w", stage.Platform, err))
		}
		s.platform, s.nameDeps = &parsed, s.nameDeps.or(deps)
	}
	p.g.Steps[s.step].names = s.nameDeps
	p.plans = append(p.plans, s)
	if stage.Name != "" {
		s.context = p.namedContext(stage.Name, s.platform)
		s.replaced = s.context != nil
	}
	if !s.replaced {
		s.base = p.byName[name] // BuildKit takes a stage's name here as written
		if p.opt.Builder == Classic {
			s.base = p.byName[strings.ToLower(name)]
		}
	}
	if s.base != nil {
		stage.Below = s.base.index
	}
	if stage.Name != "" {
		key := stage.Name
		if words := strings.Fields(stage.From.Text); p.opt.Builder == Buildah {
			key = words[len(words)-1] // in its own case
		}
		p.byName[key] = s
	}
	return nil
}

// addSources finds what an instruction copies from and mounts.
func (s *plan) addSources(c *command) error {
	switch cmd := c.ins.Command.(type) {
	case *instructions.CopyCommand:
		if cmd.From == "" {
			return nil
		}
		if name, _, err := s.expand(cmd.From, newEnviron(nil, nil)); err != nil {
			return err
		} else if name != cmd.From {
			return errors.New("variable expansion is not supported for --from, define a new stage with FROM using ARG from global scope as a workaround")
		}
		if i, err := strconv.Atoi(cmd.From); err == nil {
			if i < 0 || i >= len(s.plans) {
				return fmt.Errorf("invalid stage index %d", i)
			}
			c.from = s.plans[i]
		} else {
			c.from = s.named(cmd.From, c.step)
		}
		s.read(c.from, c.step)
	case *instructions.RunCommand:
		for _, m := range instructions.GetMounts(cmd) {
			if m.From == "" || m.From == "scratch" {
				// BuildKit counts what isn't mounted of anything as a stage, by
				// which it numbers the others and tells whether one is alone.
				s.plans = append(s.plans, &plan{planner: s.planner, index: len(s.plans), step: c.step, name: "scratch", done: true})
				c.mounts = append(c.mounts, nil)
				continue
			}
			from := s.named(m.From, c.step)
			c.mounts = append(c.mounts, from)
			s.read(from, c.step)
		}
	}
	return nil
}

// read notes that an instruction reads a stage or an image. Of several the last
// is blamed.
func (s *plan) read(from *plan, step int) {
	if i := slices.Index(s.reads, from); i >= 0 {
		s.readBy[i] = step
		return
	}
	s.reads = append(s.reads, from)
	s.readBy = append(s.readBy, step)
}

// named returns the stage of a name, else the image.
func (p *planner) named(name string, step int) *plan {
	key := name
	if p.opt.Builder != Buildah {
		key = strings.ToLower(name)
	}
	if s, ok := p.byName[key]; ok {
		return s
	}
	s := &plan{planner: p, index: len(p.plans), step: step, name: name}
	p.plans = append(p.plans, s)
	return s
}

// circular refuses stages that read each other, at the first of the lines that
// they do it on.
func (p *planner) circular() error {
	const (
		unseen = iota
		open
		closed
	)
	seen := make([]int, len(p.plans))
	var visit func(s *plan) (first int) // the instruction, -1 for none
	visit = func(s *plan) int {
		seen[s.index] = open
		for i, r := range s.reads {
			switch seen[r.index] {
			case open:
				return s.readBy[i]
			case unseen:
				if first := visit(r); first >= 0 {
					return min(first, s.readBy[i])
				}
			}
		}
		seen[s.index] = closed
		return -1
	}
	for _, s := range p.plans {
		if seen[s.index] != unseen {
			continue
		}
		if first := visit(s); first >= 0 {
			name := s.name
			if s.stage != nil && s.stage.Name != "" {
				name = s.stage.Name
			}
			return p.fail(first, fmt.Errorf("circular dependency detected on stage: %s", name))
		}
	}
	return nil
}

// need marks a stage and all that it hangs on.
func (s *plan) need() {
	if s.needed {
		return
	}
	s.needed = true
	if s.stage != nil {
		// Of a stage that something else stands for nothing is built, but
		// BuildKit follows what it would have read.
		s.stage.Needed = !s.replaced
	}
	if s.base != nil {
		s.base.need()
	}
	for _, r := range s.reads {
		r.need()
	}
}

// resolve marks what the target needs, and adds the triggers of ONBUILD, which
// may need more.
func (p *planner) resolve(target *plan) error {
	if p.rules.prunes() {
		target.need()
	} else {
		for _, s := range p.plans[:target.index+1] {
			s.need()
		}
	}
	for again := true; again; {
		again = false
		for i := 0; i < len(p.plans); i++ {
			s := p.plans[i]
			if !s.needed || s.onBuild {
				continue
			}
			s.onBuild, again = true, true
			if s.base == nil {
				if err := s.pull(); err != nil {
					return err
				}
			}
			if s.replaced {
				continue
			}
			if err := s.addTriggers(); err != nil {
				return err
			}
			for _, r := range s.reads {
				r.need()
			}
		}
	}
	return nil
}

// addTriggers adds what the base's ONBUILDs put off, before the stage's own
// instructions.
func (s *plan) addTriggers() error {
	triggers := s.state.onBuild
	if s.base != nil && s.opt.Builder != Buildah { // images of its format have none
		for _, c := range s.base.commands {
			if on, ok := c.ins.Command.(*instructions.OnbuildCommand); ok {
				triggers = append(triggers, trigger{on.Expression, c.step})
			}
		}
	}
	s.state.onBuild = nil
	var added []command
	for _, t := range triggers {
		ins := dockerfile.ParseTrigger(t.text, s.stage.From.Lines)
		if ins == nil {
			return s.fail(s.step, fmt.Errorf("reading the ONBUILD trigger %q: it is no instruction", t.text))
		}
		c := command{ins: ins, step: s.step, deps: one(s.step).or(one(t.step)), trigger: true}
		if err := s.addSources(&c); err != nil {
			return s.fail(s.step, err)
		}
		added = append(added, c)
	}
	s.commands = append(added, s.commands...)
	return nil
}

// nameStages tells what BuildKit's output calls each stage.
func (p *planner) nameStages() {
	for i, s := range p.g.Stages {
		switch {
		case p.alone:
			s.Label = ""
		case s.Name != "":
			s.Label = s.Name
		default:
			s.Label = fmt.Sprintf("stage-%d", i)
		}
	}
	for _, s := range p.plans {
		if s.stage == nil || s.replaced {
			continue
		}
		if s.name != "scratch" && s.base == nil {
			s.total = 1
		}
		for _, c := range s.commands {
			switch c.ins.Keyword {
			case "ADD", "COPY", "RUN", "WORKDIR":
				s.total++
			default:
				if c.trigger { // each of which counts
					s.total++
				}
			}
		}
	}
}

// label gives the next number of a stage in BuildKit's output.
func (s *plan) label() Label {
	if s.stage == nil || s.total == 0 {
		return Label{}
	}
	s.numbered++
	return Label{s.stage.Label, s.numbered, s.total}
}

// uncached tells whether --no-cache-filter names the stage.
func (s *plan) uncached() bool {
	return s.stage != nil && slices.ContainsFunc(s.opt.NoCache, func(name string) bool {
		return name == "" || strings.EqualFold(name, s.stage.Name)
	})
}

// run makes the nodes of a stage.
func (s *plan) run() error {
	s.done = true
	if s.replaced {
		return nil
	}
	if s.base != nil {
		s.inherit()
	}
	if s.stage == nil {
		return nil
	}
	if err := s.rules.begin(s); err != nil {
		return s.fail(s.step, err)
	}
	if from := s.stage.From; from.Broken != nil {
		if err := s.addUnknown(command{ins: from, step: s.step, deps: one(s.step)}, from.Broken); err != nil {
			return s.fail(s.step, err)
		}
	}
	for _, c := range s.commands {
		var err error
		if c.broken != nil {
			err = s.addUnknown(c, c.broken)
		} else if err = s.rules.add(s, c); err != nil && s.opt.Unfinished {
			err = s.addUnknown(c, err)
		}
		if err != nil {
			return s.fail(c.step, err)
		}
	}
	return nil
}

// inherit begins a stage with what another has come to. An edit of its FROM
// changes everything that it begins with.
func (s *plan) inherit() {
	deps := one(s.step).or(s.nameDeps)
	s.platform = s.base.platform
	s.state = s.base.state
	s.state.onBuild = nil
	s.outDeps = s.outDeps.or(deps)
	s.env = s.env.touched(deps)
	s.imageEnv = slices.Clone(s.imageEnv)
	for _, v := range []*traced{&s.dir, &s.user, &s.shell} {
		v.deps = v.deps.or(deps)
	}
}
