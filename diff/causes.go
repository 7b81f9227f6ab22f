package diff

import (
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
func compareCauses(old, new *analyze.Image) []Cause { return nil }
