package cascade

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/layerscope/layerscope/analyze/dockerfile"
)

// CauseKind is what a cause is.
type CauseKind string

const (
	CauseItself   CauseKind = "itself"   // the instruction is another
	CauseNew      CauseKind = "new"      // no earlier build has one like it
	CauseVariable CauseKind = "variable" // an ARG or ENV that is part of it
	CauseSetting  CauseKind = "setting"  // a WORKDIR, USER or SHELL above
	CauseFiles    CauseKind = "files"    // files of a context
	CauseBase     CauseKind = "base"     // the image, or which stage it is from
	CauseContent  CauseKind = "content"  // what is built again, if its bytes differ
	CauseSource   CauseKind = "source"   // a URL or a repository
	CauseOrder    CauseKind = "order"    // what stands before it is another
	CauseNoCache  CauseKind = "no-cache" // it was told to
	CauseUnknown  CauseKind = "unknown"  // our rules don't know the instruction
	CauseContext  CauseKind = "context"  // a directory as a base, which is never cached
)

// Cause is why an instruction runs again: what changed, and where.
type Cause struct {
	Kind CauseKind
	// Step is the instruction that the change is at, as an index into
	// Graph.Steps; -1 if none is.
	Step int
	// What changed: "command", "VERSION", "WORKDIR", "debian:12", a stage.
	What  string
	Files []string // of the context that differ
	// Change is what became of the files: "new" or "gone" if all of them are,
	// else "changed"; "assumed" of content that is taken to differ.
	Change string
	// At is the instruction that the change is part of: the first that runs
	// again for it.
	At int
	// Via is the instruction that the node reads, through which the change
	// comes; -1 for the instruction's own change.
	Via int
	// Role is of the edge that it comes through, of content the edge that reads
	// it; "" if Via is -1.
	Role Role
	// By is the instruction that reads the files or the content; -1 for none.
	By int
}

// explainer finds causes.
type explainer struct {
	m    *matcher
	best []best
	made map[*Node]*Cause
	// Nodes and instructions of the last build before, to compare with.
	before *Graph
	pairs  map[*Node]*Node
	texts  map[string]int
}

func newExplainer(m *matcher, all []best) *explainer {
	ex := &explainer{m: m, best: all, made: map[*Node]*Cause{}, texts: map[string]int{}}
	if len(m.before) > 0 {
		ex.before = m.before[len(m.before)-1].Graph
		if ex.before != m.after.Graph {
			ex.pairs = align(m.after.Graph, ex.before)
			for _, s := range ex.before.Steps {
				for _, text := range stepTexts(ex.before, s) {
					ex.texts[text]++
				}
			}
		}
	}
	return ex
}

// stepTexts returns an instruction's text with what tells it from others' of
// other stages: the stage's number, and its name if it has one. Either may be
// edited.
func stepTexts(g *Graph, s *Step) []string {
	stages := []string{"global"}
	if s.Stage >= 0 {
		stages = []string{fmt.Sprint(s.Stage)}
		if name := g.Stages[s.Stage].Name; name != "" {
			stages = append(stages, "/"+name)
		}
	}
	text := s.Text
	for _, h := range s.Heredocs {
		text += "\x00" + h.Content
	}
	for i := range stages {
		stages[i] += "\x00" + text
	}
	return stages
}

// changed tells whether an instruction is edited, or wasn't there before.
func (ex *explainer) changed(s *Step) bool {
	if ex.m.marks.has(s.Index) {
		return true
	}
	if ex.before == nil || ex.before == ex.m.after.Graph {
		return false
	}
	return !slices.ContainsFunc(stepTexts(ex.m.after.Graph, s), func(text string) bool { return ex.texts[text] > 0 })
}

// align finds for nodes of a graph those of an earlier one that they take the
// place of: of the same key in the same stage, else of the same text, else in
// the same place.
func align(after, before *Graph) map[*Node]*Node {
	stage := func(g *Graph, n *Node) string {
		if n.Stage < 0 {
			return ""
		}
		if name := g.Stages[n.Stage].Name; name != "" {
			return "/" + name
		}
		return fmt.Sprint(n.Stage)
	}
	pairs, taken := map[*Node]*Node{}, map[*Node]bool{}
	for _, like := range []func(n, o *Node) bool{
		func(n, o *Node) bool { return n.key == o.key },
		func(n, o *Node) bool { return after.Steps[n.Step].Text == before.Steps[o.Step].Text },
		func(n, o *Node) bool { return n.Label == o.Label && n.Label != Label{} },
		func(*Node, *Node) bool { return true },
	} {
		byStage := map[string][]*Node{}
		for _, o := range before.Nodes {
			if !taken[o] {
				k := string(o.Kind) + "\x00" + stage(before, o)
				byStage[k] = append(byStage[k], o)
			}
		}
		for _, n := range after.Nodes {
			if pairs[n] != nil {
				continue
			}
			for _, o := range byStage[string(n.Kind)+"\x00"+stage(after, n)] {
				if !taken[o] && like(n, o) {
					pairs[n], taken[o] = o, true
					break
				}
			}
		}
	}
	return pairs
}

