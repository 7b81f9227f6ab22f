package buildcontext

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/moby/patternmatcher"
)

// patterns are patterns as of .dockerignore. They are for one goroutine.
type patterns struct {
	*patternmatcher.PatternMatcher
	odd bool // some aren't UTF-8: they and paths are escaped
}

// newPatterns reads patterns. Those that aren't UTF-8 the library would
// complain of on the standard error.
func newPatterns(list []string) (*patterns, error) {
	p := &patterns{}
	p.odd = slices.ContainsFunc(list, func(s string) bool { return !utf8.ValidString(s) || strings.Contains(s, "\x00") })
	if p.odd {
		escaped := make([]string, len(list))
		for i, s := range list {
			escaped[i] = escape(s)
		}
		list = escaped
	}
	var err error
	p.PatternMatcher, err = patternmatcher.New(list)
	return p, err
}

// escape returns text as UTF-8: bytes that aren't any become characters that
// stand for nothing, each its own.
func escape(s string) string {
	const private = 0xf700
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		if n == 1 && (r == utf8.RuneError || r == 0) {
			r = private + rune(s[0])
		}
		b.WriteRune(r)
		s = s[n:]
	}
	return b.String()
}

func (p *patterns) path(path string) string {
	if p.odd {
		return escape(path)
	}
	return path
}

// under tells whether a path matches. above is what the directory it is in
// gave, and what is returned is for what is below the path.
func (p *patterns) under(path string, above patternmatcher.MatchInfo) (bool, patternmatcher.MatchInfo, error) {
	return p.MatchesUsingParentResults(p.path(path), above)
}

// matches tells whether a path or a directory above it matches.
func (p *patterns) matches(path string) (bool, error) { return p.MatchesOrParentMatches(p.path(path)) }
