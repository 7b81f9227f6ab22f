package buildlog

import (
	"fmt"
	"strings"
)

// serialBuild is a build of the classic builder or of buildah.
type serialBuild struct {
	steps   []*serialStep
	current map[int]*serialStep // of each stage by its number, 0 where it isn't said
	names   map[int]string      // of the stages
	stages  int                 // how many there are, 0 if it isn't said
	shape   int                 // of the times in front of the builder's lines
	froms   int                 // how many FROM there were
	named   int                 // how many of them have an AS
	done    bool
}

// serialStep is a step with what is known of its times.
type serialStep struct {
	Step
	stage, stages int
	start         stamp
	layer         stamp // when a line last said that a layer is done
	lines         int   // how many came after its own
	ended         bool
	runs          bool // it isn't in the cache
	shared        bool // other stages were being built meanwhile
	maybeFound    bool // a line may say that this one was in the cache
}

// expects tells whether a step is one that can come next.
func (b *serialBuild) expects(s *serialStep) bool {
	if s.start.shape != b.shape || s.stages != b.stages {
		return false
	}
	last := b.current[s.stage]
	if last == nil {
		return s.stage > 0 && s.Index == 1
	}
	return s.Index == last.Index+1 && s.Total == last.Total
}

// begin begins a step, which ends the one before.
func (b *serialBuild) begin(s *serialStep) {
	if last := b.current[s.stage]; last != nil {
		last.end(s.start)
	}
	for _, other := range b.going() {
		if other.Index == other.Total && other.layer.shape > 0 {
			other.end(other.layer) // the last of its stage
			continue
		}
		s.shared, other.shared = true, true
	}
	if words := strings.Fields(s.Text); len(words) > 0 && strings.EqualFold(words[0], "FROM") {
		b.from(s, words)
	}
	s.Stage = b.names[s.stage]
	b.current[s.stage] = s
	b.steps = append(b.steps, s)
}

// from names the stage that begins with a FROM as BuildKit would.
func (b *serialBuild) from(s *serialStep, words []string) {
	number := b.froms
	if s.stage > 0 {
		number = s.stage - 1
	}
	b.froms++
	b.names[s.stage] = fmt.Sprintf("stage-%d", number)
	if n := len(words); n > 3 && strings.EqualFold(words[n-2], "AS") {
		b.names[s.stage] = strings.ToLower(words[n-1])
		b.named++
	}
	if s.stages > 1 {
		b.named++ // there are others, be they left out
	}
}

// going returns the steps that are going on: one, or one for each of the stages
// that are built side by side.
func (b *serialBuild) going() []*serialStep {
	var going []*serialStep
	for _, s := range b.current {
		if !s.ended {
			going = append(going, s)
		}
	}
	return going
}

// complete takes a line that says that the build is done: the last step of a
// stage, which is the last one. It tells whether that can be.
func (b *serialBuild) complete(stage int, at stamp) bool {
	last := b.current[stage]
	if at.shape != b.shape || last == nil || last.ended || last.Index != last.Total || stage != b.stages {
		return false
	}
	last.end(at)
	b.done = true
	return true
}

// found tells whether the last step was found in the cache.
func (b *serialBuild) found() bool {
	last := b.current[b.stages]
	return last != nil && last.Cached
}

// found takes a line that says that a step was found in the cache: this one, or
// another that is going on too.
func (s *serialStep) found(others bool) {
	switch first := s.lines == 0; {
	case s.runs:
	case others, s.shared:
		s.maybeFound = true
	case first, !strings.HasPrefix(s.Text, "RUN"):
		s.find()
	default: // it may be what the RUN wrote
		s.maybeFound = true
	}
}

// end ends the step where the next begins. Then it has not failed, whatever it
// wrote.
func (s *serialStep) end(at stamp) {
	s.ended = true
	s.Failed, s.Err = false, ""
	if s.Cached || s.maybeFound || s.waits() || at.shape != s.start.shape || at.shape == 0 {
		return
	}
	if d := at.time.Sub(s.start.time); d >= 0 {
		s.Duration, s.Timed = d, true
	}
}

// waits tells whether the step may have waited for another stage.
func (s *serialStep) waits() bool { return s.shared && strings.Contains(s.Text, "from=") }
