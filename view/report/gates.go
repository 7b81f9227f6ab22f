package report

import (
	"bufio"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/gate"
	"github.com/layerscope/layerscope/view/text"
)

// Gates are what an image was held to, and how it did.
type Gates struct {
	File    string // the limits were read from; "" for none
	Limits  *gate.Limits
	Results []gate.Result
}

// gates writes the rules that aren't off, and what they found.
func (s style) gates(w *bufio.Writer, subject Subject) {
	g := subject.Gates
	fmt.Fprintln(w, s.cut("\nGates: "+verdict(g.Results)))
	for _, note := range s.gateNotes(subject.Image, g) {
		fmt.Fprintln(w, s.cut("  "+note))
	}
	t := table{style: s, cutLast: text.Truncate}
	t.columns = []column{{title: "RULE", left: true}, {title: "RESULT", left: true}, {title: "VALUE"}, {title: "WARN"}, {title: "FAIL"}, {}}
	for _, r := range g.Results {
		if r.Level != gate.Off {
			value, warn, fail := s.gateNumbers(r)
			t.add(r.Rule.String(), r.Level.String(), value, warn, fail, "")
		}
	}
	if len(t.rows) > 0 {
		t.write(w)
	}
	for _, r := range g.Results {
		if r.Level > gate.Pass {
			s.found(w, r)
		}
	}
}

// verdict counts the results by level.
func verdict(results []gate.Result) string {
	var n [gate.Fail + 1]int
	for _, r := range results {
		n[r.Level]++
	}
	var parts []string
	for _, p := range []struct {
		level gate.Level
		word  string
	}{{gate.Fail, "failed"}, {gate.Warn, "warned"}, {gate.Pass, "passed"}} {
		if n[p.level] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n[p.level], p.word))
		}
	}
	if parts == nil {
		return "no limits are set"
	}
	return strings.Join(parts, ", ")
}

// gateNotes says where the limits come from and what they leave out.
func (s style) gateNotes(m *analyze.Image, g *Gates) []string {
	var notes []string
	if g.File != "" {
		notes = append(notes, "limits of "+s.name(g.File))
	}
	switch {
	case g.Limits.Own && m.Base.How == "":
		notes = append(notes, "own layers only: all are, as no base is known")
	case g.Limits.Own:
		notes = append(notes, "own layers only")
	}
	if len(g.Limits.Ignore) > 0 {
		notes = append(notes, "ignored: "+s.globs(g.Limits.Ignore))
	}
	return notes
}

func (s style) globs(gs gate.Globs) string {
	names := make([]string, len(gs))
	for i, g := range gs {
		names[i] = s.name(g.Text)
	}
	return strings.Join(names, " ")
}

// gateNumbers returns a result's value and limits, in full where rounding would
// hide that the value is beyond.
func (s style) gateNumbers(r gate.Result) (value, warn, fail string) {
	in := func(s style) (value, warn, fail string) {
		value, warn, fail = s.number(&r.Value), s.number(r.Warn), s.number(r.Fail)
		if r.Rule == gate.Forbid {
			warn, fail = "", ""
		}
		return value, warn, fail
	}
	value, warn, fail = in(s)
	if r.Level > gate.Pass && (value == warn || value == fail) {
		s.Bytes = true
		return in(s)
	}
	return value, warn, fail
}

// overLimit says by how much a result isn't within its limit, or which paths are
// there that shouldn't be, with quote around them.
func (s style) overLimit(r gate.Result, quote func(path string) string) string {
	if r.Rule == gate.Forbid {
		return r.Rule.String() + ": " + forbiddenPaths(r.Found, quote)
	}
	value, warn, fail := s.gateNumbers(r)
	limit := fail
	if r.Level == gate.Warn {
		limit = warn
	}
	return fmt.Sprintf("%s is %s, the limit %s", r.Rule, value, limit)
}

// forbiddenPaths names the first of what was found, those to fail for before
// those to warn of.
func forbiddenPaths(found []gate.Found, quote func(path string) string) string {
	var paths names
	for _, f := range found {
		paths.add(func() string {
			if f.Step < 0 {
				return quote("/" + f.Path)
			}
			return quote("/"+f.Path) + " (" + stepName(f.Step) + ")"
		})
	}
	return paths.String()
}

