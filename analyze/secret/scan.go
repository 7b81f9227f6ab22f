package secret

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
)

// hit is a secret in a text: the bytes from start to end.
type hit struct {
	start, end int
	name       string
}

// scan finds the secrets in a text of the history: an instruction, or a record
// of one. The hits are in order and don't overlap. It takes time linear in the
// text but for a factor of how many there are.
func scan(text string) []hit {
	hits := assignments(text)
	hits = append(hits, commandHits(text)...)
	for i := range shapes {
		for _, at := range shapes[i].match.FindAllStringIndex(text, -1) {
			if plausible(text[at[0]:at[1]]) {
				hits = append(hits, hit{at[0], at[1], shapes[i].name})
			}
		}
	}
	return merge(hits)
}

// merge puts hits in order and makes one of those that overlap; its name is
// that of the first one found.
func merge(hits []hit) []hit {
	slices.SortStableFunc(hits, func(a, b hit) int { return cmp.Compare(a.start, b.start) })
	var out []hit
	for _, h := range hits {
		if last := len(out) - 1; last >= 0 && h.start < out[last].end {
			out[last].end = max(out[last].end, h.end)
			continue
		}
		out = append(out, h)
	}
	return out
}

// settings is the head of an ENV or ARG, with what docker's first builder and
// buildah put before it.
var settings = regexp.MustCompile(`^(?:\S+ -c #\(nop\)\s+)?(?i:ENV|ARG)\s+`)

// assignments finds NAME=value of which the name says that it is secret.
func assignments(text string) []hit {
	if head := settings.FindString(text); head != "" {
		return variables(text, len(head))
	}
	return matches(text, shellAssignment)
}

var (
	variable    = regexp.MustCompile(`(?:^|\s)([A-Za-z_][A-Za-z0-9_.-]*)=`)
	oldVariable = regexp.MustCompile(`^([A-Za-z_][A-Za-z0-9_.-]*)\s+`)
)

// variables reads an ENV or ARG from an offset on. The builders record values
// without their quotes, so that one may have spaces: it ends where the next
// name is.
func variables(text string, from int) []hit {
	if old := oldVariable.FindStringSubmatch(text[from:]); old != nil {
		return value(nil, text, from+len(old[0]), len(text), old[1]) // ENV NAME value
	}
	var hits []hit
	names := variable.FindAllStringSubmatchIndex(text[from:], -1)
	for i := 0; i < len(names); i++ {
		start, end := from+names[i][1], len(text)
		if q := quoted(text[start:]); q > 0 {
			end = start + q
			for i+1 < len(names) && from+names[i+1][0] < end {
				names = slices.Delete(names, i+1, i+2) // within the quotes
			}
		} else if i+1 < len(names) {
			end = from + names[i+1][0]
		}
		hits = value(hits, text, start, end, text[from+names[i][2]:from+names[i][3]])
	}
	return hits
}

// quoted returns the length of the quoted string that s begins with, 0 if it
// doesn't.
func quoted(s string) int {
	if s == "" || s[0] != '"' && s[0] != '\'' {
		return 0
	}
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == s[0]:
			return i + 1
		case s[i] == '\\' && s[0] == '"':
			i++
		}
	}
	return 0
}

// value adds the value at text[start:end], without quotes and white space
// around it, if it may be a secret of that name.
func value(hits []hit, text string, start, end int, name string) []hit {
	if !secretName(name) {
		return hits
	}
	start, end = trim(text, start, end)
	if start >= end || !plausible(text[start:end]) {
		return hits
	}
	return append(hits, hit{start, end, name})
}

// trim narrows text[start:end] by white space, continued lines and one pair of
// quotes.
func trim(text string, start, end int) (int, int) {
	v := strings.TrimRight(text[start:end], " \t\r\n\\")
	end = start + len(v)
	if n := len(v); n >= 2 && quoted(v) == n {
		return start + 1, end - 1
	}
	return start, end
}

// pattern finds secrets that the text around them tells.
type pattern struct {
	match *regexp.Regexp // with groups "name", unless that is fixed, and "value"
	name  string
	any   bool // whatever the name is
}

// word is a value on a command line: quoted, or up to what ends a word. It
// doesn't begin with a dash: that is the next flag.
const word = `(?P<value>"(?:[^"\\]|\\.)*"|'[^']*'|[^\s;&|()"'<>` + "`" + `-][^\s;&|()"'<>` + "`" + `]*)`

// shellAssignment is NAME=value wherever it stands in a command: in front of
// one, after export, as an argument, in a URL's query or an .npmrc's line.
var shellAssignment = []pattern{
	{match: regexp.MustCompile(`(?:^|[\s;&|("'=:/?])(?P<name>[A-Za-z_][A-Za-z0-9_.-]*)=` + word)},
}

// commandLine are the other ways to give secrets to commands.
var commandLine = []pattern{
	{match: regexp.MustCompile(`(?:^|\s)--(?P<name>[A-Za-z][A-Za-z0-9-]*)(?:=|\s+)` + word)},
	{name: "URL", any: true, match: regexp.MustCompile(`[A-Za-z][A-Za-z0-9+.-]*://[^\s/:@"'<>]*:(?P<value>[^\s/@"'<>]+)@`)},
	{any: true, match: regexp.MustCompile(`(?i)\b(?P<name>(?:proxy-)?authorization)\s*:\s*(?:(?:bearer|basic|token)\s+)?(?P<value>[^\s"';&|]+)`)},
	{any: true, match: regexp.MustCompile(`(?i)\b(?P<name>private-token|job-token|deploy-token|x-api-key|x-auth-token|x-vault-token)\s*:\s*(?P<value>[^\s"';&|]+)`)},
	{name: "chpasswd", any: true, match: regexp.MustCompile(`\b(?:echo|printf)\s+(?:-\w+\s+)*["']?[\w.-]+:(?P<value>[^"'\s|:]+)["']?\s*\|\s*(?:sudo\s+)?chpasswd\b`)},
	{name: "curl --user", any: true, match: regexp.MustCompile(`\bcurl\b[^;&|\n]*?\s(?:-u|--user)[\s=]*["']?[^\s:"'$]+:(?P<value>[^\s"';&|]+)`)},
	{name: "sshpass", any: true, match: regexp.MustCompile(`\bsshpass\s+-p\s*` + word)},
}

// commandHits finds what commandLine tells.
func commandHits(text string) []hit { return matches(text, commandLine) }

func matches(text string, patterns []pattern) []hit {
	var hits []hit
	for _, p := range patterns {
		nameAt, valueAt := p.match.SubexpIndex("name"), p.match.SubexpIndex("value")
		for _, m := range p.match.FindAllStringSubmatchIndex(text, -1) {
			name := p.name
			if name == "" {
				name = text[m[2*nameAt]:m[2*nameAt+1]]
			}
			if !p.any && !secretName(name) {
				continue
			}
			start, end := trim(text, m[2*valueAt], m[2*valueAt+1])
			if v := text[start:end]; plausible(v) && !shellReference.MatchString(v) {
				hits = append(hits, hit{start, end, name})
			}
		}
	}
	return hits
}
