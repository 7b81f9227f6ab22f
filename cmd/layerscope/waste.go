package main

import (
	"github.com/spf13/cobra"

	"github.com/layerscope/layerscope/view/report"
)

func newWaste(a *app) *cobra.Command {
	var f *reportFlags
	var all bool
	cmd := &cobra.Command{
		Use:               "waste IMAGE",
		Short:             "Write what an image could do without",
		Long:              wasteUsage,
		Args:              wants("IMAGE"),
		ValidArgsFunction: a.completeImage,
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := a.subject(cmd.Context(), args[0], f)
			if err != nil {
				return err
			}
			if f.format == formatJSON {
				return report.WasteJSON(a.out, s, tool())
			}
			return report.Waste(a.out, s, report.WasteOptions{TextOptions: a.textOptions(), All: all})
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "list every file")
	f = a.reportFlags(cmd)
	return cmd
}
