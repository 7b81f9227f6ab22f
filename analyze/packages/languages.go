package packages

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"regexp"
	"strings"
)

// readPythonMetadata reads the head of a Python distribution's METADATA or
// PKG-INFO (PyPA, "Core metadata specifications").
func readPythonMetadata(body []byte) (name, version string, err error) {
	for line := range bytes.Lines(body) {
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			break // the description follows
		}
		key, value, _ := bytes.Cut(line, []byte(":"))
		switch strings.ToLower(string(key)) {
		case "name":
			name = string(bytes.TrimSpace(value))
		case "version":
			version = string(bytes.TrimSpace(value))
		}
	}
	if name == "" || version == "" {
		return "", "", errors.New("it has no name or no version")
	}
	return name, version, nil
}

// readPythonRecord checks a RECORD (PyPA, "Recording installed projects"): lines
// of three fields, of which the first is a path.
func readPythonRecord(body []byte) (string, error) {
	for line := range bytes.Lines(body) {
		line = bytes.TrimRight(line, "\r\n")
		if _, rest, ok := cutField(string(line)); len(line) > 0 && (!ok || strings.Count(rest, ",") != 1) {
			return "", errors.New("a line of it hasn't three fields")
		}
	}
	return string(body), nil
}

// cutField cuts the first field off a line of comma-separated values.
func cutField(line string) (field, rest string, ok bool) {
	if !strings.HasPrefix(line, `"`) {
		return strings.Cut(line, ",")
	}
	var b strings.Builder
	for line = line[1:]; ; {
		part, after, ok := strings.Cut(line, `"`)
		b.WriteString(part)
		switch {
		case !ok:
			return "", "", false
		case strings.HasPrefix(after, `"`): // a quote is doubled
			b.WriteByte('"')
			line = after[1:]
		default:
			rest, ok = strings.CutPrefix(after, ",")
			return b.String(), rest, ok
		}
	}
}

// recordPaths yields the paths of a RECORD.
func recordPaths(list string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for line := range lines(list) {
			if path, _, _ := cutField(line); path != "" && !yield(path) {
				return
			}
		}
	}
}

// readNpm reads the name and version of a package.json. Both are empty if it
// lacks one: such files are no package's own.
func readNpm(body []byte) (name, version string, err error) {
	var p struct{ Name, Version json.RawMessage }
	if err := json.Unmarshal(bytes.TrimPrefix(body, []byte("\ufeff")), &p); err != nil {
		return "", "", fmt.Errorf("it isn't JSON: %w", err)
	}
	if json.Unmarshal(p.Name, &name) != nil || json.Unmarshal(p.Version, &version) != nil || name == "" || version == "" {
		return "", "", nil
	}
	return name, version, nil
}

// The lines of a gem's specification that name it. RubyGems has written the
// first as a comment since 2.1, for readers that don't run Ruby.
var (
	gemStub    = regexp.MustCompile(`(?m)^# stub: (\S+) (\S+) `)
	gemName    = regexp.MustCompile(`(?m)^\s*s\.name\s*=\s*["']([^"'\n]+)["']`)
	gemVersion = regexp.MustCompile(`(?m)^\s*s\.version\s*=\s*(?:Gem::Version\.new\()?\s*["']([^"'\n]+)["']`)
)

// readGemSpec reads the name and version of a specification that RubyGems
// wrote. That is a program; no other is understood.
func readGemSpec(body []byte) (name, version string, err error) {
	if m := gemStub.FindSubmatch(body); m != nil {
		return string(m[1]), string(m[2]), nil
	}
	n, v := gemName.FindSubmatch(body), gemVersion.FindSubmatch(body)
	if n == nil || v == nil {
		return "", "", errors.New("it doesn't give a name and a version as RubyGems writes them")
	}
	return string(n[1]), string(v[1]), nil
}
