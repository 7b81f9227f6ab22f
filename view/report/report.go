// Package report writes an analyzed image for people and for programs: [Text]
// and [JSON] say where its bytes are, [Markdown] in short and [SARIF] what to do
// about them; [Waste] and [WasteJSON] what it could do without, [Packages] and
// [PackagesJSON] what its packages take; [Tree] and [TreeJSON] list its files;
// [Diff], [DiffJSON] and [DiffMarkdown] say what differs between two.
//
// A report is of a whole image: one that isn't complete is refused, so that a
// part is never taken for the whole. What comes from the image goes through
// view/text, in JSON through escapes: no control character of it reaches the
// writer. The errors returned are those of the writer, wrapped, ErrIncomplete
// and ErrNoPackages.
package report

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/tree"
	"github.com/layerscope/layerscope/view/text"
)

// ErrIncomplete says that an image isn't [analyze.Image.Complete].
var ErrIncomplete = errors.New("the image isn't read completely")

// TextOptions are how a text report looks. The zero value is right for a file
// or a pipe.
type TextOptions struct {
	Width int  // cells a line may take; 0 for any number
	Bytes bool // integers of bytes instead of kB, MB, GB
	ASCII bool // nothing but ASCII; the rest is escaped
}

// style says things the way the options want them.
type style struct{ TextOptions }

// size returns a number of bytes.
func (s style) size(n int64) string {
	switch {
	case n == analyze.Unknown:
		return s.unknown()
	case s.Bytes:
		return text.Bytes(n)
	}
	return text.Size(n)
}

// unknown returns what stands for what isn't known.
func (s style) unknown() string {
	if s.ASCII {
		return "-"
	}
	return text.Unknown
}

// foreign returns text of the image, on one line. An ellipsis, which masks
// secrets, is three dots in ASCII and no escape.
func (s style) foreign(str string) string {
	str = text.OneLine(str)
	if s.ASCII {
		str = strings.ReplaceAll(str, "…", "...")
	}
	return s.ascii(str)
}

// name returns a path or another name of the image, in which every space
// counts.
func (s style) name(str string) string { return s.ascii(text.Printable(str)) }

// ascii escapes what isn't ASCII if that is wanted.
func (s style) ascii(str string) string {
	if !s.ASCII {
		return str
	}
	var b strings.Builder
	for _, r := range str {
		if r < utf8.RuneSelf {
			b.WriteRune(r)
			continue
		}
		q := strconv.QuoteRuneToASCII(r)
		b.WriteString(q[1 : len(q)-1])
	}
	return b.String()
}

// rooted returns a path of the image from its root on.
func rooted(t *tree.Tree, n tree.Node) string { return "/" + t.Path(n) }

// cut cuts a line to the width.
func (s style) cut(line string) string { return s.shorten(line, s.Width, text.Truncate) }

// shorten cuts str to width cells with cut, if there is a width. The ellipsis
// is the only character in it that the options haven't seen.
func (s style) shorten(str string, width int, cut func(string, int) string) string {
	if s.Width == 0 {
		return str
	}
	str = cut(str, width)
	if s.ASCII {
		str = strings.ReplaceAll(str, "…", "~")
	}
	return str
}

// writeAll gives write a buffered w and reports what went wrong with writing.
func writeAll(w io.Writer, write func(*bufio.Writer)) error {
	bw := bufio.NewWriterSize(w, 64<<10)
	write(bw) // a bufio.Writer remembers the first error
	if err := bw.Flush(); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}
