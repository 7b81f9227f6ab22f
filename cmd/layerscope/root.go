package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

// run runs the program with its arguments, the program's name first.
func (a *app) run(ctx context.Context, args []string) error {
	c, err := parseCall(args, os.Getenv)
	if err != nil {
		return err
	}
	if c.metadata {
		return writeMetadata(a.out)
	}
	c.setEnv()
	a.plugin = c.plugin
	root := newRoot(a)
	root.SetArgs(c.args)
	return root.ExecuteContext(ctx)
}

func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:               "layerscope IMAGE",
		Short:             "Show where the bytes of an image are",
		Long:              rootUsage,
		Args:              cobra.ArbitraryArgs, // or cobra takes images for unknown commands
		ValidArgsFunction: a.completeImage,
		SilenceUsage:      true,
		SilenceErrors:     true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				fmt.Fprint(a.err, a.usage(cmd))
				return errUsage
			}
			if err := wants("IMAGE")(cmd, args); err != nil {
				return err
			}
			return a.show(cmd.Context(), args[0])
		},
	}
	if a.plugin {
		root.Annotations = map[string]string{cobra.CommandDisplayNameAnnotation: "docker layerscope"}
	}
	root.Version = toolVersion() // for --version
	root.SetVersionTemplate(versionLine())
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.SetFlagErrorFunc(flagError)
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { fmt.Fprint(a.out, a.usage(cmd)) })
	a.options.register(root)
	a.baseFlag(root)
	completeFlag(root, "platform", platforms...)
	root.AddCommand(newReport(a), newWaste(a), newPackages(a), newDiff(a), newCheck(a), newCascade(a), newStages(a), newTree(a), newCat(a), newDemo(a),
		newVersion(a), newCompletion(a))
	return root
}

// usage returns a command's usage text, as it is called.
func (a *app) usage(cmd *cobra.Command) string {
	if a.plugin {
		return strings.ReplaceAll(cmd.Long, "    layerscope", "    docker layerscope")
	}
	return cmd.Long
}

// show shows an image: on screens if there is somebody to look, else as text.
func (a *app) show(ctx context.Context, ref string) error {
	job, err := a.start(ctx, ref)
	if err != nil {
		return err
	}
	return a.present(ctx, job, ref)
}
