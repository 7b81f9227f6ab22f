package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/layer"
	"github.com/layerscope/layerscope/analyze/source"
	"github.com/layerscope/layerscope/analyze/tree"
)

func newCat(a *app) *cobra.Command {
	var step int
	var force bool
	cmd := &cobra.Command{
		Use:               "cat IMAGE PATH",
		Short:             "Write a file of an image",
		Long:              catUsage,
		Args:              wants("IMAGE", "PATH"),
		ValidArgsFunction: a.completeImage,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.cat(cmd.Context(), args[0], args[1], step, force)
		},
	}
	stepFlag(cmd, &step)
	cmd.Flags().BoolVar(&force, "force", false, "write anything to a terminal")
	return cmd
}

// cat writes the file at path as of a step. Where its bytes are is known once
// the whole image is read; then its layer is read again.
func (a *app) cat(ctx context.Context, ref, path string, step int, force bool) error {
	if path == "" {
		return errors.New("the path of a file is wanted, not an empty one")
	}
	if ref == string(source.Stdin) {
		return &source.HintError{
			Err:  errors.New("cat reads an image twice, and standard input can be read once"),
			Hint: "save the image to a file first",
		}
	}
	m, err := a.analyze(ctx, ref)
	if err != nil {
		return err
	}
	at, err := findFile(m, path, step)
	if err != nil {
		return err
	}
	img, err := source.Open(ctx, ref, a.analyzeOptions().Source)
	if err != nil {
		return err
	}
	defer img.Close()
	return a.writeFile(ctx, img, m, at, force)
}

// writeFile writes a file's bytes to standard output: all of them, or to a
// terminal only what does no harm there.
func (a *app) writeFile(ctx context.Context, img source.Image, m *analyze.Image, at tree.Ref, force bool) error {
	out := bufio.NewWriter(a.out)
	g := &guard{w: out, open: force || !isTerminal(a.out)}
	err := analyze.CopyFile(ctx, g, img, m, at, a.analyzeOptions())
	if err == nil {
		err = g.Close()
	}
	// What stopped the copying is wrapped in where it was; that isn't the
	// image's fault.
	if flushed := out.Flush(); flushed != nil {
		return flushed
	}
	if g.refused {
		return errRefused
	}
	return err
}

// findFile returns the entry that holds the bytes of the file at a path.
func findFile(m *analyze.Image, path string, step int) (tree.Ref, error) {
	k, err := layerAt(m, step)
	if err != nil {
		return tree.Ref{}, err
	}
	n, err := m.Tree.Resolve(path, k)
	if err != nil {
		return tree.Ref{}, pathError(m, path, k, err)
	}
	s, _ := m.Tree.StateAt(n, k)
	switch t := m.Tree.Type(s.Inode); {
	case t != layer.File:
		return tree.Ref{}, fmt.Errorf("%q is %s, not a file", path, article[t])
	case namesDir(path):
		return tree.Ref{}, fmt.Errorf("%q: %w", path, tree.ErrNotDir)
	}
	return s.Inode, nil
}

// namesDir tells whether a path can only be a directory's: its last component
// is empty or a dot (path_resolution(7)).
func namesDir(path string) bool {
	last := path[strings.LastIndexByte(path, '/')+1:]
	return last == "" || last == "."
}

// article names the types that have no bytes to show.
var article = map[layer.Type]string{
	layer.Dir:      "a directory",
	layer.Hardlink: "a hard link that leads nowhere",
	layer.Char:     "a character device",
	layer.Block:    "a block device",
	layer.Fifo:     "a named pipe",
}
