package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/layerscope/layerscope/view/report"
)

func newReport(a *app) *cobra.Command {
	var f *reportFlags
	cmd := a.imageCommand("report", "Write where the bytes of an image are", reportUsage, func(ctx context.Context, ref string) error {
		s, err := a.subject(ctx, ref, f)
		if err != nil {
			return err
		}
		return a.write(s, f.format)
	})
	f = a.reportFlags(cmd, formatMarkdown, formatSARIF)
	return cmd
}

// reportFlags are the flags of the commands that report on an image.
type reportFlags struct {
	format string
	lines  *dockerfileFlags
}

// reportFlags adds the flags to a command that writes text, JSON and more
// formats.
func (a *app) reportFlags(cmd *cobra.Command, formats ...string) *reportFlags {
	f := &reportFlags{lines: dockerfileFlag(cmd)}
	a.baseFlag(cmd)
	formatFlag(cmd, &f.format, formats...)
	return f
}

// subject analyzes the image that ref names and looks it over.
func (a *app) subject(ctx context.Context, ref string, f *reportFlags) (report.Subject, error) {
	m, err := a.analyzeWith(ctx, ref, f.lines)
	if err != nil {
		return report.Subject{}, err
	}
	return report.About(m), nil
}

// write writes a report.
func (a *app) write(s report.Subject, format string) error {
	switch format {
	case formatJSON:
		return report.JSON(a.out, s, tool())
	case formatMarkdown:
		return report.Markdown(a.out, s, a.textOptions())
	case formatSARIF:
		return report.SARIF(a.out, s, tool())
	}
	return report.Text(a.out, s, a.textOptions())
}
