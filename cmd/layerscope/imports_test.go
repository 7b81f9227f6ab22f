package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// This file enforces docs/architecture.md: which package may import which, and
// what none may do.

const module = "github.com/layerscope/layerscope"

// storeys are the module's folders from the top down: a package may import
// those of its own storey and of the storeys below it.
var storeys = []string{"cmd", "view", "diff", "analyze"}

// terminal are the packages that know a terminal, or a command line.
var terminal = []string{
	"github.com/gdamore/tcell", "github.com/rivo/tview", "golang.org/x/term", "github.com/spf13/cobra", "github.com/spf13/pflag",
}

func TestImports(t *testing.T) {
	eachFile(t, func(t *testing.T, dir string, f *ast.File, _ *token.FileSet) {
		for _, spec := range f.Imports {
			target, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if why := forbidden(dir, target); why != "" {
				t.Errorf("%s imports %s: %s", dir, target, why)
			}
		}
	})
}

// forbidden says why a package may not import another; "" if it may.
func forbidden(dir, target string) string {
	from := storey(dir)
	if rest, ok := strings.CutPrefix(target, module+"/"); ok {
		to := storey(rest)
		switch {
		case to < from:
			return "arrows point down: cmd, view, diff, analyze"
		case from == to && from == slices.Index(storeys, "view") && dir == "view/text":
			return "view/text is below the other views"
		}
		return ""
	}
	isTerminal := slices.ContainsFunc(terminal, func(p string) bool { return target == p || strings.HasPrefix(target, p+"/") })
	isScreen := strings.HasPrefix(target, terminal[0]) || strings.HasPrefix(target, terminal[1])
	switch {
	case isScreen && dir != "view/tui":
		return "only view/tui draws screens"
	case isTerminal && from > slices.Index(storeys, "view"):
		return "below view nothing knows a terminal"
	}
	return ""
}

// storey returns a folder's storey, the last for none of them.
func storey(dir string) int {
	top, _, _ := strings.Cut(dir, "/")
	if i := slices.Index(storeys, top); i >= 0 {
		return i
	}
	return len(storeys)
}

// TestQuiet checks that nothing below cmd prints or ends the program.
func TestQuiet(t *testing.T) {
	eachFile(t, func(t *testing.T, dir string, f *ast.File, fset *token.FileSet) {
		if storey(dir) == 0 {
			return
		}
		for _, spec := range f.Imports {
			if spec.Path.Value == `"log"` || spec.Path.Value == `"log/slog"` {
				t.Errorf("%s imports %s", dir, spec.Path.Value)
			}
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				if name := callee(call); loud(name) {
					t.Errorf("%s: %s", fset.Position(call.Pos()), name)
				}
			}
			return true
		})
	})
}

// callee returns the name of what is called, with its package.
func callee(call *ast.CallExpr) string {
	switch fun := call.Fun.(type) {
	case *ast.Ident:
		return fun.Name
	case *ast.SelectorExpr:
		if pkg, ok := fun.X.(*ast.Ident); ok {
			return pkg.Name + "." + fun.Sel.Name
		}
	}
	return ""
}

func loud(name string) bool {
	switch name {
	case "os.Exit", "fmt.Print", "fmt.Printf", "fmt.Println", "print", "println":
		return true
	}
	return false
}

// eachFile gives check the module's own files but for tests, with their
// folders.
func eachFile(t *testing.T, check func(t *testing.T, dir string, f *ast.File, fset *token.FileSet)) {
	t.Helper()
	root := os.DirFS(filepath.Join("..", ".."))
	fset := token.NewFileSet()
	files := 0
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata"):
			return fs.SkipDir
		case !strings.HasSuffix(name, ".go"), strings.HasSuffix(name, "_test.go"):
			return nil
		}
		src, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		f, err := parser.ParseFile(fset, name, src, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		files++
		check(t, path.Dir(name), f, fset)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 10 {
		t.Fatalf("only %d files seen: is this the module's root?", files)
	}
}

// TestForbidden holds the rules to examples.
func TestForbidden(t *testing.T) {
	const m = module + "/"
	tests := []struct {
		dir, target string
		want        bool
	}{
		{"cmd/layerscope", m + "view/tui", false},
		{"cmd/layerscope", m + "analyze", false},
		{"view/report", m + "analyze/tree", false},
		{"view/tui", m + "view/text", false},
		{"view/tui", "github.com/rivo/tview", false},
		{"view/tui", "github.com/gdamore/tcell/v2", false},
		{"diff", m + "analyze", false},
		{"analyze", m + "analyze/source", false},
		{"analyze/source", "github.com/docker/docker/client", false},

		{"view/report", m + "cmd/layerscope", true},
		{"view/report", "github.com/gdamore/tcell/v2", true},
		{"view/text", m + "view/tui", true},
		{"cmd/layerscope", "github.com/rivo/tview", true},
		{"diff", m + "view/text", true},
		{"analyze/tree", m + "diff", true},
		{"analyze/source", m + "view/text", true},
		{"analyze/source", "golang.org/x/term", true},
		{"analyze", "github.com/spf13/cobra", true},
		{"diff", "github.com/spf13/pflag", true},
	}
	for _, tt := range tests {
		if got := forbidden(tt.dir, tt.target); (got != "") != tt.want {
			t.Errorf("%s importing %s: %q, want forbidden %v", tt.dir, tt.target, got, tt.want)
		}
	}
}
