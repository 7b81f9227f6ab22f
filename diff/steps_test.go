package diff

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/history"
	"github.com/layerscope/layerscope/analyze/synth"
)

// made returns an image of steps written as "TEXT", or "TEXT = LAYER" for one
// that made a layer: a name, which stores as many bytes as it is long, "-" at its
// end for one of no entries, "~" for another layer of the same content and "^"
// for the same layer by another digest. "? TEXT" is a record that isn't tied to a
// layer, and one of no text is synthetic. "TEXT | A=1 B=2" has arguments.
func made(steps ...string) *analyze.Image {
	m := &analyze.Image{Fit: history.Exact}
	for _, s := range steps {
		text, name, hasLayer := strings.Cut(s, " = ")
		text, args, _ := strings.Cut(text, " | ")
		text, untied := strings.CutPrefix(text, "? ")
		st := analyze.Step{Step: history.Step{Text: text, CreatedBy: text, Layer: -1, Synthetic: text == "", Empty: !hasLayer}}
		if word, _, _ := strings.Cut(text, " "); word == strings.ToUpper(word) {
			st.Instruction = word
		}
		for _, a := range strings.Fields(args) {
			name, value, _ := strings.Cut(a, "=")
			st.Args = append(st.Args, history.Arg{Name: name, Value: value})
		}
		if untied {
			st.Stored = Unknown
		}
		if hasLayer {
			st.Layer = len(m.Layers)
			st.Stored = int64(len(strings.TrimRight(name, "-~^")))
			m.Layers = append(m.Layers, madeLayer(name, st.Stored))
			if text == "" {
				st.Text = "layer " + name
			}
			m.Totals.Stored += st.Stored
		}
		m.Steps = append(m.Steps, st)
	}
	return m
}

func madeLayer(name string, stored int64) analyze.Layer {
	l := analyze.Layer{Sums: analyze.Sums{Stored: stored}, Entries: 1}
	l.DiffID = v1.Hash{Algorithm: "sha256", Hex: strings.TrimSuffix(name, "^")}
	l.Digest = v1.Hash{Algorithm: "sha256", Hex: "z" + name}
	if strings.HasSuffix(name, "-") {
		l.Entries = 0
	}
	return l
}

// pairedLayers compares layers as made names them: each with the first that is
// left of the same content.
func pairedLayers(old, new *analyze.Image) *Layers {
	l := &Layers{}
	taken := map[int]bool{}
	content := func(l *analyze.Layer) string { return strings.TrimRight(l.DiffID.Hex, "~") }
	for j := range new.Layers {
		p := LayerPair{Old: -1, New: j, State: OnlyNew}
		for i := range old.Layers {
			a, b := &old.Layers[i], &new.Layers[j]
			if taken[i] || content(a) != content(b) {
				continue
			}
			taken[i] = true
			p = LayerPair{Old: i, New: j, State: Retouched}
			if a.DiffID == b.DiffID {
				p.State = Recompressed
				if a.Digest == b.Digest {
					p.State = Shared
				}
			}
			break
		}
		l.Pairs = append(l.Pairs, p)
	}
	return l
}

// rowsOf are steps as lines "state OLD NEW", by index.
func rowsOf(steps []Step) (rows []string) {
	for _, s := range steps {
		rows = append(rows, strings.ReplaceAll(fmt.Sprint(s.State, s.Old, s.New), "-1", "-"))
	}
	return rows
}

