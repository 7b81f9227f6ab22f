package report

import (
	"io"
	"math"

	"github.com/layerscope/layerscope/analyze/dive"
	"github.com/layerscope/layerscope/analyze/secret"
	"github.com/layerscope/layerscope/analyze/tree"
	"github.com/layerscope/layerscope/analyze/waste"
	"github.com/layerscope/layerscope/analyze/waste/disposable"
)

// The types below are docs/json.md, "waste", in its order.

type wasteReport struct {
	SchemaVersion string     `json:"schemaVersion"`
	Tool          Tool       `json:"tool"`
	Image         imageJSON  `json:"image"`
	Totals        totalsJSON `json:"totals"`
	findingsJSON
}

// findingsJSON stands among the keys of a report.
type findingsJSON struct {
	Waste wasteJSON `json:"waste"`
	Leaks leaksJSON `json:"leaks"`
	Dive  diveJSON  `json:"dive"`
}

type wasteJSON struct {
	Dead       deadJSON       `json:"dead"`
	Files      []deadFileJSON `json:"files"`
	Duplicates duplicatesJSON `json:"duplicates"`
	Disposable disposableJSON `json:"disposable"`
}

// tallyJSON stands among the keys of what it is part of.
type tallyJSON struct {
	Bytes      int64  `json:"bytes"`
	Compressed *int64 `json:"compressed"`
	Copies     int    `json:"copies"`
	Base       int64  `json:"base"`
	Own        int64  `json:"own"`
}

type deadJSON struct {
	tallyJSON
	ByReason    byReasonJSON   `json:"byReason"`
	OwnByReason byReasonJSON   `json:"ownByReason"`
	BySteps     []deadStepJSON `json:"bySteps"`
}

type byReasonJSON struct {
	Overwritten int64 `json:"overwritten"`
	Rewritten   int64 `json:"rewritten"`
	Deleted     int64 `json:"deleted"`
	Replaced    int64 `json:"replaced"`
}

// reasons are the keys by [waste.Reason].
func (b *byReasonJSON) reasons() [waste.NumReasons]*int64 {
	return [waste.NumReasons]*int64{
		waste.Overwritten: &b.Overwritten,
		waste.Rewritten:   &b.Rewritten,
		waste.Deleted:     &b.Deleted,
		waste.Replaced:    &b.Replaced,
	}
}

type deadStepJSON struct {
	Step    int   `json:"step"`
	Written int64 `json:"written"`
	Killed  int64 `json:"killed"`
}

type deadFileJSON struct {
	pathJSON
	Bytes      int64  `json:"bytes"`
	Compressed *int64 `json:"compressed"`
	Reason     string `json:"reason"`
	WrittenBy  int    `json:"writtenBy"`
	KilledBy   int    `json:"killedBy"`
}

type duplicatesJSON struct {
	tallyJSON
	Groups []groupJSON `json:"groups"`
}

type groupJSON struct {
	Bytes int64          `json:"bytes"`
	Size  int64          `json:"size"`
	Paths []stepPathJSON `json:"paths"`
}

type stepPathJSON struct {
	pathJSON
	Step int `json:"step"`
}

type disposableJSON struct {
	tallyJSON
	Classes []classJSON `json:"classes"`
}

type classJSON struct {
	Class string `json:"class"`
	Title string `json:"title"`
	Fix   string `json:"fix"`
	tallyJSON
	Steps    []classStepJSON `json:"steps"`
	Examples []exampleJSON   `json:"examples"`
}

type classStepJSON struct {
	Step   int   `json:"step"`
	Bytes  int64 `json:"bytes"`
	Copies int   `json:"copies"`
}

type exampleJSON struct {
	stepPathJSON
	Bytes int64 `json:"bytes"`
}

type leaksJSON struct {
	Files  []leakFileJSON  `json:"files"`
	Values []leakValueJSON `json:"values"`
}

type leakFileJSON struct {
	deadFileJSON
	Kind string `json:"kind"`
}

type leakValueJSON struct {
	Step   int     `json:"step"`
	In     *string `json:"in"`
	Name   string  `json:"name"`
	Masked string  `json:"masked"`
}

type diveJSON struct {
	EfficiencyScore   float64  `json:"efficiencyScore"`
	WastedBytes       uint64   `json:"wastedBytes"` // as dive adds them up
	UserWastedPercent *float64 `json:"userWastedPercent"`
}

// WasteJSON writes the part of [JSON] that is about waste.
func WasteJSON(w io.Writer, s Subject, tool Tool) error {
	if err := s.check(); err != nil {
		return err
	}
	return writeJSON(w, wasteReport{
		SchemaVersion: schemaVersion,
		Tool:          tool,
		Image:         newImageJSON(s.Image),
		Totals:        newTotalsJSON(s.Image),
		findingsJSON:  newFindingsJSON(s),
	})
}

