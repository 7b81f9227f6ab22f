package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/layerscope/layerscope/analyze/cascade"
	"github.com/layerscope/layerscope/analyze/cascade/advice"
	"github.com/layerscope/layerscope/analyze/cascade/reads"
	"github.com/layerscope/layerscope/analyze/dockerfile"
	"github.com/layerscope/layerscope/analyze/history"
	"github.com/layerscope/layerscope/analyze/secret"
)

// Cascade is what a report of a cascade is about: a build and what a change
// makes of it or, if there is none, what an edit of each line would.
type Cascade struct {
	Dockerfile string // as it was given
	Context    string // as it was given; "" if its files aren't known
	Prediction *cascade.Prediction
	Changes    []CascadeChange // none: Prediction is of the build upon itself, and Impacts are shown
	Impacts    []cascade.Impact
	Measures   cascade.Measures
	Sources    []CascadeSource // of Measures
	Notes      []cascade.Note
	Findings   []advice.Finding
	Files      *CascadeFiles // nil unless they were asked for

	redact *secret.Redactor
}

// CascadeFiles are the files that a build reads and, of a change, which
// instructions take those that change.
type CascadeFiles struct {
	*reads.Report
	Changed []ChangedFile
}

// ChangedFile is a file of the context that changes.
type ChangedFile struct {
	Path string
	Took []*cascade.Step // instructions that take the file itself
}

// The kinds of changes (design §7).
const (
	ChangeLine       = "line"
	ChangeDockerfile = "dockerfile"
	ChangeFiles      = "files"
	ChangeGit        = "git"
	ChangeArg        = "arg"
	ChangeBase       = "base"
)

// CascadeChange is one change that a user asks about.
type CascadeChange struct {
	Kind  string
	Line  dockerfile.Range // of an instruction that is edited, however
	Files []string         // of the context
	Arg   string           // the build argument's name
	Image string           // whose digest has moved
	Text  string           // the edited Dockerfile's path, the revisions, the argument's value; "" for none
}

// CascadeSource is where measures come from.
type CascadeSource struct {
	Kind string // "image" or "log"
	Name string // as it was given
	How  string // of an image: [cascade.HowProvenance] or [cascade.HowMatched]
	// Instructions is how many the source tells something of.
	Instructions int
	Problem      string // why nothing of it is taken; "" if it is
}

// AboutCascade prepares a report, which tells the Dockerfile without secrets.
func AboutCascade(c Cascade) *Cascade {
	c.redact = newRedactor(c.graph())
	for i := range c.Changes {
		if ch := &c.Changes[i]; ch.Kind == ChangeArg {
			ch.Text = c.redact.Variable(ch.Arg, ch.Text)
		}
	}
	return &c
}

// newRedactor masks what looks secret in a Dockerfile.
func newRedactor(g *cascade.Graph) *secret.Redactor {
	var steps []history.Step
	for _, s := range g.Steps {
		steps = append(steps, history.Step{Instruction: s.Keyword, Text: s.Text, CreatedBy: s.Text, Layer: -1})
	}
	return secret.NewRedactor(steps)
}

func (c *Cascade) graph() *cascade.Graph { return c.Prediction.After.Graph }

// text returns an instruction on one line.
func (c *Cascade) text(s *cascade.Step) string { return c.redact.Text(s.Text) }

// why says why an instruction runs again; "" if it doesn't.
func (c *Cascade) why(v cascade.Verdict) string { return c.redact.Text(c.Prediction.Why(v)) }

// part is what is known of a sum.
type part struct {
	sum   int64
	known int // of how many parts
}

func (p *part) add(n *int64) {
	if n != nil {
		p.sum += *n
		p.known++
	}
}

// total is what some instructions come to.
type total struct {
	n                      int
	bytes, compressed, dur part
	unexported             int // of stages that aren't in the image
}

func (t *total) add(m cascade.Measure) {
	t.n++
	t.bytes.add(m.Bytes)
	t.compressed.add(m.Compressed)
	t.dur.add((*int64)(m.Duration))
	if m.How == cascade.HowNotExported {
		t.unexported++
	}
}

// measure returns what is known of an instruction.
func (c *Cascade) measure(s *cascade.Step) cascade.Measure {
	if s.Index < len(c.Measures) {
		return c.Measures[s.Index]
	}
	return cascade.Measure{}
}

// byState returns what the instructions of each state come to. As in
// [cascade.Cost], only those count that the builder does something for.
func (c *Cascade) byState(states func(i int) cascade.State) (t [cascade.Miss + 1]total) {
	for i, s := range c.graph().Steps {
		state := states(i)
		if s.Works() || state == cascade.NotBuilt {
			t[state].add(c.measure(s))
		}
	}
	return t
}

// state returns what becomes of an instruction.
func (c *Cascade) state(i int) cascade.State { return c.Prediction.Steps[i].State }

// conditions names what rebuilt content the may-misses hang on, each once, in
// the order of the instructions.
func (c *Cascade) conditions() []string {
	var all []string
	for _, v := range c.Prediction.Steps {
		if v.State != cascade.MayMiss || v.Cause == nil || v.Cause.Kind != cascade.CauseContent {
			continue
		}
		what := strings.Join(v.Cause.Files, ", ")
		if what == "" || what == "/" {
			what = "what is read"
		}
		if what += " from " + v.Cause.What; !slices.Contains(all, what) {
			all = append(all, what)
		}
	}
	return all
}

// measured tells whether anything is known of bytes, and of time.
func (c *Cascade) measured() (bytes, durations bool) {
	for _, m := range c.Measures {
		bytes = bytes || m.Bytes != nil || m.How != ""
		durations = durations || m.Duration != nil
	}
	return bytes, durations
}

// unexportedStages names the stages that the image has nothing of.
func (c *Cascade) unexportedStages() []string {
	var names []string
	for i, s := range c.graph().Steps {
		if s.Stage < 0 || i >= len(c.Measures) || c.Measures[i].How != cascade.HowNotExported {
			continue
		}
		if name := stageName(c.graph().Stages[s.Stage]); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// stageName names a stage as a person does.
func stageName(s *cascade.Stage) string {
	if s.Name != "" {
		return s.Name
	}
	return "stage " + strconv.Itoa(s.Index)
}

// allNotes returns what can't be known, and what is left out of the sums.
func (c *Cascade) allNotes() []cascade.Note {
	notes := slices.Clone(c.Notes)
	if names := c.unexportedStages(); len(names) > 0 {
		notes = append(notes, cascade.Note{Text: fmt.Sprintf(
			"the image has nothing of %s: what its instructions write is neither pushed nor pulled, and its bytes aren't known", strings.Join(names, ", "))})
	}
	return notes
}

// allLines names several ranges of lines: "lines 3, 7-9".
func allLines(ranges []dockerfile.Range) string {
	if len(ranges) == 1 {
		return linesOf(ranges[0])
	}
	names := make([]string, len(ranges))
	for i, r := range ranges {
		names[i] = r.String()
	}
	return "lines " + strings.Join(names, ", ")
}