func TestAlignSteps(t *testing.T) {
	for _, tt := range []struct {
		name     string
		old, new []string
		want     string
	}{
		{"nothing", nil, nil, ""},
		{"nothing before", nil, []string{"RUN a"}, "added - 0"},
		{"nothing after", []string{"RUN a", "RUN b"}, nil, "removed 0 -, removed 1 -"},
		{"the same", []string{"FROM x = a", "CMD x"}, []string{"FROM x = a", "CMD x"}, "same 0 0, same 1 1"},
		{"recompressed and retouched", []string{"RUN a = a", "RUN b = b"}, []string{"RUN a = a^", "RUN b = b~"}, "rebuilt 0 0, rebuilt 1 1"},
		{"other content", []string{"RUN a = a"}, []string{"RUN a = b"}, "changed 0 0"},
		{"a layer or none", []string{"WORKDIR /a", "WORKDIR /b"}, []string{"WORKDIR /a = e-", "WORKDIR /b = b"}, "rebuilt 0 0, changed 1 1"},
		{"put between", []string{"RUN a = a", "RUN b = b"}, []string{"RUN a = a", "RUN x y z = x", "RUN b = b"}, "same 0 0, added - 1, same 1 2"},
		{"moved", []string{"RUN a = a", "RUN b = bb"}, []string{"RUN b = bb", "RUN a = a"}, "removed 0 -, same 1 0, added - 1"},
		{"content before text", []string{"RUN a = x", "RUN b = y"}, []string{"RUN b = x"}, "edited 0 0, removed 1 -"},
		{"an edited command", []string{"RUN a = a", "RUN apt-get install -y curl = b", "CMD x"}, []string{"RUN a = a", "RUN apt-get install -y curl wget = c", "CMD x"},
			"same 0 0, edited 1 1, same 2 2"},
		{"another command", []string{"RUN make all = a"}, []string{"RUN pip install x = b"}, "removed 0 -, added - 0"},
		{"not in common are signs", []string{"RUN a && b"}, []string{"RUN c && d"}, "removed 0 -, added - 0"},
		{"two edited, in order", []string{"RUN go build a", "RUN go test b"}, []string{"RUN go test b c", "RUN go build a c"}, "removed 0 -, edited 1 0, added - 1"},
		{"removed before added", []string{"RUN a", "RUN b", "USER u"}, []string{"RUN c", "RUN d", "USER u"},
			"removed 0 -, removed 1 -, added - 0, added - 1, same 2 2"},
		{"a variable's value", []string{"ENV A=1", "ARG B=1", "ENV C d e"}, []string{"ENV A=2", "ARG B=2", "ENV C f g"}, "edited 0 0, edited 1 1, edited 2 2"},
		{"another variable", []string{"ENV A=1", "ARG B"}, []string{"ENV C=1", "ARG D"}, "removed 0 -, removed 1 -, added - 0, added - 1"},
		{"values with equals signs", []string{`ENV OPTS=-Da=b "X"=1`}, []string{`ENV OPTS=-Dc=d X=1`}, "edited 0 0"},
		{"one thing set", []string{"USER a", `CMD ["a"]`, "WORKDIR /a"}, []string{"USER b", `CMD ["b"]`, "WORKDIR /b"}, "edited 0 0, edited 1 1, edited 2 2"},
		{"to one place", []string{"COPY a b /app/ = a"}, []string{"ADD https://x/y.tar /app = b"}, "edited 0 0"},
		{"to another place", []string{"COPY a /app = a", "COPY b /x = b"}, []string{"COPY a /srv = c", "COPY c /y = d"}, "edited 0 0, removed 1 -, added - 1"},
		{"checksums of sources", []string{"ADD file:00aa in / = a", "COPY --chown=1 dir:00aa in /x"}, []string{"ADD file:00bb in / = b", "COPY --chown=1 dir:00bb in /x"}, "changed 0 0, changed 1 1"},
		{"arguments", []string{"RUN a | A=1 = a"}, []string{"RUN a | A=2 = b"}, "edited 0 0"},
		{"arguments, the same content", []string{"RUN a | A=1 = a", "RUN a | A=2 = b"}, []string{"RUN a | A=1 = a", "RUN a | A=3 = b"}, "same 0 0, edited 1 1"},
		{"synthetic", []string{" = a", " = b", " = c"}, []string{" = a", " = c~", " = d"}, "same 0 0, removed 1 -, rebuilt 2 1, added - 2"},
		{"synthetic and recorded", []string{" = a", " = b"}, []string{"RUN a = a", "RUN b = c"}, "edited 0 0, removed 1 -, added - 1"},
		{"records of no layer", []string{"? RUN a", "? RUN b", " = a"}, []string{"RUN a = a", "? RUN b", "RUN c = a"}, "same 0 0, same 1 1, edited 2 2"},
		{"layers of no entries", []string{"RUN true = e-"}, []string{"WORKDIR / = e-"}, "removed 0 -, added - 0"},
		{"layers of no entries that differ", []string{"RUN true = e-"}, []string{"RUN true = f-"}, "rebuilt 0 0"},
		{"layers twice", []string{"RUN a = a", "RUN a = a"}, []string{"RUN x = b", "RUN a = a"}, "removed 0 -, added - 0, same 1 1"},
	} {
		old, new := made(tt.old...), made(tt.new...)
		got := alignSteps(old, new, pairedLayers(old, new))
		if diff := gocmp.Diff(tt.want, strings.Join(rowsOf(got), ", ")); diff != "" {
			t.Errorf("%s: -want +got\n%s", tt.name, diff)
		}
		checkSteps(t, old, new, got)
	}
}

