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
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"mkimage":  mkimage,
			"registry": startRegistry,
			"plain":    plain,
			"schema":   schema,
			"sums":     sums,
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

// schema checks a file against a JSON Schema of docs.
func schema(ts *testscript.TestScript, neg bool, args []string) {
	raw, err := os.ReadFile(filepath.Join("..", "..", "docs", args[0]))
	ts.Check(err)
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	ts.Check(err)
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	ts.Check(c.AddResource(args[0], doc))
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
	if len(args) > 1 {
		want := fmt.Sprint(args[1:])
		if got := fmt.Sprintf("[%d %d %d]", r.Totals.Stored, r.Totals.Live, r.Totals.Dead); got != want {
			ts.Fatalf("stored, live, dead are %s, want %s", got, want)
		}
	}
}
