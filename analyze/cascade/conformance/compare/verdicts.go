package compare

import (
	"context"
	"fmt"
	"hash/fnv"

	"github.com/layerscope/layerscope/analyze/cascade"
	"github.com/layerscope/layerscope/analyze/cascade/conformance/frontend"
)

// Result is what a comparison came to.
type Result struct {
	Differences []Difference
	Vertices    int // compared
	May         int // of them may-miss
	Frontier    int // may-misses that an edge on rebuilt content decides
	Settled     int // may-misses compared again, with the outcome at those edges given
	Prediction  *cascade.Prediction
}

// states are the frontend's states by ours.
var states = map[cascade.State]frontend.State{cascade.Hit: frontend.Hit, cascade.MayMiss: frontend.May, cascade.Miss: frontend.Miss}

// Verdicts compares what both engines make of a build after earlier ones, none
// of which is refused. Contexts are never compared: each build reads them.
func Verdicts(ctx context.Context, after *Pair, before ...*Pair) (*Result, error) {
	r := &Result{}
	j := after.joinedNodes()
	r.Differences = append(r.Differences, j.wrong...)
	ours, them := earlier(before)
	p, err := cascade.Predict(ctx, after.Ours, ours, cascade.Assume{})
	if err != nil {
		return nil, fmt.Errorf("predicting: %w", err)
	}
	r.Prediction = p
	verdicts, err := frontend.Verdicts(ctx, after.Theirs, them, nil)
	if err != nil {
		return nil, err
	}
	for _, n := range after.Ours.Graph.Nodes {
		v := j.vertex[n.ID]
		if n.Kind == cascade.KindLocal || v == nil {
			continue
		}
		r.Vertices++
		o := p.Nodes[n.ID]
		if o.State == cascade.MayMiss {
			r.May++
			if len(o.Frontier) > 0 {
				r.Frontier++
			}
		}
		if want := verdicts[v.Index]; states[o.State] != want || o.State == cascade.NotBuilt {
			r.Differences = append(r.Differences, after.difference("state", n, o.State.String(), want.String()))
		}
	}
	if r.May > 0 && len(r.Differences) == 0 {
		return r, r.settle(ctx, after, ours, them)
	}
	return r, nil
}

func earlier(before []*Pair) (ours []cascade.Build, them []*frontend.Graph) {
	for _, b := range before {
		ours = append(ours, b.Ours)
		them = append(them, b.Theirs)
	}
	return ours, them
}

func (p *Pair) difference(what string, n *cascade.Node, ours, them string) Difference {
	return Difference{what, line(p.Ours.Graph, n), fmt.Sprintf("%s %v", n.Kind, n.Label), ours, them}
}

// settle gives both engines outcomes at the edges that our may-misses hang on,
// in three ways: nothing may be left open, and they must agree.
func (r *Result) settle(ctx context.Context, after *Pair, ours []cascade.Build, them []*frontend.Graph) error {
	j := after.joinedNodes()
	type edge struct {
		v     *frontend.Vertex
		input int
	}
	frontier := map[*cascade.Edge]bool{}
	theirs := map[edge]*cascade.Edge{}
	for _, n := range after.Ours.Graph.Nodes {
		for _, i := range r.Prediction.Nodes[n.ID].Frontier {
			frontier[&n.In[i]] = true
			if in := j.inputs[n.ID]; in != nil {
				theirs[edge{j.vertex[n.ID], in[i]}] = &n.In[i]
			}
		}
	}
	for _, way := range []string{"same", "differs", "mixed"} {
		outcome := func(v *frontend.Vertex, input int) bool {
			if way != "mixed" {
				return way == "same"
			}
			h := fnv.New32()
			fmt.Fprint(h, v.Name, v.Index, input)
			return h.Sum32()%2 == 0
		}
		p, err := cascade.Predict(ctx, after.Ours, ours, cascade.Assume{Content: func(n *cascade.Node, e *cascade.Edge) (bool, bool) {
			if !frontier[e] || j.inputs[n.ID] == nil {
				return false, false
			}
			for i := range n.In {
				if &n.In[i] == e {
					return outcome(j.vertex[n.ID], j.inputs[n.ID][i]), true
				}
			}
			return false, false
		}})
		if err != nil {
			return err
		}
		verdicts, err := frontend.Verdicts(ctx, after.Theirs, them, func(v *frontend.Vertex, input int) (bool, bool) {
			_, known := theirs[edge{v, input}]
			return outcome(v, input), known
		})
		if err != nil {
			return err
		}
		for _, n := range after.Ours.Graph.Nodes {
			v := j.vertex[n.ID]
			if r.Prediction.Nodes[n.ID].State != cascade.MayMiss || v == nil {
				continue
			}
			r.Settled++
			got, want := p.Nodes[n.ID].State, verdicts[v.Index]
			switch {
			case got == cascade.MayMiss:
				r.Differences = append(r.Differences, after.difference("unsettled", n, "may-miss, with all "+way, want.String()))
			case states[got] != want:
				r.Differences = append(r.Differences, after.difference("settled", n, got.String()+", with all "+way, want.String()))
			}
		}
	}
	return nil
}