// checkSteps checks that every step stands in one row, in the order of both
// images, and that the bytes are those of the steps and add up.
func checkSteps(t *testing.T, old, new *analyze.Image, steps []Step) {
	t.Helper()
	i, j := 0, 0
	var sum Bytes
	for k, s := range steps {
		var want Bytes
		if s.Old >= 0 {
			if want.Old = old.Steps[s.Old].Stored; s.Old != i {
				t.Fatalf("row %d is of OLD's step %d, want %d", k, s.Old, i)
			}
			i++
		}
		if s.New >= 0 {
			if want.New = new.Steps[s.New].Stored; s.New != j {
				t.Fatalf("row %d is of NEW's step %d, want %d", k, s.New, j)
			}
			j++
		}
		if (s.Old < 0) != (s.State == StepAdded) || (s.New < 0) != (s.State == StepRemoved) || s.Old < 0 && s.New < 0 {
			t.Errorf("row %d is %+v", k, s)
		}
		if k > 0 && s.State == StepRemoved && steps[k-1].State == StepAdded {
			t.Errorf("row %d is removed after an added one", k)
		}
		if s.Stored != want {
			t.Errorf("row %d stores %v, want %v", k, s.Stored, want)
		}
		sum.Old += max(s.Stored.Old, 0)
		sum.New += max(s.Stored.New, 0)
	}
	if i != len(old.Steps) || j != len(new.Steps) {
		t.Errorf("%d and %d steps, want %d and %d", i, j, len(old.Steps), len(new.Steps))
	}
	if want := (Bytes{old.Totals.Stored, new.Totals.Stored}); sum != want {
		t.Errorf("steps store %v, the images %v", sum, want)
	}
}

// randomSteps writes steps as made reads them, few enough that they meet.
func randomSteps(r *rand.Rand, n int) []string {
	texts := []string{"", "RUN a b", "RUN a c", "RUN a b c", "RUN d", "RUN a d e", "COPY a /x", "COPY b /x", "COPY file:00 in /x", "COPY file:01 in /x", "ENV A=1", "ENV A=2", "ENV B=1 A=1", "CMD a", "CMD b", "tool x"}
	steps := make([]string, n)
	for i := range steps {
		s := texts[r.IntN(len(texts))]
		if strings.HasPrefix(s, "RUN") && r.IntN(4) == 0 {
			s += fmt.Sprintf(" | A=%d", r.IntN(2))
		}
		switch k := r.IntN(8); {
		case k == 0 && s != "":
			s = "? " + s
		case k > 2 || s == "":
			s += " = " + strings.Repeat(string(rune('a'+r.IntN(5))), 1+r.IntN(2)) + []string{"", "", "^", "-"}[r.IntN(4)]
		}
		steps[i] = s
	}
	return steps
}

// retouched gives the layers of some names other times, wherever they are.
func retouched(r *rand.Rand, steps []string) []string {
	names := []string{"a", "b", "c", "d", "e"}[r.IntN(5):]
	out := slices.Clone(steps)
	for i, s := range steps {
		if text, name, ok := strings.Cut(s, " = "); ok && slices.Contains(names, name[:1]) && !strings.HasSuffix(name, "-") {
			plain := strings.TrimSuffix(name, "^")
			out[i] = text + " = " + plain + "~" + name[len(plain):]
		}
	}
	return out
}

// worth are the points of a set of pairs, the first one above all.
type worth struct{ firm, alike int }

