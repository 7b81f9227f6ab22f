// Command layerscope shows where the bytes of a container image are.
//
// Its rules: data goes to standard output, everything else to standard error.
// What fails says so in one "error:" line, with a "hint:" line where the user
// can do something about it. Nothing is written that isn't whole. Exit codes
// are 0 for success, 1 for an image that check finds wanting or that is over the
// budget of diff, 2 for wrong usage and failure, 130 when interrupted.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
)

// gcPercent is how much the heap may grow before garbage is looked for, as GOGC.
// Most of it are indexes that hold no pointers: looking costs little, and Go's
// usual 100 would let a large image take half as much memory again.
const gcPercent = 40

func main() { os.Exit(run()) }

// run runs the command and returns its exit code.
func run() int {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	a := &app{in: os.Stdin, out: os.Stdout, err: os.Stderr}
	return a.exit(ctx, a.run(ctx, os.Args))
}
