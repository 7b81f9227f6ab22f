package edit

import (
	"path"
	"slices"
	"strconv"
	"strings"
)

// copyKinds are edits of a COPY or ADD.
var copyKinds = []kind{
	sourceKind("copy-source", func(src string) []string {
		if src == "." || src == "./" {
			return []string{"other"}
		}
		dir, base := path.Split(strings.TrimRight(src, "/"))
		return []string{dir + "other-" + base}
	}),
	sourceKind("copy-source-directory", func(src string) []string {
		if src == "." || src == "./" || strings.Contains(src, "://") {
			return nil
		}
		return []string{"other/" + path.Base(src)}
	}),
	sourceKind("copy-source-slash", func(src string) []string {
		if cut, slashed := strings.CutSuffix(src, "/"); slashed && cut != "" {
			return []string{cut}
		}
		return []string{src + "/"}
	}),
	sourceKind("copy-source-dot", func(src string) []string {
		if strings.Contains(src, "://") || strings.HasPrefix(src, "/") {
			return nil
		}
		return []string{"./" + src}
	}),
	sourceKind("copy-source-root", func(src string) []string {
		if strings.Contains(src, "://") {
			return nil
		}
		return []string{"/" + strings.TrimPrefix(src, "/")}
	}),
	sourceKind("copy-source-glob", func(src string) []string {
		if src == "." || src == "./" || strings.HasSuffix(src, "/") {
			return []string{"*"}
		}
		return []string{src + "*", src[:len(src)-1] + "?"}
	}),
	valueKind("copy-source-add", "COPY ADD", func(d *document, s *spot) []string {
		dest, one := s.word(len(s.words) - 1)
		if s.json || !one || len(s.words) < 2 {
			return nil
		}
		at := s.words[len(s.words)-1]
		return []string{s.put(at, "added "+strings.TrimRight(dest, "/")+"/")}
	}),
	valueKind("copy-source-drop", "COPY ADD", func(d *document, s *spot) []string {
		if s.json || len(s.words) < 3 {
			return nil
		}
		return []string{s.without(s.words[0])}
	}),
	valueKind("copy-source-swap", "COPY ADD", func(d *document, s *spot) []string {
		if s.json || len(s.words) < 3 {
			return nil
		}
		a, b := s.words[0], s.words[1]
		return []string{s.head[:a.start] + s.at(b) + s.head[a.end:b.start] + s.at(a) + s.head[b.end:]}
	}),
	destKind("copy-dest", func(dest string) []string {
		if cut, slashed := strings.CutSuffix(dest, "/"); slashed {
			return []string{cut + "-x/"}
		}
		if dest == "." {
			return []string{"elsewhere/"}
		}
		return []string{dest + "-x"}
	}),
	destKind("copy-dest-slash", func(dest string) []string {
		if cut, slashed := strings.CutSuffix(dest, "/"); slashed && cut != "" {
			return []string{cut}
		}
		return []string{dest + "/"}
	}),
	destKind("copy-dest-dot", func(dest string) []string {
		if strings.HasPrefix(dest, "/") {
			return []string{"/." + dest}
		}
		return []string{"./" + dest}
	}),
	valueKind("copy-form", "COPY ADD", func(d *document, s *spot) []string {
		if s.json || s.body != "" {
			return nil
		}
		var words []string
		for i := range s.words {
			w, one := s.word(i)
			if !one || strings.ContainsAny(w, `\"`) {
				return nil
			}
			words = append(words, w)
		}
		return []string{s.head[:s.begin()] + list(words...)}
	}),
	valueKind("copy-to-add", "COPY ADD", func(d *document, s *spot) []string {
		if s.keyword == "ADD" {
			return []string{s.put(s.kw, "COPY")}
		}
		return []string{s.put(s.kw, "ADD")}
	}),
	flagKind("copy-chown-add", "COPY ADD", "chown", []string{"--chown=1234:1234", "--chown=someone"}, nil),
	flagKind("copy-chown-change", "COPY ADD", "chown", nil, func(v string) []string { return []string{"4321", "4321:0", "other:other"} }),
	flagKind("copy-chown-drop", "COPY ADD", "chown", nil, dropped),
	flagKind("copy-chmod-add", "COPY ADD", "chmod", []string{"--chmod=0750", "--chmod=u=rwX,go=rX"}, nil),
	flagKind("copy-chmod-change", "COPY ADD", "chmod", nil, func(v string) []string { return []string{"0711", "0" + v, "g+w"} }),
	flagKind("copy-chmod-drop", "COPY ADD", "chmod", nil, dropped),
	flagKind("copy-link-add", "COPY ADD", "link", []string{"--link", "--link=true", "--link=false"}, nil),
	flagKind("copy-link-change", "COPY ADD", "link", nil, func(v string) []string { return []string{"true", "false"} }),
	flagKind("copy-link-drop", "COPY ADD", "link", nil, dropped),
	flagKind("copy-exclude-add", "COPY ADD", "exclude", []string{"--exclude=*.added", "--exclude=a --exclude=b"}, nil),
	flagKind("copy-exclude-change", "COPY ADD", "exclude", nil, func(v string) []string { return []string{other(v)} }),
	flagKind("copy-exclude-drop", "COPY ADD", "exclude", nil, dropped),
	flagKind("copy-parents-add", "COPY", "parents", []string{"--parents"}, nil),
	flagKind("copy-parents-drop", "COPY", "parents", nil, dropped),
	{"copy-parents-pivot", []string{"COPY"}, func(d *document, s *spot) []string {
		src, one := s.word(0)
		if dir, base := path.Split(src); one && dir != "" && base != "" && len(s.flag("parents")) > 0 {
			return []string{d.with(s, s.put(s.words[0], dir+"./"+base))}
		}
		return nil
	}},
	{"copy-from", []string{"COPY"}, func(d *document, s *spot) []string {
		var texts []string
		have := s.flag("from")
		for _, from := range d.froms(s) {
			if len(have) == 0 && len(s.words) > 0 {
				texts = append(texts, d.with(s, s.withFlag("--from="+from)))
			} else if len(have) > 0 {
				texts = append(texts, d.with(s, s.put(have[0], "--from="+from)))
			}
		}
		return texts
	}},
	flagKind("copy-from-drop", "COPY", "from", nil, dropped),
	flagKind("copy-from-case", "COPY", "from", nil, func(v string) []string { return []string{strings.ToUpper(v)} }),
	{"copy-from-number", []string{"COPY"}, func(d *document, s *spot) []string {
		for _, f := range s.flag("from") {
			_, from, _ := strings.Cut(s.at(f), "=")
			if i := slices.Index(d.names(), from); i >= 0 {
				return []string{d.with(s, s.put(f, "--from="+strconv.Itoa(i)))}
			}
		}
		return nil
	}},
	sourceKind("add-url", func(src string) []string {
		if !strings.Contains(src, "://") {
			return nil
		}
		dir, base := path.Split(src)
		return []string{dir + "other/" + base, dir + "other-" + base, src + "?query", src + "#fragment"}
	}),
	flagKind("add-checksum-add", "ADD", "checksum", []string{"--checksum=sha256:" + strings.Repeat("1", 64)}, nil),
	flagKind("add-checksum-change", "ADD", "checksum", nil, func(v string) []string { return []string{"sha256:" + strings.Repeat("2", 64)} }),
	flagKind("add-checksum-drop", "ADD", "checksum", nil, dropped),
	flagKind("add-keep-git-dir", "ADD", "keep-git-dir", []string{"--keep-git-dir", "--keep-git-dir=false"}, nil),
	flagKind("add-keep-git-dir-drop", "ADD", "keep-git-dir", nil, dropped),
	flagKind("add-unpack", "ADD", "unpack", []string{"--unpack", "--unpack=false"}, nil),
	flagKind("add-unpack-drop", "ADD", "unpack", nil, dropped),
}

