package diff

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/analyzetest"
	"github.com/layerscope/layerscope/analyze/packages"
	"github.com/layerscope/layerscope/analyze/synth"
)

// packagesAddUp checks that the packages' bytes are what the images store, and
// that each package of either is there once: those that differ as such, and the
// others in the sum of what is the same.
func packagesAddUp(t testing.TB, old, new *analyze.Image, c *Packages) {
	t.Helper()
	sum, counts := c.Unchanged.Bytes.Plus(c.Unowned).Plus(c.Dead), [2]int{c.Unchanged.Count, c.Unchanged.Count}
	seen := map[*packages.Package]bool{}
	var left [NumPackageStates]int
	for state, s := range c.Sums {
		left[state] = s.Count
	}
	for i, p := range c.Changes {
		sum = sum.Plus(p.Bytes)
		left[p.State]--
		for side, of := range []*packages.Package{p.Old, p.New} {
			bytes := []int64{p.Bytes.Old, p.Bytes.New}[side]
			if of == nil {
				if bytes != 0 {
					t.Errorf("%+v has bytes of no package", p)
				}
				continue
			}
			if seen[of] || of.Bytes != bytes {
				t.Errorf("%+v is there twice or has other bytes", p)
			}
			seen[of] = true
			counts[side]++
		}
		if i > 0 && c.Changes[i-1].Bytes.Abs() < p.Bytes.Abs() {
			t.Errorf("%+v stands after smaller differences", p)
		}
	}
	if want := (Bytes{old.Totals.Stored, new.Totals.Stored}); sum != want {
		t.Errorf("packages and the rest have %v bytes, %v are stored", sum, want)
	}
	if left != ([NumPackageStates]int{}) {
		t.Errorf("the sums %v are of %v packages more than differ", c.Sums, left)
	}
	if want := [2]int{len(old.Packages.Packages), len(new.Packages.Packages)}; counts != want {
		t.Errorf("%v packages, the images have %v", counts, want)
	}
}

// packageLines are the packages that differ as lines, by their names.
func packageLines(old, new *analyze.Image, c *Packages) []string {
	var out []string
	for _, p := range c.Changes {
		of := cmp.Or(p.New, p.Old)
		line := fmt.Sprintf("%s %s %s", p.State, of.Ecosystem, of.Name)
		for _, side := range []struct {
			p *packages.Package
			m *analyze.Image
		}{{p.Old, old}, {p.New, new}} {
			switch {
			case side.p == nil:
				line += " -"
			case side.p.Arch != "":
				line += " " + side.p.Version + ":" + side.p.Arch
			default:
				line += " " + side.p.Version + " " + side.m.Tree.Path(side.p.Metadata)
			}
		}
		out = append(out, line)
	}
	slices.Sort(out)
	return out
}

func dpkgStatus(name, version, arch string) string {
	return fmt.Sprintf("Package: %s\nStatus: install ok installed\nArchitecture: %s\nVersion: %s\n\n", name, arch, version)
}

func pythonMetadata(name, version string) string {
	return "Name: " + name + "\nVersion: " + version + "\n\n"
}

func npmJSON(name, version string) string {
	return fmt.Sprintf(`{"name":%q,"version":%q}`, name, version)
}

