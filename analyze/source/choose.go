package source

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// choose returns the image that is asked for by tag and platform. A tag may be
// left out if there is but one image, a platform if one image has but one, or
// the default one.
func choose(cs []*candidate, absent []v1.Descriptor, opts Options) (*candidate, error) {
	cs, err := byTag(cs, opts.Tag)
	if err != nil {
		return nil, err
	}
	if opts.Platform != nil {
		cs, err = byPlatform(cs, absent, *opts.Platform)
		if err != nil {
			return nil, err
		}
	}
	if len(cs) == 1 {
		return cs[0], nil
	}
	if slices.ContainsFunc(cs, func(c *candidate) bool { return c.group != cs[0].group }) {
		return nil, severalImages(cs)
	}
	if opts.Platform == nil {
		cs, err = byPlatform(cs, nil, defaultPlatform())
		if err != nil {
			return nil, err
		}
	}
	if len(cs) > 1 {
		return nil, severalImages(cs)
	}
	return cs[0], nil
}

// byTag returns the candidates that a tag names best. Those that it names alike
// are one group: they are an image's platforms.
func byTag(cs []*candidate, tag string) ([]*candidate, error) {
	if tag == "" {
		return cs, nil
	}
	var named []*candidate
	best := noRank
	for _, c := range cs {
		name, r := c.match(tag)
		if r == noRank || best != noRank && r > best {
			continue
		}
		if r != best {
			named, best = nil, r
		}
		c.group = name
		named = append(named, c)
	}
	if len(named) == 0 {
		return nil, &HintError{
			Err:  fmt.Errorf("no image %q; there is %s", tag, candidateList(cs)),
			Hint: "choose one of them with --tag",
		}
	}
	return named, nil
}

// minDigestPrefix is how many hex digits of a digest name an image.
const minDigestPrefix = 4

// match returns the candidate's name that a tag means and how well it does, 0
// best, or noRank: the name as it stands, the same reference written otherwise,
// the end of the name, the last component of its repository, a digest.
func (c *candidate) match(tag string) (name string, rank int) {
	ways := []func(name string) bool{
		func(name string) bool { return name == tag },
		func(name string) bool { return qualify(name) == qualify(tag) },
		func(name string) bool { return strings.HasSuffix(name, ":"+tag) || strings.HasSuffix(name, "/"+tag) },
		func(name string) bool { return repository(name) == tag },
	}
	for rank, way := range ways {
		if i := slices.IndexFunc(c.names, way); i >= 0 {
			return c.names[i], rank
		}
	}
	hex := strings.TrimPrefix(tag, "sha256:")
	for _, d := range []v1.Hash{c.digest, c.config} {
		if len(hex) >= minDigestPrefix && strings.HasPrefix(d.Hex, hex) {
			return d.String(), len(ways)
		}
	}
	return "", noRank
}

// qualify returns a name as docker completes it; what is no image name stays.
func qualify(name string) string {
	if full, _ := fullName(name); full != "" {
		return full
	}
	return name
}

// repository returns the last component of a reference's repository:
// "alpine" of "docker.io/library/alpine:3.20".
func repository(name string) string {
	name = name[strings.LastIndexByte(name, '/')+1:]
	name, _, _ = strings.Cut(name, ":")
	return name
}

// ownName returns the candidate's own full name, "" if it has none: a bare tag
// is no name.
func (c *candidate) ownName() string {
	if c.qualified != "" {
		return qualify(c.qualified)
	}
	for _, n := range c.names {
		if domain, _, ok := strings.Cut(n, "/"); ok && strings.ContainsAny(domain, ".:") {
			return n
		}
	}
	return ""
}

// byPlatform returns the candidates that fit a platform best. One image that
// doesn't say its platform is taken for any.
func byPlatform(cs []*candidate, absent []v1.Descriptor, want v1.Platform) ([]*candidate, error) {
	if len(cs) == 1 && cs[0].platform.OS == "" && cs[0].platform.Architecture == "" {
		return cs, nil
	}
	if fit := fitting(cs, (*candidate).of, want); len(fit) > 0 {
		return fit, nil
	}
	for _, d := range absent {
		if d.Platform != nil && platformRank(want, *d.Platform) != noRank {
			return nil, fmt.Errorf("the image for %s is listed (%s) but not there; there is %s",
				platformName(want), d.Digest, strings.Join(platformNames(cs, (*candidate).of), ", "))
		}
	}
	return nil, noPlatform(want, platformNames(cs, (*candidate).of))
}

// of returns the platform that the candidate is of.
func (c *candidate) of() v1.Platform { return c.platform }

// severalImages is the error for candidates between which there is no choosing.
func severalImages(cs []*candidate) error {
	return &HintError{
		Err:  errors.New("there are several images: " + candidateList(cs)),
		Hint: "choose one with --tag, by its name or digest",
	}
}

// candidateList names the candidates. Those of one name are told apart by
// their platforms if they can be, else by their digests.
func candidateList(cs []*candidate) string {
	var order []string
	groups := map[string][]*candidate{}
	for _, c := range cs {
		if groups[c.group] == nil {
			order = append(order, c.group)
		}
		groups[c.group] = append(groups[c.group], c)
	}
	var items []string
	for _, g := range order {
		items = append(items, groupItem(groups[g]))
	}
	return bounded(items)
}

// groupItem describes the candidates of one group.
func groupItem(group []*candidate) string {
	name := "an unnamed image"
	if names := group[0].names; len(names) > 0 {
		name = fmt.Sprintf("%q", names[0])
	}
	tells := platformNames(group, (*candidate).of)
	if len(tells) < len(group) {
		tells = nil
		for _, c := range group {
			tells = append(tells, c.shortDigest())
		}
	}
	if len(group) == 1 && len(group[0].names) > 0 {
		return name
	}
	if len(group) == 1 {
		tells = []string{group[0].shortDigest()}
	}
	return name + " (" + bounded(tells) + ")"
}

// shortDigest returns enough of a digest to choose by.
func (c *candidate) shortDigest() string {
	h := c.digest
	if h == (v1.Hash{}) {
		h = c.config
	}
	if h == (v1.Hash{}) {
		return "no digest"
	}
	return h.Algorithm + ":" + h.Hex[:12]
}

// maxListed bounds lists in messages.
const maxListed = 20

// bounded joins items, saying how many are left out if there are too many.
func bounded(items []string) string {
	if more := len(items) - maxListed; more > 0 {
		items = append(slices.Clone(items[:maxListed]), fmt.Sprintf("and %d more", more))
	}
	return strings.Join(items, ", ")
}

// quotedList lists what an image says, quoted.
func quotedList(items []string) string {
	quoted := make([]string, len(items))
	for i, s := range items {
		quoted[i] = fmt.Sprintf("%q", s)
	}
	return bounded(quoted)
}
