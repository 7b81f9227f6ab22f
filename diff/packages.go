package diff

import (
	"cmp"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/packages"
)

// PackageState is what became of a package.
type PackageState uint8

// The states of packages.
const (
	PackageAdded PackageState = iota
	PackageRemoved
	PackageUpgraded
	PackageDowngraded
	// PackageChanged: another version, and it isn't known which of the two is
	// the newer; or the same with other bytes, or for another architecture.
	PackageChanged

	NumPackageStates = iota
)

var packageStates = [NumPackageStates]string{"added", "removed", "upgraded", "downgraded", "changed"}

// String returns the state's name as JSON has it.
func (s PackageState) String() string { return packageStates[s] }

// Package is a package that differs.
type Package struct {
	State    PackageState
	Old, New *packages.Package // nil in the image that hasn't got it
	Bytes    Bytes             // of the live copies that it owns
}

// Packages is the packages of two images compared. The bytes of all changes, of
// Unchanged, Unowned and Dead add up to what the images store.
type Packages struct {
	// Changes are the packages that differ: those by whose bytes the images
	// differ most first, then by ecosystem, name and place.
	Changes []Package
	Sums    [NumPackageStates]Sum // of each state
	// Unchanged are those of which both images have the same version, for the
	// same architecture, that owns as many copies of as many bytes. Their
	// content may differ all the same, and so may their place: files tell.
	Unchanged Sum
	Unowned   Bytes // live, and of no package
	Dead      Bytes
}

// comparePackages compares the packages of two images. Those of one name are
// one package where they are for one architecture or in one place. What is left
// over of a name is paired too, as one that moved or is for another
// architecture now. Of several the same versions go together, then the newest.
func comparePackages(old, new *analyze.Image) *Packages {
	c := &Packages{
		Unowned: Bytes{old.Packages.Unowned.Bytes, new.Packages.Unowned.Bytes},
		Dead:    Bytes{old.Totals.Dead, new.Totals.Dead},
	}
	m := packageMatcher{old: identifyPackages(old), new: identifyPackages(new)}
	for _, key := range []func(*idPackage) packageID{
		func(p *idPackage) packageID { return p.packageID },
		func(p *idPackage) packageID { return packageID{p.eco, p.name, p.where, ""} },
		func(p *idPackage) packageID { return packageID{p.eco, p.name, "", p.version} },
		func(p *idPackage) packageID { return packageID{p.eco, p.name, "", ""} },
	} {
		m.match(key)
	}
	for _, p := range m.old {
		m.pairs = append(m.pairs, [2]*idPackage{p, nil})
	}
	for _, p := range m.new {
		m.pairs = append(m.pairs, [2]*idPackage{nil, p})
	}
	slices.SortStableFunc(m.pairs, comparePackagePairs)
	for _, pair := range m.pairs {
		c.add(pair)
	}
	return c
}

// add adds two packages that belong together, or one.
func (c *Packages) add(pair [2]*idPackage) {
	p := Package{Bytes: packageBytes(pair)}
	if pair[0] != nil {
		p.Old = pair[0].Package
	}
	if pair[1] != nil {
		p.New = pair[1].Package
	}
	switch {
	case p.Old == nil:
		p.State = PackageAdded
	case p.New == nil:
		p.State = PackageRemoved
	case p.Old.Version == p.New.Version && p.Old.Arch == p.New.Arch && p.Old.Bytes == p.New.Bytes && p.Old.Copies == p.New.Copies:
		c.Unchanged.Add(p.Bytes)
		return
	default:
		p.State = versionState(p.Old, p.New)
	}
	c.Sums[p.State].Add(p.Bytes)
	c.Changes = append(c.Changes, p)
}

// versionState returns what became of a package, by its versions.
func versionState(old, new *packages.Package) PackageState {
	switch older, ok := packages.CompareVersions(old.Ecosystem, old.Version, new.Version); {
	case ok && older < 0:
		return PackageUpgraded
	case ok && older > 0:
		return PackageDowngraded
	}
	return PackageChanged
}

// packageID is what tells packages apart.
type packageID struct {
	eco     packages.Ecosystem
	name    string
	where   string // architecture or place
	version string
}

