package disposable

import (
	"encoding/binary"
	"slices"
)

// This file matches names against all patterns at once. A walk down from the
// root carries, for the directory that it is in, which parts of which patterns
// a name in it is held to: a spot is the number of such a part. Those after a
// "**" hold in all directories below too; as they are most, they are found by a
// name's first or last byte, and the same for almost all directories.

// matcher holds patterns, their parts in one row.
type matcher struct {
	patterns []pattern
	parts    []part
	owner    []int32 // each part's pattern
	top      place
	known    map[string]*floats
}

// place is what names in a directory are held to.
type place struct {
	floats *floats
	here   []int32 // spots that hold in this directory only
}

// floats are spots that hold at any depth. There are few sets of them, whatever
// the image: each of the few patterns with a "**" inside is in or not.
type floats struct {
	spots []int32 // in order
	dirs  lookup  // of what comes before a pattern's end, or of whole trees
	files lookup
}

// lookup finds the spots that a name matches. Each spot is in one list.
type lookup struct {
	ending   [256][]int32 // by the last byte of the names they match
	starting [256][]int32 // by the first
	others   []int32
}

func newMatcher(patterns []pattern) *matcher {
	m := &matcher{patterns: patterns, known: map[string]*floats{}}
	var floating []int32
	for i, p := range patterns {
		first := int32(len(m.parts))
		m.parts = append(m.parts, p.parts...)
		for range p.parts {
			m.owner = append(m.owner, int32(i))
		}
		if p.parts[0].kind == anyDepth {
			floating = append(floating, first+1)
		} else {
			m.top.here = append(m.top.here, first)
		}
	}
	m.top.floats = m.floats(floating)
	return m
}

// floats returns the set of spots, made if it isn't known.
func (m *matcher) floats(spots []int32) *floats {
	key := make([]byte, 0, 4*len(spots))
	for _, s := range spots {
		key = binary.LittleEndian.AppendUint32(key, uint32(s))
	}
	if f := m.known[string(key)]; f != nil {
		return f
	}
	f := &floats{spots: spots}
	for _, s := range spots {
		if m.ofFile(s) {
			f.files.add(s, &m.parts[s])
		} else {
			f.dirs.add(s, &m.parts[s])
		}
	}
	m.known[string(key)] = f
	return f
}

func (l *lookup) add(spot int32, p *part) {
	switch {
	case p.prefix != "":
		l.starting[p.prefix[0]] = append(l.starting[p.prefix[0]], spot)
	case p.suffix != "":
		end := p.suffix[len(p.suffix)-1]
		l.ending[end] = append(l.ending[end], spot)
	default:
		l.others = append(l.others, spot)
	}
}

// with returns f and one more spot.
func (m *matcher) with(f *floats, spot int32) *floats {
	i, ok := slices.BinarySearch(f.spots, spot)
	if ok {
		return f
	}
	return m.floats(slices.Insert(slices.Clone(f.spots), i, spot))
}

// ofFile reports whether a spot is of a file's name, not of a directory's.
func (m *matcher) ofFile(spot int32) bool {
	return m.parts[spot].last && !m.patterns[m.owner[spot]].tree
}

// find appends the spots of l that a name matches, which isn't "".
func (m *matcher) find(l *lookup, name string, found []int32) []int32 {
	for _, list := range [...][]int32{l.starting[name[0]], l.ending[name[len(name)-1]], l.others} {
		for _, s := range list {
			if m.parts[s].matches(name) {
				found = append(found, s)
			}
		}
	}
	return found
}

// files appends the patterns that the name of a file in p completes, as spots.
func (m *matcher) files(p *place, name string, found []int32) []int32 {
	found = m.find(&p.floats.files, name, found)
	for _, s := range p.here {
		if m.ofFile(s) && m.parts[s].matches(name) {
			found = append(found, s)
		}
	}
	return found
}

// enter sets to to the place of a directory in p, and appends the patterns that
// its name completes, as spots.
func (m *matcher) enter(p *place, name string, to *place, found []int32) []int32 {
	found = m.find(&p.floats.dirs, name, found)
	for _, s := range p.here {
		if !m.ofFile(s) && m.parts[s].matches(name) {
			found = append(found, s)
		}
	}
	to.floats, to.here = p.floats, to.here[:0]
	complete := found[:0]
	for _, s := range found {
		switch {
		case m.parts[s].last:
			complete = append(complete, s)
		case m.parts[s+1].kind == anyDepth:
			to.floats = m.with(to.floats, s+2)
		default:
			to.here = append(to.here, s+1)
		}
	}
	return complete
}

// pattern returns the pattern that a spot is of.
func (m *matcher) pattern(spot int32) *pattern { return &m.patterns[m.owner[spot]] }