// node returns why a node isn't a hit.
func (ex *explainer) node(n *Node) *Cause {
	if c, ok := ex.made[n]; ok {
		return c
	}
	c := ex.find(n)
	if c != nil && c.Via < 0 {
		c.At = n.Step
	}
	ex.made[n] = c
	return c
}

func (ex *explainer) find(n *Node) *Cause {
	b := &ex.best[n.ID]
	switch {
	case n.Kind == KindUnknown:
		return &Cause{Kind: CauseUnknown, Step: n.Step, Via: -1, By: -1, What: ex.m.after.Graph.Steps[n.Step].Keyword}
	case ex.m.marks.has(n.Step) && n.Kind != KindImage:
		return &Cause{Kind: CauseItself, Step: n.Step, Via: -1, By: -1, What: ex.m.after.Graph.Steps[n.Step].Keyword}
	case len(n.In) > 0 && n.In[0].Role == RoleBase && n.In[0].deps.intersects(ex.m.marks):
		return ex.base(&n.In[0])
	case n.deps.intersects(ex.m.marks):
		return ex.marked(n)
	case b.with != nil && b.outcome.state != Hit:
		return ex.inputs(n, b.outcome)
	case n.Uncached:
		return &Cause{Kind: CauseNoCache, Step: n.Step, Via: -1, By: -1}
	}
	return ex.own(n)
}

// marked explains a node whose key hangs on an edited instruction.
func (ex *explainer) marked(n *Node) *Cause {
	g := ex.m.after.Graph
	var c *Cause
	n.deps.each(func(i int) {
		if c != nil || !ex.m.marks.has(i) {
			return
		}
		s := g.Steps[i]
		c = &Cause{Step: i, Via: -1, By: -1, What: s.Keyword}
		switch s.Keyword {
		case "ENV", "ARG":
			c.Kind, c.What = CauseVariable, variableNames(s.Instruction)
			if s.Stage < 0 && n.env != nil && !n.env.has(s.Variables(), i) {
				c.Kind, c.What = CauseBase, "ARG "+c.What // no more than its base
			}
		case "FROM":
			c.Kind = CauseBase
		case "ONBUILD":
			c.Kind = CauseItself
		default:
			c.Kind = CauseSetting
		}
	})
	return c
}

// own explains a node whose key no earlier one has.
func (ex *explainer) own(n *Node) *Cause {
	if n.Kind == KindLocal { // no instruction's own
		return &Cause{Kind: CauseContext, Step: n.Step, What: n.Context, Via: -1, By: -1}
	}
	g := ex.m.after.Graph
	c := &Cause{Kind: CauseNew, Step: n.Step, Via: -1, By: -1, What: g.Steps[n.Step].Keyword}
	o := ex.pairs[n]
	if o == nil {
		if n.Kind == KindImage {
			c.Kind, c.What = CauseBase, n.Context
		}
		return c
	}
	c.Kind = CauseItself
	switch n.Kind {
	case KindImage:
		c.Kind, c.What = CauseBase, n.Context
		return c
	case KindHTTP, KindGit:
		c.Kind, c.What = CauseSource, n.Context
		return c
	}
	if p, ok := differingPart(n.Parts, o.Parts); ok {
		c.What = p.Name
		if p.By >= 0 && p.By != n.Step {
			c.Kind, c.Step = CauseSetting, p.By
			if g.Steps[p.By].Keyword == "FROM" {
				c.Kind = CauseBase
			}
		}
		if p.Name == "command" && n.shell.value != o.shell.value && n.shell.by >= 0 {
			c.Kind, c.Step, c.What = CauseSetting, n.shell.by, "shell"
		}
		return c
	}
	if v, ok := differingVariable(n.env, o.env); ok {
		c.Kind, c.What, c.Step = CauseVariable, v.name, v.by
		return c
	}
	if len(n.In) != len(o.In) {
		c.Kind, c.What = CauseOrder, "what it stands on"
	}
	return c
}

// differingPart returns the first part that differs.
func differingPart(now, then []Part) (Part, bool) {
	for i, p := range now {
		if i >= len(then) || then[i].Name != p.Name || then[i].Value != p.Value {
			return p, true
		}
	}
	if len(then) > len(now) {
		p := then[len(now)]
		p.By = -1
		return p, true
	}
	return Part{}, false
}

// differingVariable returns the first variable that differs: one that has
// another value, is new, is gone, or stands elsewhere.
func differingVariable(now, then *environ) (variable, bool) {
	if now == nil || then == nil || now.sum == then.sum {
		return variable{}, false
	}
	for _, v := range now.vars {
		if w := then.get(v.name); w == nil || w.value != v.value {
			return v, true
		}
	}
	for _, w := range then.vars {
		if now.get(w.name) == nil {
			w.by = -1
			return w, true
		}
	}
	for i, v := range now.vars {
		if v.name != then.vars[i].name {
			return v, true
		}
	}
	return variable{}, false
}

