package cascade

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
)

// classicBuilder is the builder that the Docker Engine had before BuildKit
// (builder/dockerfile of 20.10). Its key of an instruction is the image before
// it, and the instruction in its own words: after variables are replaced, and
// with everything that has more than one spelling in one. All stages up to the
// target are built, and each looks for itself again in what there is.
type classicBuilder struct{}

func (classicBuilder) prunes() bool { return false }

// classicFlags are the flags that there are.
var classicFlags = map[string][]string{
	"FROM": {"platform"}, "ADD": {"chown"}, "COPY": {"chown", "from"},
	"HEALTHCHECK": {"interval", "timeout", "start-period", "retries"},
}

const classicName = "the classic builder"

func (classicBuilder) begin(s *plan) error {
	for _, other := range s.g.Stages[:s.stage.Index] {
		if other.Name != "" && strings.EqualFold(other.Name, s.stage.Name) {
			return fmt.Errorf("%s stage name already used", s.stage.Name)
		}
	}
	s.beginChain()
	return nil
}

func (b classicBuilder) add(s *plan, c command) error {
	if err := refuse(c, classicName, classicFlags); err != nil {
		return err
	}
	cmd := c.ins.Fresh()
	deps, err := s.expandChain(cmd)
	if err != nil {
		return err
	}
	n := &Node{Kind: kindOf(cmd)}
	part := func(name string, values ...string) {
		n.Parts = append(n.Parts, Part{name, strings.Join(values, "\x00"), c.step})
	}
	switch cmd := cmd.(type) {
	case *instructions.RunCommand:
		b.run(s, n, cmd, c)
		s.link(c, n, s.env.all)
		return nil
	case *instructions.CopyCommand:
		return b.copy(s, c, chained{sources: cmd.SourcePaths, dest: cmd.DestPath, from: c.from}, cmd.Chown, deps)
	case *instructions.AddCommand:
		return b.copy(s, c, chained{sources: cmd.SourcePaths, dest: cmd.DestPath, add: true}, cmd.Chown, deps)
	case *instructions.EnvCommand:
		s.chainSetEnv(cmd, c, c.deps.or(deps))
		for _, kv := range cmd.Env {
			part("ENV "+kv.Key, kv.Value)
		}
	case *instructions.ArgCommand:
		if deps, err = b.args(s, n, cmd, c); err != nil {
			return err
		}
	case *instructions.LabelCommand:
		for _, kv := range cmd.Labels {
			part("LABEL "+kv.Key, kv.Value)
		}
	case *instructions.WorkdirCommand:
		if path.IsAbs(cmd.Path) {
			s.dir.value = cmd.Path // a slash at its end stays
		} else {
			s.dir.value = path.Join("/", s.dir.value, cmd.Path)
		}
		part("workdir", s.dir.value)
	case *instructions.ShellCommand:
		s.shell.value = strings.Join(cmd.Shell, "\x00")
		part("shell", cmd.Shell...)
	case *instructions.CmdCommand:
		part("CMD", s.argv(cmd.ShellDependantCmdLine)...)
	case *instructions.EntrypointCommand:
		part("ENTRYPOINT", s.argv(cmd.ShellDependantCmdLine)...)
	case *instructions.HealthCheckCommand:
		h := cmd.Health
		part("HEALTHCHECK", append([]string{h.Interval.String(), h.Timeout.String(), h.StartPeriod.String(), strconv.Itoa(h.Retries)}, h.Test...)...)
	case *instructions.ExposeCommand:
		var ports []string
		for _, p := range cmd.Ports {
			l := &lookup{env: s.env}
			more, err := s.lex.ProcessWords(p, l)
			if err != nil {
				return err
			}
			ports, deps = append(ports, more...), deps.or(l.deps)
		}
		part("EXPOSE", ports...)
	case *instructions.VolumeCommand:
		part("VOLUME", cmd.Volumes...)
	case *instructions.UserCommand:
		part("user", cmd.User)
	case *instructions.StopSignalCommand:
		part("STOPSIGNAL", cmd.Signal)
	case *instructions.MaintainerCommand:
		part("MAINTAINER", cmd.Maintainer)
	case *instructions.OnbuildCommand:
		part("ONBUILD", cmd.Expression)
	default:
		return s.addUnknown(c, fmt.Errorf("the classic builder knows no %s", c.ins.Keyword))
	}
	s.link(c, n, deps)
	return nil
}

