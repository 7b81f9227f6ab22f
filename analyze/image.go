// Package analyze reads a container image and says where its bytes are. The
// one entry is [Analyze]; [Start] is the same with partial results on the way.
//
// The words, which screens, JSON and code share:
//
//   - A layer is one filesystem changeset, a tar.
//   - An entry is one member of that tar.
//   - A step is one record of the image's history: an instruction with one
//     layer or none.
//   - A copy is the stored bytes of one regular-file entry.
//   - A copy is live if some path of the final filesystem refers to it, else
//     dead. Stored is the sum of all copies: stored = live + dead, for each
//     layer, for each step and in total.
package analyze

import (
	"context"
	"slices"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/layerscope/layerscope/analyze/dockerfile"
	"github.com/layerscope/layerscope/analyze/history"
	"github.com/layerscope/layerscope/analyze/layer"
	"github.com/layerscope/layerscope/analyze/packages"
	"github.com/layerscope/layerscope/analyze/source"
	"github.com/layerscope/layerscope/analyze/tree"
)

// Unknown stands for a number of bytes that isn't known: not told by the
// source, or not read yet.
const Unknown int64 = -1

// Image is an analyzed image. It is immutable.
type Image struct {
	source.Description

	Created time.Time // zero if unknown
	Layers  []Layer   // bottom first
	Steps   []Step    // oldest first
	Totals  Totals

	Fit     history.Fit     // whether the history fits the layers
	Builder history.Builder // who wrote the history
	Base    Base            // where the base ends

	// Dockerfile is the one that [Image.WithDockerfile] was given, else nil,
	// and FromLine its FROM that names the base.
	Dockerfile *dockerfile.File
	FromLine   dockerfile.Range

	// Complete is set once every layer is read. Until then Tree is nil and
	// the bytes of what isn't read are Unknown.
	Complete bool
	Tree     *tree.Tree

	// Packages is what packages own of the live bytes; nil until the image is
	// complete, and unless [Options.Packages] asked for it.
	Packages *packages.Report
}

// Layer is one layer with its bytes; see [source.Layer] for its names.
type Layer struct {
	source.Layer
	Index *layer.Index // nil until the layer is read

	Sums         // Stored is Unknown until the layer is read
	Entries int  // tar members; 0 until read
	Step    int  // index into Steps
	Base    bool // came from the FROM image, as far as known
}

// Step is one step with its layer's bytes: all 0 for a step without a layer,
// Unknown for a record that the history doesn't tie to a layer.
type Step struct {
	history.Step
	Sums

	// Line is the lines of the instruction that made the step, none if they
	// aren't known, and Match how they are; see [Image.WithDockerfile].
	Line  dockerfile.Range
	Match history.How
}

// Totals are the image's sums. Each is Unknown if any layer's is.
type Totals struct {
	Sums
	Base, Own Sums // of the base's layers and of the others, which add up to Sums

	Files  int // paths of the final filesystem that aren't directories
	Layers int
}

// Sums are bytes of copies. Stored = Live + Dead.
type Sums struct {
	Stored     int64
	Live, Dead int64 // Unknown until the image is complete
	// Compressed is the bytes as fetched from a registry; Unknown where the
	// source doesn't tell.
	Compressed int64
}

// unknownSums are those of which nothing is known.
var unknownSums = Sums{Unknown, Unknown, Unknown, Unknown}

// plus adds up; with something unknown the sum is.
func (s Sums) plus(o Sums) Sums {
	return Sums{plus(s.Stored, o.Stored), plus(s.Live, o.Live), plus(s.Dead, o.Dead), plus(s.Compressed, o.Compressed)}
}

func plus(a, b int64) int64 {
	if a == Unknown || b == Unknown {
		return Unknown
	}
	return a + b
}

// Efficiency returns live / stored: 1 if nothing is stored, 0 if that isn't
// known.
func (t Totals) Efficiency() float64 {
	switch {
	case t.Stored == Unknown:
		return 0
	case t.Stored == 0:
		return 1
	}
	return float64(t.Live) / float64(t.Stored)
}

// LayerUpTo returns the index of the topmost layer that exists after step i: the
// step's own, or the last before it; -1 if there is none yet. It isn't known
// where in a history that doesn't fit the layers a record stands.
func (m *Image) LayerUpTo(i int) (k int, known bool) {
	if m.Fit != history.Exact && m.Steps[i].Layer < 0 {
		return -1, false
	}
	for ; i >= 0; i-- {
		if k := m.Steps[i].Layer; k >= 0 {
			return k, true
		}
	}
	return -1, true
}

// newImage makes an image of a description and of what is claimed of its base,
// if anything: all that is known before a layer is read.
func newImage(d *source.Description, c *claim) *Image {
	m := &Image{Description: *d}
	m.Created = d.Config.Created.Time
	diffIDs := make([]v1.Hash, len(d.Layers))
	for i, l := range d.Layers {
		diffIDs[i] = l.DiffID
		m.Layers = append(m.Layers, Layer{Layer: l, Sums: Sums{Unknown, Unknown, Unknown, l.Size}})
	}
	h := history.Read(d.Config, diffIDs)
	m.Fit, m.Builder = h.Fit, h.Builder
	for i, s := range h.Steps {
		m.Steps = append(m.Steps, Step{Step: s})
		if s.Layer >= 0 {
			m.Layers[s.Layer].Step = i
		}
	}
	m.setBase(c, &h)
	m.fillSteps()
	return m
}

// with returns a copy of the image in which layers that got read are filled in.
func (m *Image) with(indexes []*layer.Index) *Image {
	c := *m
	c.Layers = slices.Clone(m.Layers)
	c.Steps = slices.Clone(m.Steps)
	for i, x := range indexes {
		if x != nil {
			l := &c.Layers[i]
			l.Index, l.Stored, l.Entries = x, x.Stored, x.Len()
			if l.DiffID == (v1.Hash{}) {
				l.DiffID = x.DiffID
			}
		}
	}
	c.fillSteps()
	return &c
}

// complete returns a copy of the image with every layer read and stacked.
func (m *Image) complete(ctx context.Context, indexes []*layer.Index) (*Image, error) {
	t, err := tree.Build(ctx, indexes, tree.Options{Windows: m.Platform.OS == "windows"})
	if err != nil {
		return nil, err
	}
	c := m.with(indexes)
	c.Complete, c.Tree = true, t
	for i := range c.Layers {
		s := t.Sums(i)
		c.Layers[i].Live, c.Layers[i].Dead = s.Live, s.Dead
	}
	c.fillSteps()
	c.Totals.Files = t.Files()
	return c, nil
}

// fillSteps copies the layers' bytes to their steps and adds up the totals.
func (m *Image) fillSteps() {
	for i := range m.Steps {
		s := &m.Steps[i]
		switch {
		case s.Layer >= 0:
			s.Sums = m.Layers[s.Layer].Sums
		case m.Fit == history.Exact || s.Empty:
			s.Sums = Sums{}
		default:
			s.Sums = unknownSums
		}
	}
	t := Totals{Layers: len(m.Layers), Files: m.Totals.Files}
	for _, l := range m.Layers {
		t.Sums = t.Sums.plus(l.Sums)
		if l.Base {
			t.Base = t.Base.plus(l.Sums)
		} else {
			t.Own = t.Own.plus(l.Sums)
		}
	}
	m.Totals = t
}
