//go:build linux

package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"
)

// env is the environment of everything the tests run: nothing of the user's
// but the way to the commands.
func (l *lab) env() []string {
	return []string{
		"PATH=" + os.Getenv("PATH"),
		"HOME=" + l.path("home"),
		"LANG=C.UTF-8",
		"DOCKER_HOST=" + l.DockerHost,
		"DOCKER_CONFIG=" + l.path("docker"),
		"CONTAINERS_STORAGE_CONF=" + l.path("storage.conf"),
	}
}

// output runs a command and returns what it writes to standard output.
func (l *lab) output(name string, args ...string) ([]byte, error) {
	cmd := exec.Command(name, args...)
	cmd.Env = l.env()
	out, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		err = fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, bytes.TrimSpace(exit.Stderr))
	}
	return out, err
}

// tool runs a command that must succeed.
func (l *lab) tool(t *testing.T, name string, args ...string) []byte {
	t.Helper()
	out, err := l.output(name, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// call is one call of layerscope.
type call struct {
	args  []string
	env   []string // over the lab's
	stdin io.Reader
}

// result is what came of a call.
type result struct {
	args           []string
	stdout, stderr string
	code           int
}

// patience is how long any call may take.
const patience = 2 * time.Minute

// run calls layerscope.
func (l *lab) run(t *testing.T, c call) result {
	t.Helper()
	cmd := exec.Command(l.Binary, c.args...)
	cmd.Env = append(l.env(), c.env...)
	cmd.Stdin = c.stdin
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(patience, func() { cmd.Process.Kill() })
	defer timer.Stop()
	cmd.Wait()
	return result{c.args, stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// layerscope calls layerscope.
func (l *lab) layerscope(t *testing.T, args ...string) result {
	t.Helper()
	return l.run(t, call{args: args})
}

// ok returns what a call that must succeed wrote to standard output.
func (r result) ok(t *testing.T) string {
	t.Helper()
	if r.code != 0 || r.stderr != "" {
		t.Fatalf("%q: exit code %d: %s", r.args, r.code, r.stderr)
	}
	return r.stdout
}

// failed checks that a call failed as it should: with one error line that says
// what, perhaps one of advice that says how, and nothing passed off as a result.
func (r result) failed(t *testing.T, what, how string) {
	t.Helper()
	if r.code != 2 || r.stdout != "" {
		t.Errorf("%q: exit code %d, %d bytes on standard output; want 2 and none", r.args, r.code, len(r.stdout))
	}
	r.quiet(t)
	message, advice, _ := strings.Cut(r.stderr, "\n")
	if !strings.HasPrefix(message, "error: ") || !strings.Contains(message, what) {
		t.Errorf("%q says\n\t%q\nwant an error: line with %q", r.args, message, what)
	}
	switch {
	case how == "" && advice == "":
	case !strings.HasPrefix(advice, "hint: ") || strings.Count(advice, "\n") != 1 || !strings.Contains(advice, how):
		t.Errorf("%q advises\n\t%q\nwant a hint: line with %q", r.args, advice, how)
	}
}

// quiet checks that nothing that moves a cursor went to the standard error that
// no terminal reads.
func (r result) quiet(t *testing.T) {
	t.Helper()
	if i := strings.IndexFunc(r.stderr, func(c rune) bool { return unicode.IsControl(c) && c != '\n' }); i >= 0 {
		t.Errorf("%q: control character on standard error: %q", r.args, r.stderr)
	}
}

// same checks that two values are equal.
func same(t *testing.T, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		if len(diff) > 4000 {
			diff = diff[:4000] + "…"
		}
		t.Errorf("-want +got\n%s", diff)
	}
}
