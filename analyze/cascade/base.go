package cascade

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/containerd/platforms"
	"github.com/distribution/reference"
	"github.com/moby/buildkit/frontend/dockerfile/dfgitutil"
	"github.com/moby/buildkit/util/system"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/layerscope/layerscope/analyze/dockerfile"
)

// given is what --build-context gives: a name and what it is.
type given struct{ name, value string }

// namedContext returns what --build-context says that a name is; nil if it says
// nothing.
func (p *planner) namedContext(name string, platform *ocispecs.Platform) *given {
	if p.opt.Builder == Classic || strings.EqualFold(name, "scratch") || strings.EqualFold(name, "context") {
		return nil
	}
	named, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		return nil
	}
	name = strings.TrimSuffix(reference.FamiliarString(named), ":latest")
	if platform == nil {
		platform = &p.target
	}
	for _, key := range []string{name + "::" + platforms.FormatAll(platforms.Normalize(*platform)), name} {
		if value, ok := p.opt.Contexts[key]; ok {
			return &given{key, value}
		}
	}
	return nil
}

// pull begins a stage with its base: an image, a context or nothing.
func (s *plan) pull() error {
	s.dir.by, s.user.by, s.shell.by = -1, -1, -1
	deps := one(s.step).or(s.nameDeps)
	if s.stage == nil {
		deps = nil // a COPY whose --from changes is another anyhow
	}
	s.outDeps = deps
	for _, v := range []*traced{&s.dir, &s.user, &s.shell} {
		v.deps = deps
	}
	platform := s.platform
	if platform == nil {
		platform = &s.target
	}
	switch {
	case s.replaced:
		return s.pullContext(*platform, deps)
	case s.name == "scratch":
		s.platform = &s.target
		s.done = s.stage == nil
		s.configure(&Image{WorkingDir: "/", Env: []string{"PATH=" + system.DefaultPathEnv(s.target.OS)}}, deps)
		return nil
	}
	ref, err := reference.ParseNormalizedNamed(s.name)
	if err != nil {
		return s.fail(s.step, fmt.Errorf("failed to parse stage name %q: %w", s.name, err))
	}
	full := reference.TagNameOnly(ref).String()
	s.platform = platform
	s.done = s.stage == nil
	if s.context = s.namedContext(full, platform); s.context != nil {
		return s.pullContext(*platform, deps)
	}
	s.pullImage(full, *platform, deps)
	return nil
}

// pullImage begins a stage with an image.
func (s *plan) pullImage(ref string, platform ocispecs.Platform, deps set) {
	var known *Image
	if s.opt.Builder == Classic {
		platform = s.target // a FROM's own is for pulling
	}
	if s.opt.Images != nil {
		known = s.opt.Images.Image(ref, platforms.FormatAll(platform))
	}
	if known == nil {
		s.g.Notes = append(s.g.Notes, Note{s.lines(), fmt.Sprintf("the image %s isn't known: its ENV, WORKDIR, USER and ONBUILD are taken for none", s.name)})
	} else if s.opt.Platform == "" && s.stage != nil && s.stage.Platform == "" && known.Platform != "" {
		// Without a --platform an image of another is taken as it is.
		if p, err := platforms.Parse(known.Platform); err == nil {
			platform = platforms.Normalize(p)
			s.platform = &platform
		}
	}
	if known == nil || !known.Empty {
		identity := ref
		if known != nil && known.Digest != "" {
			identity = known.Digest
		} else if _, pinned, ok := strings.Cut(ref, "@"); ok {
			identity = pinned // wherever it is pulled from
		}
		if slices.Contains(s.opt.Moved, ref) {
			identity += " moved"
		}
		parts := []Part{{"image", identity, s.step}}
		if s.opt.Builder != Classic { // it takes the image that there is of a name
			parts = append(parts, Part{"platform", platforms.FormatAll(platform), s.step})
		}
		s.out = s.source(KindImage, parts, ref)
		if s.stage != nil && s.out.Label == (Label{}) {
			s.out.Stage = s.stage.Index
		}
	}
	if s.stage != nil {
		s.stage.Image = ref
	}
	if known == nil {
		s.unsure.all = true
		known = &Image{Unsure: []string{"PATH"}} // which has a default
	}
	s.configure(known, deps)
	for _, name := range known.Unsure {
		s.unsure = s.unsure.with(name, true)
	}
}

// lines returns where a plan's base is named.
func (s *plan) lines() dockerfile.Range { return s.g.Steps[s.step].Lines }

