package report

import (
	"io"

	"github.com/layerscope/layerscope/analyze/gate"
	"github.com/layerscope/layerscope/diff"
)

// Comparison is what a report of a comparison is about: two images and what
// differs between them.
type Comparison struct {
	// Diff has no more than Old, New and Layers if nothing but the images'
	// manifests was read.
	*diff.Diff
	Budget *int64 // by how many bytes NEW may store more than OLD; nil for any number
}

// layersOnly tells whether nothing but layers was compared.
func (c Comparison) layersOnly() bool { return c.Files == nil }

// budgetLevel tells how NEW did at the budget.
func (c Comparison) budgetLevel() gate.Level {
	switch {
	case c.Budget == nil:
		return gate.Off
	case c.Stored.Diff() > *c.Budget:
		return gate.Fail
	}
	return gate.Pass
}

// Same tells whether nothing differs of what was compared.
func (c Comparison) Same() bool {
	if c.layersOnly() {
		return c.Layers.Identical()
	}
	return c.Identical()
}

// OverBudget says by how much NEW is over the budget, "" if it isn't.
func (c Comparison) OverBudget() string {
	if c.budgetLevel() != gate.Fail {
		return ""
	}
	return "over"
}

// DiffOptions are how much the text of a comparison lists.
type DiffOptions struct {
	TextOptions
	All bool // everything, not only what differs most
}

func Diff(w io.Writer, c Comparison, opts DiffOptions) error         { return nil }
func DiffMarkdown(w io.Writer, c Comparison, opts TextOptions) error { return nil }
