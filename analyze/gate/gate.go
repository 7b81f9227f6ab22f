// Package gate holds an image to limits: on its size, on what of it is wasted,
// on what it must not contain. [Evaluate] says of each [Rule] whether the image
// passes; [Read] reads the limits of a file. Nothing is formatted here.
package gate

import "cmp"

// Rule is one thing that can be limited.
type Rule uint8

// The rules, in the order of results. What they count is limited further by
// [Limits.Own] and [Limits.Ignore].
const (
	Size        Rule = iota // stored bytes
	Dead                    // dead bytes
	DeadPercent             // dead bytes, in percent of the stored
	Efficiency              // the share of the stored bytes that isn't dead
	Layers                  // layers
	Disposable              // bytes of files that images rarely need
	Duplicates              // bytes of files whose content is there already
	Leaks                   // secrets that anybody can read who pulls the image
	Forbid                  // paths of the final filesystem that match a glob

	// Dive's rules, see [Limits.Dive].
	DiveEfficiency
	DiveWasted
	DiveUserWasted

	numRules = iota
	numOwn   = DiveEfficiency // the rules before dive's
)

// rules are what is to be known of a rule, by Rule.
var rules = [numRules]struct {
	name string
	unit Unit
	min  bool
}{
	Size:           {"size", Bytes, false},
	Dead:           {"dead", Bytes, false},
	DeadPercent:    {"dead-percent", Percent, false},
	Efficiency:     {"efficiency", Share, true},
	Layers:         {"layers", Count, false},
	Disposable:     {"disposable", Bytes, false},
	Duplicates:     {"duplicates", Bytes, false},
	Leaks:          {"leaks", Count, false},
	Forbid:         {"forbid", Count, false},
	DiveEfficiency: {"lowestEfficiency", Share, true},
	DiveWasted:     {"highestWastedBytes", Bytes, false},
	DiveUserWasted: {"highestUserWastedPercent", Share, false},
}

// Rules returns the rules of layerscope's own files and flags, in order.
func Rules() []Rule {
	all := make([]Rule, numOwn)
	for i := range all {
		all[i] = Rule(i)
	}
	return all
}

// String returns the rule's name, in files, flags and results; dive's rules
// have the names that dive gives them.
func (r Rule) String() string {
	if int(r) < numRules {
		return rules[r].name
	}
	return "unknown"
}

// Unit returns what the rule counts.
func (r Rule) Unit() Unit { return rules[r].unit }

// Min tells whether a limit is the least that passes. Else it is the most.
func (r Rule) Min() bool { return rules[r].min }

// Unit is what a number counts.
type Unit uint8

// The units.
const (
	Bytes   Unit = iota
	Count        // layers, secrets, paths
	Percent      // 0 to 100
	Share        // 0 to 1; of dive's rules perhaps more, infinite or not a number
)

// String returns the unit's name as JSON has it.
func (u Unit) String() string {
	return [...]string{"bytes", "count", "percent", "share"}[u]
}

// Number is a value or a limit: Whole of Bytes and Count, Part of the others.
type Number struct {
	Unit  Unit
	Whole int64
	Part  float64
}

// Compare compares numbers of a unit: -1, 0 or 1. What isn't a number is 0 to
// all others, and so never beyond a limit, as dive has it.
func (n Number) Compare(o Number) int {
	switch {
	case n.Unit == Bytes || n.Unit == Count:
		return cmp.Compare(n.Whole, o.Whole)
	case n.Part < o.Part:
		return -1
	case n.Part > o.Part:
		return 1
	}
	return 0
}

// Level is what a rule makes of an image, better ones first.
type Level uint8

// The levels.
const (
	Off  Level = iota // the rule has no limit
	Pass              // within all limits
	Warn              // beyond the limit to warn of
	Fail              // beyond the limit to fail at
)

// String returns the level's name as JSON has it.
func (l Level) String() string { return [...]string{"off", "pass", "warn", "fail"}[l] }

// Limit is a rule's limits. A limit that is nil isn't there; with neither the
// rule is off. A number that equals its limit passes.
type Limit struct{ Warn, Fail *Number }

// of returns what the limits make of a number.
func (l Limit) of(r Rule, n Number) Level {
	beyond := func(limit *Number) bool {
		if limit == nil {
			return false
		}
		if r.Min() {
			return limit.Compare(n) > 0
		}
		return n.Compare(*limit) > 0
	}
	switch {
	case l.Warn == nil && l.Fail == nil:
		return Off
	case beyond(l.Fail):
		return Fail
	case beyond(l.Warn):
		return Warn
	}
	return Pass
}

// Limits are all that an image is held to. With the zero value every rule is
// off.
type Limits struct {
	// Own leaves out what came from the base image, as far as that is known.
	Own bool
	// Ignore are paths, with all below them, that don't count for any rule
	// that is about files.
	Ignore Globs

	Rules [numRules]Limit // by Rule; Forbid's isn't used
	// ForbidWarn and ForbidFail are paths that the image should not and must
	// not have.
	ForbidWarn, ForbidFail Globs

	// Dive is set if dive's rules count, which know neither Own nor Ignore.
	Dive bool
}

// Any tells whether any rule isn't off.
func (l *Limits) Any() bool {
	for _, r := range l.Rules {
		if r != (Limit{}) {
			return true
		}
	}
	return len(l.ForbidWarn)+len(l.ForbidFail) > 0
}

// Result is what one rule makes of an image.
type Result struct {
	Rule  Rule
	Level Level
	Value Number // how much there is, whether or not the rule is off
	Limit        // Forbid has none: no path passes
	Found []Found
}

// Found is one thing that a rule about single things counted.
type Found struct {
	Level Level // Warn or Fail of a path that matches a glob; else the rule's
	// Path is relative to the image's root; "" for a secret in the history.
	Path string
	Step int    // the step that put it there; -1 if no layer has an entry for it
	What string // the glob, the kind of secret, or where in the history it is
}

// Worst returns the worst level of some results, Off of none.
func Worst(results []Result) Level {
	worst := Off
	for _, r := range results {
		worst = max(worst, r.Level)
	}
	return worst
}
