//go:build linux

package e2e

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// The parts of a lab, as tests ask for them.
const (
	engine   = "engine"
	registry = "registry"
	guarded  = "registry with a password"
	podman   = "podman"
	buildah  = "buildah"
	skopeo   = "skopeo"
	zstd     = "zstd"
	tmux     = "tmux"
	ssh      = "ssh"
	htpasswd = "htpasswd"
	buildKit = "a current BuildKit"
	dpkg     = "dpkg-deb"
	rpm      = "rpmbuild"
	apt      = "apt-cache"
)

// lab is what the tests work with: the program and the real parts around it.
// Its exported fields are what the process with the tests is told.
type lab struct {
	Dir    string // everything is below it
	Binary string // layerscope

	Docker       string // a docker command that can build
	DockerHost   string
	OwnEngine    bool   // and not one that was running
	Registry     string // host:port
	Guarded      string // host:port of one that wants a name and a password
	Buildctl     string // BuildKit's client
	BuildKitHost string // address of a current BuildKit
	PodmanHost   string
	SSHHost      string            // ssh://user@host:port of a host with the engine
	SSHPath      string            // folder of the ssh command that gets there
	Missing      map[string]string // parts there aren't, and why
	processes    []*process
	createdSSHDs bool // sshd's own folder wasn't there
}

// The only account of the guarded registry.
const (
	account  = "someone"
	password = "open sesame"
)

// openLab builds the program and starts the parts. A part that can't be had is
// missing, which is for the tests to judge.
func openLab() (l *lab, err error) {
	dir, err := os.MkdirTemp("", "e2e-")
	if err != nil {
		return nil, err
	}
	l = &lab{Dir: dir, Binary: filepath.Join(dir, "layerscope"), Missing: map[string]string{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.close())
		}
	}()
	for _, sub := range []string{"log", "home", "docker"} {
		if err := os.Mkdir(l.path(sub), 0o755); err != nil {
			return nil, err
		}
	}
	// buildah wants there to be one.
	if err := os.WriteFile(l.path("docker", "config.json"), []byte("{}"), 0o600); err != nil {
		return nil, err
	}
	if err := l.writeStorage(); err != nil {
		return nil, err
	}
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-o", l.Binary, "..")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building layerscope: %w\n%s", err, out)
	}
	l.startParts()
	return l, nil
}

func (l *lab) startParts() {
	for _, tool := range []string{buildah, skopeo, zstd, tmux, htpasswd, dpkg, rpm, apt} {
		if _, err := lookPath(tool); err != nil {
			l.Missing[tool] = err.Error()
		}
	}
	for _, part := range []struct {
		name  string
		start func() error
	}{
		{engine, l.startEngine},
		{registry, l.startRegistry},
		{guarded, l.startGuarded},
		{buildKit, l.startBuildKit},
		{podman, l.startPodman},
		{ssh, l.startSSH},
	} {
		if err := part.start(); err != nil {
			l.Missing[part.name] = err.Error()
		}
	}
}

// close takes down everything that was started, here or by a test.
func (l *lab) close() error {
	removing := l.removeImages()
	for i := len(l.processes) - 1; i >= 0; i-- {
		l.processes[i].stop()
	}
	endOrphans()
	err := errors.Join(removing, unmountBelow(l.Dir))
	if l.createdSSHDs {
		err = errors.Join(err, os.Remove(sshdFolder))
	}
	if err != nil {
		return err // better litter than somebody's files
	}
	return os.RemoveAll(l.Dir)
}

// path returns the path of something of the lab's.
func (l *lab) path(elem ...string) string {
	return filepath.Join(append([]string{l.Dir}, elem...)...)
}

// lookPath finds a command, also where only root's PATH leads.
func lookPath(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err == nil {
		return path, nil
	}
	for _, dir := range []string{"/usr/local/sbin", "/usr/sbin", "/sbin"} {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path, nil
		}
	}
	return "", err
}

// logLines is how much of each log is shown when tests fail.
const logLines = 8

// printLogs shows what the parts said last.
func (l *lab) printLogs(w io.Writer) {
	logs, _ := filepath.Glob(l.path("log", "*"))
	for _, log := range logs {
		b, err := os.ReadFile(log)
		if err != nil || len(b) == 0 {
			continue
		}
		lines := strings.Split(strings.TrimSpace(string(b)), "\n")
		lines = lines[max(0, len(lines)-logLines):]
		fmt.Fprintf(w, "%s:\n\t%s\n", filepath.Base(log), strings.Join(lines, "\n\t"))
	}
}
