// Package advice finds what makes builds of a Dockerfile do more again than
// they need to. Each kind of finding is a [Rule]; docs/rules/dockerfile is made
// of the rules. The common call is [Find].
//
// A finding comes with the rewritten Dockerfile or .dockerignore, and with what
// that saves when something changes: the cascade's engine predicts the same
// change for the file as it is and for the rewritten one. It is advice: nothing
// is edited. A rule would rather miss a case than rewrite a file into one that
// doesn't build, or that builds something else.
package advice

import (
	"context"
	"fmt"
	"io/fs"
	"slices"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/layerscope/layerscope/analyze/cascade"
	"github.com/layerscope/layerscope/analyze/dockerfile"
)

// Rule is one kind of finding.
type Rule struct {
	ID    string // "dockerfile-in-context"; the page docs/rules/dockerfile/ID.md describes it
	Title string
	What  string // what it finds, a sentence
	Why   string // what it costs, a sentence or more
	Not   string // when it isn't found, or shouldn't be followed, a sentence or more
	Fix   string // what to write instead, a sentence or more
	Bad   string // lines of a Dockerfile that it finds something in
	Good  string // the same rewritten
	Saved string // what the saving is computed for, a sentence
	// Builders are those that the rule is for; nil for all.
	Builders []cascade.Builder

	find func(*finder) ([]Finding, error)
}

// Rules returns all rules, the most useful first.
func Rules() []*Rule { return table() }

// For tells whether the rule is for a builder.
func (r *Rule) For(b cascade.Builder) bool {
	return r.Builders == nil || slices.Contains(r.Builders, b)
}

// Finding is what a rule found.
type Finding struct {
	Rule  *Rule              // its Title is of what was found
	Step  int                // the instruction to change first, as an index into Graph.Steps
	Lines []dockerfile.Range // of the instructions that it is about, in the file's order
	// Text says it of this very file, in a sentence or two. It holds text of
	// the Dockerfile and names of files as they are.
	Text string
	Edit Edit // shown, never applied
	// Saves is what the edit saves; nil if it isn't computed, as that of a
	// cache mount, with which a step runs again as often, but faster.
	Saves *Saving
	// Context are the files of the context that it is about; nil if it is
	// about none.
	Context *Files
}

// Edit is how files were rewritten to compute a saving.
type Edit struct {
	Dockerfile *Rewrite // nil: not rewritten
	Ignore     *Rewrite // the .dockerignore; nil: not rewritten, or its text isn't known
	// IgnoreLines are added to the end of the .dockerignore.
	IgnoreLines []string
}

// Diff returns the edit as a unified diff, that of lines that are added to a
// .dockerignore whose text isn't known left out.
func (e Edit) Diff() string {
	var d []byte
	for _, r := range []*Rewrite{e.Dockerfile, e.Ignore} {
		if r != nil {
			d = append(d, diff.Diff("a/"+r.Name, []byte(r.Before), "b/"+r.Name, []byte(r.After))...)
		}
	}
	return string(d)
}

// Rewrite is the text of a file before and after.
type Rewrite struct {
	Name          string
	Before, After string
}

// Files are files of a context.
type Files struct {
	Files    int
	Bytes    int64
	Examples []string // the first few paths
}

// Saving is what an edit saves when something changes: what reruns in the file
// as it is, less what reruns in the edited one.
type Saving struct {
	When          string // "src/app.js changes", a clause
	Before, After cascade.Cost
	// Instructions are how many fewer certainly run again, MayInstructions how
	// many fewer may. A finding's are never negative, nor both 0.
	Instructions, MayInstructions int
	// What those that certainly run again come to less: bytes of files in
	// layers, bytes pushed and pulled, nanoseconds of work. nil is unknown.
	Bytes, Compressed, Nanoseconds *int64
}

// Find finds what all rules find in a build: rule by rule, the most useful
// first, each in the order of the file.
//
// files are the files of the build's context on the disk, with those that
// .dockerignore leaves out: .dockerignore and manifests such as package.json are
// read of them. nil knows none; rules that need to look into a manifest then
// find nothing. The error is of reading files.
func Find(ctx context.Context, b cascade.Build, m cascade.Measures, files fs.FS) ([]Finding, error) {
	f := newFinder(ctx, b, m, files)
	var all []Finding
	for _, r := range Rules() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if !r.For(b.Graph.Options.Builder) {
			continue
		}
		found, err := r.find(f)
		if err != nil {
			return nil, fmt.Errorf("looking for %s: %w", r.ID, err)
		}
		for _, one := range found {
			if one.Saves != nil && !one.Saves.some() {
				continue
			}
			if one.Rule == nil {
				one.Rule = r
			}
			all = append(all, one)
		}
	}
	return all, nil
}

// some tells whether anything is certainly saved, or may be at no cost. What
// ran for certain and now only may is no saving.
func (s *Saving) some() bool {
	return s.MayInstructions >= 0 && (s.Instructions > 0 || s.Instructions == 0 && s.MayInstructions > 0)
}