// number returns a value or a limit, "" for none.
func (s style) number(n *gate.Number) string {
	if n == nil {
		return ""
	}
	switch n.Unit {
	case gate.Bytes:
		return s.size(n.Whole)
	case gate.Count:
		return text.Count(int(n.Whole))
	case gate.Percent:
		return s.percent(n.Part)
	}
	return s.percent(100 * n.Part)
}

// percent returns a percentage to two digits, or in full with --bytes.
func (s style) percent(p float64) string {
	if math.IsNaN(p) || math.IsInf(p, 0) {
		return strconv.FormatFloat(p, 'f', -1, 64)
	}
	if s.Bytes {
		return strconv.FormatFloat(p, 'f', -1, 64) + "%"
	}
	return strings.TrimSuffix(strings.TrimRight(strconv.FormatFloat(p, 'f', 2, 64), "0"), ".") + "%"
}

// numFound is how many of a rule's findings a report names.
const numFound = 20

// found writes what a rule found.
func (s style) found(w *bufio.Writer, r gate.Result) {
	if len(r.Found) == 0 {
		return
	}
	title := map[gate.Rule]string{gate.Leaks: "Leaks", gate.Forbid: "Forbidden paths"}[r.Rule]
	if n := len(r.Found) - numFound; n > 0 {
		title += fmt.Sprintf(" (the first %d of %s)", numFound, text.Count(len(r.Found)))
	}
	fmt.Fprintln(w, "\n"+title)
	t := table{style: s, cutLast: text.TruncateMiddle}
	t.columns = []column{{title: "RESULT", left: true}, {title: "STEP"}, {title: "WHAT", left: true}, {title: "PATH", left: true}}
	for _, f := range r.Found[:min(len(r.Found), numFound)] {
		path, step := "", s.unknown()
		if f.Path != "" {
			path = s.name("/" + f.Path)
		}
		if f.Step >= 0 {
			step = strconv.Itoa(f.Step)
		}
		t.add(f.Level.String(), step, s.shorten(s.foreign(f.What), maxWhat, text.Truncate), path)
	}
	t.write(w)
}

// maxWhat is the most cells that the name of a secret or a glob takes.
const maxWhat = 30

type gatesJSON struct {
	Level  string     `json:"level"`
	File   *string    `json:"file"`
	Own    bool       `json:"own"`
	Ignore []string   `json:"ignore"`
	Rules  []ruleJSON `json:"rules"`
}

type ruleJSON struct {
	Rule  string      `json:"rule"`
	Level string      `json:"level"`
	Unit  string      `json:"unit"`
	Value any         `json:"value"`
	Warn  any         `json:"warn"`
	Fail  any         `json:"fail"`
	Found []foundJSON `json:"found"`
}

type foundJSON struct {
	Level      string  `json:"level"`
	Path       *string `json:"path"`
	PathBase64 *string `json:"pathBase64,omitempty"`
	Step       *int    `json:"step"`
	What       string  `json:"what"`
}

// newGatesJSON returns nil for no gates.
func newGatesJSON(g *Gates) *gatesJSON {
	if g == nil {
		return nil
	}
	out := &gatesJSON{
		Level:  gate.Worst(g.Results).String(),
		File:   nullable(g.File),
		Own:    g.Limits.Own,
		Ignore: []string{},
		Rules:  []ruleJSON{},
	}
	for _, i := range g.Limits.Ignore {
		out.Ignore = append(out.Ignore, i.Text)
	}
	for _, r := range g.Results {
		out.Rules = append(out.Rules, ruleJSON{
			Rule: r.Rule.String(), Level: r.Level.String(), Unit: r.Rule.Unit().String(),
			Value: jsonNumber(&r.Value), Warn: jsonNumber(r.Warn), Fail: jsonNumber(r.Fail),
			Found: newFoundJSON(r.Found),
		})
	}
	return out
}

func newFoundJSON(found []gate.Found) []foundJSON {
	out := make([]foundJSON, len(found))
	for i, f := range found {
		out[i] = foundJSON{Level: f.Level.String(), Step: nullIndex(f.Step), What: f.What}
		if f.Path != "" {
			path := "/" + f.Path
			out[i].Path, out[i].PathBase64 = &path, nullBase64(path)
		}
	}
	return out
}

// jsonNumber returns an integer, or a fraction that JSON can say; else null.
func jsonNumber(n *gate.Number) any {
	switch {
	case n == nil:
		return nil
	case n.Unit == gate.Bytes, n.Unit == gate.Count:
		return n.Whole
	case math.IsNaN(n.Part), math.IsInf(n.Part, 0):
		return nil
	}
	return n.Part
}