func newFindingsJSON(s Subject) findingsJSON {
	f := s.Findings
	return findingsJSON{
		Waste: wasteJSON{
			Dead:       s.deadJSON(f.Dead),
			Files:      s.deadFilesJSON(f.Dead.Copies),
			Duplicates: s.duplicatesJSON(f.Duplicates),
			Disposable: s.disposableJSON(f.Disposable),
		},
		Leaks: s.leaksJSON(f.SecretFiles, f.SecretValues),
		Dive:  newDiveJSON(f.Dive),
	}
}

func (s Subject) tallyJSON(t waste.Tally) tallyJSON {
	return tallyJSON{t.Bytes, nullBytes(t.Compressed), t.Copies, t.Of(s.Image.IsBase).Bytes, t.Of(s.Image.IsOwn).Bytes}
}

func (s Subject) pathJSON(n tree.Node) pathJSON { return newPathJSON(s.path(n)) }

func (s Subject) deadJSON(d *waste.Dead) deadJSON {
	out := deadJSON{tallyJSON: s.tallyJSON(d.Tally), BySteps: []deadStepJSON{}}
	for r, bytes := range out.ByReason.reasons() {
		*bytes = d.ByReason[r].Bytes
	}
	for r, bytes := range out.OwnByReason.reasons() {
		*bytes = d.ByReason[r].Of(s.Image.IsOwn).Bytes
	}
	for k, written := range d.Layers {
		if killed := d.Killed[k]; written.Copies+killed.Copies > 0 {
			out.BySteps = append(out.BySteps, deadStepJSON{s.step(k), written.Bytes, killed.Bytes})
		}
	}
	return out
}

func (s Subject) deadFileJSON(c waste.DeadCopy) deadFileJSON {
	return deadFileJSON{s.pathJSON(c.Path), c.Bytes, nullBytes(c.Compressed), c.Reason.String(), s.writer(c.Copy), s.step(c.KilledBy)}
}

func (s Subject) deadFilesJSON(copies []waste.DeadCopy) []deadFileJSON {
	return collect(copies, s.deadFileJSON)
}

func (s Subject) stepPathJSON(c waste.Copy) stepPathJSON {
	return stepPathJSON{s.pathJSON(c.Path), s.writer(c)}
}

func (s Subject) duplicatesJSON(d *waste.Duplicates) duplicatesJSON {
	return duplicatesJSON{s.tallyJSON(d.Tally), collect(d.Groups, func(g waste.Group) groupJSON {
		return groupJSON{g.Bytes(), g.Size, collect(g.Copies, s.stepPathJSON)}
	})}
}

// numExamples is how many files of a class a report names.
const numExamples = 5

func (s Subject) disposableJSON(r *disposable.Report) disposableJSON {
	return disposableJSON{s.tallyJSON(r.Tally), collect(r.Classes, func(c disposable.Class) classJSON {
		return classJSON{
			Class:     c.Rule.ID,
			Title:     c.Rule.Title,
			Fix:       c.Rule.Fix,
			tallyJSON: s.tallyJSON(c.Tally),
			Steps: collect(s.shares(c.Origins), func(p share) classStepJSON {
				return classStepJSON{p.step, p.Bytes, p.Sum.Copies}
			}),
			Examples: collect(c.Files[:min(len(c.Files), numExamples)], func(f disposable.File) exampleJSON {
				return exampleJSON{s.stepPathJSON(f.Copy), f.Bytes}
			}),
		}
	})}
}

func (s Subject) leaksJSON(files []secret.File, values []secret.Value) leaksJSON {
	return leaksJSON{
		collect(files, func(f secret.File) leakFileJSON { return leakFileJSON{s.deadFileJSON(f.DeadCopy), f.Kind} }),
		collect(values, func(v secret.Value) leakValueJSON { return leakValueJSON{v.Step, nullable(v.In), v.Name, v.Masked} }),
	}
}

func newDiveJSON(n dive.Numbers) diveJSON {
	return diveJSON{n.EfficiencyScore, uint64(n.WastedBytes), nullFloat(n.UserWastedPercent)}
}

// nullFloat returns null for what JSON has no number for.
func nullFloat(f float64) *float64 {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil
	}
	return &f
}

// collect makes one list of another, empty rather than nil.
func collect[A, B any](in []A, f func(A) B) []B {
	out := make([]B, len(in))
	for i, v := range in {
		out[i] = f(v)
	}
	return out
}
