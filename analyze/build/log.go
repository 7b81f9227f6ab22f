package build

import (
	"bytes"
	"regexp"
	"strings"
)

// This file reads what builders write while they build.

// log returns which of a build's outputs tells of it.
func (b *Builder) log(out *output) *tail {
	if b.engine.buildKit {
		return &out.stderr
	}
	return &out.stdout
}

// stepImage is how the classic builder says what image a step made or found.
var stepImage = regexp.MustCompile(`(?m)^ ---> ([0-9a-f]{12})\s*$`)

// stepImages returns the images that the classic builder tells of.
func stepImages(out []byte) []string {
	var ids []string
	for _, m := range stepImage.FindAllSubmatch(out, -1) {
		ids = append(ids, string(m[1]))
	}
	return ids
}

// maxSaid is how many lines of a command that failed are told.
const maxSaid = 20

var (
	// classicRuns and classicEnds are what the classic builder writes before and
	// after what a command does.
	classicRuns = regexp.MustCompile(`(?m)^ ---> Running in [0-9a-f]{12}$`)
	classicEnds = regexp.MustCompile(`(?m)^(\x1b\[0m)?Removing intermediate container [0-9a-f]{12}$`)
	// vertexFails is how BuildKit says which of its vertices fails, by a number
	// that begins each line of one.
	vertexFails = regexp.MustCompile(`(?m)^(#\d+ )ERROR\b`)
	// vertexSaid is the rest of such a line that a command writes: seconds and
	// the text.
	vertexSaid = regexp.MustCompile(`^\d+\.\d+ (.*)`)
	// colours are those of a terminal: the classic builder writes standard error
	// in red.
	colours = regexp.MustCompile(`\x1b\[[0-9;]*m`)
)

// commandOutput returns the last lines that the command wrote that made a build
// fail, without colours; none if it isn't a command that failed.
func commandOutput(log string, buildKit bool) []string {
	said := classicOutput(log)
	if buildKit {
		said = vertexOutput(log)
	}
	var lines []string
	for line := range strings.Lines(colours.ReplaceAllString(said, "")) {
		if line = strings.TrimRight(line, " \t\r\n"); line != "" {
			lines = append(lines, line)
		}
	}
	return lines[max(0, len(lines)-maxSaid):]
}

// classicOutput returns what the command wrote that ran last, if it made no image.
func classicOutput(log string) string {
	runs := classicRuns.FindAllStringIndex(log, -1)
	if len(runs) == 0 {
		return ""
	}
	said := log[runs[len(runs)-1][1]:]
	if stepImage.MatchString(said) {
		return ""
	}
	if end := classicEnds.FindStringIndex(said); end != nil {
		said = said[:end[0]]
	}
	return said
}

// vertexOutput returns what the command of the vertex wrote that fails.
func vertexOutput(log string) string {
	fails := vertexFails.FindStringSubmatch(log)
	if fails == nil {
		return ""
	}
	var said strings.Builder
	for line := range strings.Lines(log) {
		if own, ok := strings.CutPrefix(line, fails[1]); ok {
			if m := vertexSaid.FindStringSubmatch(own); m != nil {
				said.WriteString(m[1] + "\n")
			}
		}
	}
	return said.String()
}

// maxLine is the most bytes of a line that are told while it is written.
const maxLine = 1000

// lineTeller tells each line that is written to it.
type lineTeller struct {
	tell func(line string)
	line []byte // what there is of the next
}

// Write implements io.Writer.
func (t *lineTeller) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		line, after, whole := bytes.Cut(rest, []byte("\n"))
		t.line = append(t.line, line[:min(len(line), maxLine-len(t.line))]...)
		if rest = after; whole {
			if s := strings.TrimSpace(string(t.line)); s != "" {
				t.tell(s)
			}
			t.line = t.line[:0]
		}
	}
	return len(p), nil
}
