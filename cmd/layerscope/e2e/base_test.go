//go:build linux

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// onBase is a Dockerfile of steps on top of an image, the first and the last of
// which are metadata.
const onBase = `FROM %s
USER 0
COPY own /own
RUN echo more > /more && rm -rf /data
CMD ["sh"]
`

// rootLayers returns the diffIDs of an image in the engine.
func (l *lab) rootLayers(t *testing.T, image string) (diffIDs []string) {
	t.Helper()
	raw := l.tool(t, l.Docker, "image", "inspect", "--format", "{{json .RootFS.Layers}}", image)
	if err := json.Unmarshal(raw, &diffIDs); err != nil {
		t.Fatal(err)
	}
	return diffIDs
}

// baseContext writes a build context of an image on top of another.
func baseContext(t *testing.T, base string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{"Dockerfile": fmt.Sprintf(onBase, base), "own": "own\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// layersOfBase returns the diffIDs of a report's layers that are the base's, and
// those of all.
func (r *report) layersOfBase() (base, all []string) {
	for _, l := range r.Layers {
		if l.Base {
			base = append(base, l.DiffID)
		}
		all = append(all, l.DiffID)
	}
	return base, all
}

// A base that is named ends where docker says that the image's layers are its
// own, wherever the two are.
func TestBaseGiven(t *testing.T) {
	l := open(t, engine, registry)
	for _, builder := range []string{classic, buildkit} {
		base := l.built(t, builder)
		app := ours + "/on-" + builder + ":1"
		setting := map[string]string{classic: "DOCKER_BUILDKIT=0", buildkit: "DOCKER_BUILDKIT=1"}[builder]
		l.tool(t, "env", setting, l.Docker, "build", "--network", "none", "--tag", app, baseContext(t, base))
		remote, saved := l.Registry+"/"+app, filepath.Join(t.TempDir(), "app.tar")
		l.tool(t, l.Docker, "tag", app, remote)
		l.tool(t, l.Docker, "push", remote)
		l.tool(t, l.Docker, "save", "--output", saved, app)

		wantBase, wantAll := l.rootLayers(t, base), l.rootLayers(t, app)
		if len(wantAll) != len(wantBase)+2 || !slices.Equal(wantAll[:len(wantBase)], wantBase) {
			t.Fatalf("docker says the base has %d layers, the image %d", len(wantBase), len(wantAll))
		}
		steps, own := len(l.history(t, base)), l.report(t, "docker://"+base).Totals.Stored
		bases := []string{"docker://" + base, "registry://" + l.pushed(t, builder), l.saved(t, builder)}
		apps := []string{"docker://" + app, "registry://" + remote, saved}
		for _, b := range bases {
			for _, a := range apps {
				t.Run(b+" of "+a, func(t *testing.T) {
					r := l.report(t, "--base", b, a)
					gotBase, gotAll := r.layersOfBase()
					same(t, wantBase, gotBase)
					same(t, wantAll, gotAll)
					if b := r.Image.Base; b.How != "given" || b.Steps != steps {
						t.Errorf("%+v, want %d steps", b, steps)
					}
					if r.Totals.Base.Stored != own || r.Totals.Base.Stored+r.Totals.Own.Stored != r.Totals.Stored {
						t.Errorf("%+v, the base stores %d", r.Totals, own)
					}
				})
			}
		}
		l.layerscope(t, "report", "--base", "docker://"+app, "docker://"+base).failed(t,
			fmt.Sprintf("the base has %d layers, the image only %d", len(wantAll), len(wantBase)), "built from")
	}
	one, two := l.built(t, classic), l.built(t, buildkit)
	a, b := l.rootLayers(t, one), l.rootLayers(t, two)
	at := 0
	for a[at] == b[at] {
		at++
	}
	l.layerscope(t, "report", "--base", "docker://"+one, "docker://"+two).failed(t,
		fmt.Sprintf("layer %d of the base is %s, of the image %s", at, a[at], b[at]), "built from")
}

// Buildah annotates what it builds with its base, whose layers are those of the
// image in the registry.
func TestBaseAnnotated(t *testing.T) {
	l := open(t, engine, registry, buildah, skopeo)
	local, remote := l.built(t, classic), l.pushed(t, classic)
	name := l.Registry + "/" + ours + "/buildah-on:1"
	l.tool(t, buildah, "build", "--layers", "--isolation", "chroot", "--network", "host", "--tls-verify=false",
		"--format", "oci", "--tag", name, baseContext(t, remote))
	l.tool(t, buildah, "push", "--tls-verify=false", name, "docker://"+name)
	var manifest struct{ Annotations map[string]string }
	raw := l.tool(t, skopeo, "inspect", "--raw", "--tls-verify=false", "docker://"+name)
	if err := json.Unmarshal(raw, &manifest); err != nil {
		t.Fatal(err)
	}
	digest := manifest.Annotations["org.opencontainers.image.base.digest"]

	r := l.report(t, "registry://"+name)
	base, _ := r.layersOfBase()
	same(t, l.rootLayers(t, local), base)
	same(t, baseInfo{"annotations", remote, digest, len(base), len(l.history(t, local))}, r.Image.Base)

	// Away from the registry it ends where buildah's records say.
	archive := filepath.Join(t.TempDir(), "app.tar")
	l.tool(t, buildah, "push", name, "oci-archive:"+archive+":1")
	r = l.report(t, archive)
	base, _ = r.layersOfBase()
	same(t, l.rootLayers(t, local), base)
	same(t, baseInfo{"labels", remote, digest, len(base), len(l.history(t, local))}, r.Image.Base)
}