// idPackage is a package with its identity.
type idPackage struct {
	packageID
	*packages.Package
	place string
}

func identifyPackages(m *analyze.Image) []*idPackage {
	all := make([]*idPackage, len(m.Packages.Packages))
	for i, p := range m.Packages.Packages {
		id := &idPackage{packageID{p.Ecosystem, p.Name, "", p.Version}, p, m.Tree.Path(p.Metadata)}
		switch p.Ecosystem {
		case packages.Dpkg, packages.Apk, packages.Rpm:
			id.where = p.Arch
		case packages.Python:
			id.name = pythonName(p.Name)
			id.where = pythonPlace(id.place)
		case packages.Go:
			id.where = id.place // is the program
		default:
			id.where = path.Dir(id.place)
		}
		all[i] = id
	}
	return all
}

var pythonSigns = regexp.MustCompile(`[-_.]+`)

// pythonName returns the one way to write a name (PyPA, "Names and
// normalization"): releases of a package differ in it.
func pythonName(name string) string {
	return strings.ToLower(pythonSigns.ReplaceAllString(name, "-"))
}

// pythonPlace returns the folder that a package's metadata is in. Below it the
// folder or file of that, and an egg's, has the version in its name.
func pythonPlace(metadata string) string {
	dir := path.Dir(metadata)
	if strings.HasSuffix(dir, ".egg/EGG-INFO") {
		return path.Dir(path.Dir(dir))
	}
	if strings.HasSuffix(metadata, ".egg-info") { // a file
		return dir
	}
	return path.Dir(dir)
}

// packageMatcher pairs packages.
type packageMatcher struct {
	old, new []*idPackage // that aren't paired
	pairs    [][2]*idPackage
}

// match pairs those that a key takes for the same, the newest first.
func (m *packageMatcher) match(key func(*idPackage) packageID) {
	type both struct{ old, new []*idPackage }
	groups := map[packageID]*both{}
	var inOrder []*both // that of the packages, so that the same images always compare the same
	group := func(p *idPackage) *both {
		k := key(p)
		if groups[k] == nil {
			groups[k] = new(both)
			inOrder = append(inOrder, groups[k])
		}
		return groups[k]
	}
	for _, p := range m.old {
		g := group(p)
		g.old = append(g.old, p)
	}
	for _, p := range m.new {
		g := group(p)
		g.new = append(g.new, p)
	}
	paired := map[*idPackage]bool{}
	for _, g := range inOrder {
		n := min(len(g.old), len(g.new))
		if n == 0 {
			continue
		}
		slices.SortStableFunc(g.old, newestPackageFirst)
		slices.SortStableFunc(g.new, newestPackageFirst)
		for i := range n {
			m.pairs = append(m.pairs, [2]*idPackage{g.old[i], g.new[i]})
			paired[g.old[i]], paired[g.new[i]] = true, true
		}
	}
	is := func(p *idPackage) bool { return paired[p] }
	m.old, m.new = slices.DeleteFunc(m.old, is), slices.DeleteFunc(m.new, is)
}

func newestPackageFirst(a, b *idPackage) int {
	c, _ := packages.CompareVersions(a.eco, a.version, b.version)
	return cmp.Or(-c, cmp.Compare(b.version, a.version), cmp.Compare(a.Arch, b.Arch), cmp.Compare(a.place, b.place))
}

func packageBytes(pair [2]*idPackage) Bytes {
	var b Bytes
	if pair[0] != nil {
		b.Old = pair[0].Bytes
	}
	if pair[1] != nil {
		b.New = pair[1].Bytes
	}
	return b
}

// comparePackagePairs puts those first by whose bytes the images differ most.
func comparePackagePairs(a, b [2]*idPackage) int {
	p, q := cmp.Or(a[1], a[0]), cmp.Or(b[1], b[0])
	return cmp.Or(cmp.Compare(packageBytes(b).Abs(), packageBytes(a).Abs()),
		cmp.Compare(p.eco, q.eco), cmp.Compare(p.name, q.name), cmp.Compare(p.place, q.place),
		cmp.Compare(p.version, q.version), cmp.Compare(p.Arch, q.Arch), cmp.Compare(packageBytes(a).New, packageBytes(b).New))
}
