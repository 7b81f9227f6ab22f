// Package children finds the nodes of trees of paths by their parents and names.
package children

import "hash/maphash"

// seed keeps the table's shape out of a hostile image's hands.
var seed = maphash.MakeSeed()

// Hash returns the hash of a child: its parent and its name.
func Hash(parent int32, name string) uint64 {
	return maphash.String(seed, name) ^ uint64(parent)*0x9e3779b97f4a7c15
}

// Table is an open-addressing hash table of node numbers, four bytes a slot: a
// Go map of (parent, name) would take more than all the rest of a tree. It must
// be grown before it is used.
type Table struct {
	slots []int32 // node+1, 0 is free; the length is a power of two
	used  int
}

// Grow makes room for n nodes.
func (t *Table) Grow(n int) {
	size := 64
	for size < n*4/3 {
		size *= 2
	}
	t.slots = make([]int32, size)
}

// Find returns the node with hash h for which match is true, or -1.
func (t *Table) Find(h uint64, match func(n int32) bool) int32 {
	mask := uint64(len(t.slots) - 1)
	for i := h & mask; ; i = (i + 1) & mask {
		s := t.slots[i]
		if s == 0 {
			return -1
		}
		if match(s - 1) {
			return s - 1
		}
	}
}

// Insert adds a node that isn't there; hash recomputes a node's hash when the
// table grows.
func (t *Table) Insert(h uint64, n int32, hash func(n int32) uint64) {
	if t.used+1 > len(t.slots)*3/4 {
		old := t.slots
		t.slots = make([]int32, 2*len(old))
		for _, s := range old {
			if s != 0 {
				t.put(hash(s-1), s)
			}
		}
	}
	t.put(h, n+1)
	t.used++
}

func (t *Table) put(h uint64, slot int32) {
	mask := uint64(len(t.slots) - 1)
	i := h & mask
	for t.slots[i] != 0 {
		i = (i + 1) & mask
	}
	t.slots[i] = slot
}
