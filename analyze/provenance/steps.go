package provenance

import (
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/layerscope/layerscope/analyze/dockerfile"
)

// Steps are the operations of a build and where they come from, which only a
// provenance with mode=max tells.
type Steps struct {
	// File and Text are the name and the content of the Dockerfile that was
	// built: lines are its. No Text: it isn't told.
	File string
	Text []byte

	All []Step // in the order of the build's definition

	graph *graph
	at    map[string]int // into All, by their names
	// lengths are how many layers the outputs have, of those of which that is
	// told.
	lengths map[string]int
	whole   [][]v1.Hash // the result's layers, bottom first, in each way of compressing them
}

// Step is an operation: a source, such as what a FROM names or the context, or
// what a RUN, COPY, ADD or WORKDIR does. A COPY --link is two: the copy, and the
// merge of it with what it is copied onto.
type Step struct {
	// Digests name the operation as logs of builds do: they are those of its
	// vertex, "sha256:...".
	Digests []string
	// Lines are the lines of the instructions that the step is of: several if
	// the same is done in several places, and none for what no instruction
	// stands for, such as the context. What an ONBUILD put off is on the lines
	// of the FROM.
	Lines []dockerfile.Range
}

// source is the source of a build (BuildKit, solver/llbsolver/provenance).
type source struct {
	Locations map[string]struct {
		Locations []location `json:"locations"`
	} `json:"locations"`
	Infos []struct {
		Filename string `json:"filename"`
		Data     []byte `json:"data"`
	} `json:"infos"`
}

// location is one instruction, with a range for each of its lines.
type location struct {
	Source int `json:"sourceIndex"` // into the infos
	Ranges []struct {
		Start linePosition `json:"start"`
		End   linePosition `json:"end"`
	} `json:"ranges"`
}

type linePosition struct {
	Line int `json:"line"` // from 1
}

// lines returns the first and the last of the location's lines.
func (l location) lines() (lines dockerfile.Range) {
	for _, r := range l.Ranges {
		start, end := r.Start.Line, max(r.Start.Line, r.End.Line)
		if start < 1 {
			continue
		}
		if lines.IsZero() || start < lines.Start {
			lines.Start = start
		}
		lines.End = max(lines.End, end)
	}
	return lines
}

// ParseSteps reads the steps of an in-toto statement. There are none if it
// doesn't tell them.
func ParseSteps(statement []byte) (*Steps, error) {
	p, err := parse(statement)
	if err != nil {
		return nil, err
	}
	s := &Steps{All: make([]Step, len(p.Steps)), at: map[string]int{}, lengths: map[string]int{}}
	if len(p.Source.Infos) > 0 {
		s.File, s.Text = p.Source.Infos[0].Filename, p.Source.Infos[0].Data
	}
	for i := range p.Steps {
		id := p.Steps[i].ID
		s.at[id] = i
		for _, l := range p.Source.Locations[id].Locations {
			if lines := l.lines(); l.Source == 0 && !lines.IsZero() && !slices.Contains(s.All[i].Lines, lines) {
				s.All[i].Lines = append(s.All[i].Lines, lines)
			}
		}
	}
	for digest, id := range p.IDs {
		if i, ok := s.at[id]; ok {
			s.All[i].Digests = append(s.All[i].Digests, digest)
		}
	}
	for i := range s.All {
		slices.Sort(s.All[i].Digests)
	}
	if g, ok := newGraph(p.Steps); ok {
		s.graph, s.whole = g, chains(p.Layers[g.result])
		s.measure(p.Layers)
	}
	return s, nil
}

// measure takes the lengths of the chains that are told, if all ways of
// compressing them have the same.
func (s *Steps) measure(layers map[string][][]descriptor) {
	for output, all := range layers {
		for i, chain := range all {
			if i == 0 {
				s.lengths[output] = len(chain)
			} else if s.lengths[output] != len(chain) {
				delete(s.lengths, output)
				break
			}
		}
	}
}

// Layer says where a layer comes from.
type Layer struct {
	Step *Step // that made it, or the source that it came with; nil if that can't be told
	// Exact says that the builder names the layer by its digest. If it doesn't,
	// the layers stand in the order of the steps.
	Exact bool
}

// Layers tells which step made each of an image's layers. These are given by
// their digests as the manifest has them, bottom first.
//
// Some exporters change the digests after the provenance is written, or leave
// the layers untold; then the order tells, as each step makes one layer. Layers
// of stages that aren't in the image aren't told by anyone.
//
// Digests alone don't tell it: layers of steps that changed nothing are equal.
func (s *Steps) Layers(layers []v1.Hash) []Layer {
	made := make([]Layer, len(layers))
	path, ok := s.path()
	if !ok {
		return made
	}
	exact := slices.ContainsFunc(s.whole, func(c []v1.Hash) bool { return slices.Equal(c, layers) })
	at := len(layers) // from the top: those from here on are given to a step
	for i, output := range path {
		length, told := s.lengths[output]
		from, below := at-1, false
		switch last := i == len(path)-1; {
		case last && (told || s.isSource(output)):
			from, below = 0, told // all that is left came with it
		case !last:
			if n, ok := s.lengths[path[i+1]]; ok {
				from, below = n, true
			}
		}
		if told && length != at || from < 0 || from > at {
			return make([]Layer, len(layers)) // it is another image's
		}
		for k := from; k < at; k++ {
			made[k] = Layer{s.step(output), exact && told && below}
		}
		at = from
	}
	if at > 0 {
		return make([]Layer, len(layers)) // there are more than the steps made
	}
	return made
}

// path returns the outputs that became the image, from the result down to a
// source or to the first step on an empty filesystem.
func (s *Steps) path() (path []string, ok bool) {
	if s.graph == nil {
		return nil, false
	}
	output := s.graph.result
	for range s.All {
		path = append(path, output)
		input, last, ok := s.graph.input(output)
		switch {
		case !ok:
			return nil, false
		case last:
			return path, true
		}
		output = input
	}
	return nil, false // in a circle
}

func (s *Steps) isSource(output string) bool {
	id, _, _ := parseOutput(output)
	return s.graph.byID[id].isSource()
}

func (s *Steps) step(output string) *Step {
	id, _, _ := parseOutput(output)
	return &s.All[s.at[id]]
}
