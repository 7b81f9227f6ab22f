//go:build linux

package e2e

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
)

// What a registry stores of each layer is what its manifest says.
func TestCompressed(t *testing.T) {
	l := open(t, engine, registry, skopeo)
	name := l.pushed(t, classic)
	var manifest struct {
		Layers []struct {
			Digest string
			Size   int64
		}
	}
	raw := l.tool(t, skopeo, "inspect", "--raw", "--tls-verify=false", "docker://"+name)
	if err := json.Unmarshal(raw, &manifest); err != nil {
		t.Fatal(err)
	}
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
