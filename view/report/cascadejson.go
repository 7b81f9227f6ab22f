package report

import (
	"io"
	"time"

	"github.com/layerscope/layerscope/analyze/buildcontext"
	"github.com/layerscope/layerscope/analyze/cascade"
	"github.com/layerscope/layerscope/analyze/cascade/advice"
	"github.com/layerscope/layerscope/analyze/cascade/reads"
	"github.com/layerscope/layerscope/analyze/dockerfile"
)

// The types below are docs/json.md, "cascade", in its order.

type cascadeReport struct {
	SchemaVersion string               `json:"schemaVersion"`
	Tool          Tool                 `json:"tool"`
	Builder       string               `json:"builder"`
	Dockerfile    string               `json:"dockerfile"`
	Context       *string              `json:"context"`
	Target        targetJSON           `json:"target"`
	Platform      *string              `json:"platform"`
	Changes       []changeJSON         `json:"changes"`
	Measured      []measuredJSON       `json:"measured"`
	Instructions  []instructionJSON    `json:"instructions"`
	Cost          costJSON             `json:"cost"`
	Lines         []editedJSON         `json:"lines"`
	Files         *contextsJSON        `json:"files"`
	Findings      []cascadeFindingJSON `json:"findings"`
	Notes         []noteJSON           `json:"notes"`
}

type targetJSON struct {
	Stage int     `json:"stage"`
	Name  *string `json:"name"`
}

type changeJSON struct {
	Kind  string     `json:"kind"`
	Line  *lineJSON  `json:"line"`
	Files []pathJSON `json:"files"`
	Arg   *string    `json:"arg"`
	Image *string    `json:"image"`
	Text  *string    `json:"text"`
}

type measuredJSON struct {
	Kind         string  `json:"kind"`
	Name         string  `json:"name"`
	How          *string `json:"how"`
	Instructions int     `json:"instructions"`
	Problem      *string `json:"problem"`
}

type instructionJSON struct {
	Index       int          `json:"index"`
	Stage       *int         `json:"stage"`
	StageName   *string      `json:"stageName"`
	Line        lineJSON     `json:"line"`
	Instruction string       `json:"instruction"`
	Text        string       `json:"text"`
	Works       bool         `json:"works"`
	State       string       `json:"state"`
	Cause       *causeJSON   `json:"cause"`
	Through     *throughJSON `json:"through"`
	Reads       []readJSON   `json:"reads"`
	Bytes       *int64       `json:"bytes"`
	Compressed  *int64       `json:"compressed"`
	Seconds     *float64     `json:"seconds"`
	How         *string      `json:"how"`
}

type causeJSON struct {
	Kind  string     `json:"kind"`
	Text  string     `json:"text"`
	Line  *lineJSON  `json:"line"`
	What  *string    `json:"what"`
	Files []pathJSON `json:"files"`
}

type throughJSON struct {
	Line lineJSON `json:"line"`
	Kind *string  `json:"kind"`
}

type readJSON struct {
	Kind  string     `json:"kind"`
	From  string     `json:"from"`
	Name  string     `json:"name"`
	Paths []pathJSON `json:"paths"`
}

type countsJSON struct {
	Misses    int `json:"misses"`
	MayMisses int `json:"mayMisses"`
	Hits      int `json:"hits"`
	NotBuilt  int `json:"notBuilt"`
}

type costJSON struct {
	countsJSON
	Bytes      rangeJSON   `json:"bytes"`
	Compressed rangeJSON   `json:"compressed"`
	Seconds    secondsJSON `json:"seconds"`
}

// rangeJSON is a sum: min of what certainly runs again, max with what may.
type rangeJSON struct {
	Min     int64 `json:"min"`
	Max     int64 `json:"max"`
	Unknown int   `json:"unknown"` // instructions that aren't in it
}

type secondsJSON struct {
	Min     float64 `json:"min"`
	Max     float64 `json:"max"`
	Unknown int     `json:"unknown"`
}

type editedJSON struct {
	Index int      `json:"index"`
	Line  lineJSON `json:"line"`
	costJSON
	Built    bool  `json:"built"`
	Reruns   []int `json:"reruns"`
	MayRerun []int `json:"mayRerun"`
}

type contextsJSON struct {
	Reads    []contextReadJSON `json:"reads"`
	Changed  []changedJSON     `json:"changed"`
	Contexts []contextJSON     `json:"contexts"`
}

type contextReadJSON struct {
	Index   int        `json:"index"`
	Line    lineJSON   `json:"line"`
	Kind    string     `json:"kind"`
	Context *string    `json:"context"`
	Paths   []pathJSON `json:"paths"`
	sumJSON
	Problem *string `json:"problem"`
}

type sumJSON struct {
	Files int   `json:"files"`
	Bytes int64 `json:"bytes"`
}

type changedJSON struct {
	pathJSON
	TakenBy []int `json:"takenBy"`
}

type contextJSON struct {
	Name *string `json:"name"`
	sumJSON
	IgnoreFile *string         `json:"ignoreFile"`
	Ignored    []ignoredJSON   `json:"ignored"`
	Unread     unreadFilesJSON `json:"unread"`
}

