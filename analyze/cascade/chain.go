package cascade

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"github.com/layerscope/layerscope/analyze/buildcontext"
)

// What the classic builder and buildah have in common: each instruction makes
// an image upon the one before it, and is a node with an edge to it. What an
// instruction above changes, whatever it does, is another image, and all below
// runs again.

// proxies are the arguments that the classic builder and buildah know without
// an ARG.
var proxies = []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "FTP_PROXY", "ftp_proxy", "NO_PROXY", "no_proxy"}

// argument is what an ARG of a stage declares.
type argument struct {
	variable
	unset bool // it has no value
}

// beginChain takes what a stage is from into its first step.
func (s *plan) beginChain() {
	if s.base == nil && s.out != nil {
		from := s.g.Steps[s.step]
		from.Nodes = append(from.Nodes, s.out)
	}
	s.env = s.chainEnv(s.env.all)
}

// chainEnv returns what words of an instruction are expanded with: an ENV
// counts before an ARG, wherever they stand.
func (s *plan) chainEnv(all set) *environ {
	var vars []variable
	for _, a := range s.args {
		if !a.unset && !s.configured(a.name) {
			vars = append(vars, a.variable)
		}
	}
	for _, name := range proxies {
		if value, ok := s.opt.Args[name]; ok && !s.configured(name) && !s.declared(name) {
			vars = append(vars, variable{name: name, value: value, by: -1})
		}
	}
	return newEnviron(append(vars, s.imageEnv...), all)
}

// configured tells whether an ENV or the base sets a variable.
func (s *plan) configured(name string) bool { return named(s.imageEnv, name) >= 0 }

// declared tells whether an ARG of the stage declares a variable.
func (s *plan) declared(name string) bool { return s.argument(name) != nil }

// argument returns what an ARG declares; nil if none does.
func (s *plan) argument(name string) *argument {
	for i := range s.args {
		if s.args[i].name == name {
			return &s.args[i]
		}
	}
	return nil
}

// declare adds an ARG's argument. One of the name that there was is no more.
func (s *plan) declare(a argument) {
	s.args = slices.DeleteFunc(s.args, func(b argument) bool { return a.name == b.name })
	s.args = append(s.args, a)
	s.env = s.chainEnv(s.env.all.or(a.deps))
}

func named(vars []variable, name string) int {
	return slices.IndexFunc(vars, func(v variable) bool { return v.name == name })
}

// put sets a variable where it stands, or at the end. It changes no list that
// another stage may have.
func put(vars []variable, v variable) []variable {
	vars = slices.Clone(vars)
	if i := named(vars, v.name); i >= 0 {
		vars[i] = v
		return vars
	}
	return append(vars, v)
}

// chainSetEnv does an ENV.
func (s *plan) chainSetEnv(cmd *instructions.EnvCommand, c command, deps set) {
	for _, kv := range cmd.Env {
		s.imageEnv = put(s.imageEnv, variable{kv.Key, kv.Value, c.step, deps})
	}
	s.env = s.chainEnv(s.env.all.or(deps))
}

// expandChain replaces an instruction's variables, and tells what the result
// hangs on. An ARG's are replaced where it is done.
func (s *plan) expandChain(cmd instructions.Command) (set, error) {
	l := &lookup{env: s.env}
	word := func(w string) (string, error) {
		value, _, err := s.lex.ProcessWord(w, l)
		return value, err
	}
	if ex, ok := cmd.(instructions.SupportsSingleWordExpansion); ok {
		if _, isArg := cmd.(*instructions.ArgCommand); !isArg {
			if err := ex.Expand(word); err != nil {
				return nil, err
			}
		}
	}
	return l.deps, nil
}

// link adds an instruction's node: upon the image before it.
func (s *plan) link(c command, n *Node, deps set) {
	n.deps = n.deps.or(c.deps).or(deps)
	n.Uncached = s.uncached()
	s.numbered++
	n.Label = Label{strconv.Itoa(s.stage.Index + 1), s.numbered + 1, len(s.commands) + 1}
	s.push(c, n)
}

