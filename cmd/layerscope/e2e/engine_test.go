//go:build linux

package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// startEngine finds a Docker Engine that is running, or runs Debian's.
func (l *lab) startEngine() error {
	if err := l.findDocker(); err != nil {
		return err
	}
	l.DockerHost = os.Getenv("DOCKER_HOST")
	if l.DockerHost == "" {
		l.DockerHost = "unix:///var/run/docker.sock"
	}
	if l.engineAnswers() == nil {
		return nil
	}
	l.OwnEngine = true
	l.DockerHost = "unix://" + l.path("docker.sock")
	cmd, err := l.dockerd("engine", l.DockerHost)
	if err != nil {
		return err
	}
	if os.Getuid() != 0 {
		return errors.New("no engine answers, and only root can run one")
	}
	return l.start("dockerd", cmd, l.engineAnswers)
}

// dockerd returns the command of an engine with folders of a name. It touches
// neither the machine's network nor its firewall: containers have no network
// here.
func (l *lab) dockerd(name, address string) (*exec.Cmd, error) {
	dockerd, err := lookPath("dockerd")
	if err != nil {
		return nil, err
	}
	return exec.Command(dockerd,
		"--host", address,
		"--data-root", l.path(name),
		"--exec-root", l.path(name+"-run"),
		"--pidfile", l.path(name+".pid"),
		"--bridge", "none", "--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false",
		"--log-level", "warn",
	), nil
}

// findDocker finds a docker command. Debian's comes first: it has BuildKit's
// client built in.
func (l *lab) findDocker() error {
	var err error
	for _, name := range []string{"/usr/bin/docker", "docker"} {
		if l.Docker, err = exec.LookPath(name); err == nil {
			return nil
		}
	}
	return err
}

func (l *lab) engineAnswers() error {
	_, err := l.output(l.Docker, "version", "--format", "{{.Server.Version}}")
	return err
}

// removeImages removes the tests' images from an engine that isn't ours.
func (l *lab) removeImages() error {
	if _, missing := l.Missing[engine]; missing || l.OwnEngine {
		return nil
	}
	out, err := l.output(l.Docker, "image", "ls", "--format", "{{.Repository}}:{{.Tag}}")
	if err != nil {
		return err
	}
	for _, name := range strings.Fields(string(out)) {
		if strings.HasPrefix(name, ours+"/") || strings.HasPrefix(name, l.Registry+"/") {
			if _, err := l.output(l.Docker, "image", "rm", "--force", name); err != nil {
				return fmt.Errorf("tidying up: %w", err)
			}
		}
	}
	return nil
}
