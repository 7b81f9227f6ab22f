package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/layerscope/layerscope/analyze/progress"
	"github.com/layerscope/layerscope/view/text"
)

// This file shows progress: one line on standard error, redrawn ten times a
// second and erased at the end. There is none unless a person is watching.

const (
	redraw    = 100 * time.Millisecond
	eraseLine = "\r\x1b[2K"
)

// showProgress draws what snapshot returns until the returned function is
// called.
func (a *app) showProgress(snapshot func() progress.Snapshot) (stop func()) {
	if a.noProgress || !isTerminal(a.err) || os.Getenv("TERM") == "dumb" {
		return func() {}
	}
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		a.drawProgress(snapshot, quit)
	}()
	return func() {
		close(quit)
		<-done
	}
}

func (a *app) drawProgress(snapshot func() progress.Snapshot, quit <-chan struct{}) {
	tick := time.NewTicker(redraw)
	defer tick.Stop()
	drawn := false
	for {
		select {
		case <-quit:
			if drawn {
				fmt.Fprint(a.err, eraseLine)
			}
			return
		case <-tick.C:
			width, _, err := term.GetSize(int(a.err.Fd()))
			if err != nil {
				width = 80
			}
			// One cell less than there is: a full line would wrap.
			fmt.Fprint(a.err, eraseLine+text.Truncate(progressLine(snapshot()), width-1))
			drawn = true
		}
	}
}

// progressLine says how far work has come.
func progressLine(s progress.Snapshot) string {
	var parts []string
	if s.Phase != "" {
		parts = append(parts, text.OneLine(s.Phase))
	}
	if s.Layers > 0 {
		parts = append(parts, fmt.Sprintf("layer %d of %d", min(s.LayersDone+1, s.Layers), s.Layers))
	}
	switch {
	case s.Total > 0:
		parts = append(parts, fmt.Sprintf("%s of %s (%s)", text.Size(s.Bytes), text.Size(s.Total), text.Percent(s.Bytes, s.Total)))
	case s.Bytes > 0:
		parts = append(parts, text.Size(s.Bytes))
	}
	return strings.Join(parts, "  ")
}
