package buildlog

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// serialReader reads the output of the builders that say which instruction they
// are at: the classic one and buildah. What it takes is told by the times in
// front of the lines. Such output holds what RUN writes as it is, so a line is
// taken for the builder's only where the builder can have written it: numbers of
// steps follow each other.
type serialReader struct {
	dialect
	rec   record
	marks int
	unit  time.Duration
	// builds are all there were, open those that aren't done: the last is
	// within a step of the one before, or that one was broken off.
	builds, open []*serialBuild
}

// dialect is how a builder writes.
type dialect struct {
	// step gives the number of the stage and how many there are, those of the
	// instruction, and its text.
	step *regexp.Regexp
	word string // that is in it
	// cache says that the step was found in the cache, layer that it is done,
	// runs that it isn't in the cache, and done that the last one is done.
	cache, layer, runs, done *regexp.Regexp
	// failed says that a step failed: its text, if that is said, and why.
	failed *regexp.Regexp
	// image is the line that a build ends with if all was in the cache.
	image *regexp.Regexp
}

// classic is how the classic builder writes, buildah how buildah does.
var (
	classic = dialect{
		step:   regexp.MustCompile(`^()()Step ([0-9]{1,6})/([0-9]{1,6}) : (.*)$`),
		word:   "Step ",
		cache:  regexp.MustCompile(`^ ---> Using cache$`),
		layer:  regexp.MustCompile(`^ ---> [0-9a-f]{12}$`),
		runs:   regexp.MustCompile(`^ ---> Running in [0-9a-f]{12}$`),
		done:   regexp.MustCompile(`^()()Successfully built [0-9a-f]{12}$`),
		failed: regexp.MustCompile(`^()(The command '.*' returned a non-zero code: [0-9]+|(?:COPY|ADD) failed: .*)$`),
		image:  never,
	}
	buildah = dialect{
		step:   regexp.MustCompile(`^(?:\[([0-9]{1,6})/([0-9]{1,6})\] )?STEP ([0-9]{1,6})(?:/([0-9]{1,6}))?: (.*)$`),
		word:   "STEP ",
		cache:  regexp.MustCompile(`^--> Using cache [0-9a-f]{64}$`),
		layer:  regexp.MustCompile(`^--> [0-9a-f]{11,64}$`),
		runs:   never,
		done:   regexp.MustCompile(`^(?:\[([0-9]{1,6})/([0-9]{1,6})\] )?COMMIT(?: .*)?$`),
		failed: regexp.MustCompile(`^[Ee]rror:? (?:building at STEP "(.*?)": )?(.*)$`),
		image:  regexp.MustCompile(`^[0-9a-f]{64}$`),
	}
)

var never = regexp.MustCompile(`^\b\B`)

// maxNested is how many builds may be going on, one within the other.
const maxNested = 8

func (r *serialReader) line(l line) error {
	if !strings.Contains(l.text[:min(len(l.text), maxStep)], r.word) {
		r.other(l)
		return nil
	}
	if m := r.step.FindStringSubmatch(l.text); m != nil {
		s := &serialStep{start: l.at}
		s.Text = short(m[5], maxStepText)
		s.Name = s.Text
		s.stage, _ = strconv.Atoi(m[1])
		s.stages, _ = strconv.Atoi(m[2])
		s.Index, _ = strconv.Atoi(m[3])
		s.Total, _ = strconv.Atoi(m[4])
		if b := r.buildOf(s); b != nil {
			b.begin(s)
			r.marks++
			r.unit = max(r.unit, l.at.unit)
			r.seen(l.at)
			return r.rec.take(len(s.Text))
		}
	}
	r.other(l)
	return nil
}

// maxStep is where the word of a step is at the latest.
const maxStep = 32

// other takes a line that begins no step.
func (r *serialReader) other(l line) {
	if len(r.open) == 0 {
		return
	}
	if b := r.open[len(r.open)-1]; b.shape == l.at.shape {
		going := b.going()
		r.note(going, l)
		for _, s := range going {
			s.lines++
		}
	}
	if m := r.done.FindStringSubmatch(l.text); m != nil && m[1] == m[2] {
		stage, _ := strconv.Atoi(m[1])
		r.complete(stage, l.at)
	} else if b := r.open[len(r.open)-1]; r.image.MatchString(l.text) && b.found() {
		r.complete(b.stages, l.at)
	}
}

// complete takes a line that says that a build is done. What was begun since its
// last step is what that wrote.
func (r *serialReader) complete(stage int, at stamp) {
	for i, b := range slices.Backward(r.open) {
		if b.complete(stage, at) {
			r.seen(at)
			r.open = r.open[:i]
			r.builds = r.builds[:slices.Index(r.builds, b)+1]
			return
		}
	}
}

// buildOf returns the build that a step is the next of; nil if it can't be one,
// and is something that a step wrote.
func (r *serialReader) buildOf(s *serialStep) *serialBuild {
	for i, b := range slices.Backward(r.open) {
		if b.expects(s) { // what was begun since is what its last step wrote
			r.open = r.open[:i+1]
			r.builds = r.builds[:slices.Index(r.builds, b)+1]
			return b
		}
	}
	if s.Index != 1 {
		return nil
	}
	if len(r.open) == maxNested {
		r.open = slices.Delete(r.open, 0, 1)
	}
	b := &serialBuild{current: map[int]*serialStep{}, names: map[int]string{}, stages: s.stages, shape: s.start.shape}
	r.builds = append(r.builds, b)
	r.open = append(r.open, b)
	return b
}

// note notes what a line says of the steps that are going on.
func (r *serialReader) note(going []*serialStep, l line) {
	switch {
	case r.runs.MatchString(l.text):
		for _, s := range going {
			s.runs = s.runs || s.lines == 0
		}
	case r.cache.MatchString(l.text):
		for _, s := range going {
			s.found(len(going) > 1)
		}
	case r.layer.MatchString(l.text):
		if len(going) == 1 {
			going[0].layer = l.at
		}
	default:
		m := r.failed.FindStringSubmatch(l.text)
		if m == nil {
			return
		}
		for _, s := range going {
			if m[1] == s.Text || m[1] == "" && len(going) == 1 {
				s.fail(short(m[2], maxErr))
				r.seen(l.at)
			}
		}
	}
}

// end adds what a build tells to what is known.
func (r *serialReader) end(b *serialBuild) {
	steps := make([]Step, len(b.steps))
	failed := false
	for i, s := range b.steps {
		steps[i] = s.Step
		failed = failed || s.Failed
		if b.froms < 2 && b.named == 0 {
			steps[i].Stage = "" // as BuildKit calls it
		}
	}
	if !b.done && !failed {
		r.rec.log.Truncated = true
	}
	r.rec.add(steps)
}

func (r *serialReader) seen(at stamp) {
	if at.dated() {
		r.rec.span(at.time)
	}
}

func (r *serialReader) finish() (*record, int) {
	for _, b := range r.builds {
		r.end(b)
	}
	r.rec.log.Resolution = r.unit
	return &r.rec, r.marks
}
