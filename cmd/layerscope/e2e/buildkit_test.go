//go:build linux

package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// startBuildKit runs a current BuildKit, built from the module in buildkit: the
// one in Debian's engine attests nothing.
func (l *lab) startBuildKit() error {
	if os.Getuid() != 0 {
		return errors.New("only root can run one")
	}
	if _, err := lookPath("runc"); err != nil {
		return err
	}
	daemon, err := buildKitTool("buildkitd")
	if err != nil {
		return err
	}
	if l.Buildctl, err = buildKitTool("buildctl"); err != nil {
		return err
	}
	socket := l.path("buildkit.sock")
	l.BuildKitHost = "unix://" + socket
	cmd := exec.Command(daemon, "--addr", l.BuildKitHost, "--root", l.path("buildkit"),
		"--containerd-worker=false", "--oci-worker-snapshotter=native", "--oci-worker-net=host")
	cmd.Env = append(os.Environ(), "PATH="+os.Getenv("PATH")+":/usr/sbin:/sbin")
	return l.start("buildkitd", cmd, answers("unix", socket))
}

// buildKitTool returns the path of one of BuildKit's commands, which the go
// command builds if it hasn't yet.
func buildKitTool(name string) (string, error) {
	cmd := exec.Command("go", "-C", "buildkit", "tool", "-n", name)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	path, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		err = fmt.Errorf("building %s: %w: %s", name, err, bytes.TrimSpace(exit.Stderr))
	}
	return string(bytes.TrimSpace(path)), err
}

// attest has BuildKit build a Dockerfile, attest to it as told, and write it
// where output says.
func (l *lab) attest(t *testing.T, dockerfile, provenance, output string) {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{"Dockerfile": dockerfile, "own": "own\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	l.tool(t, l.Buildctl, "--addr", l.BuildKitHost, "build", "--frontend", "dockerfile.v0", "--local", "context="+dir,
		"--local", "dockerfile="+dir, "--opt", "attest:provenance="+provenance, "--output", output)
}

// What BuildKit attests tells the base, whose layers docker knows.
func TestBaseAttested(t *testing.T) {
	l := open(t, engine, registry, buildKit)
	local, base := l.built(t, classic), l.pushed(t, classic)
	layers, steps := l.rootLayers(t, local), len(l.history(t, local))
	stages := fmt.Sprintf(`FROM %[1]s AS builder
USER 0
RUN echo built > /built
FROM %[1]s AS middle
USER 0
RUN echo more > /more
`, base)
	for name, tt := range map[string]struct {
		dockerfile string
		scratch    bool
	}{
		"one stage":     {fmt.Sprintf(onBase, base), false},
		"only metadata": {fmt.Sprintf("FROM %s\nENV OWN=1\n", base), false},
		"stages":        {stages + "FROM middle\nCOPY --link own /own\nCOPY --from=builder /built /built\nWORKDIR /here\n", false},
		"scratch":       {stages + "FROM scratch\nCOPY --from=builder /built /built\nCOPY own /own\n", true},
	} {
		for _, version := range []string{"v0.2", "v1"} {
			t.Run(name+" "+version, func(t *testing.T) {
				for _, mode := range []string{"max", "min"} {
					pushed := l.Registry + "/" + ours + "/attested:1"
					l.attest(t, tt.dockerfile, "mode="+mode+",version="+version,
						"type=image,push=true,registry.insecure=true,name="+pushed)
					r := l.report(t, "registry://"+pushed)
					got, _ := r.layersOfBase()
					how := r.Image.Base.How
					switch {
					case tt.scratch:
						// With mode=min it isn't said that there is none.
						if len(got) != 0 || r.Image.Base.Name != "" || (how == "provenance") != (mode == "max") {
							t.Errorf("mode=%s: %+v, want none", mode, r.Image.Base)
						}
					case how != "provenance" || r.Image.Base.Name != base || r.Image.Base.Steps != steps:
						t.Errorf("mode=%s: %+v, want %s of %d steps", mode, r.Image.Base, base, steps)
					default:
						same(t, layers, got)
					}
				}
				if tt.scratch {
					return
				}
				// Without a registry at hand the layers are those that are attested.
				archive := filepath.Join(t.TempDir(), "image.tar")
				l.attest(t, tt.dockerfile, "mode=max,version="+version, "type=oci,compression=zstd,force-compression=true,dest="+archive)
				r := l.report(t, archive)
				got, _ := r.layersOfBase()
				same(t, layers, got)
				if r.Image.Base.How != "provenance" || r.Image.Base.Name != base {
					t.Errorf("%+v, want %s", r.Image.Base, base)
				}
			})
		}
	}
}
