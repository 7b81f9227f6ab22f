package cascade

import (
	"fmt"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"github.com/layerscope/layerscope/analyze/buildcontext"
)

// buildahBuilder is buildah's and podman's build with --layers, of buildah 1.28
// (imagebuildah). Its key of an instruction is the history of the image before
// it, and the instruction's line as it stands in the file, variables and white
// space with it: a variable that gets another value is seen where a RUN has it
// as an argument and nowhere else. What a COPY takes is copied before its key
// is looked up, and counts by its bytes.
//
// Images are of the OCI format, which is the default and has no ONBUILD.
type buildahBuilder struct{}

func (buildahBuilder) prunes() bool { return true }

var buildahFlags = map[string][]string{
	"FROM": {"platform"}, "ADD": {"chown", "chmod"}, "COPY": {"chown", "chmod", "from"}, "RUN": {"mount"},
	"HEALTHCHECK": {"interval", "timeout", "start-period", "retries"},
}

func (buildahBuilder) begin(s *plan) error {
	s.beginChain()
	return nil
}

func (b buildahBuilder) add(s *plan, c command) error {
	if err := refuse(c, "buildah", buildahFlags); err != nil {
		return err
	}
	cmd := c.ins.Fresh()
	var dest string // before its variables are replaced
	switch cmd := cmd.(type) {
	case *instructions.CopyCommand:
		dest = cmd.DestPath
	case *instructions.AddCommand:
		dest = cmd.DestPath
	}
	deps, err := s.expandChain(cmd)
	if err != nil {
		return err
	}
	n := &Node{Kind: kindOf(cmd)}
	switch cmd := cmd.(type) {
	case *instructions.RunCommand:
		b.run(s, n, c)
		deps = s.env.all
	case *instructions.CopyCommand:
		return b.copy(s, c, chained{sources: cmd.SourcePaths, dest: cmd.DestPath, from: c.from}, dest, cmd.Chown, cmd.Chmod, deps)
	case *instructions.AddCommand:
		return b.copy(s, c, chained{sources: cmd.SourcePaths, dest: cmd.DestPath, add: true}, dest, cmd.Chown, cmd.Chmod, deps)
	case *instructions.ArgCommand:
		if err := b.args(s, cmd, c); err != nil {
			return err
		}
		deps = s.env.all
		n.Parts = []Part{{"arguments", strings.Join(b.names(s), " "), c.step}}
	default:
		if env, ok := cmd.(*instructions.EnvCommand); ok {
			s.chainSetEnv(env, c, c.deps.or(deps))
			for _, kv := range env.Env {
				s.stageEnv = put(s.stageEnv, variable{name: kv.Key, value: kv.Value, by: c.step})
			}
		}
		deps = nil // the text alone counts
		n.Parts = []Part{{"text", c.ins.Original(), c.step}}
	}
	s.link(c, n, deps)
	return nil
}

