package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/layerscope/layerscope/analyze/source"
)

func newCompletion(a *app) *cobra.Command {
	return &cobra.Command{
		Use:       "completion SHELL",
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

// completeImage has the shell offer files, which archives are, for the first
// argument and nothing after.
func completeImage(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return nil, cobra.ShellCompDirectiveDefault
}
