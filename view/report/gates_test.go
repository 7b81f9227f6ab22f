package report

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/analyzetest"
	"github.com/layerscope/layerscope/analyze/gate"
	"github.com/layerscope/layerscope/analyze/synth"
	"github.com/layerscope/layerscope/view/text"
)

// gated holds an image to limits.
func gated(m *analyze.Image, file string, l *gate.Limits) Subject {
	s := About(m)
	s.Gates = &Gates{File: file, Limits: l, Results: gate.Evaluate(m, s.Findings, l)}
	return s
}

// globs parses globs.
func globs(t *testing.T, globs ...string) gate.Globs {
	var out gate.Globs
	for _, s := range globs {
		g, err := gate.ParseGlob(s)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, g)
	}
	return out
}

// TestGateNumbers shows numbers as they are wanted, and in full where rounding
// would hide what is wrong.
func TestGateNumbers(t *testing.T) {
	number := func(u gate.Unit, whole int64, part float64) gate.Number {
		return gate.Number{Unit: u, Whole: whole, Part: part}
	}
	tests := []struct {
		rule        gate.Rule
		value, fail gate.Number
		level       gate.Level
		want        string
	}{
		{gate.Size, number(gate.Bytes, 1_234_567, 0), number(gate.Bytes, 1_230_000, 0), gate.Pass, "1.2 MB < 1.2 MB"},
		{gate.Size, number(gate.Bytes, 1_234_567, 0), number(gate.Bytes, 1_230_000, 0), gate.Fail, "1234567 < 1230000"},
		{gate.Size, number(gate.Bytes, 1_334_567, 0), number(gate.Bytes, 1_230_000, 0), gate.Fail, "1.3 MB < 1.2 MB"},
		{gate.Layers, number(gate.Count, 1234, 0), number(gate.Count, 5, 0), gate.Fail, "1,234 < 5"},
		{gate.DeadPercent, number(gate.Percent, 0, 5.004), number(gate.Percent, 0, 5), gate.Fail, "5.004% < 5%"},
		{gate.DeadPercent, number(gate.Percent, 0, 5.256), number(gate.Percent, 0, 5), gate.Fail, "5.26% < 5%"},
		{gate.Efficiency, number(gate.Share, 0, 0.9), number(gate.Share, 0, 0.95), gate.Fail, "90% < 95%"},
		{gate.DiveUserWasted, number(gate.Share, 0, math.NaN()), number(gate.Share, 0, 0.1), gate.Pass, "NaN < 10%"},
		{gate.DiveUserWasted, number(gate.Share, 0, math.Inf(1)), number(gate.Share, 0, 0.1), gate.Fail, "+Inf < 10%"},
	}
	for _, tt := range tests {
		r := gate.Result{Rule: tt.rule, Level: tt.level, Value: tt.value, Limit: gate.Limit{Fail: &tt.fail}}
		value, warn, fail := (style{}).gateNumbers(r)
		if got := value + " < " + fail; got != tt.want || warn != "" {
			t.Errorf("%v of %+v: %q, warn %q; want %q", tt.rule, tt.value, got, warn, tt.want)
		}
	}
}

// TestGatesText holds the gates of an image with odd names to the width, and
// to what may be printed.
func TestGatesText(t *testing.T) {
	long := strings.Repeat("wide字[red]\x1b[31m\u202e ", 20)
	m := analyzetest.Image(t, synth.Image{Steps: []synth.Step{
		{CreatedBy: "ENV A_TOKEN=hunter2", Comment: "buildkit.dockerfile.v0"},
		{CreatedBy: "COPY . / # buildkit", Layer: synth.Layer{synth.File(long+"/.git", "x"), synth.File(long+"/id_rsa", "key")}},
		{CreatedBy: "RUN rm # buildkit", Layer: synth.Layer{synth.Whiteout(long + "/id_rsa")}},
	}})
	l := &gate.Limits{}
	l.ForbidFail = globs(t, ".git", strings.NewReplacer("[", "?", "]", "?").Replace("*"+long))
	l.Set(gate.Leaks, gate.Fail, &gate.Number{Unit: gate.Count})
	s := gated(m, long, l)
	for width := 60; width <= 100; width++ {
		for _, ascii := range []bool{false, true} {
			var b bytes.Buffer
			opts := TextOptions{Width: width, ASCII: ascii}
			if err := Text(&b, s, opts); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(b.String(), "Gates: 2 failed") {
				t.Fatalf("no gates in %s", b.String())
			}
			checkLines(t, b.String(), opts)
		}
	}
}

// TestGatesMany names only some of many paths, and tells how many there are.
// JSON has all.
func TestGatesMany(t *testing.T) {
	m := sample(t)
	glob, err := gate.ParseGlob("f*")
	if err != nil {
		t.Fatal(err)
	}
	l := &gate.Limits{ForbidFail: gate.Globs{glob}}
	s := gated(m, "", l)
	n := len(s.Gates.Results[gate.Forbid].Found)
	if n < 100 {
		t.Fatalf("%d paths", n)
	}
	var b bytes.Buffer
	if err := Text(&b, s, TextOptions{}); err != nil {
		t.Fatal(err)
	}
	_, found, _ := strings.Cut(b.String(), "Forbidden paths (the first 20 of "+text.Count(n)+")\n")
	if lines := strings.Count(found, "\n"); lines != 1+numFound {
		t.Errorf("%d lines of paths", lines)
	}
	b.Reset()
	if err := JSON(&b, s, Tool{}); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Gates struct{ Rules []struct{ Found []any } }
	}
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Gates.Rules[gate.Forbid].Found) != n {
		t.Errorf("JSON has %d paths, want %d", len(got.Gates.Rules[gate.Forbid].Found), n)
	}
}

// TestGatesNaN: what JSON can't say is null.
func TestGatesNaN(t *testing.T) {
	for _, part := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		r := gate.Result{Rule: gate.DiveUserWasted, Value: gate.Number{Unit: gate.Share, Part: part}}
		b, err := encode(newGatesJSON(&Gates{Limits: &gate.Limits{}, Results: []gate.Result{r}}), "")
		if err != nil || !strings.Contains(string(b), `"value":null`) {
			t.Errorf("%v: %s, %v", part, b, err)
		}
	}
}
