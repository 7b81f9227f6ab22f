package edit

import (
	"maps"
	"slices"
	"strings"
)

// envKinds are edits of an ENV, LABEL or ARG: of names and values.
var envKinds = []kind{
	pairKind("env-value", "ENV LABEL", func(p pair) []pair { return []pair{{p.name, other(p.value), p.delim, true}} }),
	pairKind("env-name", "ENV LABEL ARG", func(p pair) []pair { return []pair{{p.name + "X", p.value, p.delim, p.set}} }),
	pairKind("env-quotes", "ENV LABEL ARG", func(p pair) []pair {
		switch {
		case !p.set || p.delim != "=" || strings.ContainsAny(p.value, `'\ `):
			return []pair{p}
		case strings.ContainsAny(p.value, `"`):
			return []pair{{p.name, strings.ReplaceAll(p.value, `"`, ""), p.delim, true}}
		}
		return []pair{{p.name, `"` + p.value + `"`, p.delim, true}}
	}),
	pairKind("env-add", "ENV LABEL ARG", func(p pair) []pair {
		if p.delim != "=" {
			return []pair{p}
		}
		return []pair{p, {"ADDED", "1", "=", true}}
	}),
	pairKind("env-remove", "ENV LABEL ARG", func(p pair) []pair { return nil }),
	{"env-legacy", []string{"ENV"}, func(d *document, s *spot) []string {
		if len(s.pairs) != 1 || s.pairs[0].delim != "=" {
			return nil
		}
		return []string{d.with(s, s.line(pair{s.pairs[0].name, s.pairs[0].value, "", true}))}
	}},
	{"env-swap", []string{"ENV", "LABEL", "ARG"}, func(d *document, s *spot) []string {
		if len(s.pairs) < 2 {
			return nil
		}
		pairs := slices.Clone(s.pairs)
		pairs[0], pairs[1] = pairs[1], pairs[0]
		return []string{d.with(s, s.line(pairs...))}
	}},
	{"env-swap-lines", []string{"ENV", "ARG"}, func(d *document, s *spot) []string {
		next := d.next(s)
		if next == nil || next.keyword != "ENV" && next.keyword != "ARG" {
			return nil
		}
		return []string{d.swap(s, next)}
	}},
	{"env-split", []string{"ENV", "LABEL", "ARG"}, func(d *document, s *spot) []string {
		if len(s.pairs) < 2 {
			return nil
		}
		return []string{d.with(s, s.line(s.pairs[:1]...)+"\n"+s.line(s.pairs[1:]...))}
	}},
	{"env-merge", []string{"ENV", "LABEL", "ARG"}, func(d *document, s *spot) []string {
		next := d.next(s)
		if next == nil || next.keyword != s.keyword || next.trigger != s.trigger || s.legacy() || next.legacy() {
			return nil
		}
		return []string{d.splice(s.start, next.end, []string{s.line(slices.Concat(s.pairs, next.pairs)...)})}
	}},
	{"arg-default", []string{"ARG"}, func(d *document, s *spot) []string {
		return s.args(d, func(p pair) (pair, bool) { return pair{p.name, other(p.value), "=", true}, p.set })
	}},
	{"arg-default-add", []string{"ARG"}, func(d *document, s *spot) []string {
		return s.args(d, func(p pair) (pair, bool) { return pair{p.name, "added", "=", true}, !p.set })
	}},
	{"arg-default-drop", []string{"ARG"}, func(d *document, s *spot) []string {
		return s.args(d, func(p pair) (pair, bool) { return pair{p.name, "", "=", false}, p.set })
	}},
	{"arg-default-empty", []string{"ARG"}, func(d *document, s *spot) []string {
		return s.args(d, func(p pair) (pair, bool) { return pair{p.name, "", "=", true}, p.value != "" })
	}},
	{"arg-to-env", []string{"ARG"}, func(d *document, s *spot) []string {
		if s.stage < 0 || slices.ContainsFunc(s.pairs, func(p pair) bool { return !p.set || p.value == "" }) {
			return nil
		}
		return []string{d.with(s, s.put(s.kw, "ENV"))}
	}},
	{"env-to-arg", []string{"ENV"}, func(d *document, s *spot) []string {
		if s.legacy() {
			return nil
		}
		return []string{d.with(s, s.put(s.kw, "ARG"))}
	}},
}

