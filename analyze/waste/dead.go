package waste

import (
	"cmp"
	"slices"

	"github.com/layerscope/layerscope/analyze/layer"
	"github.com/layerscope/layerscope/analyze/tree"
)

// Reason is why a copy is dead: what became of the last path that referred to
// it, as it is after the layer that killed the copy.
type Reason uint8

// The reasons.
const (
	// Overwritten: a regular file with other content stands at the path.
	Overwritten Reason = iota
	// Rewritten: a regular file with the same content does. Only metadata
	// was changed, as by chmod, chown or touch.
	Rewritten
	// Deleted: nothing does; the path was whited out, itself or with a
	// directory above it.
	Deleted
	// Replaced: something of another type stands at the path or above it, or
	// the layer's own tar had the path again.
	Replaced

	NumReasons = iota
)

var reasonNames = [NumReasons]string{"overwritten", "rewritten", "deleted", "replaced"}

// String returns the reason's name as JSON has it.
func (r Reason) String() string {
	if int(r) < NumReasons {
		return reasonNames[r]
	}
	return "unknown"
}

// DeadCopy is a copy that no path of the final filesystem refers to.
type DeadCopy struct {
	Copy   // Path is the last that referred to it
	Reason Reason
	// KilledBy is the layer after which nothing referred to the copy any
	// more; it may be the copy's own.
	KilledBy int
}

// Dead are the dead copies of an image.
type Dead struct {
	Tally // by the layers that wrote them
	// ByReason holds the same by [Reason].
	ByReason [NumReasons]Tally
	// Killed holds the sums by the layer that killed the copies.
	Killed []Sum
	// Copies are all of them, the largest first, those of a size in the order
	// of their paths and then of their layers.
	Copies []DeadCopy
}

// FindDead finds the dead copies. Its bytes are, layer by layer, those that the
// tree counts as dead.
func FindDead(m Image) *Dead {
	d := &Dead{Tally: m.NewTally(), Killed: make([]Sum, m.Tree.Layers())}
	for r := range d.ByReason {
		d.ByReason[r] = m.NewTally()
	}
	for death := range m.Tree.Deaths() {
		c := DeadCopy{Copy: m.Copy(death.Copy, death.Path), Reason: reason(m.Tree, death), KilledBy: death.Layer}
		d.Add(c.Copy)
		d.ByReason[c.Reason].Add(c.Copy)
		d.Killed[c.KilledBy].Add(c.Copy)
		d.Copies = append(d.Copies, c)
	}
	slices.SortFunc(d.Copies, func(a, b DeadCopy) int { return byBytes(a.Copy, b.Copy) })
	return d
}

// byBytes puts the largest copy first, those of a size in the order of their
// paths.
func byBytes(a, b Copy) int {
	return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(a.Path, b.Path),
		cmp.Compare(a.Ref.Layer, b.Ref.Layer), cmp.Compare(a.Ref.Row, b.Ref.Row))
}

func reason(t *tree.Tree, d tree.Death) Reason {
	switch {
	case d.Layer == int(d.Copy.Layer):
		return Replaced // nothing else ends within a layer
	case d.Gone == tree.Deleted:
		return Deleted
	case d.Gone == tree.Displaced:
		return Replaced
	}
	was, _ := t.Entry(d.Copy)
	is, _ := t.Entry(d.Next.Inode)
	switch {
	case is == nil || is.Type != layer.File:
		return Replaced
	case is.Content() == was.Content():
		return Rewritten
	}
	return Overwritten
}

// Cause is what one layer stored and another, or the same, killed for a reason.
type Cause struct {
	Written, Killed int // layers
	Reason          Reason
	Sum
}

// Causes returns the dead copies summed up by who wrote and who killed them and
// why, the most bytes first, then by layers and reason.
func (d *Dead) Causes() []Cause {
	type key struct {
		written, killed int
		reason          Reason
	}
	sums := map[key]Sum{}
	for _, c := range d.Copies {
		k := key{int(c.Ref.Layer), c.KilledBy, c.Reason}
		s := sums[k]
		s.Add(c.Copy)
		sums[k] = s
	}
	causes := make([]Cause, 0, len(sums))
	for k, s := range sums {
		causes = append(causes, Cause{k.written, k.killed, k.reason, s})
	}
	slices.SortFunc(causes, func(a, b Cause) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(a.Written, b.Written),
			cmp.Compare(a.Killed, b.Killed), cmp.Compare(a.Reason, b.Reason))
	})
	return causes
}
