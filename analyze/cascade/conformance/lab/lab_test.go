//go:build linux

package lab

import (
	"os"
	"testing"

	"github.com/layerscope/layerscope/analyze/cascade/conformance/cases"
	"github.com/layerscope/layerscope/analyze/cascade/conformance/record"
)

func TestMain(m *testing.M) { os.Exit(Main(m)) }

// openBuildKit starts a lab with a BuildKit.
func openBuildKit(t *testing.T) *BuildKit {
	t.Helper()
	if os.Getenv("LAYERSCOPE_CONFORMANCE") == "" {
		t.Skip("run make conformance")
	}
	l := Open(t)
	b, err := l.BuildKit("buildkit")
	if err != nil {
		Lacks(t, err)
	}
	return b
}

// Every case can be built, and one that is built again is cached, all of it.
func TestCasesBuild(t *testing.T) {
	b := openBuildKit(t)
	all, err := cases.All()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		if !c.For("buildkit") {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			if err := b.Empty(t.Context()); err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			if err := c.Write(dir); err != nil {
				t.Fatal(err)
			}
			for _, want := range []record.Outcome{record.Ran, record.Cached} {
				seen, err := b.Build(t.Context(), Build{Case: c, Dir: dir})
				if err != nil {
					t.Fatalf("%v\n%v", err, seen)
				}
				if len(seen) == 0 {
					t.Error("no steps were seen")
				}
				for v, got := range seen {
					if got != want {
						t.Errorf("%v: %c, want %c", v, got, want)
					}
				}
			}
		})
	}
}