// kindOf tells what an instruction that copies nothing does.
func kindOf(cmd instructions.Command) Kind {
	switch cmd.(type) {
	case *instructions.RunCommand:
		return KindExec
	case *instructions.WorkdirCommand:
		return KindMkdir
	}
	return KindMeta
}

// refuse returns an error for an instruction that BuildKit knows and the
// builder doesn't: for its heredocs, or for flags that aren't among those.
func refuse(c command, builder string, flags map[string][]string) error {
	if len(c.ins.Heredocs) > 0 {
		return fmt.Errorf("%s knows no heredocs", builder)
	}
	for _, flag := range c.ins.Flags {
		name, _, _ := strings.Cut(strings.TrimLeft(flag, "-"), "=")
		if !slices.Contains(flags[c.ins.Keyword], name) {
			return fmt.Errorf("%s knows no %s --%s", builder, c.ins.Keyword, name)
		}
	}
	return nil
}

// chained is a COPY or an ADD of a chain builder.
type chained struct {
	sources []string
	dest    string
	add     bool
	from    *plan // of COPY --from
	// sel makes a path what the builder takes of it.
	sel func(src string) buildcontext.Selection
	// url names what is fetched from a URL.
	url func(src string) string
}

// wireChain makes the edges to what is copied: one for all files of a context
// or a stage, in their order, and one for each URL.
func (s *plan) wireChain(n *Node, f chained, deps set, c command) error {
	var from *Node
	var fromDeps set
	switch {
	case f.from == nil:
		from = s.local("")
	case !f.from.done:
		return errors.New("it copies from a stage that comes after it")
	default:
		from, fromDeps = f.from.out, f.from.outDeps
	}
	files := Edge{From: from, Role: RoleCopy, deps: fromDeps.or(deps), unpack: f.add && s.opt.Builder == Buildah}
	var paths []string
	for i, src := range f.sources {
		if strings.HasPrefix(src, "http://") || strings.HasPrefix(src, "https://") {
			if !f.add {
				return errors.New("source can't be a URL for COPY")
			}
			name := f.url(src)
			n.Parts = append(n.Parts, Part{"source", fmt.Sprintf("%d url %s", i, name), c.step})
			n.In = append(n.In, Edge{
				From: s.source(KindHTTP, []Part{{"url", src, c.step}, {"file name", name, c.step}}, src), Role: RoleCopy, deps: deps,
				Selector: name, Content: []buildcontext.Selection{{Path: "/" + name}},
			})
			continue
		}
		sel := f.sel(src)
		files.Content = append(files.Content, sel)
		paths = append(paths, fmt.Sprintf("%q", []string{sel.Path, sel.Name, sel.Owner, sel.Mode}))
	}
	files.Selector = strings.Join(paths, "\x00")
	if len(files.Content) > 0 && from != nil {
		n.In = append(n.In, files)
	}
	return nil
}

// selected is a path of a COPY as a selection.
func selected(src string) buildcontext.Selection {
	src = path.Join("/", src)
	return buildcontext.Selection{Path: src, Wildcard: buildcontext.HasWildcard(src), FollowLinks: true}
}

// isArchive tells whether a file looks like one that an ADD unpacks.
func isArchive(name string) bool {
	return slices.ContainsFunc([]string{".tar", ".tgz", ".gz", ".tbz2", ".bz2", ".txz", ".xz", ".tzst", ".zst"}, func(suffix string) bool {
		return strings.HasSuffix(strings.ToLower(name), suffix)
	})
}

// otherPaths tells whether two edges of the classic builder read certain paths
// that differ: whatever the bytes, each counts by its path.
func otherPaths(a, b *Edge) bool {
	pattern := func(s buildcontext.Selection) bool { return s.Wildcard }
	return a.Selector != b.Selector && !slices.ContainsFunc(a.Content, pattern) && !slices.ContainsFunc(b.Content, pattern)
}
