//go:build linux

package lab

import (
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/session"
	"github.com/moby/buildkit/session/secrets/secretsprovider"
	"github.com/moby/buildkit/session/sshforward/sshprovider"
	"github.com/opencontainers/go-digest"
	"github.com/tonistiigi/fsutil"

	"github.com/layerscope/layerscope/analyze/cascade/conformance/cases"
	"github.com/layerscope/layerscope/analyze/cascade/conformance/record"
)

// BuildKit is a BuildKit daemon.
type BuildKit struct {
	client *client.Client
	sshKey string
}

// BuildKitVersion is the version that is built: that of the module.
const BuildKitVersion = "v0.34.2"

// modules is the folder of the module that BuildKit is built from, below the
// project's.
const modules = "cmd/layerscope/e2e/buildkit"

// buildKitConfig is buildkitd's: images of every host come from our registry,
// nothing is collected as garbage.
const buildKitConfig = `root = %[1]q
insecure-entitlements = ["security.insecure", "network.host"]
[grpc]
address = [%[2]q]
[worker.containerd]
enabled = false
[worker.oci]
snapshotter = "overlayfs"
networkMode = "host"
gc = false
[history]
maxEntries = 1
[registry.%[3]q]
http = true
`

// registries are the hosts whose images are to be had.
var registries = []string{"docker.io", "ghcr.io", "gcr.io", "quay.io", "registry.example.com", "other.invalid"}

// BuildKit starts a BuildKit, of the version that the project is built with.
func (l *Lab) BuildKit(name string) (*BuildKit, error) {
	if _, err := exec.LookPath("runc"); err != nil {
		return nil, err
	}
	daemon, err := buildKitd()
	if err != nil {
		return nil, err
	}
	root := l.path(name)
	if err := os.Mkdir(root, 0o755); err != nil {
		return nil, err
	}
	socket := filepath.Join(root, "socket")
	config := fmt.Sprintf(buildKitConfig, filepath.Join(root, "root"), "unix://"+socket, l.Registry)
	for _, host := range registries {
		config += fmt.Sprintf("[registry.%q]\nmirrors = [%q]\n", host, l.Registry)
	}
	file := filepath.Join(root, "config.toml")
	if err := os.WriteFile(file, []byte(config), 0o644); err != nil {
		return nil, err
	}
	b := &BuildKit{sshKey: filepath.Join(root, "key")}
	if err := writeKey(b.sshKey); err != nil {
		return nil, err
	}
	cmd := exec.Command(daemon, "--config", file)
	cmd.Env = append(os.Environ(), "HTTP_PROXY="+l.Proxy, "http_proxy="+l.Proxy, "NO_PROXY=127.0.0.1", "no_proxy=127.0.0.1", "TMPDIR="+root)
	if err := l.Start(name, cmd, Answers("unix", socket)); err != nil {
		return nil, err
	}
	b.client, err = client.New(context.Background(), "unix://"+socket)
	return b, err
}

// buildKitd returns the path of the daemon, which the go command builds if it
// hasn't yet.
func buildKitd() (string, error) {
	dir, err := os.Getwd()
	for err == nil && !isDir(filepath.Join(dir, modules)) {
		if dir == filepath.Dir(dir) {
			return "", errors.New("this isn't layerscope's source")
		}
		dir = filepath.Dir(dir)
	}
	if err != nil {
		return "", err
	}
	cmd := exec.Command("go", "-C", filepath.Join(dir, modules), "tool", "-n", "buildkitd")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	path, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		err = fmt.Errorf("building buildkitd: %w: %s", err, exit.Stderr)
	}
	return strings.TrimSpace(string(path)), err
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// writeKey writes a key for ssh, which opens nothing.
func writeKey(path string) error {
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600)
}

// Build is what a builder is told to build.
type Build struct {
	Case *cases.Case
	// Dir is where the case was written to. Of a folder that was sent before,
	// only what differs is sent again; then a folder whose mode alone changed
	// goes unnoticed (the receiver doesn't tell what it keeps of digests).
	Dir  string
	Args map[string]string // build arguments, in place of the case's
	// Attrs are more of the frontend's options, such as "no-cache".
	Attrs map[string]string
}

// label is the beginning of a numbered vertex' name. What holds a slash before
// the numbers is a platform.
var label = regexp.MustCompile(`^\[(?:[^\s\]]*/[^\s\]]* )?(?:([^\s/\]]+) )?\s*(\d+)/(\d+)\] (?:ONBUILD )?(LINK |FROM )?`)

