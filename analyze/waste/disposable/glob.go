package disposable

import (
	"path"
	"strings"
)

// part is one component of a glob.
type part struct {
	text   string
	kind   kind
	prefix string // the literal beginning, and a sign's literal end
	suffix string
	simple bool // a sign that is prefix, one star, suffix
	last   bool // of its pattern
}

type kind uint8

const (
	literal  kind = iota
	sign          // as path.Match has them
	anyDepth      // **
)

func newPart(text string) part {
	p := part{text: text, prefix: text}
	first := strings.IndexAny(text, `*?[\`)
	switch {
	case text == "**":
		p.kind, p.prefix = anyDepth, ""
	case first >= 0:
		p.kind = sign
		p.prefix = text[:first]
		p.suffix = text[strings.LastIndexAny(text, `*?]\`)+1:]
		p.simple = text == p.prefix+"*"+p.suffix
	}
	return p
}

// matches reports whether a name is the part's. Most names are told by their
// beginnings and ends.
func (p *part) matches(name string) bool {
	if p.kind == literal {
		return name == p.text
	}
	if len(name) < len(p.prefix)+len(p.suffix) || !strings.HasPrefix(name, p.prefix) || !strings.HasSuffix(name, p.suffix) {
		return false
	}
	if p.simple {
		return true
	}
	ok, _ := path.Match(p.text, name) // a test holds the rules to valid patterns
	return ok
}

// pattern is one glob of a rule without braces.
type pattern struct {
	rule  int // in the table
	keep  bool
	cond  *Condition
	parts []part
	// tree is set if the glob ended in /**: parts are then of a directory all
	// of whose files match.
	tree bool
}

// newPatterns returns the patterns that a glob stands for.
func newPatterns(glob string, p pattern) []pattern {
	var patterns []pattern
	for _, g := range expand(glob) {
		g, p.tree = strings.CutSuffix(g, "/**")
		p.parts = nil
		for _, c := range strings.Split(strings.TrimPrefix(g, "/"), "/") {
			p.parts = append(p.parts, newPart(c))
		}
		p.parts[len(p.parts)-1].last = true
		patterns = append(patterns, p)
	}
	return patterns
}

// expand replaces ~ and braces by what they stand for.
func expand(glob string) []string {
	if rest, ok := strings.CutPrefix(glob, "~"); ok {
		glob = "{,/root,/home/*}" + rest
	}
	before, rest, ok := strings.Cut(glob, "{")
	if !ok {
		return []string{glob}
	}
	inside, after, _ := strings.Cut(rest, "}")
	var globs []string
	for _, alternative := range strings.Split(inside, ",") {
		globs = append(globs, expand(before+alternative+after)...)
	}
	return globs
}

// matchPatterns returns the patterns of the rules that aren't off.
func matchPatterns(rules []*Rule, off ruleSet, env []string) []pattern {
	var patterns []pattern
	for i, r := range rules {
		if off.has(i) {
			continue
		}
		for _, p := range r.Paths {
			patterns = append(patterns, newPatterns(p.Glob, pattern{rule: i, cond: p.If})...)
		}
		keep := r.Keep
		if r.Env != nil {
			keep = append(r.Env.keep(env), keep...)
		}
		for _, g := range keep {
			patterns = append(patterns, newPatterns(g, pattern{rule: i, keep: true})...)
		}
	}
	return patterns
}

// unlessPatterns returns the patterns of what turns rules off.
func unlessPatterns(rules []*Rule) []pattern {
	var patterns []pattern
	for i, r := range rules {
		for _, g := range r.Unless {
			patterns = append(patterns, newPatterns(g, pattern{rule: i})...)
		}
	}
	return patterns
}
