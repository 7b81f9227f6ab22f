package tree

// Numbers holds a number for each entry of an image, in four bytes each: what
// is said of the copies that they store.
type Numbers struct{ rows [][]int32 }

// NewNumbers returns numbers for the entries of t, all of them 0.
func (t *Tree) NewNumbers() *Numbers {
	n := &Numbers{make([][]int32, len(t.layers))}
	for k := range n.rows {
		n.rows[k] = make([]int32, t.first[k+1]-t.first[k])
	}
	return n
}

// Set sets the number of entry r, which isn't [Implied].
func (n *Numbers) Set(r Ref, to int32) { n.rows[r.Layer][r.Row] = to }

// Of returns the number of entry r: 0 for one that the image hasn't got, and of
// nil Numbers.
func (n *Numbers) Of(r Ref) int32 {
	if n == nil || r.Layer < 0 || int(r.Layer) >= len(n.rows) || r.Row < 0 || int(r.Row) >= len(n.rows[r.Layer]) {
		return 0
	}
	return n.rows[r.Layer][r.Row]
}
