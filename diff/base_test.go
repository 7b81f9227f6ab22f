package diff

import (
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/packages"
)

// based returns an image written as words, the first of which are its layers, a
// letter each: those before "|" are the base's; without "|" that isn't known. Each
// stores as many bytes as there are layers up to it. Then come the distribution,
// "debian-12" or with a point release "debian-12-12.5", packages,
// "dpkg:base-files=12", and "unread" for something that can't be read.
func based(words string) *analyze.Image {
	m := &analyze.Image{Packages: &packages.Report{}}
	all := strings.Split(words, " ")
	base, own, known := strings.Cut(all[0], "|")
	if known {
		m.Base.How, m.Base.Layers = analyze.BaseProvenance, len(base)
	}
	for k, name := range base + own {
		l := analyze.Layer{Base: known && k < len(base)}
		l.DiffID = v1.Hash{Algorithm: "sha256", Hex: string(name)}
		l.Stored = int64(k + 1)
		if l.Base {
			m.Totals.Base.Stored += l.Stored
		}
		m.Layers = append(m.Layers, l)
	}
	for _, w := range all[1:] {
		switch eco, p, isPackage := strings.Cut(w, ":"); {
		case w == "unread":
			m.Packages.Unread = append(m.Packages.Unread, packages.Unread{})
		case isPackage:
			name, version, _ := strings.Cut(p, "=")
			m.Packages.Packages = append(m.Packages.Packages, &packages.Package{Ecosystem: packages.Ecosystem(eco), Name: name, Version: version})
		default:
			d := strings.SplitN(w+"--", "-", 3)
			m.Packages.Distribution = &packages.Distribution{ID: d[0], Version: d[1], Point: strings.TrimRight(d[2], "-")}
		}
	}
	return m
}

