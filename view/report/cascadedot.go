package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/layerscope/layerscope/analyze/cascade"
	"github.com/layerscope/layerscope/analyze/dockerfile"
	"github.com/layerscope/layerscope/view/text"
)

// dotText is how many cells of an instruction a node of the graph has.
const dotText = 60

// CascadeDOT writes the graph of the build with what becomes of each node, for
// Graphviz: a cluster for each stage, and dashed edges where only content
// counts. States are told in words too: colours aren't all there is.
func CascadeDOT(w io.Writer, c *Cascade) error {
	return writeAll(w, func(w *bufio.Writer) {
		d := dot{c, w}
		fmt.Fprintln(w, "digraph cascade {")
		fmt.Fprintln(w, `  rankdir=LR;`)
		fmt.Fprintln(w, `  node [shape=box, style=filled, fillcolor=white, fontname="monospace"];`)
		g := c.graph()
		for _, s := range g.Stages {
			d.cluster(s)
		}
		for _, n := range g.Nodes {
			if n.Stage < 0 {
				d.node("  ", n)
			}
		}
		for _, n := range g.Nodes {
			for i := range n.In {
				d.edge(n, &n.In[i])
			}
		}
		fmt.Fprintln(w, "}")
	})
}

type dot struct {
	*Cascade
	w *bufio.Writer
}

// quote returns text as a string of DOT.
func (d dot) quote(s string) string {
	s = text.OneLine(s)
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// cluster writes a stage, also one that isn't built.
func (d dot) cluster(s *cascade.Stage) {
	fmt.Fprintf(d.w, "  subgraph cluster_%d {\n", s.Index)
	label := stageName(s)
	fmt.Fprintf(d.w, "    label=%s;\n", d.quote(label))
	if !s.Needed {
		// A cluster of nothing isn't drawn.
		fmt.Fprintf(d.w, "    stage%d [label=%s, style=dotted];\n", s.Index, d.quote(linesOf(d.stageLines(s))+" — "+cascade.NotBuilt.String()))
	}
	for _, n := range d.graph().Nodes {
		if n.Stage == s.Index {
			d.node("    ", n)
		}
	}
	fmt.Fprintln(d.w, "  }")
}

// stageLines are the lines from a stage's FROM to its last instruction.
func (d dot) stageLines(s *cascade.Stage) dockerfile.Range {
	lines := s.From.Lines
	for _, ins := range s.Instructions {
		lines.End = max(lines.End, ins.Lines.End)
	}
	return lines
}

// fills are the states' colours.
var fills = [...]string{cascade.NotBuilt: "white", cascade.Hit: "palegreen", cascade.MayMiss: "khaki", cascade.Miss: "lightcoral"}

// node writes a node.
func (d dot) node(indent string, n *cascade.Node) {
	g := d.graph()
	label := string(n.Kind)
	switch n.Kind {
	case cascade.KindImage, cascade.KindHTTP, cascade.KindGit:
		label += " " + d.redact.Text(n.Context)
	case cascade.KindLocal:
		label = "context " + n.Context
	case cascade.KindInline:
		label = "heredoc of " + linesOf(g.Steps[n.Step].Lines)
	case cascade.KindMerge:
		label = "merge of " + linesOf(g.Steps[n.Step].Lines)
	default:
		label = g.Steps[n.Step].Lines.String() + " " + d.text(g.Steps[n.Step])
	}
	label = text.Truncate(text.OneLine(label), dotText)
	state := d.Prediction.Nodes[n.ID].State
	fmt.Fprintf(d.w, "%sn%d [label=%s, fillcolor=%s, comment=%s, tooltip=%s];\n", indent, n.ID,
		d.quote(label+" — "+state.String()), fills[state], d.quote(string(n.Kind)), d.quote(state.String()))
}

// edge writes an edge.
func (d dot) edge(n *cascade.Node, e *cascade.Edge) {
	style := "solid"
	if e.Firebreak() {
		style = "dashed"
	}
	label := ""
	if paths := strings.Join(e.Paths(), ", "); paths != "" {
		label = fmt.Sprintf(", label=%s", d.quote(text.Truncate(text.OneLine(paths), dotText/2)))
	}
	fmt.Fprintf(d.w, "  n%d -> n%d [style=%s%s];\n", e.From.ID, n.ID, style, label)
}