// inputs explains a node by the worst of its inputs, the base before others.
func (ex *explainer) inputs(n *Node, o *outcome) *Cause {
	at := slices.IndexFunc(o.inputs, func(in input) bool { return in.state == o.state })
	if own := slices.IndexFunc(o.inputs, func(in input) bool { return in.state == Miss && len(in.files) > 0 }); own >= 0 {
		at = own // what it reads itself says more than what stands above it
	}
	e, in := &n.In[at], &o.inputs[at]
	switch {
	case e.From.Kind == KindLocal && e.Content == nil:
		return &Cause{Kind: CauseContext, Step: n.Step, What: e.From.Context, Via: -1, By: -1}
	case e.From.Kind == KindLocal:
		return &Cause{Kind: CauseFiles, Step: n.Step, Files: in.files, What: e.From.Context, Via: -1, By: n.Step, Change: ex.change(n, e, in.files)}
	case in.settled:
		c := ex.onContent(n, e, ex.node(e.From))
		c.Change = "assumed"
		return c
	case e.deps.intersects(ex.m.marks) && in.frontier:
		return ex.onContent(n, e, ex.base(e))
	case e.deps.intersects(ex.m.marks):
		return ex.base(e)
	case in.frontier:
		return ex.onContent(n, e, ex.node(e.From))
	case e.From.Kind == KindInline:
		return &Cause{Kind: CauseItself, Step: n.Step, What: "heredoc", Via: -1, By: -1}
	case e.Selector != ex.best[n.ID].with.In[at].Selector:
		return &Cause{Kind: CauseItself, Step: n.Step, What: "source", Via: -1, By: -1}
	}
	if ex.best[e.From.ID].state == Hit {
		// It is cached, but not as what the node stood on.
		return &Cause{Kind: CauseOrder, Step: n.Step, What: "what it stands on", Via: -1, By: -1}
	}
	return ex.through(ex.node(e.From), e)
}

// base explains an edge that an edited instruction makes another: a FROM, or
// what that hangs on.
func (ex *explainer) base(e *Edge) *Cause {
	c := &Cause{Kind: CauseBase, Via: -1, By: -1, Step: -1}
	e.deps.each(func(i int) {
		if s := ex.m.after.Graph.Steps[i]; c.Step < 0 && ex.m.marks.has(i) {
			c.Step, c.What = i, s.Keyword
			if s.Keyword == "ARG" {
				c.What = "ARG " + variableNames(s.Instruction)
			}
		}
	})
	if c.What == "WORKDIR" {
		c.Kind = CauseOrder
	}
	return c
}

// change tells what became of the files of a context that a node reads.
func (ex *explainer) change(n *Node, e *Edge, files []string) string {
	now := ex.m.after.Contexts[e.From.Context]
	b := ex.best[n.ID].build
	if b >= len(ex.m.before) || now == nil {
		return "changed"
	}
	then := ex.m.before[b].Contexts[e.From.Context]
	if then == nil {
		return "changed"
	}
	isNew, gone := true, true
	for _, f := range files {
		isNew = isNew && now.Has(f) && !then.Has(f)
		gone = gone && then.Has(f) && !now.Has(f)
	}
	switch {
	case isNew:
		return "new"
	case gone:
		return "gone"
	}
	return "changed"
}

// onContent explains a node by content that is built again.
func (ex *explainer) onContent(n *Node, e *Edge, root *Cause) *Cause {
	c := &Cause{Kind: CauseContent, Step: n.Step, Via: e.From.Step, Role: e.Role, By: n.Step, Files: e.Paths()}
	if root != nil {
		c.Step = root.Step
	}
	c.What = ex.m.after.Graph.Origin(e.From)
	return c
}

// through is a cause as seen from further down.
func (ex *explainer) through(root *Cause, e *Edge) *Cause {
	if root == nil {
		return nil
	}
	c := *root
	if e.From.Kind == KindMerge && c.Via >= 0 {
		return &c // the link itself is cached: what it is put upon isn't
	}
	if c.Kind != CauseContent {
		c.Role = e.Role
	}
	c.Via = e.From.Step
	return &c
}

// Paths returns what an edge takes by content, as it is shown; none for an edge
// that only definitions count of.
func (e *Edge) Paths() []string {
	var all []string
	for _, sel := range e.Content {
		p := path.Join("/", sel.Path)
		for _, inc := range sel.Include {
			p = path.Join(p, inc)
		}
		all = append(all, p)
	}
	return all
}

// Origin names where a node stands: its stage, its image or its context.
func (g *Graph) Origin(n *Node) string {
	switch {
	case n.Stage >= 0 && g.Stages[n.Stage].Name != "":
		return g.Stages[n.Stage].Name
	case n.Stage >= 0:
		return fmt.Sprintf("stage %d", n.Stage)
	}
	return n.Context
}

// variableNames returns the names that an ENV or an ARG sets.
func variableNames(ins *dockerfile.Instruction) string {
	return strings.Join(ins.Variables(), ", ")
}