// pairKind is a kind of edit of each pair in turn: what it is replaced by. If
// nothing is left, there is no such edit.
func pairKind(name, keywords string, change func(pair) []pair) kind {
	return kind{name, strings.Fields(keywords), func(d *document, s *spot) []string {
		var texts []string
		for i, p := range s.pairs {
			pairs := slices.Concat(s.pairs[:i], change(p), s.pairs[i+1:])
			if len(pairs) > 0 && !slices.Equal(pairs, s.pairs) {
				texts = append(texts, d.with(s, s.line(pairs...)))
			}
		}
		return texts
	}}
}

// args is pairKind for a change of the pairs that it applies to.
func (s *spot) args(d *document, change func(pair) (pair, bool)) []string {
	var texts []string
	for i, p := range s.pairs {
		if to, applies := change(p); applies {
			pairs := slices.Clone(s.pairs)
			pairs[i] = to
			texts = append(texts, d.with(s, s.line(pairs...)))
		}
	}
	return texts
}

// legacy tells whether the instruction is an "ENV NAME value".
func (s *spot) legacy() bool {
	return slices.ContainsFunc(s.pairs, func(p pair) bool { return p.delim != "=" })
}

// line returns the instruction with these pairs, on one line.
func (s *spot) line(pairs ...pair) string {
	b := s.prefix() + s.key()
	for _, p := range pairs {
		b += " " + p.name
		switch {
		case p.set && p.delim == "=":
			b += "=" + p.value
		case p.set:
			b += " " + p.value
		}
	}
	return b
}

// argKinds are edits of the build arguments.
var argKinds = []argKind{
	{"build-arg-value", func(d *document, args map[string]string) []Edit {
		var edits []Edit
		for _, name := range d.declared(args) {
			edits = append(edits, Edit{Args: set(args, name, args[name]+"given")})
		}
		return edits
	}},
	{"build-arg-empty", func(d *document, args map[string]string) []Edit {
		var edits []Edit
		for _, name := range d.declared(args) {
			edits = append(edits, Edit{Args: set(args, name, "")})
		}
		return edits
	}},
	{"build-arg-drop", func(d *document, args map[string]string) []Edit {
		var edits []Edit
		for _, name := range slices.Sorted(maps.Keys(args)) {
			after := maps.Clone(args)
			delete(after, name)
			edits = append(edits, Edit{Args: after})
		}
		return edits
	}},
	{"build-arg-default", func(d *document, args map[string]string) []Edit {
		var edits []Edit // what is the default, given
		for _, s := range d.spots {
			for _, p := range s.pairs {
				if _, given := args[p.name]; s.keyword == "ARG" && p.set && !given && !strings.ContainsAny(p.value, "'\"\\$") {
					edits = append(edits, Edit{Line: s.start, Args: set(args, p.name, p.value)})
				}
			}
		}
		return edits
	}},
	{"build-arg-undeclared", func(d *document, args map[string]string) []Edit {
		return []Edit{{Args: set(args, "UNDECLARED", "1")}}
	}},
	{"build-arg-proxy", func(d *document, args map[string]string) []Edit {
		return []Edit{{Args: set(args, "HTTP_PROXY", "http://proxy.invalid")}, {Args: set(args, "no_proxy", "localhost")}}
	}},
	{"build-arg-proxy-declared", func(d *document, args map[string]string) []Edit {
		var edits []Edit
		for i := range d.stages {
			s := d.from(i)
			edits = append(edits, Edit{Line: s.start, Dockerfile: []byte(d.after(s, "ARG HTTP_PROXY")), Args: set(args, "HTTP_PROXY", "http://proxy.invalid")})
		}
		return edits
	}},
	{"build-arg-epoch", func(d *document, args map[string]string) []Edit {
		return []Edit{{Args: set(args, "SOURCE_DATE_EPOCH", "1234567890")}}
	}},
	{"build-arg-platform", func(d *document, args map[string]string) []Edit {
		return []Edit{{Args: set(args, "TARGETARCH", "riscv64")}}
	}},
}

// declared returns the names of the ARGs that there are, and of those given.
func (d *document) declared(args map[string]string) []string {
	names := slices.Collect(maps.Keys(args))
	for _, s := range d.spots {
		if s.keyword == "ARG" && !s.trigger {
			for _, p := range s.pairs {
				names = append(names, p.name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// set returns arguments with one more, or another.
func set(args map[string]string, name, value string) map[string]string {
	after := map[string]string{name: value}
	for k, v := range args {
		if k != name {
			after[k] = v
		}
	}
	return after
}
