package history

import (
	"regexp"
	"time"
)

// Base is where the records of an image put the end of the FROM image.
type Base struct {
	// Steps is how many came from it, always the first ones; 0 if the
	// records don't show. The number may be too low, where the FROM image was
	// itself built on another whose end shows better, and is never all of the
	// steps: an image is not its own base.
	Steps int

	// Signed is set where the builder's own records say so; else it is a
	// guess.
	Signed bool

	Name string // of the FROM image, as the builder was given it; "" if the records don't say

	dialect bool // the records above and below are two builders', or two builds' of one that says so
}

// findBase looks for the end of the FROM image. From the last step down, the
// first boundary found counts.
func findBase(steps []Step) Base {
	if squashed(steps) {
		return Base{}
	}
	for b := newBoundary(steps); b.below(); {
		if base, ok := b.base(); ok {
			return base
		}
	}
	return Base{}
}

// StepsOf returns how many steps came from a FROM image of which it is known
// that it has so many layers, bottom first: those up to its last layer's, and
// those after it that the records show to be its own too.
func (r *Result) StepsOf(layers int) int {
	least := 0
	for i, s := range r.Steps {
		if s.Layer >= 0 && s.Layer < layers {
			least = i + 1
		}
	}
	if r.Fit != Exact {
		return 0
	}
	for b := newBoundary(r.Steps); b.below() && b.at >= least; {
		// An author may set the command before the last layer, a day before
		// it even. The base's was set when its last layer was made.
		if base, ok := b.base(); ok && Layers(r.Steps[:b.at]) == layers && (base.dialect || together(r.Steps[max(0, least-1):b.at])) {
			return b.at
		}
	}
	return least
}

// boundary goes through the places between steps, from the top down, at which a
// FROM image could end. Nothing records that, but some things show it.
type boundary struct {
	steps      []Step
	at         int     // the place: below step at
	top        Builder // of the topmost step that tells
	layerAbove bool    // a step above made a layer
}

func newBoundary(steps []Step) *boundary { return &boundary{steps: steps, at: len(steps)} }

// below moves to the next place down. There is none below the first step.
func (b *boundary) below() bool {
	if b.at <= 1 {
		return false
	}
	b.at--
	s := &b.steps[b.at]
	b.layerAbove = b.layerAbove || !s.Empty
	if b.top == Unknown {
		b.top = s.Builder
	}
	return true
}

// base returns the FROM image that ends here, if one does.
func (b *boundary) base() (Base, bool) {
	below, above := &b.steps[b.at-1], &b.steps[b.at]
	name, named := startsFrom(above)
	switch {
	case named:
		return Base{Steps: b.at, Signed: true, Name: name, dialect: true}, true
	case foreign(below.Builder, b.top):
		return Base{Steps: b.at, Signed: b.signed(), dialect: true}, true
	case below.Builder == Debuerreotype && above.Builder != Debuerreotype,
		b.layerAbove && apart(below, above) && endsWithCommand(b.steps[:b.at]):
		return Base{Steps: b.at}, true
	}
	return Base{}, false
}

// Layers counts the layers that steps made.
func Layers(steps []Step) int {
	n := 0
	for _, s := range steps {
		if s.Layer >= 0 {
			n++
		}
	}
	return n
}

// signed tells whether all steps above are those of one build by a tool that
// adds its own records to the FROM image's, each named for what it holds. Twice
// the same name is two builds, the first of which is part of the FROM image.
func (b *boundary) signed() bool {
	if b.top != Ko && b.top != Jib {
		return false
	}
	seen := map[string]bool{}
	for _, s := range b.steps[b.at:] {
		if s.Builder != b.top || s.Comment == "" || seen[s.Comment] {
			return false
		}
		seen[s.Comment] = true
	}
	return true
}

// startsFrom tells whether buildah says that the step is the first on top of
// the image that FROM names, and its name. (Images between the steps of a build
// have IDs for names.)
func startsFrom(s *Step) (name string, ok bool) {
	m := fromComment.FindStringSubmatch(s.Comment)
	if s.Builder != Buildah || m == nil || isHex(m[1]) {
		return "", false
	}
	return m[1], true
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

// together tells whether steps were made at one time.
func together(steps []Step) bool {
	for i := 1; i < len(steps); i++ {
		if apart(&steps[i-1], &steps[i]) {
			return false
		}
	}
	return true
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