func TestComparePackages(t *testing.T) {
	const site = "usr/lib/python3/dist-packages/"
	old := analyzetest.WithPackages(t, synth.Layer{
		synth.File("var/lib/dpkg/status", dpkgStatus("same", "1", "amd64")+dpkgStatus("up", "1.9-1", "amd64")+dpkgStatus("down", "1:2", "amd64")+dpkgStatus("gone", "1", "all")+
			dpkgStatus("grown", "1", "amd64")+dpkgStatus("arch", "1", "amd64")+dpkgStatus("archup", "1", "amd64")+
			dpkgStatus("multi", "1", "amd64")+dpkgStatus("multi", "1", "i386")+
			dpkgStatus("kernel", "5.1", "amd64")+dpkgStatus("kernel", "5.2", "amd64")+dpkgStatus("kernel", "5.9", "amd64")),
		synth.File("var/lib/dpkg/info/grown.list", "/grown\n"), synth.File("grown", "1"),
		synth.File(site+"Foo_Bar-1.9.dist-info/METADATA", pythonMetadata("Foo_Bar", "1.9")),
		synth.File(site+"legacy-1.0.egg-info", pythonMetadata("legacy", "1.0")),
		synth.File(site+"egg-2.0.egg/EGG-INFO/PKG-INFO", pythonMetadata("egg", "2.0")),
		synth.File("usr/lib/python3.11/site-packages/moved-1.0.dist-info/METADATA", pythonMetadata("moved", "1.0")),
		synth.File("app/node_modules/a/package.json", npmJSON("a", "1.0.0")),
		synth.File("app/node_modules/b/node_modules/a/package.json", npmJSON("a", "2.0.0")),
		synth.File("app/node_modules/c/node_modules/a/package.json", npmJSON("a", "3.0.0")),
		synth.File("app/node_modules/odd/package.json", npmJSON("odd", "one")),
		synth.File("usr/lib/ruby/gems/3.0.0/specifications/rake-13.0.gemspec", "# stub: rake 13.0 ruby lib\n"),
	})
	new := analyzetest.WithPackages(t, synth.Layer{
		synth.File("var/lib/dpkg/status", dpkgStatus("same", "1", "amd64")+dpkgStatus("up", "1.10-1", "amd64")+dpkgStatus("down", "3", "amd64")+dpkgStatus("come", "1", "all")+
			dpkgStatus("grown", "1", "amd64")+dpkgStatus("arch", "1", "arm64")+dpkgStatus("archup", "2", "arm64")+
			dpkgStatus("multi", "1", "i386")+
			dpkgStatus("kernel", "5.2", "amd64")+dpkgStatus("kernel", "5.10", "amd64")),
		synth.File("var/lib/dpkg/info/grown.list", "/grown\n"), synth.File("grown", "1234"),
		synth.File(site+"foo.bar-1.10.dist-info/METADATA", pythonMetadata("foo.bar", "1.10")),
		synth.File(site+"legacy-0.9.egg-info", pythonMetadata("legacy", "0.9")),
		synth.File(site+"egg-2.1.egg/EGG-INFO/PKG-INFO", pythonMetadata("egg", "2.1")),
		synth.File("usr/lib/python3.12/site-packages/moved-1.0.dist-info/METADATA", pythonMetadata("moved", "1.0")),
		synth.File("app/node_modules/a/package.json", npmJSON("a", "1.1.0")),
		synth.File("app/node_modules/d/node_modules/a/package.json", npmJSON("a", "2.0.0")),
		synth.File("app/node_modules/c/node_modules/a/package.json", npmJSON("a", "2.9.0")),
		synth.File("app/node_modules/odd/package.json", npmJSON("odd", "two")),
		synth.File("usr/lib/ruby/gems/3.0.0/specifications/rake-13.1.gemspec", "# stub: rake 13.1 ruby lib\n"),
	})
	c := comparePackages(old, new)
	packagesAddUp(t, old, new, c)
	want := []string{
		"added dpkg come - 1:all",
		"changed dpkg arch 1:amd64 1:arm64",
		"changed dpkg grown 1:amd64 1:amd64",
		"changed npm odd one app/node_modules/odd/package.json two app/node_modules/odd/package.json",
		"downgraded dpkg down 1:2:amd64 3:amd64",
		"downgraded npm a 3.0.0 app/node_modules/c/node_modules/a/package.json 2.9.0 app/node_modules/c/node_modules/a/package.json",
		"downgraded python legacy 1.0 " + site + "legacy-1.0.egg-info 0.9 " + site + "legacy-0.9.egg-info",
		"removed dpkg gone 1:all -",
		"removed dpkg kernel 5.1:amd64 -",
		"removed dpkg multi 1:amd64 -",
		"upgraded dpkg archup 1:amd64 2:arm64",
		"upgraded dpkg kernel 5.9:amd64 5.10:amd64",
		"upgraded dpkg up 1.9-1:amd64 1.10-1:amd64",
		"upgraded gem rake 13.0 usr/lib/ruby/gems/3.0.0/specifications/rake-13.0.gemspec 13.1 usr/lib/ruby/gems/3.0.0/specifications/rake-13.1.gemspec",
		"upgraded npm a 1.0.0 app/node_modules/a/package.json 1.1.0 app/node_modules/a/package.json",
		"upgraded python egg 2.0 " + site + "egg-2.0.egg/EGG-INFO/PKG-INFO 2.1 " + site + "egg-2.1.egg/EGG-INFO/PKG-INFO",
		"upgraded python foo.bar 1.9 " + site + "Foo_Bar-1.9.dist-info/METADATA 1.10 " + site + "foo.bar-1.10.dist-info/METADATA",
	}
	if diff := gocmp.Diff(want, packageLines(old, new, c)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if c.Unchanged.Count != 5 { // same, multi:i386, kernel 5.2, moved, a 2.0.0
		t.Errorf("%d packages are unchanged", c.Unchanged.Count)
	}
}

// TestOnePackageTwoPlaces has versions in places that both have, others' in
// places of which each has one.
func TestOnePackageTwoPlaces(t *testing.T) {
	at := func(place, version string) synth.Entry {
		return synth.File(place+"/node_modules/x/package.json", npmJSON("x", version))
	}
	old := analyzetest.WithPackages(t, synth.Layer{at("a", "1.0.0"), at("b", "2.0.0"), at("c", "9.0.0")})
	new := analyzetest.WithPackages(t, synth.Layer{at("a", "2.0.0"), at("b", "1.0.0"), at("d", "9.0.0"), at("e", "9.1.0")})
	c := comparePackages(old, new)
	packagesAddUp(t, old, new, c)
	want := []string{
		"added npm x - 9.1.0 e/node_modules/x/package.json",
		"downgraded npm x 2.0.0 b/node_modules/x/package.json 1.0.0 b/node_modules/x/package.json",
		"upgraded npm x 1.0.0 a/node_modules/x/package.json 2.0.0 a/node_modules/x/package.json",
	}
	if diff := gocmp.Diff(want, packageLines(old, new, c)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// randomPackages makes an image of packages of few names, versions and places,
// that own files, some of them dead.
func randomPackages(r *rand.Rand) []synth.Layer {
	version := func() string { return []string{"1.0.0", "1.2.0", "1.10.0", "odd", "2.0.0-rc.1"}[r.IntN(5)] }
	var layers []synth.Layer
	for range 1 + r.IntN(2) {
		var l synth.Layer
		db, seen := "", map[string]bool{}
		for range r.IntN(6) {
			name, arch := fmt.Sprintf("p%d", r.IntN(3)), []string{"amd64", "i386"}[r.IntN(2)]
			db += dpkgStatus(name, version(), arch)
			if file := "var/lib/dpkg/info/" + name + ":" + arch + ".list"; !seen[file] {
				seen[file] = true
				l = append(l, synth.File(file, fmt.Sprintf("/usr/f%d\n/usr/f%d\n", r.IntN(5), r.IntN(5))))
			}
		}
		l = append(l, synth.File("var/lib/dpkg/status", db))
		for i := range 5 {
			if r.IntN(3) > 0 {
				l = append(l, synth.Body(fmt.Sprintf("usr/f%d", i), r.Int64N(500), r.Uint64()))
			}
		}
		for range r.IntN(5) {
			dir := fmt.Sprintf("app%d/node_modules/m%d", r.IntN(2), r.IntN(2))
			l = append(l, synth.File(dir+"/package.json", npmJSON(fmt.Sprintf("m%d", r.IntN(2)), version())), synth.Body(dir+"/x", r.Int64N(300), r.Uint64()))
			site, v := fmt.Sprintf("lib%d", r.IntN(2)), version()
			l = append(l, synth.File(site+"/q-"+v+".dist-info/METADATA", pythonMetadata("q", v)))
		}
		layers = append(layers, l)
	}
	return layers
}

func TestPackagesAddUp(t *testing.T) {
	states := map[PackageState]int{}
	for seed := range uint64(synth.Rounds(200)) {
		r := rand.New(rand.NewPCG(seed, 4))
		old, new := analyzetest.WithPackages(t, randomPackages(r)...), analyzetest.WithPackages(t, randomPackages(r)...)
		c := comparePackages(old, new)
		packagesAddUp(t, old, new, c)
		// The other way round, each is the opposite.
		back := comparePackages(new, old)
		opposite := map[PackageState]PackageState{PackageAdded: PackageRemoved, PackageRemoved: PackageAdded,
			PackageUpgraded: PackageDowngraded, PackageDowngraded: PackageUpgraded, PackageChanged: PackageChanged}
		count := map[PackageState]int{}
		for _, p := range c.Changes {
			states[p.State]++
			count[p.State]++
		}
		for _, p := range back.Changes {
			count[opposite[p.State]]--
		}
		for s, n := range count {
			if n != 0 {
				t.Errorf("seed %d: %d more are %s than the opposite the other way round", seed, n, s)
			}
		}
		if same := comparePackages(old, old); len(same.Changes) > 0 {
			t.Errorf("seed %d: an image differs from itself by %s", seed, strings.Join(packageLines(old, old, same), ", "))
		}
		if t.Failed() {
			return
		}
	}
	for s := PackageAdded; s <= PackageChanged; s++ {
		if states[s] < synth.Rounds(20) {
			t.Errorf("only %d are %s", states[s], s)
		}
	}
}
