package diff

import (
	"cmp"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/history"
)

// aligner pairs the steps of two histories so that pairs don't cross and have
// the most points in all: for the same content, for the same text and arguments,
// and, where nothing of these is lost, for texts that are much alike.
//
// That takes a table of all steps of one by all of the other, but for those at
// both ends that are the same. If it would have more than maxCells cells, steps
// are paired first that are the same and stand only once in either image, in as
// long a row as there is; what lies between those is aligned by a table while
// there are cells left, and after that step by step with the next that is the
// same, if one is near. Texts merely alike aren't paired then.
type aligner struct {
	old, new []stepKey
	words    interner // of texts
	cells    int      // that tables may still have
	pairs    []stepPair
}

const (
	maxCells = 1 << 20
	// nearby is how many steps are looked through for the next that is the
	// same, in both images together.
	nearby = 32
)

// The points of a pair. One pair of the same text is worth more than any that
// are alike, and of two with one thing the same that with the same content: it
// is where the bytes are.
const (
	textPoints    = 2 * unit
	contentPoints = 3 * unit
	unit          = 1 << 21 // more than the points for likeness in a table
	sameLikeness  = 1000
	minLikeness   = 500
)

// stepKey is what a step is paired by.
type stepKey struct {
	step    *analyze.Step
	text    int32 // the same number for the same text and arguments; -1 if it has none
	content int32 // for the same content; -1 if that doesn't tell it from others
	terms   *terms
}

// most returns the most points that a pair with the step can have.
func (k *stepKey) most() int64 {
	var n int64
	if k.text >= 0 {
		n += textPoints + sameLikeness
	}
	if k.content >= 0 {
		n += contentPoints
	}
	return n
}

// firm returns the points of a pair for what is the same.
func firm(a, b *stepKey) int64 {
	var n int64
	if a.text >= 0 && a.text == b.text {
		n += textPoints + sameLikeness
	}
	if a.content >= 0 && a.content == b.content {
		n += contentPoints
	}
	return n
}

// points returns the points of a pair, 0 if the steps don't belong together. The
// terms of both are there.
func points(a, b *stepKey) int64 {
	n := firm(a, b)
	if a.text < 0 || b.text < 0 || a.text == b.text {
		return n
	}
	return n + a.terms.likeness(b.terms)
}

// stepPairs returns the steps that belong together, in order. With the images
// swapped the pairs are the same.
func stepPairs(old, new *analyze.Image, c *contents) []stepPair {
	swapped := compareHistories(old, new) > 0
	a := aligner{words: interner{}, cells: maxCells}
	texts := interner{}
	a.old = stepKeys(old, c.oldOf, texts)
	a.new = stepKeys(new, c.newOf, texts)
	if swapped { // so that of equally good ways it is always the same
		a.old, a.new = a.new, a.old
	}
	a.align(span{0, len(a.old), 0, len(a.new)}, a.split)
	if swapped {
		for k, p := range a.pairs {
			a.pairs[k] = stepPair{p.new, p.old}
		}
	}
	return a.pairs
}

// compareHistories orders histories: 0 for two that are the same in all that
// steps are paired by.
func compareHistories(a, b *analyze.Image) int {
	layer := func(m *analyze.Image, s *analyze.Step) v1.Hash {
		if s.Layer < 0 {
			return v1.Hash{}
		}
		return m.Layers[s.Layer].DiffID
	}
	return slices.CompareFunc(a.Steps, b.Steps, func(s, t analyze.Step) int {
		x, y := layer(a, &s), layer(b, &t)
		return cmp.Or(
			cmp.Compare(s.Instruction, t.Instruction), cmp.Compare(s.Text, t.Text),
			slices.CompareFunc(s.Args, t.Args, func(a, b history.Arg) int {
				return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Value, b.Value))
			}),
			cmp.Compare(x.Algorithm, y.Algorithm), cmp.Compare(x.Hex, y.Hex),
			cmp.Compare(s.CreatedBy, t.CreatedBy), cmp.Compare(s.Comment, t.Comment),
		)
	})
}

// stepKeys returns what the steps of an image are paired by, given the contents
// of its layers. A layer of no entries is like any other.
func stepKeys(m *analyze.Image, contents []int32, texts interner) []stepKey {
	keys := make([]stepKey, len(m.Steps))
	for i := range keys {
		s := &m.Steps[i]
		k := stepKey{step: s, text: -1, content: -1}
		if text := stepText(s); text != "" {
			k.text = texts.number(text)
		}
		if s.Layer >= 0 && m.Layers[s.Layer].Entries > 0 {
			k.content = contents[s.Layer]
		}
		keys[i] = k
	}
	return keys
}

// wordless tells whether nothing is recorded of a step.
func wordless(s *analyze.Step) bool {
	return s.Synthetic || strings.TrimSpace(s.CreatedBy) == "" && strings.TrimSpace(s.Comment) == ""
}

// interner numbers strings.
type interner map[string]int32

func (in interner) number(s string) int32 {
	n, ok := in[s]
	if !ok {
		n = int32(len(in))
		in[s] = n
	}
	return n
}

// span is steps i0 to i1 of OLD and j0 to j1 of NEW, the last ones not included.
type span struct{ i0, i1, j0, j1 int }

