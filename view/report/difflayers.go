package report

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/layerscope/layerscope/diff"
	"github.com/layerscope/layerscope/view/text"
)

// pulls writes what hosts fetch.
func (t diffText) pulls() {
	tab := table{columns: []column{{title: "BYTES"}, {title: "LAYERS"}, {title: "FETCHED", left: true}}}
	for _, p := range []struct {
		diff.Pull
		has, wants string
	}{{t.Layers.Pull, oldName, newName}, {t.Layers.Back, newName, oldName}} {
		tab.add(t.size(p.Bytes), text.Count(p.Pull.Layers), fmt.Sprintf("by a host that has %s, for %s", p.has, p.wants))
		if p.Chain != p.Bytes {
			tab.add(t.size(p.Chain), "", "the same by Docker, without containerd's image store")
		}
	}
	t.section("What hosts fetch, compressed", tab)
}

// span is a run of rows of a table: those that are alike, or one.
type span struct{ from, to int }

// spans cuts n rows into spans: of those that are to be shown, or of all if there
// is no limit, one each; of the others all that stand together and are alike.
// Where there are many of those, because what isn't alike takes turns, all that
// stand together are one.
func (t diffText) spans(n int, shown map[int]bool, alike func(a, b int) bool) []span {
	isShown := func(i int) bool { return t.rows == 0 || shown[i] }
	out := cutSpans(n, isShown, alike)
	if t.rows > 0 && len(out) > 2*len(shown)+someRows {
		return cutSpans(n, isShown, func(a, b int) bool { return true })
	}
	return out
}

func cutSpans(n int, shown func(int) bool, alike func(a, b int) bool) []span {
	var out []span
	for i := range n {
		if last := len(out) - 1; last >= 0 && !shown(i) && !shown(i-1) && alike(i-1, i) {
			out[last].to = i + 1
			continue
		}
		out = append(out, span{i, i + 1})
	}
	return out
}

// heaviest returns of n rows the most that make the largest difference, of those
// that count.
func heaviest(n, most int, counts func(int) bool, bytes func(int) diff.Bytes) map[int]bool {
	var rows []int
	for i := range n {
		if counts(i) {
			rows = append(rows, i)
		}
	}
	rows = sorted(rows, bytes)
	shown := map[int]bool{}
	for _, i := range rows[:min(len(rows), most)] {
		shown[i] = true
	}
	return shown
}

// indexes returns the indexes of a span on one side, the lowest and the highest,
// "" for none.
func indexes(s span, at func(int) int) string {
	low, high := -1, -1
	for i := s.from; i < s.to; i++ {
		if n := at(i); n >= 0 {
			if low < 0 {
				low = n
			}
			low, high = min(low, n), max(high, n)
		}
	}
	if low == high {
		return index(low)
	}
	return fmt.Sprintf("%d-%d", low, high)
}

// layerText says how layers are found in the other image.
var layerText = map[diff.LayerState]string{
	diff.Shared:       "shared",
	diff.Recompressed: "recompressed",
	diff.Retouched:    "other times",
	diff.OnlyOld:      "only OLD",
	diff.OnlyNew:      "only NEW",
}

// layers writes the layers side by side, those that are shared in short.
func (t diffText) layers() {
	pairs := t.Layers.Pairs
	tab := table{columns: []column{{title: "OLD"}, {title: "NEW"}, {title: "LAYER", left: true}, {title: "STORED"}, {title: "COMPRESSED"}, {title: "STEP", left: true}}}
	most := fewRows
	if t.layersOnly() {
		most = someRows
		tab.drop("STORED")
	}
	shown := heaviest(len(pairs), most, func(i int) bool { return pairs[i].State != diff.Shared }, func(i int) diff.Bytes { return fetched(pairs[i]) })
	for _, s := range t.spans(len(pairs), shown, func(a, b int) bool { return pairs[a].State == pairs[b].State }) {
		p, state := sumOfLayers(pairs[s.from:s.to])
		what := "(" + text.Plural(s.to-s.from, "layer") + ")"
		if s.to-s.from == 1 {
			what = t.madeBy(p)
		}
		row := []string{
			indexes(s, func(i int) int { return pairs[i].Old }), indexes(s, func(i int) int { return pairs[i].New }), state,
		}
		if !t.layersOnly() {
			row = append(row, t.both(p.Stored, p))
		}
		tab.add(append(row, t.both(p.Compressed, p), what)...)
	}
	if !anyCompressed(t.Old) && !anyCompressed(t.New) {
		tab.drop("COMPRESSED")
	}
	t.section("Layers: "+t.layerCounts(), tab)
}

// sumOfLayers returns what some layers add up to, as one, and what is said of all
// of them, "" if that differs.
func sumOfLayers(pairs []diff.LayerPair) (sum diff.LayerPair, state string) {
	sum, state = pairs[0], layerText[pairs[0].State]
	for _, p := range pairs[1:] {
		sum.Old, sum.New = max(sum.Old, p.Old), max(sum.New, p.New)
		sum.Stored, sum.Compressed = sum.Stored.Plus(p.Stored), sum.Compressed.Plus(p.Compressed)
		if p.State != pairs[0].State {
			state = ""
		}
	}
	return sum, state
}

// fetched returns what is fetched of a layer or, where that isn't known, what it
// stores.
func fetched(p diff.LayerPair) diff.Bytes {
	if p.Compressed.Known() {
		return p.Compressed
	}
	return p.Stored
}

// both returns the bytes of a layer: one number where that says it.
func (s style) both(b diff.Bytes, p diff.LayerPair) string {
	switch {
	case p.Old < 0:
		return s.size(b.New)
	case p.New < 0 || b.Old == b.New:
		return s.size(b.Old)
	}
	return s.to(s.size(b.Old), s.size(b.New))
}

