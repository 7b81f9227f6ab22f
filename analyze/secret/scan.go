package secret

import (
	"cmp"
	"iter"
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
// text, and little where nothing looks like a secret.
func scan(text string) []hit {
	hits := assignments(text)
	hits = append(hits, flags(text)...)
	hits = append(hits, urls(text)...)
	hits = append(hits, toolHits(text, strings.ToLower(text))...)
	for i := range shapes {
		s := &shapes[i]
		if !strings.Contains(text, s.start) {
			continue
		}
		for _, at := range s.match.FindAllStringIndex(text, -1) {
			if plausible(text[at[0]:at[1]]) {
				hits = append(hits, hit{at[0], at[1], s.name})
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

// assignments finds NAME=value of which the name says that it is secret. The
// value of a variable may have such in it, as connection strings do.
func assignments(text string) []hit {
	var hits []hit
	if head := settings.FindString(text); head != "" {
		hits = variables(text, len(head))
	}
	return append(hits, shellAssignments(text)...)
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
	for i := 0; i < len(names); {
		at := names[i]
		start, end := from+at[1], len(text)
		i++
		if q := quoted(text[start:]); q > 0 {
			end = start + q
			for i < len(names) && from+names[i][0] < end {
				i++ // no name: it is within the quotes
			}
		} else if i < len(names) {
			end = from + names[i][0]
		}
		hits = value(hits, text, start, end, text[from+at[2]:from+at[3]])
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

// word is a value on a command line: quoted, or up to what ends a word. It
// doesn't begin with a dash: that is the next flag.
const word = `(?P<value>"(?:[^"\\]|\\.)*"|'[^']*'|[^\s;&|()"'<>` + "`" + `-][^\s;&|()"'<>` + "`" + `]*)`

// netrcWord is a value within quotes of a shell's, perhaps before a \n.
const netrcWord = `(?P<value>[^\s"'\\]+)`

var (
	firstWord = regexp.MustCompile(`^` + word)
	// userinfo is what follows the scheme of a URL with a password, userToken
	// of one that may have a token instead of a user.
	userinfo  = regexp.MustCompile(`^://[^\s/:@"'<>]*:(?P<value>[^\s/@"'<>]+)@`)
	userToken = regexp.MustCompile(`^://(?P<value>[^\s/:@"'<>]{16,})@`)
)

// shellAssignments finds NAME=value wherever it stands in a command: in front
// of one, after export, as an argument (-Dname=value), in a URL's query, an
// .npmrc's line.
func shellAssignments(text string) []hit {
	var hits []hit
	for eq := range indexes(text, "=") {
		start := eq
		for start > 0 && isNameByte(text[start-1]) {
			start--
		}
		name := strings.TrimLeft(text[start:eq], "-")
		if name == "" || !isLetter(name[0]) || start > 0 && !strings.ContainsRune(" \t\r\n;&|(\"'=:/?", rune(text[start-1])) || !secretName(name) {
			continue
		}
		hits = inCommand(hits, text, eq+1, firstWord, name)
	}
	return hits
}

// flags finds --name value and --name=value, also as words of a JSON form:
// ["app","--name=value"], ["app" "--name" "value"].
func flags(text string) []hit {
	var hits []hit
	for at := range indexes(text, "--") {
		listed := at > 0 && text[at-1] == '"'
		if at > 0 && !listed && !isSpace(text[at-1]) {
			continue
		}
		start := at + len("--")
		end := start
		for end < len(text) && isNameByte(text[end]) {
			end++
		}
		if start == end || !isLetter(text[start]) || !secretName(text[start:end]) {
			continue
		}
		if listed {
			hits = inList(hits, text, end, text[start:end])
			continue
		}
		from := end
		for from < len(text) && isSpace(text[from]) {
			from++
		}
		if from == end {
			if from == len(text) || text[from] != '=' {
				continue
			}
			from++
		}
		hits = inCommand(hits, text, from, firstWord, text[start:end])
	}
	return hits
}

// wordInList is what follows a flag's name in a JSON form: the rest of its word, or
// the next word. Builders record the words with commas or without.
var wordInList = regexp.MustCompile(`^(?:=|"[\s,]+")(?P<value>(?:[^"\\-]|\\.)(?:[^"\\]|\\.)*)"`)

// inList adds the value of a flag that is a word of a JSON form.
func inList(hits []hit, text string, from int, name string) []hit {
	return inCommand(hits, text, from, wordInList, name)
}

// urls finds the passwords of URLs, and users that are tokens by their looks.
func urls(text string) []hit {
	var hits []hit
	for at := range indexes(text, "://") {
		hits = inCommand(hits, text, at, userinfo, "URL")
		for _, h := range inCommand(nil, text, at, userToken, "URL") {
			if mixed(text[h.start:h.end]) {
				hits = append(hits, h)
			}
		}
	}
	return hits
}

// inCommand adds what is in the group "value" of a match at an offset, if it
// may be a secret and doesn't just refer to one.
func inCommand(hits []hit, text string, from int, match *regexp.Regexp, name string) []hit {
	m := match.FindStringSubmatchIndex(text[from:])
	if m == nil {
		return hits
	}
	at := 2 * match.SubexpIndex("value")
	return inWord(hits, text, from+m[at], from+m[at+1], name)
}

// inWord adds what a word of a command is, if it may be a secret and doesn't just
// refer to one.
func inWord(hits []hit, text string, start, end int, name string) []hit {
	start, end = trim(text, start, end)
	if v := text[start:end]; plausible(v) && !shellReference.MatchString(v) {
		hits = append(hits, hit{start, end, name})
	}
	return hits
}

// indexes yields where sep is in a text.
func indexes(text, sep string) iter.Seq[int] {
	return func(yield func(int) bool) {
		for at := 0; ; at += len(sep) {
			i := strings.Index(text[at:], sep)
			if i < 0 || !yield(at+i) {
				return
			}
			at += i
		}
	}
}

func isLetter(c byte) bool { return c == '_' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' }

func isNameByte(c byte) bool { return isLetter(c) || '0' <= c && c <= '9' || c == '-' || c == '.' }

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// tool is a way to give a secret to one command.
type tool struct {
	name  string         // "" for the group "name" of the match
	words []string       // in lower case: without one of them there is no match
	match *regexp.Regexp // with a group "value"
}

var tools = []tool{
	{"", []string{"authorization"}, regexp.MustCompile(`(?i)\b(?P<name>(?:proxy-)?authorization)\s*:\s*(?:(?:bearer|basic|token)\s+)?(?P<value>[^\s"';&|]+)`)},
	{"", []string{"-token", "-api-key"}, regexp.MustCompile(`(?i)\b(?P<name>private-token|job-token|deploy-token|x-api-key|x-auth-token|x-vault-token)\s*:\s*(?P<value>[^\s"';&|]+)`)},
	{"chpasswd", []string{"chpasswd"}, regexp.MustCompile(`\b(?:echo|printf)\s+(?:-\w+\s+)*["']?[\w.-]+:(?P<value>[^"'\s|:]+)["']?\s*\|\s*(?:sudo\s+)?chpasswd\b`)},
	{"curl --user", []string{"curl"}, regexp.MustCompile(`\bcurl\b[^;&|\n]*?\s(?:-u|--user)[\s=]*["']?[^\s:"'$]+:(?P<value>[^\s"';&|]+)`)},
	{"mysql --password", []string{"mysql", "mariadb"}, regexp.MustCompile(`(?:^|[\s;&|(])(?:mysql|mariadb)(?:-?admin|-?dump)?\s(?:[^;&|\n]*?\s)?-p` + word)},
	{"login --password", []string{"login"}, regexp.MustCompile(`\b(?:docker|podman|buildah|skopeo|nerdctl|helm|oras|crane)\s+(?:auth\s+|registry\s+)?login\s(?:[^;&|\n]*?\s)?-p[\s=]*` + word)},
	{"netrc", []string{"machine"}, regexp.MustCompile(`\bmachine\s+\S+\s+login\s+\S+\s+password\s+` + netrcWord)},
	{"", []string{"_auth", "_password"}, regexp.MustCompile(`:(?P<name>_authToken|_auth|_password)\s+` + word)},
	{"", []string{"aws_se"}, regexp.MustCompile(`\baws\s+configure\s+set\s+(?P<name>aws_secret_access_key|aws_session_token)\s+` + word)},
	{"sshpass", []string{"sshpass"}, regexp.MustCompile(`\bsshpass\s+-p\s*` + word)},
}

// toolHits finds what tools are given. Lower is the text in lower case.
func toolHits(text, lower string) []hit {
	var hits []hit
	for _, p := range tools {
		if !slices.ContainsFunc(p.words, func(w string) bool { return strings.Contains(lower, w) }) {
			continue
		}
		for _, m := range p.match.FindAllStringSubmatchIndex(text, -1) {
			name, at := p.name, 2*p.match.SubexpIndex("value")
			if name == "" {
				n := 2 * p.match.SubexpIndex("name")
				name = text[m[n]:m[n+1]]
			}
			hits = inWord(hits, text, m[at], m[at+1], name)
		}
	}
	return hits
}
