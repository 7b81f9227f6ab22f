package dive

import (
	"slices"
	"strings"
)

// standing is a node in the stack of the layers below. Removing a node doesn't
// walk over what is below it: a node stands only if it came under the parent
// that stands now, which is told by the parent's life.
type standing struct {
	file
	total int64  // bytes at and below the node
	life  uint32 // counts how often the node came
	under uint32 // the parent's life when it came
	seen  uint32 // computer.removed+1 when it was last known to stand
	is    bool
}

// copyToStack begins the stack with the lowest layer's tree as it is, nodes of
// whiteouts among them.
func (c *computer) copyToStack() {
	c.stacked = true
	c.stack = make([]standing, len(c.nodes))
	for _, n := range slices.Backward(c.order) { // parents first
		c.come(n)
		c.stack[n].file = c.nodes[n].file
	}
	for _, n := range c.order {
		s := &c.stack[n]
		s.total += s.size
		c.stack[c.nodes[n].parent].total += s.total
	}
}

// addToStack applies the layer that was read, in the order of its names: a
// whiteout also removes what the same layer put there before.
func (c *computer) addToStack() {
	for _, n := range c.order {
		nd := c.nodes[n]
		if name, isWhiteout := strings.CutPrefix(nd.name, whiteoutPrefix); isWhiteout {
			c.remove(c.target(c.child(nd.parent, name)))
		} else if n = c.resolve(n); n != root {
			c.put(n, nd.file)
		}
	}
}

// target returns the node that the path of a whiteout leads to. That of .wh.
// alone ends in a slash: it leads to the directory that it stands in.
func (c *computer) target(key int32) int32 {
	if nd := &c.nodes[key]; nd.name == "" && key != root {
		return nd.parent
	}
	return key
}

// resolve returns the node that dive adds a node of a layer at: when it adds it
// to the stack it takes the path for one from the root, where ".." is cleaned
// away. (It doesn't when it removes.)
func (c *computer) resolve(n int32) int32 {
	if !c.nodes[n].aside {
		return n
	}
	var names []string
	for ; n != root; n = c.nodes[n].parent {
		if name := c.nodes[n].name; name != ".." {
			names = append(names, name)
		}
	}
	for _, name := range slices.Backward(names) {
		n = c.child(n, name)
	}
	return n
}

// removedBytes returns the bytes that the whiteout of a path counts; false if
// there is nothing at the path.
func (c *computer) removedBytes(key int32) (int64, bool) {
	n := c.target(key)
	if !c.stands(n) {
		return 0, false
	}
	if s := &c.stack[n]; s.dir {
		return s.total, true
	}
	return 0, true
}

// stands tells whether a node is in the stack. The root always is.
func (c *computer) stands(n int32) bool {
	for ; n != root; n = c.nodes[n].parent {
		if !c.standsBelow(n) {
			return false
		}
	}
	return true
}

// standsBelow tells whether a node stands if its parent does.
func (c *computer) standsBelow(n int32) bool {
	s := &c.stack[n]
	return s.is && s.under == c.stack[c.nodes[n].parent].life
}

// come makes a node stand that doesn't. Its parent does.
func (c *computer) come(n int32) {
	s := &c.stack[n]
	*s = standing{is: true, life: s.life + 1, under: c.stack[c.nodes[n].parent].life}
}

// put adds a node to the stack, and its parents where they are missing.
func (c *computer) put(n int32, f file) {
	var path []int32 // from n up to what is known to stand
	for p := n; p != root && c.stack[p].seen != c.removed+1; p = c.nodes[p].parent {
		path = append(path, p)
	}
	for _, p := range slices.Backward(path) {
		if !c.standsBelow(p) {
			c.come(p)
		}
		c.stack[p].seen = c.removed + 1
	}
	s := &c.stack[n]
	c.addBytes(n, f.size-s.size)
	s.file = f
}

// remove removes a node and all below it from the stack, if it is there. dive
// can't remove the root.
func (c *computer) remove(n int32) {
	if n == root || !c.stands(n) {
		return
	}
	c.addBytes(c.nodes[n].parent, -c.stack[n].total)
	c.stack[n].is = false
	c.removed++
}

// addBytes adds to the totals of a node and those above it.
func (c *computer) addBytes(n int32, bytes int64) {
	if bytes == 0 {
		return
	}
	for ; n != none; n = c.nodes[n].parent {
		c.stack[n].total += bytes
	}
}
