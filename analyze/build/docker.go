package build

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// patience is how long docker's command has to end once it is interrupted.
const patience = 5 * time.Second

// Error is what docker can't do.
type Error struct {
	Doing string // "building the stage web"
	Err   error  // what docker said of it
	Hint  string // "" for none
	// Output is what a command of the Dockerfile that failed wrote last, by
	// lines, as it wrote them; none if it isn't such a command that did.
	Output []string
}

func (e *Error) Error() string { return e.Doing + ": " + e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// Advice says what helps; "" if nothing is known to.
func (e *Error) Advice() string { return e.Hint }

// output is what a command writes.
type output struct{ stdout, stderr tail }

// tail keeps the end of what is written to it, and where that is long no more.
type tail struct{ b []byte }

// maxTail is the most bytes that are kept of what a command writes.
const maxTail = 16 << 20

// Write implements io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	t.b = append(t.b, p...)
	if over := len(t.b) - 2*maxTail; over > 0 {
		t.b = append(t.b[:0], t.b[len(t.b)-maxTail:]...)
	}
	return len(p), nil
}

func (t *tail) Bytes() []byte  { return t.b }
func (t *tail) String() string { return string(t.b) }

// run runs docker's command.
func (b *Builder) run(ctx context.Context, args []string, stdin []byte) (*output, error) {
	out := &output{}
	return out, b.runInto(ctx, args, stdin, &out.stdout, &out.stderr)
}

// runInto runs docker's command, which writes where it is told to.
func (b *Builder) runInto(ctx context.Context, args []string, stdin []byte, stdout, stderr io.Writer) error {
	cmd := b.command(ctx, args)
	if stdin != nil {
		cmd.Stdin = bytes.NewReader(stdin)
	}
	cmd.Stdout, cmd.Stderr = stdout, stderr
	err := cmd.Run()
	if errors.Is(err, exec.ErrNotFound) {
		err = &Error{Doing: "calling docker", Err: errors.New("there is no docker command here"), Hint: "install it, or give the stages' images: --image STAGE=REF"}
	}
	return err
}

// version is what docker version says.
type version struct {
	Client struct{ Version string }
	Server *struct {
		Version    string
		APIVersion string `json:"ApiVersion"`
		Os         string
		Components []struct{ Name string }
	}
}

// version asks docker's command for its version and its engine's.
func (b *Builder) version(ctx context.Context) (*version, error) {
	out, err := b.run(ctx, []string{"version", "--format", "{{json .}}"}, nil)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return nil, e
	}
	v := &version{}
	if reading := json.Unmarshal(out.stdout.Bytes(), v); err == nil && (reading != nil || v.Server == nil) {
		err = errors.New("it tells of no engine")
	}
	if err != nil {
		return nil, &Error{
			Doing: "asking docker for its engine", Err: said(out, err),
			Hint: "start it, or give the stages' images: --image STAGE=REF",
		}
	}
	return v, nil
}

// hasBuildKit tells whether the engine has a BuildKit for a command that has no
// buildx. Podman answers like an engine, and has none.
func (v *version) hasBuildKit() bool {
	for _, c := range v.Server.Components {
		if strings.Contains(c.Name, "Podman") {
			return false
		}
	}
	return v.Server.Os == "linux" && atLeast(v.Server.APIVersion, 1, 39) && atLeast(v.Client.Version, 18, 9)
}

// atLeast compares the first numbers of a version.
func atLeast(version string, numbers ...int) bool {
	parts := strings.Split(version, ".")
	for i, want := range numbers {
		if i >= len(parts) {
			return false
		}
		n, err := strconv.Atoi(parts[i])
		if err != nil || n != want {
			return err == nil && n > want
		}
	}
	return true
}

// failed says why a build failed.
func (b *Builder) failed(name string, err error, out *output) error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	e := &Error{
		Doing: "building the stage " + name, Err: said(out, err), Hint: "docker build shows all that it says of it",
		Output: commandOutput(b.log(out).String(), b.engine.buildKit),
	}
	if !b.engine.buildKit && strings.Contains(e.Err.Error(), "BuildKit") {
		e.Hint = "BuildKit isn't used here: install docker's buildx, or unset DOCKER_BUILDKIT"
	}
	return e
}

// telling is how lines begin that say why docker failed.
var telling = regexp.MustCompile(`^(ERROR|Error|error|failed|executor failed|unknown flag|invalid argument|Cannot connect|"docker build" requires)\b`)

// said returns the last telling line of what docker wrote; what went wrong with
// it if it wrote nothing.
func said(out *output, err error) error {
	last := ""
	for _, text := range []string{out.stderr.String(), out.stdout.String()} {
		for line := range strings.Lines(text) {
			line = strings.TrimSpace(line)
			if line != "" && (telling.MatchString(line) || !telling.MatchString(last)) {
				last = line
			}
		}
		if last != "" {
			return errors.New(last)
		}
	}
	return fmt.Errorf("docker says nothing: %w", err)
}
