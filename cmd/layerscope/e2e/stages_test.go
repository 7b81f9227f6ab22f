//go:build linux

package e2e

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// stagesFile is a build in stages, some without names. What each COPY copies it
// copies to a place of its own in the last.
const stagesFile = `ARG LIB=lib
FROM scratch AS base
COPY rootfs/ /

FROM base
ENV OUT=/out
RUN mkdir -p $OUT/lib $OUT/share/deep /junk && head -c 100000 /dev/zero > $OUT/app && head -c 5000 /dev/zero > $OUT/lib/a.so && \
    head -c 600 /dev/zero > $OUT/lib/b.so && head -c 70 /dev/zero > $OUT/lib/c.txt && ln -s app $OUT/link && \
    head -c 8 /dev/zero > $OUT/share/deep/one && head -c 9 /dev/zero > $OUT/share/two && ln -s two $OUT/share/three && head -c 99999 /dev/zero > /junk/x
RUN rm /junk/x && head -c 333 /dev/zero > /junk/y

FROM base AS unneeded
COPY --from=1 /junk /junk

FROM base AS Final
ARG LIB
COPY --from=1 /out/link /copied/app
COPY --from=1 /out/$LIB/*.so /copied/lib/
COPY --from=1 /out/share /copied/share
COPY --from=base /etc/passwd /etc/group /copied/etc/
RUN head -c 44 /dev/zero > /own
`

// shortFile is a build in stages of which the last runs one command.
const shortFile = `FROM scratch AS base
COPY rootfs/ /
RUN echo 1 > /one

FROM base AS final
RUN echo 2 > /two
RUN `

// stagesReport is what layerscope stages tells.
type stagesReport struct {
	Builder string
	Kept    bool
	Stages  []struct {
		Name    string
		Needed  bool
		Image   struct{ ID string }
		Stored  int64
		Dead    int64
		Shipped int64
		Taken   struct {
			Bytes int64
			Files int
		}
		Left struct {
			Bytes  int64
			Causes []struct {
				Cause string
				Bytes int64
			}
		}
		Takes []struct {
			By    int
			Line  struct{ Start int }
			Bytes int64
			Files int
			Kind  string
		}
	}
}

