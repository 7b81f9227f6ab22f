// Package disposable finds live files that images rarely need: caches, package
// lists, logs, litter. Each class of them is a [Rule]; docs/rules is made of
// the rules. The common call is [Find].
//
// It is advice: what a rule takes for disposable may be wanted. A rule would
// rather miss a file than name one whose removal breaks the image.
package disposable

import (
	"slices"
	"strings"

	"github.com/layerscope/layerscope/analyze/waste"
)

// Rule is one class of disposable files. A file matches if one of Paths does
// and nothing says that it is kept. Of several rules that a file matches, the
// first of the table has it: see [Rules].
type Rule struct {
	ID    string // "apt-lists"; the page docs/rules/ID.md describes it
	Title string // "apt package lists"
	What  string // what files it matches, a sentence
	Why   string // why they can go, or when they can't, a sentence or two
	Fix   string // what to write in the Dockerfile, a sentence or two
	Bad   string // lines of a Dockerfile that leave such files
	Good  string // the same without them

	Paths []Path   // the files it matches
	Keep  []string // globs of files that it doesn't match, whatever Paths say
	// Unless are globs: in an image where one of them leads to anything but a
	// directory, the rule matches nothing.
	Unless []string
	// Env adds to Keep by the image's environment; nil if it has no say.
	Env *Env
}

// Path is a glob of files: one that ends in "/**" is of all files below the
// directory before it. A component may be "**", for any number of them, or have
// the signs of [path.Match] and alternatives in braces; "~" is any home
// directory: /root, those in /home, and / itself.
type Path struct {
	Glob string
	If   *Condition // nil: always
}

// Env is what the image's environment says about a rule.
type Env struct {
	Text string // completes "Not matched: …"
	keep func(env []string) (globs []string)
}

// Class is the files of an image that match a rule.
type Class struct {
	Rule *Rule
	waste.Tally
	// Origins holds the sums by the layer that brought the files: what made
	// it is to be changed, even where a later layer stored them again.
	Origins []waste.Sum
	Files   []File // the largest first, then by path
}

// File is a copy that matches a rule.
type File struct {
	waste.Copy
	Origin int // the layer that brought its content, which its own may have stored again
}

// Report is all disposable copies of an image. A copy counts in one class only.
type Report struct {
	waste.Tally
	Classes []Class // those with files, the most bytes first, then by ID
}

// Find finds the disposable copies.
//
// A copy of several hard links is disposable if each of its paths matches some
// rule, as removing one frees nothing; it is of the class of its first path. It
// takes two passes over the image's paths.
func Find(m waste.Image) *Report {
	rules := table()
	f := newFinder(m, rules)
	newWalk(m.Tree, newMatcher(matchPatterns(rules, excluded(m.Tree, rules), m.Env))).run(f.visit)
	return f.report()
}

// Rules returns all rules, by ID. The order in which they are tried is that of
// docs/rules/README.md: what a tool keeps in a place of its own comes before
// what has a telling name anywhere.
func Rules() []*Rule {
	rules := table()
	slices.SortFunc(rules, func(a, b *Rule) int { return strings.Compare(a.ID, b.ID) })
	return rules
}
