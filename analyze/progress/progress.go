// Package progress carries how far work has come from those who do it to
// those who show it. Workers add to atomic counters and never wait; a front
// polls [Progress.Snapshot] when it likes.
package progress

import "sync/atomic"

// Progress counts. The zero value is ready; all methods are safe for
// concurrent use and do nothing on a nil *Progress.
type Progress struct {
	phase      atomic.Pointer[string]
	bytes      atomic.Int64
	total      atomic.Int64
	layers     atomic.Int32
	layersDone atomic.Int32
}

// Snapshot is the state of a Progress at one moment. Its fields are read one
// by one, so they may be a few updates apart.
type Snapshot struct {
	Phase      string // what is being done: "pulling", "reading layers"; "" before anything
	Bytes      int64  // bytes received so far, as stored (compressed where they are)
	Total      int64  // bytes there will be; 0 if unknown
	Layers     int    // layers to read; 0 if unknown
	LayersDone int    // layers read
}

// SetPhase says what is being done now.
func (p *Progress) SetPhase(s string) {
	if p != nil {
		p.phase.Store(&s)
	}
}

// SetTotal says how many bytes there will be; 0 for unknown.
func (p *Progress) SetTotal(n int64) {
	if p != nil {
		p.total.Store(n)
	}
}

// SetBytes sets the bytes so far, for work that is told a position and not
// differences.
func (p *Progress) SetBytes(n int64) {
	if p != nil {
		p.bytes.Store(n)
	}
}

// AddBytes adds n bytes received.
func (p *Progress) AddBytes(n int64) {
	if p != nil {
		p.bytes.Add(n)
	}
}

// SetLayers says how many layers there are to read.
func (p *Progress) SetLayers(n int) {
	if p != nil {
		p.layers.Store(int32(n))
	}
}

// LayerDone counts one layer as read.
func (p *Progress) LayerDone() {
	if p != nil {
		p.layersDone.Add(1)
	}
}

// Snapshot returns the counts.
func (p *Progress) Snapshot() Snapshot {
	if p == nil {
		return Snapshot{}
	}
	s := Snapshot{
		Bytes:      p.bytes.Load(),
		Total:      p.total.Load(),
		Layers:     int(p.layers.Load()),
		LayersDone: int(p.layersDone.Load()),
	}
	if ph := p.phase.Load(); ph != nil {
		s.Phase = *ph
	}
	return s
}
