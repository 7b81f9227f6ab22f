package disposable

import "slices"

// table returns the rules in the order in which they are tried: what a tool
// keeps in a place of its own, then places that collect what is left behind,
// then what is told by its name. A directory of tests goes as one, with the
// bytecode in it.
func table() []*Rule {
	return slices.Concat(systemPackages(), languagePackages(), leftBehind(), development(), named())
}

// paths are globs that match without a condition.
func paths(globs ...string) []Path { return when(nil, globs...) }

// when are globs under a condition.
func when(c *Condition, globs ...string) []Path {
	var p []Path
	for _, g := range globs {
		p = append(p, Path{g, c})
	}
	return p
}
