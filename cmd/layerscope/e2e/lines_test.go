//go:build linux

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// linesFile are the instructions of a Dockerfile, those after a name in
// brackets for that builder alone. Each says in the record that a builder makes
// of it which lines it is on: in place of @ comes "line_FIRST_LAST", and of %
// 7000 and the first line. (Heredocs are for newer engines than there are
// everywhere; the tests of package history have them.)
var linesFile = []string{
	"# a comment, then an empty line\n",
	"ARG GLOBAL=opt",
	"FROM scratch AS one",
	"COPY rootfs/ /",
	`RUN ["/bin/busybox", "--install", "-s", "/bin"]`,
	`RUN ["/bin/busybox", "mkdir", "/@"]`,
	"ENV PATH=/bin WHERE=@",
	"ARG DIR_@=srv",
	"RUN : @ && \\\n  # between\n\n    mkdir -p /a",
	"RUN : @ && \\\n    mkdir -p /a",
	"ONBUILD RUN : @ && echo triggered",
	"WORKDIR /work/@",
	"WORKDIR sub_@",
	"LABEL at.@=\"a b\" \\\n  other='c d'",
	"FROM scratch AS unused",
	"COPY payload.bin /never/",
	"",
	"FROM one AS two",
	"ARG GLOBAL\nARG AT_@=1",
	"COPY payload.bin /${GLOBAL}/@/",
	"COPY --chown=0:0 tree/keep tree/opaque /${DIR}x/@/",
	"ADD tree/keep/plain tree/link /${UNSET:-y}/@/",
	"[buildkit]RUN --mount=type=cache,target=/cache : @ && touch /d",
	"[buildkit]COPY --from=one /bin/busybox /@/busybox",
	"[buildah]COPY --from=one /bin/busybox /@/busybox",
	"[classic]COPY --from=one /bin/busybox /@/busybox",
	"SHELL [\"/bin/sh\", \"-e\", \"-c\"]\nRUN : @ && touch /e",
	"RUN : @ && touch /f",
	"RUN : @ && touch /f",
	"HEALTHCHECK --interval=5m --retries=2 CMD : @",
	"EXPOSE %",
	"VOLUME [\"/v/@\", \"/w\"]",
	"FROM two AS final",
	"USER @",
	"ENV CMD @",
	"ENTRYPOINT [\"/bin/sh\", \"-c\", \": @\"]",
	"CMD : @",
	"FROM one AS other",
	"RUN : other",
}

// linesOf writes the Dockerfile for a builder. Where an instruction of the list
// is two, the last is the one that says its lines.
func linesOf(builder string) string {
	var text strings.Builder
	line := 1
	for _, ins := range linesFile {
		if rest, ok := strings.CutPrefix(ins, "["); ok {
			name, rest, _ := strings.Cut(rest, "]")
			if name != builder {
				continue
			}
			ins = rest
		}
		n := strings.Count(ins, "\n") + 1
		first := line
		if strings.HasPrefix(ins, "ARG GLOBAL\n") || strings.HasPrefix(ins, "SHELL") {
			first++
		}
		ins = strings.ReplaceAll(ins, "@", fmt.Sprintf("line_%d_%d", first, line+n-1))
		ins = strings.ReplaceAll(ins, "%", strconv.Itoa(7000+first))
		text.WriteString(ins + "\n")
		line += n
	}
	return text.String()
}

var (
	lineMark = regexp.MustCompile(`line_(\d+)_(\d+)`)
	// lostText are records that don't have all the text of the instruction:
	// of a COPY's sources a checksum, of buildah's ARG all that have a value.
	lostText = regexp.MustCompile(`(?:COPY|ADD)(?: \S+)? ?(?:file|dir|multi):|ARG AT_\w+ GLOBAL`)
	portMark = regexp.MustCompile(`\b7(\d\d\d)\b`)
)

