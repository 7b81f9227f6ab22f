package diff

import (
	"regexp"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/layerscope/layerscope/analyze"
)

// StepState is how two steps belong together.
type StepState uint8

// The states of steps.
const (
	// StepSame: the same instruction, text and arguments, and the same layer
	// or none. Of a record that isn't tied to a layer the layer says nothing.
	StepSame StepState = iota
	// StepRebuilt: the same text and arguments, and a layer of the same content
	// that isn't the same layer: see [Recompressed] and [Retouched]. A layer
	// of no entries has the content of none.
	StepRebuilt
	// StepChanged: the same text and arguments, and a layer of other content.
	StepChanged
	// StepEdited: another text or other arguments, but the same content, or
	// the same instruction (ADD is COPY here) with a text much like it in the
	// same place.
	StepEdited
	StepRemoved // only OLD has it
	StepAdded   // only NEW has it
)

var stepStates = [...]string{"same", "rebuilt", "changed", "edited", "removed", "added"}

// String returns the state's name as JSON has it.
func (s StepState) String() string { return stepStates[s] }

// Step is a step that both images have, or one of them.
type Step struct {
	Old, New int // indexes into the images' steps; -1 for none
	State    StepState
	// Stored is what their layers store; 0 where there is none, Unknown for a
	// record that isn't tied to a layer. What is known adds up to what the
	// images store.
	Stored Bytes
}

// alignSteps pairs the steps of two images, in the order of both; of those
// between two pairs the removed ones come first. See aligner for which belong
// together.
func alignSteps(old, new *analyze.Image, l *Layers) []Step {
	c := newContents(old, new, l)
	steps := make([]Step, 0, max(len(old.Steps), len(new.Steps)))
	i, j := 0, 0
	upTo := func(p stepPair) {
		for ; i < p.old; i++ {
			steps = append(steps, Step{i, -1, StepRemoved, Bytes{old.Steps[i].Stored, 0}})
		}
		for ; j < p.new; j++ {
			steps = append(steps, Step{-1, j, StepAdded, Bytes{0, new.Steps[j].Stored}})
		}
	}
	for _, p := range stepPairs(old, new, c) {
		upTo(p)
		a, b := &old.Steps[i], &new.Steps[j]
		steps = append(steps, Step{i, j, c.state(a, b), Bytes{a.Stored, b.Stored}})
		i, j = i+1, j+1
	}
	upTo(stepPair{len(old.Steps), len(new.Steps)})
	return steps
}

// stepPair is two steps that belong together, indexes into the images' steps.
type stepPair struct{ old, new int }

// stepText returns what tells by its text and arguments that a step is another:
// "" for one of which nothing is recorded, so that its text is made up. The
// checksum that docker's first builder writes for the sources of a COPY is none
// of the text but of the content.
func stepText(s *analyze.Step) string {
	if s.Layer >= 0 && wordless(s) {
		return ""
	}
	parts := []string{s.Instruction, sourceSum.ReplaceAllString(s.Text, "${1}in ")}
	for _, a := range s.Args {
		parts = append(parts, a.Name+"="+a.Value)
	}
	return strings.Join(parts, "\x00")
}

var sourceSum = regexp.MustCompile(`^((?:ADD|COPY) (?:--\S+ )*)(?:file|dir|multi):[0-9a-f]+ in `)

// contents tells which layers of two images have the same content.
type contents struct {
	old, new *analyze.Image
	states   map[[2]int]LayerState // of layers that are paired
	// oldOf and newOf are the contents by layer, the same number for the
	// same; -1 for one that isn't known.
	oldOf, newOf []int32
}

func newContents(old, new *analyze.Image, l *Layers) *contents {
	c := &contents{old: old, new: new, states: map[[2]int]LayerState{}}
	known := map[v1.Hash]int32{}
	var same disjoint
	number := func(layers []analyze.Layer) []int32 {
		of := make([]int32, len(layers))
		for k := range layers {
			id := layers[k].DiffID
			if id == (v1.Hash{}) {
				of[k] = -1
				continue
			}
			if _, ok := known[id]; !ok {
				known[id] = same.add()
			}
			of[k] = known[id]
		}
		return of
	}
	c.oldOf, c.newOf = number(old.Layers), number(new.Layers)
	for _, p := range l.Pairs {
		if p.Old >= 0 && p.New >= 0 {
			c.states[[2]int{p.Old, p.New}] = p.State
			if a, b := c.oldOf[p.Old], c.newOf[p.New]; a >= 0 && b >= 0 {
				same.join(a, b)
			}
		}
	}
	for _, of := range [][]int32{c.oldOf, c.newOf} {
		for k, n := range of {
			if n >= 0 {
				of[k] = same.root(n)
			}
		}
	}
	return c
}

// state returns how two steps that belong together do.
func (c *contents) state(a, b *analyze.Step) StepState {
	if stepText(a) != stepText(b) {
		return StepEdited
	}
	switch {
	case a.Layer >= 0 && b.Layer >= 0:
		return c.layerState(a.Layer, b.Layer)
	case untied(a) || untied(b) || a.Layer < 0 && b.Layer < 0:
		if a.Text != b.Text { // a checksum
			return StepChanged
		}
		return StepSame
	case a.Layer >= 0 && c.old.Layers[a.Layer].Entries == 0, b.Layer >= 0 && c.new.Layers[b.Layer].Entries == 0:
		return StepRebuilt
	}
	return StepChanged
}

// layerState returns the state of steps of the same text that made a layer each.
func (c *contents) layerState(a, b int) StepState {
	state, paired := c.states[[2]int{a, b}]
	x, y := &c.old.Layers[a], &c.new.Layers[b]
	switch zero := (v1.Hash{}); {
	case paired && state == Shared:
		return StepSame
	case paired, x.Entries == 0 && y.Entries == 0 && x.DiffID != y.DiffID:
		return StepRebuilt
	case c.oldOf[a] < 0 || c.oldOf[a] != c.newOf[b]:
		return StepChanged
	case x.DiffID != y.DiffID, x.Digest != zero && y.Digest != zero && x.Digest != y.Digest:
		return StepRebuilt
	}
	return StepSame // one of several like it, of which others are paired
}

// untied tells whether a step is a record of which it isn't known which layer it
// made.
func untied(s *analyze.Step) bool { return s.Layer < 0 && s.Stored == Unknown }

// disjoint is a set of disjoint sets of numbers.
type disjoint []int32

// add adds a number that is alone.
func (d *disjoint) add() int32 {
	*d = append(*d, int32(len(*d)))
	return int32(len(*d) - 1)
}

// root returns the number that stands for the set of n.
func (d disjoint) root(n int32) int32 {
	for d[n] != n {
		d[n] = d[d[n]]
		n = d[n]
	}
	return n
}

// join makes one set of two: the lower root stands for both.
func (d disjoint) join(a, b int32) {
	a, b = d.root(a), d.root(b)
	d[max(a, b)] = min(a, b)
}
