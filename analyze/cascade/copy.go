package cascade

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/dfgitutil"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/util/system"
	"github.com/opencontainers/go-digest"

	"github.com/layerscope/layerscope/analyze/buildcontext"
)

// files is a COPY or an ADD.
type files struct {
	instructions.SourcesAndDest
	add        bool
	from       *Node // of files; nil for scratch
	fromDeps   set
	chown      string
	chmod      string
	link       bool
	parents    bool
	exclude    []string
	checksum   string
	keepGitDir *bool
	unpack     *bool
}

// taken is one source of a COPY or an ADD.
type taken struct {
	from     *Node // nil for scratch
	fromDeps set
	sel      buildcontext.Selection
	key      string // what else counts
}

// copy does a COPY or an ADD.
func (b buildKit) copy(s *plan, c command, f files, deps set) error {
	dest, err := s.destination(f.DestPath)
	if err != nil {
		return err
	}
	if !strings.HasPrefix(f.DestPath, "/") {
		deps = deps.or(s.dir.deps)
	}
	if err := f.check(); err != nil {
		return err
	}
	perm, err := permissions(f.chmod)
	if err != nil {
		return err
	}
	sources, err := f.sources(s, c)
	if err != nil {
		return err
	}
	s.takeCopy(c, sources)
	linked := f.link && f.chmod == ""
	n := &Node{Kind: KindCopy, deps: deps, Uncached: s.uncached(), Label: s.label()}
	n.Parts = []Part{{"destination", dest, c.step}}
	if f.chown != "" {
		n.Parts = append(n.Parts, Part{"--chown", owner(f.chown), c.step})
	}
	if perm != "" {
		n.Parts = append(n.Parts, Part{"--chmod", perm, c.step})
	}
	if len(f.exclude) > 0 {
		n.Parts = append(n.Parts, Part{"--exclude", strings.Join(f.exclude, "\x00"), c.step})
	}
	if !linked {
		n.In = s.rootfs()
	}
	f.wire(n, sources, len(n.In) > 0, c)
	if !linked {
		s.attach(c, n)
		s.out, s.outDeps = n, nil
		return nil
	}
	out, outDeps := s.out, s.outDeps
	s.out, s.outDeps = nil, nil
	s.attach(c, n)
	s.out, s.outDeps = out, outDeps
	s.merge(c, n)
	return nil
}

// merge puts a linked copy upon the stage's filesystem. It moves no data and
// isn't the instruction's verdict, so the copy stays the last of its nodes.
func (s *plan) merge(c command, linked *Node) {
	if s.out == nil {
		s.out = linked // there is nothing to put it upon, unless an edit makes it
		return
	}
	m := &Node{Kind: KindMerge, Step: c.step, Stage: s.stage.Index, Label: linked.Label, Uncached: linked.Uncached, Trigger: c.trigger}
	m.In = append(s.rootfs(), Edge{From: linked, Role: RoleMerge})
	m.seal()
	s.append(m)
	step := s.g.Steps[c.step]
	step.Nodes = append(step.Nodes[:len(step.Nodes)-1:len(step.Nodes)-1], m, linked)
	s.out, s.outDeps = m, nil
}

// check refuses what BuildKit refuses.
func (f *files) check() error {
	if f.link {
		for _, part := range strings.SplitN(owner(f.chown), ":", 2) {
			if f.chown != "" && strings.HasPrefix(part, "name ") {
				return fmt.Errorf("--chown=%s: user and group names can't be resolved when used with --link, use numeric uid[:gid] instead", f.chown)
			}
		}
	}
	if f.checksum == "" {
		return nil
	}
	if !f.add {
		return errors.New("checksum can't be specified for COPY")
	}
	if len(f.SourcePaths) != 1 {
		return errors.New("checksum can't be specified for multiple sources")
	}
	if !isURL(f.SourcePaths[0]) && !isGit(f.SourcePaths[0]) {
		return errors.New("checksum requires HTTP(S) or Git sources")
	}
	return nil
}

func isGit(src string) bool {
	ref, ok, _ := dfgitutil.ParseGitRef(src)
	return ref != nil && ok
}

func isURL(src string) bool {
	return (strings.HasPrefix(src, "http://") || strings.HasPrefix(src, "https://")) && !isGit(src)
}

