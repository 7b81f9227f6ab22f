// Package history turns the history records of an image's config into steps
// and says which layer each step made. The common call is [Read].
//
// The OCI image-spec (config.md, "history") gives a record five free fields
// and no syntax, so every builder writes its own dialect, and an image built
// on another builder's base speaks several. Records are read one by one, each
// in its own dialect; what a record says of the shell or the build arguments
// is remembered for those after it.
package history

import (
	"fmt"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Step is one history record of an image, or a layer that no record accounts
// for.
type Step struct {
	// Instruction is the Dockerfile keyword in upper case, or "" if the
	// record isn't known to be a Dockerfile instruction.
	Instruction string

	// Text is what the author wrote, as nearly as the record can tell:
	// "RUN apt-get update", one line or several. It is never empty.
	Text string

	CreatedBy, Comment, Author string // as recorded

	Created time.Time // zero if unknown
	Args    []Arg     // the build arguments a RUN was given

	// Layer is the layer the step made, an index into the image's layers,
	// bottom first; -1 if it made none, or if it can't be told which.
	Layer int

	Builder   Builder // whose dialect the record is in
	Empty     bool    // the record says that it made no layer
	Synthetic bool    // there is no record: the step stands for a layer
	Base      bool    // it came from the FROM image, as far as known; [Read] knows what the records tell
}

// Arg is a build argument that a RUN record carries:
// "RUN |1 A=b /bin/sh -c x" carries A=b.
type Arg struct{ Name, Value string }

// Fit says how an image's history and its layers agree.
type Fit uint8

// How a history can fit the layers. Unless it is Exact no record is claimed to
// have made any layer: a record too many or too few shifts all after it.
const (
	Exact   Fit = iota // as many records that made a layer as there are layers
	Missing            // layers, but no history at all
	Short              // fewer such records than layers
	Long               // more such records than layers
)

var fitNames = [...]string{"exact", "missing", "short", "long"}

// String returns the fit's name in lower case.
func (f Fit) String() string {
	if int(f) < len(fitNames) {
		return fitNames[f]
	}
	return "unknown"
}

// Result is an image's history, read.
type Result struct {
	// Steps are the records in order, the first one first, and after them,
	// unless Fit is Exact, one synthetic step for each layer. Every layer is
	// that of exactly one step.
	Steps []Step

	Fit     Fit
	Builder Builder // who made the image: the last dialect that is known

	// Base is where the records put the end of the FROM image: the steps
	// below it have Base set.
	Base Base
}

// Read reads the history of cfg, whose layers are diffIDs, bottom first.
func Read(cfg *v1.ConfigFile, diffIDs []v1.Hash) Result {
	r := Result{Steps: decode(cfg), Fit: fit(cfg.History, len(diffIDs))}
	if r.Builder = builderOf(r.Steps); r.Builder == Unknown {
		r.Builder = labelled(cfg.Config.Labels)
	}
	if r.Fit == Exact {
		assign(r.Steps)
		r.Base = findBase(r.Steps)
		for i := range r.Steps[:r.Base.Steps] {
			r.Steps[i].Base = true
		}
	} else {
		r.Steps = append(r.Steps, synthetic(diffIDs)...)
	}
	for i := range r.Steps {
		if s := &r.Steps[i]; s.Text == "" {
			s.Text = fallback(s, diffIDs, r.Fit)
		}
	}
	return r
}

func fit(records []v1.History, layers int) Fit {
	made := 0
	for i := range records {
		if !records[i].EmptyLayer {
			made++
		}
	}
	switch {
	case made == layers:
		return Exact
	case len(records) == 0:
		return Missing
	case made < layers:
		return Short
	default:
		return Long
	}
}

// assign gives the layers to the records that made one, in order, as config.md
// has it.
func assign(steps []Step) {
	layer := 0
	for i := range steps {
		if !steps[i].Empty {
			steps[i].Layer = layer
			layer++
		}
	}
}

// synthetic returns one step for each layer.
func synthetic(diffIDs []v1.Hash) []Step {
	steps := make([]Step, len(diffIDs))
	for i := range steps {
		steps[i] = Step{Layer: i, Synthetic: true}
	}
	return steps
}

// fallback returns the text of a step whose record says nothing.
func fallback(s *Step, diffIDs []v1.Hash, f Fit) string {
	if s.Layer < 0 {
		return "empty history record"
	}
	name := fmt.Sprintf("layer %d", s.Layer)
	if hex := diffIDs[s.Layer].Hex; hex != "" {
		name = "layer " + short(hex)
	}
	if f == Short || f == Long {
		return name + ": history doesn't fit"
	}
	return name + ": no history"
}

// shortLen is how many hex digits of a digest docker shows.
const shortLen = 12

func short(hex string) string { return hex[:min(len(hex), shortLen)] }

// firstText returns the first of the texts that isn't blank, trimmed.
func firstText(texts ...string) string {
	for _, t := range texts {
		if t = strings.TrimSpace(t); t != "" {
			return t
		}
	}
	return ""
}