// stagesContext writes a build context with a Dockerfile.
func stagesContext(t *testing.T, dockerfile string) string {
	t.Helper()
	dir := t.TempDir()
	busybox, err := os.ReadFile("/bin/busybox")
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"Dockerfile": dockerfile, "rootfs/bin/busybox": string(busybox), "rootfs/tmp/": "",
		"rootfs/etc/passwd": "root:x:0:0::/:/bin/sh\n", "rootfs/etc/group": "root:x:0:\n",
	} {
		if err := write(filepath.Join(dir, name), content, strings.HasSuffix(name, "/")); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Join(dir, "rootfs/bin/busybox"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, applet := range []string{"head", "ln", "mkdir", "rm", "sh", "sleep"} {
		if err := os.Symlink("busybox", filepath.Join(dir, "rootfs/bin", applet)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// stagesEnv has the builder build, with the lab's docker command.
func (l *lab) stagesEnv(builder string) []string {
	env := []string{"PATH=" + filepath.Dir(l.Docker) + ":" + os.Getenv("PATH"), "DOCKER_BUILDKIT=0"}
	if builder == buildkit {
		env[1] = "DOCKER_BUILDKIT=1"
	}
	return env
}

// inventory is all that an engine has, be it an image without a name or a
// container that has ended.
func (l *lab) inventory(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, args := range [][]string{{"image", "ls", "--all", "--no-trunc", "--format", "{{.ID}} {{.Repository}}:{{.Tag}}"}, {"ps", "--all", "--format", "container {{.ID}}"}} {
		for line := range strings.Lines(string(l.tool(t, l.Docker, args...))) {
			all[strings.TrimSpace(line)] = ""
		}
	}
	return all
}

// stagesReport runs layerscope and reads what it tells.
func (l *lab) stagesReport(t *testing.T, builder string, args []string) (r stagesReport) {
	t.Helper()
	out := l.run(t, call{args: args, env: l.stagesEnv(builder)}).ok(t)
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// buildStage builds a stage with docker alone and returns its image's ID.
func (l *lab) buildStage(t *testing.T, builder, dir, target string) string {
	t.Helper()
	setting := l.stagesEnv(builder)[1]
	return strings.TrimSpace(string(l.tool(t, "env", setting, l.Docker, "build", "--quiet", "--network", "none", "--target", target, dir)))
}

// savedBytes sums up the regular files of the layers that the engine saves.
func (l *lab) savedBytes(t *testing.T, id string) (sum int64) {
	t.Helper()
	each := func(r io.Reader, do func(h *tar.Header, body io.Reader)) {
		for tr := tar.NewReader(r); ; {
			h, err := tr.Next()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			do(h, tr)
		}
	}
	each(bytes.NewReader(l.tool(t, l.Docker, "save", id)), func(h *tar.Header, body io.Reader) {
		if filepath.Base(h.Name) != "layer.tar" || h.Typeflag != tar.TypeReg {
			return
		}
		each(body, func(h *tar.Header, _ io.Reader) {
			if h.Typeflag == tar.TypeReg {
				sum += h.Size
			}
		})
	})
	return sum
}

// below sums up the regular files of an export below a folder.
func (e export) below(dir string) (sum int64, entries int) {
	for path, f := range e.files {
		if strings.HasPrefix(path, dir+"/") && f.Type != "dir" {
			entries++
			if f.Type == "file" {
				sum += f.Size
			}
		}
	}
	return sum, entries
}

// The figures of each stage are those of its image, as the engine has it, and
// each COPY's are those of what is in the last image.
func TestStages(t *testing.T) {
	l := open(t, engine)
	for _, builder := range []string{classic, buildkit} {
		t.Run(builder, func(t *testing.T) {
			dir := stagesContext(t, stagesFile)
			before := l.inventory(t)
			t.Cleanup(func() { l.removeNew(t, before) }) // once no container has them
			args := []string{"stages", "--format", "json", dir, "--", "--network", "none"}
			r := l.stagesReport(t, builder, append([]string{"stages", "--keep"}, args[1:]...))
			if r.Builder != builder || !r.Kept {
				t.Errorf("builder %s, kept %v", r.Builder, r.Kept)
			}
			kept := l.inventory(t)
			for i, s := range r.Stages {
				if _, there := kept[s.Image.ID+" <none>:<none>"]; !there {
					t.Errorf("stage %d: %q isn't there", i, s.Image.ID)
				}
			}
			// What is there is left, be it that a next run finds it in the cache.
			r2 := l.stagesReport(t, builder, append([]string{"stages", "--target", "final"}, args[1:]...))
			same(t, kept, l.inventory(t))
			if r2.Kept || r2.Stages[2].Image.ID != "" || r2.Stages[1].Image.ID != r.Stages[1].Image.ID {
				t.Errorf("kept %v, stage 2 %q, stage 1 %q and then %q", r2.Kept, r2.Stages[2].Image.ID, r.Stages[1].Image.ID, r2.Stages[1].Image.ID)
			}

			// With a cache as it is now docker makes the same images, but of the
			// stage that it can't be asked for.
			for i, target := range map[int]string{0: "base", 2: "unneeded", 3: "final"} {
				id := l.buildStage(t, builder, dir, target)
				if id != r.Stages[i].Image.ID {
					t.Errorf("stage %d is %s, docker builds %s", i, r.Stages[i].Image.ID, id)
				}
			}
			for i, s := range r.Stages {
				if size := l.savedBytes(t, s.Image.ID); s.Stored != size {
					t.Errorf("stage %d stores %d, the engine saves %d", i, s.Stored, size)
				}
			}
			final := r.Stages[3].Image.ID
			last := l.export(t, final)
			for i, want := range []struct {
				stage, line int
				dir         string
			}{{1, 18, "copied/lib"}, {1, 19, "copied/share"}, {0, 20, "copied/etc"}} {
				bytes, files := last.below(want.dir)
				found := false
				for _, k := range r.Stages[want.stage].Takes {
					if k.Line.Start == want.line && k.By == 3 {
						found = true
						if k.Bytes != bytes || k.Files != files || bytes == 0 {
							t.Errorf("line %d copies %d bytes in %d files; the image has %d in %d", want.line, k.Bytes, k.Files, bytes, files)
						}
					}
				}
				if !found {
					t.Errorf("%d: nothing is copied on line %d: %+v", i, want.line, r.Stages[want.stage].Takes)
				}
			}

			base, work, final2 := r.Stages[0], r.Stages[1], r.Stages[3]
			bytes, files := last.below("copied")
			etc, etcFiles := last.below("copied/etc")
			if work.Taken.Bytes != bytes-etc || work.Taken.Files != files-etcFiles {
				t.Errorf("%+v is taken; the image has %d bytes in %d files, less %d in %d", work.Taken, bytes, files, etc, etcFiles)
			}
			if want := base.Stored + 100000 + 5000 + 600 + 70 + 8 + 9 + 99999 + 333; work.Stored != want || work.Dead != 99999 {
				t.Errorf("stage 1 stores %d, %d of it dead; want %d and 99999", work.Stored, work.Dead, want)
			}
			if base.Shipped != base.Stored || final2.Shipped != final2.Stored || r.Stages[2].Needed {
				t.Errorf("%+v", r.Stages)
			}
			for i, s := range r.Stages {
				if s.Stored != s.Shipped+s.Taken.Bytes+s.Left.Bytes {
					t.Errorf("stage %d: %d are stored, %d shipped, %d taken, %d left", i, s.Stored, s.Shipped, s.Taken.Bytes, s.Left.Bytes)
				}
				left := s.Left.Bytes
				for _, c := range s.Left.Causes {
					left -= c.Bytes
				}
				if left != 0 {
					t.Errorf("stage %d: the causes miss %d of %d bytes", i, left, s.Left.Bytes)
				}
			}
		})
	}
}

// removeNew removes the images that there weren't before, children first.
func (l *lab) removeNew(t *testing.T, before map[string]string) {
	t.Helper()
	for again := true; again; {
		again = false
		for line := range l.inventory(t) {
			id, _, _ := strings.Cut(line, " ")
			if _, was := before[line]; !was {
				if _, err := l.output(l.Docker, "image", "rm", "--force", "--no-prune", id); err == nil {
					again = true
				}
			}
		}
	}
	same(t, before, l.inventory(t))
}

// A build that fails says why and leaves nothing.
func TestStagesFail(t *testing.T) {
	l := open(t, engine)
	for _, builder := range []string{classic, buildkit} {
		t.Run(builder, func(t *testing.T) {
			dir := stagesContext(t, shortFile+"echo why; false\n")
			before := l.inventory(t)
			r := l.run(t, call{args: []string{"stages", dir, "--", "--network", "none"}, env: l.stagesEnv(builder)})
			said, ok := strings.CutPrefix(r.stderr, "  why\n") // the command
			if r.stderr = said; !ok || !strings.Contains(said, "false") {
				t.Errorf("it doesn't tell of the command: %s", r.stderr)
			}
			r.failed(t, "building the stage final", "docker build")
			same(t, before, l.inventory(t))

			dir = stagesContext(t, "FROM scratch\nCOPY gone /\n")
			l.run(t, call{args: []string{"stages", dir}, env: l.stagesEnv(builder)}).failed(t, "gone", "docker build")
			l.run(t, call{args: []string{"stages", dir, "--", "--unheard-of"}, env: l.stagesEnv(builder)}).failed(t, "--unheard-of", "docker build")
			same(t, before, l.inventory(t))
		})
	}
	dir := stagesContext(t, "FROM scratch\nCOPY rootfs /\nRUN --mount=type=tmpfs,target=/x [\"/bin/busybox\", \"true\"]\n")
	l.run(t, call{args: []string{"stages", dir}, env: l.stagesEnv(classic)}).failed(t, "requires BuildKit", "DOCKER_BUILDKIT")
	// Where nobody says which, what the engine has builds.
	l.run(t, call{args: []string{"stages", dir, "--", "--network", "none"}, env: l.stagesEnv(classic)[:1]}).ok(t)
	l.run(t, call{args: []string{"stages", "--host", "unix://" + l.path("nobody.sock"), dir}}).failed(t, "nobody.sock", "--image")
	l.run(t, call{args: []string{"stages", dir}, env: []string{"PATH=" + t.TempDir()}}).failed(t, "no docker command", "--image")
}

// What the ONBUILD instructions of a base make goes too, which the classic builder
// doesn't tell of; what has a name by then stays, with all that it is made of.
func TestStagesTriggers(t *testing.T) {
	l := open(t, engine)
	dir := stagesContext(t, "FROM scratch\nCOPY rootfs/ /\nONBUILD COPY rootfs/etc /first\nONBUILD RUN echo 2 > /second\n")
	before := l.inventory(t)
	t.Cleanup(func() { l.removeNew(t, before) })
	base := strings.TrimSpace(string(l.tool(t, "env", "DOCKER_BUILDKIT=0", l.Docker, "build", "--quiet", dir)))
	for _, builder := range []string{classic, buildkit} {
		t.Run(builder, func(t *testing.T) {
			name := ours + "/triggers:" + builder
			l.tool(t, l.Docker, "tag", base, name)
			there := l.inventory(t)
			dir := stagesContext(t, "FROM "+name+" AS one\nRUN echo 3 > /third\nFROM "+name+"\nCOPY --from=one /third /\n")
			out := l.run(t, call{args: []string{"stages", "--bytes", dir, "--", "--network", "none"}, env: l.stagesEnv(builder)}).ok(t)
			if !strings.Contains(out, "copied      2      1  /third") {
				t.Error(out)
			}
			same(t, there, l.inventory(t))

			named := ours + "/named:" + builder
			l.run(t, call{args: []string{"stages", dir, "--", "--network", "none", "--tag", named}, env: l.stagesEnv(builder)}).ok(t)
			l.tool(t, l.Docker, "image", "rm", named)
			same(t, there, l.inventory(t))
		})
	}
}

// Every docker command there is builds as it does when nobody says how.
func TestStagesDockers(t *testing.T) {
	l := open(t, engine)
	dir := stagesContext(t, stagesFile)
	for version, docker := range l.dockers(t) {
		t.Run(version, func(t *testing.T) {
			before := l.inventory(t)
			// One of the images is there already, without a name: the build finds
			// it in its cache, and it stays. Its parents too, with the classic
			// builder.
			build := []string{docker, "build", "--quiet", "--target", "base", dir}
			there, err := l.output("env", append([]string{"DOCKER_BUILDKIT=1"}, build...)...)
			if err != nil { // it hasn't got BuildKit's client
				there = l.tool(t, "env", append([]string{"DOCKER_BUILDKIT=0"}, build...)...)
			}
			with := l.inventory(t)
			if _, ok := with[strings.TrimSpace(string(there))+" <none>:<none>"]; !ok {
				t.Fatalf("%s isn't there before", there)
			}
			env := []string{"PATH=" + filepath.Dir(docker) + ":" + os.Getenv("PATH")}
			out := l.run(t, call{args: []string{"stages", "--bytes", dir, "--", "--network", "none"}, env: env}).ok(t)
			if !strings.Contains(out, "LEFT BEHIND") || !strings.Contains(out, " 105617 ") {
				t.Error(out)
			}
			same(t, with, l.inventory(t))
			l.removeNew(t, before)
		})
	}
}

// running finds a process by an argument that no other has.
func running(argument string) bool {
	dirs, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, f := range dirs {
		b, err := os.ReadFile(f)
		if err == nil && bytes.HasPrefix(b, []byte("sleep\x00")) && bytes.Contains(b, []byte("\x00"+argument+"\x00")) {
			return true
		}
	}
	return false
}

// Ctrl-C ends a build, and what it made goes.
func TestStagesInterrupt(t *testing.T) {
	l := open(t, engine)
	for i, builder := range []string{classic, buildkit} {
		t.Run(builder, func(t *testing.T) {
			seconds := fmt.Sprint(4321 + i)
			dir := stagesContext(t, shortFile+"sleep "+seconds+"\n")
			before := l.inventory(t)
			tmp := t.TempDir()
			cmd := exec.Command(l.Binary, "stages", dir, "--", "--network", "none")
			cmd.Env = append(append(l.env(), l.stagesEnv(builder)...), "TMPDIR="+tmp)
			var stdout, stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			ended := make(chan struct{})
			go func() {
				cmd.Wait()
				close(ended)
			}()
			asleep := make(chan struct{})
			go func() {
				for !running(seconds) {
					select {
					case <-ended:
						return
					case <-time.After(20 * time.Millisecond):
					}
				}
				close(asleep)
			}()
			within(t, asleep, "the step runs")
			cmd.Process.Signal(syscall.SIGINT)
			within(t, ended, "it ends")
			if code := cmd.ProcessState.ExitCode(); code != 130 || stdout.Len() > 0 || stderr.String() != "error: interrupted\n" {
				t.Errorf("exit code %d, standard output %q, standard error %q; want 130 and one error line", code, stdout.String(), stderr.String())
			}
			same(t, before, l.inventory(t))
			empty(t, tmp)
		})
	}
}

// What can't be removed is named, and the report isn't kept back for it.
func TestStagesInUse(t *testing.T) {
	l := open(t, engine)
	before := l.inventory(t)
	t.Cleanup(func() { l.removeNew(t, before) })
	const seconds = "3"
	dir := stagesContext(t, shortFile+"sleep "+seconds+"\n")
	type hold struct {
		image, container string
		err              error
	}
	held := make(chan hold, 1)
	go func() {
		for !running(seconds) && t.Context().Err() == nil {
			time.Sleep(20 * time.Millisecond)
		}
		var h hold
		var out []byte
		out, h.err = l.output(l.Docker, "images", "--quiet", "--no-trunc", "--filter", "dangling=true")
		h.image, _, _ = strings.Cut(string(out), "\n") // the newest: that of the stage before
		if h.err == nil {
			out, h.err = l.output(l.Docker, "create", h.image, "x")
			h.container = strings.TrimSpace(string(out))
		}
		held <- h
	}()
	r := l.run(t, call{args: []string{"stages", dir, "--", "--network", "none"}, env: l.stagesEnv(buildkit)})
	h := <-held
	if h.err != nil {
		t.Fatal(h.err)
	}
	l.tool(t, l.Docker, "rm", h.container)
	if r.code != 2 || !strings.Contains(r.stdout, "LEFT BEHIND") || !strings.HasPrefix(r.stderr, "error: removing what was built") || !strings.Contains(r.stderr, h.image) {
		t.Errorf("exit code %d; image %q is in use\n%s%s", r.code, h.image, r.stdout, r.stderr)
	}
	r.quiet(t)
}