// naiveWorth is what a pair of steps is worth, worked out from what made was
// given.
func naiveWorth(a, b string) (w worth) {
	parse := func(s string) (text, args, layer string) {
		text, layer, _ = strings.Cut(s, " = ")
		text, args, _ = strings.Cut(strings.TrimPrefix(text, "? "), " | ")
		return strings.NewReplacer("file:00 ", "", "file:01 ", "").Replace(text), args, strings.TrimRight(layer, "~^")
	}
	ta, aa, la := parse(a)
	tb, ab, lb := parse(b)
	if la == lb && la != "" && !strings.HasSuffix(la, "-") {
		w.firm += 3
	}
	switch words, others := strings.Fields(ta), strings.Fields(tb); {
	case ta == "" || tb == "":
	case ta == tb && aa == ab:
		w.firm += 2
		w.alike = 1000
	case strings.HasPrefix(ta, "tool") || strings.HasPrefix(tb, "tool"): // the vocabulary has but one
	case words[0] == others[0]:
		trim := func(words []string) (set []string) {
			for _, w := range words[1:] {
				if words[0] == "ENV" {
					w = w[:1]
				}
				if w != "in" || words[0] != "COPY" {
					set = append(set, w)
				}
			}
			return set
		}
		x, y := trim(words), trim(others)
		both := 0
		for _, w := range x {
			if slices.Contains(y, w) {
				both++
			}
		}
		w.alike = 2000 * both / (len(x) + len(y))
		if words[0] == "CMD" || words[0] == "COPY" {
			w.alike = max(w.alike, 500)
		}
		if w.alike < 500 {
			w.alike = 0
		}
	}
	return w
}

func (w worth) plus(o worth) worth { return worth{w.firm + o.firm, w.alike + o.alike} }

func (w worth) compare(o worth) int {
	return cmp.Or(cmp.Compare(w.firm, o.firm), cmp.Compare(w.alike, o.alike))
}

// bestWorth tries every alignment.
func bestWorth(old, new []string) worth {
	if len(old) == 0 || len(new) == 0 {
		return worth{}
	}
	best := bestWorth(old[1:], new) // the first of OLD is left over
	for j := range new {            // or paired with one of NEW
		if w := naiveWorth(old[0], new[j]); w != (worth{}) {
			if w = w.plus(bestWorth(old[1:], new[j+1:])); w.compare(best) > 0 {
				best = w
			}
		}
	}
	return best
}

// TestAlignStepsBest holds alignments of small random histories against the best
// of all that there are, and against those of the images swapped.
func TestAlignStepsBest(t *testing.T) {
	states := map[StepState]int{}
	for seed := range uint64(1500) {
		r := rand.New(rand.NewPCG(seed, 1))
		olds, news := randomSteps(r, r.IntN(7)), randomSteps(r, r.IntN(7))
		if r.IntN(2) == 0 && len(olds) > 0 { // much in common
			news = slices.Insert(slices.Clone(olds), r.IntN(len(olds)), news[:min(2, len(news))]...)
			news = slices.Delete(news, 0, r.IntN(2))
		}
		if r.IntN(2) == 0 {
			news = retouched(r, news)
		}
		old, new := made(olds...), made(news...)
		steps := alignSteps(old, new, pairedLayers(old, new))
		checkSteps(t, old, new, steps)
		var got worth
		for _, s := range steps {
			states[s.State]++
			if s.Old >= 0 && s.New >= 0 {
				w := naiveWorth(olds[s.Old], news[s.New])
				if w == (worth{}) {
					t.Errorf("%q and %q belong together", olds[s.Old], news[s.New])
				}
				got = got.plus(w)
			}
		}
		if best := bestWorth(olds, news); got != best {
			t.Errorf("worth %v, the best is %v", got, best)
		}
		back := alignSteps(new, old, pairedLayers(new, old))
		if diff := gocmp.Diff(pairsOf(steps, false), pairsOf(back, true)); diff != "" {
			t.Errorf("-alignment +that of the images swapped\n%s", diff)
		}
		if t.Failed() {
			t.Fatalf("seed %d\nOLD %q\nNEW %q\n%s", seed, olds, news, strings.Join(rowsOf(steps), "\n"))
		}
	}
	for s := range StepState(len(stepStates)) {
		if states[s] < 100 {
			t.Errorf("%d steps are %v: the histories are too poor", states[s], s)
		}
	}
}

