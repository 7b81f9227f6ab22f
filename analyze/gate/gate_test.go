package gate_test

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/analyzetest"
	"github.com/layerscope/layerscope/analyze/dive"
	"github.com/layerscope/layerscope/analyze/gate"
	"github.com/layerscope/layerscope/analyze/synth"
	"github.com/layerscope/layerscope/analyze/tree"
	"github.com/layerscope/layerscope/analyze/waste"
	"github.com/layerscope/layerscope/analyze/waste/disposable"
)

// example is an image of which every number is known by adding up:
//
//	        stored  dead
//	layer 0   1400   300  the base
//	layer 1   1487   460  the key's 60, and 400 of main
//	layer 2    500     0
//	          3387   760
var example = synth.Image{Steps: []synth.Step{
	{CreatedBy: "# debian.sh --arch 'amd64' out/ 'bookworm' '@1702857600'", Comment: "debuerreotype 0.15", Layer: synth.Layer{
		synth.Body("etc/os", 100, 1),
		synth.Dir("opt/empty"),
		synth.Body("usr/lib/a", 1000, 2),
		synth.Body("var/cache/p", 300, 3),
	}},
	{CreatedBy: `CMD ["sh"]`, Comment: "debuerreotype 0.15"},
	{CreatedBy: "ENV DB_PASSWORD=hunter2", Comment: "buildkit.dockerfile.v0"},
	{CreatedBy: "COPY . /app # buildkit", Comment: "buildkit.dockerfile.v0", Layer: synth.Layer{
		synth.Body("app/.git/HEAD", 20, 4),
		synth.Body("app/main", 400, 5),
		synth.Body("app/copy", 1000, 2), // as usr/lib/a
		synth.Body("app/id_rsa", 60, 6),
		synth.Body("app/js/x.map", 7, 7),
		synth.Dir("etc"),
	}},
	{CreatedBy: "RUN /bin/sh -c tidy # buildkit", Comment: "buildkit.dockerfile.v0", Layer: synth.Layer{
		synth.Body("app/main", 500, 8),
		synth.Whiteout("app/id_rsa"),
		synth.Whiteout("var/cache/p"),
	}},
}}

// read analyzes the example. What classes of files are disposable isn't this
// test's affair: two files are, of 100 bytes in the base and of 7.
func read(t *testing.T) (*analyze.Image, *analyze.Findings) {
	t.Helper()
	m := analyzetest.Image(t, example)
	if !m.IsBase(0) || m.IsBase(1) || m.IsBase(2) {
		t.Fatal("the base isn't layer 0")
	}
	f := m.Findings()
	f.Disposable = &disposable.Report{Classes: []disposable.Class{{Files: []disposable.File{{Copy: liveCopy(t, m, "etc/os")}, {Copy: liveCopy(t, m, "app/js/x.map")}}}}}
	f.Dive = dive.Numbers{EfficiencyScore: 0.75, WastedBytes: 1000, UserWastedPercent: 0.25}
	return m, f
}

func liveCopy(t *testing.T, m *analyze.Image, path string) waste.Copy {
	t.Helper()
	n, ok := m.Tree.Lookup(path)
	if !ok {
		t.Fatalf("no %s", path)
	}
	st, _ := m.Tree.StateAt(n, len(m.Layers)-1)
	e, _ := m.Tree.Entry(tree.Ref(st.Inode))
	return waste.Copy{Ref: st.Inode, Path: n, Bytes: e.Size}
}

func globs(t *testing.T, texts ...string) gate.Globs {
	t.Helper()
	var gs gate.Globs
	for _, text := range texts {
		g, err := gate.ParseGlob(text)
		if err != nil {
			t.Fatal(err)
		}
		gs = append(gs, g)
	}
	return gs
}

// values are the numbers of the rules that aren't dive's or globs'.
type values struct {
	Size, Dead                      int64
	DeadPercent, Efficiency         float64
	Layers, Disposable, Dups, Leaks int64
}

