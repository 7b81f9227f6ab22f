package buildlog

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"regexp"
	"strings"
)

// The most bytes of a line that are kept: one with a JSON object is read as a
// whole, of others the beginning is enough.
const (
	maxLine = 64 << 10
	maxJSON = 8 << 20
)

// line is one line of a log.
type line struct {
	text string // without the time in front of it, escape sequences and what ends it
	at   stamp
}

// A reader makes steps of the lines of one format. All of them are shown every
// line: what else a log holds may look like another's.
type textReader interface {
	line(line) error
	// finish is called once after the last line, and returns what was read and
	// how much of the log was in this format.
	finish() (rec *record, marks int)
}

// readText reads a log of lines, in the format that has the most of it.
func readText(ctx context.Context, r *bufio.Reader) (*Log, error) {
	// PowerShell writes UTF-16 to a file.
	r = bufio.NewReaderSize(utf16Reader(r), bufferSize)
	if head, err := r.Peek(tarBlock); bytes.IndexByte(head, 0) >= 0 {
		return nil, NotLogError{}
	} else if err != nil && !isEnd(err) {
		return nil, err
	}
	readers := []struct {
		Format
		textReader
	}{{RawJSON, &rawReader{}}, {Plain, &plainReader{}}, {Classic, &serialReader{dialect: classic}}, {Buildah, &serialReader{dialect: buildah}}}
	ended, err := eachLine(ctx, r, func(l line) error {
		for _, t := range readers {
			if err := t.line(l); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var log *Log
	most := 0
	for _, t := range readers {
		if rec, marks := t.finish(); marks > most {
			log, most = &rec.log, marks
			log.Format = t.Format
		}
	}
	if log == nil {
		return nil, NotLogError{}
	}
	log.Truncated = log.Truncated || !ended
	return log, nil
}

// eachLine calls f with the lines. It tells whether the log ended where its
// compression says so.
func eachLine(ctx context.Context, r *bufio.Reader, f func(line) error) (ended bool, err error) {
	var clock clock
	for {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		text, err := readLine(r)
		if err != nil && !isEnd(err) {
			return false, err
		}
		if err != nil && len(text) == 0 {
			return err == io.EOF, nil
		}
		var l line
		l.at, l.text = clock.cut(clean(string(text)))
		if ferr := f(l); ferr != nil {
			return false, ferr
		}
		if err != nil {
			return err == io.EOF, nil
		}
	}
}

// readLine reads a line without its end, of a long one the beginning.
func readLine(r *bufio.Reader) (text []byte, err error) {
	for {
		part, err := r.ReadSlice('\n')
		most := maxLine
		if len(text) > 0 && isObject(text) || len(text) == 0 && isObject(part) {
			most = maxJSON
		}
		keep := min(len(part), most-len(text))
		text = append(text, part[:max(keep, 0)]...)
		if err != bufio.ErrBufferFull {
			return bytes.TrimSuffix(text, []byte("\n")), err
		}
	}
}

// isObject tells whether there is a JSON object in a line, behind a time maybe.
func isObject(b []byte) bool { return bytes.Contains(b[:min(len(b), 256)], []byte(`{"`)) }

// escapes are terminals' sequences (ECMA-48): colours and titles.
var escapes = regexp.MustCompile("\x1b(?:\\[[0-?]*[ -/]*[@-~]|\\][^\x07\x1b]*(?:\x07|\x1b\\\\)|[@-Z\\\\^_])")

// clean takes escape sequences and the rest of a line's end off.
func clean(s string) string {
	if strings.IndexByte(s, '\x1b') >= 0 {
		s = escapes.ReplaceAllString(s, "")
	}
	return strings.TrimRight(s, "\r")
}
