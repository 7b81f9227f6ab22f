// Package build has the docker command build the stages of a Dockerfile, and
// removes afterwards what that made. The common calls are [Open], then
// [Builder.Build] for each stage and [Builder.Close].
//
// docker's command builds, and not its API, so that BuildKit's sessions, secrets,
// .dockerignore, credentials and contexts are what they are to its users. It is
// BuildKit that builds where the engine has it, unless DOCKER_BUILDKIT says
// otherwise, and the classic builder elsewhere.
package build

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Options are how stages are built.
type Options struct {
	Host    string // daemon's address; "" for docker's own choice
	Context string // docker context; "" likewise

	Dir  string // the build's context
	File string // the Dockerfile's path; "" if Text is it
	Text []byte // the Dockerfile, where it has no path
	// Args are further arguments of docker build.
	Args []string
}

// Builder builds. It is for one goroutine.
type Builder struct {
	opt    Options
	engine engine
	temp   string // folder for what docker is to write

	before      set      // images that there were
	printed     []string // what the classic builder said that its steps made: IDs, cut short
	made        []string // stages' images that there weren't before, in order
	interrupted bool     // the last build was
	parents     set      // what images that are to be removed are made of, as far as found
}

// engine is what builds.
type engine struct {
	buildKit bool
	buildx   bool     // docker build is buildx
	env      []string // over the environment
}

// set is a set of images' IDs.
type set map[string]bool

// Open finds out what builds, and which images there are already. The error is
// an [*Error].
func Open(ctx context.Context, opt Options) (*Builder, error) {
	b := &Builder{opt: opt, parents: set{}}
	if err := b.findEngine(ctx); err != nil {
		return nil, err
	}
	before, err := b.images(ctx)
	if err != nil {
		return nil, err
	}
	b.before = set{}
	for _, id := range before {
		b.before[id] = true
	}
	if b.temp, err = os.MkdirTemp("", "layerscope-"); err != nil {
		return nil, fmt.Errorf("making a folder for what docker writes: %w", err)
	}
	return b, nil
}

// BuildKit tells whether BuildKit builds, and not the classic builder.
func (b *Builder) BuildKit() bool { return b.engine.buildKit }

// Target is a stage to build.
type Target struct {
	Name   string // what errors call it
	Target string // docker's --target; "" for the file's last stage
	Text   []byte // the Dockerfile to build; nil for that of the options
	// Tell is told each line that the builder writes, as long as Build runs; nil
	// for nobody.
	Tell func(line string)
}

// Build builds a stage and returns its image's ID. The error is an [*Error], or
// that of ctx.
func (b *Builder) Build(ctx context.Context, t Target) (id string, err error) {
	file := filepath.Join(b.temp, "id")
	if err := os.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("making room for what docker writes: %w", err)
	}
	dockerfile, stdin, err := b.dockerfile(t)
	if err != nil {
		return "", err
	}
	out, err := b.runBuild(ctx, b.arguments(t.Target, dockerfile, file), stdin, t.Tell)
	if !b.engine.buildKit {
		b.printed = append(b.printed, stepImages(out.stdout.Bytes())...)
	}
	written, reading := os.ReadFile(file)
	id = b.listed(context.WithoutCancel(ctx), strings.TrimSpace(string(written)))
	if id != "" && !b.before[id] && !slices.Contains(b.made, id) {
		b.made = append(b.made, id)
	}
	switch {
	case ctx.Err() != nil:
		b.interrupted = true
		return "", ctx.Err()
	case err != nil:
		return "", b.failed(t.Name, err, out)
	case reading != nil || id == "":
		return "", &Error{Doing: "building the stage " + t.Name, Err: errNoImage}
	}
	return id, nil
}

// runBuild runs docker build, and tells what the builder writes.
func (b *Builder) runBuild(ctx context.Context, args []string, stdin []byte, tell func(string)) (*output, error) {
	out := &output{}
	var stdout, stderr io.Writer = &out.stdout, &out.stderr
	if tell != nil {
		told := &lineTeller{tell: tell}
		if b.engine.buildKit {
			stderr = io.MultiWriter(stderr, told)
		} else {
			stdout = io.MultiWriter(stdout, told)
		}
	}
	return out, b.runInto(ctx, args, stdin, stdout, stderr)
}

