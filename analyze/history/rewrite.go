package history

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
)

// rewrite gives an instruction's operands back the form they have in a
// Dockerfile. Docker's builders print Go values where the author wrote
// Dockerfile syntax; what can't be told for certain stays as recorded.
func rewrite(name, s string) string {
	switch name {
	case "ADD", "COPY":
		return sources(s)
	case "CMD", "ENTRYPOINT":
		return execForm(s)
	case "EXPOSE":
		return ports(s)
	case "VOLUME":
		return volumes(s)
	case "HEALTHCHECK":
		return healthcheck(s)
	default:
		return s
	}
}

// source is the checksum that stands for what a COPY or ADD copied. Docker
// leaves no space between --chown and it.
var source = regexp.MustCompile(`^(--chown=\S*?)?((?:file|dir|multi):)([0-9a-f]{64})( in |$)`)

// sources shortens that checksum as docker shortens all others:
// "file:ef7d3dc3d2b6 in /". The name of the source is lost.
func sources(s string) string {
	m := source.FindStringSubmatchIndex(s)
	if m == nil {
		return s
	}
	flag := ""
	if m[2] >= 0 {
		flag = s[m[2]:m[3]] + " "
	}
	return flag + s[m[4]:m[5]] + short(s[m[6]:m[7]]) + s[m[8]:]
}

// execForm puts the commas back into ["nginx" "-g" "daemon off;"], a list
// printed with %q.
func execForm(s string) string {
	list, rest, ok := goStrings(s)
	if !ok || rest != "" || json.Valid([]byte(s)) {
		return s
	}
	return jsonList(list)
}

// goStrings reads a list of strings printed with %q off the start of s.
func goStrings(s string) (list []string, rest string, ok bool) {
	s, ok = strings.CutPrefix(s, "[")
	for ok {
		if rest, ok := strings.CutPrefix(s, "]"); ok {
			return list, rest, true
		}
		if !strings.HasPrefix(s, `"`) {
			break // 'x' is a character
		}
		var item string
		if item, s, ok = goString(s); ok {
			list = append(list, item)
			s = strings.TrimPrefix(s, " ")
		}
	}
	return nil, s, false
}

// goString reads one string or character printed with %q off the start of s.
func goString(s string) (item, rest string, ok bool) {
	quoted, err := strconv.QuotedPrefix(s)
	if err != nil {
		return "", s, false
	}
	item, err = strconv.Unquote(quoted)
	return item, s[len(quoted):], err == nil
}

// jsonList writes the exec form.
func jsonList(list []string) string {
	items := make([]string, len(list))
	for i, item := range list {
		items[i] = jsonString(item)
	}
	return "[" + strings.Join(items, ", ") + "]"
}

// jsonString quotes s with no more escapes than JSON needs: json.Marshal would
// make "&&" "\u0026\u0026".
func jsonString(s string) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // a string always encodes, and a Builder always writes
	return strings.TrimSuffix(b.String(), "\n")
}

var portMap = regexp.MustCompile(`^map\[(.*)\]$`)

// ports rewrites map[443/tcp:{} 80/tcp:{}] and [443/tcp 80/tcp].
func ports(s string) string {
	if m := portMap.FindStringSubmatch(s); m != nil {
		return strings.ReplaceAll(m[1], ":{}", "")
	}
	return unbracket(s)
}

// volumes rewrites [/data /log], printed with %v, but not the author's own
// ["/data"].
func volumes(s string) string {
	if strings.HasPrefix(s, `["`) {
		return s
	}
	return unbracket(s)
}

func unbracket(s string) string {
	if inner, ok := strings.CutPrefix(s, "["); ok {
		if inner, ok := strings.CutSuffix(inner, "]"); ok && inner != "" {
			return inner
		}
	}
	return s
}

// healthcheck rewrites a Go struct printed with %q:
//
//	&{["CMD-SHELL" "curl -f localhost"] "30s" "3s" "0s" "0s" '\x03'}
//
// that is the test, the durations by name below and the retries. Docker had two
// durations first, then three (17.05), then four (25).
func healthcheck(s string) string {
	inner, ok := strings.CutPrefix(s, "&{")
	if !ok {
		return s
	}
	test, rest, ok := goStrings(inner)
	if !ok || len(test) == 0 {
		return s
	}
	var values []string
	for rest != "}" {
		var v string
		if v, rest, ok = goString(strings.TrimPrefix(rest, " ")); !ok {
			return s
		}
		values = append(values, v)
	}
	return checkForm(s, test, values)
}

var checkFlags = map[int][]string{
	3: {"interval", "timeout"},
	4: {"interval", "timeout", "start-period"},
	5: {"interval", "timeout", "start-period", "start-interval"},
}

// checkForm writes HEALTHCHECK's operands, or as recorded if the values aren't
// as expected.
func checkForm(recorded string, test, values []string) string {
	names, ok := checkFlags[len(values)]
	if !ok {
		return recorded
	}
	var b strings.Builder
	for i, name := range names {
		if values[i] != "0s" {
			b.WriteString("--" + name + "=" + values[i] + " ")
		}
	}
	if n := []rune(values[len(names)]); len(n) == 1 && n[0] != 0 {
		b.WriteString("--retries=" + strconv.Itoa(int(n[0])) + " ")
	}
	switch {
	case test[0] == "NONE":
		return "NONE"
	case test[0] == "CMD-SHELL" && len(test) == 2:
		return b.String() + "CMD " + test[1]
	case test[0] == "CMD":
		return b.String() + "CMD " + jsonList(test[1:])
	default:
		return recorded
	}
}

// setShell reads a SHELL record and remembers what it sets. Docker prints the
// list with %v, which loses where its words end; the config settles that if it
// is the same list.
func (d *decoder) setShell(s *Step, operands string) {
	var list []string
	if json.Unmarshal([]byte(operands), &list) == nil {
		d.shells = []string{strings.Join(list, " ")}
		return
	}
	joined := unbracket(operands)
	d.shells = []string{joined}
	if len(d.shell) > 0 && joined == strings.Join(d.shell, " ") {
		s.Text = "SHELL " + jsonList(d.shell)
	}
}