// align pairs the steps of a span, and leaves one that is too large to rest.
func (a *aligner) align(s span, rest func(span)) {
	for s.i0 < s.i1 && s.j0 < s.j1 && a.same(s.i0, s.j0) {
		a.pair(s.i0, s.j0)
		s.i0, s.j0 = s.i0+1, s.j0+1
	}
	i1 := s.i1
	for s.i0 < s.i1 && s.j0 < s.j1 && a.same(s.i1-1, s.j1-1) {
		s.i1, s.j1 = s.i1-1, s.j1-1
	}
	switch cells := (s.i1 - s.i0) * (s.j1 - s.j0); {
	case cells == 0:
	case cells <= a.cells:
		a.cells -= cells
		a.table(s)
	default:
		rest(s)
	}
	for i, j := s.i1, s.j1; i < i1; i, j = i+1, j+1 {
		a.pair(i, j)
	}
}

func (a *aligner) pair(i, j int) { a.pairs = append(a.pairs, stepPair{i, j}) }

// same tells whether no other pair with either step would have more points. Then
// steps at the ends of both histories belong together in a best alignment.
func (a *aligner) same(i, j int) bool {
	n := firm(&a.old[i], &a.new[j])
	return n > 0 && n == a.old[i].most() && n == a.new[j].most()
}

// table pairs the steps of a span in the way that has the most points.
func (a *aligner) table(s span) {
	for i := s.i0; i < s.i1; i++ {
		a.old[i].terms = a.termsOf(a.old[i].step)
	}
	for j := s.j0; j < s.j1; j++ {
		a.new[j].terms = a.termsOf(a.new[j].step)
	}
	w := s.j1 - s.j0 + 1
	best := make([]int64, (s.i1-s.i0+1)*w) // by first steps, of what is from there on
	at := func(i, j int) *int64 { return &best[(i-s.i0)*w+j-s.j0] }
	for i := s.i1 - 1; i >= s.i0; i-- {
		for j := s.j1 - 1; j >= s.j0; j-- {
			*at(i, j) = max(*at(i+1, j), *at(i, j+1), *at(i+1, j+1)+points(&a.old[i], &a.new[j]))
		}
	}
	for i, j := s.i0, s.j0; i < s.i1 && j < s.j1; {
		n := points(&a.old[i], &a.new[j])
		switch most := *at(i, j); {
		case n > 0 && most == *at(i+1, j+1)+n:
			a.pair(i, j)
			i, j = i+1, j+1
		case most == *at(i+1, j):
			i++
		default:
			j++
		}
	}
}

// split pairs the steps of a large span that are the same and stand once in
// either image, and aligns what is between them.
func (a *aligner) split(s span) {
	type key struct{ text, content int32 }
	pairs := a.once(s, func(k *stepKey) any { return key{k.text, k.content} })
	if len(pairs) == 0 {
		pairs = a.once(s, func(k *stepKey) any { return key{k.text, -1} })
	}
	i, j := s.i0, s.j0
	for _, p := range pairs {
		a.align(span{i, p.old, j, p.new}, a.next)
		a.pair(p.old, p.new)
		i, j = p.old+1, p.new+1
	}
	a.align(span{i, s.i1, j, s.j1}, a.next)
}

// once returns pairs of steps in a span with one key that stands once in either
// image: as many as there can be that don't cross.
func (a *aligner) once(s span, key func(*stepKey) any) []stepPair {
	const several = -1
	find := func(keys []stepKey, from, to int) map[any]int {
		at := map[any]int{}
		for i := from; i < to; i++ {
			k := key(&keys[i])
			if _, ok := at[k]; ok {
				at[k] = several
			} else {
				at[k] = i
			}
		}
		return at
	}
	olds, news := find(a.old, s.i0, s.i1), find(a.new, s.j0, s.j1)
	var all []stepPair
	for k, i := range olds {
		if j, ok := news[k]; ok && i != several && j != several && firm(&a.old[i], &a.new[j]) > 0 {
			all = append(all, stepPair{i, j})
		}
	}
	slices.SortFunc(all, func(p, q stepPair) int { return cmp.Compare(p.old, q.old) })
	return ascending(all)
}

// ascending returns the most pairs, which ascend in old, that ascend in new too.
func ascending(pairs []stepPair) []stepPair {
	var ends []int // by length less 1, the pair that a row of that length ends with at best
	before := make([]int, len(pairs))
	for k, p := range pairs {
		n, _ := slices.BinarySearchFunc(ends, p.new, func(e, j int) int { return cmp.Compare(pairs[e].new, j) })
		before[k] = -1
		if n > 0 {
			before[k] = ends[n-1]
		}
		if n == len(ends) {
			ends = append(ends, k)
		}
		ends[n] = k
	}
	row := make([]stepPair, len(ends))
	if len(ends) > 0 {
		for n, k := len(ends)-1, ends[len(ends)-1]; n >= 0; n, k = n-1, before[k] {
			row[n] = pairs[k]
		}
	}
	return row
}

// next pairs the steps of a large span each with the next that is the same.
func (a *aligner) next(s span) {
	for i, j := s.i0, s.j0; i < s.i1 && j < s.j1; i, j = i+1, j+1 {
		if di, dj, ok := a.near(span{i, s.i1, j, s.j1}); ok {
			i, j = i+di, j+dj
			a.pair(i, j)
		}
	}
}

// near returns how far from the start of a span the next two steps are that are
// the same, if they are near.
func (a *aligner) near(s span) (di, dj int, ok bool) {
	for d := range nearby {
		for di = range d + 1 {
			dj = d - di
			if s.i0+di < s.i1 && s.j0+dj < s.j1 && firm(&a.old[s.i0+di], &a.new[s.j0+dj]) > 0 {
				return di, dj, true
			}
		}
	}
	return 0, 0, false
}
