//go:build linux

package lab

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"

	"github.com/layerscope/layerscope/analyze/cascade/conformance/record"
)

// The classic builder and buildah make an image of each instruction. What they
// did is told by places as buildah gives them, "[2/4] STEP 3/6": {"2", 3}. A
// stage's first is its FROM, which isn't told of, and the triggers of its base's
// ONBUILDs come before its own instructions.

// noted notes what became of an instruction, of a stage from 0.
func noted(seen record.Seen, stage, number int, o record.Outcome) {
	if stage >= 0 && number > 1 {
		seen[record.Place{Stage: strconv.Itoa(stage + 1), Index: number}] = o
	}
}

// BuildError is a build that failed.
type BuildError struct {
	Err    error
	Output string // all that the builder said
}

func (e *BuildError) Error() string {
	lines := strings.Split(strings.TrimSpace(e.Output), "\n")
	return fmt.Sprintf("%v: %s", e.Err, strings.Join(lines[max(0, len(lines)-3):], "; "))
}

func (e *BuildError) Unwrap() error { return e.Err }

// environment is what a builder's commands run with: nothing of the user's
// configuration, and no proxies, which builders pass on.
func environment(home string, more ...string) []string {
	var env []string
	for _, kv := range os.Environ() {
		name, _, _ := strings.Cut(kv, "=")
		if strings.HasSuffix(strings.ToLower(name), "_proxy") || name == "HOME" || name == "STORAGE_DRIVER" ||
			slices.ContainsFunc([]string{"DOCKER_", "BUILDAH_", "CONTAINERS_", "XDG_"}, func(p string) bool { return strings.HasPrefix(name, p) }) {
			continue
		}
		env = append(env, kv)
	}
	return append(append(env, "HOME="+home), more...)
}

// proxied are the variables for what a builder fetches: from a proxy, but for
// the registry.
func proxied(proxy string) []string {
	return []string{"HTTP_PROXY=" + proxy, "http_proxy=" + proxy, "NO_PROXY=127.0.0.1", "no_proxy=127.0.0.1"}
}

// output runs a build and returns all that it said. A build that fails is a
// [*BuildError].
func output(cmd *exec.Cmd) (string, error) {
	out, err := cmd.CombinedOutput()
	if _, ok := errors.AsType[*exec.ExitError](err); ok {
		err = &BuildError{err, string(out)}
	}
	return string(out), err
}

// flags are those that docker's and buildah's builds both know.
func (b *Build) flags() (flags []string) {
	if b.Case.Target != "" {
		flags = append(flags, "--target", b.Case.Target)
	}
	if b.Case.Platform != "" {
		flags = append(flags, "--platform", b.Case.Platform)
	}
	args := b.Case.Args
	if b.Args != nil {
		args = b.Args
	}
	for _, name := range slices.Sorted(maps.Keys(args)) {
		flags = append(flags, "--build-arg", name+"="+args[name])
	}
	return append(flags, "--file", b.Case.DockerfilePath(b.Dir), b.Case.ContextPath(b.Dir, ""))
}

func outcome(cached bool) record.Outcome {
	if cached {
		return record.Cached
	}
	return record.Ran
}
