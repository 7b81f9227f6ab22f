//go:build linux

package e2e

import (
	"fmt"
	"os"
	"os/exec"
)

// startRegistry starts a registry that anybody may use.
func (l *lab) startRegistry() (err error) {
	l.Registry, err = l.runRegistry("registry", "")
	return err
}

// startGuarded starts a registry that wants a name and a password.
func (l *lab) startGuarded() error {
	hashed, err := exec.Command("htpasswd", "-nbB", account, password).Output()
	if err != nil {
		return err
	}
	file := l.path("htpasswd")
	if err := os.WriteFile(file, hashed, 0o600); err != nil {
		return err
	}
	l.Guarded, err = l.runRegistry("guarded", fmt.Sprintf("auth: {htpasswd: {realm: e2e, path: %q}}\n", file))
	return err
}

// runRegistry runs a registry and returns its address.
func (l *lab) runRegistry(name, auth string) (string, error) {
	binary, err := lookPath("docker-registry")
	if err != nil {
		return "", err
	}
	address, err := freePort()
	if err != nil {
		return "", err
	}
	config := fmt.Sprintf(`version: 0.1
log: {level: warn, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: %q}}
http: {addr: %q}
%s`, l.path(name), address, auth)
	file := l.path(name + ".yml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		return "", err
	}
	return address, l.start(name, exec.Command(binary, "serve", file), answers("tcp", address))
}