func TestCompareBases(t *testing.T) {
	for _, tt := range []struct {
		old, new string
		want     BaseState
		releases string // "OLD NEW"; "" if they aren't told
	}{
		// Both bases known.
		{"ab|c", "ab|d", BaseSame, ""},
		{"|a", "|b", BaseSame, ""},
		{"a|b debian-12", "a|c debian-13", BaseSame, ""}, // upgraded on top
		{"a|b debian-12-12.5", "a|c debian-12-12.6", BaseSame, "12.5 12.6"},
		{"a|c debian-12", "b|c debian-12", BaseRebuilt, ""},
		{"a|c debian-12", "ab|c debian-12", BaseRebuilt, ""},
		{"ab|c debian-12", "ba|c debian-12", BaseRebuilt, ""},
		{"a|c debian-12-12.5", "b|c debian-12-12.6", BaseRebuilt, "12.5 12.6"},
		{"a|c debian-12-12.5 dpkg:base-files=5", "b|c debian-12-12.6 dpkg:base-files=6", BaseRebuilt, "12.5 12.6"},
		{"a|c debian-12 dpkg:base-files=5", "b|c debian-12-12.6 dpkg:base-files=6", BaseRebuilt, "5 6"},
		{"a|c debian-12", "b|c debian-13", BaseRelease, ""},
		{"a|c alpine-3.19.1", "b|c alpine-3.19.2", BaseRelease, ""},
		{"a|c debian-12", "b|c alpine-3", BaseOther, ""},
		{"a|c arch-", "b|c arch-", BaseRebuilt, ""},
		{"a|c arch-", "b|c arch-1", BaseRelease, ""},
		{"a|c", "b|c", BaseUnknown, ""},
		{"a|c debian-12", "b|c", BaseOther, ""},
		// None on one side.
		{"a|c debian-12", "|b", BaseOther, ""},
		{"a|c debian-12", "|b debian-12", BaseRebuilt, ""},
		{"a|c", "|b", BaseOther, ""},
		{"a|c", "", BaseOther, ""}, // no layers, no base
		{"", "", BaseSame, ""},
		{"", "|a", BaseSame, ""},
		{"", "a", BaseUnknown, ""},
		// None on either side, as of a distribution's own images.
		{"|a debian-11", "|b debian-12", BaseRelease, ""},
		{"|a debian-12", "|b alpine-3", BaseOther, ""},
		{"|a debian-12", "|b", BaseOther, ""},
		{"|a debian-12", "|ab debian-12", BaseSame, ""},
		{"|a debian-12-12.5", "|b debian-12-12.6", BaseRebuilt, "12.5 12.6"},
		{"|a debian-12", "|b unread", BaseUnknown, ""},
		{"", "|a debian-12", BaseOther, ""},
		// A base isn't known.
		{"ab debian-12", "b|c debian-12", BaseRebuilt, ""},
		{"a debian-12", "ab|c debian-12", BaseRebuilt, ""},
		{"ab debian-12", "a|c debian-12", BaseUnknown, ""},
		{"ab debian-12", "|ab debian-12", BaseUnknown, ""},
		{"ab debian-12", "ab|c debian-13", BaseRelease, ""},
		{"ab debian-12", "ab|c alpine-12", BaseOther, ""},
		{"ab", "ab|c", BaseUnknown, ""},
		{"ab debian-12", "cb debian-12", BaseRebuilt, ""},
		{"ab debian-12", "ac debian-12", BaseUnknown, ""},
		{"ab debian-12", "ac debian-11", BaseRelease, ""},
		{"a", "b", BaseUnknown, ""},
		{"a debian-12", "b", BaseOther, ""},
		// An os-release isn't there, or can't be read.
		{"a|c debian-12", "b|c dpkg:x=1", BaseUnknown, ""},
		{"a|c debian-12", "b|c apk:x=1", BaseUnknown, ""}, // of the one no database is known
		{"a|c debian-12 dpkg:x=1", "b|c apk:x=1", BaseOther, ""},
		{"a|c dpkg:x=1", "b|c rpm:x=1", BaseOther, ""},
		{"a|c dpkg:x=1", "b|c", BaseOther, ""},
		{"a|c npm:x=1", "b|c", BaseUnknown, ""},
		{"a|c dpkg:x=1", "b|c unread", BaseUnknown, ""},
		{"a|c", "|b unread", BaseUnknown, ""},
		{"a|c dpkg:base-files=12", "b|c dpkg:base-files=12", BaseRebuilt, "12 12"},
		{"a|c dpkg:base-files=12", "b|c dpkg:base-files=11", BaseUnknown, "12 11"},
		{"a|c debian-12 dpkg:base-files=12", "b|c dpkg:base-files=12", BaseRebuilt, "12 12"},
		{"a|c apk:alpine-release=1", "b|c apk:alpine-release=2", BaseRelease, "1 2"},
		{"a|c rpm:fedora-release-common=39-1", "b|c rpm:fedora-release-common=40-1", BaseRelease, "39-1 40-1"},
		{"a|c rpm:fedora-release-common=39-1", "b|c rpm:fedora-release-common=39-1", BaseRebuilt, "39-1 39-1"},
		{"a|c rpm:fedora-release=39", "b|c rpm:rocky-release=9", BaseUnknown, ""},
		{"a|c rpm:my-release=1", "b|c rpm:my-release=2", BaseUnknown, ""},
		{"a|c apk:alpine-release=1 apk:alpine-release=2", "b|c apk:alpine-release=2", BaseUnknown, ""},
		{"a|c apk:alpine-release=", "b|c apk:alpine-release=2", BaseUnknown, ""},
	} {
		old, new := based(tt.old), based(tt.new)
		for range 2 {
			got := compareBases(old, new)
			if got.State != tt.want {
				t.Errorf("%s, %s: %v, want %v", tt.old, tt.new, got.State, tt.want)
			}
			if releases := strings.TrimSpace(got.OldRelease + " " + got.NewRelease); releases != tt.releases {
				t.Errorf("%s, %s: releases %q, want %q", tt.old, tt.new, releases, tt.releases)
			}
			if got.Old != old.Packages.Distribution || got.New != new.Packages.Distribution {
				t.Errorf("%s, %s: distributions %v and %v", tt.old, tt.new, got.Old, got.New)
			}
			if want := (Bytes{old.Totals.Base.Stored, new.Totals.Base.Stored}); got.Stored != want {
				t.Errorf("%s, %s: stored %v, want %v", tt.old, tt.new, got.Stored, want)
			}
			old, new = new, old // and the other way round
			a, b, _ := strings.Cut(tt.releases, " ")
			tt.releases = strings.TrimSpace(b + " " + a)
		}
	}
	m, other := based("a debian-12"), based("a debian-12")
	m.ID = v1.Hash{Algorithm: "sha256", Hex: "1"}
	if got := compareBases(m, m).State; got != BaseSame {
		t.Errorf("of one image the bases are %v", got)
	}
	if got := compareBases(m, other).State; got != BaseUnknown {
		t.Errorf("of an image and another the bases are %v", got)
	}
}
