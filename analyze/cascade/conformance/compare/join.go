package compare

import (
	"fmt"
	"slices"

	"github.com/opencontainers/go-digest"

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
	known := map[digest.Digest]bool{} // keys of sources: an image may be called by two names
	for _, n := range g.Nodes {
		if v := j.vertex[n.ID]; v != nil {
			seen[v.Index] = true
			known[v.Key] = known[v.Key] || source(v)
		} else {
			j.add("vertex", g, n, "there", "not there")
		}
	}
	for _, v := range t.Vertices {
		if !seen[v.Index] && v.Kind != frontend.KindLocal && !known[v.Key] {
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
	case n.Label != (cascade.Label{}):
		// A vertex that several stages have is called as in one of them.
		at, count := place(g, n)
		if count != len(found) {
			return
		}
		v := found[at]
		j.vertex[n.ID] = v
		if len(v.Lines) == 1 {
			j.add("label", g, n, fmt.Sprint(n.Label), fmt.Sprint(v.Label))
		}
	}
}

// place returns which of the labelled nodes of its kind on its line a node is,
// and how many there are.
func place(g *cascade.Graph, n *cascade.Node) (at, count int) {
	for _, o := range g.Nodes {
		if o.Kind != n.Kind || o.Label == (cascade.Label{}) || line(g, o) != line(g, n) {
			continue
		}
		if o == n {
			at = count
		}
		count++
	}
	return at, count
}

// readers joins a node's inputs, once it is joined itself. A context is one node
// here, and a vertex for each of its readers there.
func (j *join) readers(g *cascade.Graph, n *cascade.Node) {
	v := j.vertex[n.ID]
	if v == nil {
		return
	}
	inputs := make([]int, len(n.In))
	taken := make([]bool, len(v.Inputs))
	fits := func(from *cascade.Node, k int) bool {
		to := v.Inputs[k].From
		if from.Kind == cascade.KindLocal {
			return to.Kind == frontend.KindLocal
		}
		if joined := j.vertex[from.ID]; joined != nil {
			return joined == to || source(joined) && joined.Key == to.Key
		}
		return kinds[from.Kind] == to.Kind && !lined(to)
	}
	for i := range n.In {
		k := -1
		for other := range v.Inputs {
			if at := (i + other) % len(v.Inputs); !taken[at] && fits(n.In[i].From, at) {
				k = at
				break
			}
		}
		if k < 0 {
			j.add("inputs", g, n, fmt.Sprintf("input %d is %s %v", i, n.In[i].From.Kind, n.In[i].From.Label), "another, or none")
			return
		}
		taken[k], inputs[i] = true, k
		j.vertex[n.In[i].From.ID] = v.Inputs[k].From
	}
	j.inputs[n.ID] = inputs
	for k, done := range taken {
		if !done && v.Inputs[k].From.Kind != frontend.KindLocal {
			j.add("inputs", g, n, "none", fmt.Sprintf("%s %q", v.Inputs[k].From.Kind, v.Inputs[k].From.Name))
		}
	}
}

// source tells whether a vertex reads nothing.
func source(v *frontend.Vertex) bool { return len(v.Inputs) == 0 }

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
