package report

import (
	"io"

	"github.com/layerscope/layerscope/analyze/stages"
)

// The types below are docs/json.md, "stages", in its order.

type stagesReport struct {
	SchemaVersion string        `json:"schemaVersion"`
	Tool          Tool          `json:"tool"`
	Dockerfile    string        `json:"dockerfile"`
	Context       *string       `json:"context"`
	Builder       *string       `json:"builder"`
	Kept          bool          `json:"kept"`
	Target        stageNameJSON `json:"target"`
	Stages        []stageJSON   `json:"stages"`
}

type stageNameJSON struct {
	Stage int     `json:"stage"`
	Name  *string `json:"name"`
}

type stageJSON struct {
	Index   int        `json:"index"`
	Name    *string    `json:"name"`
	From    string     `json:"from"`
	Below   *int       `json:"below"`
	Line    lineJSON   `json:"line"`
	Needed  bool       `json:"needed"`
	Target  bool       `json:"target"`
	Empty   bool       `json:"empty"`
	Heirs   []int      `json:"heirs"`
	Image   *imageName `json:"image"`
	Stored  *int64     `json:"stored"`
	Live    *int64     `json:"live"`
	Dead    *int64     `json:"dead"`
	Shipped *int64     `json:"shipped"`
	Taken   *filesJSON `json:"taken"`
	Left    *leftJSON  `json:"left"`
	Takes   []takeJSON `json:"takes"`
}

type filesJSON struct {
	Bytes int64 `json:"bytes"`
	Files int   `json:"files"`
}

type leftJSON struct {
	Bytes  int64           `json:"bytes"`
	Copies int             `json:"copies"`
	Causes []leftCauseJSON `json:"causes"`
}

type leftCauseJSON struct {
	Cause  string `json:"cause"`
	Part   string `json:"part"`
	Bytes  int64  `json:"bytes"`
	Copies int    `json:"copies"`
}

type takeJSON struct {
	By          int        `json:"by"`
	Line        lineJSON   `json:"line"`
	Instruction string     `json:"instruction"`
	Text        string     `json:"text"`
	Kind        string     `json:"kind"`
	Paths       []pathJSON `json:"paths"`
	Bytes       *int64     `json:"bytes"`
	Files       *int       `json:"files"`
	Problem     *string    `json:"problem"`
}

// StagesJSON writes a report of stages as docs/json.md describes.
func StagesJSON(w io.Writer, about Stages, tool Tool) error {
	r := newStageReport(about)
	out := stagesReport{
		SchemaVersion: schemaVersion, Tool: tool,
		Dockerfile: r.Dockerfile, Context: nullable(r.Context), Builder: nullable(r.Builder), Kept: r.Kept,
		Target: stageNameJSON{r.Target, nullable(r.All[r.Target].Name)},
		Stages: []stageJSON{},
	}
	for _, s := range r.All {
		out.Stages = append(out.Stages, r.stageJSON(s))
	}
	return writeJSON(w, out)
}

func (r stageReport) stageJSON(s *stages.Stage) stageJSON {
	out := stageJSON{
		Index: s.Index, Name: nullable(s.Name), From: r.redact.Text(s.Base), Line: lineJSON(s.From.Lines),
		Needed: s.Needed, Target: s.Target, Empty: s.Empty, Heirs: append([]int{}, s.Heirs...),
		Stored: nullBytes(s.Stored), Takes: []takeJSON{},
	}
	if s.Below >= 0 {
		out.Below = nullIndex(s.Below)
	}
	if m := s.Image; m != nil {
		out.Image = &imageName{m.Reference, nullable(m.ID)}
		out.Live, out.Dead = nullBytes(m.Totals.Live), nullBytes(m.Totals.Dead)
	} else if s.Empty {
		out.Live, out.Dead = new(int64), new(int64)
	}
	if s.Known {
		out.Shipped = nullBytes(s.Shipped)
		out.Taken = &filesJSON{s.Taken.Bytes, s.Taken.Files}
		out.Left = &leftJSON{s.Left.Bytes, s.Left.Copies, []leftCauseJSON{}}
		for _, p := range s.Left.Parts {
			out.Left.Causes = append(out.Left.Causes, leftCauseJSON{p.Kind.String(), p.Of.Part, p.Bytes, p.Copies})
		}
	}
	for _, t := range s.Takes {
		out.Takes = append(out.Takes, r.takeJSON(t))
	}
	return out
}

func (r stageReport) takeJSON(t stages.Take) takeJSON {
	out := takeJSON{
		By: t.By, Line: lineJSON(t.Step.Lines), Instruction: t.Step.Keyword, Text: r.text(t),
		Kind: takeKind(t), Paths: []pathJSON{}, Problem: nullable(r.problem(t.Err)),
	}
	for _, p := range takePaths(t) {
		out.Paths = append(out.Paths, newPathJSON(r.redact.Text(p)))
	}
	if t.Err == nil {
		out.Bytes, out.Files = nullBytes(t.Bytes), nullIndex(t.Files)
	}
	return out
}