func TestValues(t *testing.T) {
	m, f := read(t)
	tests := []struct {
		name   string
		limits gate.Limits
		want   values
	}{
		{"all", gate.Limits{}, values{3387, 760, 76000.0 / 3387, 2627.0 / 3387, 3, 107, 1000, 2}},
		{"own", gate.Limits{Own: true}, values{1987, 460, 46000.0 / 1987, 1527.0 / 1987, 2, 7, 1000, 2}},
		{"ignore a name", gate.Limits{Ignore: globs(t, "id_rsa")}, values{3387, 700, 70000.0 / 3387, 2687.0 / 3387, 3, 107, 1000, 1}},
		{"ignore a directory", gate.Limits{Ignore: globs(t, "/app")}, values{3387, 300, 30000.0 / 3387, 3087.0 / 3387, 3, 100, 0, 1}},
		{"ignore the first of the duplicates", gate.Limits{Ignore: globs(t, "/usr/**")}, values{3387, 760, 76000.0 / 3387, 2627.0 / 3387, 3, 107, 0, 2}},
		{"own and ignore", gate.Limits{Own: true, Ignore: globs(t, "main", "*.map")}, values{1987, 60, 6000.0 / 1987, 1927.0 / 1987, 2, 0, 1000, 2}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := gate.Evaluate(m, f, &tt.limits)
			if len(r) != len(gate.Rules()) {
				t.Fatalf("%d results", len(r))
			}
			got := values{
				r[gate.Size].Value.Whole, r[gate.Dead].Value.Whole, r[gate.DeadPercent].Value.Part, r[gate.Efficiency].Value.Part,
				r[gate.Layers].Value.Whole, r[gate.Disposable].Value.Whole, r[gate.Duplicates].Value.Whole, r[gate.Leaks].Value.Whole,
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if gate.Worst(r) != gate.Off {
				t.Errorf("without limits the worst is %v", gate.Worst(r))
			}
		})
	}
}

// TestEmpty: an image without a byte is efficient.
func TestEmpty(t *testing.T) {
	m := &analyze.Image{Complete: true}
	f := &analyze.Findings{Dead: &waste.Dead{}, Duplicates: &waste.Duplicates{}, Disposable: &disposable.Report{}}
	l := gate.Limits{}
	for r, text := range map[gate.Rule]string{gate.Efficiency: "1", gate.DeadPercent: "0", gate.Size: "0", gate.Layers: "0"} {
		n, err := gate.ParseLimit(r, text)
		if err != nil {
			t.Fatal(err)
		}
		l.Set(r, gate.Fail, n)
	}
	for _, r := range gate.Evaluate(m, f, &l) {
		if r.Level > gate.Pass {
			t.Errorf("%v: %v", r.Rule, r.Level)
		}
	}
}

