package cascade

import (
	"context"
	"fmt"
	"slices"

	"github.com/layerscope/layerscope/analyze/dockerfile"
)

// Prediction is what a build does again.
type Prediction struct {
	After Build
	Nodes []Outcome // by Node.ID
	Steps []Verdict // by Step.Index
}

// Outcome is what becomes of a node.
type Outcome struct {
	State State
	Cause *Cause // nil for a Hit
	// Frontier are the edges, as indexes into Node.In, on content that is built
	// again: they decide what becomes of a MayMiss, unless an input of it does.
	Frontier []int
}

// Verdict is what becomes of an instruction (design §6): of its own node, or
// of itself if it has none.
type Verdict struct {
	Step  *Step
	State State
	Cause *Cause // nil for a Hit and a NotBuilt
}

// Predict tells what a build does, of which others were before. With several
// before it, what any of them did is cached. The error is of reading files.
func Predict(ctx context.Context, after Build, before []Build, assume Assume) (*Prediction, error) {
	m := &matcher{
		ctx: ctx, after: &after, before: before, assume: assume, marks: assume.marks(),
		found: map[pair]*outcome{}, content: map[content]*compared{},
	}
	m.rules = contentRules(after.Graph.Options.Builder)
	all := m.find()
	if m.err != nil {
		return nil, m.err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	p := &Prediction{After: after, Nodes: make([]Outcome, len(all))}
	ex := newExplainer(m, all)
	for i, b := range all {
		o := Outcome{State: b.state}
		if b.state != Hit {
			o.Cause = ex.node(after.Graph.Nodes[i])
		}
		if b.state == MayMiss {
			for j, in := range b.outcome.inputs {
				if in.frontier {
					o.Frontier = append(o.Frontier, j)
				}
			}
		}
		p.Nodes[i] = o
	}
	for _, s := range after.Graph.Steps {
		p.Steps = append(p.Steps, p.verdict(s, ex))
	}
	return p, nil
}

// verdict returns an instruction's.
func (p *Prediction) verdict(s *Step, ex *explainer) Verdict {
	v := Verdict{Step: s, State: Hit}
	switch {
	case s.Stage >= 0 && !p.After.Graph.Stages[s.Stage].Needed:
		v.State = NotBuilt
	case len(s.Nodes) > 0 && s.Keyword != "FROM":
		o := p.Nodes[s.Nodes[len(s.Nodes)-1].ID]
		v.State, v.Cause = o.State, o.Cause
	case ex.changed(s):
		v.State, v.Cause = Miss, &Cause{Kind: CauseItself, Step: s.Index, What: s.Keyword, Via: -1, By: -1}
	case s.names.intersects(ex.m.marks):
		v.State, v.Cause = Miss, ex.base(&Edge{deps: s.names})
	default:
		v.State, v.Cause = p.worst(s.Nodes)
	}
	return v
}

// worst returns what becomes of a FROM: of its image, and of what ONBUILDs of
// that put off, the worst.
func (p *Prediction) worst(nodes []*Node) (state State, cause *Cause) {
	state = Hit
	for _, n := range nodes {
		if o := p.Nodes[n.ID]; o.State > state {
			state, cause = o.State, o.Cause
		}
	}
	return state, cause
}

// Counts are how many instructions come to each state.
type Counts struct {
	Misses, MayMisses, Hits, NotBuilt int
}

// Counts counts the instructions that the builder makes a step of. Those of the
// configuration alone cost nothing and aren't counted; nor is a FROM, but for
// one whose base has put something off by ONBUILD.
func (p *Prediction) Counts() (c Counts) {
	for _, v := range p.Steps {
		if v.State != NotBuilt && !v.Step.Works() {
			continue
		}
		switch v.State {
		case Miss:
			c.Misses++
		case MayMiss:
			c.MayMisses++
		case Hit:
			c.Hits++
		case NotBuilt:
			c.NotBuilt++
		}
	}
	return c
}

// Works tells whether the builder does something for the instruction that takes
// time or makes bytes, and doesn't only note a setting. A FROM does if its base
// has put something off by ONBUILD.
func (s *Step) Works() bool {
	if len(s.Nodes) == 0 {
		return false
	}
	if s.Keyword == "FROM" {
		return slices.ContainsFunc(s.Nodes, func(n *Node) bool { return n.Trigger && n.Kind != KindMeta })
	}
	return s.Nodes[len(s.Nodes)-1].Kind != KindMeta
}

// LineError says that there is no instruction on a line.
type LineError struct {
	File    string
	Line    int // as asked for
	Last    int // the file's last line that an instruction stands on
	Nearest *dockerfile.Instruction
}

func (e *LineError) Error() string {
	if e.Line > e.Last || e.Line < 1 {
		return fmt.Sprintf("%s has no instruction on line %d: its last stands on line %d", e.File, e.Line, e.Last)
	}
	return fmt.Sprintf("%s has no instruction on line %d: it is a comment or empty", e.File, e.Line)
}

// Advice names the nearest instruction.
func (e *LineError) Advice() string {
	return fmt.Sprintf("the nearest is %s on line %s", e.Nearest.Keyword, e.Nearest.Lines)
}

// StepAt returns the instruction on a line. The error is a [*LineError].
func (g *Graph) StepAt(line int) (*Step, error) {
	nearest, far := g.Steps[0], -1
	for _, s := range g.Steps {
		d := max(s.Lines.Start-line, line-s.Lines.End, 0)
		if d == 0 {
			return s, nil
		}
		if far < 0 || d < far {
			nearest, far = s, d
		}
	}
	last := slices.MaxFunc(g.Steps, func(a, b *Step) int { return a.Lines.End - b.Lines.End })
	return nil, &LineError{File: g.File.Name, Line: line, Last: last.Lines.End, Nearest: nearest.Instruction}
}
