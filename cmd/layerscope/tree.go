package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/history"
	"github.com/layerscope/layerscope/analyze/layer"
	"github.com/layerscope/layerscope/analyze/source"
	"github.com/layerscope/layerscope/analyze/tree"
	"github.com/layerscope/layerscope/view/report"
)

// treeFlags are the flags of the tree command.
type treeFlags struct {
	step    int
	changes bool
	path    string
	depth   int
	sort    string
	format  string
}

// The orders of a listing.
const (
	sortByName = "name"
	sortBySize = "size"
)

// finalStep stands for the final image where a step may be named.
const finalStep = -1

// allLevels is the depth of a listing that has no end but the image's.
const allLevels = -1

func newTree(a *app) *cobra.Command {
	f := treeFlags{sort: sortByName, depth: allLevels}
	var cmd *cobra.Command
	cmd = a.imageCommand("tree", "List the files of an image", treeUsage, func(ctx context.Context, ref string) error {
		if f.changes && f.step == finalStep {
			return &usageError{errors.New("--changes wants a --step"), cmd}
		}
		return a.tree(ctx, ref, f)
	})
	stepFlag(cmd, &f.step)
	cmd.Flags().BoolVar(&f.changes, "changes", false, "what the step added, changed and removed")
	cmd.Flags().StringVar(&f.path, "path", "/", "list only what is at a path and below it")
	numberFlag(cmd, "depth", "levels to list", "a number of levels", &f.depth)
	choiceFlag(cmd, "sort", "order of the listing", &f.sort, sortByName, sortBySize)
	formatFlag(cmd, &f.format)
	return cmd
}

func (a *app) tree(ctx context.Context, ref string, f treeFlags) error {
	m, err := a.analyze(ctx, ref)
	if err != nil {
		return err
	}
	l := report.Listing{Image: m, Step: f.step, Changes: f.changes, Depth: f.depth, BySize: f.sort == sortBySize}
	if l.View, err = f.view(m); err != nil {
		return err
	}
	if l.Item, err = findItem(m, l.View, f.path); err != nil {
		return err
	}
	if f.format == formatJSON {
		return report.TreeJSON(a.out, l, tool())
	}
	return report.Tree(a.out, l, a.textOptions())
}

// view returns the image as of the step, or what the step changed.
func (f treeFlags) view(m *analyze.Image) (*tree.View, error) {
	if f.changes {
		return changes(m, f.step)
	}
	k, err := layerAt(m, f.step)
	if err != nil {
		return nil, err
	}
	return m.Tree.At(k), nil
}

// changes returns what a step changed.
func changes(m *analyze.Image, step int) (*tree.View, error) {
	if err := checkStep(m, step); err != nil {
		return nil, err
	}
	switch s := m.Steps[step]; {
	case s.Layer >= 0:
		return m.Tree.Changes(s.Layer), nil
	case s.Empty || m.Fit == history.Exact:
		return nil, fmt.Errorf("step %d changed no files: it made no layer", step)
	}
	return nil, fmt.Errorf("what step %d changed isn't known: %s", step, misfit)
}

// findItem returns the item of a view that a path leads to.
func findItem(m *analyze.Image, v *tree.View, path string) (int, error) {
	// What a step removed isn't there to be resolved, but can be named.
	if n, ok := m.Tree.Lookup(path); ok {
		if i, ok := v.Find(n); ok && v.At(i).Type != layer.Symlink {
			return i, nil
		}
	}
	n, err := m.Tree.Resolve(path, v.Layer())
	if err != nil {
		return 0, pathError(m, path, v.Layer(), err)
	}
	i, ok := v.Find(n)
	if !ok {
		return 0, fmt.Errorf("nothing changed at %q", path)
	}
	return i, nil
}

// stepFlag adds --step to a command.
func stepFlag(cmd *cobra.Command, step *int) {
	*step = finalStep
	numberFlag(cmd, "step", "as of a step of the report", "a step's number", step)
}

// layerAt returns the topmost layer that exists after a step.
func layerAt(m *analyze.Image, step int) (int, error) {
	if step == finalStep {
		return len(m.Layers) - 1, nil
	}
	if err := checkStep(m, step); err != nil {
		return 0, err
	}
	k, known := m.LayerUpTo(step)
	if !known {
		return 0, fmt.Errorf("what the image holds after step %d isn't known: %s", step, misfit)
	}
	return k, nil
}

// misfit is why it isn't known of a record what it did.
const misfit = "the image's history doesn't fit its layers"

// checkStep returns an error if an image hasn't a step.
func checkStep(m *analyze.Image, step int) error {
	switch n := len(m.Steps); {
	case n == 0:
		return errors.New("the image has no steps")
	case step >= n:
		return fmt.Errorf("there is no step %d: the image has steps 0 to %d", step, n-1)
	}
	return nil
}

// pathError says of a path that isn't there after layer k whether it once was,
// or comes later.
func pathError(m *analyze.Image, path string, k int, err error) error {
	missing, ok := errors.AsType[*tree.MissingError](err)
	if !ok {
		return err
	}
	if missing.Removed >= 0 {
		return &source.HintError{Err: err, Hint: removedHint(m, m.Layers[missing.Removed].Step)}
	}
	if k, ok := addedLater(m, path, k); ok {
		step := m.Layers[k].Step
		return &source.HintError{Err: err, Hint: fmt.Sprintf("step %d adds it (%s)", step, m.Redacted().Steps[step].Text)}
	}
	return err
}

// addedLater returns the first layer above k after which a path, which isn't
// there after k, leads somewhere.
func addedLater(m *analyze.Image, path string, k int) (int, bool) {
	for {
		_, err := m.Tree.Resolve(path, k)
		missing, ok := errors.AsType[*tree.MissingError](err)
		if !ok {
			return k, err == nil
		}
		n, ok := m.Tree.Lookup(missing.At)
		for stands := false; !stands; _, stands = m.Tree.StateAt(n, k) {
			if k++; !ok || k >= len(m.Layers) {
				return 0, false
			}
		}
	}
}

// removedHint says which step removed a path.
func removedHint(m *analyze.Image, step int) string {
	hint := fmt.Sprintf("step %d removed it (%s)", step, m.Redacted().Steps[step].Text)
	if step > 0 {
		hint += fmt.Sprintf("; see it with --step %d", step-1)
	}
	return hint
}
