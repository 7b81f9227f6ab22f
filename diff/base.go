package diff

import (
	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/packages"
)

// BaseState is what became of the base: of the FROM image, and of the
// distribution that is in it.
type BaseState uint8

// The states of bases.
const (
	BaseUnknown BaseState = iota // where a base ends isn't known, nor a distribution
	BaseSame                     // the same layers; or neither image has a base
	BaseRebuilt                  // the same release of the same distribution, in other layers
	BaseRelease                  // another release of the same distribution
	BaseOther                    // another distribution, or none on one side
)

var baseStates = [...]string{"unknown", "same", "rebuilt", "release", "other"}

// String returns the state's name as JSON has it.
func (s BaseState) String() string { return baseStates[s] }

// BaseChange is what became of the base.
type BaseChange struct {
	State BaseState
	// Old and New are the distributions in the final filesystems: what
	// os-release says or, without one, what the package databases show. nil
	// if there is none.
	Old, New *packages.Distribution
	Stored   Bytes // of the bases' layers; 0 where it isn't known which these are
}

func compareBases(old, new *analyze.Image) BaseChange { return BaseChange{} }
