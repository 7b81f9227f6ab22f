package diff

import (
	"maps"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/layer"
)

// LayerState is how a layer of one image is found in the other.
type LayerState uint8

// The states of layers.
const (
	// Shared: the other image has the same layer: the same diffID and, where
	// the digests are known of both, the same digest.
	Shared LayerState = iota
	// Recompressed: it has the same diffID under another digest.
	Recompressed
	// Retouched: it has a layer of another diffID whose entries are the same
	// but for times and their order: the same paths, types, modes, owners,
	// links, attributes and bodies.
	Retouched
	OnlyOld // NEW has no such layer
	OnlyNew // OLD has no such layer
)

var layerStates = [...]string{"shared", "recompressed", "retouched", "onlyOld", "onlyNew"}

// String returns the state's name as JSON has it.
func (s LayerState) String() string { return layerStates[s] }

// LayerPair is a layer that both images have, or one of them.
type LayerPair struct {
	Old, New   int // indexes into the images' layers; -1 for none
	State      LayerState
	Stored     Bytes // 0 where there is none; Unknown if the layer wasn't read
	Compressed Bytes // 0 where there is none; Unknown where the source doesn't tell
}

// Pull is the compressed bytes of the layers that a host which has one image must
// fetch for the other. Manifests and configs, some kB, aren't counted.
type Pull struct {
	// Bytes is what a host fetches that finds layers by their digests, each
	// of them once; Unknown if the size of one of them is.
	Bytes  int64
	Layers int // how many these are
	// Chain is what an engine fetches that finds a layer only above the same
	// lower layers, as Docker's does with its graph drivers: from the first
	// layer that the other image hasn't in the same place all, each digest
	// once; nothing for an image of the same config. Unknown as Bytes is.
	Chain int64
}

// Layers is the layers of two images compared.
type Layers struct {
	// Pairs are in the order of NEW's layers. Those that only OLD has stand
	// where they were in OLD: above the layer of NEW whose partner was below
	// them, before those that only NEW has there.
	Pairs []LayerPair
	Pull  Pull // of NEW, by a host that has OLD
	Back  Pull // of OLD, by a host that has NEW
}

// Identical tells whether all layers are shared, and in the same order.
func (l *Layers) Identical() bool {
	for i, p := range l.Pairs {
		if p.State != Shared || p.Old != i || p.New != i {
			return false
		}
	}
	return true
}

// CompareLayers compares the layers of two images, of which no more than the
// manifests need be known ([analyze.Describe]). Layers that weren't read are
// Retouched to nothing.
func CompareLayers(old, new *analyze.Image) *Layers {
	p := pairLayers(old.Layers, new.Layers)
	return &Layers{
		Pairs: p.pairs(),
		Pull:  pull(old, new),
		Back:  pull(new, old),
	}
}

// pairing is the layers of two images, on the way to be paired.
type pairing struct {
	old, new []analyze.Layer
	toOld    []int // by layer of new, -1 while it has no partner
	toNew    []int // by layer of old
	state    []LayerState
}

func pairLayers(old, new []analyze.Layer) *pairing {
	p := &pairing{old: old, new: new, toOld: noPartners(len(new)), toNew: noPartners(len(old)), state: make([]LayerState, len(new))}
	pairBy(p, Shared, names, names)
	// Where one of the two images doesn't tell one kind of digest, the other
	// kind says enough.
	pairBy(p, Shared, diffIDAlone, diffID)
	pairBy(p, Shared, diffID, diffIDAlone)
	pairBy(p, Shared, digestAlone, digest)
	pairBy(p, Shared, digest, digestAlone)
	pairBy(p, Recompressed, diffID, diffID)
	pairBy(p, Retouched, outline, outline)
	return p
}

func noPartners(n int) []int {
	s := make([]int, n)
	for i := range s {
		s[i] = -1
	}
	return s
}

// The names of a layer by which it can be found in another image. Each says
// whether it is known; those of one kind alone say so only where the other isn't.

func names(l *analyze.Layer) ([2]v1.Hash, bool) {
	return [2]v1.Hash{l.DiffID, l.Digest}, l.DiffID != v1.Hash{} && l.Digest != v1.Hash{}
}

func diffID(l *analyze.Layer) (v1.Hash, bool) { return l.DiffID, l.DiffID != v1.Hash{} }

func digest(l *analyze.Layer) (v1.Hash, bool) { return l.Digest, l.Digest != v1.Hash{} }

func diffIDAlone(l *analyze.Layer) (v1.Hash, bool) {
	return l.DiffID, l.DiffID != v1.Hash{} && l.Digest == v1.Hash{}
}

func digestAlone(l *analyze.Layer) (v1.Hash, bool) {
	return l.Digest, l.Digest != v1.Hash{} && l.DiffID == v1.Hash{}
}

func outline(l *analyze.Layer) (layer.Outline, bool) {
	if l.Index == nil {
		return layer.Outline{}, false
	}
	return l.Index.Outline(), true
}

