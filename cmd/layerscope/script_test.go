package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

var update = flag.Bool("update", false, "rewrite the scripts' expected output")

func TestMain(m *testing.M) {
	version = "v0.0.0-test" // not that of whatever checkout this is
	testscript.Main(m, map[string]func(){
		"layerscope":        main,
		"docker-layerscope": main,
	})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:           "testdata/script",
		UpdateScripts: *update,
		Setup: func(env *testscript.Env) error {
			// No script asks a real daemon, or is taken for a run in CI.
			env.Setenv("DOCKER_HOST", "unix://"+env.WorkDir+"/no.sock")
			env.Setenv("CI", "")
			env.Setenv("TERM", "xterm")
			// With the race detector each call would wait a second at its end.
			env.Setenv("GORACE", "atexit_sleep_ms=0")
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"mkimage":  mkimage,
			"registry": startRegistry,
			"plain":    plain,
			"schema":   schema,
			"sums":     sums,
			"diffsums": diffsums,
			"mirror":   mirror,
		},
	})
}

// plain checks files for anything that could do more to a terminal than print.
func plain(ts *testscript.TestScript, neg bool, files []string) {
	for _, file := range files {
		s := ts.ReadFile(file)
		if !utf8.ValidString(s) {
			ts.Fatalf("%s isn't UTF-8", file)
		}
		for _, r := range s {
			if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) {
				ts.Fatalf("%s holds %U", file, r)
			}
		}
	}
}

// schema checks a file against a JSON Schema of docs, which may refer to others
// there, or against that of SARIF.
func schema(ts *testscript.TestScript, neg bool, args []string) {
	docs := filepath.Join("..", "..", "docs")
	names, err := filepath.Glob(filepath.Join(docs, "*.schema.json"))
	ts.Check(err)
	names = append(names, filepath.Join("..", "..", "view", "report", "testdata", "sarif-schema-2.1.0.json"))
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	for _, name := range names {
		raw, err := os.ReadFile(name)
		ts.Check(err)
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
		ts.Check(err)
		ts.Check(c.AddResource(filepath.Base(name), doc))
	}
	compiled, err := c.Compile(args[0])
	ts.Check(err)
	got, err := jsonschema.UnmarshalJSON(strings.NewReader(ts.ReadFile(args[1])))
	ts.Check(err)
	ts.Check(compiled.Validate(got))
}

// sums checks that a report's bytes add up: stored = live + dead for each layer
// and step and in total, and the layers' and the steps' make the totals.
func sums(ts *testscript.TestScript, neg bool, args []string) {
	type bytes struct{ Stored, Live, Dead int64 }
	var r struct {
		Totals        bytes
		Layers, Steps []bytes
	}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &r))
	for _, part := range [][]bytes{r.Layers, r.Steps} {
		var sum bytes
		for _, b := range append(part, r.Totals) {
			if b.Stored != b.Live+b.Dead {
				ts.Fatalf("stored isn't live and dead: %+v", b)
			}
		}
		for _, b := range part {
			sum.Stored += b.Stored
			sum.Live += b.Live
			sum.Dead += b.Dead
		}
		if sum != r.Totals {
			ts.Fatalf("the parts add up to %+v, the totals are %+v", sum, r.Totals)
		}
	}
	wasteSums(ts, args[0], r.Totals.Dead)
	if len(args) > 1 {
		want := fmt.Sprint(args[1:])
		if got := fmt.Sprintf("[%d %d %d]", r.Totals.Stored, r.Totals.Live, r.Totals.Dead); got != want {
			ts.Fatalf("stored, live, dead are %s, want %s", got, want)
		}
	}
}

// wasteSums checks that all ways to add up what a report says of waste agree.
func wasteSums(ts *testscript.TestScript, file string, dead int64) {
	type part struct{ Bytes, Written, Killed, Base, Own int64 }
	type tally struct {
		part
		ByReason         map[string]int64
		OwnByReason      map[string]int64
		BySteps, Classes []part
		Groups           []struct {
			part
			Size  int64
			Paths []any
		}
	}
	var r struct {
		Waste struct {
			Dead, Duplicates, Disposable tally
			Files                        []part
		}
	}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(file)), &r))
	equal := func(what string, got, want int64) {
		if got != want {
			ts.Fatalf("%s: %d, want %d", what, got, want)
		}
	}
	var byReason, ownByReason, bySteps, killed, files, groups, classes int64
	d := r.Waste.Dead
	for _, n := range d.ByReason {
		byReason += n
	}
	for _, n := range d.OwnByReason {
		ownByReason += n
	}
	for _, p := range d.BySteps {
		bySteps += p.Written
		killed += p.Killed
	}
	for _, p := range r.Waste.Files {
		files += p.Bytes
	}
	equal("dead bytes", d.Bytes, dead)
	equal("dead bytes by reason", byReason, dead)
	equal("own dead bytes by reason", ownByReason, d.Own)
	equal("dead bytes by the steps that wrote them", bySteps, dead)
	equal("dead bytes by the steps that killed them", killed, dead)
	equal("dead files", files, dead)
	for _, g := range r.Waste.Duplicates.Groups {
		equal("a group", g.Bytes, g.Size*int64(len(g.Paths)-1))
		groups += g.Bytes
	}
	equal("duplicates", groups, r.Waste.Duplicates.Bytes)
	for _, c := range r.Waste.Disposable.Classes {
		classes += c.Bytes
		equal("base and own of a class", c.Base+c.Own, c.Bytes)
	}
	equal("disposable", classes, r.Waste.Disposable.Bytes)
	for _, t := range []tally{d, r.Waste.Duplicates, r.Waste.Disposable} {
		equal("base and own", t.Base+t.Own, t.Bytes)
	}
}
