package gate

import (
	"errors"
	"fmt"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// Glob is a pattern for paths of an image: *, ?, [a-z], {a,b}, and ** for any
// number of directories. One without a slash is for names anywhere, any other
// begins at the root.
type Glob struct {
	Text    string // as written
	pattern string // for whole paths relative to the root
}

// Globs are patterns any of which may match.
type Globs []Glob

// ParseGlob reads a pattern.
func ParseGlob(text string) (Glob, error) {
	p := strings.TrimSuffix(strings.TrimPrefix(text, "./"), "/")
	rooted := strings.HasPrefix(p, "/") || p != text && strings.HasPrefix(text, "./")
	p = strings.TrimLeft(p, "/")
	switch {
	case p == "":
		return Glob{}, errors.New("an empty glob matches nothing")
	case strings.HasPrefix(p, "!"):
		return Glob{}, fmt.Errorf("%q: a glob can't be negated", text)
	case !doublestar.ValidatePattern(p):
		return Glob{}, fmt.Errorf("%q isn't a glob such as *.map or /root/.ssh/**", text)
	}
	if !rooted && !strings.Contains(p, "/") {
		p = "**/" + p
	}
	return Glob{text, p}, nil
}

// Match returns the first of the patterns that matches a path relative to the
// root.
func (gs Globs) Match(path string) (Glob, bool) {
	for _, g := range gs {
		if doublestar.MatchUnvalidated(g.pattern, path) {
			return g, true
		}
	}
	return Glob{}, false
}

// Covers tells whether a pattern matches a path or a directory above it.
func (gs Globs) Covers(path string) bool {
	if len(gs) == 0 {
		return false
	}
	for i := 0; i < len(path); i++ {
		if path[i] == '/' {
			if _, ok := gs.Match(path[:i]); ok {
				return true
			}
		}
	}
	_, ok := gs.Match(path)
	return ok
}
