//go:build linux

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
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

// manifest is an image's manifest, as far as it is needed.
type manifest struct {
	Config struct{ Digest string }
	Layers []struct {
		Digest string
		Size   int64
	}
}

// manifest returns the manifest that the registry has of an image.
func (l *lab) manifest(t *testing.T, name string) (m manifest) {
	t.Helper()
	raw := l.tool(t, skopeo, "inspect", "--raw", "--tls-verify=false", "docker://"+name)
	if err := json.Unmarshal(raw, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// What a registry stores of each layer is what its manifest says.
func TestCompressed(t *testing.T) {
	l := open(t, engine, registry, skopeo)
	name := l.pushed(t, classic)
	manifest := l.manifest(t, name)
	r := l.report(t, "registry://"+name)
	if len(r.Layers) != len(manifest.Layers) {
		t.Fatalf("%d layers, the manifest has %d", len(r.Layers), len(manifest.Layers))
	}
	var sum int64
	for i, want := range manifest.Layers {
		got := r.Layers[i]
		if got.Digest == nil || *got.Digest != want.Digest || got.Compressed == nil || *got.Compressed != want.Size {
			t.Errorf("layer %d is %v, %v bytes compressed; the manifest has %+v", i, got.Digest, got.Compressed, want)
		}
		sum += want.Size
	}
	if r.Totals.Compressed == nil || *r.Totals.Compressed != sum {
		t.Errorf("%v bytes compressed in all, the manifest has %d", r.Totals.Compressed, sum)
	}
	// The engine keeps layers unpacked: there is nothing to know.
	if c := l.report(t, "docker://"+l.built(t, classic)).Totals.Compressed; c != nil {
		t.Errorf("the engine's image has %d bytes compressed, want null", *c)
	}
}

// A registry that wants a password gets docker's.
func TestLogin(t *testing.T) {
	l := open(t, engine, guarded, skopeo, htpasswd)
	name := l.Guarded + "/" + ours + "/classic:1"
	l.tool(t, skopeo, "copy", "--dest-tls-verify=false", "--dest-creds", account+":"+password,
		"docker-archive:"+l.saved(t, classic), "docker://"+name)
	report := []string{"report", "--format", "json", "registry://" + name}

	l.layerscope(t, report...).failed(t, "401", "docker login "+l.Guarded)

	config := t.TempDir()
	login := exec.Command(l.Docker, "--config", config, "login", "--username", account, "--password-stdin", l.Guarded)
	login.Env = l.env()
	login.Stdin = strings.NewReader(password)
	if out, err := login.CombinedOutput(); err != nil {
		t.Fatalf("docker login: %v: %s", err, out)
	}
	got := l.run(t, call{args: report, env: []string{"DOCKER_CONFIG=" + config}}).report(t)
	same(t, factsOf(l.report(t, l.saved(t, classic))), factsOf(got))

	wrong := t.TempDir()
	writeAuth(t, wrong, l.Guarded, account, "not "+password)
	l.run(t, call{args: report, env: []string{"DOCKER_CONFIG=" + wrong}}).failed(t, "401", "docker login")
}

// What isn't there is said to be missing.
func TestMissing(t *testing.T) {
	l := open(t, engine, registry)
	gone := l.Registry + "/" + ours + "/gone:1"
	l.layerscope(t, "report", "registry://"+gone).failed(t, "404", "name")
	l.layerscope(t, "report", gone).failed(t, gone, "")
	l.layerscope(t, "report", "docker://"+gone).failed(t, gone, "--pull")

	dead := []string{"DOCKER_HOST=unix://" + l.path("nobody.sock")}
	l.run(t, call{args: []string{"report", "docker://" + gone}, env: dead}).failed(t, "nobody.sock", "registry://")
}
