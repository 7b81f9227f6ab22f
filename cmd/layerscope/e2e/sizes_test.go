//go:build linux

package e2e

import (
	"os/exec"
	"strings"
	"testing"
)

// The sizes that docker and podman show are those that docs/sizes.md says.
func TestSizes(t *testing.T) {
	l := open(t, engine, podman)
	name := l.built(t, buildkit)
	totals := l.report(t, "docker://"+name).Totals

	if size := number(t, l.tool(t, l.Docker, "image", "inspect", "--format", "{{.Size}}", name)); size != totals.Stored {
		t.Errorf("docker images has %d bytes, %d are stored", size, totals.Stored)
	}
	sum := int64(0)
	for _, record := range l.history(t, name) {
		sum += atoi(t, record.Size)
	}
	if sum != totals.Stored {
		t.Errorf("docker history adds up to %d bytes, %d are stored", sum, totals.Stored)
	}

	saved := l.saved(t, buildkit)
	sum = 0
	for i, layer := range layerNames(t, saved) {
		tar, err := exec.Command("tar", "xOf", saved, layer).Output()
		if err != nil {
			t.Fatal(err)
		}
		sum += int64(len(tar))
		if got := l.report(t, saved).Layers[i].TarSize; got != int64(len(tar)) {
			t.Errorf("layer %d has a tar of %d bytes, want %d", i, got, len(tar))
		}
	}
	if totals.TarSize != sum {
		t.Errorf("the tars have %d bytes, docker save wrote %d", totals.TarSize, sum)
	}

	inPodman := l.inPodman(t, buildkit)
	podmanTotals := inPodman.report(t, l).Totals
	image := strings.TrimPrefix(inPodman.args[0], "docker://")
	size := number(t, l.tool(t, l.Docker, "--host", l.PodmanHost, "image", "inspect", "--format", "{{.Size}}", image))
	const metadata = 64 << 10 // manifest, config and podman's own notes
	if more := size - podmanTotals.TarSize; more < 0 || more > metadata {
		t.Errorf("podman images has %d bytes, the tars %d", size, podmanTotals.TarSize)
	}
}

func number(t *testing.T, out []byte) int64 {
	t.Helper()
	return atoi(t, strings.TrimSpace(string(out)))
}
