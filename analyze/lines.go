package analyze

import (
	"fmt"
	"slices"

	"github.com/layerscope/layerscope/analyze/dockerfile"
	"github.com/layerscope/layerscope/analyze/history"
)

// ForeignDockerfileError says that no step of an image is an instruction of a
// Dockerfile.
type ForeignDockerfileError struct {
	File  string // the Dockerfile's path
	Image string // the image's reference
	Stage string // the stage's name, or its number from 0
	// Steps are how many of the image's steps are known for Dockerfile
	// instructions, those of the base left out.
	Steps int
}

func (e *ForeignDockerfileError) Error() string {
	return fmt.Sprintf("no step of %s is an instruction of stage %s of %s", e.Image, e.Stage, e.File)
}

// Advice says what may be wrong.
func (e *ForeignDockerfileError) Advice() string {
	if e.Steps == 0 {
		return "the image's history has no instructions to tell lines by"
	}
	return "give the Dockerfile that the image was built from, and with --target the stage if it isn't the last"
}

// WithDockerfile returns a copy of the image in which the steps have their
// lines of a Dockerfile, if it was built from the stage that target names as
// docker build's --target does, "" for the last. The error is a
// [*dockerfile.StageError], or one of [Image.WithStage].
func (m *Image) WithDockerfile(f *dockerfile.File, target string) (*Image, error) {
	stage, err := f.Target(target)
	if err != nil {
		return nil, err
	}
	return m.WithStage(f, stage)
}

// WithStage is [Image.WithDockerfile] for a stage of the Dockerfile. If nothing
// else tells where the image's base ends, and the instructions are the last
// steps, all below them is the base's. The error is a [*ForeignDockerfileError]
// if the stage has instructions and none of them is a step of the image.
func (m *Image) WithStage(f *dockerfile.File, stage *dockerfile.Stage) (*Image, error) {
	c := *m
	c.Steps = slices.Clone(m.Steps)
	c.Dockerfile = f
	chain := f.Chain(stage)
	c.FromLine = chain[0].From.Lines
	found := false
	matches, base := history.MatchDockerfile(m.history(), f, stage)
	for i, match := range matches {
		s := &c.Steps[i]
		s.Line, s.Match = dockerfile.Range{}, match.How
		if match.Instruction != nil {
			found = true
			s.Line = match.Instruction.Lines
		}
	}
	if !found && slices.ContainsFunc(chain, func(s *dockerfile.Stage) bool { return len(s.Instructions) > 0 }) {
		return nil, m.foreign(f, stage)
	}
	if m.Base.How == "" && m.Fit == history.Exact && base >= 0 {
		c.Layers = slices.Clone(m.Layers)
		c.markBase(Base{How: BaseDockerfile, Name: m.Base.Name, Digest: m.Base.Digest, Layers: m.layersOf(base)}, base)
		c.fillSteps()
	}
	return &c, nil
}

// layersOf returns how many layers the first steps made.
func (m *Image) layersOf(steps int) int { return history.Layers(m.history()[:steps]) }

func (m *Image) foreign(f *dockerfile.File, stage *dockerfile.Stage) error {
	e := &ForeignDockerfileError{File: f.Name, Image: m.Reference, Stage: stage.Name}
	if e.Stage == "" {
		e.Stage = fmt.Sprint(stage.Index)
	}
	for _, s := range m.Steps {
		if s.Instruction != "" && !s.Base {
			e.Steps++
		}
	}
	return e
}