type ignoredJSON struct {
	Pattern string `json:"pattern"`
	sumJSON
	Examples []pathJSON `json:"examples"`
}

type unreadFilesJSON struct {
	sumJSON
	Paths []pathSumJSON `json:"paths"`
}

type pathSumJSON struct {
	pathJSON
	sumJSON
}

type cascadeFindingJSON struct {
	Rule  string      `json:"rule"`
	Page  string      `json:"page"`
	Lines []lineJSON  `json:"lines"`
	Title string      `json:"title"`
	Text  string      `json:"text"`
	Diff  *string     `json:"diff"`
	Saves *savesJSON  `json:"saves"`
	Files *adviceJSON `json:"files"`
}

type savesJSON struct {
	When            string   `json:"when"`
	Instructions    int      `json:"instructions"`
	MayInstructions int      `json:"mayInstructions"`
	Bytes           *int64   `json:"bytes"`
	Compressed      *int64   `json:"compressed"`
	Seconds         *float64 `json:"seconds"`
}

type adviceJSON struct {
	sumJSON
	Examples []pathJSON `json:"examples"`
}

type noteJSON struct {
	Line *lineJSON `json:"line"`
	Text string    `json:"text"`
}

// CascadeJSON writes the report that docs/json.md describes.
func CascadeJSON(w io.Writer, c *Cascade, tool Tool) error {
	g := c.graph()
	out := cascadeReport{
		SchemaVersion: schemaVersion,
		Tool:          tool,
		Builder:       string(g.Options.Builder),
		Dockerfile:    c.Dockerfile,
		Context:       nullable(c.Context),
		Target:        targetJSON{g.Target.Index, nullable(g.Target.Name)},
		Platform:      nullable(g.Options.Platform),
		Changes:       []changeJSON{},
		Measured:      []measuredJSON{},
		Instructions:  make([]instructionJSON, len(g.Steps)),
		Cost:          newCostJSON(c.Prediction.Cost(c.Measures)),
		Findings:      []cascadeFindingJSON{},
		Notes:         []noteJSON{},
	}
	for _, ch := range c.Changes {
		out.Changes = append(out.Changes, changeJSON{
			ch.Kind, nullLine(ch.Line), pathsJSON(ch.Files), nullable(ch.Arg), nullable(ch.Image), nullable(ch.Text),
		})
	}
	for _, s := range c.Sources {
		out.Measured = append(out.Measured, measuredJSON{s.Kind, s.Name, nullable(s.How), s.Instructions, nullable(s.Problem)})
	}
	for i, v := range c.Prediction.Steps {
		out.Instructions[i] = c.instructionJSON(v)
	}
	if len(c.Changes) == 0 {
		out.Lines = c.linesJSON()
	}
	if c.Files != nil {
		out.Files = c.filesJSON()
	}
	for _, f := range c.Findings {
		out.Findings = append(out.Findings, c.findingJSON(f))
	}
	for _, n := range c.allNotes() {
		out.Notes = append(out.Notes, noteJSON{nullLine(n.Lines), c.redact.Text(n.Text)})
	}
	return writeJSON(w, out)
}

// instructionJSON tells an instruction.
func (c *Cascade) instructionJSON(v cascade.Verdict) instructionJSON {
	s, m := v.Step, c.measure(v.Step)
	out := instructionJSON{
		Index: s.Index, Stage: nullIndex(s.Stage), Line: lineJSON(s.Lines), Instruction: s.Keyword, Text: c.text(s),
		Works: s.Works(), State: v.State.String(), Reads: c.readsJSON(s),
		Bytes: m.Bytes, Compressed: m.Compressed, Seconds: nullSeconds(m.Duration), How: nullable(m.How),
	}
	if s.Stage >= 0 {
		out.StageName = nullable(c.graph().Stages[s.Stage].Name)
	}
	if v.Cause == nil {
		return out
	}
	out.Cause = &causeJSON{
		Kind: string(v.Cause.Kind), Text: c.why(v), Line: c.lineOf(v.Cause.Step),
		What: nullable(c.redact.Text(v.Cause.What)), Files: pathsJSON(v.Cause.Files),
	}
	if via := c.lineOf(v.Cause.Via); via != nil {
		out.Through = &throughJSON{*via, nullable(string(v.Cause.Role))}
	}
	return out
}

// lineOf returns the lines of an instruction, null for none.
func (c *Cascade) lineOf(step int) *lineJSON {
	if step < 0 {
		return nil
	}
	return nullLine(c.graph().Steps[step].Lines)
}

// readsJSON tells what an instruction reads beside what it stands on.
func (c *Cascade) readsJSON(s *cascade.Step) []readJSON {
	out := []readJSON{}
	if !s.Works() {
		return out
	}
	for _, n := range s.Nodes {
		for i := range n.In {
			e := &n.In[i]
			if e.Role != cascade.RoleCopy && e.Role != cascade.RoleMount || e.From.Kind == cascade.KindInline {
				continue
			}
			from, name := string(e.From.Kind), c.redact.Text(c.graph().Origin(e.From))
			if e.From.Stage >= 0 {
				from = "stage"
			} else if e.From.Kind == cascade.KindLocal {
				from = "context"
			}
			out = append(out, readJSON{string(e.Role), from, name, pathsJSON(e.Paths())})
		}
	}
	return out
}

