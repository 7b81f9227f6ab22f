package history

import (
	"regexp"
	"time"
)

// guessBase returns how many of the steps came from the FROM image, as far as
// the records show; 0 if they don't. The number may be too low, where the FROM
// image was itself built on another whose end shows better, and is never all
// of the steps: an image is not its own base.
//
// Nothing records the boundary, but three things show one. From the last step
// down, the first boundary found counts.
func guessBase(steps []Step) int {
	if squashed(steps) {
		return 0
	}
	top := Unknown
	layerAbove := false
	for i := len(steps) - 1; i > 0; i-- {
		layerAbove = layerAbove || !steps[i].Empty
		if top == Unknown {
			top = steps[i].Builder
		}
		switch {
		case startsFrom(&steps[i]),
			foreign(steps[i-1].Builder, top),
			layerAbove && apart(&steps[i-1], &steps[i]) && endsWithCommand(steps[:i]):
			return i
		}
	}
	return 0
}

// startsFrom tells whether buildah says that the step is the first on top of
// the image that FROM names. (Images between the steps of a build have IDs for
// names.)
func startsFrom(s *Step) bool {
	m := fromComment.FindStringSubmatch(s.Comment)
	return s.Builder == Buildah && m != nil && !isHex(m[1])
}

func isHex(s string) bool {
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return len(s) >= shortLen
}

// foreign tells whether a step by b can't be one of a build by top: one build
// speaks one dialect. Classic and Buildah are too alike to tell apart, their
// RUN in exec form isn't known for theirs, and the lifecycle of buildpacks may
// take over layers without their records; the others sign every record.
func foreign(b, top Builder) bool {
	switch family(top) {
	case Unknown:
		return false
	case Classic, Buildpacks:
		return family(b) != family(top) && b != Unknown
	default:
		return b != top
	}
}

func family(b Builder) Builder {
	if b == Buildah {
		return Classic
	}
	return b
}

// sameBuild is how far apart in time two steps that follow each other may be
// and count as one build.
const sameBuild = time.Hour

// apart tells whether two steps were made at different times. Builders that
// don't date their steps, or date them all alike, don't in one build only.
func apart(a, b *Step) bool {
	return b.Created.Sub(a.Created).Abs() >= sameBuild
}

// endsWithCommand tells whether the last thing the steps did, above their last
// layer and at one time, was to set the command: where a Dockerfile ends.
func endsWithCommand(steps []Step) bool {
	for i := len(steps) - 1; i >= 0 && steps[i].Empty; i-- {
		switch steps[i].Instruction {
		case "CMD", "ENTRYPOINT":
			return true
		}
		if i > 0 && apart(&steps[i-1], &steps[i]) {
			return false
		}
	}
	return false
}

var squashComment = regexp.MustCompile(`^(?:merge sha256:[0-9a-f]{64} to|create new from) sha256:`)

// squashed tells whether the last layer holds the steps before it, as after
// docker build --squash ("merge sha256:… to sha256:…"): they look older than
// it and are no base.
func squashed(steps []Step) bool {
	for i := len(steps) - 1; i >= 0; i-- {
		if !steps[i].Empty {
			return squashComment.MatchString(steps[i].Comment)
		}
	}
	return false
}
