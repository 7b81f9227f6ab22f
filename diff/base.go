package diff

import (
	"maps"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/packages"
)

// BaseState is what became of the base: of the FROM image, and of the
// distribution that is in it.
type BaseState uint8

// The states of bases.
const (
	BaseUnknown BaseState = iota // nothing tells
	BaseSame                     // the same layers, perhaps compressed otherwise; or neither image has a base
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
	// Old and New are the distributions in the final filesystems, by their
	// os-release; nil if there is none.
	Old, New *packages.Distribution
	// OldRelease and NewRelease tell releases apart more finely: the point
	// releases, or else the versions of the package that makes a filesystem
	// that release's ("base-files", "alpine-release"). Both are "" unless the
	// same thing is known of both images. They are of the final filesystems
	// too: an upgrade on top of the same base changes them.
	OldRelease, NewRelease string
	Stored                 Bytes // of the bases' layers; 0 where it isn't known which these are
}

// compareBases compares the bases of two images. What became of them is the
// first of these that holds:
//
//  1. BaseSame, if they are one image, by its ID; or if it is known of both which
//     layers are the base's, and these are the same by their diffIDs.
//  2. By the distributions, as releasesOf compares them: BaseOther, or
//     BaseRelease. A point release, or a package's, is no other release where
//     os-release names both. Images without a FROM image are compared so too:
//     a distribution's own image is built from nothing.
//  3. BaseSame, if neither image has a base, and no finer release differs.
//  4. BaseRebuilt, if distribution and release are the same and so are not the
//     bases' layers: both are known, or a layer that the one base is known to
//     have isn't where the other image would have it. Of two images with unknown
//     bases that is the lowest.
//  5. BaseOther, if neither image shows a distribution and one is known to have
//     no base, and the other to have one.
//  6. BaseUnknown. So where an image has the layers of the other's base, but
//     isn't known to have no more of its own: that may be the same base or not.
func compareBases(old, new *analyze.Image) BaseChange {
	c := BaseChange{
		Old: old.Packages.Distribution, New: new.Packages.Distribution,
		Stored: Bytes{old.Totals.Base.Stored, new.Totals.Base.Stored},
	}
	c.OldRelease, c.NewRelease = pointReleases(old.Packages, new.Packages)
	oneImage := old.ID == new.ID && old.ID != (v1.Hash{})
	known := baseKnown(old) && baseKnown(new)
	none := known && old.Base.Layers == 0 && new.Base.Layers == 0
	if oneImage || known && !none && !basesDiffer(old, new) {
		c.State = BaseSame
		return c
	}
	switch releasesOf(old.Packages, new.Packages) {
	case otherDistribution:
		c.State = BaseOther
	case otherRelease:
		c.State = BaseRelease
	case sameRelease:
		switch {
		case none && c.OldRelease == c.NewRelease:
			c.State = BaseSame
		case none || basesDiffer(old, new):
			c.State = BaseRebuilt
		}
	case noDistribution:
		switch {
		case none:
			c.State = BaseSame
		case known && (old.Base.Layers == 0) != (new.Base.Layers == 0):
			c.State = BaseOther
		}
	}
	return c
}

// baseKnown tells whether it is known which layers are the base's, if any.
func baseKnown(m *analyze.Image) bool { return m.Base.How != "" || len(m.Layers) == 0 }

// basesDiffer tells whether two images are known not to have the same layers for
// a base: not if one may have more of them, or none.
func basesDiffer(old, new *analyze.Image) bool {
	n := 0
	switch a, b := old.Base.Layers, new.Base.Layers; {
	case baseKnown(old) && baseKnown(new):
		if a != b {
			return true
		}
		n = a
	case baseKnown(old):
		n = a
	case baseKnown(new):
		n = b
	default:
		n = 1 // every base has
	}
	if n > min(len(old.Layers), len(new.Layers)) {
		return true
	}
	for k := range n {
		if old.Layers[k].DiffID != new.Layers[k].DiffID {
			return true
		}
	}
	return false
}

// releases is how the distributions of two images compare.
type releases uint8

const (
	unknownReleases releases = iota
	noDistribution           // neither shows one
	sameRelease
	otherRelease
	otherDistribution
)

