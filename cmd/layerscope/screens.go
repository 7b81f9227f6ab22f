package main

import (
	"context"
	"os"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/view/report"
	"github.com/layerscope/layerscope/view/tui"
)

// present shows the image that job reads: on screens, from its first byte on,
// or as a text report once it is read.
func (a *app) present(ctx context.Context, job *analyze.Job, ref string) error {
	if a.useScreens() {
		err := tui.Run(ctx, job, tui.Options{
			NoColor:   os.Getenv("NO_COLOR") != "", // no-color.org
			ASCII:     a.ascii,
			Bytes:     a.bytes,
			Mouse:     a.mouse,
			Reference: ref,
		})
		if err == nil {
			err = ctx.Err() // a signal closed the screens, not the user
		}
		return err
	}
	m, err := a.wait(ctx, job)
	if err != nil {
		return err
	}
	return report.Text(a.out, report.About(m), a.textOptions())
}
