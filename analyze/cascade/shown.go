package cascade

// Paths returns what an edge takes by content, as it is shown; none for an edge
// that only definitions count of.
func (e *Edge) Paths() []string { return paths(e) }

// Origin names where a node stands: its stage, its image or its context.
func (g *Graph) Origin(n *Node) string { return g.origin(n) }
