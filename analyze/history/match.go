package history

import (
	"strings"

	"github.com/layerscope/layerscope/analyze/dockerfile"
)

// How says how it is known which instruction made a step.
type How uint8

// How a step and an instruction can belong together.
const (
	Unmatched How = iota // it isn't known
	// Aligned: the instruction is the only one that can stand there, but the
	// texts can't be compared in full: the record leaves the sources of a COPY
	// out, say, or a variable's value isn't known.
	Aligned
	// Matched: the record's text is the instruction's, in its order.
	Matched
)

var howNames = [...]string{"unmatched", "aligned", "matched"}

// String returns the name in lower case.
func (h How) String() string {
	if int(h) < len(howNames) {
		return howNames[h]
	}
	return howNames[Unmatched]
}

// Match is the instruction that made a step.
type Match struct {
	Instruction *dockerfile.Instruction // nil if Unmatched
	How         How
}

// MatchDockerfile finds for each step the instruction of a Dockerfile that made
// it, if the image is that of a stage: one of the stage's own or of the stages
// that it is FROM. Instructions and steps are in the same order, and a step's
// instruction is told only if no other could be as well.
//
// Steps of the base have no instruction; if the whole Dockerfile fits the last
// steps, these aren't the base's, whatever was guessed of them, and base is how
// many are below them. Else base is -1: it isn't told.
func MatchDockerfile(steps []Step, f *dockerfile.File, stage *dockerfile.Stage) (matches []Match, base int) {
	forms := formsOf(f, stage, valuesOf(steps))
	matches = make([]Match, len(steps))
	from := max(len(steps)-maxCells/(len(forms)+1), 0)
	if n := len(forms); n > 0 && n <= len(steps)-from {
		tail := align(steps[len(steps)-n:], forms)
		if complete(tail) {
			copy(matches[len(steps)-n:], tail)
			return matches, len(steps) - n
		}
	}
	for from < len(steps) && steps[from].Base {
		from++
	}
	own := align(steps[from:], forms)
	fill(own, steps[from:], forms, from > 0 && steps[from-1].Base)
	copy(matches[from:], own)
	return matches, -1
}

// maxCells bounds the work of an alignment: steps times instructions. Steps
// beyond are left out, the oldest ones.
const maxCells = 1 << 20

// complete tells whether every step has its instruction, one of them for
// certain.
func complete(matches []Match) bool {
	certain := false
	for _, m := range matches {
		if m.How == Unmatched {
			return false
		}
		certain = certain || m.How == Matched
	}
	return certain
}

// align finds the pairs of the best alignment of steps and instructions that
// are in all best alignments.
func align(steps []Step, forms []*form) []Match {
	a := newAlignment(steps, forms)
	a.forward()
	a.backward()
	matches := make([]Match, len(steps))
	for i := range steps {
		if j := a.partner(i); j >= 0 {
			matches[i] = Match{forms[j].ins, a.how[i*a.m+j]}
		}
	}
	return matches
}

// The points of an alignment. A step or an instruction that is left over costs
// a little, but for the steps before the first pair: they may be the base's.
const (
	matchedPoints = 10
	alignedPoints = 4
	gapPoints     = -1
	never         = -1 << 30
)

// alignment is the points of the best alignments of the first i steps and j
// instructions, and of the rest. Each is told apart by whether there was a pair
// yet: before[] and after[] hold the best of what came before a cell and what
// comes after it, in the two states.
type alignment struct {
	n, m   int
	how    []How // of step i and instruction j, at i*m+j
	before [2][]int32
	after  [2][]int32
}

// The states of an alignment.
const (
	first = iota // there was no pair yet
	later
)

func newAlignment(steps []Step, forms []*form) *alignment {
	a := &alignment{n: len(steps), m: len(forms)}
	a.how = make([]How, a.n*a.m)
	for i := range steps {
		r := newRecord(&steps[i])
		for j, f := range forms {
			a.how[i*a.m+j] = f.like(r)
		}
	}
	for s := range 2 {
		a.before[s] = make([]int32, (a.n+1)*(a.m+1))
		a.after[s] = make([]int32, (a.n+1)*(a.m+1))
	}
	return a
}

func (a *alignment) cell(i, j int) int { return i*(a.m+1) + j }

// pair returns the points of a pair.
func (a *alignment) pair(i, j int) int32 {
	switch a.how[i*a.m+j] {
	case Matched:
		return matchedPoints
	case Aligned:
		return alignedPoints
	}
	return never
}

// skip returns the points of a step without an instruction.
func skip(state int) int32 {
	if state == first {
		return 0
	}
	return gapPoints
}

