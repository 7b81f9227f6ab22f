//go:build linux

package e2e

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// dockers returns the docker commands there are, by version.
func (l *lab) dockers(t *testing.T) map[string]string {
	t.Helper()
	byVersion := map[string]string{}
	for _, name := range []string{"docker", l.Docker} {
		if path, err := exec.LookPath(name); err == nil {
			version := l.tool(t, path, "version", "--format", "{{.Client.Version}}")
			byVersion[strings.TrimSpace(string(version))] = path
		}
	}
	return byVersion
}

// writeAuth writes a docker configuration with credentials for a registry.
func writeAuth(t *testing.T, dir, registry, account, password string) {
	t.Helper()
	type entry struct {
		Auth string `json:"auth"`
	}
	b, err := json.Marshal(map[string]any{"auths": map[string]entry{
		registry: {base64.StdEncoding.EncodeToString([]byte(account + ":" + password))},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "config.json"), b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// runIn runs a command with a docker configuration of its own and no
// DOCKER_HOST, so that contexts count.
func (l *lab) runIn(t *testing.T, config, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = append(l.env(), "DOCKER_HOST=", "DOCKER_CONFIG="+config)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v: %s", name, args, err, out)
	}
	return string(out)
}

// Contexts are docker's, made by docker, and chosen between as docker does.
func TestContexts(t *testing.T) {
	l := open(t, engine)
	name := l.built(t, classic)
	for version, docker := range l.dockers(t) {
		t.Run(version, func(t *testing.T) {
			config := t.TempDir()
			l.runIn(t, config, docker, "context", "create", "lab", "--docker", "host="+l.DockerHost)
			l.runIn(t, config, docker, "context", "create", "nowhere", "--docker", "host=unix://"+l.path("nobody.sock"))
			report := func(env string, args ...string) result {
				args = append(args, "report", "--format", "json", "docker://"+name)
				return l.run(t, call{args: args, env: []string{"DOCKER_HOST=", "DOCKER_CONFIG=" + config, env}})
			}
			report("", "--context", "lab").report(t)
			report("DOCKER_CONTEXT=lab").report(t)
			report("DOCKER_CONTEXT=nowhere", "--context", "lab").report(t)
			report("DOCKER_CONTEXT=nowhere", "--host", l.DockerHost).report(t)
			report("DOCKER_CONTEXT=nowhere").failed(t, "nobody.sock", "")
			report("", "--context", "unheard-of").failed(t, "unheard-of", "")

			l.runIn(t, config, docker, "context", "use", "lab")
			report("").report(t)
			report("DOCKER_CONTEXT=nowhere").failed(t, "nobody.sock", "")
			report("DOCKER_HOST=unix://"+l.path("nobody.sock")).failed(t, "nobody.sock", "")
		})
	}
}

// pluginConfig makes a docker configuration with layerscope for a plugin.
func (l *lab) pluginConfig(t *testing.T) string {
	t.Helper()
	config := t.TempDir()
	plugins := filepath.Join(config, "cli-plugins")
	if err := os.Mkdir(plugins, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(l.Binary, filepath.Join(plugins, "docker-layerscope")); err != nil {
		t.Fatal(err)
	}
	return config
}

// The same binary is a plugin of docker's command.
func TestPlugin(t *testing.T) {
	l := open(t, engine)
	name := l.built(t, classic)
	want := l.layerscope(t, "report", "docker://"+name).ok(t)
	for version, docker := range l.dockers(t) {
		t.Run(version, func(t *testing.T) {
			config := l.pluginConfig(t)
			if help := l.runIn(t, config, docker, "help"); !strings.Contains(help, "layerscope*") {
				t.Errorf("docker help doesn't list the plugin:\n%s", help)
			}
			if out := l.runIn(t, config, docker, "layerscope", "version"); !strings.HasPrefix(out, "layerscope ") {
				t.Errorf("docker layerscope version says %q", out)
			}
			l.runIn(t, config, docker, "context", "create", "lab", "--docker", "host="+l.DockerHost)
			for _, args := range [][]string{
				{"--context", "lab", "layerscope", "docker://" + name},
				{"--host", l.DockerHost, "layerscope", "docker://" + name},
				{"-H" + l.DockerHost, "layerscope", "report", "docker://" + name},
				{"layerscope", "--context", "lab", "docker://" + name},
			} {
				if got := l.runIn(t, config, docker, args...); got != want {
					t.Errorf("docker %q says\n%s\nwant\n%s", args, got, want)
				}
			}
			if strings.HasPrefix(version, "20.") {
				return // it doesn't ask plugins for completions yet
			}
			completed := l.runIn(t, config, docker, "--context", "lab", "__complete", "layerscope", "rep")
			if !strings.HasPrefix(completed, "report") {
				t.Errorf("docker completes layerscope rep to %q", completed)
			}
		})
	}
}

// The terminal is the plugin's as much as it would be the program's.
func TestPluginInTerminal(t *testing.T) {
	l := open(t, engine, registry, tmux)
	for version, docker := range l.dockers(t) {
		t.Run(version, func(t *testing.T) {
			m := l.terminal(t, "DOCKER_CONFIG="+l.pluginConfig(t))
			m.enter(docker + " layerscope demo; echo ended: $?")
			m.see("Steps  20", "quit")
			m.keys("q")
			m.see("ended: 0")

			name, stalled := l.stalledRegistry(t, classic)
			m.enter("clear; " + docker + " layerscope report registry://" + name + "; echo ended: $?")
			within(t, stalled, "reading comes to a halt")
			m.keys("C-c")
			m.see("error: interrupted", "ended: 130")
		})
	}
}
