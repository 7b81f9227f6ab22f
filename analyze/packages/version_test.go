package packages_test

import (
	"strings"
	"testing"

	"github.com/layerscope/layerscope/analyze/packages"
)

// rising are versions that each ecosystem's own documentation or tool puts in
// this order, the oldest first.
var rising = map[packages.Ecosystem][]string{
	// deb-version(7), and what Debian has.
	packages.Dpkg: {"1.0~~", "1.0~~a", "1.0~", "1.0", "1.0-1~deb12u1", "1.0-1", "1.0-1+b1", "1.0-1+deb12u2", "1.0-2", "1.0a", "1.0+dfsg-1", "1.2", "1.10", "1:0.5"},
	// apk-tools, test/version.data.
	packages.Apk: {"0.1_pre2-r0", "0.1-r0", "1.0_alpha1-r0", "1.0_beta-r1", "1.0_rc1-r2", "1.0-r0", "1.0-r1", "1.0_p1-r0", "1.0.1-r0", "1.2.3-r0", "1.2.3-r10", "1.2.3a-r0", "1.10-r0"},
	// rpm, tests/rpmvercmp.at.
	packages.Rpm: {"1.0~rc1-1", "1.0-1.el9", "1.0-1.el9_2", "1.0-2.el9", "1.0^git1-1", "1.0.1-1", "1.2-1", "1.10-1", "1:0.1-1"},
	// PEP 440.
	packages.Python: {"1.dev0", "1.0.dev456", "1.0a1", "1.0a2.dev456", "1.0a12", "1.0b2", "1.0rc1", "1.0", "1.0+abc.5", "1.0+5", "1.0.post456", "1.1.dev1", "1.10", "1!0.1"},
	// semver.org, 11.
	packages.Npm: {"1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.2.0", "1.10.0", "1.10.1-0", "2.0.0"},
	// Gem::Version.
	packages.Gem: {"0.9", "1.0.a.2", "1.0.b1", "1.0.rc1", "1.0", "1.0.1", "1.2", "1.10.0.beta1", "1.10"},
	// go.dev/ref/mod, "Versions".
	packages.Go: {"v0.0.0-20191109021931-daa7c04131f5", "v1.2.3-0.20191109021931-daa7c04131f5", "v1.2.3-pre", "v1.2.3", "v1.10.0", "v2.0.0+incompatible"},
}

func TestCompareVersions(t *testing.T) {
	for _, eco := range packages.Ecosystems {
		vs := rising[eco]
		if len(vs) < 5 {
			t.Errorf("%s has no versions to compare", eco)
		}
		for i, a := range vs {
			for j, b := range vs {
				want := min(max(i-j, -1), 1)
				if got, ok := packages.CompareVersions(eco, a, b); !ok || got != want {
					t.Errorf("%s: %s and %s compare as %d %t, want %d", eco, a, b, got, ok, want)
				}
			}
		}
	}
}

// TestSameRank has versions that are written in two ways.
func TestSameRank(t *testing.T) {
	for eco, vs := range map[packages.Ecosystem][2]string{
		packages.Dpkg:   {"1.0", "0:1.00"},
		packages.Rpm:    {"1.0-1", "1.00-1"},
		packages.Python: {"1.0", "v1.0.0"},
		packages.Npm:    {"1.0.0+a", "1.0.0+b"},
		packages.Gem:    {"1.0", "1.0.0"},
		packages.Go:     {"v1.0.0", "v1.0.0+dirty"},
	} {
		if got, ok := packages.CompareVersions(eco, vs[0], vs[1]); got != 0 || !ok {
			t.Errorf("%s: %v compare as %d %t", eco, vs, got, ok)
		}
	}
}

func TestNotComparable(t *testing.T) {
	for _, eco := range append([]packages.Ecosystem{"", "cargo"}, packages.Ecosystems...) {
		fine := "1.0.0"
		if vs := rising[eco]; vs != nil {
			fine = vs[0]
		}
		bad := []string{"", strings.Repeat("1", 1000)}
		if eco != packages.Rpm { // has no rules of what a version is
			bad = append(bad, "(devel)", "not a version", "\xff", "\x00", "-")
		}
		for _, b := range bad {
			if c, ok := packages.CompareVersions(eco, fine, b); ok || c != 0 {
				t.Errorf("%q: %q and %q compare as %d", eco, fine, b, c)
			}
		}
	}
}

// FuzzCompareVersions holds comparisons to what any order has: nothing is older
// than itself, and turned round the answer is.
func FuzzCompareVersions(f *testing.F) {
	for i, eco := range packages.Ecosystems {
		vs := rising[eco]
		for j := 1; j < len(vs); j++ {
			f.Add(i, vs[j-1], vs[j])
		}
	}
	f.Add(1, "1.0_", "1.0_x")
	f.Add(3, "1.0+a", "1.0+1")
	f.Add(5, "1.a", "99999999999999999999999")
	f.Fuzz(func(t *testing.T, i int, a, b string) {
		if i < 0 || i >= len(packages.Ecosystems) {
			return
		}
		eco := packages.Ecosystems[i]
		c, ok := packages.CompareVersions(eco, a, b)
		back, okBack := packages.CompareVersions(eco, b, a)
		if ok != okBack || c != -back || c < -1 || c > 1 || !ok && c != 0 {
			t.Errorf("%s: %q and %q compare as %d %t, turned round as %d %t", eco, a, b, c, ok, back, okBack)
		}
		if same, known := packages.CompareVersions(eco, a, a); same != 0 || ok && !known {
			t.Errorf("%s: %q compares with itself as %d %t", eco, a, same, known)
		}
	})
}