func (a *alignment) forward() {
	for i := 0; i <= a.n; i++ {
		for j := 0; j <= a.m; j++ {
			at := a.cell(i, j)
			a.before[first][at] = int32(j) * gapPoints
			best := int32(never)
			if i > 0 {
				best = max(best, a.before[later][a.cell(i-1, j)]+skip(later))
			}
			if j > 0 {
				best = max(best, a.before[later][a.cell(i, j-1)]+gapPoints)
			}
			if i > 0 && j > 0 {
				prev := a.cell(i-1, j-1)
				best = max(best, max(a.before[first][prev], a.before[later][prev])+a.pair(i-1, j-1))
			}
			a.before[later][at] = max(best, never)
		}
	}
}

func (a *alignment) backward() {
	for i := a.n; i >= 0; i-- {
		for j := a.m; j >= 0; j-- {
			at := a.cell(i, j)
			for s := range 2 {
				if i == a.n && j == a.m {
					break // 0
				}
				best := int32(never)
				if i < a.n {
					best = max(best, a.after[s][a.cell(i+1, j)]+skip(s))
				}
				if j < a.m {
					best = max(best, a.after[s][a.cell(i, j+1)]+gapPoints)
				}
				if i < a.n && j < a.m {
					best = max(best, a.after[later][a.cell(i+1, j+1)]+a.pair(i, j))
				}
				a.after[s][at] = max(best, never)
			}
		}
	}
}

// partner returns the instruction that step i has in every best alignment, -1
// if there is none.
func (a *alignment) partner(i int) int {
	best := a.after[first][a.cell(0, 0)]
	partner := -1
	for j := 0; j <= a.m; j++ {
		here, next := a.cell(i, j), a.cell(i+1, j)
		for s := range 2 {
			if a.before[s][here]+skip(s)+a.after[s][next] == best {
				return -1 // it may have none as well
			}
			if j == a.m || a.pair(i, j) == never {
				continue
			}
			if a.before[s][here]+a.pair(i, j)+a.after[later][a.cell(i+1, j+1)] == best {
				if partner >= 0 && partner != j {
					return -1
				}
				partner = j
			}
		}
	}
	return partner
}

// fill pairs what is left over between two pairs, or after the last one, if
// there are as many steps as instructions and their keywords agree: a RUN that
// was edited since, or text that a builder writes in a way that isn't known.
// Before the first pair that is done only if it is known where the steps of the
// base end.
func fill(matches []Match, steps []Step, forms []*form, baseKnown bool) {
	at := map[*dockerfile.Instruction]int{}
	for j, f := range forms {
		at[f.ins] = j
	}
	i, j, anchored := 0, 0, false
	for k := 0; k <= len(matches); k++ {
		end := len(forms)
		if k < len(matches) {
			if matches[k].How == Unmatched {
				continue
			}
			end = at[matches[k].Instruction]
		}
		anchored = anchored || k < len(matches)
		if anchored && (i > 0 || baseKnown) {
			fillGap(matches[i:k], steps[i:k], forms[j:end])
		}
		i, j = k+1, end+1
	}
}

func fillGap(matches []Match, steps []Step, forms []*form) {
	if len(steps) != len(forms) {
		return
	}
	for i, f := range forms {
		switch f.ins.Keyword {
		case "RUN", "COPY", "ADD":
		default: // the rest can be compared
			return
		}
		if steps[i].Instruction != f.ins.Keyword {
			return
		}
	}
	for i, f := range forms {
		matches[i] = Match{f.ins, Aligned}
	}
}

// valuesOf returns the values of variables that the steps tell: of build
// arguments, and of the environment as the base has it.
func valuesOf(steps []Step) values {
	v := values{args: dockerfile.Vars{}, env: dockerfile.Vars{}}
	for i := range steps {
		s := &steps[i]
		for _, a := range s.Args {
			v.args[a.Name] = a.Value
		}
		_, operands, _ := strings.Cut(s.Text, " ")
		switch s.Instruction {
		case "ARG":
			for _, a := range assignments(operands) {
				v.args[a.Name] = a.Value
			}
		case "ENV":
			for _, a := range assignments(operands) {
				if _, ok := v.env[a.Name]; !ok {
					v.env[a.Name] = a.Value
				}
			}
		}
	}
	return v
}

// assignments reads "A=1 B=2 3".
func assignments(s string) []Arg {
	var starts []int
	for at, word := range wordsOf(s) {
		if isArg(word) {
			starts = append(starts, at)
		}
	}
	return splitArgs(s, starts)
}