// TestLevels holds each rule to its value, which passes, and to the next
// number beyond.
func TestLevels(t *testing.T) {
	m, f := read(t)
	for _, tt := range []struct {
		rule         gate.Rule
		equal, short string
	}{
		{gate.Size, "3387", "3386"},
		{gate.Dead, "760 B", "759B"},
		{gate.DeadPercent, "22.44", "22.43%"},
		{gate.Efficiency, "77.56%", "0.7757"},
		{gate.Layers, "3", "2"},
		{gate.Disposable, "107", "106"},
		{gate.Duplicates, "1kB", "999"},
		{gate.Leaks, "2", "1"},
		{gate.DiveEfficiency, "0.75", "0.7501"},
		{gate.DiveWasted, "1000", "999"},
		{gate.DiveUserWasted, "0.25", "0.2499"},
	} {
		limit := func(text string) *gate.Number {
			n, err := gate.ParseLimit(tt.rule, text)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		equal, short := limit(tt.equal), limit(tt.short)
		for _, c := range []struct {
			limit gate.Limit
			want  gate.Level
		}{
			{gate.Limit{}, gate.Off},
			{gate.Limit{Fail: equal}, gate.Pass},
			{gate.Limit{Warn: equal}, gate.Pass},
			{gate.Limit{Fail: short}, gate.Fail},
			{gate.Limit{Warn: short}, gate.Warn},
			{gate.Limit{Warn: short, Fail: equal}, gate.Warn},
			{gate.Limit{Warn: short, Fail: short}, gate.Fail},
			{gate.Limit{Warn: equal, Fail: short}, gate.Fail},
		} {
			l := gate.Limits{Dive: true}
			l.Rules[tt.rule] = c.limit
			results := gate.Evaluate(m, f, &l)
			if got := results[tt.rule]; got.Level != c.want || got.Rule != tt.rule || got.Limit != c.limit {
				t.Errorf("%v with warn %v and fail %v: %v, want %v", tt.rule, c.limit.Warn, c.limit.Fail, got.Level, c.want)
			}
			if worst := gate.Worst(results); worst != c.want {
				t.Errorf("%v: the worst is %v, want %v", tt.rule, worst, c.want)
			}
			if l.Any() != (c.want != gate.Off) {
				t.Errorf("%v: any limits: %v", tt.rule, l.Any())
			}
		}
	}
}

// TestExact: what is written as a limit and what is divided to be the same are
// the same, to the last bit.
func TestExact(t *testing.T) {
	for n := int64(0); n <= 1000; n++ {
		whole, tenth := n/10, n%10
		text := string(rune('0'+whole/100)) + string(rune('0'+whole/10%10)) + string(rune('0'+whole%10)) + "." + string(rune('0'+tenth))
		p, err := gate.ParseLimit(gate.DeadPercent, text)
		if err != nil {
			t.Fatal(err)
		}
		s, err := gate.ParseLimit(gate.Efficiency, text+"%")
		if err != nil {
			t.Fatal(err)
		}
		if got, want := p.Part, float64(100*n)/1000; got != want {
			t.Errorf("%s%%: %v, want %v", text, got, want)
		}
		if got, want := s.Part, float64(n)/1000; got != want {
			t.Errorf("%s%%: %v, want %v", text, got, want)
		}
	}
}

// TestDiveNumbers: what isn't a number passes, as with dive, and infinity
// doesn't.
func TestDiveNumbers(t *testing.T) {
	m, f := read(t)
	l, err := gate.ParseDive(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		numbers dive.Numbers
		want    []gate.Level
	}{
		{dive.Numbers{EfficiencyScore: 0.9, UserWastedPercent: 0.1}, []gate.Level{gate.Pass, gate.Off, gate.Pass}},
		{dive.Numbers{EfficiencyScore: 0.89999, WastedBytes: math.MaxInt64, UserWastedPercent: 0.10001}, []gate.Level{gate.Fail, gate.Off, gate.Fail}},
		{dive.Numbers{EfficiencyScore: 1, UserWastedPercent: math.NaN()}, []gate.Level{gate.Pass, gate.Off, gate.Pass}},
		{dive.Numbers{EfficiencyScore: 1, UserWastedPercent: math.Inf(1)}, []gate.Level{gate.Pass, gate.Off, gate.Fail}},
		{dive.Numbers{EfficiencyScore: math.NaN()}, []gate.Level{gate.Pass, gate.Off, gate.Pass}},
	} {
		f.Dive = tt.numbers
		var got []gate.Level
		for _, r := range gate.Evaluate(m, f, l)[gate.DiveEfficiency:] {
			got = append(got, r.Level)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%+v: -want +got:\n%s", tt.numbers, diff)
		}
	}
}

func TestForbidden(t *testing.T) {
	m, f := read(t)
	type found struct {
		Level, Path string
		Step        int
		What        string
	}
	tests := []struct {
		name       string
		limits     gate.Limits
		fail, warn []string
		want       []found
		level      gate.Level
	}{
		{"no globs", gate.Limits{}, nil, nil, nil, gate.Off},
		{"nothing there", gate.Limits{}, []string{"*.pdf", "app/id_rsa"}, nil, nil, gate.Pass}, // the key is dead
		{"a directory once", gate.Limits{}, []string{".git"}, nil, []found{{"fail", "app/.git", 3, ".git"}}, gate.Fail},
		{"a name with a slash begins at the root", gate.Limits{}, []string{"js/x.map"}, nil, nil, gate.Pass},
		{"anywhere", gate.Limits{}, []string{"**/js/*.map"}, nil, []found{{"fail", "app/js/x.map", 3, "**/js/*.map"}}, gate.Fail},
		{"rooted", gate.Limits{}, []string{"/main", "/app/{main,copy}"}, nil,
			[]found{{"fail", "app/copy", 3, "/app/{main,copy}"}, {"fail", "app/main", 4, "/app/{main,copy}"}}, gate.Fail},
		{"warn", gate.Limits{}, nil, []string{"*.map"}, []found{{"warn", "app/js/x.map", 3, "*.map"}}, gate.Warn},
		{"a path in both fails only", gate.Limits{}, []string{"*.map"}, []string{"x.*", "os"},
			[]found{{"fail", "app/js/x.map", 3, "*.map"}, {"warn", "etc/os", 0, "os"}}, gate.Fail},
		{"below a directory to warn of", gate.Limits{}, []string{"*.map"}, []string{"/app"},
			[]found{{"fail", "app/js/x.map", 3, "*.map"}, {"warn", "app", 3, "/app"}}, gate.Fail},
		{"ignored", gate.Limits{Ignore: globs(t, "/app/js")}, []string{"*.map", ".git"}, nil, []found{{"fail", "app/.git", 3, ".git"}}, gate.Fail},
		{"an empty directory", gate.Limits{}, []string{"empty"}, nil, []found{{"fail", "opt/empty", 0, "empty"}}, gate.Fail},
		{"own", gate.Limits{Own: true}, []string{"empty", "os", "main", "/etc", "/usr", "/app"}, nil,
			[]found{{"fail", "app", 3, "/app"}}, gate.Fail},
		{"everything of one's own", gate.Limits{Own: true}, []string{"**"}, nil, []found{{"fail", "app", 3, "**"}}, gate.Fail},
		{"no entry of its own", gate.Limits{}, []string{"/opt"}, nil, []found{{"fail", "opt", -1, "/opt"}}, gate.Fail},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.limits.ForbidFail, tt.limits.ForbidWarn = globs(t, tt.fail...), globs(t, tt.warn...)
			r := gate.Evaluate(m, f, &tt.limits)[gate.Forbid]
			var got []found
			for _, x := range r.Found {
				got = append(got, found{x.Level.String(), x.Path, x.Step, x.What})
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if r.Level != tt.level || r.Value.Whole != int64(len(tt.want)) {
				t.Errorf("level %v, value %d", r.Level, r.Value.Whole)
			}
		})
	}
}

