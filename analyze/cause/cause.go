// Package cause says what an image stores each of its bytes for: each copy has
// one [Kind] and one part of it, so that they add up to what is stored. The
// common call is [Find].
//
// A copy is of the first of these that it matches:
//
//  1. dead: no path of the final filesystem leads to it; parts are the reasons
//     ([waste.Reason]);
//  2. base: it came from the FROM image; parts are the kinds that it would have
//     otherwise;
//  3. toolchain: compilers, build tools, headers, static libraries, debugging
//     tools and what belongs to them: by the name of the package that owns it
//     or, of what no package owns and of Go programs, by path; parts are the
//     toolchains;
//  4. disposable: it matches a rule of package disposable; parts are the rules;
//  5. packages: a package owns it, and it isn't a Go program, which is
//     somebody's application; or it is of the database of what is installed;
//     parts are the ecosystems;
//  6. sources: no package owns it and it is source code or what a build leaves
//     beside it; parts are the languages, "build-files" and "build-tree". What
//     runs as it is written, as Python does, is no source;
//  7. application: everything else; parts are the top directories as "/app",
//     raw bytes, and "/" for files in the root.
package cause

import (
	"cmp"

	"github.com/layerscope/layerscope/analyze/packages"
	"github.com/layerscope/layerscope/analyze/tree"
	"github.com/layerscope/layerscope/analyze/waste"
	"github.com/layerscope/layerscope/analyze/waste/disposable"
)

// Kind is a kind of cause.
type Kind uint8

// The kinds, in the order of reports.
const (
	Base Kind = iota
	Packages
	Toolchain
	Disposable
	Sources
	Application
	Dead

	NumKinds = iota
)

var kinds = [NumKinds]string{"base", "packages", "toolchain", "disposable", "sources", "application", "dead"}

var titles = [NumKinds]string{
	"base image", "packages", "compilers, headers and build tools", "caches and other disposable files",
	"sources and build trees", "application files", "dead bytes",
}

// String returns the kind's name as JSON has it.
func (k Kind) String() string { return kinds[k] }

// Title returns the kind's name for people.
func (k Kind) Title() string { return titles[k] }

// Of is what one copy is stored for.
type Of struct {
	Kind Kind
	Part string // see the package's comment
}

// Image is an image to look at.
type Image struct {
	Tree       *tree.Tree
	Packages   *packages.Report
	Dead       *waste.Dead
	Disposable *disposable.Report
	// Base tells of each layer whether it came from the FROM image.
	Base []bool
}

// Part is what copies of one part of a kind add up to.
type Part struct {
	Of
	Bytes  int64
	Copies int
}

// Compare orders parts as reports do: by kind, the most bytes first, then by part.
func (p Part) Compare(o Part) int {
	return cmp.Or(cmp.Compare(p.Kind, o.Kind), cmp.Compare(o.Bytes, p.Bytes), cmp.Compare(p.Part, o.Part))
}

// Report is what an image stores its bytes for.
type Report struct {
	// Parts add up to what is stored, in the order of [Part.Compare]. None is
	// without copies.
	Parts []Part

	of    *tree.Numbers // by copy: a place in names, plus one
	names []Of
}

// Of returns what a copy is stored for; false if there is no such copy.
func (r *Report) Of(copy tree.Ref) (Of, bool) {
	if n := r.of.Of(copy); n > 0 {
		return r.names[n-1], true
	}
	return Of{}, false
}
