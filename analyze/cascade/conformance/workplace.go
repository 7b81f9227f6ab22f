package conformance

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/layerscope/layerscope/analyze/cascade/conformance/cases"
	"github.com/layerscope/layerscope/analyze/cascade/conformance/edit"
	"github.com/layerscope/layerscope/analyze/cascade/conformance/record"
)

// Workplace is where a case is written to, as it is and edited.
type Workplace struct {
	Case    *cases.Case
	dir     string
	changes []edit.Change
	written int
}

// NewWorkplace writes a case below dir.
func NewWorkplace(c *cases.Case, dir string) (*Workplace, error) {
	w := &Workplace{Case: c, dir: dir}
	if err := c.Write(w.plain()); err != nil {
		return nil, err
	}
	w.changes = edit.Context(c.ContextPath(w.plain(), ""))
	return w, nil
}

// plain is the folder with the context as it is.
func (w *Workplace) plain() string { return filepath.Join(w.dir, "plain") }

// Trials returns every edit of the case, without what becomes of it: of the
// Dockerfile and the arguments, then of the context.
func (w *Workplace) Trials() []record.Build {
	var trials []record.Build
	for _, e := range edit.All(w.Case.Dockerfile, w.Case.Args) {
		trials = append(trials, record.Build{Edit: e.Kind, Line: e.Line, Args: e.Args, Patch: record.NewPatch(w.Case.Dockerfile, e.Dockerfile)})
	}
	for _, c := range w.changes {
		trials = append(trials, record.Build{Edit: c.Kind, Path: c.Path})
	}
	return trials
}

// Sample returns n of the trials in an order of a seed, in which every kind of
// edit comes before any comes for the second time; all if n is more.
func Sample(trials []record.Build, name string, seed uint64, n int) []record.Build {
	hash := fnv.New64()
	hash.Write([]byte(name))
	r := rand.New(rand.NewPCG(seed, hash.Sum64()))
	sample := slices.Clone(trials)
	r.Shuffle(len(sample), func(i, j int) { sample[i], sample[j] = sample[j], sample[i] })
	nth := map[string]int{}
	type ranked struct {
		record.Build
		nth int
	}
	var all []ranked
	for _, b := range sample {
		all = append(all, ranked{b, nth[b.Edit]})
		nth[b.Edit]++
	}
	slices.SortStableFunc(all, func(a, b ranked) int { return cmp.Compare(a.nth, b.nth) })
	sample = sample[:0]
	for _, b := range all[:min(n, len(all))] {
		sample = append(sample, b.Build)
	}
	return sample
}

// Write writes the case with an edit, and returns where. Builds whose contexts
// are the same may be written to the same place, one after the other.
func (w *Workplace) Write(b record.Build) (dir string, err error) {
	text, err := b.Patch.Apply(w.Case.Dockerfile)
	if err != nil {
		return "", fmt.Errorf("case %s, edit %s: %w", w.Case.Name, b.Edit, err)
	}
	dir = w.plain()
	if b.Path != "" || w.Case.Inside {
		w.written++
		dir = filepath.Join(w.dir, strconv.Itoa(w.written))
		if err := w.Case.Write(dir); err != nil {
			return "", err
		}
	}
	if b.Path == "" {
		return dir, w.Case.WriteDockerfile(dir, text)
	}
	i := slices.IndexFunc(w.changes, func(c edit.Change) bool { return c.Kind == b.Edit && c.Path == b.Path })
	if i < 0 {
		return "", fmt.Errorf("case %s: there is no change %s of %s (any more)", w.Case.Name, b.Edit, b.Path)
	}
	return dir, w.changes[i].Apply(w.Case.ContextPath(dir, ""))
}

// Remove removes what was written.
func (w *Workplace) Remove() error { return os.RemoveAll(w.dir) }
