package measure

import (
	"bytes"
	"errors"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/cascade"
	"github.com/layerscope/layerscope/analyze/dockerfile"
	"github.com/layerscope/layerscope/analyze/history"
	"github.com/layerscope/layerscope/analyze/provenance"
)

// FromImage returns the bytes that an image has of each instruction of the
// stages that it is of. text is the Dockerfile's, and provenances are the
// statements that come with the image. Where one tells the layers of the very
// same Dockerfile it counts; else history and instructions are matched. The
// error is a [*ForeignError] if the image wasn't built from the Dockerfile.
func FromImage(g *cascade.Graph, text []byte, m *analyze.Image, provenances [][]byte) (*Result, error) {
	i := &image{g: g, m: m, chain: map[int]bool{}}
	for _, s := range g.File.Chain(g.File.Stages[g.Target.Index]) {
		i.chain[s.Index] = true
	}
	r := i.attested(text, provenances)
	if r == nil {
		var err error
		if r, err = i.matched(); err != nil {
			return nil, err
		}
	}
	for _, s := range g.Steps {
		if s.Stage >= 0 && !i.chain[s.Stage] && s.Works() {
			r.Measures[s.Index].How = cascade.HowNotExported
		}
		if r.Measures[s.Index].Bytes != nil && s.Works() {
			r.Known++
		}
	}
	return r, nil
}

// image is an image that is held to a graph.
type image struct {
	g     *cascade.Graph
	m     *analyze.Image
	chain map[int]bool // stages whose instructions the image has, by index
}

// exported returns those instructions that the image has and that may make a
// layer.
func (i *image) exported() []*cascade.Step {
	var steps []*cascade.Step
	for _, s := range i.g.Steps {
		if i.chain[s.Stage] && s.Works() {
			steps = append(steps, s)
		}
	}
	return steps
}

// attested takes what a provenance tells; nil if none tells it of this
// Dockerfile.
func (i *image) attested(text []byte, provenances [][]byte) *Result {
	var digests []v1.Hash
	for _, l := range i.m.Layers {
		digests = append(digests, l.Digest)
	}
	for _, raw := range provenances {
		steps, err := provenance.ParseSteps(raw)
		if err != nil || len(steps.All) == 0 || !bytes.Equal(steps.Text, text) {
			continue // one of several platforms, or of another builder
		}
		r := newResult(i.g)
		found := false
		for k, made := range steps.Layers(digests) {
			s := i.stepOf(made)
			if s == nil {
				continue
			}
			found = true
			l := i.m.Layers[k]
			how := cascade.HowMatched
			if made.Exact {
				how, r.How = cascade.HowProvenance, cascade.HowProvenance
			}
			add(&r.Measures[s.Index], l.Stored, l.Compressed, how)
		}
		if found {
			if r.How == "" {
				r.How = cascade.HowMatched
			}
			return r
		}
	}
	return nil
}

// stepOf returns the instruction that made a layer, of those on its lines that
// are the image's; nil for the base's layers and those of which it isn't known.
func (i *image) stepOf(made provenance.Layer) *cascade.Step {
	if made.Step == nil {
		return nil
	}
	for _, lines := range made.Step.Lines {
		s, err := i.g.StepAt(lines.Start)
		if err == nil && i.chain[s.Stage] && s.Keyword != "FROM" {
			return s
		}
	}
	return nil
}

// matched takes what steps of the history that are the Dockerfile's
// instructions have.
func (i *image) matched() (*Result, error) {
	exported := i.exported()
	c, err := i.m.WithDockerfile(i.g.File, i.g.Options.Target)
	if _, foreign := errors.AsType[*analyze.ForeignDockerfileError](err); foreign {
		return nil, i.foreign(0, len(exported))
	} else if err != nil {
		return nil, err
	}
	r := newResult(i.g)
	found := map[dockerfile.Range]bool{}
	own := 0
	for _, step := range c.Steps {
		worked := slices.Contains([]string{"RUN", "COPY", "ADD", "WORKDIR"}, step.Instruction)
		if worked && !step.Base {
			own++
		}
		if step.Match == history.Unmatched {
			continue
		}
		s, err := i.g.StepAt(step.Line.Start)
		if err != nil {
			continue
		}
		if s.Works() {
			found[s.Lines] = true
		}
		// A RUN without a layer may have been squashed into another.
		if step.Layer >= 0 || !worked {
			add(&r.Measures[s.Index], step.Stored, step.Compressed, cascade.HowMatched)
		}
	}
	if len(exported) > 0 && !enough(len(found), len(exported), own) {
		return nil, i.foreign(len(found), len(exported))
	}
	r.How = cascade.HowMatched
	return r, nil
}

func (i *image) foreign(found, of int) error {
	return &ForeignError{What: "image", Name: i.m.Reference, File: i.g.File.Name, Found: found, Of: of}
}

// add adds the bytes of a layer to an instruction's; what isn't known of one
// isn't known of their sum.
func add(m *cascade.Measure, stored, compressed int64, how string) {
	first := m.How == ""
	plus := func(sum *int64, n int64) *int64 {
		if n == analyze.Unknown || !first && sum == nil {
			return nil
		}
		if sum != nil {
			n += *sum
		}
		return &n
	}
	m.Bytes, m.Compressed = plus(m.Bytes, stored), plus(m.Compressed, compressed)
	if first || how == cascade.HowMatched {
		m.How = how
	}
}
