package main

import (
	"github.com/spf13/cobra"

	"github.com/layerscope/layerscope/view/report"
)

func newReport(a *app) *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:               "report IMAGE",
		Short:             "Write where the bytes of an image are",
		Long:              reportUsage,
		Args:              wants("IMAGE"),
		ValidArgsFunction: a.completeImage,
		RunE: func(cmd *cobra.Command, args []string) error {
			m, err := a.analyze(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if format == formatJSON {
				return report.JSON(a.out, m, tool())
			}
			return report.Text(a.out, m, a.textOptions())
		},
	}
	a.baseFlag(cmd)
	formatFlag(cmd, &format)
	return cmd
}
