package report

import (
	"fmt"

	"github.com/layerscope/layerscope/analyze/waste"
	"github.com/layerscope/layerscope/view/text"
)

// causes returns why bytes are dead that the image's own steps stored: those of
// the base are its builder's to spare.
func (s Subject) causes() []waste.Cause {
	var own []waste.Cause
	for _, c := range s.Findings.Dead.Causes() {
		if s.Image.IsOwn(c.Written) {
			own = append(own, c)
		}
	}
	return own
}

// advice says what would spare the bytes of a cause.
func (s Subject) advice(c waste.Cause) string {
	wrote, killed, files := s.step(c.Written), s.step(c.Killed), text.Plural(c.Copies, "file")
	if wrote == killed {
		return fmt.Sprintf("step %d has %s twice in its layer", wrote, files)
	}
	inOne := "do both in one step"
	if s.isRun(wrote) && s.isRun(killed) {
		inOne = "do both in one RUN"
	}
	switch c.Reason {
	case waste.Deleted:
		switch {
		case s.Image.Steps[wrote].Instruction == "COPY" && s.isRun(killed):
			inOne = "leave them out there, or mount them instead (RUN --mount=type=bind)"
		case !s.isRun(wrote):
			inOne = "leave them out there"
		}
		return fmt.Sprintf("step %d removes %s of step %d: %s", killed, files, wrote, inOne)
	case waste.Rewritten:
		switch {
		case s.isCopy(killed):
			inOne = "copy them once"
		case s.isCopy(wrote):
			inOne = "set owner and mode there (COPY --chown, --chmod)"
		}
		return fmt.Sprintf("step %d stores %s of step %d again, unchanged: %s", killed, files, wrote, inOne)
	case waste.Overwritten:
		return fmt.Sprintf("step %d overwrites %s of step %d: leave them out there, or %s", killed, files, wrote, inOne)
	}
	return fmt.Sprintf("step %d puts something else in place of %s of step %d: leave them out there", killed, files, wrote)
}

func (s Subject) isRun(step int) bool { return s.Image.Steps[step].Instruction == "RUN" }

func (s Subject) isCopy(step int) bool {
	i := s.Image.Steps[step].Instruction
	return i == "COPY" || i == "ADD"
}
