package report

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/layerscope/layerscope/analyze/cascade"
	"github.com/layerscope/layerscope/analyze/cause"
	"github.com/layerscope/layerscope/analyze/secret"
	"github.com/layerscope/layerscope/analyze/stages"
	"github.com/layerscope/layerscope/analyze/tree"
)

// Stages is a report of the stages of a Dockerfile.
type Stages struct {
	*stages.Report
	Dockerfile string // its path as given
	Context    string // of the build; "" if nothing was built
	Builder    string // "buildkit" or "classic"; "" if nothing was built
	Kept       bool   // what was built is still there
}

// stageReport is a report whose instructions are told without secrets.
type stageReport struct {
	Stages
	redact *secret.Redactor
}

func newStageReport(s Stages) stageReport { return stageReport{s, newRedactor(s.Graph)} }

// text returns an instruction on one line.
func (r stageReport) text(t stages.Take) string { return r.redact.Text(t.Step.Text) }

// takePaths returns the paths that an instruction takes of a stage.
func takePaths(t stages.Take) []string {
	var paths []string
	for _, sel := range t.Selections {
		if len(sel.Include) == 0 {
			paths = append(paths, sel.Path)
		}
		for _, p := range sel.Include { // of --parents, below the path
			paths = append(paths, rootedIn(sel.Path, p))
		}
	}
	return paths
}

// rootedIn returns a path below a directory.
func rootedIn(dir, p string) string {
	if dir == "/" {
		dir = ""
	}
	return dir + "/" + p
}

// takeKind is what an instruction does with what it takes, as JSON has it.
func takeKind(t stages.Take) string {
	if t.Role == cascade.RoleMount {
		return "mount"
	}
	return "copy"
}

// problem says why it isn't known what an instruction takes; "" if it is.
func (r stageReport) problem(err error) string {
	switch e := err.(type) {
	case nil:
		return ""
	case *tree.MissingError:
		return r.redact.Text("the stage has no " + strconv.Quote("/"+e.At))
	}
	return r.redact.Text(err.Error())
}

// kindSum is what is left behind for a kind of cause.
type kindSum struct {
	kind   cause.Kind
	bytes  int64
	copies int
	parts  []cause.Part // the most bytes first
}

// byKind adds parts up by kind, the most bytes first.
func byKind(parts []cause.Part) []kindSum {
	var sums []kindSum
	for _, p := range parts {
		at := slices.IndexFunc(sums, func(s kindSum) bool { return s.kind == p.Kind })
		if at < 0 {
			at = len(sums)
			sums = append(sums, kindSum{kind: p.Kind})
		}
		s := &sums[at]
		s.bytes += p.Bytes
		s.copies += p.Copies
		s.parts = append(s.parts, p)
	}
	slices.SortStableFunc(sums, func(a, b kindSum) int { return cmp.Compare(b.bytes, a.bytes) })
	return sums
}
