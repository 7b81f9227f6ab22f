package dive

import (
	"slices"
	"strings"

	"github.com/layerscope/layerscope/analyze/internal/children"
	"github.com/layerscope/layerscope/analyze/layer"
)

// node is a path that some layer has, or that a whiteout names. Names are as
// they stand in the tars: .wh.x is another child than x.
type node struct {
	name   string
	parent int32

	// In the tree of the layer that was read last, if layer is its number:
	layer          int32
	child, sibling int32 // first in the list of children, next in the parent's; or none
	file

	// aside is set for ".." as the first component and all below it.
	// dive keeps such names as they are, but for one place (see resolve).
	aside bool
}

// file is what dive knows of a path from its header; zero if there is none.
type file struct {
	size int64
	dir  bool
}

const (
	root  int32 = 0
	none  int32 = -1
	unset int32 = -2 // in dirs
)

// computer holds the paths of all layers. tallies and, once it is needed,
// stack have an element for each node.
type computer struct {
	nodes   []node
	byName  children.Table
	tallies []tally

	k       int32        // the layer being read
	x       *layer.Index // likewise
	dirs    []int32      // nodes of the index's directories: unset until needed, none for what is dropped
	order   []int32      // the layer's nodes, children before parents, but for the root
	sorting []int32      // children on the way down, for sort

	stack   []standing
	stacked bool
	removed uint32 // how often something was removed from the stack
}

// newComputer makes one with room for the nodes that the largest layer makes at
// most.
func newComputer(layers []*layer.Index) *computer {
	room := 64
	for _, x := range layers {
		room = max(room, x.Len()+x.Dirs())
	}
	c := &computer{nodes: make([]node, 1, room), tallies: make([]tally, 1, room), order: make([]int32, 0, room)}
	c.nodes[root] = node{parent: none, layer: none, child: none, sibling: none}
	c.byName.Grow(room)
	return c
}

// child returns the node of a name below parent, made if it isn't there.
func (c *computer) child(parent int32, name string) int32 {
	h := children.Hash(parent, name)
	n := c.byName.Find(h, func(n int32) bool { return c.nodes[n].parent == parent && c.nodes[n].name == name })
	if n != none {
		return n
	}
	n = int32(len(c.nodes))
	aside := c.nodes[parent].aside || parent == root && name == ".."
	c.nodes = append(c.nodes, node{parent: parent, name: name, aside: aside, layer: none})
	c.byName.Insert(h, n, func(n int32) uint64 { return children.Hash(c.nodes[n].parent, c.nodes[n].name) })
	c.tallies = append(c.tallies, tally{})
	if c.stacked {
		c.stack = append(c.stack, standing{})
	}
	return n
}

// read makes the tree of layer k and returns the sum of its headers' sizes.
func (c *computer) read(k int32, x *layer.Index) (size int64) {
	c.k, c.x = k, x
	c.nodes[root].child = none
	c.dirs = slices.Grow(c.dirs[:0], x.Dirs())
	for range x.Dirs() {
		c.dirs = append(c.dirs, unset)
	}
	c.dirs[root] = root
	for _, e := range x.All() {
		h := x.Header(e)
		isRoot := e.Type != layer.Opaque && x.Name(e) == "" && h.Above == 0
		if isRoot && !h.Rooted {
			continue // dive leaves "." out, size and all
		}
		size += h.Size
		if !isRoot {
			c.insert(e, h)
		}
	}
	c.order = c.order[:0]
	c.sort(root)
	return size
}

// insert puts an entry into the layer's tree: the last of a path stands, and
// what is below it stays.
func (c *computer) insert(e *layer.Entry, h layer.Header) {
	n := c.dirOf(e, h)
	if n == none || e.Type == layer.Opaque {
		return
	}
	name := c.x.Name(e)
	if e.Type == layer.Whiteout {
		name = whiteoutPrefix + name
	}
	if name != "" { // it is ".." itself otherwise
		n = c.inLayer(n, name)
	}
	if n != none {
		c.nodes[n].file = file{size: h.Size, dir: h.Dir}
	}
}

// dirOf returns the node of the directory that an entry stands in, or none.
func (c *computer) dirOf(e *layer.Entry, h layer.Header) int32 {
	if h.Above == 0 {
		return c.dir(c.x.Dir(e))
	}
	n := root
	for range h.Above {
		n = c.inLayer(n, "..")
	}
	var names []string
	for d := c.x.Dir(e); d != 0; d = c.x.DirParent(d) {
		names = append(names, c.x.DirName(d))
	}
	for _, name := range slices.Backward(names) {
		n = c.inLayer(n, name)
	}
	return n
}

// dir returns the node of the index's directory d, or none.
func (c *computer) dir(d int) int32 {
	var todo []int
	for c.dirs[d] == unset {
		todo = append(todo, d)
		d = c.x.DirParent(d)
	}
	n := c.dirs[d]
	for _, d := range slices.Backward(todo) {
		n = c.inLayer(n, c.x.DirName(d))
		c.dirs[d] = n
	}
	return n
}

// inLayer returns the node of a name below parent, made in the layer's tree if
// it isn't there. It returns none for what dive drops and all below that.
func (c *computer) inLayer(parent int32, name string) int32 {
	if parent == none || strings.HasPrefix(name, droppedPrefix) {
		return none
	}
	n := c.child(parent, name)
	if nd := &c.nodes[n]; nd.layer != c.k {
		nd.layer, nd.child, nd.file = c.k, none, file{}
		nd.sibling, c.nodes[parent].child = c.nodes[parent].child, n
	}
	return n
}

// sort puts what is below n in the layer's tree into order. It recurses as deep
// as paths are, which layer.Read limits.
func (c *computer) sort(n int32) {
	start := len(c.sorting)
	for child := c.nodes[n].child; child != none; child = c.nodes[child].sibling {
		c.sorting = append(c.sorting, child)
	}
	end := len(c.sorting)
	slices.SortFunc(c.sorting[start:], func(a, b int32) int {
		return strings.Compare(c.nodes[a].name, c.nodes[b].name)
	})
	for i := start; i < end; i++ {
		child := c.sorting[i]
		if c.nodes[child].child != none {
			c.sort(child)
		}
		c.order = append(c.order, child)
	}
	c.sorting = c.sorting[:start]
}
