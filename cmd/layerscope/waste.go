package main

import (
	"github.com/spf13/cobra"

	"github.com/layerscope/layerscope/view/report"
)

func newWaste(a *app) *cobra.Command {
	var format string
	var all bool
	var lines *dockerfileFlags
	cmd := &cobra.Command{
		Use:               "waste IMAGE",
		Short:             "Write what an image could do without",
		Long:              wasteUsage,
		Args:              wants("IMAGE"),
		ValidArgsFunction: a.completeImage,
		RunE: func(cmd *cobra.Command, args []string) error {
			m, err := a.analyzeWith(cmd.Context(), args[0], lines)
			if err != nil {
				return err
			}
			if format == formatJSON {
				return report.WasteJSON(a.out, report.About(m), tool())
			}
			return report.Waste(a.out, report.About(m), report.WasteOptions{TextOptions: a.textOptions(), All: all})
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "list every file")
	a.baseFlag(cmd)
	formatFlag(cmd, &format)
	lines = dockerfileFlag(cmd)
	return cmd
}
