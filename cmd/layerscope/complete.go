package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/layerscope/layerscope/analyze/source"
	"github.com/layerscope/layerscope/view/text"
)

func newCompletion(a *app) *cobra.Command {
	return &cobra.Command{
		Use:       "completion SHELL",
		Short:     "Write a shell's completion script",
		Long:      completionUsage,
		Args:      wants("SHELL"),
		ValidArgs: []string{"bash", "zsh", "fish", "powershell"},
		RunE: func(cmd *cobra.Command, args []string) error {
			return writeCompletion(a.out, cmd.Root(), args[0])
		},
	}
}

// writeCompletion writes what a shell has to read to complete root's commands.
func writeCompletion(w io.Writer, root *cobra.Command, shell string) error {
	switch shell {
	case "bash":
		return root.GenBashCompletionV2(w, true)
	case "zsh":
		return root.GenZshCompletion(w)
	case "fish":
		return root.GenFishCompletion(w, true)
	case "powershell":
		return root.GenPowerShellCompletionWithDesc(w)
	}
	return &source.HintError{
		Err:  fmt.Errorf("there is no completion for the shell %q", shell),
		Hint: "the shells are bash, zsh, fish and powershell",
	}
}

// platforms are those that completion offers: the ones images are made for.
var platforms = []string{
	"linux/amd64", "linux/arm64", "linux/arm/v7", "linux/arm/v6", "linux/386",
	"linux/ppc64le", "linux/s390x", "linux/riscv64", "windows/amd64",
}

// completeFlag has the shell offer a flag's values.
func completeFlag(cmd *cobra.Command, name string, values ...string) {
	// The error is for a flag that isn't there.
	_ = cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
}

// completeWithin is how long somebody who presses Tab waits for a daemon.
const completeWithin = 300 * time.Millisecond

// completeImages is completeImage for two images.
func (a *app) completeImages(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	return a.completeImage(cmd, args[min(len(args), 1):], begun)
}

// completeImage has the shell offer the daemon's images for the first argument,
// or files, which archives are, if none fits, and nothing after.
func (a *app) completeImage(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), completeWithin)
	defer cancel()
	// Where there is no daemon there are still files.
	names, _ := source.DaemonImages(ctx, a.analyzeOptions().Source)
	return slices.DeleteFunc(names, func(n string) bool {
		return !strings.HasPrefix(n, begun) || text.Printable(n) != n
	}), cobra.ShellCompDirectiveDefault
}
