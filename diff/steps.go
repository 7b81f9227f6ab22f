package diff

import "github.com/layerscope/layerscope/analyze"

// StepState is how two steps belong together.
type StepState uint8

// The states of steps.
const (
	// StepSame: the same instruction, text and arguments, and the same layer
	// or none.
	StepSame StepState = iota
	// StepRebuilt: the same text and arguments, and a layer of the same content
	// that isn't the same layer: see [Recompressed] and [Retouched].
	StepRebuilt
	// StepChanged: the same text and arguments, and a layer of other content.
	StepChanged
	// StepEdited: another text or other arguments, but the same content, or
	// the same instruction with a text much like it in the same place.
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

// alignSteps pairs the steps of two images, in the order of both.
func alignSteps(old, new *analyze.Image, l *Layers) []Step { return nil }