// pairBy pairs the layers that have no partner yet and the same key, those of
// them first that stand in the same order in both images.
func pairBy[K comparable](p *pairing, state LayerState, ofOld, ofNew func(*analyze.Layer) (K, bool)) {
	if !slices.Contains(p.toOld, -1) { // all are: spare the outlines
		return
	}
	byKey := map[K][]int{} // of old, from the bottom
	for o := range p.old {
		if p.toNew[o] < 0 {
			if k, ok := ofOld(&p.old[o]); ok {
				byKey[k] = append(byKey[k], o)
			}
		}
	}
	if len(byKey) == 0 {
		return
	}
	keys := make([]K, len(p.new))
	known := make([]bool, len(p.new))
	for n := range p.new {
		if p.toOld[n] < 0 {
			keys[n], known[n] = ofNew(&p.new[n])
		}
	}
	rest := maps.Clone(byKey)
	last := -1
	for n, k := range keys {
		if !known[n] {
			continue
		}
		// What is below the last partner is below all to come.
		above := byKey[k]
		for len(above) > 0 && above[0] < last {
			above = above[1:]
		}
		if len(above) > 0 {
			last, above = above[0], above[1:]
			p.pair(last, n, state)
		}
		byKey[k] = above
	}
	for n, k := range keys {
		if !known[n] || p.toOld[n] >= 0 {
			continue
		}
		left := rest[k]
		for len(left) > 0 && p.toNew[left[0]] >= 0 {
			left = left[1:]
		}
		if len(left) > 0 {
			p.pair(left[0], n, state)
		}
		rest[k] = left
	}
}

func (p *pairing) pair(o, n int, state LayerState) {
	p.toNew[o], p.toOld[n], p.state[n] = n, o, state
}

// pairs returns all layers in the order of NEW's.
func (p *pairing) pairs() []LayerPair {
	pairs := make([]LayerPair, 0, len(p.new)+len(p.old))
	o := 0
	onlyOldBelow := func(end int) {
		for ; o < end; o++ {
			if p.toNew[o] < 0 {
				l := &p.old[o]
				pairs = append(pairs, LayerPair{o, -1, OnlyOld, Bytes{Old: l.Stored}, Bytes{Old: l.Compressed}})
			}
		}
	}
	next := p.nextPartners()
	for n := range p.new {
		l := &p.new[n]
		onlyOldBelow(next[n])
		if p.toOld[n] < 0 {
			pairs = append(pairs, LayerPair{-1, n, OnlyNew, Bytes{New: l.Stored}, Bytes{New: l.Compressed}})
			continue
		}
		was := &p.old[p.toOld[n]]
		pairs = append(pairs, LayerPair{p.toOld[n], n, p.state[n], Bytes{was.Stored, l.Stored}, Bytes{was.Compressed, l.Compressed}})
	}
	onlyOldBelow(len(p.old))
	return pairs
}

// nextPartners returns for each layer of NEW the partner in OLD that it has, or
// else that of the next above it that has one; past the last of OLD if none has.
func (p *pairing) nextPartners() []int {
	next := make([]int, len(p.new))
	above := len(p.old)
	for n := len(p.new) - 1; n >= 0; n-- {
		if p.toOld[n] >= 0 {
			above = p.toOld[n]
		}
		next[n] = above
	}
	return next
}

// pull adds up what a host that has one image must fetch for another.
func pull(has, wants *analyze.Image) Pull {
	h := newHolding()
	for i := range has.Layers {
		h.add(&has.Layers[i])
	}
	var p Pull
	p.Bytes, p.Layers = h.fetch(wants.Layers)
	if has.ID == (v1.Hash{}) || has.ID != wants.ID {
		p.Chain, _ = newHolding().fetch(wants.Layers[commonBelow(has.Layers, wants.Layers):])
	}
	return p
}

// commonBelow returns how many layers two images share from the bottom.
func commonBelow(a, b []analyze.Layer) int {
	k := 0
	for k < min(len(a), len(b)) && isSame(&a[k], &b[k]) {
		k++
	}
	return k
}

// isSame tells whether two layers are [Shared].
func isSame(a, b *analyze.Layer) bool {
	zero := v1.Hash{}
	sameDiffID, sameDigest := a.DiffID == b.DiffID, a.Digest == b.Digest
	switch {
	case a.DiffID == zero || b.DiffID == zero:
		return sameDigest && a.Digest != zero
	case a.Digest == zero || b.Digest == zero:
		return sameDiffID
	}
	return sameDiffID && sameDigest
}

// holding is the blobs that a host has. Of some nothing but the diffID is known.
type holding struct {
	digests, diffIDs, diffIDsAlone map[v1.Hash]bool
}

func newHolding() *holding {
	return &holding{map[v1.Hash]bool{}, map[v1.Hash]bool{}, map[v1.Hash]bool{}}
}

func (h *holding) add(l *analyze.Layer) {
	if d, ok := digest(l); ok {
		h.digests[d] = true
	}
	if d, ok := diffID(l); ok {
		h.diffIDs[d] = true
	}
	if d, ok := diffIDAlone(l); ok {
		h.diffIDsAlone[d] = true
	}
}

func (h *holding) has(l *analyze.Layer) bool {
	if d, ok := digest(l); ok {
		return h.digests[d] || h.diffIDsAlone[l.DiffID]
	}
	return h.diffIDs[l.DiffID]
}

// fetch adds what the host hasn't got, each blob once, and returns how many
// bytes and blobs that was.
func (h *holding) fetch(layers []analyze.Layer) (bytes int64, blobs int) {
	for i := range layers {
		if l := &layers[i]; !h.has(l) {
			h.add(l)
			bytes = plus(bytes, l.Compressed)
			blobs++
		}
	}
	return bytes, blobs
}
