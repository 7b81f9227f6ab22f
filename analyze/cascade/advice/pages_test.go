package advice

import (
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/layerscope/layerscope/analyze/cascade"
)

var update = flag.Bool("update", false, "write docs/rules/dockerfile anew, and its part of docs/rules/README.md")

// partOf begins our part of docs/rules/README.md. What stands before it is of
// analyze/waste/disposable.
const partOf = "# Dockerfiles\n"

// TestPages holds docs/rules/dockerfile, and its list in docs/rules/README.md,
// to the rules.
func TestPages(t *testing.T) {
	rules := filepath.Join("..", "..", "..", "docs", "rules")
	list, err := os.ReadFile(filepath.Join(rules, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	before, part, _ := strings.Cut(string(list), "\n"+partOf)
	dir := filepath.Join(rules, "dockerfile")
	pages := map[string]string{}
	for _, r := range Rules() {
		pages[r.ID+".md"] = rulePage(r)
	}
	if *update {
		part = strings.TrimPrefix(listPart(), partOf)
		writePage(t, filepath.Join(rules, "README.md"), strings.TrimSuffix(before, "\n")+"\n\n"+partOf+part)
		for name, page := range pages {
			writePage(t, filepath.Join(dir, name), page)
		}
	}
	if diff := cmp.Diff(listPart(), partOf+part); diff != "" {
		t.Errorf("docs/rules/README.md isn't what the rules say (go test ./analyze/cascade/advice -update; -rules +page):\n%s", diff)
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if _, ok := pages[f.Name()]; !ok {
			t.Errorf("docs/rules/dockerfile/%s is of no rule", f.Name())
		}
	}
	for _, name := range slices.Sorted(maps.Keys(pages)) {
		page, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Error(err)
		} else if diff := cmp.Diff(pages[name], string(page)); diff != "" {
			t.Errorf("docs/rules/dockerfile/%s isn't what the rules say (go test ./analyze/cascade/advice -update; -rules +page):\n%s", name, diff)
		}
	}
}

func writePage(t *testing.T, path, page string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(page), 0o644); err != nil {
		t.Fatal(err)
	}
}

const generated = "Generated from the rules in `analyze/cascade/advice`; `go test ./analyze/cascade/advice -update` writes it anew.\n\n"

// listPart returns what our part of docs/rules/README.md has to be.
func listPart() string {
	var b strings.Builder
	b.WriteString(partOf + "\n" + generated)
	b.WriteString(`What makes builds of a Dockerfile do more again than they need to. Each finding
comes with a rewritten Dockerfile or ` + "`.dockerignore`" + `, which is shown and never
applied, and with what that saves when something changes: instructions, bytes and
seconds. The change is predicted for the file as it is and for the rewritten one,
by the builder's own rules; what isn't known, as the seconds without a log, stays
unknown. What saves nothing isn't told.

| rule | finding | what it finds |
|---|---|---|
`)
	for _, r := range Rules() {
		b.WriteString("| [" + r.ID + "](dockerfile/" + r.ID + ".md) | " + r.Title + " | " + r.What + " |\n")
	}
	return b.String()
}

// rulePage returns what docs/rules/dockerfile/ID.md has to be.
func rulePage(r *Rule) string {
	var b strings.Builder
	b.WriteString("# " + r.ID + ": " + r.Title + "\n\n" + generated + r.What + "\n")
	if r.Builders != nil {
		var names []string
		for _, builder := range r.Builders {
			names = append(names, string(builder))
		}
		b.WriteString("\nOnly for builds with " + list(names) + ".\n")
	}
	b.WriteString("\n## Why\n\n" + r.Why + "\n")
	b.WriteString("\n## When not\n\n" + r.Not + "\n")
	b.WriteString("\n## What to write instead\n\n" + r.Fix + "\n")
	b.WriteString("\nBefore:\n\n```dockerfile\n" + r.Bad + "\n```\n\nAfter:\n\n```dockerfile\n" + r.Good + "\n```\n\n" + r.Saved + "\n")
	return b.String()
}

// TestPageExamples checks that each rule finds something in what its page says to
// be bad, and nothing in what it says to write instead.
func TestPageExamples(t *testing.T) {
	files := node("go.mod=module x", "go.sum", "main.go", "node_modules/x/index.js", "Dockerfile", ".dockerignore", "a.log", ".github/x")
	for _, r := range Rules() {
		count := func(text string) int {
			if !strings.Contains(text, "FROM") {
				text = "FROM x\n" + text
			}
			with := maps.Clone(files)
			for _, comment := range strings.Split(text, "\n") {
				if pattern, ok := strings.CutPrefix(comment, "#   "); ok {
					left := withoutIgnored(t, cascade.Build{}, with, []string{pattern}).Contexts[""]
					maps.DeleteFunc(with, func(name, _ string) bool { return !left.Has(name) })
				}
			}
			if strings.Contains(text, "--from=build") {
				text = "FROM x AS build\nRUN y\n" + text
			}
			b, disk := buildOf(t, text+"\n", with, cascade.Options{})
			if _, ok := with["Dockerfile"]; !ok {
				b = withoutIgnored(t, b, with, []string{"Dockerfile"})
			}
			all, err := Find(t.Context(), b, nil, disk)
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			for _, one := range all {
				if one.Rule.ID == r.ID {
					n++
				}
			}
			return n
		}
		if n := count(r.Bad); n == 0 {
			t.Errorf("%s finds nothing in\n%s", r.ID, r.Bad)
		}
		if n := count(r.Good); n != 0 {
			t.Errorf("%s finds something in\n%s", r.ID, r.Good)
		}
	}
}
