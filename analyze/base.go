package analyze

import (
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/layerscope/layerscope/analyze/history"
)

// Base is where the base of an image ends, as far as that is known. Layers and
// steps that came from it have their Base set.
type Base struct {
	// How says how it is known where the base ends: one of the constants
	// below, or "" if it isn't known, and then nothing counts as base.
	How string

	// Name and Digest are those of the image that FROM named, as far as
	// anything tells, the digest being its manifest's or its index's. They
	// may be known where its end isn't, and both are zero where an image is
	// known to have been built from nothing.
	Name   string
	Digest v1.Hash

	Layers, Steps int // how many came from it
}

// How it is known where a base ends, the best way first.
const (
	BaseGiven       = "given"       // somebody said that it is [Options.Base], and the layers agree
	BaseProvenance  = "provenance"  // by the builder's provenance, which is attached to the image
	BaseAnnotations = "annotations" // annotations name it, and its layers are the image's lowest
	BaseLabels      = "labels"      // by what the builder signs its work with, in labels or history
	BaseGuessed     = "guessed"     // the history looks like it
	BaseDockerfile  = "dockerfile"  // it is below the Dockerfile's instructions; see [Image.WithStage]
)

// claim is what somebody says of an image's base.
type claim struct {
	how    string
	name   string
	digest v1.Hash

	// layers is how many of the image's are the base's, or untold: then only
	// the name is said, of the base if there is one. That there is one is
	// said too if sure is set.
	layers int
	sure   bool

	records []v1.History // of the base's own history; nil if they aren't known
}

const untold = -1

// guessed returns what the history shows of the base, nil if nothing.
func guessed(h *history.Result) *claim {
	b := h.Base
	if b.Steps == 0 {
		return nil
	}
	c := &claim{how: BaseGuessed, name: b.Name, layers: history.Layers(h.Steps[:b.Steps])}
	if b.Signed {
		c.how = BaseLabels
	}
	return c
}

// setBase marks what came from the base, as c says or, if c is nil or knows only
// the base's name, as the history shows.
func (m *Image) setBase(c *claim, h *history.Result) {
	guess := guessed(h)
	switch {
	case c == nil:
		c = guess
	case c.how == BaseLabels && guess != nil && guess.layers > c.layers:
		c = guess // labels are inherited: these are of the base's base
	case c.layers == untold && guess != nil:
		c = &claim{how: guess.how, name: c.name, digest: c.digest, layers: guess.layers}
	case c.layers == untold && !c.sure:
		c = nil
	case c.layers == untold:
		m.Base = Base{Name: c.name, Digest: c.digest}
		return
	}
	if c == nil {
		return
	}
	m.markBase(Base{How: c.how, Name: c.name, Digest: c.digest, Layers: c.layers}, c.steps(h))
}

// markBase marks what came from a base: its layers, the first steps, and those
// that made the layers.
func (m *Image) markBase(b Base, steps int) {
	m.Base = b
	for i := range m.Steps {
		s := &m.Steps[i]
		s.Base = i < steps || s.Layer >= 0 && s.Layer < b.Layers
		if s.Base {
			m.Base.Steps++
		}
	}
	for k := range m.Layers {
		m.Layers[k].Base = k < b.Layers
	}
}

// steps returns how many of a history's records are the base's, always the
// first ones: those that it has itself, if that is known.
func (c *claim) steps(h *history.Result) int {
	n := len(c.records)
	switch {
	case c.layers == 0 && c.name == "":
		return 0 // built from nothing
	case n > 0 && isHistory(c.records, h.Steps) && (h.Fit != history.Exact || history.Layers(h.Steps[:n]) == c.layers):
		return n
	}
	return h.StepsOf(c.layers)
}

// isHistory tells whether steps begin with those of records. (A daemon knows no
// fractions of seconds.)
func isHistory(records []v1.History, steps []history.Step) bool {
	if len(records) > len(steps) {
		return false
	}
	for i, r := range records {
		s := &steps[i]
		if s.Synthetic || s.CreatedBy != r.CreatedBy || s.Comment != r.Comment || s.Created.Unix() != r.Created.Unix() {
			return false
		}
	}
	return true
}
