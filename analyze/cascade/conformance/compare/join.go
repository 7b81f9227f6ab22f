package compare

import (
	"fmt"
	"slices"

	"github.com/layerscope/layerscope/analyze/cascade"
	"github.com/layerscope/layerscope/analyze/cascade/conformance/frontend"
)

// join tells which of our nodes is which of the frontend's vertices. Equal
// vertices are one there; here there may be a node for each.
type join struct {
	vertex []*frontend.Vertex // by cascade.Node.ID
	inputs [][]int            // by Node.ID and index into Node.In: the index into Vertex.Inputs
	wrong  []Difference
}

// kinds are the frontend's kinds by ours.
var kinds = map[cascade.Kind]frontend.Kind{
	cascade.KindImage: frontend.KindImage, cascade.KindLocal: frontend.KindLocal, cascade.KindHTTP: frontend.KindHTTP,
	cascade.KindGit: frontend.KindGit, cascade.KindInline: frontend.KindInline, cascade.KindExec: frontend.KindExec,
	cascade.KindCopy: frontend.KindCopy, cascade.KindMkdir: frontend.KindMkdir, cascade.KindMerge: frontend.KindMerge,
}

// newJoin joins the graphs of a build: first what has lines by those, the kind
// and the label, then what has none by what reads it.
func newJoin(g *cascade.Graph, t *frontend.Graph) *join {
	j := &join{vertex: make([]*frontend.Vertex, len(g.Nodes)), inputs: make([][]int, len(g.Nodes))}
	for _, n := range g.Nodes {
		j.byLine(g, t, n)
	}
	for _, n := range slices.Backward(g.Nodes) {
		j.readers(g, n)
	}
	seen := make([]bool, len(t.Vertices))
	for _, n := range g.Nodes {
		if v := j.vertex[n.ID]; v != nil {
			seen[v.Index] = true
		} else {
			j.add("vertex", g, n, "there", "not there")
		}
	}
	for _, v := range t.Vertices {
		if !seen[v.Index] {
			d := Difference{What: "vertex", Node: fmt.Sprintf("%s %q", v.Kind, v.Name), Ours: "not there", Them: "there"}
			if len(v.Lines) > 0 {
				d.Line = v.Lines[0].Start
			}
			j.wrong = append(j.wrong, d)
		}
	}
	return j
}

func (j *join) add(what string, g *cascade.Graph, n *cascade.Node, ours, them string) {
	j.wrong = append(j.wrong, Difference{what, line(g, n), fmt.Sprintf("%s %v", n.Kind, n.Label), ours, them})
}

// byLine finds the vertex of a node's kind that stands on its line. A FROM has
// those of its triggers on its line too: labels tell them apart.
func (j *join) byLine(g *cascade.Graph, t *frontend.Graph, n *cascade.Node) {
	line := line(g, n)
	if line == 0 {
		return
	}
	label := frontend.Label{Stage: n.Label.Stage, Index: n.Label.Index, Total: n.Label.Total}
	var found []*frontend.Vertex
	for _, v := range t.Vertices {
		onLine := slices.ContainsFunc(v.Lines, func(l frontend.Lines) bool { return l.Start == line })
		if v.Kind == kinds[n.Kind] && onLine {
			found = append(found, v)
		}
	}
	same := slices.DeleteFunc(slices.Clone(found), func(v *frontend.Vertex) bool { return v.Label != label })
	switch {
	case len(same) > 0:
		j.vertex[n.ID] = same[0]
	case len(found) == 1 && n.Label != (cascade.Label{}):
		// A vertex that several stages have is called as in one of them.
		v := found[0]
		j.vertex[n.ID] = v
		if len(v.Lines) == 1 {
			j.add("label", g, n, fmt.Sprint(n.Label), fmt.Sprint(v.Label))
		}
	}
}

// readers joins a node's inputs, once it is joined itself.
func (j *join) readers(g *cascade.Graph, n *cascade.Node) {
	v := j.vertex[n.ID]
	if v == nil {
		return
	}
	if len(n.In) != len(v.Inputs) {
		j.add("inputs", g, n, fmt.Sprint(len(n.In)), fmt.Sprint(len(v.Inputs)))
		return
	}
	j.inputs[n.ID] = make([]int, len(n.In))
	taken := make([]bool, len(v.Inputs))
	fits := func(i, k int) bool {
		from := n.In[i].From
		if to := j.vertex[from.ID]; to != nil {
			return to == v.Inputs[k].From
		}
		return kinds[from.Kind] == v.Inputs[k].From.Kind && !lined(v.Inputs[k].From)
	}
	for i := range n.In {
		k := i
		if taken[k] || !fits(i, k) {
			k = -1
			for other := range v.Inputs {
				if !taken[other] && fits(i, other) {
					k = other
					break
				}
			}
		}
		if k < 0 {
			j.add("inputs", g, n, fmt.Sprintf("input %d is %s %v", i, n.In[i].From.Kind, n.In[i].From.Label), fmt.Sprintf("%s %q", v.Inputs[i].From.Kind, v.Inputs[i].From.Name))
			j.inputs[n.ID] = nil
			return
		}
		taken[k], j.inputs[n.ID][i] = true, k
		j.vertex[n.In[i].From.ID] = v.Inputs[k].From
	}
}

// lined tells whether a vertex is found by its lines and label.
func lined(v *frontend.Vertex) bool { return len(v.Lines) > 0 && v.Label != (frontend.Label{}) }

// joined returns the join of a build that neither engine refuses.
func (p *Pair) joinedNodes() *join {
	p.once.Do(func() { p.join = newJoin(p.Ours.Graph, p.Theirs) })
	return p.join
}

// line returns where a node's instruction stands, 0 if it is of none.
func line(g *cascade.Graph, n *cascade.Node) int {
	if n.Step < 0 {
		return 0
	}
	return g.Steps[n.Step].Lines.Start
}
