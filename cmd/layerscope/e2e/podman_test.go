//go:build linux

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// writeStorage gives podman and buildah a storage in the lab. The driver is the
// one that works on any filesystem.
func (l *lab) writeStorage() error {
	conf := fmt.Sprintf("[storage]\ndriver = \"vfs\"\ngraphroot = %q\nrunroot = %q\n", l.path("containers"), l.path("containers-run"))
	return os.WriteFile(l.path("storage.conf"), []byte(conf), 0o600)
}

// startPodman starts podman's service, which speaks docker's API.
func (l *lab) startPodman() error {
	binary, err := lookPath(podman)
	if err != nil {
		return err
	}
	socket := l.path("podman.sock")
	l.PodmanHost = "unix://" + socket
	cmd := exec.Command(binary,
		"--tmpdir", l.path("podman-tmp"),
		"--cgroup-manager", "cgroupfs",
		"--events-backend", "file",
		"system", "service", "--time", "0", l.PodmanHost)
	cmd.Env = l.env()
	return l.start(podman, cmd, answers("unix", socket))
}

// inPodman loads the image into podman.
func (l *lab) inPodman(t *testing.T, builder string) place {
	t.Helper()
	l.tool(t, l.Docker, "--host", l.PodmanHost, "load", "--quiet", "--input", l.saved(t, builder))
	return place{name: "podman", host: l.PodmanHost, args: []string{"docker://localhost/" + l.built(t, builder)}}
}