// names are those of the arguments that have values, of proxies too that no ARG
// declares.
func (b buildahBuilder) names(s *plan) []string {
	var names []string
	for _, a := range s.args {
		if !a.unset {
			names = append(names, a.name)
		}
	}
	for _, name := range proxies {
		if _, ok := s.opt.Args[name]; ok && !s.declared(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// run does a RUN. Arguments are part of its key with the values they have, or
// those that an ENV of the stage gives them. A proxy that is given counts only
// if an ARG declares it without a default.
func (b buildahBuilder) run(s *plan, n *Node, c command) {
	text := c.ins.Original()
	n.Parts = []Part{{"command", text[min(len("RUN "), len(text)):], c.step}}
	var args []Part
	for _, a := range s.args {
		if i := named(s.stageEnv, a.name); i >= 0 && !a.unset {
			a.value, a.by = s.stageEnv[i].value, s.stageEnv[i].by
		} else if a.unset || slices.Contains(proxies, a.name) && !slices.Contains(s.bare, a.name) {
			continue
		}
		args = append(args, Part{"ARG " + a.name, a.value, a.by})
	}
	for _, name := range proxies {
		if _, ok := s.opt.Args[name]; !ok || s.declared(name) {
			continue
		}
		if i := named(s.stageEnv, name); i >= 0 {
			args = append(args, Part{"ARG " + name, s.stageEnv[i].value, s.stageEnv[i].by})
		}
	}
	slices.SortFunc(args, func(a, b Part) int { return strings.Compare(a.Name+"="+a.Value, b.Name+"="+b.Value) })
	n.Parts = append(n.Parts, args...)
}

// args does an ARG.
func (b buildahBuilder) args(s *plan, cmd *instructions.ArgCommand, c command) error {
	for _, word := range strings.Fields(c.ins.Original()) {
		if slices.Contains(proxies, word) {
			s.bare = append(slices.Clip(s.bare), word)
		}
	}
	env, predefined := s.env, s.predefined()
	for _, a := range cmd.Args {
		v := argument{variable{a.Key, "", c.step, c.deps}, true}
		if was := s.argument(a.Key); was != nil {
			v = *was // without a default it stays what it was
			v.deps = v.deps.or(c.deps)
		}
		given, isGiven := s.opt.Args[a.Key]
		global := s.globals.get(a.Key)
		fixed := named(predefined, a.Key)
		switch {
		case isGiven:
			v.value, v.unset, v.by = given, false, c.step
		case a.Value != nil:
			value, deps, err := s.expand(*a.Value, env)
			if err != nil {
				return err
			}
			v.value, v.unset, v.by, v.deps = value, false, c.step, v.deps.or(deps)
		case fixed >= 0:
			v.value, v.unset = predefined[fixed].value, false
		case global != nil:
			v.value, v.unset, v.by, v.deps = global.value, false, global.by, v.deps.or(global.deps)
		default:
			v.deps = v.deps.or(s.globals.all)
		}
		s.declare(v)
	}
	return nil
}

// copy does a COPY or an ADD. Of its flags and paths those count that change
// what is copied; of the destination the text counts, and its last name where
// the one file that is copied gets it.
func (b buildahBuilder) copy(s *plan, c command, f chained, dest, chown, chmod string, deps set) error {
	n := &Node{Kind: KindCopy, Parts: []Part{{"instruction", c.ins.Keyword, c.step}, {"destination", dest, c.step}}}
	name := ""
	if last := path.Base(f.dest); len(f.sources) == 1 && !strings.HasSuffix(f.dest, "/") && last != "." && last != "/" && last != ".." {
		name = last
	}
	owner := buildahOwner(chown)
	if owner == "" && f.from == nil {
		owner = "0:0"
	}
	if chmod != "" {
		p, err := strconv.ParseUint(chmod, 8, 32)
		if err != nil {
			return fmt.Errorf("error parsing chmod %s", chmod)
		}
		chmod = strconv.FormatUint(p, 8)
	}
	f.sel = func(src string) buildcontext.Selection {
		sel := selected(src)
		sel.Name, sel.Owner, sel.Mode = name, owner, chmod
		return sel
	}
	f.url = func(src string) string {
		if name != "" {
			return strings.Join([]string{name, owner, chmod}, " ")
		}
		base := ""
		if u, err := url.Parse(src); err == nil {
			base = path.Base(u.Path)
		}
		return strings.Join([]string{base, owner, chmod}, " ")
	}
	if err := s.wireChain(n, f, deps, c); err != nil {
		return err
	}
	s.link(c, n, nil)
	return nil
}

// buildahOwner is a --chown as buildah keeps it: a user alone is its group too.
func buildahOwner(chown string) string {
	if chown == "" {
		return ""
	}
	user, group, _ := strings.Cut(chown, ":")
	for _, id := range []*string{&user, &group} {
		if *id == "root" {
			*id = "0"
		} else if n, err := strconv.ParseUint(*id, 10, 32); err == nil {
			*id = strconv.FormatUint(n, 10)
		}
	}
	if group == "" {
		group = user
	}
	return user + ":" + group
}