// argv returns a command with the shell that it is for.
func (s *plan) argv(line instructions.ShellDependantCmdLine) []string {
	if !line.PrependShell {
		return line.CmdLine
	}
	shell := []string{"/bin/sh", "-c"}
	if s.shell.value != "" {
		shell = strings.Split(s.shell.value, "\x00")
	}
	return append(slices.Clone(shell), line.CmdLine...)
}

// run does a RUN. The arguments whose variables no ENV sets are part of its
// key, and that there are some: a proxy that is given and that no ARG declares
// isn't one of them, but makes none of them into some.
func (b classicBuilder) run(s *plan, n *Node, cmd *instructions.RunCommand, c command) {
	n.Parts = []Part{{"command", strings.Join(s.argv(cmd.ShellDependantCmdLine), "\x00"), c.step}}
	some := false
	var args []Part
	for _, a := range s.args {
		if !s.configured(a.name) && !a.unset {
			args = append(args, Part{"ARG " + a.name, a.value, a.by})
			some = true
		}
	}
	for _, name := range proxies {
		if _, ok := s.opt.Args[name]; ok && !s.configured(name) {
			some = true
		}
	}
	slices.SortFunc(args, func(a, b Part) int { return strings.Compare(a.Name+"="+a.Value, b.Name+"="+b.Value) })
	if some {
		n.Parts = append(n.Parts, Part{"arguments", strconv.Itoa(len(args)), -1})
		n.Parts = append(n.Parts, args...)
	}
}

// args does an ARG. Its own key is the default, whatever value is given.
func (b classicBuilder) args(s *plan, n *Node, cmd *instructions.ArgCommand, c command) (set, error) {
	deps, env := c.deps, s.env
	for _, a := range cmd.Args {
		v := argument{variable{a.Key, "", c.step, c.deps}, true}
		text := Part{"ARG " + a.Key, "", c.step}
		if a.Value != nil {
			value, more, err := s.expand(*a.Value, env)
			if err != nil {
				return nil, err
			}
			v.value, v.deps, v.unset = value, v.deps.or(more), false
			text.Value, deps = "="+value, deps.or(more)
		}
		given, isGiven := s.opt.Args[a.Key]
		global := s.globals.get(a.Key)
		switch {
		case isGiven:
			v.value, v.unset = given, false
		case a.Value != nil:
		case global != nil:
			v.value, v.unset, v.deps = global.value, false, v.deps.or(global.deps)
			if global.by >= 0 {
				v.by = global.by
			}
		default:
			v.deps = v.deps.or(s.globals.all)
		}
		n.Parts = append(n.Parts, text)
		s.declare(v)
	}
	return deps, nil
}

// copy does a COPY or an ADD: what is copied counts by its bytes, and by its
// whole path.
func (b classicBuilder) copy(s *plan, c command, f chained, chown string, deps set) error {
	n := &Node{Kind: KindCopy, Parts: []Part{{"instruction", c.ins.Keyword, c.step}, {"destination", f.dest, c.step}}}
	if chown != "" {
		n.Parts = append(n.Parts, Part{"--chown", chown, c.step})
	}
	f.sel = selected
	f.url = func(src string) string {
		name := "__unnamed__"
		if u, err := url.Parse(src); err == nil && u.Path != "" && !strings.HasSuffix(u.Path, "/") {
			name = path.Base(u.Path)
		}
		return name
	}
	if f.from != nil && f.from.stage == s.stage {
		return errors.New("invalid from flag value: refers to current build stage")
	}
	if err := s.wireChain(n, f, deps, c); err != nil {
		return err
	}
	s.link(c, n, deps)
	return nil
}