// listed returns the ID by which docker lists an image that it built: some
// engines list them by another digest than builders tell.
func (b *Builder) listed(ctx context.Context, id string) string {
	if id == "" {
		return ""
	}
	if about, err := b.inspect(ctx, []string{id}); err == nil {
		for listed := range about {
			return listed
		}
	}
	return id
}

var errNoImage = errors.New("docker tells of no image")

// arguments returns those of a build.
func (b *Builder) arguments(target, dockerfile, idFile string) []string {
	args := []string{"build", "--iidfile", idFile, "--file", dockerfile}
	if target != "" {
		args = append(args, "--target", target)
	}
	switch {
	case !b.engine.buildKit:
		args = append(args, "--force-rm") // or the container of a step that fails stays
	case b.engine.buildx:
		args = append(args, "--load", "--progress=plain")
	default:
		args = append(args, "--progress=plain")
	}
	args = append(args, b.opt.Args...)
	return append(args, "--", b.opt.Dir)
}

// dockerfile returns the path of the Dockerfile to build, or "-" and its text.
// One that isn't the file itself has the file's own .dockerignore beside it.
func (b *Builder) dockerfile(t Target) (path string, stdin []byte, err error) {
	switch {
	case b.opt.Text != nil && t.Text != nil:
		return "-", t.Text, nil
	case b.opt.Text != nil:
		return "-", b.opt.Text, nil
	case t.Text == nil:
		return b.opt.File, nil, nil
	}
	path = filepath.Join(b.temp, "Dockerfile")
	if err := os.WriteFile(path, t.Text, 0o600); err != nil {
		return "", nil, fmt.Errorf("writing the Dockerfile of the stage %s: %w", t.Name, err)
	}
	ignore, err := os.ReadFile(b.opt.File + ".dockerignore")
	if err == nil {
		err = os.WriteFile(path+".dockerignore", ignore, 0o600)
	} else if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	if err != nil {
		return "", nil, fmt.Errorf("copying the .dockerignore of %s: %w", b.opt.File, err)
	}
	return path, nil, nil
}

// Made returns the IDs of the stages' images that there weren't before, in the
// order of their builds.
func (b *Builder) Made() []string { return slices.Clone(b.made) }

// findEngine finds out what builds here. docker 23 and later choose for
// themselves; before, BuildKit builds if it is asked to, and if there is one in
// the engine: in Linux engines from 18.09 on.
func (b *Builder) findEngine(ctx context.Context) error {
	v, err := b.version(ctx)
	if err != nil {
		return err
	}
	said, ok := os.LookupEnv("DOCKER_BUILDKIT")
	asked := ok && isTrue(said)
	switch {
	case ok && said != "" && !asked:
	case atLeast(v.Client.Version, 23):
		out, err := b.run(ctx, []string{"buildx", "version"}, nil)
		b.engine.buildx = err == nil && strings.Contains(out.stdout.String(), "buildx")
		b.engine.buildKit = b.engine.buildx
		if b.engine.buildx {
			b.engine.env = []string{"BUILDX_NO_DEFAULT_ATTESTATIONS=1"} // nobody reads them here
		}
	case asked:
		b.engine.buildKit = true
	case v.hasBuildKit():
		b.engine.buildKit = true
		b.engine.env = []string{"DOCKER_BUILDKIT=1"}
	}
	return ctx.Err()
}

// isTrue reads a switch of docker's.
func isTrue(s string) bool {
	switch strings.ToLower(s) {
	case "1", "t", "true":
		return true
	}
	return false
}

// command returns a call of docker's command. One that is cancelled is
// interrupted, as by somebody at a terminal: it then has its engine stop.
func (b *Builder) command(ctx context.Context, args []string) *exec.Cmd {
	var global []string
	if b.opt.Host != "" {
		global = append(global, "--host", b.opt.Host)
	}
	if b.opt.Context != "" {
		global = append(global, "--context", b.opt.Context)
	}
	cmd := exec.CommandContext(ctx, "docker", append(global, args...)...)
	cmd.Env = append(os.Environ(), b.engine.env...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = patience
	return cmd
}
