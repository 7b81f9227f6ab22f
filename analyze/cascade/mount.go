package cascade

import (
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/util/system"

	"github.com/layerscope/layerscope/analyze/buildcontext"
)

// mount is one thing that a RUN sees at a path.
type mount struct {
	target   string
	from     *Node // nil for nothing
	fromDeps set
	source   string // the path in from; "" or "/" for all
	readOnly bool
	cacheID  string
	sharing  string
	kind     string // "bind", "cache", "tmpfs"; others read nothing
	text     string // what else counts
}

// mounts returns a RUN's mounts that come with files, in the order that counts,
// then as text those that bring none: secrets and sockets.
func (s *plan) mounts(c command, cmd *instructions.RunCommand, script string) ([]mount, error) {
	all := []mount{{target: "/", from: s.out, fromDeps: s.outDeps, kind: "root"}}
	if script != "" {
		inline := s.inline(c, cmd.Files[0].Name, script)
		all = append(all, mount{target: "/dev/pipes/", from: inline, source: "/", readOnly: true, kind: "bind"})
	}
	var others []mount
	for i, m := range instructions.GetMounts(cmd) {
		switch m.Type {
		case instructions.MountTypeSecret:
			text, target, err := secret(m, s.osName())
			if err != nil {
				return nil, err
			}
			others = append(others, mount{kind: "secret", target: target, text: text})
			continue
		case instructions.MountTypeSSH:
			if m.Source != "" {
				return nil, errors.New("ssh does not support source")
			}
			others = append(others, mount{kind: "ssh", target: m.Target, text: fmt.Sprintf("%s %v %s", m.CacheID, m.Required, fileOf(m, 0o600))})
			continue
		}
		one, err := s.mount(c, m, c.mounts[i])
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	slices.SortStableFunc(all, func(a, b mount) int { return strings.Compare(a.target, b.target) })
	slices.SortStableFunc(others, func(a, b mount) int { return strings.Compare(a.kind, b.kind) })
	return append(all, others...), nil
}

// mount returns a mount of type bind, cache or tmpfs.
func (s *plan) mount(c command, m *instructions.Mount, from *plan) (mount, error) {
	one := mount{kind: string(m.Type), readOnly: m.ReadOnly, target: m.Target}
	switch {
	case m.From == "" && m.Type == instructions.MountTypeCache, m.From == "scratch", m.Type == instructions.MountTypeTmpfs:
	case m.From == "":
		one.from = s.local("")
	case !from.done:
		return one, fmt.Errorf("cannot mount from stage %q to %q, stage needs to be defined before current command", m.From, m.Target)
	default:
		one.from, one.fromDeps = from.out, from.outDeps
		s.takeMount(c, m, from)
	}
	if m.Type == instructions.MountTypeTmpfs {
		one.from, one.fromDeps = nil, nil
		one.text = fmt.Sprint(m.SizeLimit)
	}
	if m.Type == instructions.MountTypeCache {
		one.sharing = string(m.CacheSharing)
		if one.cacheID = m.CacheID; one.cacheID == "" {
			one.cacheID = path.Clean(m.Target)
		}
	}
	if !system.IsAbsolutePath(filepath.Clean(m.Target)) {
		one.target = filepath.Join("/", s.dir.value, m.Target)
	}
	if one.target == "/" {
		return one, fmt.Errorf("invalid mount target %q", one.target)
	}
	if src := path.Join("/", m.Source); src != "/" {
		one.source = src
	} else if m.UID != nil || m.GID != nil || m.Mode != nil {
		one.from, one.fromDeps = s.permitted(c, m, one), nil
		one.source = "/cache"
	}
	return one, nil
}

// permitted returns the node that makes the directory of a cache mount whose
// owner or mode is given.
func (s *plan) permitted(c command, m *instructions.Mount, of mount) *Node {
	n := &Node{Kind: KindMkdir, Step: c.step, Stage: s.stage.Index, deps: c.deps.or(s.env.all)}
	n.Parts = []Part{{"cache directory", fileOf(m, 0o755), c.step}}
	if of.from != nil {
		n.In = []Edge{{From: of.from, Role: RoleBase, deps: of.fromDeps}}
	} else {
		n.deps = n.deps.or(of.fromDeps)
	}
	n.seal()
	s.append(n)
	return n
}

// fileOf is the owner and the mode of what is mounted.
func fileOf(m *instructions.Mount, mode uint64) string {
	value := func(p *uint64, otherwise uint64) uint64 {
		if p == nil {
			return otherwise
		}
		return *p
	}
	return fmt.Sprintf("%d:%d %o", value(m.UID, 0), value(m.GID, 0), value(m.Mode, mode))
}

// secret returns what counts of a secret, which its value doesn't.
func secret(m *instructions.Mount, os string) (text, target string, err error) {
	id := m.CacheID
	if m.Source != "" {
		id = m.Source
	}
	target = m.Target
	if os == "windows" {
		target = system.ToSlash(target, os)
	}
	if id == "" {
		if target == "" {
			return "", "", errors.New("one of source, target required")
		}
		id = path.Base(target)
	}
	if os == "windows" && (target == "" && m.Env == nil || target != "" && !system.IsAbs(target, os)) {
		return "", "", fmt.Errorf("the secret %s needs a target that is an absolute path with forward slashes", id)
	}
	env := ""
	if m.Env != nil {
		env = "env " + *m.Env
	} else if target == "" {
		target = "/run/secrets/" + path.Base(id)
	}
	file := ""
	if target != "" {
		file = fileOf(m, 0o400)
	}
	return fmt.Sprintf("%s %v %s %s", id, m.Required, env, file), target, nil
}

// wire makes a RUN's inputs of its mounts: each node is one input, however
// often it is mounted.
func (buildKit) wire(s *plan, n *Node, mounts []mount, c command) {
	type input struct {
		paths   []string
		content bool
	}
	var inputs []input
	sockets := 0
	for _, m := range mounts {
		at := -1
		if m.from != nil {
			at = slices.IndexFunc(n.In, func(e Edge) bool { return e.From.sig == m.from.sig })
			if at < 0 {
				at = len(n.In)
				n.In = append(n.In, Edge{From: m.from, Role: RoleMount})
				inputs = append(inputs, input{})
			}
			n.In[at].deps = n.In[at].deps.or(m.fromDeps)
			if m.kind == "root" {
				n.In[at].Role = RoleBase
			}
			src := path.Join("/", m.source)
			inputs[at].paths = append(inputs[at].paths, src)
			// The last mount of an input decides, as it does in BuildKit.
			inputs[at].content = m.kind != "root"
		} else {
			n.deps = n.deps.or(m.fromDeps) // an edit of a stage from scratch gives it an input
		}
		if m.kind == "ssh" {
			if m.target == "" {
				m.target = fmt.Sprintf("/run/buildkit/ssh_agent.%d", sockets)
			}
			sockets++
			if n.env.get("SSH_AUTH_SOCK") == nil {
				n.env = n.env.with(variable{"SSH_AUTH_SOCK", m.target, c.step, c.deps})
			}
		}
		n.Parts = append(n.Parts, Part{"mount " + m.target, m.key(s, at), c.step})
	}
	for i := range n.In {
		n.In[i].Selector = strings.Join(inputs[i].paths, "\x00")
		if inputs[i].content {
			n.In[i].Content = selections(inputs[i].paths)
		}
	}
}

// key is what counts of a mount, but for what it reads.
func (m mount) key(s *plan, input int) string {
	key := fmt.Sprintf("%s %d %v %s", m.kind, input, m.readOnly, m.text)
	if m.kind == "cache" {
		id := s.opt.Args["BUILDKIT_CACHE_MOUNT_NS"] + "/" + m.cacheID
		_, local, _ := strings.Cut(id, "/")
		// Only a mount that is called as its target keeps its name.
		if m.sharing == "" || m.sharing == string(instructions.MountSharingShared) {
			if id == m.target || local == m.target {
				key += " " + id
			}
		}
	}
	return key
}

// selections returns the selections of paths, of which those below others are
// left out; everything if one of them is the root.
func selections(paths []string) []buildcontext.Selection {
	paths = slices.Compact(slices.Sorted(slices.Values(paths)))
	if slices.Contains(paths, "/") {
		return whole()
	}
	var sels []buildcontext.Selection
	for _, p := range paths {
		if !slices.ContainsFunc(paths, func(q string) bool { return p != q && strings.HasPrefix(p, q+"/") }) {
			sels = append(sels, buildcontext.Selection{Path: p, FollowLinks: true})
		}
	}
	return sels
}
