package measure

import "github.com/layerscope/layerscope/analyze/cascade"

// Carry gives what is known of a Dockerfile's instructions to those of an edited
// one: to equal ones of the same stage and, between those, to the edited that
// stand where as many of the same kinds stood. What an edited instruction will
// cost nobody knows; what it did is the best guess there is, as for one that is
// said to be edited somehow.
func Carry(before *cascade.Graph, m cascade.Measures, after *cascade.Graph) cascade.Measures {
	if before.File == after.File || m == nil {
		return m
	}
	out := make(cascade.Measures, len(after.Steps))
	for _, s := range after.Stages {
		if o := stageLike(before, after, s); o != nil {
			carry(stepsOf(before, o.Index), stepsOf(after, s.Index), m, out)
		}
	}
	return out
}

// stageLike returns the earlier stage that one of an edited file is: of the same
// name, of those without the one with as many before it, else, if there are as
// many stages, that of the same place.
func stageLike(before, after *cascade.Graph, s *cascade.Stage) *cascade.Stage {
	if s.Name == "" {
		if o := nameless(before, -1); len(o) > len(nameless(after, s.Index)) {
			return o[len(nameless(after, s.Index))]
		}
	}
	for _, o := range before.Stages {
		if s.Name != "" && o.Name == s.Name {
			return o
		}
	}
	if len(before.Stages) == len(after.Stages) {
		return before.Stages[s.Index]
	}
	return nil
}

// nameless returns the stages without a name before a stage, all for -1.
func nameless(g *cascade.Graph, before int) (stages []*cascade.Stage) {
	for _, s := range g.Stages {
		if s.Name == "" && (before < 0 || s.Index < before) {
			stages = append(stages, s)
		}
	}
	return stages
}

func stepsOf(g *cascade.Graph, stage int) []*cascade.Step {
	var steps []*cascade.Step
	for _, s := range g.Steps {
		if s.Stage == stage {
			steps = append(steps, s)
		}
	}
	return steps
}

// maxCells bounds the work of one stage; of a larger one equal instructions at
// its beginning are all that is paired.
const maxCells = 1 << 22

// carry carries measures from one stage to another.
func carry(before, after []*cascade.Step, m, out cascade.Measures) {
	i, j := 0, 0
	give := func(b, a []*cascade.Step) {
		if len(a) != len(b) {
			return
		}
		for k := range a {
			if a[k].Keyword != b[k].Keyword {
				return
			}
		}
		for k := range a {
			out[a[k].Index] = m[b[k].Index]
		}
	}
	for _, p := range common(before, after) {
		give(before[i:p[0]], after[j:p[1]])
		out[after[p[1]].Index] = m[before[p[0]].Index]
		i, j = p[0]+1, p[1]+1
	}
	give(before[i:], after[j:])
}

// common returns the pairs of a longest common subsequence of equal
// instructions, as indexes.
func common(a, b []*cascade.Step) (pairs [][2]int) {
	same := func(i, j int) bool {
		if a[i].Text != b[j].Text || len(a[i].Heredocs) != len(b[j].Heredocs) {
			return false
		}
		for k, h := range a[i].Heredocs {
			if h.Content != b[j].Heredocs[k].Content {
				return false
			}
		}
		return true
	}
	i := 0
	for i < len(a) && i < len(b) && same(i, i) {
		pairs = append(pairs, [2]int{i, i})
		i++
	}
	n, w := len(a)-i, len(b)-i
	if n*w > maxCells {
		return pairs
	}
	// length[x][y] is of the longest common subsequence of a[i+x:] and b[i+y:].
	length := make([]int32, (n+1)*(w+1))
	at := func(x, y int) *int32 { return &length[x*(w+1)+y] }
	for x := n - 1; x >= 0; x-- {
		for y := w - 1; y >= 0; y-- {
			if same(i+x, i+y) {
				*at(x, y) = *at(x+1, y+1) + 1
			} else {
				*at(x, y) = max(*at(x+1, y), *at(x, y+1))
			}
		}
	}
	for x, y := 0, 0; x < n && y < w; {
		switch {
		case same(i+x, i+y):
			pairs = append(pairs, [2]int{i + x, i + y})
			x, y = x+1, y+1
		case *at(x+1, y) >= *at(x, y+1):
			x++
		default:
			y++
		}
	}
	return pairs
}
