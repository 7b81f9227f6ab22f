package analyze

import (
	"sync"

	"github.com/layerscope/layerscope/analyze/cause"
	"github.com/layerscope/layerscope/analyze/dive"
	"github.com/layerscope/layerscope/analyze/layer"
	"github.com/layerscope/layerscope/analyze/secret"
	"github.com/layerscope/layerscope/analyze/waste"
	"github.com/layerscope/layerscope/analyze/waste/disposable"
)

// Findings are what is to be said of an image beyond its sizes: what of its
// bytes is wasted, and what it gives away.
type Findings struct {
	Dead       *waste.Dead
	Duplicates *waste.Duplicates
	Disposable *disposable.Report

	SecretFiles  []secret.File
	SecretValues []secret.Value

	Dive dive.Numbers
}

// Findings looks the image over, which must be complete. It takes some passes
// over the image's entries and reads nothing.
func (m *Image) Findings() *Findings {
	w := m.wasteImage()
	indexes := make([]*layer.Index, len(m.Layers))
	for k, l := range m.Layers {
		indexes[k] = l.Index
	}
	f := &Findings{}
	var beside sync.WaitGroup
	beside.Go(func() { f.Dive = dive.Compute(indexes) }) // what takes longest
	f.Dead = waste.FindDead(w)
	f.Duplicates = waste.FindDuplicates(w)
	f.Disposable = disposable.Find(w)
	f.SecretFiles = secret.Files(w, f.Dead)
	f.SecretValues = secret.Values(m.history())
	beside.Wait()
	return f
}

// wasteImage returns the image as package waste knows it.
func (m *Image) wasteImage() waste.Image {
	w := waste.Image{Tree: m.Tree, Compressed: make([]bool, len(m.Layers)), Env: m.Config.Config.Env}
	for k, l := range m.Layers {
		w.Compressed[k] = l.Compressed == l.Index.StoredSize
	}
	return w
}

// IsBase tells whether layer k came from the FROM image, as far as known.
func (m *Image) IsBase(k int) bool { return m.Layers[k].Base }

// IsOwn tells whether layer k didn't.
func (m *Image) IsOwn(k int) bool { return !m.Layers[k].Base }

// Causes says what each byte of the image is stored for. The image must be
// complete and have its packages. Unless base is set the copies of the base's
// layers count as the image's own.
func (m *Image) Causes(base bool) *cause.Report {
	w := m.wasteImage()
	c := cause.Image{Tree: m.Tree, Packages: m.Packages, Dead: waste.FindDead(w), Disposable: disposable.Find(w), Base: make([]bool, len(m.Layers))}
	for k, l := range m.Layers {
		c.Base[k] = base && l.Base
	}
	return cause.Find(c)
}