// pairsOf are the steps that are in both, and their states.
func pairsOf(steps []Step, swap bool) (pairs []Step) {
	for _, s := range steps {
		if s.Old < 0 || s.New < 0 {
			continue
		}
		if swap {
			s.Old, s.New, s.Stored = s.New, s.Old, Bytes{s.Stored.New, s.Stored.Old}
		}
		pairs = append(pairs, s)
	}
	return pairs
}

// TestAlignStepsLong has histories that no table is made of.
func TestAlignStepsLong(t *testing.T) {
	n := synth.Rounds(100_000)
	unique := func(i int) string { return fmt.Sprintf("RUN step %d %s = %d", i, strings.Repeat("x ", 3), i) }
	var plain, edited, alike, other []string
	want := 0
	for i := range n {
		plain = append(plain, unique(i))
		alike = append(alike, fmt.Sprintf("RUN same %d = %d", i%3, i))
		other = append(other, fmt.Sprintf("RUN same %d = %d", i%5, n+i))
		switch i % 1000 {
		case 0:
			edited = append(edited, "RUN other", unique(i))
			want++
		case 500: // gone
		case 700:
			edited = append(edited, fmt.Sprintf("RUN %d edited = %d", i, i))
			want++
		default:
			edited = append(edited, unique(i))
			want++
		}
	}
	for _, tt := range []struct {
		name     string
		old, new []string
		pairs    int // at least
	}{
		{"some differ", plain, edited, want},
		{"nothing but text", alike, other, n / 2},
		{"nothing", plain, other, 0},
	} {
		old, new := made(tt.old...), made(tt.new...)
		layers := &Layers{} // by their diffIDs
		steps := alignSteps(old, new, layers)
		checkSteps(t, old, new, steps)
		pairs := pairsOf(steps, false)
		if len(pairs) < tt.pairs {
			t.Errorf("%s: %d pairs, want %d", tt.name, len(pairs), tt.pairs)
		}
		if !slices.Equal(pairs, pairsOf(alignSteps(new, old, layers), true)) {
			t.Errorf("%s: with the images swapped the pairs are others", tt.name)
		}
	}
}

// BenchmarkAlignSteps has the largest table, of long texts that are all alike.
func BenchmarkAlignSteps(b *testing.B) {
	steps := func(seed uint64) *analyze.Image {
		r := rand.New(rand.NewPCG(seed, 1))
		out := make([]string, 1024)
		for i := range out {
			out[i] = "RUN"
			for range maxTerms {
				out[i] += fmt.Sprint(" word", r.IntN(2*maxTerms))
			}
		}
		return made(out...)
	}
	old, new := steps(1), steps(2)
	for b.Loop() {
		alignSteps(old, new, &Layers{})
	}
}

// TestAscending holds the longest row against the lengths that all others have.
func TestAscending(t *testing.T) {
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 1))
		var pairs []stepPair
		for i, j := range r.Perm(r.IntN(12)) {
			pairs = append(pairs, stepPair{i, j})
		}
		longest := make([]int, len(pairs)) // that end with a pair
		want := 0
		for k, p := range pairs {
			for i, q := range pairs[:k] {
				if q.new < p.new {
					longest[k] = max(longest[k], longest[i])
				}
			}
			longest[k]++
			want = max(want, longest[k])
		}
		got := ascending(pairs)
		if len(got) != want || !slices.IsSortedFunc(got, func(p, q stepPair) int { return cmp.Or(cmp.Compare(p.old, q.old), cmp.Compare(p.new, q.new)) }) ||
			!slices.IsSortedFunc(got, func(p, q stepPair) int { return cmp.Compare(p.new, q.new) }) {
			t.Fatalf("of %v: %v, want %d", pairs, got, want)
		}
		for _, p := range got {
			if !slices.Contains(pairs, p) {
				t.Fatalf("of %v: %v", pairs, got)
			}
		}
	}
}
