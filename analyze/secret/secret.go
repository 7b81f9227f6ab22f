// Package secret finds what an image tells that it seems to hide: files with
// names of secrets that are dead, but which everybody who pulls the image can
// read ([Files]), and build arguments and variables in its history that look
// like credentials ([Values]). It tells names and places, never contents.
package secret

import (
	"github.com/layerscope/layerscope/analyze/history"
	"github.com/layerscope/layerscope/analyze/waste"
)

// File is a dead copy whose path has the name of a secret.
type File struct {
	waste.DeadCopy
	Kind string // what the name says: "private key", "AWS credentials"
}

// Files returns the dead copies whose names say that they are secrets, and
// whose content isn't live elsewhere: those that somebody tried to hide.
func Files(m waste.Image, dead *waste.Dead) []File { return nil }

// Value is a build argument or variable in the history that looks secret.
type Value struct {
	Step   int    // index into the steps
	In     string // "ARG", "ENV" or "RUN": where it stands
	Name   string
	Masked string // the value with all but what is harmless replaced
}

// Values returns the build arguments and variables of the steps that look
// secret.
func Values(steps []history.Step) []Value { return nil }
