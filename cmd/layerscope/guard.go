package main

import (
	"bytes"
	"errors"
	"io"
	"unicode"
	"unicode/utf8"

	"github.com/layerscope/layerscope/analyze/source"
)

// guard passes text on to a terminal and stops at the first thing that could
// do more than print: control characters, which move the cursor or worse,
// bidirectional ones, which reorder what is read, and bytes that aren't UTF-8.
type guard struct {
	w       io.Writer
	open    bool   // everything passes
	refused bool   // something didn't
	held    []byte // the start of a character, or of a line end, to be completed
}

// errRefused says that a guard has stopped.
var errRefused = &source.HintError{
	Err:  errors.New("the file isn't plain text: not writing it to a terminal"),
	Hint: "redirect the output, or use --force",
}

// Write implements io.Writer.
func (g *guard) Write(p []byte) (int, error) {
	if g.open {
		return g.w.Write(p)
	}
	b := append(g.held, p...)
	n := complete(b)
	if !harmless(b[:n]) {
		g.refused = true
		return 0, errRefused
	}
	if _, err := g.w.Write(b[:n]); err != nil {
		return 0, err
	}
	g.held = bytes.Clone(b[n:])
	return len(p), nil
}

// Close says whether the text ended well.
func (g *guard) Close() error {
	if len(g.held) == 0 {
		return nil
	}
	g.refused = true
	return errRefused
}

// complete returns how many bytes of b can be judged without what follows.
func complete(b []byte) int {
	if n := len(b); n > 0 && b[n-1] == '\r' {
		return n - 1
	}
	for n := 1; n < utf8.UTFMax && n <= len(b); n++ {
		if at := len(b) - n; utf8.RuneStart(b[at]) {
			if !utf8.FullRune(b[at:]) {
				return at
			}
			break
		}
	}
	return len(b)
}

// harmless tells whether b is text that a terminal only prints.
func harmless(b []byte) bool {
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		switch {
		case r == '\n', r == '\t':
		case r == '\r' && i+1 < len(b) && b[i+1] == '\n':
		case r == utf8.RuneError && n == 1,
			unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r):
			return false
		}
		i += n
	}
	return true
}