// releasesOf compares distributions. With an os-release on both sides it is ID
// and VERSION_ID that count. One without it still shows a distribution if it has
// system packages: another than one with those of other databases. Else, if the
// package that stands for a release has the same version it is the same release,
// and if it hasn't it is another; but that of Debian has the same name in all
// that is made of Debian, whose versions differ too. What couldn't be read may be
// anything.
func releasesOf(old, new *packages.Report) releases {
	a, b := old.Distribution, new.Distribution
	if a != nil && b != nil {
		switch {
		case a.ID != b.ID:
			return otherDistribution
		case a.Version != b.Version:
			return otherRelease
		}
		return sameRelease
	}
	x, y := systemsOf(old), systemsOf(new)
	switch shown, others := a != nil || len(x) > 0, b != nil || len(y) > 0; {
	case !shown && len(old.Unread) > 0 || !others && len(new.Unread) > 0:
		return unknownReleases
	case !shown && !others:
		return noDistribution
	case !shown || !others:
		return otherDistribution
	case len(x) > 0 && len(y) > 0 && !slices.ContainsFunc(x, func(e packages.Ecosystem) bool { return slices.Contains(y, e) }):
		return otherDistribution
	}
	p, q := releasePackages(old, new)
	switch {
	case p == nil:
		return unknownReleases
	case p.Version == q.Version:
		return sameRelease
	case p.Name == debianRelease:
		return unknownReleases
	}
	return otherRelease
}

// systemsOf returns the databases of an operating system's packages that an image
// has packages in.
func systemsOf(r *packages.Report) []packages.Ecosystem {
	var of []packages.Ecosystem
	for _, e := range []packages.Ecosystem{packages.Dpkg, packages.Apk, packages.Rpm} {
		if slices.ContainsFunc(r.Packages, func(p *packages.Package) bool { return p.Ecosystem == e }) {
			of = append(of, e)
		}
	}
	return of
}

// debianRelease is the package by which Debian, and what is made of it, say what
// release a filesystem is of.
const debianRelease = "base-files"

// isRelease tells whether a package is the one by which a distribution says so:
// fedora-release-common, centos-release, openSUSE-release and the like.
func isRelease(p *packages.Package) bool {
	switch p.Ecosystem {
	case packages.Dpkg:
		return p.Name == debianRelease
	case packages.Apk:
		return p.Name == "alpine-release" || p.Name == "wolfi-baselayout"
	case packages.Rpm:
		name := strings.TrimSuffix(p.Name, "-common")
		return strings.HasSuffix(name, "-release") && slices.Contains(rpmReleases, strings.ToLower(strings.TrimSuffix(name, "-release")))
	}
	return false
}

// rpmReleases are the names before "-release", in lower case.
var rpmReleases = []string{
	"almalinux", "azurelinux", "centos", "centos-linux", "centos-stream", "fedora", "leap", "mariner", "opensuse",
	"oraclelinux", "redhat", "rocky", "sle", "sled", "sles", "system",
}

// releasePackages returns the packages of one name that stand for the releases of
// both images, nil if they have none such in common, or several of a name.
func releasePackages(old, new *packages.Report) (a, b *packages.Package) {
	find := func(r *packages.Report) map[string]*packages.Package {
		found := map[string]*packages.Package{}
		for _, p := range r.Packages {
			if !isRelease(p) {
				continue
			}
			n := string(p.Ecosystem) + " " + p.Name
			if q, ok := found[n]; ok && (q == nil || q.Version != p.Version) || p.Version == "" {
				p = nil
			}
			found[n] = p
		}
		return found
	}
	olds, news := find(old), find(new)
	for _, n := range slices.Sorted(maps.Keys(olds)) {
		if p, q := olds[n], news[n]; p != nil && q != nil {
			return p, q
		}
	}
	return nil, nil
}

// pointReleases returns what tells the releases of two images apart most finely.
func pointReleases(old, new *packages.Report) (a, b string) {
	if x, y := old.Distribution, new.Distribution; x != nil && y != nil && x.ID == y.ID && x.Point != "" && y.Point != "" {
		return x.Point, y.Point
	}
	if p, q := releasePackages(old, new); p != nil {
		return p.Version, q.Version
	}
	return "", ""
}
