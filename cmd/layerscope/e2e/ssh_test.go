//go:build linux

package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
)

// sshdFolder is where sshd shuts itself in; it won't run without.
const sshdFolder = "/run/sshd"

// startSSH starts an ssh server on whose host the engine is docker's usual one,
// and makes an ssh command that gets there with a key of its own.
func (l *lab) startSSH() error {
	sshd, err := lookPath("sshd")
	if err != nil {
		return err
	}
	client, err := lookPath("ssh")
	if err != nil {
		return err
	}
	me, err := user.Current()
	if err != nil {
		return err
	}
	address, err := freePort()
	if err != nil {
		return err
	}
	if err := l.writeSSH(address, client); err != nil {
		return err
	}
	if err := l.makeSSHDFolder(); err != nil {
		return err
	}
	l.SSHHost = "ssh://" + me.Username + "@" + address
	// sshd runs itself again, and so wants its full path.
	return l.start("sshd", exec.Command(sshd, "-D", "-e", "-f", l.path("ssh", "sshd_config")), answers("tcp", address))
}

func (l *lab) makeSSHDFolder() error {
	if os.Getuid() != 0 {
		return nil
	}
	err := os.Mkdir(sshdFolder, 0o755)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	l.createdSSHDs = err == nil
	return err
}

// writeSSH writes the keys and configurations of both sides.
func (l *lab) writeSSH(address, client string) error {
	l.SSHPath = l.path("ssh", "bin")
	if err := os.MkdirAll(l.SSHPath, 0o700); err != nil {
		return err
	}
	for _, key := range []string{"host", "own"} {
		if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", l.path("ssh", key)).CombinedOutput(); err != nil {
			return fmt.Errorf("making a key: %w: %s", err, out)
		}
	}
	hostKey, err := os.ReadFile(l.path("ssh", "host.pub"))
	if err != nil {
		return err
	}
	host, port, _ := strings.Cut(address, ":")
	at := func(name string) string { return l.path("ssh", name) }
	for name, content := range map[string]string{
		"sshd_config": fmt.Sprintf("ListenAddress %s\nPort %s\nHostKey %s\nAuthorizedKeysFile %s\nPidFile none\n"+
			"StrictModes no\nUsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\n"+
			"SetEnv DOCKER_HOST=%s\n", host, port, at("host"), at("own.pub"), l.DockerHost),
		"config":      fmt.Sprintf("IdentityFile %s\nIdentitiesOnly yes\nUserKnownHostsFile %s\nBatchMode yes\n", at("own"), at("known_hosts")),
		"known_hosts": fmt.Sprintf("[%s]:%s %s", host, port, hostKey),
		// ssh finds its configuration by the account, not by HOME.
		"bin/ssh": fmt.Sprintf("#!/bin/sh\nexec %s -F %s \"$@\"\n", client, at("config")),
	} {
		if err := os.WriteFile(at(name), []byte(content), 0o700); err != nil {
			return err
		}
	}
	return nil
}

// An engine on another host is reached through docker's own command there.
func TestSSH(t *testing.T) {
	l := open(t, engine, ssh)
	name := l.built(t, classic)
	path := "PATH=" + l.SSHPath + string(filepath.ListSeparator) + os.Getenv("PATH")
	want := l.report(t, "docker://"+name)
	for _, test := range []struct {
		name string
		env  []string
		args []string
	}{
		{"DOCKER_HOST", []string{"DOCKER_HOST=" + l.SSHHost}, nil},
		{"--host", []string{"DOCKER_HOST="}, []string{"--host", l.SSHHost}},
	} {
		t.Run(test.name, func(t *testing.T) {
			env := append(test.env, path)
			got := l.run(t, call{env: env, args: append(test.args, "report", "--format", "json", "docker://"+name)}).report(t)
			same(t, factsOf(want), factsOf(got))
		})
	}
	t.Run("nobody there", func(t *testing.T) {
		r := l.run(t, call{env: []string{path, "DOCKER_HOST=ssh://nobody@127.0.0.1:1"}, args: []string{"report", "docker://" + name}})
		r.failed(t, "ssh", "")
	})
}
