// Package diff says what differs between two analyzed images, OLD and NEW:
// their layers, and what a host that has one must fetch for the other; their
// steps; the files of their final filesystems; their packages and configs; and
// by which cause one stores more bytes than the other. The one entry is
// [Compare]; [CompareLayers] needs nothing but the images' manifests.
//
// Every table adds up. Of each, the bytes of NEW less those of OLD are the
// difference of what the images store: rows for what is the same, and for what
// is dead, stand where they are needed for it.
package diff

import (
	"context"
	"errors"

	"github.com/layerscope/layerscope/analyze"
)

// Unknown stands for a number of bytes that isn't known.
const Unknown = analyze.Unknown

// ErrIncomplete says that an image isn't read completely, or was read without
// its packages.
var ErrIncomplete = errors.New("the image isn't read completely")

// Bytes is a number of bytes in OLD and in NEW. Either may be Unknown.
type Bytes struct{ Old, New int64 }

// Known tells whether both are known.
func (b Bytes) Known() bool { return b.Old != Unknown && b.New != Unknown }

// Diff returns by how many bytes NEW has more than OLD: less than 0 if it has
// fewer, 0 if one of them isn't known.
func (b Bytes) Diff() int64 {
	if !b.Known() {
		return 0
	}
	return b.New - b.Old
}

// Abs returns by how many bytes they differ, whichever has more.
func (b Bytes) Abs() int64 { return max(b.Diff(), -b.Diff()) }

// Plus adds up; with something unknown the sum is.
func (b Bytes) Plus(o Bytes) Bytes { return Bytes{plus(b.Old, o.Old), plus(b.New, o.New)} }

func plus(a, b int64) int64 {
	if a == Unknown || b == Unknown {
		return Unknown
	}
	return a + b
}

// Sum is what things that differ add up to.
type Sum struct {
	Count int
	Bytes Bytes
}

// Add adds something of so many bytes.
func (s *Sum) Add(b Bytes) {
	s.Count++
	s.Bytes = s.Bytes.Plus(b)
}

// Options are how images are compared. The zero value is fine.
type Options struct {
	// Strict takes files for different that differ in nothing but the time
	// of their last modification.
	Strict bool
}

// Diff is what differs between two images. It is immutable.
type Diff struct {
	// Old and New are the images as they are to be shown: values that look
	// secret are masked, as [analyze.Image.Redacted] does.
	Old, New *analyze.Image
	Options  Options

	Stored, Live, Dead Bytes

	Layers   *Layers
	Base     BaseChange
	Steps    []Step
	Files    *Files
	Packages *Packages
	Config   []ConfigChange
	Causes   []Cause
}

// Compare compares two images, which must be complete and have their packages
// ([analyze.Options.Packages]); else the error is ErrIncomplete. It reads nothing.
// Otherwise the error is that of ctx.
func Compare(ctx context.Context, old, new *analyze.Image, opts Options) (*Diff, error) {
	for _, m := range []*analyze.Image{old, new} {
		if !m.Complete || m.Packages == nil {
			return nil, ErrIncomplete
		}
	}
	d := &Diff{
		Old: old.Redacted(), New: new.Redacted(), Options: opts,
		Stored: Bytes{old.Totals.Stored, new.Totals.Stored},
		Live:   Bytes{old.Totals.Live, new.Totals.Live},
		Dead:   Bytes{old.Totals.Dead, new.Totals.Dead},
	}
	d.Layers = CompareLayers(old, new)
	d.Base = compareBases(old, new)
	d.Steps = alignSteps(old, new, d.Layers)
	d.Config = compareConfigs(old, new, d.Old, d.New)
	var err error
	if d.Files, err = compareFiles(ctx, old.Tree, new.Tree, opts); err != nil {
		return nil, err
	}
	d.Packages = comparePackages(old, new)
	d.Causes = compareCauses(old, new)
	return d, ctx.Err()
}

// Identical tells whether nothing differs: the images have the same layers, by
// the same digests as far as those are known, the same steps and the same
// config. (When they were made, and by which tool, may differ.)
func (d *Diff) Identical() bool {
	if !d.Layers.Identical() || len(d.Config) > 0 {
		return false
	}
	for _, s := range d.Steps {
		if s.State != StepSame {
			return false
		}
	}
	return true
}
