package main

import (
	"github.com/spf13/cobra"

	"github.com/layerscope/layerscope/view/report"
)

func newReport(a *app) *cobra.Command {
	var format string
	var lines *dockerfileFlags
	cmd := &cobra.Command{
		Use:               "report IMAGE",
		Short:             "Write where the bytes of an image are",
		Long:              reportUsage,
		Args:              wants("IMAGE"),
		ValidArgsFunction: a.completeImage,
		RunE: func(cmd *cobra.Command, args []string) error {
			m, err := a.analyzeWith(cmd.Context(), args[0], lines)
			if err != nil {
				return err
			}
			subject := report.About(m)
			switch format {
			case formatJSON:
				return report.JSON(a.out, subject, tool())
			case formatMarkdown:
				return report.Markdown(a.out, subject, a.textOptions())
			case formatSARIF:
				return report.SARIF(a.out, subject, tool())
			}
			return report.Text(a.out, subject, a.textOptions())
		},
	}
	a.baseFlag(cmd)
	formatFlag(cmd, &format, formatMarkdown, formatSARIF)
	lines = dockerfileFlag(cmd)
	return cmd
}
