package waste

import (
	"cmp"
	"slices"

	"github.com/layerscope/layerscope/analyze/layer"
)

// Group is live copies of equal content, at least two.
type Group struct {
	Size int64 // bytes of each copy
	// Copies are in the order of their layers, and of their rows in the tar.
	// The first is the one that would remain.
	Copies []Copy
}

// Bytes returns the bytes of all copies but one.
func (g Group) Bytes() int64 { return g.Size * int64(len(g.Copies)-1) }

// Duplicates are the live copies whose content another live copy has. Copies
// that hard links share are one copy.
type Duplicates struct {
	Tally          // of all copies but the first of each group
	Groups []Group // the most bytes first, then by the path of the first copy
}

// FindDuplicates finds the duplicates.
func FindDuplicates(m Image) *Duplicates {
	groups := map[layer.Content][]Copy{}
	often := m.repeated()
	m.LiveCopies(func(c Copy, e *layer.Entry) {
		if id := e.Content(); often(id) {
			groups[id] = append(groups[id], c)
		}
	})
	d := &Duplicates{Tally: m.NewTally()}
	for id, copies := range groups {
		if len(copies) < 2 {
			continue
		}
		slices.SortFunc(copies, func(a, b Copy) int {
			return cmp.Or(cmp.Compare(a.Ref.Layer, b.Ref.Layer), cmp.Compare(a.Ref.Row, b.Ref.Row))
		})
		for _, c := range copies[1:] {
			d.Add(c)
		}
		d.Groups = append(d.Groups, Group{id.Size, copies})
	}
	slices.SortFunc(d.Groups, func(a, b Group) int {
		return cmp.Or(cmp.Compare(b.Bytes(), a.Bytes()), cmp.Compare(a.Copies[0].Path, b.Copies[0].Path))
	})
	return d
}

// repeated returns a filter of contents: true for all that more than one live
// copy has, and for few others. Most contents are there once, and a map of all
// would take more memory than the tree.
func (m Image) repeated() func(layer.Content) bool {
	const bitsPerFile = 8
	size := 64
	for size < bitsPerFile*m.Tree.Files() {
		size *= 2
	}
	once, twice := make([]uint64, size/64), make([]uint64, size/64)
	place := func(c layer.Content) (word int, bit uint64) {
		h := (c.Hash.Lo ^ uint64(c.Size)) & uint64(size-1)
		return int(h / 64), 1 << (h % 64)
	}
	m.LiveCopies(func(_ Copy, e *layer.Entry) {
		w, bit := place(e.Content())
		twice[w] |= once[w] & bit
		once[w] |= bit
	})
	return func(c layer.Content) bool {
		w, bit := place(c)
		return twice[w]&bit != 0
	}
}
