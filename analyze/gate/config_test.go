package gate

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	glob := func(text, pattern string) Glob { return Glob{text, pattern} }
	tests := []struct {
		name, text string
		want       func(*Limits)
	}{
		{"nothing", "", func(*Limits) {}},
		{"a comment", "# limits\n---\n", func(*Limits) {}},
		{"null", "null", func(*Limits) {}},
		{"no rules", "rules:\nown: false", func(*Limits) {}},
		{"all of it", `
own: true
ignore: [/usr/share/doc, "*.pyc"]
rules:
  size: 300MB
  dead: {warn: 5 MB, fail: 10MiB}
  dead-percent: 5
  efficiency: {warn: 97.5%, fail: 0.95}
  layers: 20
  disposable: {warn: 1000}
  duplicates: 1kB
  leaks: 0
  forbid:
    warn: "*.map"
    fail: [.git, /root/.ssh/**]
`, func(l *Limits) {
			l.Own = true
			l.Ignore = Globs{glob("/usr/share/doc", "usr/share/doc"), glob("*.pyc", "**/*.pyc")}
			l.Rules[Size].Fail = &Number{Bytes, 300_000_000, 0}
			l.Rules[Dead] = Limit{&Number{Bytes, 5_000_000, 0}, &Number{Bytes, 10 << 20, 0}}
			l.Rules[DeadPercent].Fail = &Number{Percent, 0, 5}
			l.Rules[Efficiency] = Limit{&Number{Share, 0, 0.975}, &Number{Share, 0, 0.95}}
			l.Rules[Layers].Fail = &Number{Count, 20, 0}
			l.Rules[Disposable].Warn = &Number{Bytes, 1000, 0}
			l.Rules[Duplicates].Fail = &Number{Bytes, 1000, 0}
			l.Rules[Leaks].Fail = &Number{Count, 0, 0}
			l.ForbidWarn = Globs{glob("*.map", "**/*.map")}
			l.ForbidFail = Globs{glob(".git", "**/.git"), glob("/root/.ssh/**", "root/.ssh/**")}
		}},
		{"off", "rules: {size: off, dead: {fail: off, warn: 1}}", func(l *Limits) { l.Rules[Dead].Warn = &Number{Bytes, 1, 0} }},
		{"one glob", "rules:\n  forbid: .git", func(l *Limits) { l.ForbidFail = Globs{glob(".git", "**/.git")} }},
		{"an alias", "rules:\n  dead: &x 5MB\n  size: *x", func(l *Limits) {
			l.Rules[Dead].Fail, l.Rules[Size].Fail = &Number{Bytes, 5_000_000, 0}, &Number{Bytes, 5_000_000, 0}
		}},
		{"strings", `{"rules": {"size": "5", 'leaks': '0'}}`, func(l *Limits) {
			l.Rules[Size].Fail, l.Rules[Leaks].Fail = &Number{Bytes, 5, 0}, &Number{Count, 0, 0}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Parse([]byte(tt.text))
			if err != nil {
				t.Fatal(err)
			}
			want := new(Limits)
			tt.want(want)
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(Glob{})); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestParseErrors(t *testing.T) {
	tests := []struct {
		text string
		line int
		want string
	}{
		{"rules: [", 1, "this isn't YAML: "},
		{"rules:\n\tsize: 1", 2, "this isn't YAML: "},
		{"a: b: c", 0, "this isn't YAML: mapping values"},
		{"rules:\n  size: 1\n---\nrules:\n", 3, "a second document"},
		{"- 1", 1, "keys and values are wanted"},
		{"rules: 5", 1, "rules: keys and values are wanted"},
		{"own: true\nrule:\n", 2, `unknown key "rule"; the nearest there is: "rules"`},
		{"ignored: x", 1, `unknown key "ignored"; the nearest there is: "ignore"`},
		{"size: 5MB", 1, `unknown key "size": it belongs in rules`},
		{"rules:\n  layers: 5\n  sise: 5MB", 3, `unknown key "sise" in rules; the nearest there is: "size"`},
		{"rules:\n  deadPercent: 5", 2, `unknown key "deadPercent" in rules; the nearest there is: "dead-percent"`},
		{"rules:\n  dead_percent: 5", 2, `; the nearest there is: "dead-percent"`},
		{"rules:\n  size: {warning: 5}", 2, `unknown key "warning" in size; the nearest there is: "warn"`},
		{"rules:\n  lowestEfficiency: 0.9", 2, `unknown key "lowestEfficiency" in rules: it is dive's, for a .dive-ci`},
		{"rules:\n  ? [a]\n  : 1", 2, "a key in rules is no word"},
		{"rules:\n  <<: {size: 5}", 2, `unknown key "<<" in rules`},
		{"rules:\n  size: 1\n  size: 2", 3, `"size" is there twice`},
		{"rules:\n  size:\n    fail: big", 3, `size: fail: "big" isn't a size such as 500MB or 20GB`},
		{"rules:\n  size: -5MB", 2, `size: "-5MB" isn't a size`},
		{"rules:\n  size: 99999PB", 2, `size: "99999PB" isn't a size`},
		{"rules:\n  size: 0.5", 2, `size: "0.5" isn't a size`},
		{"rules:\n  size:", 2, "size: a limit is wanted, or off"},
		{"rules:\n  size: [1]", 2, "size: a limit is wanted, or off"},
		{"rules:\n  size: {warn: {fail: 1}}", 2, "size: warn: a limit is wanted, or off"},
		{"rules:\n  layers: 2.5", 2, `layers: "2.5" isn't a number such as 0 or 20`},
		{"rules:\n  layers: -1", 2, `layers: "-1" isn't a number`},
		{"rules:\n  dead-percent: 101", 2, `dead-percent: "101" isn't a percentage`},
		{"rules:\n  dead-percent: .nan", 2, `dead-percent: ".nan" isn't a percentage`},
		{"rules:\n  efficiency: 95", 2, `efficiency: "95" isn't a share such as 0.95 or 95%`},
		{"rules:\n  efficiency: 1e-1", 2, `efficiency: "1e-1" isn't a share`},
		{"rules:\n  forbid: ['[']", 2, `forbid: "[" isn't a glob`},
		{"rules:\n  forbid:\n    fail:\n      - ok\n      - ''", 5, "forbid: fail: an empty glob matches nothing"},
		{"rules:\n  forbid: {warn: 5, fail: }", 2, "forbid: fail: a glob or a list of globs is wanted"},
		{"ignore: [[a]]", 1, "ignore: a glob is wanted"},
		{"ignore:", 1, "ignore: a glob or a list of globs is wanted"},
		{"own: yes please", 1, "own: true or false is wanted"},
		{"own:", 1, "own: true or false is wanted"},
	}
	for _, tt := range tests {
		_, err := Parse([]byte(tt.text))
		ce, ok := errors.AsType[*ConfigError](err)
		if !ok {
			t.Errorf("%q: error %v", tt.text, err)
			continue
		}
		if ce.Line != tt.line || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: line %d, %v; want line %d, %s", tt.text, ce.Line, err, tt.line, tt.want)
		}
		if ce.Advice() == "" {
			t.Errorf("%q: no hint", tt.text)
		}
	}
}

// TestParseDive reads what dive's own documentation and tests have, and odd
// values as dive takes them.
func TestParseDive(t *testing.T) {
	const none = -1
	tests := []struct {
		text                         string
		efficiency, wasted, userFrac float64
	}{
		{"", 0.9, none, 0.1},
		{"rules:", 0.9, none, 0.1},
		{"rules:\n  lowestEfficiency: 0.95\n  highestWastedBytes: 20MB\n  highestUserWastedPercent: 0.20\n", 0.95, 20e6, 0.2},
		{"rules:\n  lowestEfficiency: '0.95'\n  highestWastedBytes: 1000\n  highestUserWastedPercent: 1", 0.95, 1000, 1},
		{"rules:\n  lowestEfficiency: disabled\n  highestUserWastedPercent: 'OFF '", none, none, none},
		{"rules:\n  lowestEfficiency: false\n  highestUserWastedPercent: ''", none, none, none},
		{"rules:\n  lowestEfficiency: null\n  unheard: 5\nother: {}", 0.9, none, 0.1},
		{"rules: &r\n  lowestEfficiency: 0.5\n", 0.5, none, 0.1},
		{"rules:\n  highestWastedBytes: 15EB", 0.9, math.MaxInt64, 0.1},
	}
	for _, tt := range tests {
		l, err := ParseDive([]byte(tt.text))
		if err != nil {
			t.Errorf("%q: %v", tt.text, err)
			continue
		}
		for rule, want := range map[Rule]float64{DiveEfficiency: tt.efficiency, DiveWasted: tt.wasted, DiveUserWasted: tt.userFrac} {
			got := float64(none)
			if n := l.Rules[rule].Fail; n != nil {
				got = n.Part + float64(n.Whole)
			}
			if got != want {
				t.Errorf("%q: %v is %v, want %v", tt.text, rule, got, want)
			}
		}
		if !l.Dive {
			t.Errorf("%q: dive's rules don't count", tt.text)
		}
	}
	for text, want := range map[string]string{
		"rules: [1]":                              "line 1: rules: keys and values are wanted",
		"a: b: c":                                 "this isn't YAML",
		"rules:\n  lowestEfficiency: 1.1":         `line 2: lowestEfficiency: "1.1" isn't a share from 0 to 1, or disabled`,
		"rules:\n  lowestEfficiency: -0.1":        `line 2: lowestEfficiency: "-0.1" isn't a share`,
		"rules:\n  lowestEfficiency: high":        `line 2: lowestEfficiency: "high" isn't a share`,
		"rules:\n\n  highestWastedBytes: much":    `line 3: highestWastedBytes: "much" isn't a size such as 20MB, or disabled`,
		"rules:\n  highestUserWastedPercent: 10%": `line 2: highestUserWastedPercent: "10%" isn't a share`,
		"rules:\n  lowestEfficiency: [1]":         "line 2: lowestEfficiency: a number is wanted, or disabled",
	} {
		if _, err := ParseDive([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %s", text, err, want)
		}
	}
}

// TestFind looks for files in the order that they are said to be.
func TestFind(t *testing.T) {
	dir := t.TempDir()
	find := func(want string) {
		t.Helper()
		if want != "" {
			want = filepath.Join(dir, want)
		}
		got, err := Find(dir)
		if err != nil || got != want {
			t.Errorf("found %q, %v; want %q", got, err, want)
		}
	}
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	find("")
	write(DiveName, "rules: {lowestEfficiency: 0.5}")
	find(DiveName)
	write(ConfigName, "rules: {layers: 5}")
	find(ConfigName)

	write("other.yaml", "rules: {layers: 5}")
	write("dive-ci.yaml", "rules: {lowestEfficiency: 0.5}")
	write("large.yaml", strings.Repeat("#", maxConfig+1))
	for name, dive := range map[string]bool{DiveName: true, "dive-ci.yaml": true, ConfigName: false, "other.yaml": false} {
		l, err := Read(filepath.Join(dir, name))
		if err != nil || l.Dive != dive || !l.Any() {
			t.Errorf("%s: %+v, %v", name, l, err)
		}
	}
	for _, name := range []string{"gone.yaml", "large.yaml", "."} {
		if _, err := Read(filepath.Join(dir, name)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	write(ConfigName, "\nsise: 5")
	_, err := Read(filepath.Join(dir, ConfigName))
	if want := filepath.Join(dir, ConfigName) + ", line 2: "; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("error %v, want %s", err, want)
	}
}

// FuzzParse: whatever a file holds, its limits are in range or there is an
// error that says what is wrong.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"own: true\nignore: [a]\nrules: {size: 5MB, dead: {warn: 1, fail: off}, forbid: [x]}",
		"rules: {lowestEfficiency: 0.9, highestWastedBytes: 5MB, highestUserWastedPercent: nan}",
		"rules: &a {size: *a}", "a: &a [*a]\nrules: *a", "? {}\n: 1", "---\n---\n", "rules: !!binary x", "\xff", "rules: {? : }",
		"rules: {efficiency: 1%, dead-percent: 99.9, layers: 007}",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, parse := range []func([]byte) (*Limits, error){Parse, ParseDive} {
			l, err := parse(data)
			if err != nil {
				ce, ok := errors.AsType[*ConfigError](err)
				if !ok || ce.Err == nil || ce.Err.Error() == "" {
					t.Errorf("error %#v", err)
				}
				continue
			}
			for r, limit := range l.Rules {
				for _, n := range []*Number{limit.Warn, limit.Fail} {
					if n == nil {
						continue
					}
					if n.Unit != Rule(r).Unit() || n.Whole < 0 || n.Part < 0 || n.Part > 100 || n.Unit == Share && n.Part > 1 {
						t.Errorf("%v is limited to %+v", Rule(r), *n)
					}
				}
			}
		}
	})
}
