package cascade

import (
	"context"

	"github.com/layerscope/layerscope/analyze/buildcontext"
)

// Impact is what any edit of an instruction makes a build do again.
type Impact struct {
	Step   *Step
	States []State // by Step.Index: what becomes of each instruction
	Counts
}

// Impacts returns for every instruction what any edit of it reruns, in the
// order of the file: of a build that is all cached before. An instruction in a
// stage that isn't needed changes nothing. It equals [Predict] of the build
// upon itself with one step assumed edited, for each step, in a fraction of the
// time.
func Impacts(ctx context.Context, b Build) ([]Impact, error) {
	self, err := b.readsItself(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]Impact, 0, len(b.Graph.Steps))
	sp := newSpread(b.Graph, self)
	for _, s := range b.Graph.Steps {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		sp.run(s.Index)
		im := Impact{Step: s, States: make([]State, len(b.Graph.Steps))}
		p := Prediction{After: b, Steps: make([]Verdict, 0, len(b.Graph.Steps))}
		for _, t := range b.Graph.Steps {
			v := Verdict{Step: t, State: sp.verdict(t, s.Index)}
			im.States[t.Index] = v.State
			p.Steps = append(p.Steps, v)
		}
		im.Counts = p.Counts()
		all = append(all, im)
	}
	return all, nil
}

// edge names an input of a node.
type edge struct{ node, input int }

// readsItself returns the edges that read the Dockerfile as a file of the
// context, as COPY . . does: any edit of it reruns those.
func (b Build) readsItself(ctx context.Context) (map[edge]bool, error) {
	self := map[edge]bool{}
	tree := b.Contexts[""]
	classic := b.Graph.Options.Builder == Classic // see matcher.rewritesIgnore
	if tree == nil || b.Dockerfile == "" && !classic {
		return self, nil
	}
	edited := tree
	if b.Dockerfile != "" {
		edited = tree.Edit(buildcontext.Change{Path: b.Dockerfile, Kind: buildcontext.Changed})
	}
	m := &matcher{ctx: ctx, content: map[content]*compared{}, after: &b, before: []Build{{Graph: b.Graph, Contexts: map[string]*buildcontext.Tree{"": edited}}}}
	m.rules = contentRules(b.Graph.Options.Builder)
	for _, n := range b.Graph.Nodes {
		for i := range n.In {
			e := &n.In[i]
			if e.From.Kind == KindLocal && e.From.Context == "" && e.Content != nil && len(m.compare(e, e, 0).files) > 0 {
				self[edge{n.ID, i}] = true
			}
		}
	}
	return self, m.err
}

// spread carries an edit of one instruction through a graph.
type spread struct {
	b     *Graph
	self  map[edge]bool
	match []State // by Node.ID: how the node agrees with itself before
	state []State // and what becomes of it
	twins []*Node // what it equals among those before it in the same build; see matcher.twin
}

func newSpread(g *Graph, self map[edge]bool) *spread {
	sp := &spread{b: g, self: self, match: make([]State, len(g.Nodes)), state: make([]State, len(g.Nodes)), twins: make([]*Node, len(g.Nodes))}
	if g.Options.Builder == BuildKit {
		return sp
	}
	first := map[string]*Node{}
	for i, n := range g.Nodes {
		if u, ok := first[n.sig]; ok {
			sp.twins[i] = u
		} else {
			first[n.sig] = n
		}
	}
	return sp
}

// twin tells whether two equal nodes still are after the edit of an instruction.
func (sp *spread) twin(n, u *Node, step int) State {
	if n == u {
		return Hit
	}
	if n.deps.has(step) || u.deps.has(step) {
		return Miss
	}
	state := Hit
	for j := range n.In {
		e, in := &n.In[j], Miss
		switch {
		case e.From.Kind == KindLocal:
			in = Hit
		case !e.deps.has(step):
			in = sp.twin(e.From, u.In[j].From, step)
		}
		if in == Miss && e.Content != nil {
			in = MayMiss
		}
		state = max(state, in)
	}
	return state
}

// run spreads the edit of an instruction.
func (sp *spread) run(step int) {
	for i, n := range sp.b.Nodes {
		m := Hit
		if n.deps.has(step) {
			m = Miss
		}
		for j := range n.In {
			if m == Miss {
				break
			}
			m = max(m, sp.input(n, j, step))
		}
		if n.Kind == KindUnknown {
			m = Miss
		}
		sp.match[i], sp.state[i] = m, m
		for _, e := range n.In {
			// As in matcher.becomes.
			if e.From.Uncached && e.Content == nil {
				sp.state[i] = Miss
			} else if e.From.Uncached {
				sp.state[i] = max(m, MayMiss)
			}
		}
		if u := sp.twins[i]; u != nil && !u.Uncached {
			sp.state[i] = min(m, sp.twin(n, u, step))
		}
		if n.Kind == KindLocal {
			sp.match[i], sp.state[i] = Miss, Hit
		}
		if n.Uncached {
			sp.state[i] = Miss
		}
	}
}

// input returns how an input agrees.
func (sp *spread) input(n *Node, j, step int) State {
	e := &n.In[j]
	m := sp.match[e.From.ID]
	if e.deps.has(step) {
		m = Miss
	}
	switch {
	case e.From.Kind == KindLocal && e.Content != nil:
		if sp.self[edge{n.ID, j}] {
			return Miss
		}
		return Hit
	case m == Hit || e.Content == nil || e.From.Kind == KindInline:
		return m
	}
	return MayMiss
}

// verdict returns what becomes of an instruction.
func (sp *spread) verdict(s *Step, edited int) State {
	switch {
	case s.Stage >= 0 && !sp.b.Stages[s.Stage].Needed:
		return NotBuilt
	case len(s.Nodes) > 0 && s.Keyword != "FROM":
		return sp.state[s.Nodes[len(s.Nodes)-1].ID]
	case s.Index == edited || s.names.has(edited):
		return Miss
	}
	state := Hit
	for _, n := range s.Nodes {
		state = max(state, sp.state[n.ID])
	}
	return state
}
