package secret

import (
	"cmp"
	"slices"
	"strings"
	"unicode"

	"github.com/layerscope/layerscope/analyze/history"
)

// Value is a build argument, variable or word of a command in the history that
// looks secret.
type Value struct {
	Step int // index into the steps: the first that tells it
	// In is where it stands: "ARG", "ENV", "RUN" or another instruction; ""
	// if the record isn't known to be one.
	In string
	// Name is the variable's or flag's, or of what has no name what it is:
	// "URL", "GitHub token".
	Name   string
	Masked string // the value with all but what is harmless replaced
}

// Label names the value: "ENV TOKEN", or its name alone where the record isn't
// known to be an instruction.
func (v Value) Label() string { return strings.TrimSpace(v.In + " " + v.Name) }

// Values returns what looks secret in the steps. A value that several steps
// tell under one name, as each RUN does after an ARG, is told once.
func Values(steps []history.Step) []Value {
	var values []Value
	for _, f := range findAll(steps) {
		values = append(values, f.Value)
	}
	return values
}

// found is a value with the secret itself, which stays in this package.
type found struct {
	Value
	secret string
}

func findAll(steps []history.Step) []found {
	var all []found
	type id struct{ name, secret string }
	seen := map[id]bool{}
	for i := range steps {
		for _, f := range find(&steps[i]) {
			if k := (id{f.Name, f.secret}); !seen[k] {
				seen[k] = true
				f.Step, f.Masked = i, Mask(f.secret)
				all = append(all, f)
			}
		}
	}
	return all
}

// find finds the secrets of one step: its build arguments, then its text.
func find(s *history.Step) []found {
	var out []found
	for _, a := range s.Args {
		if h, ok := inVariable(a.Name, a.Value); ok {
			out = append(out, found{Value{In: s.Instruction, Name: h.name}, a.Value[h.start:h.end]})
		}
	}
	for _, h := range scan(s.Text) {
		out = append(out, found{Value{In: s.Instruction, Name: h.name}, s.Text[h.start:h.end]})
	}
	return out
}

// inVariable finds the secret of a variable, which by its name is all of the
// value, or by its form a part.
func inVariable(name, value string) (hit, bool) {
	if secretName(name) && plausible(value) {
		return hit{0, len(value), name}, true
	}
	if hits := scan(value); len(hits) > 0 {
		return hit{hits[0].start, hits[0].end, name}, true
	}
	return hit{}, false
}

// Redactor takes secrets out of an image's texts.
type Redactor struct {
	known *strings.Replacer // the secrets that are told, by their masks
}

// minKnown is how many bytes a secret has at least for it to be taken out of
// texts where nothing else marks it as one. A password may be a common word.
const minKnown = 8

// NewRedactor returns a redactor that knows the secrets in the steps.
func NewRedactor(steps []history.Step) *Redactor {
	all := findAll(steps)
	slices.SortStableFunc(all, func(a, b found) int { return cmp.Compare(len(b.secret), len(a.secret)) })
	var pairs []string
	for _, f := range all {
		if len(f.secret) >= minKnown && strings.ContainsFunc(f.secret, unicode.IsDigit) && strings.ContainsFunc(f.secret, unicode.IsLetter) {
			pairs = append(pairs, f.secret, f.Masked)
		}
	}
	return &Redactor{strings.NewReplacer(pairs...)}
}

// Text returns a text with the secrets that stand in it masked: an
// instruction, a history record, a label.
func (r *Redactor) Text(s string) string {
	hits := scan(s)
	if len(hits) == 0 {
		return r.known.Replace(s)
	}
	var b strings.Builder
	at := 0
	for _, h := range hits {
		b.WriteString(r.known.Replace(s[at:h.start]))
		b.WriteString(Mask(s[h.start:h.end]))
		at = h.end
	}
	b.WriteString(r.known.Replace(s[at:]))
	return b.String()
}

// Variable returns the value of a variable or build argument, masked if it is
// secret.
func (r *Redactor) Variable(name, value string) string {
	if secretName(name) && plausible(value) {
		return Mask(value)
	}
	return r.Text(value)
}

// Args returns the words of a command with the secrets among them masked: also
// one that follows a flag of which the name says so.
func (r *Redactor) Args(words []string) []string {
	out := slices.Clone(words)
	for i, w := range words {
		out[i] = r.Text(w)
		if i == 0 || strings.HasPrefix(w, "-") {
			continue
		}
		if flag, ok := strings.CutPrefix(words[i-1], "--"); ok && secretName(flag) && plausible(w) {
			out[i] = Mask(w)
		}
	}
	return out
}
