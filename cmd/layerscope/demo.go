package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/synth"
	"github.com/layerscope/layerscope/analyze/synth/demo"
	"github.com/layerscope/layerscope/view/text"
)

func newDemo(a *app) *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Look around in a demo image",
		Long:  demoUsage,
		Args:  wants(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("save") {
				return a.saveDemo(dir)
			}
			return a.demo(cmd.Context())
		},
	}
	cmd.Flags().StringVar(&dir, "save", "", "write the image and its sources to a new folder instead")
	return cmd
}

// demo shows the demo image as any other is shown.
func (a *app) demo(ctx context.Context) error {
	img, err := demo.Open()
	if err != nil {
		return err
	}
	return a.present(ctx, analyze.StartImage(ctx, img, a.analyzeOptions()), "demo")
}

// demoArchive is the image's name in the folder it is saved to.
const demoArchive = "image.tar"

// saveDemo writes the demo image, its Dockerfile and its build context to a
// new folder.
func (a *app) saveDemo(dir string) error {
	if err := os.Mkdir(dir, 0o777); err != nil {
		return fmt.Errorf("saving the demo: %w", err)
	}
	if err := os.CopyFS(dir, demo.Context()); err != nil {
		return fmt.Errorf("saving the demo: %w", err)
	}
	path := filepath.Join(dir, demoArchive)
	if err := saveImage(path); err != nil {
		return fmt.Errorf("saving the demo: %w", err)
	}
	_, err := fmt.Fprintf(a.err, "saved the demo; try: layerscope %s\n", text.Printable(path))
	return err
}

// saveImage writes the demo image as an archive, whole or not at all.
func saveImage(path string) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	defer func() {
		if err = errors.Join(err, f.Close()); err != nil {
			os.Remove(path)
		}
	}()
	return synth.OCIArchive(f, demo.Image())
}
