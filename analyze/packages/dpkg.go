package packages

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"strings"
)

// The errors of text that isn't as its format wants it.
var (
	errCut     = errors.New("it is cut short: its last line has no end")
	errNoName  = errors.New("it names no package")
	errNoField = errors.New("a line of it is no field")
)

// readParagraphs reads a database that is text, each paragraph of which is a
// package.
func readParagraphs(r *Reader, body []byte, parse func([]byte) (*record, error)) ([]*record, error) {
	if len(body) > 0 && body[len(body)-1] != '\n' {
		return nil, errCut
	}
	var recs []*record
	for p := range paragraphs(body) {
		rec, err := r.record(p, parse)
		if err != nil {
			return nil, err
		}
		recs = append(recs, rec)
	}
	return recs, nil
}

// paragraphs yields the parts of a text between empty lines.
func paragraphs(body []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		start, at := 0, 0
		for line := range bytes.Lines(body) {
			end := at + len(line)
			if len(bytes.TrimSpace(line)) == 0 {
				if at > start && !yield(body[start:at]) {
					return
				}
				start = end
			}
			at = end
		}
		if at > start {
			yield(body[start:at])
		}
	}
}

// parseDpkgRecord reads a paragraph of dpkg's status file (deb822(5), dpkg(1)):
// fields. It is as strict as dpkg is, of what matters here.
func parseDpkgRecord(p []byte) (*record, error) {
	rec := new(record)
	configVersion := ""
	for line := range bytes.Lines(p) {
		if line[0] == ' ' || line[0] == '\t' || line[0] == '#' {
			continue // goes on with the field before
		}
		field, value, ok := bytes.Cut(line, []byte(":"))
		if !ok {
			return nil, errNoField
		}
		value = bytes.TrimSpace(value)
		switch strings.ToLower(string(field)) {
		case "package":
			rec.name = string(value)
		case "version":
			rec.version = string(value)
		case "config-version":
			configVersion = string(value)
		case "architecture":
			rec.arch = string(value)
		case "status":
			rec.gone = bytes.HasSuffix(value, []byte(" not-installed"))
		}
	}
	if rec.name == "" {
		return nil, errNoName
	}
	if rec.version == "" {
		rec.version = configVersion // only its configuration is left
	}
	return rec, nil
}

// readLines reads a list, each line of which has an end, as dpkg wants it.
func readLines(body []byte) (string, error) {
	if len(body) > 0 && body[len(body)-1] != '\n' {
		return "", errCut
	}
	return string(body), nil
}

// lines yields the lines of a list without their ends.
func lines(list string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for line := range strings.Lines(list) {
			if line = strings.TrimRight(line, "\r\n"); line != "" && !yield(line) {
				return
			}
		}
	}
}

// sumPaths yields the paths of a list of MD5 sums: "SUM  PATH".
func sumPaths(list string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for line := range lines(list) {
			_, path, _ := strings.Cut(line, " ")
			if path = strings.TrimLeft(path, " *"); path != "" && !yield(path) {
				return
			}
		}
	}
}

// diversion is a path that a package moved the others' file away from.
type diversion struct {
	to, by string
}

// readDiversions reads dpkg's diversions (dpkg-divert(1)): three lines each,
// from, to and the package, or ":" for the administrator.
func readDiversions(list string) (map[string]diversion, error) {
	ds := map[string]diversion{}
	var part [3]string
	n := 0
	for line := range lines(list) {
		part[n%3] = line
		if n++; n%3 == 0 {
			ds[part[0]] = diversion{part[1], part[2]}
		}
	}
	if n%3 != 0 {
		return nil, fmt.Errorf("it has %d lines, not three for each diversion", n)
	}
	return ds, nil
}
