//go:build linux

package lab

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/layerscope/layerscope/analyze/cascade/conformance/record"
)

// Buildah is buildah with a store of its own.
type Buildah struct {
	path, dir string
	env       []string
}

// Buildah makes a store.
func (l *Lab) Buildah(name string) (*Buildah, error) {
	path, err := exec.LookPath("buildah")
	if err != nil {
		return nil, err
	}
	b := &Buildah{path: path, dir: l.path(name)}
	home := filepath.Join(b.dir, "home")
	if err := os.MkdirAll(filepath.Join(b.dir, "tmp"), 0o755); err != nil {
		return nil, err
	}
	config := func(file, text string) string {
		file = filepath.Join(b.dir, file)
		if e := os.WriteFile(file, []byte(text), 0o644); e != nil {
			err = e
		}
		return file
	}
	hosts := fmt.Sprintf("unqualified-search-registries = [\"docker.io\"]\n[[registry]]\nprefix = %[1]q\nlocation = %[1]q\ninsecure = true\n", l.Registry)
	for _, host := range registries {
		hosts += fmt.Sprintf("[[registry]]\nprefix = %q\nlocation = %q\ninsecure = true\n", host, l.Registry)
	}
	b.env = environment(home, append(proxied(l.Proxy),
		"TMPDIR="+filepath.Join(b.dir, "tmp"),
		"CONTAINERS_REGISTRIES_CONF="+config("registries.conf", hosts),
		"CONTAINERS_STORAGE_CONF="+config("storage.conf", "[storage]\ndriver = \"overlay\"\n"),
		"CONTAINERS_CONF="+config("containers.conf", ""))...)
	config("policy.json", `{"default":[{"type":"insecureAcceptAnything"}]}`)
	return b, err
}

// Empty forgets all images.
func (b *Buildah) Empty(ctx context.Context) error {
	// A build that fails leaves its containers, mounted.
	if _, err := output(b.command(ctx, "rm", "--all")); err != nil {
		return err
	}
	return os.RemoveAll(filepath.Join(b.dir, "root"))
}

func (b *Buildah) command(ctx context.Context, args ...string) *exec.Cmd {
	store := []string{"--root", filepath.Join(b.dir, "root"), "--runroot", filepath.Join(b.dir, "run"), "--storage-driver", "overlay"}
	cmd := exec.CommandContext(ctx, b.path, append(store, args...)...)
	cmd.Env = b.env
	return cmd
}

// Build builds and tells what became of the instructions. If the build fails,
// it does so for those that there were, and the error is a [*BuildError].
func (b *Buildah) Build(ctx context.Context, build Build) (record.Seen, error) {
	args := []string{"build", "--layers", "--jobs", "1", "--pull=false", "--isolation", "chroot", "--network", "host", "--http-proxy=false",
		"--signature-policy", filepath.Join(b.dir, "policy.json")}
	out, err := output(b.command(ctx, append(args, build.flags()...)...))
	return parseBuildah(out), err
}

var (
	buildahStep = regexp.MustCompile(`^(?:\[(\d+)/\d+\] )?STEP (\d+)(?:/\d+)?: `)
	buildahUses = regexp.MustCompile(`^--> Using cache [0-9a-f]{64}$`)
	buildahDone = regexp.MustCompile(`^--> [0-9a-f]{11}$`)
)

// parseBuildah reads what buildah says of a build. It prints a line for each
// instruction as it begins, which names the stage, and one with the image's id
// as it ends, which doesn't. While a stage waits for another a third may run:
// where several have begun an instruction, whose it is that ends isn't known,
// and they are told of as skipped.
func parseBuildah(out string) record.Seen {
	seen := record.Seen{}
	pending := map[int]int{} // by stage, the number of what it has begun
	cached := false
	for line := range strings.Lines(out) {
		line = strings.TrimRight(line, "\r\n")
		switch m := buildahStep.FindStringSubmatch(line); {
		case m != nil:
			stage, _ := strconv.Atoi(m[1])
			stage = max(stage-1, 0)
			number, _ := strconv.Atoi(m[2])
			if delete(pending, stage); number > 1 {
				pending[stage] = number
			}
		case buildahUses.MatchString(line):
			cached = true
		case buildahDone.MatchString(line):
			for stage, number := range pending {
				if len(pending) > 1 {
					noted(seen, stage, number, record.Skipped)
					continue
				}
				delete(pending, stage)
				if _, lost := seen[record.Place{Stage: strconv.Itoa(stage + 1), Index: number}]; !lost {
					noted(seen, stage, number, outcome(cached))
				}
			}
			cached = false
		}
	}
	return seen
}
