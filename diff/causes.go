package diff

import (
	"cmp"
	"slices"
	"sync"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/cause"
)

// Cause is what an image stores bytes for, in both. See package cause.
type Cause struct {
	Kind  cause.Kind
	Bytes Bytes
	Parts []CausePart // that add up to Bytes; the most different first, then by ID
}

// CausePart is a part of a cause.
type CausePart struct {
	ID    string // as [cause.Part] has it
	Bytes Bytes
}

// compareCauses compares what two images store bytes for: all causes, in their
// order, also those with no bytes. They add up to what the images store.
//
// The base is a cause if it is known of both images where theirs ends. Else its
// bytes count in both by what they are, and [cause.Base] has none: an image
// whose base is told apart says nothing about one whose isn't.
func compareCauses(old, new *analyze.Image) []Cause {
	base := baseKnown(old) && baseKnown(new)
	var was, is *cause.Report
	var beside sync.WaitGroup
	beside.Go(func() { was = old.Causes(base) })
	is = new.Causes(base)
	beside.Wait()

	sums := map[cause.Of]Bytes{}
	for _, p := range was.Parts {
		sums[p.Of] = Bytes{Old: p.Bytes}
	}
	for _, p := range is.Parts {
		sums[p.Of] = Bytes{sums[p.Of].Old, p.Bytes}
	}
	causes := make([]Cause, cause.NumKinds)
	for k := range causes {
		causes[k].Kind = cause.Kind(k)
	}
	for of, b := range sums {
		c := &causes[of.Kind]
		c.Bytes = c.Bytes.Plus(b)
		c.Parts = append(c.Parts, CausePart{of.Part, b})
	}
	for _, c := range causes {
		slices.SortFunc(c.Parts, func(a, b CausePart) int {
			return cmp.Or(cmp.Compare(b.Bytes.Abs(), a.Bytes.Abs()), cmp.Compare(a.ID, b.ID))
		})
	}
	return causes
}
