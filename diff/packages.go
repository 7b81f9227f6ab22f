package diff

import (
	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/packages"
)

// PackageState is what became of a package.
type PackageState uint8

// The states of packages.
const (
	PackageAdded PackageState = iota
	PackageRemoved
	PackageUpgraded
	PackageDowngraded
	// PackageChanged: another version, and it isn't known which of the two is
	// the newer; or the same with other bytes.
	PackageChanged
)

var packageStates = [...]string{"added", "removed", "upgraded", "downgraded", "changed"}

// String returns the state's name as JSON has it.
func (s PackageState) String() string { return packageStates[s] }

// Package is a package that differs.
type Package struct {
	State    PackageState
	Old, New *packages.Package // nil in the image that hasn't got it
	Bytes    Bytes             // of the live copies that it owns
}

// PackageSum is what packages add up to.
type PackageSum struct {
	Count int
	Bytes Bytes
}

// Packages is the packages of two images compared. The bytes of all changes, of
// Unchanged, Unowned and Dead add up to what the images store.
type Packages struct {
	// Changes are the packages that differ: those by whose bytes the images
	// differ most first, then by ecosystem, name and place.
	Changes   []Package
	Unchanged PackageSum
	Unowned   Bytes // live, and of no package
	Dead      Bytes
}

func comparePackages(old, new *analyze.Image) *Packages { return &Packages{} }
