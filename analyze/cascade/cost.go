package cascade

import "time"

// How a measure came about.
const (
	HowProvenance  = "provenance"   // exact: the builder attested it
	HowMatched     = "matched"      // by the texts and the order of instructions and steps
	HowNotExported = "not exported" // the image has no layers of the instruction's stage
)

// Measure is what is known of what an instruction cost when it was built.
type Measure struct {
	Bytes      *int64         // bytes of files in the layers that it made; nil if unknown
	Compressed *int64         // bytes of those layers as they are pushed and pulled; nil if unknown
	Duration   *time.Duration // that it took; nil if unknown
	How        string         // how Bytes came about; "" if unknown
}

// Measures are what is known of a graph's instructions, by Step.Index; nil if
// nothing is.
type Measures []Measure

// Range is a sum of which a part is uncertain.
type Range struct {
	Min     int64 // of the misses
	Max     int64 // and of the may-misses
	Unknown int   // how many of the instructions that run again aren't in it
}

// add adds a part, of an instruction that runs again.
func (r *Range) add(part *int64, state State) {
	switch {
	case part == nil:
		r.Unknown++
	case state == Miss:
		r.Min += *part
		r.Max += *part
	default:
		r.Max += *part
	}
}

// Cost is what a prediction comes to.
type Cost struct {
	Counts
	Bytes       Range // new bytes of files in layers
	Compressed  Range // bytes to push and pull
	Nanoseconds Range // of work, were each instruction to run alone
}

// Cost adds up what runs again. Only instructions that the builder does
// something for are in it.
func (p *Prediction) Cost(m Measures) Cost {
	c := Cost{Counts: p.Counts()}
	for i, v := range p.Steps {
		if v.State < MayMiss || !v.Step.Works() {
			continue
		}
		var one Measure
		if i < len(m) {
			one = m[i]
		}
		var ns *int64
		if one.Duration != nil {
			n := int64(*one.Duration)
			ns = &n
		}
		c.Bytes.add(one.Bytes, v.State)
		c.Compressed.add(one.Compressed, v.State)
		c.Nanoseconds.add(ns, v.State)
	}
	return c
}

// Cost adds up what any edit of the instruction reruns.
func (im *Impact) Cost(g *Graph, m Measures) Cost {
	p := Prediction{}
	for i, s := range g.Steps {
		p.Steps = append(p.Steps, Verdict{Step: s, State: im.States[i]})
	}
	return p.Cost(m)
}
