package measure

import (
	"bytes"
	"errors"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/cascade"
	"github.com/layerscope/layerscope/analyze/dockerfile"
	"github.com/layerscope/layerscope/analyze/history"
	"github.com/layerscope/layerscope/analyze/provenance"
)

// FromImage returns the bytes that an image has of each instruction of the
// stages that it is of. provenances are the statements that come with the
// image: where one tells the layers of the very same Dockerfile it counts, else
// history and instructions are matched. The error is a [*ForeignError] if the
// image wasn't built from the Dockerfile.
func FromImage(g *cascade.Graph, m *analyze.Image, provenances [][]byte) (*Result, error) {
	i := &image{g: g, m: m, chain: map[int]bool{}}
	for _, s := range g.File.Chain(g.File.Stages[g.Target.Index]) {
		i.chain[s.Index] = true
	}
	r := i.attested(provenances)
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

// attested takes what a provenance tells; nil if none tells it of this
// Dockerfile.
func (i *image) attested(provenances [][]byte) *Result {
	var digests []v1.Hash
	for _, l := range i.m.Layers {
		digests = append(digests, l.Digest)
	}
	for _, raw := range provenances {
		steps, err := provenance.ParseSteps(raw)
		if err != nil || len(steps.All) == 0 || !bytes.Equal(steps.Text, i.g.File.Source) {
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
	c, err := i.m.WithDockerfile(i.g.File, i.g.Options.Target)
	if _, foreign := errors.AsType[*analyze.ForeignDockerfileError](err); foreign {
		return nil, i.foreign(&evidence{})
	} else if err != nil {
		return nil, err
	}
	r := newResult(i.g)
	e := i.evidence(c)
	for _, step := range c.Steps {
		if step.Match == history.Unmatched {
			continue
		}
		s, err := i.g.StepAt(step.Line.Start)
		if err != nil {
			continue
		}
		// A RUN without a layer may have been squashed into another.
		if step.Layer >= 0 || !makesLayer(step.Instruction) {
			add(&r.Measures[s.Index], step.Stored, step.Compressed, cascade.HowMatched)
		}
	}
	if !e.enough() {
		return nil, i.foreign(e)
	}
	r.How = cascade.HowMatched
	return r, nil
}

func makesLayer(keyword string) bool {
	return keyword == "RUN" || keyword == "COPY" || keyword == "ADD"
}

// evidence is how well an image and a Dockerfile fit. Instructions that make a
// layer tell; a WORKDIR or a CMD is like that of many others.
type evidence struct {
	of, own    int // instructions of the Dockerfile, and steps of the image that aren't its base's
	found      int // that have a counterpart
	alike      int // of which by the whole text
	unmatched  int // instructions of any kind that have none, or one of another text
	everything int // instructions of any kind
}

func (i *image) evidence(c *analyze.Image) *evidence {
	e := &evidence{}
	found := map[dockerfile.Range]bool{}
	for _, step := range c.Steps {
		if makesLayer(step.Instruction) && !step.Base {
			e.own++
		}
		if step.Match == history.Unmatched {
			continue
		}
		found[step.Line] = true
		if makesLayer(step.Instruction) {
			e.found++
			switch {
			case step.Match == history.Matched:
				e.alike++
			case step.Instruction == "RUN":
				e.unmatched++ // records hold its text
			}
		}
	}
	for _, s := range i.g.Steps {
		if !i.chain[s.Stage] || s.Keyword == "FROM" || s.Keyword == "SHELL" {
			continue
		}
		e.everything++
		if makesLayer(s.Keyword) {
			e.of++
		}
		if !found[s.Lines] {
			e.unmatched++
		}
	}
	return e
}

// enough tells whether the image was built from the Dockerfile, perhaps edited
// since: at least half of the instructions are there, one of them with its whole
// text, or all that there are, where no record holds a text.
func (e *evidence) enough() bool {
	if e.alike == 0 {
		return e.everything > 0 && e.unmatched == 0
	}
	return enough(e.found, e.of, e.own)
}

func (i *image) foreign(e *evidence) error {
	return &ForeignError{What: "image", Name: i.m.Reference, File: i.g.File.Name, Found: e.found, Of: e.of}
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
