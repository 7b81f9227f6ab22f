// Package tui shows an analyzed image on a terminal: its steps with their
// bytes, and beside them the files behind each number. The one call is [Run].
//
// It is the only package that knows tview and tcell. What is shown is worked
// out by pure functions (rows.go, filter.go, layout.go, details.go, …) that
// know neither; heavy work runs in one goroutine (worker.go); results and news
// of the job reach the event loop through a mailbox (mailbox.go), so that
// nothing outside the loop touches a widget. Keys are looked up in one registry
// of actions (action.go), from which help, hints and docs/keys.md are made too.
package tui

import (
	"context"
	"fmt"

	"github.com/gdamore/tcell/v2"

	"github.com/layerscope/layerscope/analyze"
)

// Options are how the image is shown. The zero value is fine but for Mouse,
// which most people want.
type Options struct {
	Screen    tcell.Screen // nil: the terminal; tests pass a simulation
	NoColor   bool         // attributes only, no colours
	ASCII     bool         // no box drawing, block or arrow characters
	Bytes     bool         // sizes as integers of bytes, not SI
	Mouse     bool         // clicks and the wheel do something
	Reference string       // what is being read, shown until the image tells
}

// Run shows the image that job reads, from now on, until the user quits or ctx
// is done; then the job is cancelled if it still runs, and the terminal is as
// it was.
//
// The error is nil after a quit, unless the job failed: then it is the job's,
// returned at once if there was nothing to show yet. It is ctx's if that ended
// it. A panic in one of the package's goroutines comes back as an error as well.
func Run(ctx context.Context, job *analyze.Job, opts Options) error {
	screen, err := openScreen(opts.Screen)
	if err != nil {
		return err
	}
	u := newUI(screen, job, opts)
	if err := u.run(ctx); err != nil {
		return fmt.Errorf("running the terminal: %w", err)
	}
	job.Cancel()
	return u.result(ctx)
}

// openScreen returns an initialized screen whose Init does nothing: tview calls
// it again, and would drop its error.
func openScreen(s tcell.Screen) (tcell.Screen, error) {
	if s == nil {
		var err error
		if s, err = tcell.NewScreen(); err != nil {
			return nil, fmt.Errorf("opening the terminal: %w", err)
		}
	}
	if err := s.Init(); err != nil {
		return nil, fmt.Errorf("opening the terminal: %w", err)
	}
	return readyScreen{s}, nil
}

type readyScreen struct{ tcell.Screen }

func (readyScreen) Init() error { return nil }

// result returns what Run does once the screen is closed.
func (u *ui) result(ctx context.Context) error {
	switch {
	case u.crash != nil:
		return u.crash
	case u.interrupted:
		return ctx.Err()
	}
	return u.failure()
}