// madeBy returns the step that made a layer.
func (t diffText) madeBy(p diff.LayerPair) string {
	m, k := t.New, p.New
	if k < 0 {
		m, k = t.Old, p.Old
	}
	if len(m.Steps) == 0 {
		return ""
	}
	return t.foreign(m.Steps[m.Layers[k].Step].Text)
}

// layerCounts says how many layers there are of each state.
func (c Comparison) layerCounts() string {
	var n [diff.OnlyNew + 1]int
	for _, p := range c.Layers.Pairs {
		n[p.State]++
	}
	return counts([]counted{
		{n[diff.Shared], "shared"}, {n[diff.Recompressed], "recompressed"}, {n[diff.Retouched], "with other times"},
		{n[diff.OnlyOld], "only in OLD"}, {n[diff.OnlyNew], "only in NEW"},
	})
}

// counted is how many there are of something.
type counted struct {
	n    int
	what string
}

// counts says how many there are of each, but for those that there are none of.
func counts(all []counted) string {
	var parts []string
	for _, c := range all {
		if c.n > 0 {
			parts = append(parts, text.Count(c.n)+" "+c.what)
		}
	}
	return strings.Join(parts, ", ")
}

// steps writes the steps side by side, those that are the same in short.
func (t diffText) steps() {
	steps := t.Steps
	tab := table{columns: []column{{title: "OLD"}, {title: "NEW"}, {title: "STATE", left: true}, {title: "BEFORE"}, {title: "AFTER"}, {title: "DIFFERENCE"}, {title: "STEP", left: true}}}
	shown := heaviest(len(steps), someRows, func(i int) bool { return !isSame(steps[i]) }, func(i int) diff.Bytes { return steps[i].Stored })
	alike := func(a, b int) bool {
		return steps[a].State == steps[b].State || !isSame(steps[a]) && !isSame(steps[b])
	}
	for _, s := range t.spans(len(steps), shown, alike) {
		if s.to-s.from > 1 {
			t.stepsRow(&tab, s)
		} else {
			t.stepRow(&tab, steps[s.from])
		}
	}
	if len(steps) > 0 {
		tab.add("", "", "", t.size(t.Stored.Old), t.size(t.Stored.New), t.style.diff(t.Stored), "(all that is stored)")
	}
	t.section("Steps: "+t.stepCounts(), tab)
}

// isSame tells whether the content of a step is the same.
func isSame(s diff.Step) bool { return s.State == diff.StepSame || s.State == diff.StepRebuilt }

// stepRow adds a step, of one that was edited what it was too.
func (t diffText) stepRow(tab *table, s diff.Step) {
	before, after := t.size(s.Stored.Old), t.size(s.Stored.New)
	if s.Old < 0 {
		before = ""
	}
	if s.New < 0 {
		after = ""
	}
	now, was := t.foreign(t.stepText(s)), ""
	if s.State == diff.StepEdited {
		now, was = t.apart(now, t.foreign(t.Old.Steps[s.Old].Text))
	}
	tab.add(index(s.Old), index(s.New), s.State.String(), before, after, t.style.diff(s.Stored), now)
	if s.State == diff.StepEdited {
		tab.add("", "", "", "", "", "", "was: "+was)
	}
}

// Where the words of a narrow line are left out that two texts begin with: if
// they are more than a part of the width, all but some before the difference.
const (
	alikePart = 4
	alikeKept = 8
)

// apart leaves out of two texts what they begin with alike, where the
// difference would be cut off for it.
func (s style) apart(a, b string) (string, string) {
	alike := 0
	for i, r := range a {
		if !strings.HasPrefix(b[min(i, len(b)):], string(r)) {
			break
		}
		alike = i
	}
	cut := strings.LastIndexByte(a[:max(0, alike-alikeKept)], ' ') + 1
	first := strings.IndexByte(a, ' ') + 1 // the instruction stays
	if s.Width == 0 || text.Width(a[:alike]) < s.Width/alikePart || cut <= first {
		return a, b
	}
	begin := a[:first] + s.foreign("…") + " "
	return begin + a[cut:], begin + b[cut:]
}

// stepsRow adds some steps that are shown as one.
func (t diffText) stepsRow(tab *table, sp span) {
	all := t.Steps[sp.from:sp.to]
	state, sum := all[0].State.String(), diff.Bytes{}
	for _, s := range all {
		sum = sum.Plus(s.Stored)
		if s.State != all[0].State {
			state = ""
		}
	}
	tab.add(indexes(sp, func(i int) int { return t.Steps[i].Old }), indexes(sp, func(i int) int { return t.Steps[i].New }), state,
		t.size(sum.Old), t.size(sum.New), t.style.diff(sum), "("+text.Plural(len(all), "step")+")")
}

// index returns an index, "" for none.
func index(i int) string {
	if i < 0 {
		return ""
	}
	return strconv.Itoa(i)
}

// stepText returns the text of a step, of NEW if that has it.
func (c Comparison) stepText(s diff.Step) string {
	if s.New >= 0 {
		return c.New.Steps[s.New].Text
	}
	return c.Old.Steps[s.Old].Text
}

// stepCounts says how many steps there are of each state.
func (c Comparison) stepCounts() string {
	var n [diff.StepAdded + 1]int
	for _, s := range c.Steps {
		n[s.State]++
	}
	all := make([]counted, len(n))
	for i := range n {
		all[i] = counted{n[i], diff.StepState(i).String()}
	}
	return counts(all)
}
