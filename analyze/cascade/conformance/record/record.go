// Package record keeps what real builders did, so that predictions can be held
// against it where there are none. The common calls are [Read] and [Write].
//
// A builder's records of a case are one file, a line of JSON a build, in the
// order in which they were built with one cache that was empty before.
package record

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Build is a build and what became of its steps.
type Build struct {
	// Edit is the kind of edit or of change of the context; "" for the case as
	// it is.
	Edit string `json:"edit,omitempty"`
	Line int    `json:"line,omitempty"` // of the instruction that is edited
	// Patch makes the edited Dockerfile of the case's.
	Patch *Patch            `json:"patch,omitempty"`
	Args  map[string]string `json:"args,omitzero"` // build arguments, in place of the case's; nil if they are those
	// Path is what is changed in the context; "" if nothing is.
	Path string `json:"path,omitempty"`

	Failed bool `json:"failed,omitempty"` // the builder refused it, or a command failed
	Seen   Seen `json:"seen,omitempty"`
}

// Outcome is what became of a step.
type Outcome byte

// The outcomes.
const (
	Ran     Outcome = 'r' // it ran
	Cached  Outcome = 'c' // it came out of the cache
	Skipped Outcome = '-' // nobody asked for it
)

// Place is a step's place in a builder's output: "[build 3/6] RUN npm ci".
type Place struct {
	Stage        string
	Index, Total int  // from 1
	Link         bool // the merge of a linked copy
}

// String returns the place as BuildKit gives it, "[build 3/6]", with "LINK".
func (p Place) String() string {
	s := fmt.Sprintf("[%s %d/%d]", p.Stage, p.Index, p.Total)
	if p.Stage == "" {
		s = fmt.Sprintf("[%d/%d]", p.Index, p.Total)
	}
	if p.Link {
		s += " LINK"
	}
	return s
}

// Seen is what became of a build's steps. Those that only name where something
// comes from, as FROM, aren't among them: they are looked up in every build.
type Seen map[Place]Outcome

// chain is all of a stage's places of one kind.
type chain struct {
	Stage string
	Total int
	Link  bool
}

// MarshalJSON writes the outcomes of a stage in a row, a dot for a place that
// has none: {"build/6": ".cccrr", "build/6 LINK": "...r"}.
func (s Seen) MarshalJSON() ([]byte, error) {
	rows := map[string][]byte{}
	for p, o := range s {
		name := fmt.Sprintf("%s/%d", p.Stage, p.Total)
		if p.Link {
			name += linked
		}
		row := rows[name]
		for len(row) < p.Index {
			row = append(row, '.')
		}
		row[p.Index-1] = byte(o)
		rows[name] = row
	}
	out := map[string]string{}
	for name, row := range rows {
		out[name] = string(row)
	}
	return json.Marshal(out)
}

const linked = " LINK"

// UnmarshalJSON reads what MarshalJSON writes.
func (s *Seen) UnmarshalJSON(text []byte) error {
	var rows map[string]string
	if err := json.Unmarshal(text, &rows); err != nil {
		return err
	}
	*s = Seen{}
	for name, row := range rows {
		p := Place{}
		name, p.Link = strings.CutSuffix(name, linked)
		i := strings.LastIndexByte(name, '/')
		if i < 0 {
			return fmt.Errorf("%q is no stage's name and number of steps", name)
		}
		p.Stage = name[:i]
		if _, err := fmt.Sscan(name[i+1:], &p.Total); err != nil {
			return fmt.Errorf("%q is no stage's name and number of steps", name)
		}
		for j, o := range []byte(row) {
			if o != '.' {
				p.Index = j + 1
				(*s)[p] = Outcome(o)
			}
		}
	}
	return nil
}

// Patch is an edit of a text: lines that are replaced by others.
type Patch struct {
	From  int      `json:"from"`            // the first line, from 0
	Cut   int      `json:"cut,omitempty"`   // how many are replaced
	Lines []string `json:"lines,omitempty"` // by these, with line feeds
}

// NewPatch returns what makes after of before; nil if they are the same.
func NewPatch(before, after []byte) *Patch {
	if bytes.Equal(before, after) {
		return nil
	}
	a, b := lines(before), lines(after)
	p := &Patch{}
	for p.From < min(len(a), len(b)) && a[p.From] == b[p.From] {
		p.From++
	}
	a, b = a[p.From:], b[p.From:]
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	p.Cut, p.Lines = len(a), b
	return p
}

// Apply returns the text after the edit. The error is of a text that it isn't
// an edit of.
func (p *Patch) Apply(before []byte) ([]byte, error) {
	if p == nil {
		return before, nil
	}
	a := lines(before)
	if p.From < 0 || p.Cut < 0 || p.From+p.Cut > len(a) {
		return nil, errors.New("the edit is of another Dockerfile")
	}
	return []byte(strings.Join(slices.Concat(a[:p.From], p.Lines, a[p.From+p.Cut:]), "")), nil
}

// lines splits a text after each line feed.
func lines(text []byte) []string { return slices.Collect(strings.Lines(string(text))) }

// Diff shows the edit of a text, its lines with - and +.
func (p *Patch) Diff(before []byte) string {
	if p == nil {
		return ""
	}
	var b strings.Builder
	a := lines(before)
	for _, line := range a[min(p.From, len(a)):min(p.From+p.Cut, len(a))] {
		fmt.Fprintf(&b, "-%s\n", strings.TrimRight(line, "\r\n"))
	}
	for _, line := range p.Lines {
		fmt.Fprintf(&b, "+%s\n", strings.TrimRight(line, "\r\n"))
	}
	return b.String()
}

// file is where a builder's records of a case are, below dir.
func file(dir, builder, name string) string { return filepath.Join(dir, builder, name+".jsonl") }

// Write writes a builder's records of a case.
func Write(dir, builder, name string, builds []Build) error {
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	for _, b := range builds {
		if err := e.Encode(b); err != nil {
			return fmt.Errorf("recording %s: %w", name, err)
		}
	}
	path := file(dir, builder, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, buf.Bytes(), 0o644)
}

// Read returns a builder's records of a case; none if it has none.
func Read(dir, builder, name string) ([]Build, error) {
	path := file(dir, builder, name)
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var builds []Build
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, len(text)+1)
	for lines.Scan() {
		var b Build
		if err := json.Unmarshal(lines.Bytes(), &b); err != nil {
			return nil, fmt.Errorf("%s: build %d: %w", path, len(builds)+1, err)
		}
		builds = append(builds, b)
	}
	return builds, lines.Err()
}
