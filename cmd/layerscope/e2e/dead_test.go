//go:build linux

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// wasteful are builds that leave bytes nobody can reach, or look as if they
// did. Each line is a step.
var wasteful = []struct {
	name  string
	steps []string
	// dead is what the files in the steps make, worked out by hand; -1
	// where it hangs on what the engine's filesystem copies up.
	dead int64
}{
	{"rm -rf of a directory", []string{
		`RUN mkdir -p /opt/big/deep && fill 5000 /opt/big/a && fill 120 /opt/big/deep/b`,
		`RUN rm -rf /opt/big`,
	}, 5_120_000},
	{"a directory removed and made again", []string{
		`RUN mkdir -p /opt/op/sub && fill 3000 /opt/op/a && fill 72 /opt/op/sub/b`,
		`RUN rm -rf /opt/op && mkdir /opt/op && echo hi > /opt/op/b`,
	}, 3_072_000},
	{"one of two hard links removed", []string{
		`RUN mkdir -p /opt/hl && fill 2048 /opt/hl/a && ln /opt/hl/a /opt/hl/b`,
		`RUN rm /opt/hl/a`,
	}, 0},
	{"both hard links removed", []string{
		`RUN mkdir -p /opt/hl && fill 2048 /opt/hl/a && ln /opt/hl/a /opt/hl/b`,
		`RUN rm /opt/hl/a`,
		`RUN rm /opt/hl/b`,
	}, 2_048_000},
	{"a hard link's mode changed", []string{
		`RUN mkdir -p /opt/hl && fill 100 /opt/hl/a && ln /opt/hl/a /opt/hl/b`,
		`RUN chmod 600 /opt/hl/b`,
	}, -1},
	{"a hard link to a lower layer's file", []string{
		`RUN mkdir -p /opt/hl && fill 100 /opt/hl/a`,
		`RUN ln /opt/hl/a /opt/hl/b`,
		`RUN rm /opt/hl/a`,
	}, -1},
	{"overwritten", []string{
		`RUN fill 100 /data`,
		`RUN echo less > /data`,
	}, 100_000},
	{"growing", []string{
		`RUN fill 100 /db`,
		`RUN fill 100 /more && cat /more >> /db && rm /more`,
		`RUN fill 100 /more && cat /more >> /db && rm /more`,
	}, 300_000},
	{"chmod in a step of its own", []string{
		`RUN fill 100 /data`,
		`RUN chmod 600 /data`,
	}, 100_000},
	{"chown -R in a step of its own", []string{
		`RUN mkdir -p /app/sub && fill 100 /app/a && fill 200 /app/sub/b && fill 300 /app/sub/c && ln -s a /app/link`,
		`RUN chown -R 1000:1000 /app`,
	}, 600_000},
	{"mv", []string{
		`RUN fill 100 /a`,
		`RUN mv /a /b`,
	}, 100_000},
	{"the same content twice", []string{
		`RUN fill 100 /a`,
		`RUN cp /a /b`,
	}, 0},
	{"a directory replaced by a file", []string{
		`RUN mkdir /d && fill 100 /d/a`,
		`RUN rm -rf /d && echo file > /d`,
	}, 100_000},
	{"a file replaced by a directory", []string{
		`RUN fill 100 /d`,
		`RUN rm /d && mkdir /d && echo in > /d/a`,
	}, 100_000},
	{"packages installed and cleaned up in separate steps", []string{
		`RUN mkdir -p /var/lib/apt/lists/partial && fill 700 /var/lib/apt/lists/main && touch /var/lib/apt/lists/lock`,
		`RUN mkdir -p /var/cache/apt/archives /usr/lib /var/lib/dpkg && fill 400 /var/cache/apt/archives/libx_1_amd64.deb` +
			` && fill 900 /usr/lib/libx.so.1 && ln -s libx.so.1 /usr/lib/libx.so && fill 5 /var/lib/dpkg/status && fill 30 /var/cache/apt/pkgcache.bin`,
		`RUN rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*.deb /var/cache/apt/*.bin`,
	}, 700_000 + 400_000 + 30_000},
	{"a directory removed, then the same again", []string{
		`RUN mkdir /d && fill 100 /d/a`,
		`RUN rm -rf /d`,
		`RUN mkdir /d && fill 100 /d/a`,
	}, 100_000},
	{"a symbolic link retargeted", []string{
		`RUN fill 100 /a && fill 100 /b && ln -s a /link`,
		`RUN ln -sf b /link`,
	}, 0},
	{"written and removed in one step", []string{
		`RUN fill 100 /a && rm /a && echo done > /done`,
	}, 0},
	// Of this dive says that 2,048,000 are wasted: the hard link's, which
	// are not.
	{whatDiveMisses, []string{
		`RUN mkdir -p /opt/big /opt/op /opt/hl && fill 5120 /opt/big/x && fill 3072 /opt/op/x && fill 2048 /opt/hl/a && ln /opt/hl/a /opt/hl/b`,
		`RUN rm -rf /opt/big`,
		`RUN rm -rf /opt/op && mkdir /opt/op && echo hi >/opt/op/b`,
		`RUN rm /opt/hl/a`,
	}, 8_192_000},
}

