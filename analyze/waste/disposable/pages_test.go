package disposable

import (
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write docs/rules anew")

// TestPages holds docs/rules to the table.
func TestPages(t *testing.T) {
	dir := filepath.Join("..", "..", "..", "docs", "rules")
	pages := map[string]string{"README.md": listPage(table()) + othersPart(t, dir)}
	for _, r := range table() {
		pages[r.ID+".md"] = rulePage(r)
	}
	if *update {
		writePages(t, dir, pages)
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if _, ok := pages[f.Name()]; !ok && f.Name() != "dockerfile" {
			t.Errorf("docs/rules/%s is of no rule", f.Name())
		}
	}
	for _, name := range slices.Sorted(maps.Keys(pages)) {
		page, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Error(err)
		} else if diff := gocmp.Diff(pages[name], string(page)); diff != "" {
			t.Errorf("docs/rules/%s isn't what the rules say (go test ./analyze/waste/disposable -update; -rules +page):\n%s", name, diff)
		}
	}
}

// othersPart returns what of docs/rules/README.md is of analyze/cascade/advice,
// which has its pages in docs/rules/dockerfile.
func othersPart(t *testing.T, dir string) string {
	t.Helper()
	list, err := os.ReadFile(filepath.Join(dir, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, part, _ := strings.Cut(string(list), "\n# Dockerfiles\n")
	return "\n# Dockerfiles\n" + part
}

func writePages(t *testing.T, dir string, pages map[string]string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, page := range pages {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

const generated = "Generated from the rules in `analyze/waste/disposable`; `go test ./analyze/waste/disposable -update` writes it anew.\n\n"

// listPage returns what docs/rules/README.md has to be.
func listPage(rules []*Rule) string {
	var b strings.Builder
	b.WriteString("# Disposable files\n\n" + generated)
	b.WriteString(`Files of the final filesystem that images rarely need, by class. It is advice:
each page says why such files can go, when they can't, and what to write in the
Dockerfile instead. Removing them in a later step than the one that wrote them
hides them and frees nothing. Rules about Dockerfiles are [below](#dockerfiles).

A file counts once: for the first rule of this list that matches it. A file of
several hard links counts if each of its paths matches some rule, for the rule of
the first path, as removing one path frees nothing.

In the pages, ` + "`**`" + ` stands for any number of directories, at the end for all that
is below; ` + "`~`" + ` for any home directory: ` + "`/root`, those in `/home`, and `/`" + ` itself;
and what is in braces for any one of it. Symbolic links are not followed.

| rule | class | what it matches |
|---|---|---|
`)
	for _, r := range rules {
		b.WriteString("| [" + r.ID + "](" + r.ID + ".md) | " + r.Title + " | " + r.What + " |\n")
	}
	return b.String()
}

// rulePage returns what docs/rules/ID.md has to be.
func rulePage(r *Rule) string {
	var b strings.Builder
	b.WriteString("# " + r.ID + ": " + r.Title + "\n\n" + generated + r.What + "\n")
	b.WriteString("\n## Why\n\n" + r.Why + "\n")
	b.WriteString("\n## What to write instead\n\n" + r.Fix + "\n")
	b.WriteString("\nBad:\n\n```dockerfile\n" + r.Bad + "\n```\n\nGood:\n\n```dockerfile\n" + r.Good + "\n```\n")
	b.WriteString("\n## What it matches\n\n")
	for _, p := range r.Paths {
		b.WriteString("- `" + p.Glob + "`")
		if p.If != nil {
			b.WriteString(", " + p.If.Text)
		}
		b.WriteString("\n")
	}
	if len(r.Keep) > 0 || r.Env != nil {
		b.WriteString("\nNot matched:\n\n")
		for _, g := range r.Keep {
			b.WriteString("- `" + g + "`\n")
		}
		if r.Env != nil {
			b.WriteString("- " + r.Env.Text + "\n")
		}
	}
	if len(r.Unless) > 0 {
		b.WriteString("\nNothing is matched in an image that has any of:\n\n")
		for _, g := range r.Unless {
			b.WriteString("- `" + g + "`\n")
		}
	}
	return b.String()
}
