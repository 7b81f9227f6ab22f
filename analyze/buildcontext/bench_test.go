//go:build unix

package buildcontext

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// large is a context of 100,000 files of 100 bytes in 1,000 directories, and
// node_modules with half as many again.
var large = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "layerscope-bench")
	if err != nil {
		return "", err
	}
	body := make([]byte, 100)
	for i := range 1500 {
		top := "src"
		if i >= 1000 {
			top = "node_modules"
		}
		d := filepath.Join(dir, top, fmt.Sprint(i/50), fmt.Sprint(i))
		if err := os.MkdirAll(d, 0o755); err != nil {
			return "", err
		}
		for j := range 100 {
			copy(body, fmt.Sprint(i, j))
			if err := os.WriteFile(filepath.Join(d, fmt.Sprintf("file%d.js", j)), body, 0o644); err != nil {
				return "", err
			}
		}
	}
	return dir, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if benched {
		if dir, err := large(); err == nil {
			os.RemoveAll(dir)
		}
	}
	os.Exit(code)
}

var benched bool

func largeTree(b *testing.B, ignore string) (string, *Tree) {
	b.Helper()
	benched = true
	dir, err := large()
	if err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, ".dockerignore"), []byte(ignore), 0o644); err != nil {
		b.Fatal(err)
	}
	return dir, read(b, dir, Options{})
}

func BenchmarkRead(b *testing.B) {
	for name, ignore := range map[string]string{
		"plain":      "",
		"pruned":     "node_modules\n**/*.log\n.git",
		"exceptions": "node_modules\n**/*.log\n!**/keep.log",
	} {
		b.Run(name, func(b *testing.B) {
			dir, tree := largeTree(b, ignore)
			b.ReportMetric(float64(len(tree.Entries())), "entries")
			for b.Loop() {
				read(b, dir, Options{})
			}
		})
	}
}

// BenchmarkDigest hashes all files, none of which was read.
func BenchmarkDigest(b *testing.B) {
	dir, _ := largeTree(b, "node_modules")
	for b.Loop() {
		b.StopTimer()
		tree := read(b, dir, Options{})
		b.StartTimer()
		digest(b, tree)
	}
}

// BenchmarkDiffer asks what an edit of a file does to COPY . and to a pattern.
func BenchmarkDiffer(b *testing.B) {
	_, tree := largeTree(b, "node_modules")
	path := tree.Match("src/1/5*/file7.js")[0]
	for name, s := range map[string]Selection{
		"all":     {Path: "/"},
		"pattern": {Path: "/src/*/*/*7.js", Wildcard: true},
		"filter":  {Path: "/src", Exclude: []string{"**/*.log"}},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				diff, err := Differ(b.Context(), tree, []Selection{s}, tree.Edit(Change{Path: path}), []Selection{s}, BuildKit)
				if err != nil || len(diff) != 1 {
					b.Fatal(diff, err)
				}
			}
		})
	}
}

func BenchmarkMatch(b *testing.B) {
	_, tree := largeTree(b, "node_modules")
	for b.Loop() {
		tree.Match("src/**/*9.js")
	}
}
