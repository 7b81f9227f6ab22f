package measure

import (
	"fmt"
	"strings"

	"github.com/layerscope/layerscope/analyze/buildlog"
	"github.com/layerscope/layerscope/analyze/cascade"
)

// FromLog returns the time that a log has of each instruction. Steps of the log
// are known by their place and by their text, or by their text alone where it
// stands once in a stage. name is the log's, for the error: a [*ForeignError] if
// the log is of another build.
func FromLog(g *cascade.Graph, log *buildlog.Log, name string) (*Result, error) {
	p, err := newPlaces(g, log.Format)
	if err != nil {
		return nil, err
	}
	r := newResult(g)
	found := map[int]bool{} // instructions, whether timed or not
	inLog, joined := 0, 0
	fits := map[int]bool{} // those whose time is of the graph's platform
	for i := range log.Steps {
		l := &log.Steps[i]
		if !counts(l) {
			continue
		}
		inLog++
		s := p.find(l)
		if s == nil {
			continue
		}
		joined++
		found[s.Index] = true
		fit := p.platform(l)
		if l.Timed && (r.Measures[s.Index].Duration == nil || fit && !fits[s.Index]) {
			d := l.Duration
			r.Measures[s.Index].Duration, fits[s.Index] = &d, fit
		}
	}
	of := 0
	for _, s := range g.Steps {
		if s.Works() {
			of++
		}
	}
	if !enough(min(len(found), joined), of, inLog) {
		return nil, &ForeignError{What: "log", Name: name, File: g.File.Name, Found: len(found), Of: of}
	}
	for _, m := range r.Measures {
		if m.Duration != nil {
			r.Known++
		}
	}
	return r, nil
}

// counts tells whether a step of a log is an instruction that does something.
func counts(l *buildlog.Step) bool {
	if l.Index == 0 || l.Link || l.Trigger {
		return false
	}
	switch keyword, _, _ := strings.Cut(l.Text, " "); strings.ToUpper(keyword) {
	case "RUN", "COPY", "ADD", "WORKDIR":
		return true
	}
	return false
}

// place is where a step stands.
type place struct {
	stage string
	index int
}

// places finds a graph's instructions by what logs say of them.
type places struct {
	g       *cascade.Graph
	byPlace map[place]*cascade.Step
	single  bool // there is but one stage, without a name
}

// newPlaces numbers instructions as the builder that wrote a log does.
func newPlaces(g *cascade.Graph, format buildlog.Format) (*places, error) {
	p := &places{g: g, byPlace: map[place]*cascade.Step{}, single: len(g.Stages) == 1 && g.Stages[0].Name == ""}
	switch format {
	case buildlog.Classic:
		for i, s := range g.Steps {
			p.byPlace[place{p.stage(s), i + 1}] = s
		}
	case buildlog.Buildah:
		count := map[int]int{}
		for _, s := range g.Steps {
			count[s.Stage]++
			p.byPlace[place{p.stage(s), count[s.Stage]}] = s
		}
	default:
		return p, p.label(g)
	}
	return p, nil
}

// label numbers instructions as BuildKit does, whatever builder the graph is of.
func (p *places) label(g *cascade.Graph) error {
	as := g
	if g.Options.Builder != cascade.BuildKit {
		opt := g.Options
		opt.Builder = cascade.BuildKit
		var err error
		if as, err = cascade.New(g.File, opt); err != nil {
			return fmt.Errorf("numbering instructions as BuildKit does: %w", err)
		}
	}
	for _, n := range as.Nodes {
		if n.Label.Index > 0 && !n.Trigger && n.Kind != cascade.KindImage && n.Kind != cascade.KindMerge {
			p.byPlace[place{n.Label.Stage, n.Label.Index}] = g.Steps[n.Step]
		}
	}
	return nil
}

// stage returns what logs call an instruction's stage.
func (p *places) stage(s *cascade.Step) string {
	switch {
	case s.Stage < 0 || p.single:
		return ""
	case p.g.Stages[s.Stage].Name != "":
		return p.g.Stages[s.Stage].Name
	}
	return fmt.Sprintf("stage-%d", s.Stage)
}

// find returns the instruction that a step of a log is; nil if none is for
// certain.
func (p *places) find(l *buildlog.Step) *cascade.Step {
	stage := l.Stage
	if p.single {
		stage = "" // what stands there is the target's name
	}
	if s := p.byPlace[place{stage, l.Index}]; s != nil && alike(s.Text, l.Text) {
		return s
	}
	// An edit above has moved it.
	var only *cascade.Step
	for _, s := range p.g.Steps {
		if s.Stage < 0 || p.stage(s) != stage || !alike(s.Text, l.Text) {
			continue
		}
		if only != nil {
			return nil
		}
		only = s
	}
	return only
}

// platform tells whether a step is of the platform that the graph is for.
func (p *places) platform(l *buildlog.Step) bool {
	_, target, emulated := strings.Cut(l.Platform, "->")
	if !emulated {
		target = l.Platform
	}
	if p.g.Options.Platform == "" {
		return !emulated
	}
	return target == "" || target == p.g.Options.Platform || strings.HasPrefix(p.g.Options.Platform, target+"/")
}

// alike tells whether a log's text can be that of an instruction. Builders put
// values of variables in, leave heredocs out, and write white space and quotes
// as they like: letters and digits between variables must be there, in order.
func alike(instruction, log string) bool {
	rest := plain(cutHeredoc(log))
	all := pieces(instruction)
	last := len(all) - 1
	for i, piece := range all {
		want := plain(piece)
		if i == 0 {
			var ok bool
			if rest, ok = strings.CutPrefix(rest, want); !ok || last == 0 && rest != "" {
				return false
			}
			continue
		}
		if i == last {
			return strings.HasSuffix(rest, want)
		}
		at := strings.Index(rest, want)
		if at < 0 {
			return false
		}
		rest = rest[at+len(want):]
	}
	return true
}

// cutHeredoc takes out what BuildKit says of a heredoc: "RUN <<EOF (make...)".
func cutHeredoc(s string) string {
	if i := strings.Index(s, "<<"); i >= 0 {
		if j := strings.Index(s[i:], " ("); j >= 0 {
			return s[:i+j]
		}
	}
	return s
}

// pieces splits a text at its variables.
func pieces(s string) []string {
	var all []string
	from := 0
	for i := 0; i < len(s); i++ {
		if s[i] != '$' {
			continue
		}
		end := i + 1
		if end < len(s) && s[end] == '{' {
			if j := strings.IndexByte(s[end:], '}'); j >= 0 {
				end += j + 1
			}
		} else {
			for end < len(s) && (s[end] == '_' || isAlnum(s[end])) {
				end++
			}
		}
		all = append(all, s[from:i])
		from, i = end, end-1
	}
	return append(all, s[from:])
}

// plain returns the letters and digits of a text in lower case.
func plain(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if c := s[i]; isAlnum(c) || c >= 0x80 {
			b.WriteByte(c)
		}
	}
	return strings.ToLower(b.String())
}

func isAlnum(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
