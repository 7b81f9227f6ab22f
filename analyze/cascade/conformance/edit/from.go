package edit

import (
	"regexp"
	"strings"
)

// fromKinds are edits of a FROM.
var fromKinds = []kind{
	valueKind("from-tag", "FROM", func(d *document, s *spot) []string {
		image := s.at(s.words[0])
		if strings.ContainsAny(image, "$@") || strings.EqualFold(image, "scratch") {
			return nil
		}
		name, _ := cutTag(image)
		return []string{s.put(s.words[0], name+":other")}
	}),
	valueKind("from-tag-latest", "FROM", func(d *document, s *spot) []string {
		image := s.at(s.words[0])
		if strings.ContainsAny(image, "$@") || strings.EqualFold(image, "scratch") {
			return nil
		}
		name, tag := cutTag(image)
		if tag != "" {
			return []string{s.put(s.words[0], name)}
		}
		return []string{s.put(s.words[0], name+":latest")}
	}),
	valueKind("from-digest", "FROM", func(d *document, s *spot) []string {
		image := s.at(s.words[0])
		if name, digest, pinned := strings.Cut(image, "@"); pinned {
			return []string{
				s.put(s.words[0], name), s.put(s.words[0], name+"@sha256:"+strings.Repeat("2", 64)),
				s.put(s.words[0], "other.invalid/base@"+digest),
			}
		}
		if strings.EqualFold(image, "scratch") {
			return nil
		}
		return []string{s.put(s.words[0], image+"@sha256:"+strings.Repeat("1", 64))}
	}),
	valueKind("from-image", "FROM", func(d *document, s *spot) []string {
		return []string{s.put(s.words[0], "other.invalid/base:1"), s.put(s.words[0], "scratch")}
	}),
	valueKind("from-full-name", "FROM", func(d *document, s *spot) []string {
		image := s.at(s.words[0])
		if strings.ContainsAny(image, "/$") || strings.EqualFold(image, "scratch") {
			return nil
		}
		return []string{s.put(s.words[0], "docker.io/library/"+image)}
	}),
	valueKind("from-case", "FROM", func(d *document, s *spot) []string {
		for _, name := range d.names() {
			if name != "" && strings.EqualFold(name, s.at(s.words[0])) {
				return []string{s.put(s.words[0], strings.ToUpper(name))}
			}
		}
		return nil
	}),
	valueKind("from-stage", "FROM", func(d *document, s *spot) []string {
		var heads []string
		for _, name := range d.names()[:s.stage] {
			if name != "" {
				heads = append(heads, s.put(s.words[0], name))
			}
		}
		return heads
	}),
	valueKind("from-as-add", "FROM", func(d *document, s *spot) []string {
		if len(s.words) != 1 {
			return nil
		}
		return []string{strings.TrimRight(s.head, " \t\r") + " AS added"}
	}),
	valueKind("from-as-drop", "FROM", func(d *document, s *spot) []string {
		if len(s.words) != 3 {
			return nil
		}
		return []string{strings.TrimRight(s.head[:s.words[1].start], " \t")}
	}),
	{"from-as-rename", []string{"FROM"}, func(d *document, s *spot) []string {
		name, one := s.word(2)
		if !one {
			return nil
		}
		return []string{d.with(s, s.put(s.words[2], name+"-x")), d.rename(name, name+"-x")}
	}},
	flagKind("from-platform-add", "FROM", "platform", []string{
		"--platform=linux/arm64", "--platform=$BUILDPLATFORM", "--platform=$TARGETPLATFORM"}, nil),
	flagKind("from-platform-change", "FROM", "platform", nil, func(v string) []string {
		return []string{"linux/arm64", "linux/amd64", "$BUILDPLATFORM"}
	}),
	flagKind("from-platform-drop", "FROM", "platform", nil, dropped),
	{"stage-before", []string{"FROM"}, func(d *document, s *spot) []string {
		return []string{d.before(s, "FROM other.invalid/unused"), d.before(s, "FROM scratch AS unused", "COPY unused /")}
	}},
	{"stage-duplicate", []string{"FROM"}, func(d *document, s *spot) []string {
		end := s
		for next := d.next(end); next != nil; next = d.next(end) {
			end = next
		}
		return []string{d.splice(s.start, s.start-1, d.lines[s.start-1:end.end])}
	}},
}

// cutTag returns an image's name without its tag, and that.
func cutTag(image string) (name, tag string) {
	i := strings.LastIndexByte(image, ':')
	if i < 0 || i < strings.LastIndexByte(image, '/') {
		return image, ""
	}
	return image[:i], image[i+1:]
}

// rename returns the text with a stage renamed wherever an instruction names it.
func (d *document) rename(name, to string) string {
	quoted := regexp.QuoteMeta(name)
	for _, at := range []string{`(?im)^(FROM\s+(?:--\S+\s+)*)` + quoted + `(\s|$)`, `(?im)(\sAS\s+)` + quoted + `(\s|$)`, `(?i)(from=)` + quoted + `([\s,]|$)`} {
		d = &document{text: regexp.MustCompile(at).ReplaceAllString(d.text, "${1}"+to+"${2}")}
	}
	return d.text
}