const whatDiveMisses = "what dive misses"

// fill is a command of the images: fill N PATH writes N thousand bytes, other
// ones to each path.
const fill = `#!/bin/sh
yes "$2" | head -c "${1}000" > "$2"
`

// wastefulBase returns the name of the image that the builds begin with.
func (l *lab) wastefulBase(t *testing.T) string {
	t.Helper()
	context := once(t, "context", l.context)
	return once(t, "build base", func() (string, error) {
		dir, name := l.path("base"), ours+"/base:1"
		if err := write(filepath.Join(dir, "fill"), fill, false); err != nil {
			return "", err
		}
		if err := os.Chmod(filepath.Join(dir, "fill"), 0o755); err != nil {
			return "", err
		}
		if _, err := l.output("cp", "-R", filepath.Join(context, "rootfs"), dir); err != nil {
			return "", err
		}
		return name, l.build(classic, name, dir, `
			FROM scratch
			ENV PATH=/bin
			COPY rootfs/ /
			COPY fill /bin/
			RUN ["/bin/busybox", "--install", "-s", "/bin"]`)
	})
}

// build has a builder make an image of a Dockerfile.
func (l *lab) build(builder, name, dir, dockerfile string) error {
	setting := "DOCKER_BUILDKIT=0"
	if builder == buildkit {
		setting = "DOCKER_BUILDKIT=1"
	}
	cmd := exec.Command(l.Docker, "build", "--network", "none", "--tag", name, "--file", "-", dir)
	cmd.Env = append(l.env(), setting)
	cmd.Stdin = strings.NewReader(dockerfile)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building %s: %w: %s", name, err, out)
	}
	return nil
}

// Dead are the bytes that the layers store less those that the engine's
// filesystem of the image has, each hard-linked file once: by GNU tar's account
// of what docker save writes, and docker export's.
func TestDeadBytes(t *testing.T) {
	l := open(t, engine)
	base := l.wastefulBase(t)
	for _, builder := range []string{classic, buildkit} {
		for i, test := range wasteful {
			t.Run(builder+"/"+test.name, func(t *testing.T) {
				name := fmt.Sprintf("%s/wasteful-%s:%d", ours, builder, i)
				// The context is of no use, and small.
				err := l.build(builder, name, l.path("base"), "FROM "+base+"\n"+strings.Join(test.steps, "\n"))
				if err != nil {
					t.Fatal(err)
				}
				archive := filepath.Join(t.TempDir(), "image.tar")
				l.tool(t, l.Docker, "save", "--output", archive, name)
				var stored int64
				for _, size := range layersOf(t, archive) {
					stored += size
				}
				dead := stored - l.export(t, name).bytes
				got := l.report(t, archive).Totals
				if want := (Sums{Stored: stored, Live: stored - dead, Dead: dead}); got.Sums != want {
					t.Errorf("%+v; docker save and docker export make it %+v", got.Sums, want)
				}
				if test.dead >= 0 && dead != test.dead {
					t.Errorf("docker save and docker export make it %d bytes dead, the steps %d", dead, test.dead)
				}
				if n := l.reportedDive(t, archive); test.name == whatDiveMisses && n.WastedBytes != 2_048_000 {
					t.Errorf("%d bytes wasted by dive's count, which made 2,048,000 of this build", n.WastedBytes)
				}
			})
		}
	}
}
