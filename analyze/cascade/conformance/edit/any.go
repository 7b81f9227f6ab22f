package edit

import (
	"strings"
)

// anyKinds are edits of any instruction.
var anyKinds = []kind{
	{"comment-before", nil, func(d *document, s *spot) []string { return []string{d.before(s, "# a note")} }},
	{"blank-before", nil, func(d *document, s *spot) []string { return []string{d.before(s, "")} }},
	{"trailing-space", nil, func(d *document, s *spot) []string {
		return []string{d.with(s, strings.TrimSuffix(s.head, "\r")+"  ")}
	}},
	{"keyword-case", nil, func(d *document, s *spot) []string {
		word := strings.ToLower(s.key())
		if word == s.key() {
			word = strings.ToUpper(word)
		}
		return []string{d.with(s, s.put(s.kw, word))}
	}},
	{"indent", nil, func(d *document, s *spot) []string { return []string{d.with(s, "  "+s.head)} }},
	{"space-after-keyword", nil, func(d *document, s *spot) []string {
		return []string{d.with(s, s.put(s.kw, s.key()+" "))}
	}},
	{"delete", nil, func(d *document, s *spot) []string { return []string{d.splice(s.start, s.end, nil)} }},
	{"duplicate", nil, func(d *document, s *spot) []string { return []string{d.after(s, d.raw(s)...)} }},
	{"swap", nil, func(d *document, s *spot) []string {
		next := d.next(s)
		if next == nil || s.keyword == "FROM" {
			return nil
		}
		return []string{d.swap(s, next)}
	}},
	{"continuation-comment", nil, func(d *document, s *spot) []string { return d.inside(s, "# a note", false) }},
	{"continuation-blank", nil, func(d *document, s *spot) []string { return d.inside(s, "", false) }},
	{"continuation-reindent", nil, func(d *document, s *spot) []string { return d.inside(s, "  ", true) }},
	{"split-line", nil, func(d *document, s *spot) []string { return d.split(s, " "+d.escape+"\n") }},
	{"split-line-indented", nil, func(d *document, s *spot) []string { return d.split(s, " "+d.escape+"\n    ") }},
}

// swap returns the text with two instructions, one after the other, swapped.
// What stands between them stays there.
func (d *document) swap(s, next *spot) string {
	var lines []string
	lines = append(lines, d.raw(next)...)
	lines = append(lines, d.lines[s.end:next.start-1]...)
	lines = append(lines, d.raw(s)...)
	return d.splice(s.start, next.end, lines)
}

// inside returns the text with a line more after an instruction's first that is
// continued, or with that line's continuation indented.
func (d *document) inside(s *spot, text string, indent bool) []string {
	first, rest, found := strings.Cut(s.head, "\n")
	if !found {
		return nil
	}
	if !indent {
		text += "\n"
	}
	return []string{d.with(s, first+"\n"+text+rest)}
}

// split returns the text with the line broken before an instruction's last word
// that a single space stands before: what is broken so is the same word by word.
func (d *document) split(s *spot, by string) []string {
	for i := len(s.words) - 1; i > 0; i-- {
		a, b := s.words[i-1], s.words[i]
		if s.head[a.end:b.start] == " " {
			return []string{d.with(s, s.head[:a.end]+by+s.head[b.start:])}
		}
	}
	return nil
}

// insertKinds put an instruction after another.
var insertKinds = []kind{
	inserted("insert-run", "RUN echo inserted"),
	inserted("insert-env", "ENV INSERTED=1"),
	inserted("insert-arg", "ARG INSERTED"),
	inserted("insert-arg-default", "ARG INSERTED=1"),
	inserted("insert-arg-platform", "ARG TARGETARCH"),
	inserted("insert-arg-epoch", "ARG SOURCE_DATE_EPOCH"),
	inserted("insert-arg-proxy", "ARG HTTP_PROXY=http://proxy.invalid"),
	inserted("insert-label", "LABEL inserted=1"),
	inserted("insert-workdir", "WORKDIR /inserted"),
	inserted("insert-workdir-relative", "WORKDIR inserted"),
	inserted("insert-user", "USER 1234"),
	inserted("insert-shell", `SHELL ["/bin/sh", "-ec"]`),
	inserted("insert-heredoc", "COPY <<INSERTED /inserted", "text", "INSERTED"),
	inserted("insert-onbuild", "ONBUILD RUN echo inserted"),
}

func inserted(name string, lines ...string) kind {
	return kind{name, nil, func(d *document, s *spot) []string {
		if s.stage < 0 && !strings.HasPrefix(lines[0], "ARG") {
			return nil
		}
		return []string{d.after(s, lines...)}
	}}
}

// fileKinds are edits of the whole text.
var fileKinds = []fileKind{
	{"comment-at-end", func(d *document) []string {
		return []string{strings.TrimSuffix(d.text, "\n") + "\n# the end\n"}
	}},
	{"no-final-newline", func(d *document) []string { return []string{strings.TrimRight(d.text, "\r\n")} }},
	{"crlf", func(d *document) []string {
		return []string{strings.ReplaceAll(strings.ReplaceAll(d.text, "\r\n", "\n"), "\n", "\r\n")}
	}},
	{"directive-escape", func(d *document) []string { return d.directive("escape=" + d.escape) }},
	{"directive-escape-other", func(d *document) []string {
		if strings.ContainsAny(d.text, "`") || d.escape != `\` {
			return nil
		}
		var texts []string
		for _, text := range d.directive("escape=`") {
			texts = append(texts, strings.ReplaceAll(text, "\\\n", "`\n"))
		}
		return texts
	}},
	{"directive-check", func(d *document) []string { return d.directive("check=skip=all") }},
	{"directive-syntax", func(d *document) []string { return d.directive("syntax=docker/dockerfile:1") }},
	{"first-stage", func(d *document) []string { return []string{d.before(d.from(0), "FROM scratch AS nothing")} }},
	{"global-epoch", func(d *document) []string {
		return []string{d.before(d.from(0), "ARG SOURCE_DATE_EPOCH=1234567890"), d.before(d.from(0), "ARG SOURCE_DATE_EPOCH=0001")}
	}},
	{"global-arg", func(d *document) []string { return []string{d.before(d.from(0), "ARG GLOBAL=1")} }},
	{"target-alias", func(d *document) []string {
		names := d.names()
		if last := names[len(names)-1]; last != "" {
			return []string{strings.TrimSuffix(d.text, "\n") + "\nFROM " + last + "\n"}
		}
		return nil
	}},
}

// directive returns the text with a parser directive at the top, unless it has
// one of the name.
func (d *document) directive(text string) []string {
	name, _, _ := strings.Cut(text, "=")
	for _, line := range d.lines {
		rest, comment := strings.CutPrefix(strings.TrimPrefix(line, "\ufeff"), "#")
		if !comment {
			break
		}
		if strings.HasPrefix(strings.ToLower(strings.TrimSpace(rest)), name) {
			return nil
		}
	}
	return []string{"# " + text + "\n" + d.text}
}

// from returns a stage's FROM.
func (d *document) from(stage int) *spot {
	for _, s := range d.spots {
		if s.stage == stage {
			return s
		}
	}
	return nil
}
