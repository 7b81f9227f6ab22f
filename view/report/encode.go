package report

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/view/text"
)

// schemaVersion is the version of the JSON that docs/json.md describes. It
// changes when a key goes or changes its meaning, not when one is added.
const schemaVersion = "1"

// Tool is the program that wrote a report, as its JSON names it.
type Tool struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// encode returns v in JSON, indented if indent isn't "", without a newline at
// the end. Strings that aren't UTF-8 get U+FFFD, and whatever wouldn't show as
// itself on a terminal becomes an escape.
func encode(v any, indent string) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // commands are full of && and >
	e.SetIndent("", indent)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("encoding JSON: %w", err)
	}
	return escape(bytes.TrimRight(b.Bytes(), "\n")), nil
}

// escape makes \u escapes of the runes that aren't ASCII and that
// [text.Printable] escapes: C1 and bidirectional controls, zero-width
// characters. (The rest of the controls the encoder escapes; DEL it doesn't.)
// In JSON such runes stand in strings only, so a reader gets the same string.
func escape(b []byte) []byte {
	out := b[:0:0]
	from := 0
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if (r >= utf8.RuneSelf || r == 0x7f) && text.Printable(string(r)) != string(r) {
			out = appendEscape(append(out, b[from:i]...), r)
			from = i + n
		}
		i += n
	}
	if from == 0 {
		return b
	}
	return append(out, b[from:]...)
}

func appendEscape(b []byte, r rune) []byte {
	if r1, r2 := utf16.EncodeRune(r); r1 != utf8.RuneError {
		return fmt.Appendf(b, `\u%04x\u%04x`, r1, r2)
	}
	return fmt.Appendf(b, `\u%04x`, r)
}

// writeJSON writes v, indented, on lines of its own.
func writeJSON(w io.Writer, v any) error {
	b, err := encode(v, "  ")
	if err != nil {
		return err
	}
	return write(w, append(b, '\n'))
}

// write writes b and reports what went wrong with writing.
func write(w io.Writer, b []byte) error {
	if _, err := w.Write(b); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}

// nullable returns nil, null in JSON, for the zero value.
func nullable[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

// nullBytes returns null for a number of bytes that isn't known.
func nullBytes(n int64) *int64 {
	if n == analyze.Unknown {
		return nil
	}
	return &n
}

// nullTime returns the time as RFC 3339 has it; null for none, and for one
// beyond the years that RFC 3339 can say, as a tar may give.
func nullTime(t time.Time) *string {
	t = t.UTC()
	if t.IsZero() || t.Year() < 0 || t.Year() > 9999 {
		return nil
	}
	return nullable(t.Format(time.RFC3339Nano))
}

// pathJSON stands among the keys of what has a path.
type pathJSON struct {
	Path       string  `json:"path"`
	PathBase64 *string `json:"pathBase64,omitempty"`
}

func newPathJSON(path string) pathJSON { return pathJSON{path, nullBase64(path)} }

// nullBase64 returns the bytes of a string that JSON can't hold, null for
// others.
func nullBase64(s string) *string {
	if utf8.ValidString(s) {
		return nil
	}
	return nullable(base64.StdEncoding.EncodeToString([]byte(s)))
}
