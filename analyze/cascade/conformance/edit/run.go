package edit

import (
	"encoding/json"
	"strings"
)

// runKinds are edits of a RUN that aren't of its heredocs and mounts. CMD and
// ENTRYPOINT have the same two forms.
var runKinds = []kind{
	{"run-append", []string{"RUN"}, func(d *document, s *spot) []string {
		switch {
		case s.body != "":
			return nil
		case s.json:
			return d.list(s, func(words []string) []string { return append(words, "more") })
		}
		return []string{d.with(s, strings.TrimRight(s.head, " \t\r\n")+" && true")}
	}},
	{"run-prepend", []string{"RUN"}, func(d *document, s *spot) []string {
		if s.json || s.body != "" || len(s.words) == 0 {
			return nil
		}
		return []string{d.with(s, s.head[:s.begin()]+"true && "+s.arguments())}
	}},
	{"run-space", []string{"RUN", "CMD", "ENTRYPOINT"}, func(d *document, s *spot) []string {
		if len(s.words) < 2 {
			return nil
		}
		return []string{d.with(s, s.head[:s.words[1].start]+" "+s.head[s.words[1].start:])}
	}},
	{"run-flag-space", []string{"RUN", "COPY", "ADD"}, func(d *document, s *spot) []string {
		if len(s.flags) == 0 {
			return nil
		}
		return []string{d.with(s, s.head[:s.begin()]+" "+s.arguments())}
	}},
	{"run-form", []string{"RUN", "CMD", "ENTRYPOINT"}, func(d *document, s *spot) []string {
		switch {
		case s.body != "" || len(s.words) == 0:
			return nil
		case s.json:
			var words []string
			if json.Unmarshal([]byte(s.joined(d)), &words) != nil {
				return nil
			}
			return []string{d.with(s, s.head[:s.begin()]+strings.Join(words, " "))}
		}
		return []string{d.with(s, s.head[:s.begin()]+list("/bin/sh", "-c", s.joined(d)))}
	}},
	{"run-to-heredoc", []string{"RUN"}, func(d *document, s *spot) []string {
		if s.body != "" || s.json || len(s.words) == 0 {
			return nil
		}
		return []string{d.whole(s, s.head[:s.begin()]+"<<COMMANDS", s.joined(d)+"\nCOMMANDS\n")}
	}},
	flagKind("run-network-add", "RUN", "network", []string{"--network=none", "--network=host", "--network=default"}, nil),
	flagKind("run-network-change", "RUN", "network", nil, func(v string) []string { return []string{"none", "host", "default"} }),
	flagKind("run-network-drop", "RUN", "network", nil, dropped),
	flagKind("run-security-add", "RUN", "security", []string{"--security=insecure", "--security=sandbox"}, nil),
	flagKind("run-security-change", "RUN", "security", nil, func(v string) []string { return []string{"insecure", "sandbox"} }),
	flagKind("run-security-drop", "RUN", "security", nil, dropped),
}

// joined is the arguments as one line, comments and continuations taken out, as
// BuildKit does.
func (s *spot) joined(d *document) string {
	var b strings.Builder
	for i, line := range strings.Split(s.arguments(), "\n") {
		if t := strings.TrimSpace(line); i > 0 && (t == "" || strings.HasPrefix(t, "#")) {
			continue
		}
		rest := strings.TrimRight(line, " \t\r")
		if cut, continued := strings.CutSuffix(rest, d.escape); continued {
			rest = cut
		}
		b.WriteString(rest)
	}
	return b.String()
}

// list returns words as a JSON list.
func list(words ...string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(words)
	return strings.TrimSpace(b.String())
}

// list returns the text with an instruction's JSON list changed.
func (d *document) list(s *spot, change func([]string) []string) []string {
	var words []string
	if !s.json || json.Unmarshal([]byte(s.joined(d)), &words) != nil {
		return nil
	}
	return []string{d.with(s, s.head[:s.begin()]+list(change(words)...))}
}

// dropped is the change of a flag that takes it away.
func dropped(string) []string { return nil }

// flagKind is a kind of edit of a flag: each of add put there where there is
// none, or each that there is changed to the values that change returns, or
// dropped if those are nil.
func flagKind(name, keywords, flag string, add []string, change func(value string) []string) kind {
	return kind{name, strings.Fields(keywords), func(d *document, s *spot) []string {
		var texts []string
		have := s.flag(flag)
		if change == nil {
			if len(have) == 0 && len(s.words) > 0 {
				for _, f := range add {
					texts = append(texts, d.with(s, s.withFlag(f)))
				}
			}
			return texts
		}
		for _, f := range have {
			_, value, _ := strings.Cut(s.at(f), "=")
			values := change(value)
			if values == nil {
				texts = append(texts, d.with(s, s.without(f)))
			}
			for _, v := range values {
				texts = append(texts, d.with(s, s.put(f, "--"+flag+"="+v)))
			}
		}
		return texts
	}}
}

// heredocKinds are edits of a heredoc of a RUN, COPY or ADD.
var heredocKinds = []kind{
	heredocKind("heredoc-body", func(d *document, s *spot) (string, string) { return s.head, "echo more\n" + s.body }),
	heredocKind("heredoc-comment", func(d *document, s *spot) (string, string) { return s.head, "# a note\n" + s.body }),
	heredocKind("heredoc-blank", func(d *document, s *spot) (string, string) { return s.head, "\n" + s.body }),
	heredocKind("heredoc-trailing-space", func(d *document, s *spot) (string, string) {
		if s.heredocs[0].Content == "" {
			return s.head, s.body
		}
		line, rest, _ := strings.Cut(s.body, "\n")
		return s.head, line + "  \n" + rest
	}),
	heredocKind("heredoc-tab", func(d *document, s *spot) (string, string) { return s.head, "\t" + s.body }),
	heredocKind("heredoc-chomp", func(d *document, s *spot) (string, string) {
		if strings.Contains(s.head, "<<-") {
			return strings.Replace(s.head, "<<-", "<<", 1), s.body
		}
		return strings.Replace(s.head, "<<", "<<-", 1), s.body
	}),
	heredocKind("heredoc-quote", func(d *document, s *spot) (string, string) {
		name := s.heredocs[0].Name
		for _, quote := range []string{`"`, `'`} {
			if strings.Contains(s.head, quote+name+quote) {
				return strings.Replace(s.head, quote+name+quote, name, 1), s.body
			}
		}
		return strings.Replace(s.head, name, `"`+name+`"`, 1), s.body
	}),
	heredocKind("heredoc-delimiter", func(d *document, s *spot) (string, string) {
		name := s.heredocs[0].Name
		lines := strings.SplitAfter(s.body, "\n")
		at := strings.Count(s.heredocs[0].Content, "\n")
		lines[at] = strings.Replace(lines[at], name, name+"X", 1)
		return strings.Replace(s.head, name, name+"X", 1), strings.Join(lines, "")
	}),
}

func heredocKind(name string, change func(d *document, s *spot) (head, body string)) kind {
	return kind{name, []string{"RUN", "COPY", "ADD"}, func(d *document, s *spot) []string {
		if len(s.heredocs) == 0 {
			return nil
		}
		head, body := change(d, s)
		return []string{d.whole(s, head, body)}
	}}
}
