package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/layerscope/layerscope/view/text"
)

// The exit codes.
const (
	exitOK          = 0
	exitGate        = 1 // everything worked and the image isn't good enough, or differs
	exitFailure     = 2
	exitInterrupted = 130
)

var (
	errUsage   = errors.New("wrong usage") // the usage has been shown
	errNoStdin = errors.New("standard input is a terminal, not an image")
)

// exit says what went wrong, if anything did, and returns the exit code.
func (a *app) exit(ctx context.Context, err error) int {
	switch {
	case err == nil:
		return exitOK
	case ctx.Err() != nil:
		fmt.Fprintln(a.err, "error: interrupted")
		return exitInterrupted
	case errors.Is(err, errUsage):
		return exitFailure
	case errors.Is(err, errDiffer):
		return exitGate
	}
	if failed, ok := errors.AsType[*gateError](err); ok {
		fmt.Fprintln(a.err, "failed: "+errorLine(failed.Error()))
		return exitGate
	}
	fmt.Fprintln(a.err, "error: "+errorLine(err.Error()))
	var advisor interface{ Advice() string }
	if errors.As(err, &advisor) && advisor.Advice() != "" {
		fmt.Fprintln(a.err, "hint: "+errorLine(advisor.Advice()))
	}
	return exitFailure
}

// maxErrorLine is the most cells a line of an error takes: what it quotes of an
// image, such as a path, may be a megabyte.
const maxErrorLine = 2000

// errorLine makes one line of a text. Of one that is too long the middle is
// left out: it begins with where and ends with why.
func errorLine(s string) string { return text.TruncateMiddle(text.OneLine(s), maxErrorLine) }

// usageError is a wrong call of a command.
type usageError struct {
	err error
	cmd *cobra.Command
}

func (e *usageError) Error() string  { return e.err.Error() }
func (e *usageError) Unwrap() error  { return e.err }
func (e *usageError) Advice() string { return "run " + e.cmd.CommandPath() + " --help" }

// flagError says what is wrong with a flag. Of a switch's value cobra says what
// strconv does.
func flagError(cmd *cobra.Command, err error) error {
	if num := (*strconv.NumError)(nil); errors.As(err, &num) {
		err = errors.New(strings.TrimSuffix(err.Error(), num.Error()) + "it is true or false")
	}
	return &usageError{err, cmd}
}

// wants makes a check that a command has the arguments that names names.
func wants(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < len(names):
			return &usageError{fmt.Errorf("%s is missing", names[len(args)]), cmd}
		case len(args) > len(names):
			return &usageError{fmt.Errorf("unexpected argument %q", args[len(names)]), cmd}
		}
		return nil
	}
}