// linesJSON tells what an edit of each instruction makes run again.
func (c *Cascade) linesJSON() []editedJSON {
	out := []editedJSON{}
	for i := range c.Impacts {
		im := &c.Impacts[i]
		e := editedJSON{
			Index: im.Step.Index, Line: lineJSON(im.Step.Lines), costJSON: newCostJSON(im.Cost(c.graph(), c.Measures)),
			Reruns: []int{}, MayRerun: []int{}, Built: im.States[im.Step.Index] != cascade.NotBuilt,
		}
		for j, state := range im.States {
			if !c.graph().Steps[j].Works() {
				continue
			}
			switch state {
			case cascade.Miss:
				e.Reruns = append(e.Reruns, j)
			case cascade.MayMiss:
				e.MayRerun = append(e.MayRerun, j)
			}
		}
		out = append(out, e)
	}
	return out
}

func newCostJSON(c cascade.Cost) costJSON {
	return costJSON{
		countsJSON: countsJSON(c.Counts),
		Bytes:      rangeJSON(c.Bytes),
		Compressed: rangeJSON(c.Compressed),
		Seconds:    secondsJSON{seconds(c.Nanoseconds.Min), seconds(c.Nanoseconds.Max), c.Nanoseconds.Unknown},
	}
}

// filesJSON tells which files the build reads.
func (c *Cascade) filesJSON() *contextsJSON {
	out := &contextsJSON{Reads: []contextReadJSON{}, Changed: []changedJSON{}, Contexts: []contextJSON{}}
	for _, r := range c.Files.Reads {
		one := contextReadJSON{
			Index: r.Step.Index, Line: lineJSON(r.Step.Lines), Kind: string(r.Role), Context: nullable(r.Context),
			Paths: pathsJSON(r.Patterns), sumJSON: sumJSON(r.Sum),
		}
		if r.Err != nil {
			one.Problem = nullable(r.Err.Error())
		}
		out.Reads = append(out.Reads, one)
	}
	for _, f := range c.Files.Changed {
		one := changedJSON{newPathJSON(f.Path), []int{}}
		for _, s := range f.Took {
			one.TakenBy = append(one.TakenBy, s.Index)
		}
		out.Changed = append(out.Changed, one)
	}
	for _, x := range c.Files.Contexts {
		out.Contexts = append(out.Contexts, newContextJSON(x))
	}
	return out
}

func newContextJSON(x reads.Context) contextJSON {
	out := contextJSON{
		Name: nullable(x.Name), sumJSON: sumJSON(x.All), IgnoreFile: nullable(x.IgnoreFile),
		Ignored: []ignoredJSON{}, Unread: unreadFilesJSON{sumJSON(x.Unread), []pathSumJSON{}},
	}
	for _, i := range x.Ignored {
		out.Ignored = append(out.Ignored, newIgnoredJSON(i))
	}
	for _, g := range x.Groups {
		out.Unread.Paths = append(out.Unread.Paths, pathSumJSON{newPathJSON(g.Path), sumJSON(g.Sum)})
	}
	return out
}

func newIgnoredJSON(i buildcontext.Ignored) ignoredJSON {
	return ignoredJSON{i.Pattern, sumJSON{i.Files, i.Bytes}, pathsJSON(i.Examples)}
}

func (c *Cascade) findingJSON(f advice.Finding) cascadeFindingJSON {
	out := cascadeFindingJSON{
		Rule: f.Rule.ID, Page: "docs/rules/dockerfile/" + f.Rule.ID + ".md", Lines: []lineJSON{},
		Title: f.Rule.Title, Text: c.redact.Text(f.Text), Diff: nullable(c.redact.Text(f.Edit.Diff())),
	}
	for _, l := range f.Lines {
		out.Lines = append(out.Lines, lineJSON(l))
	}
	if v := f.Saves; v != nil {
		out.Saves = &savesJSON{c.redact.Text(v.When), v.Instructions, v.MayInstructions, v.Bytes, v.Compressed, nullSeconds((*time.Duration)(v.Nanoseconds))}
	}
	if x := f.Context; x != nil {
		out.Files = &adviceJSON{sumJSON{x.Files, x.Bytes}, pathsJSON(x.Examples)}
	}
	return out
}

// nullLine returns null for no lines.
func nullLine(r dockerfile.Range) *lineJSON {
	if r.IsZero() {
		return nil
	}
	return &lineJSON{r.Start, r.End}
}

func pathsJSON(paths []string) []pathJSON {
	out := make([]pathJSON, len(paths))
	for i, p := range paths {
		out[i] = newPathJSON(p)
	}
	return out
}

func seconds(ns int64) float64 { return time.Duration(ns).Seconds() }

func nullSeconds(d *time.Duration) *float64 {
	if d == nil {
		return nil
	}
	s := d.Seconds()
	return &s
}
