// Package disposable finds live files that images rarely need: caches, package
// lists, logs, litter. Each class of them is a [Rule]. It is advice: what a rule
// takes for disposable may be wanted.
package disposable

import (
	"github.com/layerscope/layerscope/analyze/waste"
)

// Rule is one class of disposable files.
type Rule struct {
	ID    string // "apt-lists"; the page docs/rules/ID.md describes it
	Title string // "apt package lists"
	What  string // what files it matches, a sentence
	Why   string // why they can go, or when they can't, a sentence or two
	Fix   string // what to write in the Dockerfile, a sentence or two
}

// Class is the files of an image that match a rule.
type Class struct {
	Rule *Rule
	waste.Tally
	Copies []waste.Copy // the largest first, then by path
}

// Report is all disposable copies of an image. A copy counts in one class only.
type Report struct {
	waste.Tally
	Classes []Class // those with files, the most bytes first, then by ID
}

// Find finds the disposable copies.
func Find(m waste.Image) *Report { return &Report{Tally: m.NewTally()} }

// Rules returns all rules, by ID.
func Rules() []*Rule { return nil }
