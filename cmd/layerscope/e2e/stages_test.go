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
	"slices"
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
RUN ["/bin/busybox", "--install", "-s", "/bin"]

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

// buildStage builds a stage with docker alone and returns its image's ID.
func (l *lab) buildStage(t *testing.T, builder, dir, target string) string {
	t.Helper()
	setting := l.stagesEnv(builder)[1]
	return strings.TrimSpace(string(l.tool(t, "env", setting, l.Docker, "build", "--quiet", "--network", "none", "--target", target, dir)))
}

// removed removes images at the end of a test.
func (l *lab) removed(t *testing.T, ids ...string) {
	t.Cleanup(func() {
		for _, id := range ids {
			l.output(l.Docker, "image", "rm", id) // its parents go with it
		}
	})
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
			// One of the images is there already, without a name: the build finds
			// it in its cache, and it stays. Its parents too, with the classic
			// builder.
			there := l.buildStage(t, builder, dir, "base")
			l.removed(t, there)
			before := l.inventory(t)
			if _, ok := before[there+" <none>:<none>"]; !ok {
				t.Fatalf("%s isn't there before", there)
			}
			out := l.run(t, call{args: []string{"stages", "--format", "json", dir, "--", "--network", "none"}, env: l.stagesEnv(builder)}).ok(t)
			same(t, before, l.inventory(t))
			var r stagesReport
			if err := json.Unmarshal([]byte(out), &r); err != nil {
				t.Fatal(err)
			}
			if r.Builder != builder || r.Kept {
				t.Errorf("builder %s, kept %v", r.Builder, r.Kept)
			}

			// With a cache as it is now docker makes the same images again, but of
			// the stage that it can't be asked for.
			final := l.buildStage(t, builder, dir, "final")
			unneeded := l.buildStage(t, builder, dir, "unneeded")
			l.removed(t, final, unneeded)
			for i, id := range map[int]string{0: there, 2: unneeded, 3: final} {
				if size := l.savedBytes(t, id); r.Stages[i].Stored != size {
					t.Errorf("stage %d stores %d, the engine saves %d", i, r.Stages[i].Stored, size)
				}
			}
			last := l.export(t, final)
			for i, want := range []struct {
				stage, line int
				dir         string
			}{{1, 19, "copied/lib"}, {1, 20, "copied/share"}, {0, 21, "copied/etc"}} {
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

// Images that are to be kept are told, and stay; a next run finds them and leaves
// them.
func TestStagesKeep(t *testing.T) {
	l := open(t, engine)
	for _, builder := range []string{classic, buildkit} {
		t.Run(builder, func(t *testing.T) {
			dir := stagesContext(t, stagesFile+"# "+builder+"\n")
			before := l.inventory(t)
			args := []string{"stages", "--format", "json", "--keep", "--target", "final", dir, "--", "--network", "none"}
			var r stagesReport
			if err := json.Unmarshal([]byte(l.run(t, call{args: args, env: l.stagesEnv(builder)}).ok(t)), &r); err != nil {
				t.Fatal(err)
			}
			kept := l.inventory(t)
			for i, s := range r.Stages {
				_, there := kept[s.Image.ID+" <none>:<none>"]
				if want := i != 2; there != want || !r.Kept {
					t.Errorf("stage %d: %q is there: %v", i, s.Image.ID, there)
				}
			}
			args = slices.DeleteFunc(args, func(a string) bool { return a == "--keep" })
			l.run(t, call{args: args, env: l.stagesEnv(builder)}).ok(t)
			same(t, kept, l.inventory(t))
			for again := true; again; { // children first
				again = false
				for line := range l.inventory(t) {
					id, _, _ := strings.Cut(line, " ")
					if _, was := before[line]; !was {
						if _, err := l.output(l.Docker, "image", "rm", "--no-prune", id); err == nil {
							again = true
						}
					}
				}
			}
			same(t, before, l.inventory(t))
		})
	}
}

// A build that fails says why and leaves nothing.
func TestStagesFail(t *testing.T) {
	l := open(t, engine)
	for _, builder := range []string{classic, buildkit} {
		t.Run(builder, func(t *testing.T) {
			dir := stagesContext(t, stagesFile+"\nRUN echo nothing > /else && false\n")
			before := l.inventory(t)
			r := l.run(t, call{args: []string{"stages", dir, "--", "--network", "none"}, env: l.stagesEnv(builder)})
			r.failed(t, "building the stage final", "docker build")
			if !strings.Contains(r.stderr, "false") {
				t.Errorf("it doesn't tell of the command: %s", r.stderr)
			}
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

// Every docker command there is builds as it does when nobody says how.
func TestStagesDockers(t *testing.T) {
	l := open(t, engine)
	dir := stagesContext(t, stagesFile)
	for version, docker := range l.dockers(t) {
		t.Run(version, func(t *testing.T) {
			before := l.inventory(t)
			out := l.run(t, call{
				args: []string{"stages", "--bytes", dir, "--", "--network", "none"},
				env:  []string{"PATH=" + filepath.Dir(docker) + ":" + os.Getenv("PATH")},
			}).ok(t)
			if !strings.Contains(out, "LEFT BEHIND") || !strings.Contains(out, " 105617 ") {
				t.Error(out)
			}
			same(t, before, l.inventory(t))
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
			dir := stagesContext(t, strings.Replace(stagesFile, "ARG LIB\n", "RUN sleep "+seconds+"\n", 1))
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
