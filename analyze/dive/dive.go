// Package dive computes the three numbers that the tool dive gates on, exactly
// as dive does, for those whose CI was set up with them. They mean less than
// they seem to; docs/waste.md tells how they differ from layerscope's own.
//
// The rules are those of wagoodman/dive as of [Version], oddities included,
// because a gate hangs on the result:
//
//   - A layer is the tree of the names in its tar. Parents without an entry are
//     made up and aren't directories. A name that begins with .wh. is a node
//     like any other; below one that begins with .wh..wh.. nothing is kept,
//     so opaque markers do nothing.
//   - Only leaves count, by their path without the .wh. of the last component.
//     A path's bytes are summed over the layers that have it as a leaf. With
//     the second such layer all of its bytes are wasted: also the copy that is
//     in use.
//   - A whiteout counts the bytes of the directory it removes, and nothing
//     for a file. If what it removes isn't there, the rest of the layer isn't
//     looked at, and the path counts -1 as its smallest size.
//   - The lowest layer's whiteouts are applied to the layer itself.
//
// For each whiteout dive stacks all layers below again. [Compute] keeps one
// stack and adds each layer once, so the cost is that of the entries, whatever
// the whiteouts.
//
// dive reads tars, Compute what [layer.Index] keeps of them; it keeps enough
// for the numbers to be the same. What is left are images of which dive says
// something else, or nothing:
//
//   - A tar with a PAX global header, as git archive writes: dive fails.
//   - An archive of docker before 25 with two equal layers: the second is
//     a symbolic link there, which dive takes for an empty layer. Of the same
//     image in any other form it has the numbers that are here.
//   - An archive without manifest.json: dive takes the layers in the order of a
//     Go map.
//   - What layerscope refuses to read: paths of more than 32 KiB, or a layer
//     that unpacks to more than the limit.
package dive

import (
	"strings"

	"github.com/layerscope/layerscope/analyze/layer"
)

// Version is the dive that the numbers are held to, in Go's way to name what
// has no release: its newest commit as of this writing.
const Version = "v0.13.2-0.20250516191726-d6c691947f8f"

// Numbers are dive's. Bytes are those that tar headers claim. (dive adds them
// up as unsigned 64-bit integers; headers that lie may make a sum wrap. The same
// bits are here, signed.)
type Numbers struct {
	SizeBytes     int64 // sum of the headers' sizes
	UserSizeBytes int64 // without those of the lowest layer

	// EfficiencyScore is the bytes that the paths would take in their
	// smallest version over those of all their versions: 0 to 1, or a
	// little below 0 where a dangling whiteout counted -1. It is 1 if
	// there are no bytes.
	EfficiencyScore float64
	// WastedBytes is the bytes of all versions of the paths that more than
	// one layer has.
	WastedBytes int64
	// UserWastedPercent is WastedBytes / UserSizeBytes: a fraction in spite
	// of its name, and one that may exceed 1. Without user bytes, as of an
	// image of one layer, it is NaN, or +Inf if something is wasted. dive
	// fails a gate if the number is larger than the limit: NaN passes,
	// +Inf doesn't.
	UserWastedPercent float64
}

// Compute computes the numbers of an image's layers, bottom first.
func Compute(layers []*layer.Index) Numbers {
	c := newComputer(layers)
	var n Numbers
	last := lastWhiteout(layers)
	for k, x := range layers {
		size := c.read(int32(k), x)
		n.SizeBytes += size
		if k > 0 {
			n.UserSizeBytes += size
		}
		if k == 0 && last >= 0 {
			c.copyToStack()
		}
		c.visitLeaves()
		if k < last {
			c.addToStack()
		}
	}
	n.EfficiencyScore, n.WastedBytes = c.efficiency()
	n.UserWastedPercent = float64(uint64(n.WastedBytes)) / float64(uint64(n.UserSizeBytes))
	return n
}

// The names that dive treats apart.
const (
	whiteoutPrefix = ".wh."
	droppedPrefix  = ".wh..wh.."
)

// lastWhiteout returns the topmost layer with what dive takes for a whiteout,
// or -1: the stack is kept for those alone.
func lastWhiteout(layers []*layer.Index) int {
	for k := len(layers) - 1; k >= 0; k-- {
		x := layers[k]
		for _, e := range x.All() {
			if e.Type == layer.Whiteout || e.Type == layer.Ignored {
				return k
			}
		}
		for d := range x.Dirs() {
			if strings.HasPrefix(x.DirName(d), whiteoutPrefix) {
				return k
			}
		}
	}
	return -1
}

// tally is what dive sums for one path.
type tally struct {
	cum, min int64 // bytes of all versions, and of the smallest; min is -1 until there is one
	versions int32
	is       bool // the path counts, be it for a min of -1
}

// visitLeaves counts the leaves of the layer that was read, children before
// parents and in the order of the names, up to a whiteout of nothing: there
// dive gives the layer up.
func (c *computer) visitLeaves() {
	for _, n := range c.order {
		if c.nodes[n].child != none {
			continue
		}
		size := c.nodes[n].size
		key := n
		removed, isWhiteout := strings.CutPrefix(c.nodes[n].name, whiteoutPrefix)
		if isWhiteout {
			key = c.child(c.nodes[n].parent, removed)
		}
		t := &c.tallies[key]
		if !t.is {
			*t = tally{is: true, min: -1}
		}
		if isWhiteout {
			var ok bool
			if size, ok = c.removedBytes(key); !ok {
				return
			}
		}
		t.cum += size
		if t.min < 0 || size < t.min {
			t.min = size
		}
		t.versions++
	}
}

// efficiency adds the paths up.
func (c *computer) efficiency() (score float64, wasted int64) {
	var least, all int64
	for _, t := range c.tallies {
		if !t.is {
			continue
		}
		least += t.min
		all += t.cum
		if t.versions >= 2 {
			wasted += t.cum
		}
	}
	if all == 0 {
		return 1, wasted
	}
	return float64(least) / float64(all), wasted
}
