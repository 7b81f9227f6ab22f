package cascade

import "slices"

// unite makes equal nodes equal in whether they are cached: BuildKit has one
// vertex of them, which it builds anew if any of their stages is to be.
func (p *planner) unite() {
	uncached := map[string]bool{}
	for _, n := range p.g.Nodes {
		uncached[n.sig] = uncached[n.sig] || n.Uncached
	}
	for _, n := range p.g.Nodes {
		n.Uncached = uncached[n.sig]
	}
}

// prune drops nodes that what the target comes to doesn't read, and with them
// stages that it names and doesn't read, as a mount's from that brings no files.
func (p *planner) prune(target *plan) {
	twins := map[string][]*Node{}
	for _, n := range p.g.Nodes {
		twins[n.sig] = append(twins[n.sig], n)
	}
	keep := map[*Node]bool{}
	var mark func(n *Node)
	mark = func(n *Node) {
		if n == nil || keep[n] {
			return
		}
		for _, twin := range twins[n.sig] {
			keep[twin] = true
			for _, e := range twin.In {
				mark(e.From)
			}
		}
	}
	mark(target.out)
	p.g.Nodes = slices.DeleteFunc(p.g.Nodes, func(n *Node) bool { return !keep[n] })
	for i, n := range p.g.Nodes {
		n.ID = i
	}
	for _, s := range p.g.Stages {
		s.Needed = false
	}
	p.keepStage(target)
	for _, s := range p.g.Steps {
		s.Nodes = slices.DeleteFunc(s.Nodes, func(n *Node) bool { return !keep[n] })
		if len(s.Nodes) > 0 && s.Stage >= 0 {
			p.keepStage(p.plans[s.Stage])
		}
	}
}

// keepStage marks a stage and those that it is from as needed.
func (p *planner) keepStage(s *plan) {
	for ; s != nil; s = s.base {
		if s.stage != nil {
			s.stage.Needed = !s.replaced
		}
	}
}
