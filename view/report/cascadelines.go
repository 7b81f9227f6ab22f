package report

import (
	"fmt"
	"strings"

	"github.com/layerscope/layerscope/analyze/cascade"
	"github.com/layerscope/layerscope/view/text"
)

// edited is what an edit of one instruction makes run again.
type edited struct {
	*cascade.Impact
	sure, may total
}

// edits returns what an edit of each instruction makes run again.
func (c *Cascade) edits() []edited {
	all := make([]edited, len(c.Impacts))
	for i := range c.Impacts {
		im := &c.Impacts[i]
		sums := c.byState(func(i int) cascade.State { return im.States[i] })
		all[i] = edited{im, sums[cascade.Miss], sums[cascade.MayMiss]}
	}
	return all
}

// weight is what a bar shows of an edit: time where that of most instructions is
// known, else bytes where those of most are, else instructions.
type weight func(t total) int64

func (c *Cascade) weight() weight {
	all := c.byState(func(int) cascade.State { return cascade.Miss })[cascade.Miss]
	mostly := func(p part, n int) bool { return p.known > 0 && 2*p.known >= n }
	switch bytes, n := ofBytes(all); {
	case mostly(all.dur, all.n):
		return func(t total) int64 { return t.dur.sum }
	case mostly(bytes, n):
		return func(t total) int64 { return t.bytes.sum }
	}
	return func(t total) int64 { return int64(t.n) }
}

// lines writes the table of all lines.
func (t cascadeText) lines() {
	edits := t.edits()
	bytes, durations := t.measured()
	weigh := t.weight()
	var most int64
	for _, e := range edits {
		most = max(most, weigh(e.sure)+weigh(e.may))
	}
	fmt.Fprintln(t.w, "\nWhat runs again if a line is edited, however")
	tab := table{style: t.style, cutLast: text.Truncate}
	tab.columns = []column{{title: "LINE"}, {title: "RERUNS"}, {title: "MAY", left: true}, {title: "BYTES"}, {title: "TIME"},
		{left: true}, {title: "INSTRUCTION", left: true}}
	marked := false
	for _, e := range edits {
		cells := []string{e.Step.Lines.String(), "", "", "", "", "", t.foreign(t.text(e.Step))}
		if e.States[e.Step.Index] == cascade.NotBuilt {
			cells[1] = t.mark(cascade.NotBuilt)
		} else {
			cells[1] = text.Count(e.sure.n)
			if e.may.n > 0 {
				cells[2] = "+" + text.Count(e.may.n)
			}
			cells[3] = t.atLeast(e, ofBytes, t.size)
			cells[4] = t.atLeast(e, ofTime, t.duration)
			cells[5] = t.twoBars(weigh(e.sure), weigh(e.may), most)
		}
		for _, cost := range cells[3:5] {
			marked = marked || strings.HasPrefix(cost, t.least())
		}
		tab.add(cells...)
	}
	if !anyMay(edits) {
		tab.drop("MAY")
	}
	if !bytes {
		tab.drop("BYTES")
	}
	if !durations {
		tab.drop("TIME")
	}
	tab.write(t.w)
	t.legend(edits, bytes, durations, marked)
}

// legend says what the table doesn't.
func (t cascadeText) legend(edits []edited, bytes, durations, marked bool) {
	fmt.Fprintln(t.w)
	words := "RERUNS counts instructions that take time or make bytes."
	if anyMay(edits) {
		words += " Those of MAY run again only if the rebuilt files that they read differ."
	}
	if marked {
		words += " " + t.least() + " marks a sum of which more isn't known, or may come."
	}
	if anyNotBuilt(edits) {
		words += " " + t.mark(cascade.NotBuilt) + " isn't built."
	}
	t.wrapped("", words)
	switch {
	case !bytes && !durations:
		t.wrapped("", "Bytes come with --image, times with --log.")
	case !bytes:
		t.wrapped("", "Bytes come with --image.")
	case !durations:
		t.wrapped("", "Times come with --log.")
	}
}

func anyMay(edits []edited) bool {
	for _, e := range edits {
		if e.may.n > 0 {
			return true
		}
	}
	return false
}

func anyNotBuilt(edits []edited) bool {
	for _, e := range edits {
		if e.States[e.Step.Index] == cascade.NotBuilt {
			return true
		}
	}
	return false
}

// least stands before a sum of which a part isn't known.
func (s style) least() string {
	if s.ASCII {
		return ">="
	}
	return "≥"
}

// ofBytes and ofTime return what is known of a total, and of how many parts it
// could be.
func ofBytes(t total) (part, int) { return t.bytes, t.n - t.unexported }
func ofTime(t total) (part, int)  { return t.dur, t.n }

// atLeast says what an edit certainly costs.
func (t cascadeText) atLeast(e edited, of func(total) (part, int), say func(int64) string) string {
	sure, n := of(e.sure)
	may, mayN := of(e.may)
	switch {
	case n+mayN == 0:
		return ""
	case sure.known == 0 && n > 0:
		return t.unknown()
	case sure.sum == 0 && sure.known < n:
		return t.unknown() // at least nothing says nothing
	case sure.known < n || may.sum > 0 || may.known < mayN:
		return t.least() + say(sure.sum)
	}
	return say(sure.sum)
}

// twoBars returns a bar of what is sure and, after it and lighter, what may come.
func (s style) twoBars(sure, may, most int64) string {
	if may <= 0 {
		return s.bar(sure, most)
	}
	light, full := "░", "█"
	if s.ASCII {
		light, full = "-", "#"
	}
	all := text.Width(s.bar(sure+may, most))
	first := min(text.Width(s.bar(sure, most)), all)
	return strings.Repeat(full, first) + strings.Repeat(light, all-first)
}
