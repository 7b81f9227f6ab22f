package packages

import (
	"cmp"

	gem "github.com/aquasecurity/go-gem-version"
	pep440 "github.com/aquasecurity/go-pep440-version"
	apk "github.com/knqyf263/go-apk-version"
	deb "github.com/knqyf263/go-deb-version"
	rpm "github.com/knqyf263/go-rpm-version"
	"golang.org/x/mod/semver"
)

// maxCompared is the most bytes of a version that is compared. Those that there
// are have a tenth of it.
const maxCompared = 512

// CompareVersions compares two versions by the rules of their ecosystem: less
// than 0 if a is the older, 0 if they rank the same, as 1.0 and 1.00 do. It is
// false if that isn't known: of versions that aren't as the ecosystem has them
// (an empty one, the "(devel)" of Go programs), and of an ecosystem that isn't
// known.
func CompareVersions(eco Ecosystem, a, b string) (int, bool) {
	if a == "" || b == "" || len(a) > maxCompared || len(b) > maxCompared {
		return 0, false
	}
	c, ok := compareVersions(eco, a, b)
	back, okBack := compareVersions(eco, b, a)
	// A library that says two things is believed neither.
	if c = cmp.Compare(c, 0); !ok || !okBack || c != -cmp.Compare(back, 0) {
		return 0, false
	}
	return c, true
}

// compareVersions asks an ecosystem's library. Should one panic, then it has
// nothing to say.
func compareVersions(eco Ecosystem, a, b string) (c int, ok bool) {
	defer func() {
		if recover() != nil {
			c, ok = 0, false
		}
	}()
	switch eco {
	case Dpkg:
		return compareAs(a, b, deb.NewVersion, func(v, w deb.Version) int { return v.Compare(w) })
	case Apk:
		return compareAs(a, b, apk.NewVersion, apk.Version.Compare)
	case Rpm:
		return rpm.NewVersion(a).Compare(rpm.NewVersion(b)), true
	case Python:
		return compareAs(a, b, pep440.Parse, pep440.Version.Compare)
	case Gem:
		return compareAs(a, b, gem.NewVersion, gem.Version.Compare)
	case Npm:
		a, b = "v"+a, "v"+b
		fallthrough
	case Go:
		return semver.Compare(a, b), semver.IsValid(a) && semver.IsValid(b)
	}
	return 0, false
}

// compareAs compares two versions that a library parses.
func compareAs[V any](a, b string, parse func(string) (V, error), compare func(V, V) int) (int, bool) {
	v, err := parse(a)
	if err != nil {
		return 0, false
	}
	w, err := parse(b)
	if err != nil {
		return 0, false
	}
	return compare(v, w), true
}
