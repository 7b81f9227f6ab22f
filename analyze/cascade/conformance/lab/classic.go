//go:build linux

package lab

import (
	"context"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/layerscope/layerscope/analyze/cascade/conformance/record"
)

// Classic is a Docker Engine that builds with the builder it had before
// BuildKit.
type Classic struct{ docker, host, dir string }

// Classic starts an engine.
func (l *Lab) Classic(name string) (*Classic, error) {
	dockerd, err := exec.LookPath("dockerd")
	if err != nil {
		return nil, err
	}
	c := &Classic{dir: l.path(name)}
	c.host = "unix://" + filepath.Join(c.dir, "docker.sock")
	// Debian's client comes first: it is of the engine's version.
	for _, client := range []string{"/usr/bin/docker", "docker"} {
		if c.docker, err = exec.LookPath(client); err == nil {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(c.dir, "home"), 0o755); err != nil {
		return nil, err
	}
	proxy, err := l.mirror()
	if err != nil {
		return nil, err
	}
	// It touches neither the machine's network nor its firewall: containers
	// have no network here.
	cmd := exec.Command(dockerd,
		"--host", c.host,
		"--data-root", filepath.Join(c.dir, "engine"),
		"--exec-root", filepath.Join(c.dir, "run"),
		"--pidfile", filepath.Join(c.dir, "docker.pid"),
		"--registry-mirror", "http://"+l.Registry,
		"--bridge", "none", "--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false",
		"--log-level", "warn")
	for _, host := range registries {
		cmd.Args = append(cmd.Args, "--insecure-registry", host)
	}
	cmd.Env = environment(filepath.Join(c.dir, "home"), proxied(proxy)...)
	return c, l.Start(name, cmd, func() error { return c.command(context.Background(), "version").Run() })
}

// mirror serves a proxy that has the registry in it, for all hosts: the engine
// mirrors docker.io alone. It returns its URL.
func (l *Lab) mirror() (string, error) {
	files, err := url.Parse(l.Proxy)
	if err != nil {
		return "", err
	}
	others := &httputil.ReverseProxy{Rewrite: func(*httputil.ProxyRequest) {}, Transport: &http.Transport{Proxy: http.ProxyURL(files)}}
	address, err := l.serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/v2/") {
			l.Bases.ServeHTTP(w, r)
			return
		}
		others.ServeHTTP(w, r)
	}))
	return "http://" + address, err
}

func (c *Classic) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, c.docker, args...)
	cmd.Env = environment(filepath.Join(c.dir, "home"), "DOCKER_HOST="+c.host, "DOCKER_BUILDKIT=0", "DOCKER_CONFIG="+c.dir)
	return cmd
}

// Empty forgets all images.
func (c *Classic) Empty(ctx context.Context) error {
	_, err := output(c.command(ctx, "image", "prune", "--all", "--force"))
	return err
}

// Build builds and tells what became of the instructions. If the build fails,
// it does so for those that there were, and the error is a [*BuildError].
func (c *Classic) Build(ctx context.Context, build Build) (record.Seen, error) {
	args := []string{"build", "--network", "none"}
	out, err := output(c.command(ctx, append(args, build.flags()...)...))
	return parseClassic(out), err
}

var (
	// What comes from a command's or the parser's stderr is coloured, and the
	// next line begins with the end of that.
	colours         = regexp.MustCompile(`\x1b\[\d*m`)
	classicStep     = regexp.MustCompile(`^Step \d+/\d+ : (\w+)`)
	classicTriggers = regexp.MustCompile(`^# Executing (\d+) build triggers?$`)
	classicDone     = regexp.MustCompile(`^ ---> [0-9a-f]{0,12}$`)
)

// parseClassic reads what the classic builder says of a build. It prints a line
// for each instruction as it begins and one with the image's id as it ends, and
// "Using cache" between them. What triggers do goes into the FROM: they stand in
// their order, and after the first that runs nothing of the stage is cached.
func parseClassic(out string) record.Seen {
	seen := record.Seen{}
	stage, number := -1, 0
	cached, triggers := 0, 0
	for line := range strings.Lines(out) {
		line = colours.ReplaceAllString(strings.TrimRight(line, "\r\n"), "")
		if m := classicStep.FindStringSubmatch(line); m != nil {
			cached, triggers = 0, 0
			if number++; strings.EqualFold(m[1], "FROM") {
				stage, number = stage+1, 1
			}
			continue
		}
		switch m := classicTriggers.FindStringSubmatch(line); {
		case m != nil:
			triggers, _ = strconv.Atoi(m[1])
		case line == " ---> Using cache":
			cached++
		case classicDone.MatchString(line):
			noted(seen, stage, number, outcome(cached > 0))
			for i := range triggers {
				number++
				noted(seen, stage, number, outcome(i < cached))
			}
			triggers = 0
		}
	}
	return seen
}
