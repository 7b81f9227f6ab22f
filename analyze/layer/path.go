package layer

import (
	"path"
	"strings"
)

// cleanPath returns a tar name as a path relative to the root, "" for the root
// itself: "./a", "/a", "a/" and "a" are one, and ".." never leaves the root. It
// says whether the name had more to clean than a leading "./" or "/" or a
// trailing slash.
func cleanPath(name string) (clean string, unclean bool) {
	s := strings.TrimPrefix(name, "./")
	s = strings.TrimPrefix(s, "/")
	s = strings.TrimSuffix(s, "/")
	if s == "" || s == "." {
		return "", false
	}
	if isClean(s) {
		return s, false
	}
	// Rooted, Clean resolves ".." against the root and can't leave it.
	return path.Clean("/" + s)[1:], true
}

// isClean reports whether no component of s is empty, "." or "..".
func isClean(s string) bool {
	start := 0
	for i := 0; i <= len(s); i++ {
		if i < len(s) && s[i] != '/' {
			continue
		}
		switch s[start:i] {
		case "", ".", "..":
			return false
		}
		start = i + 1
	}
	return true
}

// above returns how many ".." a name starts with once it is clean.
func above(name string) (n int32) {
	name = path.Clean(name)
	for {
		first, rest, _ := strings.Cut(name, "/")
		if first != ".." {
			return n
		}
		name = rest
		n++
	}
}

// splitPath cuts a clean path before its last component.
func splitPath(p string) (parent, base string) {
	i := strings.LastIndexByte(p, '/')
	if i < 0 {
		return "", p
	}
	return p[:i], p[i+1:]
}