// sources returns what is copied, in order: paths, then heredocs.
func (f *files) sources(s *plan, c command) ([]taken, error) {
	var all []taken
	for _, src := range f.SourcePaths {
		ref, git, err := dfgitutil.ParseGitRef(src)
		if err != nil && git {
			return nil, err
		}
		var t taken
		switch {
		case err == nil && !ref.IndistinguishableFromLocal:
			if !f.add {
				return nil, errors.New("source can't be a git ref for COPY")
			}
			t, err = f.repository(s, c, ref)
		case isURL(src):
			if !f.add {
				return nil, errors.New("source can't be a URL for COPY")
			}
			t, err = f.download(s, c, src)
		default:
			t, err = f.local(s, src)
		}
		if err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	for _, doc := range f.SourceContents {
		name, err := system.CheckSystemDriveAndRemoveDriveLetter(doc.Path, s.osName(), false)
		if err != nil {
			return nil, fmt.Errorf("removing drive letter: %w", err)
		}
		all = append(all, taken{
			from: s.inline(c, name, doc.Data),
			sel:  buildcontext.Selection{Path: cleaned(name)},
			key:  fmt.Sprintf("inline %q", path.Base(name)),
		})
	}
	return all, nil
}

// inline returns the node of a heredoc as a file.
func (s *plan) inline(c command, name, data string) *Node {
	n := &Node{Kind: KindInline, Step: c.step, Stage: s.stage.Index, deps: c.deps.or(s.env.all), Parts: []Part{{"file name", name, c.step}, {"text", data, c.step}}}
	n.seal()
	s.append(n)
	return n
}

// repository returns a git repository that is added.
func (f *files) repository(s *plan, c command, ref *dfgitutil.GitRef) (taken, error) {
	keep, checksum := f.keepGitDir, f.checksum
	if ref.KeepGitDir != nil {
		if keep != nil && *keep != *ref.KeepGitDir {
			return taken{}, errors.New("inconsistent keep-git-dir configuration")
		}
		keep = ref.KeepGitDir
	}
	if ref.Checksum != "" {
		if checksum != "" && checksum != ref.Checksum {
			return taken{}, fmt.Errorf("checksum mismatch %q != %q", checksum, ref.Checksum)
		}
		checksum = ref.Checksum
	}
	submodules := ref.Submodules == nil || *ref.Submodules
	parts := []Part{
		{"repository", ref.Remote, c.step}, {"ref", ref.Ref, c.step}, {"subdirectory", ref.SubDir, c.step}, {"checksum", checksum, c.step},
		{"kept", fmt.Sprintf("%v %v %v", keep != nil && *keep, submodules, ref.FetchByCommit), c.step},
	}
	return taken{
		from: s.source(KindGit, parts, ref.Remote),
		sel:  buildcontext.Selection{Path: "/"}, key: "git /",
	}, nil
}

// download returns a URL that is added.
func (f *files) download(s *plan, c command, src string) (taken, error) {
	name := "__unnamed__"
	if u, err := url.Parse(src); err == nil {
		if base := path.Base(u.Path); base != "." && base != "/" {
			name = base
		}
	}
	if f.checksum != "" {
		if _, err := digest.Parse(f.checksum); err != nil {
			return taken{}, err
		}
	}
	unpack := f.unpack != nil && *f.unpack
	return taken{
		from: s.source(KindHTTP, []Part{{"url", src, c.step}, {"file name", name, c.step}, {"checksum", f.checksum, c.step}}, src),
		sel:  buildcontext.Selection{Path: "/" + name}, key: fmt.Sprintf("url %q unpack %v", name, unpack),
	}, nil
}

// local returns files of a context, a stage or an image.
func (f *files) local(s *plan, src string) (taken, error) {
	os := s.osName()
	var include, required []string
	if f.parents {
		parent, pattern, ok := strings.Cut(src, "/./")
		if !ok {
			parent, pattern = "/", src
		}
		src = parent
		pattern, err := system.NormalizePath("/", pattern, os, false)
		if err != nil {
			return taken{}, fmt.Errorf("removing drive letter: %w", err)
		}
		include = []string{strings.TrimPrefix(pattern, "/")}
		if !buildcontext.HasWildcard(src) && !buildcontext.HasWildcard(pattern) {
			p, err := system.NormalizePath("/", filepath.Join(src, pattern), os, false)
			if err != nil {
				return taken{}, fmt.Errorf("removing drive letter: %w", err)
			}
			required = []string{p}
		}
	}
	src, err := system.NormalizePath("/", src, os, false)
	if err != nil {
		return taken{}, fmt.Errorf("removing drive letter: %w", err)
	}
	src = path.Join("/", src)
	unpack := f.add
	if f.unpack != nil {
		unpack = *f.unpack
	}
	return taken{
		from: f.from, fromDeps: f.fromDeps,
		sel: buildcontext.Selection{Path: src, Wildcard: buildcontext.HasWildcard(src), FollowLinks: true, Include: include, Exclude: f.exclude, Required: required},
		key: fmt.Sprintf("%q unpack %v include %q require %q", path.Base(src), unpack, include, required),
	}, nil
}

// wire makes the inputs of a copy: each node is one, however often it is copied
// from. What is also written to is never compared by content.
func (f *files) wire(n *Node, sources []taken, onto bool, c command) {
	var sels = make([][]buildcontext.Selection, len(n.In), len(n.In)+len(sources))
	for _, t := range sources {
		at := -1
		if t.from != nil {
			if at = slices.IndexFunc(n.In, func(e Edge) bool { return e.From.sig == t.from.sig }); at < 0 {
				at = len(n.In)
				n.In = append(n.In, Edge{From: t.from, Role: RoleCopy})
				sels = append(sels, nil)
			}
			n.In[at].deps = n.In[at].deps.or(t.fromDeps)
			sels[at] = append(sels[at], t.sel)
		} else {
			n.deps = n.deps.or(t.fromDeps) // an edit of a stage from scratch gives it an input
		}
		n.Parts = append(n.Parts, Part{"source", fmt.Sprintf("%d %s", at, t.key), c.step})
	}
	for i := range n.In {
		if onto && i == 0 {
			continue
		}
		n.In[i].Content = sels[i]
		var paths []string
		for _, sel := range sels[i] {
			paths = append(paths, sel.Path)
		}
		slices.Sort(paths)
		n.In[i].Selector = strings.Join(paths, "\x00")
	}
}
