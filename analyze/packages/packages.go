// Package packages says which package each live byte of an image belongs to.
// It knows the databases of dpkg, apk and rpm, what npm, Python and Ruby keep
// beside what they install, and the build info of Go programs.
//
// It also knows the distribution by what os-release says.
//
// Databases are read as the layers stream past: [Reader.Read] reads a layer, and
// [Find] puts together what was read of all, once they are stacked.
//
// # Who owns a copy
//
// Each live copy belongs to one package or to none, so that the packages' bytes
// and those of no package add up to the live bytes, in total and of each layer.
// Of several that claim a copy, by one path or by several hard links, the first
// of these has it:
//
//  1. an operating system's package (dpkg, apk, rpm, in this order) whose
//     database lists a path of it: what Debian ships of a Python package is
//     Debian's;
//  2. a Python package whose RECORD or installed-files.txt lists it; of several
//     the one whose metadata stands less deep;
//  3. the npm, gem or Python package in whose folder it stands, the innermost;
//  4. the Go program that it is.
//
// Of two packages of a kind it is the first in the order of the database, or of
// the paths of their metadata. Paths lead through symbolic links, as /lib does
// to /usr/lib. A path that is a directory or a link now owns nothing.
//
// # What can't be read
//
// A database that is too large, cut short, or of a format that isn't known is
// told in [Report.Unread]. What it would have owned is owned by no package. An
// os-release that can't be read is told there too.
package packages

import (
	"github.com/layerscope/layerscope/analyze/tree"
)

// Ecosystem is where a package comes from.
type Ecosystem string

// The ecosystems.
const (
	Dpkg   Ecosystem = "dpkg"
	Apk    Ecosystem = "apk"
	Rpm    Ecosystem = "rpm"
	Python Ecosystem = "python"
	Npm    Ecosystem = "npm"
	Gem    Ecosystem = "gem"
	Go     Ecosystem = "go"
)

// Ecosystems are all of them, in the order in which they claim what several do.
var Ecosystems = []Ecosystem{Dpkg, Apk, Rpm, Python, Npm, Gem, Go}

// UnknownLayer stands for a layer that isn't known.
const UnknownLayer = -1

// Package is an installed package.
type Package struct {
	Ecosystem Ecosystem
	Name      string // as its metadata says: raw bytes
	Version   string // "" if that isn't known; of an rpm [EPOCH:]VERSION-RELEASE
	Arch      string // "" if the ecosystem doesn't say
	// Metadata is the file that says all this: a database, or a file of the
	// package's own; of a Go program the program.
	Metadata tree.Node
	// Layer is the layer that installed the package: the first whose
	// database has it at this version, with no layer in between that hasn't.
	// It is UnknownLayer if a database that would tell can't be read.
	Layer int
	Sum
	// Modules are what a Go program was built of, besides its main module.
	Modules []Module
}

// Sum is what copies add up to.
type Sum struct {
	Bytes  int64
	Copies int // of at least one byte
	Layers []LayerBytes
}

// LayerBytes are the bytes of one layer's copies.
type LayerBytes struct {
	Layer int
	Bytes int64 // at least 1
}

// add adds a copy. A package's copies are of few layers, mostly of one.
func (s *Sum) add(k int, n int64) {
	s.Bytes += n
	s.Copies++
	for i := len(s.Layers) - 1; i >= 0; i-- {
		if s.Layers[i].Layer == k {
			s.Layers[i].Bytes += n
			return
		}
	}
	s.Layers = append(s.Layers, LayerBytes{k, n})
}

// Module is a Go module that a program was built of.
type Module struct {
	Path, Version string // of what it was replaced with, if it was
}

// Unread is a file that should say what packages there are, and can't be read.
type Unread struct {
	Path  tree.Node
	Layer int // that has the file
	Why   error
}

// Distribution is the system that an image is made of: what os-release says
// (freedesktop.org, "os-release"), from /etc or, where that has none, /usr/lib.
// Its values are valid UTF-8 of at most 256 bytes; one that isn't counts as not
// said.
type Distribution struct {
	ID      string // "debian"; lower case letters, digits, and any of "._-"
	Version string // VERSION_ID: "12"; "" of a rolling or unnumbered release
	Name    string // PRETTY_NAME, for people; "" if it isn't said
	// Point is the point release where Version doesn't tell it: "12.5", from
	// Debian's /etc/debian_version; "" if it isn't known.
	Point string
}

// Report is the packages of an image. The bytes of all and of Unowned add up to
// the image's live bytes, and to those of each layer.
type Report struct {
	Packages []*Package // the most bytes first; then by ecosystem, name, version and path
	Unowned  Sum        // what no package owns
	Unread   []Unread   // by path, then by layer

	// Distribution is what the final filesystem's os-release says; nil
	// without one that names a distribution. Databases alone name none:
	// Debian's and its descendants' look alike.
	Distribution *Distribution

	owners   *tree.Numbers // of live copies: places in numbered, plus one
	numbered []*Package    // as they were found
}

// Owner returns the package that owns a live copy, nil if none does. The bytes
// that each owns by it are its Sum.
func (r *Report) Owner(copy tree.Ref) *Package {
	if n := r.owners.Of(copy); n > 0 {
		return r.numbered[n-1]
	}
	return nil
}
