package report

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/tree"
	"github.com/layerscope/layerscope/analyze/waste"
)

// Subject is what a report is about: an image and what was found in it.
type Subject struct {
	Image    *analyze.Image
	Findings *analyze.Findings
	Gates    *Gates // nil if it wasn't held to limits
}

// About looks an image over for a report, which tells it without secrets. Of one
// that isn't complete no report can be written.
func About(m *analyze.Image) Subject {
	if !m.Complete {
		return Subject{Image: m}
	}
	return Subject{Image: m.Redacted(), Findings: m.Findings()}
}

// check returns ErrIncomplete if there is nothing to report.
func (s Subject) check() error {
	if s.Findings == nil {
		return ErrIncomplete
	}
	return nil
}

// path returns a path of the image from its root on.
func (s Subject) path(n tree.Node) string { return rooted(s.Image.Tree, n) }

// step returns the step that made a layer.
func (s Subject) step(layer int) int { return s.Image.Layers[layer].Step }

// writer returns the step that stored a copy.
func (s Subject) writer(c waste.Copy) int { return s.step(int(c.Ref.Layer)) }

// share is what a step has of a tally.
type share struct {
	step int
	waste.Sum
}

// shares returns the steps that have a part in sums by layer, in order.
func (s Subject) shares(layers []waste.Sum) []share {
	var out []share
	for k, sum := range layers {
		if sum.Copies > 0 {
			out = append(out, share{s.step(k), sum})
		}
	}
	return out
}

// maxSteps is how many steps a list of them names.
const maxSteps = 3

// stepList names the steps that have a part in sums by layer, those with most
// bytes first.
func (s Subject) stepList(layers []waste.Sum) string {
	shares := s.shares(layers)
	slices.SortStableFunc(shares, func(a, b share) int { return cmp.Compare(b.Bytes, a.Bytes) })
	var names []string
	for _, p := range shares[:min(len(shares), maxSteps)] {
		names = append(names, strconv.Itoa(p.step))
	}
	if more := len(shares) - maxSteps; more > 0 {
		names = append(names, fmt.Sprintf("+%d", more))
	}
	return strings.Join(names, ", ")
}
