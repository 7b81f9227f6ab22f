package report

import (
	"fmt"
	"slices"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/diff"
	"github.com/layerscope/layerscope/view/text"
)

// packages writes the packages that differ, and what the others add up to, so
// that the rows add up to the difference.
func (t diffText) packages() {
	p := t.Packages
	if len(p.Changes) == 0 {
		return
	}
	tab := table{cutLast: text.TruncateMiddle, columns: []column{{title: "DIFFERENCE"}, {title: "CHANGE", left: true}, {title: "ECOSYSTEM", left: true}, {title: "VERSION", left: true}, {title: "PACKAGE", left: true}}}
	row := func(b diff.Bytes, what string) { tab.add(t.style.diff(b), "", "", "", what) }
	shown := p.Changes[:t.some(len(p.Changes), fewRows)]
	for _, c := range shown {
		tab.add(t.style.diff(c.Bytes), c.State.String(), ecosystem(c), t.versions(c), t.packageName(c))
	}
	if rest := p.Changes[len(shown):]; len(rest) > 0 {
		sum := diff.Bytes{}
		for _, c := range rest {
			sum = sum.Plus(c.Bytes)
		}
		row(sum, "("+text.Plural(len(rest), "more package")+")")
	}
	if n := p.Unchanged.Count; n > 0 {
		row(p.Unchanged.Bytes, fmt.Sprintf("(%s, the same)", text.Plural(n, "package")))
	}
	row(p.Unowned, "(no package)")
	row(p.Dead, "(dead)")
	row(t.Stored, "(all that is stored)")
	t.section("Packages: "+t.packageCounts(), tab)
}

// unread names what should tell of packages and can't be read: what looks added or
// removed may be that.
func (t diffText) unread() {
	type unread struct {
		image, path, why string
	}
	var all []unread
	for _, side := range t.sides() {
		for _, u := range side.Packages.Unread {
			all = append(all, unread{side.name, rooted(side.Tree, u.Path), u.Why.Error()})
		}
	}
	tab := table{columns: []column{{left: true}, {title: "PATH", left: true}}}
	t.list("Not read, so that what these tell of is no package's", tab, len(all), "file", func(tab *table, i int) {
		tab.add(all[i].image, t.name(all[i].path)+": "+t.foreign(all[i].why))
	}, nil)
}

// side is one of the images, with its name.
type side struct {
	name string
	*analyze.Image
}

func (c Comparison) sides() [2]side { return [2]side{{oldName, c.Old}, {newName, c.New}} }

// packageCounts says what became of how many packages.
func (c Comparison) packageCounts() string {
	all := make([]counted, diff.NumPackageStates)
	for i, sum := range c.Packages.Sums {
		all[i] = counted{sum.Count, diff.PackageState(i).String()}
	}
	return counts(all)
}

// maxVersions is the most cells that versions take on a narrow line.
const maxVersions = 24

// versions returns the versions of a package, one where that says it.
func (s style) versions(p diff.Package) string {
	most := 2*maxVersion + len(" -> ")
	if s.Width > 0 && s.Width < narrow {
		most = maxVersions
	}
	version := func(v string) string {
		if v == "" {
			return s.unknown()
		}
		return s.name(v)
	}
	var v string
	switch {
	case p.Old == nil:
		v = version(p.New.Version)
	case p.New == nil || p.Old.Version == p.New.Version:
		v = version(p.Old.Version)
	default:
		half := (most - len(" -> ")) / 2
		v = s.to(s.shorten(version(p.Old.Version), half, text.Truncate), s.shorten(version(p.New.Version), half, text.Truncate))
	}
	return s.shorten(v, most, text.Truncate)
}

// packageName returns the name of a package, with its place where there may be
// several.
func (t diffText) packageName(p diff.Package) string {
	if p.New != nil {
		return packagesText{t.style, t.New, 0}.label(p.New)
	}
	return packagesText{t.style, t.Old, 0}.label(p.Old)
}

// ecosystem returns where a package comes from.
func ecosystem(p diff.Package) string {
	if p.New != nil {
		return string(p.New.Ecosystem)
	}
	return string(p.Old.Ecosystem)
}

// maxName is the most cells that the name of a variable or a label takes on a
// line of limited width.
const maxName = 30

// config writes what differs of the configs, the old value above the new one.
func (t diffText) config() {
	// What differs of a long value is as often at its end as at its start.
	tab := table{cutLast: text.TruncateMiddle, columns: []column{{title: "KEY", left: true}, {title: "NAME", left: true}, {left: true}, {title: "VALUE", left: true}}}
	l := t.sections
	l.rows = t.some(len(t.Config), someRows)
	l.list("Config", tab, len(t.Config), "difference", func(tab *table, i int) {
		c := t.Config[i]
		key, name := c.Key, t.quote(c.Name, maxName)
		for _, side := range []struct {
			sign  string
			value []string
			note  string
		}{{"-", c.Old, ""}, {"+", c.New, masked(c)}} {
			if side.value != nil {
				tab.add(key, name, side.sign, t.value(c.Key, side.value)+side.note)
				key, name = "", ""
			}
		}
	}, nil)
}

// masked says that values differ which read the same, as what is masked does.
func masked(c diff.ConfigChange) string {
	if c.Old == nil || c.New == nil || !slices.Equal(c.Old, c.New) {
		return ""
	}
	return " (another, masked)"
}

// isCommand holds the keys whose values are the words of a command.
var isCommand = map[string]bool{"entrypoint": true, "cmd": true, "healthcheck": true, "shell": true, "onBuild": true}

// value returns a value of a config, of a command its words in JSON.
func (s style) value(key string, words []string) string {
	if !isCommand[key] && len(words) <= 1 {
		if len(words) == 0 {
			return ""
		}
		return s.foreign(words[0])
	}
	b, err := encode(words, "")
	if err != nil { // strings can be encoded
		return s.unknown()
	}
	return s.foreign(string(b))
}
