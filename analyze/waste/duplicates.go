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
	type content struct {
		hash layer.Hash
		size int64
	}
	first := map[content]Copy{}
	more := map[content][]Copy{}
	m.LiveCopies(func(c Copy, e *layer.Entry) {
		id := content{e.Hash, e.Size}
		if f, ok := first[id]; !ok {
			first[id] = c
		} else if more[id] == nil {
			more[id] = []Copy{f, c}
		} else {
			more[id] = append(more[id], c)
		}
	})
	d := &Duplicates{Tally: m.NewTally()}
	for id, copies := range more {
		slices.SortFunc(copies, func(a, b Copy) int {
			return cmp.Or(cmp.Compare(a.Ref.Layer, b.Ref.Layer), cmp.Compare(a.Ref.Row, b.Ref.Row))
		})
		for _, c := range copies[1:] {
			d.Add(c)
		}
		d.Groups = append(d.Groups, Group{id.size, copies})
	}
	slices.SortFunc(d.Groups, func(a, b Group) int {
		return cmp.Or(cmp.Compare(b.Bytes(), a.Bytes()), cmp.Compare(a.Copies[0].Path, b.Copies[0].Path))
	})
	return d
}
