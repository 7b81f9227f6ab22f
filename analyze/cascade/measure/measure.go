// Package measure gathers what is known of what a Dockerfile's instructions cost
// when they were built: bytes from an image, by [FromImage], and time from a log
// of a build, by [FromLog].
//
// An instruction of which nothing is known has a zero [cascade.Measure], never
// one of 0 bytes or 0 seconds. What an image or a log of something else says is
// taken for nothing: then the error says so.
package measure

import (
	"fmt"

	"github.com/layerscope/layerscope/analyze/cascade"
)

// Result is what a source tells of a graph's instructions.
type Result struct {
	Measures cascade.Measures // by Step.Index
	// Known is how many instructions, of those that the builder does something
	// for, the source tells something of.
	Known int
	// How is the best way in which bytes are known: [cascade.HowProvenance] or
	// [cascade.HowMatched]; "" of a log.
	How string
}

// newResult returns a result for a graph, that knows nothing.
func newResult(g *cascade.Graph) *Result {
	return &Result{Measures: make(cascade.Measures, len(g.Steps))}
}

// Merge adds what another result knows: of what both know, that of the other
// stands.
func Merge(m, other cascade.Measures) cascade.Measures {
	if m == nil {
		return other
	}
	out := append(cascade.Measures(nil), m...)
	for i, o := range other {
		if o.How != "" {
			out[i].Bytes, out[i].Compressed, out[i].How = o.Bytes, o.Compressed, o.How
		}
		if o.Duration != nil {
			out[i].Duration = o.Duration
		}
	}
	return out
}

// ForeignError says that an image or a log is of another build than a
// Dockerfile's.
type ForeignError struct {
	What  string // "image" or "log"
	Name  string
	File  string // the Dockerfile's path
	Found int    // how many of its instructions were found
	Of    int
}

func (e *ForeignError) Error() string {
	return fmt.Sprintf("the %s %s isn't of %s: %s", e.What, e.Name, e.File, e.Reason())
}

// Reason says what is wrong, without the names.
func (e *ForeignError) Reason() string {
	if e.Found == 0 {
		return "none of the Dockerfile's instructions is in it"
	}
	return fmt.Sprintf("only %d of the Dockerfile's %d instructions are in it", e.Found, e.Of)
}

// enough tells whether so many of the instructions of one side were found on the
// other that both are of one Dockerfile, perhaps edited in between: half of
// either side. Instructions as common as COPY . . are in many.
func enough(found, of, other int) bool {
	return found > 0 && 2*found >= min(of, other)
}
