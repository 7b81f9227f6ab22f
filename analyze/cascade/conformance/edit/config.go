package edit

import "strings"

// configKinds are edits of instructions that change the configuration.
var configKinds = []kind{
	valueKind("config-value", "CMD ENTRYPOINT EXPOSE VOLUME HEALTHCHECK STOPSIGNAL MAINTAINER", func(d *document, s *spot) []string {
		last := s.at(s.words[len(s.words)-1])
		switch {
		case s.keyword == "EXPOSE":
			return []string{s.head + " 8099"}
		case s.keyword == "STOPSIGNAL" && last != "SIGQUIT":
			return []string{s.put(s.words[len(s.words)-1], "SIGQUIT")}
		case s.keyword == "HEALTHCHECK" && strings.EqualFold(last, "NONE"):
			return []string{s.put(s.words[len(s.words)-1], "CMD true")}
		case strings.HasSuffix(last, `"]`):
			return []string{strings.TrimSuffix(s.head, `"]`) + `-x"]`}
		case s.json || s.keyword == "STOPSIGNAL":
			return nil
		}
		return []string{s.head + " more"}
	}),
	valueKind("shell", "SHELL", func(d *document, s *spot) []string {
		return []string{s.head[:s.begin()] + `["/bin/sh", "-exc"]`, s.head[:s.begin()] + `["/bin/sh", "-c"]`}
	}),
	valueKind("user", "USER", func(d *document, s *spot) []string {
		v := s.at(s.words[0])
		return []string{s.head[:s.begin()] + other(v), s.head[:s.begin()] + "4321:4321", s.head[:s.begin()] + "root"}
	}),
	valueKind("workdir-path", "WORKDIR", func(d *document, s *spot) []string {
		return []string{s.head[:s.begin()] + other(strings.TrimRight(s.arguments(), "/ \t\r"))}
	}),
	valueKind("workdir-slash", "WORKDIR", func(d *document, s *spot) []string {
		v := strings.TrimSpace(s.arguments())
		if cut, slashed := strings.CutSuffix(v, "/"); slashed && cut != "" {
			return []string{s.head[:s.begin()] + cut}
		}
		return []string{s.head[:s.begin()] + v + "/"}
	}),
	valueKind("workdir-relative", "WORKDIR", func(d *document, s *spot) []string {
		v := strings.TrimSpace(s.arguments())
		if cut, absolute := strings.CutPrefix(v, "/"); absolute {
			if cut == "" {
				return nil
			}
			return []string{s.head[:s.begin()] + cut}
		}
		return []string{s.head[:s.begin()] + "/" + v}
	}),
	valueKind("workdir-root", "WORKDIR", func(d *document, s *spot) []string {
		return []string{s.head[:s.begin()] + "/"}
	}),
	valueKind("workdir-steps", "WORKDIR", func(d *document, s *spot) []string {
		return []string{s.head[:s.begin()] + "/./" + strings.TrimLeft(s.arguments(), "/")}
	}),
}

// valueKind is a kind of edit of an instruction that has arguments; change
// returns the heads that it becomes.
func valueKind(name, keywords string, change func(d *document, s *spot) []string) kind {
	return kind{name, strings.Fields(keywords), func(d *document, s *spot) []string {
		if len(s.words) == 0 {
			return nil
		}
		var texts []string
		for _, head := range change(d, s) {
			texts = append(texts, d.with(s, head))
		}
		return texts
	}}
}
