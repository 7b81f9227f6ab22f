package report

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/layerscope/layerscope/analyze/analyzetest"
	"github.com/layerscope/layerscope/analyze/synth"
	"github.com/layerscope/layerscope/view/text"
)

// TestAdvice says for each way to waste what would spare it: it depends on what
// instructions wrote and killed.
func TestAdvice(t *testing.T) {
	step := func(record string, entries ...synth.Entry) synth.Step {
		return synth.Step{CreatedBy: record, Comment: "buildkit.dockerfile.v0", Layer: entries}
	}
	file := func(name string, seed uint64, opts ...synth.Option) synth.Entry {
		return synth.Body(name, 100, seed, opts...)
	}
	const run, copied, added = "RUN /bin/sh -c x # buildkit", "COPY x / # buildkit", "ADD x / # buildkit"
	tests := []struct {
		name  string
		steps []synth.Step
		want  string
	}{
		{"RUN, rm", []synth.Step{step(run, file("a", 1)), step(run, synth.Whiteout("a"))},
			"step 1 removes 1 file of step 0: do both in one RUN"},
		{"COPY, rm", []synth.Step{step(copied, file("a", 1)), step(run, synth.Whiteout("a"))},
			"step 1 removes 1 file of step 0: leave them out there, or mount them instead (RUN --mount=type=bind)"},
		{"ADD, rm", []synth.Step{step(added, file("a", 1)), step(run, synth.Whiteout("a"))},
			"step 1 removes 1 file of step 0: leave them out there"},
		{"COPY, chown", []synth.Step{step(copied, file("a", 1)), step(run, file("a", 1, synth.Owner(1, 1)))},
			"step 1 stores 1 file of step 0 again, unchanged: set owner and mode there (COPY --chown, --chmod)"},
		{"RUN, chown", []synth.Step{step(run, file("a", 1)), step(run, file("a", 1, synth.Owner(1, 1)))},
			"step 1 stores 1 file of step 0 again, unchanged: do both in one RUN"},
		{"COPY, COPY", []synth.Step{step(copied, file("a", 1)), step(copied, file("a", 1))},
			"step 1 stores 1 file of step 0 again, unchanged: copy them once"},
		{"COPY, RUN that writes", []synth.Step{step(copied, file("a", 1)), step(run, file("a", 2))},
			"step 1 overwrites 1 file of step 0: leave them out there, or do both in one step"},
		{"RUN, link", []synth.Step{step(run, file("a", 1)), step(run, synth.Symlink("a", "b"))},
			"step 1 puts something else in place of 1 file of step 0: leave them out there"},
		{"twice in a layer", []synth.Step{step(run, file("a", 1), file("a", 2))},
			"step 0 has 1 file twice in its layer"},
	}
	for _, tt := range tests {
		s := About(analyzetest.Image(t, synth.Image{Steps: tt.steps}))
		var got []string
		for _, c := range s.causes() {
			got = append(got, s.advice(c))
		}
		if diff := cmp.Diff([]string{tt.want}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// TestReasonsInFull gives in any width what is dead in all and in own layers:
// numbers aren't cut.
func TestReasonsInFull(t *testing.T) {
	m := sample(t)
	m.Base.How = "given"
	dead := text.Size(m.Totals.Dead)
	for width := 60; width <= 120; width += 5 {
		var b bytes.Buffer
		if err := Waste(&b, About(m), WasteOptions{TextOptions: TextOptions{Width: width}}); err != nil {
			t.Fatal(err)
		}
		_, section, _ := strings.Cut(b.String(), "\nDead bytes\n")
		section, _, _ = strings.Cut(section, "\n\n")
		last := section[strings.LastIndexByte(section, '\n')+1:]
		if got := strings.Join(strings.Fields(last), " "); !strings.HasPrefix(got, dead+" "+dead) || !strings.HasSuffix(got, " all") {
			t.Errorf("at width %d the section is\n%s", width, section)
		}
	}
}
