// Package text is the one way out for text that comes from images: file names,
// labels, commands, tags, errors. Nothing of it reaches a terminal, a report or
// a widget but through [Printable] or, for tview, [Cell]. The package also
// measures and cuts text by terminal cells and writes sizes, counts and times.
package text

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Printable returns s with all that doesn't show as itself made visible:
// control characters, invalid UTF-8, bidirectional controls, zero-width and
// other format characters, odd spaces. They become the escapes that
// [strconv.Quote] writes, without the quotes: \x1b, \u202e, \n. A backslash
// stays a backslash, so the result isn't meant to be read back.
func Printable(s string) string {
	if isPlain(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 16)
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case shows(r):
			b.WriteString(s[i : i+n])
		default:
			q := strconv.QuoteRuneToASCII(r)
			b.WriteString(q[1 : len(q)-1])
		}
		i += n
	}
	return b.String()
}

// Lines is Printable for text that may have several lines and tabs, such as a
// command: newlines stay, a carriage return before one goes, tabs become four
// spaces.
func Lines(s string) string {
	if isPlain(s) {
		return s
	}
	lines := strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
	for i, l := range lines {
		lines[i] = Printable(strings.ReplaceAll(l, "\t", "    "))
	}
	return strings.Join(lines, "\n")
}

// OneLine is Printable for text that may have several lines but is shown on
// one: each run of white space becomes one space, and a backslash that only
// continued a line goes with it.
func OneLine(s string) string {
	s = strings.ReplaceAll(s, "\\\r\n", " ")
	s = strings.ReplaceAll(s, "\\\n", " ")
	return Printable(strings.Join(strings.FieldsFunc(s, func(r rune) bool {
		return r == ' ' || r == '\t' || r == '\n' || r == '\r'
	}), " "))
}

// Cell returns s as a text for tview widgets that parse style tags: Printable,
// and every "[" followed by a tag that does nothing, so that no tag can begin
// in s or be made up of s and what is put next to it. (tview's own Escape
// promises neither.)
func Cell(s string) string { return strings.ReplaceAll(Printable(s), "[", "[[:]") }

// isPlain reports whether s is printable ASCII: most text is.
func isPlain(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// shows reports whether a rune shows as itself. unicode.IsPrint leaves out
// controls, format characters (bidi, zero-width, tags), private use and all
// spaces but the ASCII one. What remains that doesn't show: letters and marks
// that are blank.
func shows(r rune) bool {
	switch r {
	case '\u034f', // combining grapheme joiner
		'\u115f', '\u1160', '\u3164', '\uffa0', // Hangul fillers
		'\u17b4', '\u17b5', // Khmer inherent vowels
		'\u2800': // blank Braille pattern
		return false
	}
	return unicode.IsPrint(r) && !unicode.Is(unicode.Variation_Selector, r)
}