// ParseVertex reads the name of a vertex; false if it has no number, or is a
// source.
func ParseVertex(name string) (record.Place, bool) {
	m := label.FindStringSubmatch(name)
	if m == nil || m[4] == "FROM " {
		return record.Place{}, false
	}
	index, _ := strconv.Atoi(m[2])
	total, _ := strconv.Atoi(m[3])
	return record.Place{Stage: m[1], Index: index, Total: total, Link: m[4] == "LINK "}, true
}

// watched are a build's vertices that have a place, by digest.
type watched map[digest.Digest]*vertex

type vertex struct {
	place   record.Place
	source  bool // it reads nothing
	outcome record.Outcome
}

// add notes an event. One that says a vertex was cached decides: it may be
// started again, without saying so, when what it made is wanted after all.
func (w watched) add(e *client.Vertex) {
	place, ok := ParseVertex(e.Name)
	if !ok {
		return
	}
	v := w[e.Digest]
	if v == nil {
		v = &vertex{place: place, source: len(e.Inputs) == 0, outcome: record.Skipped}
		w[e.Digest] = v
	}
	switch {
	case e.Cached:
		v.outcome = record.Cached
	case e.Started != nil && v.outcome != record.Cached:
		v.outcome = record.Ran
	}
}

// seen is what became of the steps. What an ADD fetches goes by the same name as
// the ADD itself, and isn't one.
func (w watched) seen() record.Seen {
	s := record.Seen{}
	for _, v := range w {
		if _, ok := s[v.place]; !ok || !v.source {
			s[v.place] = v.outcome
		}
	}
	return s
}

// Build builds and tells what became of the steps. If the build fails, it does
// so for those that there were.
func (b *BuildKit) Build(ctx context.Context, build Build) (record.Seen, error) {
	opt, err := b.options(build)
	if err != nil {
		return nil, err
	}
	vertices := watched{}
	events, done := make(chan *client.SolveStatus), make(chan struct{})
	go func() {
		defer close(done)
		for status := range events {
			for _, v := range status.Vertexes {
				vertices.add(v)
			}
		}
	}()
	_, err = b.client.Solve(ctx, nil, opt, events)
	<-done
	return vertices.seen(), err
}

func (b *BuildKit) options(build Build) (client.SolveOpt, error) {
	c := build.Case
	attrs := map[string]string{
		"cmdline": "none", // whatever "# syntax=" says, this frontend
	}
	dockerfile := c.DockerfilePath(build.Dir)
	folders := map[string]string{"context": c.ContextPath(build.Dir, ""), "dockerfile": filepath.Dir(dockerfile)}
	if c.Target != "" {
		attrs["target"] = c.Target
	}
	if c.Platform != "" {
		attrs["platform"] = c.Platform
	}
	args := c.Args
	if build.Args != nil {
		args = build.Args
	}
	for k, v := range args {
		attrs["build-arg:"+k] = v
	}
	for name, what := range c.Contexts {
		if path := c.ContextPath(build.Dir, name); path != "" {
			attrs["context:"+name], folders[name] = "local:"+name, path
		} else {
			attrs["context:"+name] = what
		}
	}
	for k, v := range build.Attrs {
		attrs[k] = v
	}
	mounts := map[string]fsutil.FS{}
	for name, dir := range folders {
		fs, err := fsutil.NewFS(dir)
		if err != nil {
			return client.SolveOpt{}, err
		}
		mounts[name] = fs
	}
	attach, err := b.attachables(c)
	return client.SolveOpt{Frontend: "dockerfile.v0", FrontendAttrs: attrs, LocalMounts: mounts, SharedKey: build.Dir, Session: attach}, err
}

// attachables are the secrets and the keys that a build may ask for.
func (b *BuildKit) attachables(c *cases.Case) ([]session.Attachable, error) {
	secrets := map[string][]byte{}
	for id, value := range c.Secrets {
		secrets[id] = []byte(value)
	}
	var agents []sshprovider.AgentConfig
	for _, id := range c.SSH {
		agents = append(agents, sshprovider.AgentConfig{ID: id, Paths: []string{b.sshKey}})
	}
	ssh, err := sshprovider.NewSSHAgentProvider(agents)
	return []session.Attachable{secretsprovider.FromMap(secrets), ssh}, err
}

// Empty forgets all that was built.
func (b *BuildKit) Empty(ctx context.Context) error {
	return b.client.Prune(ctx, nil, client.PruneAll)
}
