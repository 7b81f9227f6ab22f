//go:build linux

package e2e

import "testing"

// An image the engine hasn't got is read from its registry, or, if asked, the
// engine pulls it.
func TestPull(t *testing.T) {
	l := open(t, engine, registry)
	dir := once(t, "context", l.context)
	name := l.Registry + "/" + ours + "/pulled:1"
	l.tool(t, "sh", "-c", `tar c -C "$1" . | "$0" import - "$2"`, l.Docker, dir, name)
	l.tool(t, l.Docker, "push", "--quiet", name)
	want := l.report(t, "docker://"+name)
	l.tool(t, l.Docker, "image", "rm", name)

	got := l.report(t, name)
	if got.Image.Source != "registry" {
		t.Errorf("the image came from %s, want registry", got.Image.Source)
	}
	same(t, factsOf(want), factsOf(got))
	if _, err := l.output(l.Docker, "image", "inspect", name); err == nil {
		t.Error("without --pull, the engine has pulled the image")
	}

	got = l.report(t, "--pull", "docker://"+name)
	if got.Image.Source != "docker" {
		t.Errorf("with --pull, the image came from %s, want docker", got.Image.Source)
	}
	same(t, factsOf(want), factsOf(got))
	l.tool(t, l.Docker, "image", "inspect", name)

	l.layerscope(t, "report", "--pull", "docker://"+l.Registry+"/"+ours+"/gone:1").failed(t, "gone:1", "")
}