// sourceKind is a kind of edit of each source in turn.
func sourceKind(name string, change func(src string) []string) kind {
	return valueKind(name, "COPY ADD", func(d *document, s *spot) []string {
		if s.json {
			return nil
		}
		var heads []string
		for i := range len(s.words) - 1 {
			src, one := s.word(i)
			if !one || strings.HasPrefix(src, "<<") {
				continue
			}
			for _, to := range change(src) {
				heads = append(heads, s.put(s.words[i], to))
			}
		}
		return heads
	})
}

// destKind is a kind of edit of the destination.
func destKind(name string, change func(dest string) []string) kind {
	return valueKind(name, "COPY ADD", func(d *document, s *spot) []string {
		dest, one := s.word(len(s.words) - 1)
		if s.json || !one || len(s.words) < 2 {
			return nil
		}
		var heads []string
		for _, to := range change(dest) {
			heads = append(heads, s.put(s.words[len(s.words)-1], to))
		}
		return heads
	})
}

// froms returns what an instruction may copy from: the other stages by name or
// number, and an image.
func (d *document) froms(s *spot) []string {
	var froms []string
	for i, name := range d.names() {
		switch {
		case i >= s.stage: // a stage below can't be copied from
		case name != "":
			froms = append(froms, name)
		default:
			froms = append(froms, strconv.Itoa(i))
		}
	}
	return append(froms, "busybox:1.36")
}
