package provenance

import (
	"strconv"
	"strings"
)

// step is one operation of a build's definition. The JSON is protobuf's: a
// number that is missing is 0 (BuildKit, solver/pb/ops.proto).
type step struct {
	ID     string   `json:"id"`
	Inputs []string `json:"inputs"` // outputs of other steps, "step3:0"
	Op     struct {
		Op *operation `json:"Op"`
	} `json:"op"`
}

// operation is one of these, or none for the last step, which has but the
// result for its input.
type operation struct {
	Source *struct {
		Identifier string `json:"identifier"`
	} `json:"source"`
	Exec *struct {
		Mounts []struct {
			Input  int `json:"input"`
			Output int `json:"output"` // -1 if what is written there is lost
		} `json:"mounts"`
	} `json:"exec"`
	File *struct {
		Actions []action `json:"actions"`
	} `json:"file"`
	Merge *struct {
		Inputs []struct {
			Input int `json:"input"`
		} `json:"inputs"`
	} `json:"merge"`
	Diff  *struct{} `json:"diff"`
	Build *struct{} `json:"build"`
}

// action is one of a file operation. Its input is a number: of an input of the
// step or, after those, of an action; -1 is an empty filesystem.
type action struct {
	Input  int `json:"input"`
	Output int `json:"output"` // -1 if it is none of the step's
}

// isResult tells whether a step is the last, which does nothing.
func (s *step) isResult() bool {
	o := s.Op.Op
	return o == nil || *o == operation{}
}

// source returns the identifier of a source, "" if the step is none.
func (s *step) source() string {
	if !s.isSource() {
		return ""
	}
	return s.Op.Op.Source.Identifier
}

func (s *step) isSource() bool { return s.Op.Op != nil && s.Op.Op.Source != nil }

// scratch is the input that stands for an empty filesystem.
const scratch = -1

// graph is a build's steps by their names.
type graph struct {
	byID   map[string]*step
	result string // the output that became the image
}

// newGraph returns the steps' graph, if it tells which result it has.
func newGraph(steps []step) (*graph, bool) {
	if len(steps) == 0 {
		return nil, false
	}
	last := &steps[len(steps)-1]
	if !last.isResult() || len(last.Inputs) != 1 {
		return nil, false
	}
	g := &graph{byID: make(map[string]*step, len(steps)), result: last.Inputs[0]}
	for i := range steps {
		g.byID[steps[i].ID] = &steps[i]
	}
	return g, true
}

// origin is a source that a result was made from.
type origin struct {
	step   *step
	output string
}

// root follows an output down, through the filesystem that each step was done
// in, to the source at its bottom; nil for an empty filesystem. It says whether
// that can be told.
func (g *graph) root(output string) (*origin, bool) {
	for range len(g.byID) {
		input, last, ok := g.input(output)
		switch id, _, _ := parseOutput(output); {
		case !ok:
			return nil, false
		case last && !g.byID[id].isSource():
			return nil, true
		case last:
			return &origin{g.byID[id], output}, true
		}
		output = input
	}
	return nil, false // in a circle
}

// input returns the output of another step that an output has its other files
// from, or that it is the last: a source, or the first step on an empty
// filesystem. It says whether that can be told.
func (g *graph) input(output string) (input string, last, ok bool) {
	id, index, ok := parseOutput(output)
	s := g.byID[id]
	if !ok || s == nil || s.Op.Op == nil {
		return "", false, false
	}
	if s.Op.Op.Source != nil {
		return "", true, true
	}
	at, ok := s.Op.Op.rootInput(index, len(s.Inputs))
	switch {
	case ok && at == scratch:
		return "", true, true
	case !ok || at < 0 || at >= len(s.Inputs):
		return "", false, false
	}
	return s.Inputs[at], false, true
}

// parseOutput parses "step3:0".
func parseOutput(s string) (id string, index int, ok bool) {
	id, number, ok := strings.Cut(s, ":")
	index, err := strconv.Atoi(number)
	return id, index, ok && err == nil
}

// rootInput returns the number of the input that an output of an operation has
// the other files from.
func (o *operation) rootInput(output, inputs int) (int, bool) {
	switch {
	case o.Exec != nil:
		for _, m := range o.Exec.Mounts {
			if m.Output == output {
				return m.Input, true
			}
		}
	case o.File != nil:
		return rootOfActions(o.File.Actions, output, inputs)
	case o.Merge != nil && len(o.Merge.Inputs) > 0:
		return o.Merge.Inputs[0].Input, true // the lowest, as under COPY --link
	}
	return 0, false
}

// rootOfActions follows the actions of a file operation from an output to the
// input of the first.
func rootOfActions(actions []action, output, inputs int) (int, bool) {
	at := -1
	for i, a := range actions {
		if a.Output == output {
			at = i
		}
	}
	for range actions {
		if at < 0 || at >= len(actions) {
			return 0, false
		}
		input := actions[at].Input
		if input < inputs {
			return input, true
		}
		at = input - inputs
	}
	return 0, false
}