// markedLines returns the lines that a record says that it is of; none if it
// doesn't. What it says last counts: the values of arguments come first.
func markedLines(createdBy string) (lines [2]int) {
	if all := lineMark.FindAllStringSubmatch(createdBy, -1); all != nil {
		m := all[len(all)-1]
		lines[0], _ = strconv.Atoi(m[1])
		lines[1], _ = strconv.Atoi(m[2])
	} else if m := portMark.FindStringSubmatch(createdBy); m != nil && strings.Contains(createdBy, "EXPOSE") {
		lines[0], _ = strconv.Atoi(m[1])
		lines[1] = lines[0]
	}
	return lines
}

// builtLines has a builder build the Dockerfile and returns a reference to the
// image.
func (l *lab) builtLines(t *testing.T, builder, dockerfile string) string {
	t.Helper()
	context := once(t, "context", l.context)
	name := ours + "/lines-" + builder + ":1"
	args := []string{"build", "--file", dockerfile, "--target", "final", "--label", "added=1"}
	switch builder {
	case buildah:
		archive := l.path("lines.oci.tar")
		l.tool(t, buildah, slices.Concat(args, []string{"--layers", "--isolation", "chroot", "--network", "host", "--format", "docker", "--tag", "localhost/" + name, context})...)
		l.tool(t, buildah, "push", "localhost/"+name, "docker-archive:"+archive)
		return archive
	case buildkit:
		l.tool(t, "env", slices.Concat([]string{"DOCKER_BUILDKIT=1", l.Docker}, args, []string{"--network", "none", "--tag", name, context})...)
	case classic:
		l.tool(t, "env", slices.Concat([]string{"DOCKER_BUILDKIT=0", l.Docker}, args, []string{"--network", "none", "--tag", name, context})...)
	}
	return "docker://" + name
}

// Every step of an image has the lines that the Dockerfile says of itself,
// whichever builder built it.
func TestLines(t *testing.T) {
	l := open(t, engine, buildah)
	for _, builder := range []string{classic, buildkit, buildah} {
		t.Run(builder, func(t *testing.T) {
			text := linesOf(builder)
			path := filepath.Join(l.Dir, "Dockerfile."+builder)
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			ref := l.builtLines(t, builder, path)
			steps := l.report(t, "--file", path, "--target", "3", ref).Steps
			marked := map[[2]int]bool{}
			for i, s := range steps {
				want, got := markedLines(s.CreatedBy), [2]int{}
				how := "null"
				if s.Line != nil {
					got = [2]int{s.Line.Start, s.Line.End}
				}
				if s.Match != nil {
					how = *s.Match
				}
				t.Logf("%2d %v %v %s: %.90q", i, want, got, how, s.CreatedBy)
				if want != [2]int{} {
					marked[want] = true
					if got != want {
						t.Errorf("step %d is on lines %v, and found on %v (%s): %s", i, want, got, how, s.CreatedBy)
					}
				}
				lost := lostText.MatchString(s.CreatedBy)
				switch {
				case strings.Contains(s.CreatedBy, "added=1") || strings.Contains(s.CreatedBy, `"added"`):
					if s.Line != nil {
						t.Errorf("step %d, which the call added, is found on %v", i, got)
					}
				case lost && how != "aligned", !lost && how != "matched":
					t.Errorf("step %d is %s: %s", i, how, s.CreatedBy)
				}
			}
			inChain, _, _ := strings.Cut(text, "FROM one AS other")
			for _, m := range lineMark.FindAllStringSubmatch(inChain, -1) {
				first, _ := strconv.Atoi(m[1])
				last, _ := strconv.Atoi(m[2])
				if !marked[[2]int{first, last}] {
					t.Errorf("no step is marked %s", m[0])
				}
			}
			l.layerscope(t, "report", "--file", path, "--target", "other", ref).ok(t)
			l.layerscope(t, "report", "--file", path, "--target", "unused", ref).failed(t, "no step of ", "--target")
		})
	}
}
