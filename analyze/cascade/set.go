package cascade

import "math/bits"

// set is a set of instructions, by their indexes. Sets are values: a union
// makes another and changes none.
type set []uint64

// one returns the set of one instruction; the empty set for -1.
func one(i int) set {
	if i < 0 {
		return nil
	}
	s := make(set, i/64+1)
	s[i/64] = 1 << (i % 64)
	return s
}

// has tells whether i is in the set.
func (s set) has(i int) bool {
	return i >= 0 && i/64 < len(s) && s[i/64]&(1<<(i%64)) != 0
}

// holds tells whether all of t are in s.
func (s set) holds(t set) bool {
	for i, word := range t {
		if word != 0 && (i >= len(s) || word&^s[i] != 0) {
			return false
		}
	}
	return true
}

// or returns the union.
func (s set) or(t set) set {
	switch {
	case s.holds(t):
		return s
	case t.holds(s):
		return t
	}
	if len(s) < len(t) {
		s, t = t, s
	}
	u := append(set(nil), s...)
	for i, word := range t {
		u[i] |= word
	}
	return u
}

// intersects tells whether some instruction is in both.
func (s set) intersects(t set) bool {
	for i := range min(len(s), len(t)) {
		if s[i]&t[i] != 0 {
			return true
		}
	}
	return false
}

// each calls f with each instruction, the first first.
func (s set) each(f func(int)) {
	for i, word := range s {
		for ; word != 0; word &= word - 1 {
			f(i*64 + bits.TrailingZeros64(word))
		}
	}
}
