package buildlog

import (
	"regexp"
	"strconv"
	"strings"
)

// Position is what the name of a step says of where it stands in a Dockerfile.
// Only Text is set of a step that is of no instruction.
type Position struct {
	// Target is what docker buildx bake and docker compose put before the names
	// of one of several targets. A target's steps without the name of a stage
	// have the target in Stage: the two look alike.
	Target   string
	Platform string // "linux/amd64", "linux/amd64->arm64"; "" unless the build is for several
	// Stage is the stage's name in lower case, "stage-1" for the second stage
	// if it has none, and "" in a Dockerfile of one stage without a name.
	Stage string
	// Index counts, from 1, the stage's instructions that make a step of
	// their own, Total of them; the classic builder counts all instructions
	// of the Dockerfile, buildah all of the stage. 0 if it isn't said.
	Index, Total int
	Trigger      bool // an ONBUILD of the base put off
	Link         bool // the merge that a COPY --link ends with, which copies nothing itself
	// Text is the instruction on one line. BuildKit has put the values of
	// variables in, and left heredocs out but for how a RUN's begins:
	// "RUN <<EOF (make...)".
	Text string
}

// position matches the names that BuildKit gives to the steps of a Dockerfile
// (BuildKit, frontend/dockerfile/dockerfile2llb, prefixCommand).
var position = regexp.MustCompile(`^\[((?:[^\[\]\s]+ +)*?) *([0-9]{1,9})/([0-9]{1,9})\] (ONBUILD )?(LINK )?((?s).*)$`)

// ParseName takes the name of a BuildKit vertex apart. It tells whether it is
// that of a step of a Dockerfile; if it isn't, such as "[internal] load build
// context", all of it is the Text.
func ParseName(name string) (Position, bool) {
	m := position.FindStringSubmatch(name)
	if m == nil {
		return Position{Text: name}, false
	}
	p := Position{Trigger: m[4] != "", Link: m[5] != "", Text: m[6]}
	p.Index, _ = strconv.Atoi(m[2])
	p.Total, _ = strconv.Atoi(m[3])
	words := strings.Fields(m[1])
	platform := -1
	for i, w := range words {
		if strings.Contains(w, "/") {
			platform = i
		}
	}
	switch n := len(words); {
	case platform >= 0:
		p.Target = strings.Join(words[:platform], " ")
		p.Platform = words[platform]
		p.Stage = strings.Join(words[platform+1:], " ")
	case n > 0:
		p.Target = strings.Join(words[:n-1], " ")
		p.Stage = words[n-1]
	}
	return p, true
}
