package main

import "github.com/spf13/cobra"

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
