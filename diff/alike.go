package diff

import (
	"regexp"
	"slices"
	"strings"

	"github.com/layerscope/layerscope/analyze"
)

// terms are what a step's text is likened to others by.
type terms struct {
	kind string  // the instruction; COPY for ADD
	dest int32   // the number of where a COPY goes; -1 if it doesn't
	list []int32 // numbers of words, or of the names that an ENV, ARG or LABEL sets; each once, in order
	one  bool    // the instruction sets one thing: its text is the value
}

// maxTerms is how many words of a text are looked at.
const maxTerms = 64

// likeness returns how much alike two texts are, in thousandths: 0 if that isn't
// much, or if the instructions differ. It is Dice's coefficient of the terms: twice what
// they have in common, of what both have. What copies to the same place, or sets
// the same one thing, is alike whatever its words.
func (t *terms) likeness(o *terms) int64 {
	if t.kind != o.kind {
		return 0
	}
	n := int64(0)
	if all := len(t.list) + len(o.list); all > 0 {
		n = int64(sameLikeness * 2 * common(t.list, o.list) / all)
	}
	switch {
	case t.one || t.dest >= 0 && t.dest == o.dest:
		return max(n, minLikeness)
	case n < minLikeness:
		return 0
	}
	return n
}

// common counts what two sorted lists have in common.
func common(a, b []int32) int {
	n := 0
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0] < b[0]:
			a = a[1:]
		case a[0] > b[0]:
			b = b[1:]
		default:
			n++
			a, b = a[1:], b[1:]
		}
	}
	return n
}

// termsOf returns a step's terms.
func (a *aligner) termsOf(s *analyze.Step) *terms {
	t := &terms{kind: s.Instruction, dest: -1}
	text := sourceSum.ReplaceAllString(s.Text, "$1")
	if s.Instruction != "" {
		_, text, _ = strings.Cut(text, " ")
	}
	words := strings.Fields(text)
	switch s.Instruction {
	case "ADD", "COPY":
		t.kind = "COPY"
		if n := len(words); n > 0 {
			t.dest = a.words.number("to " + strings.TrimRight(words[n-1], "/"))
		}
	case "ENV", "ARG", "LABEL":
		words = setNames(words)
	case "CMD", "ENTRYPOINT", "HEALTHCHECK", "MAINTAINER", "SHELL", "STOPSIGNAL", "USER", "WORKDIR":
		t.one = true
	}
	for _, w := range words {
		if word.MatchString(w) {
			t.list = append(t.list, a.words.number(w))
		}
		if len(t.list) == maxTerms {
			break
		}
	}
	slices.Sort(t.list)
	t.list = slices.Compact(t.list)
	return t
}

// word is what counts as one: "&&" and "\" don't.
var word = regexp.MustCompile(`[\pL\pN]`)

var assignment = regexp.MustCompile(`^["']?([A-Za-z_][\w./-]*)["']?=`)

// setNames returns the names that the words of an ENV, ARG or LABEL set, as nearly
// as can be told of values without quotes.
func setNames(words []string) []string {
	var names []string
	for _, w := range words {
		if m := assignment.FindStringSubmatch(w); m != nil {
			names = append(names, m[1])
		}
	}
	if len(names) == 0 && len(words) > 0 {
		return words[:1] // "ENV NAME value", "ARG NAME"
	}
	return names
}
