package compare

import (
	"context"

	"github.com/layerscope/layerscope/analyze/cascade"
)

// Soundness is what comparing "this line, somehow" with real edits of the line
// came to.
type Soundness struct {
	Instructions int // compared
	Pessimistic  int // instructions that the prediction takes for worse than an edit makes them
	Needed       int // instructions of stages that only the edited file needs
	Unsound      []Difference
}

// Somehow predicts what any edit of each instruction does, and holds edits
// against it. It is of one build, and keeps predictions.
type Somehow struct {
	before      *Pair
	predictions map[int]*cascade.Prediction
}

// NewSomehow returns the predictions of a build that isn't refused.
func NewSomehow(before *Pair) *Somehow {
	return &Somehow{before, map[int]*cascade.Prediction{}}
}

// Hold holds the real prediction of an edit against what was predicted of any
// edit of its instruction: nothing that runs again may have been called cached.
// An edit that isn't one of a single instruction, which stays what it is, isn't
// compared.
func (s *Somehow) Hold(ctx context.Context, after *Pair, real *cascade.Prediction) (*Soundness, error) {
	at := edited(s.before.Ours.Graph, after.Ours.Graph)
	if at < 0 {
		return nil, nil
	}
	predicted := s.predictions[at]
	if predicted == nil {
		line := s.before.Ours.Graph.Steps[at].Lines.Start
		edited, assume, err := s.before.Ours.With(cascade.Change{Lines: []int{line}})
		if err != nil {
			return nil, err
		}
		if predicted, err = cascade.Predict(ctx, edited, []cascade.Build{s.before.Ours}, assume); err != nil {
			return nil, err
		}
		s.predictions[at] = predicted
	}
	r := &Soundness{}
	for i, v := range real.Steps {
		guess := predicted.Steps[i]
		if len(v.Step.Nodes) == 0 {
			continue // it is nothing that runs
		}
		r.Instructions++
		switch {
		case guess.State == cascade.NotBuilt && v.State != cascade.NotBuilt:
			r.Needed++
		case v.State >= cascade.MayMiss && guess.State <= cascade.Hit:
			r.Unsound = append(r.Unsound, Difference{"unsound", v.Step.Lines.Start, v.Step.Keyword, "any edit of line " + real.After.Graph.Steps[at].Lines.String() + ": " + guess.State.String(), v.State.String()})
		case v.State < guess.State && i != at:
			r.Pessimistic++
		}
	}
	return r, nil
}

// edited returns the instruction that two graphs of the same options differ in,
// if they differ in one that keeps its keyword and its variables' names; else -1.
func edited(a, b *cascade.Graph) int {
	if len(a.Steps) != len(b.Steps) {
		return -1
	}
	at := -1
	for i, s := range a.Steps {
		t := b.Steps[i]
		if s.Keyword != t.Keyword || s.Stage != t.Stage {
			return -1
		}
		if sameText(s, t) {
			continue
		}
		if at >= 0 {
			return -1
		}
		at = i
	}
	return at
}

func sameText(a, b *cascade.Step) bool {
	if a.Text != b.Text || len(a.Heredocs) != len(b.Heredocs) {
		return false
	}
	for i, h := range a.Heredocs {
		if h != b.Heredocs[i] {
			return false
		}
	}
	return true
}
