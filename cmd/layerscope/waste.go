package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/layerscope/layerscope/view/report"
)

func newWaste(a *app) *cobra.Command {
	var f *reportFlags
	var all bool
	cmd := a.imageCommand("waste", "Write what an image could do without", wasteUsage, func(ctx context.Context, ref string) error {
		s, err := a.subject(ctx, ref, f)
		if err != nil {
			return err
		}
		if f.format == formatJSON {
			return report.WasteJSON(a.out, s, tool())
		}
		return report.Waste(a.out, s, report.WasteOptions{TextOptions: a.textOptions(), All: all})
	})
	cmd.Flags().BoolVar(&all, "all", false, "list every file")
	f = a.reportFlags(cmd)
	return cmd
}