func TestLeaks(t *testing.T) {
	m, f := read(t)
	none := &gate.Number{Unit: gate.Count}
	l := gate.Limits{}
	l.Set(gate.Leaks, gate.Warn, none)
	want := []gate.Found{
		{Level: gate.Warn, Path: "app/id_rsa", Step: 3, What: "private key"},
		{Level: gate.Warn, Step: 2, What: "ENV DB_PASSWORD"},
	}
	if diff := cmp.Diff(want, gate.Evaluate(m, f, &l)[gate.Leaks].Found); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestGlobs(t *testing.T) {
	for _, tt := range []struct {
		glob, path string
		match      bool
	}{
		{"*.map", "a/b/c.map", true},
		{"*.map", "c.map", true},
		{"*.map", "c.map/x", false},
		{"/*.map", "a/c.map", false},
		{"./*.map", "a/c.map", false},
		{"./*.map", "c.map", true},
		{"a/*", "a/b", true},
		{"a/*", "a/b/c", false},
		{"a/**", "a/b/c", true},
		{".git/", "x/.git", true},
		{"/a/b/", "a/b", true},
		{"[ab].txt", "x/b.txt", true},
		{"{x,y}", "a/y", true},
		{`\*`, "a/*", true},
		{`\*`, "a/b", false},
		{"bad\xff", "bad\xff", true},
	} {
		if _, got := globs(t, tt.glob).Match(tt.path); got != tt.match {
			t.Errorf("%q matches %q: %v", tt.glob, tt.path, got)
		}
	}
	for _, bad := range []string{"", "/", "./", "[", "a/{b", "!a", `a\`} {
		if g, err := gate.ParseGlob(bad); err == nil {
			t.Errorf("%q is the glob %+v", bad, g)
		}
	}
}