// pullContext begins a stage with what --build-context says.
func (s *plan) pullContext(platform ocispecs.Platform, deps set) error {
	name, value := s.context.name, s.context.value
	s.platform = &platform
	s.done = s.done || s.replaced
	scheme, rest, ok := strings.Cut(value, ":")
	switch {
	case ok && scheme == "docker-image":
		rest = strings.TrimPrefix(rest, "//")
		if rest == "scratch" {
			s.configure(&Image{}, deps)
			return nil
		}
		ref, err := reference.ParseNormalizedNamed(rest)
		if err != nil {
			return s.fail(s.step, fmt.Errorf("reading the build context %s=%s: %w", name, value, err))
		}
		s.pullImage(reference.TagNameOnly(ref).String(), platform, deps)
		return nil
	case ok && scheme == "oci-layout":
		s.pullImage("oci-layout:"+strings.TrimPrefix(rest, "//"), platform, deps)
		return nil
	case ok && scheme == "target":
		return s.fail(s.step, fmt.Errorf("the build context %s=%s is a target of a bake file, which isn't read", name, value))
	}
	s.configure(&Image{}, deps)
	if ref, isGit, err := dfgitutil.ParseGitRef(value); isGit && err == nil && !ref.IndistinguishableFromLocal {
		s.out = s.source(KindGit, []Part{{"repository", value, s.step}}, value)
		return nil
	}
	if scheme == "http" || scheme == "https" {
		s.out = s.source(KindHTTP, []Part{{"url", value, s.step}, {"file name", "context", s.step}}, value)
		return nil
	}
	s.out = s.local(name)
	return nil
}

// configure begins a stage with the configuration of an image.
func (s *plan) configure(i *Image, deps set) {
	s.env = newEnviron(nil, deps)
	var vars []variable
	hasPath := false
	for _, kv := range i.Env {
		name, value, _ := strings.Cut(kv, "=")
		hasPath = hasPath || name == "PATH"
		vars = append(vars, variable{name, value, s.step, deps})
	}
	if !hasPath && s.osName() != "windows" && s.opt.Builder == BuildKit {
		vars = append(vars, variable{"PATH", system.DefaultPathEnv(s.osName()), s.step, deps})
	}
	s.imageEnv = vars
	s.env = s.env.with(vars...)
	s.dir.value, s.user.value = i.WorkingDir, i.User
	s.shell.value = strings.Join(i.Shell, "\x00")
	for _, text := range i.OnBuild {
		s.state.onBuild = append(s.state.onBuild, trigger{text, -1})
	}
}

// osName returns the operating system that a stage is for.
func (s *plan) osName() string {
	if s.platform != nil && s.platform.OS != "" {
		return s.platform.OS
	}
	return s.target.OS
}

// source returns the node of something that is read and not made: the same for
// all that read it.
func (p *planner) source(kind Kind, parts []Part, name string) *Node {
	n := &Node{Kind: kind, Step: parts[0].By, Stage: -1, Parts: parts, Context: name}
	n.seal()
	if first, ok := p.sources[n.sig]; ok {
		return first
	}
	p.sources[n.sig] = n
	p.append(n)
	return n
}

// append adds a node to the graph.
func (p *planner) append(n *Node) {
	n.ID = len(p.g.Nodes)
	p.g.Nodes = append(p.g.Nodes, n)
}

// local returns the node of a context: "" for the build's own.
func (p *planner) local(name string) *Node {
	return p.source(KindLocal, []Part{{"context", name, -1}}, name)
}

// chdir returns the directory that a WORKDIR leads to.
func chdir(current, dir, os string) (string, error) {
	wd, err := system.NormalizeWorkdir(current, dir, os)
	if err != nil {
		return "", err
	}
	return system.ToSlash(wd, os), nil
}

// destination returns the path that a COPY writes to.
func (s *plan) destination(dest string) (string, error) {
	os := s.osName()
	p, err := system.CheckSystemDriveAndRemoveDriveLetter(dest, os, true)
	if err != nil {
		return "", fmt.Errorf("removing drive letter: %w", err)
	}
	if system.IsAbs(p, os) {
		p, err = system.NormalizePath("/", p, os, true)
	} else {
		if p == "." || p == "" {
			p = "./"
		}
		p, err = system.NormalizePath(s.dir.value, p, os, true)
	}
	if err != nil {
		return "", err
	}
	return cleaned(p), nil
}

// cleaned cleans a path, but for a slash or "/." at its end, which tell that a
// directory is meant.
func cleaned(p string) string {
	c := path.Join("/", p)
	switch {
	case strings.HasSuffix(p, "/") && !strings.HasSuffix(c, "/"):
		c += "/"
	case strings.HasSuffix(p, "/."):
		if c != "/" {
			c += "/"
		}
		c += "."
	}
	return c
}
