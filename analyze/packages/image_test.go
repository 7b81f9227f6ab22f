package packages_test

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/analyzetest"
	"github.com/layerscope/layerscope/analyze/layer"
	"github.com/layerscope/layerscope/analyze/packages"
	"github.com/layerscope/layerscope/analyze/synth"
	"github.com/layerscope/layerscope/analyze/synth/fixture"
	"github.com/layerscope/layerscope/analyze/tree"
)

// read analyzes an image of these layers, with its packages, and checks that
// their bytes add up.
func read(t testing.TB, layers ...synth.Layer) *analyze.Image {
	t.Helper()
	m := analyzetest.WithPackages(t, layers...)
	addsUp(t, m)
	return m
}

// addsUp checks that the bytes of the packages and of none add up to the live
// bytes, in total and of each layer.
func addsUp(t testing.TB, m *analyze.Image) {
	t.Helper()
	var total int64
	layers := make([]int64, len(m.Layers))
	add := func(s packages.Sum) {
		var sum int64
		for i, l := range s.Layers {
			if l.Bytes <= 0 || i > 0 && s.Layers[i-1].Layer >= l.Layer {
				t.Errorf("bytes by layer are %v", s.Layers)
			}
			layers[l.Layer] += l.Bytes
			sum += l.Bytes
		}
		if sum != s.Bytes {
			t.Errorf("%d bytes, by layer %d", s.Bytes, sum)
		}
		total += s.Bytes
	}
	for _, p := range m.Packages.Packages {
		add(p.Sum)
	}
	add(m.Packages.Unowned)
	if total != m.Totals.Live {
		t.Errorf("packages and the rest have %d bytes, %d are live", total, m.Totals.Live)
	}
	owners(t, m)
	for k, l := range m.Layers {
		if layers[k] != l.Live {
			t.Errorf("packages and the rest have %d bytes of layer %d, %d are live", layers[k], k, l.Live)
		}
	}
}

// owners checks that by the owner of each copy the packages have the bytes that
// the report says, and none owns what is dead or no copy.
func owners(t testing.TB, m *analyze.Image) {
	t.Helper()
	owned := map[*packages.Package]int64{}
	for k, l := range m.Layers {
		for row, e := range l.Index.All() {
			r := tree.Ref{Layer: int32(k), Row: int32(row)}
			p := m.Packages.Owner(r)
			if p != nil && (e.Type != layer.File || e.Size == 0 || m.Tree.LiveRefs(r) == 0) {
				t.Errorf("%s owns %+v, which is no live copy", p.Name, r)
			}
			if m.Tree.LiveRefs(r) > 0 {
				owned[p] += e.Size
			}
		}
	}
	for _, p := range slices.Concat(m.Packages.Packages, []*packages.Package{nil}) {
		want := m.Packages.Unowned
		if p != nil {
			want = p.Sum
		}
		if owned[p] != want.Bytes {
			t.Errorf("by the copies %+v owns %d bytes", p, owned[p])
		}
		delete(owned, p)
	}
	if len(owned) > 0 {
		t.Errorf("packages own something that the report hasn't got: %v", owned)
	}
	for _, none := range []tree.Ref{tree.Implied, {Layer: int32(len(m.Layers))}, {Layer: 0, Row: 1 << 30}} {
		if p := m.Packages.Owner(none); p != nil {
			t.Errorf("%s owns %+v, which isn't there", p.Name, none)
		}
	}
}

// rows are the packages as lines "ecosystem name version bytes layer", in an
// order that doesn't depend on their bytes; none's first, what can't be read
// last.
func rows(m *analyze.Image) []string {
	r := m.Packages
	out := []string{fmt.Sprintf("none %d", r.Unowned.Bytes)}
	ps := slices.Clone(r.Packages)
	slices.SortStableFunc(ps, func(a, b *packages.Package) int {
		return cmp.Or(slices.Index(packages.Ecosystems, a.Ecosystem)-slices.Index(packages.Ecosystems, b.Ecosystem),
			cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version), cmp.Compare(a.Metadata, b.Metadata))
	})
	for _, p := range ps {
		out = append(out, fmt.Sprintf("%s %s %s %d %d", p.Ecosystem, p.Name, p.Version, p.Bytes, p.Layer))
	}
	for _, u := range r.Unread {
		out = append(out, fmt.Sprintf("unread %s %d: %v", m.Tree.Path(u.Path), u.Layer, u.Why))
	}
	return out
}

func expect(t *testing.T, m *analyze.Image, want ...string) {
	t.Helper()
	if diff := gocmp.Diff(want, rows(m)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// sized returns a file of n bytes.
func sized(path string, n int64) synth.Entry { return synth.Body(path, n, uint64(n)) }

// status is a paragraph of dpkg's status file.
func status(name, version string) string {
	return fmt.Sprintf("Package: %s\nStatus: install ok installed\nArchitecture: amd64\nVersion: %s\nDescription: a package\n with: a colon\n .\n more\n\n", name, version)
}

func TestDpkg(t *testing.T) {
	dbA, dbB := status("one", "1"), status("two", "2:0.1-3")
	m := read(t,
		synth.Layer{
			synth.Symlink("lib", "usr/lib"),
			sized("usr/lib/one.so", 1000), sized("usr/bin/one", 2000), synth.Symlink("usr/lib/link", "one.so"),
			synth.File("var/lib/dpkg/status", dbA),
			synth.File("var/lib/dpkg/info/one:amd64.list", "/.\n/lib\n/lib/one.so\n/lib/link\n/usr/bin/one\n/usr/share/gone\n"),
			sized("var/lib/dpkg/info/one:amd64.postinst", 70),
			sized("var/lib/dpkg/info/format", 2),
		},
		synth.Layer{
			sized("opt/two", 400), sized("opt/mine", 30), synth.Hardlink("opt/again", "opt/two"),
			sized("opt/two.diverted", 5000), // two's, moved away by one
			synth.File("var/lib/dpkg/diversions", "/opt/two.bin\n/opt/two.diverted\none\n"),
			sized("opt/two.bin", 6000),
			synth.File("var/lib/dpkg/status", dbA+dbB),
			synth.File("var/lib/dpkg/info/one:amd64.list", "/.\n/lib/one.so\n/usr/bin/one\n/opt/two.bin\n"),
			synth.File("var/lib/dpkg/info/two.list", "/opt/again\n/opt/two.bin\n/opt/two\n"),
		},
		synth.Layer{ // one is written anew, and the database only touched
			sized("usr/bin/one", 2500), synth.File("var/lib/dpkg/status", dbB+dbA, synth.Mode(0o600)),
		},
	)
	lists := int64(len("/.\n/lib/one.so\n/usr/bin/one\n/opt/two.bin\n"))
	list2 := int64(len("/opt/again\n/opt/two.bin\n/opt/two\n"))
	rest := 2 + 30 + int64(len(dbA+dbB)) + int64(len("/opt/two.bin\n/opt/two.diverted\none\n"))
	expect(t, m,
		fmt.Sprintf("none %d", rest),
		fmt.Sprintf("dpkg one 1 %d 0", 1000+2500+70+6000+lists),
		fmt.Sprintf("dpkg two 2:0.1-3 %d 1", 400+5000+list2),
	)
	if p := m.Packages.Packages[0]; p.Name != "one" || p.Arch != "amd64" || p.Copies != 5 ||
		!slices.Equal(p.Layers, []packages.LayerBytes{{Layer: 0, Bytes: 1070}, {Layer: 1, Bytes: 6000 + lists}, {Layer: 2, Bytes: 2500}}) {
		t.Errorf("one is %+v", p)
	}
}

// TestDpkgRemoved has packages that are gone, known by what is left of them.
func TestDpkgRemoved(t *testing.T) {
	db := "Package: conf\nStatus: deinstall ok config-files\nConfig-Version: 9\n\n" +
		"Package: gone\nStatus: unknown ok not-installed\n"
	m := read(t, synth.Layer{
		sized("etc/conf", 10), sized("x", 7),
		synth.File("var/lib/dpkg/status", db),
		synth.File("var/lib/dpkg/info/conf.list", "/etc/conf\n"),
		synth.File("var/lib/dpkg/info/nobody:arm64.list", "/x\n"),
	})
	expect(t, m, fmt.Sprintf("none %d", len(db)), "dpkg conf 9 20 0", "dpkg nobody  10 0")
}

// TestInstalledBy follows versions through the layers.
func TestInstalledBy(t *testing.T) {
	at := func(s string) synth.Layer { return synth.Layer{synth.File("var/lib/dpkg/status", s)} }
	m := read(t,
		at(status("same", "1")+status("up", "1")+status("again", "1")),
		at(status("same", "1")+status("up", "2")+strings.ReplaceAll(status("again", "1"), "ok installed", "ok not-installed")),
		at(status("same", "1")+status("up", "2")+status("again", "1")),
		at(status("same", "1")+status("up", "2")+status("again", "1")+status("late", "1")),
		synth.Layer{sized("nothing", 1)},
	)
	expect(t, m, fmt.Sprintf("none %d", 1+4*len(status("same", "1"))+len("againlateup")-len("samesamesame")),
		"dpkg again 1 0 2", "dpkg late 1 0 3", "dpkg same 1 0 0", "dpkg up 2 0 1")
}

// TestLayerTwice has one layer twice, of which the second is what is seen.
func TestLayerTwice(t *testing.T) {
	l := synth.Layer{
		sized("x", 7), synth.File("var/lib/dpkg/status", status("a", "1")), synth.File("var/lib/dpkg/info/a.list", "/x\n"),
		synth.File("node_modules/n/package.json", `{"name":"n","version":"1"}`),
	}
	m := read(t, l, l)
	expect(t, m, fmt.Sprintf("none %d", len(status("a", "1"))), "dpkg a 1 10 0", "npm n 1 26 0")
	if got := m.Packages.Packages[0].Layers; !slices.Equal(got, []packages.LayerBytes{{Layer: 1, Bytes: 26}}) {
		t.Errorf("n's bytes are of %v", got)
	}
}

// TestInstalledByLost has a database in between that can't be read, and one
// that was deleted.
func TestInstalledByLost(t *testing.T) {
	at := func(s string) synth.Layer { return synth.Layer{synth.File("var/lib/dpkg/status", s)} }
	a, b, c := status("a", "1"), status("b", "1"), status("c", "1")
	m := read(t, at(a), at(a+"Package: cut"), at(a+b), at(a+b+c))
	expect(t, m, fmt.Sprintf("none %d", len(a+b+c)),
		"dpkg a 1 0 0", "dpkg b 1 0 -1", "dpkg c 1 0 3",
		"unread var/lib/dpkg/status 1: it is cut short: its last line has no end")

	m = read(t, at(a), synth.Layer{synth.Whiteout("var/lib/dpkg/status")}, at(a+b))
	expect(t, m, fmt.Sprintf("none %d", len(a+b)), "dpkg a 1 0 2", "dpkg b 1 0 2")
}

func TestDistroless(t *testing.T) {
	md := "0123  usr/lib/libc.so\n4567  etc/x y\n"
	s := "Package: libc6\nVersion: 2.36\nArchitecture: amd64\n"
	m := read(t,
		synth.Layer{
			sized("usr/lib/libc.so", 500), sized("etc/x y", 20), sized("etc/z", 3),
			synth.File("var/lib/dpkg/status.d/libc6", s), synth.File("var/lib/dpkg/status.d/libc6.md5sums", md),
		},
		synth.Layer{synth.File("var/lib/dpkg/status.d/libc6", s)}, // stored again
	)
	expect(t, m, "none 3", fmt.Sprintf("dpkg libc6 2.36 %d 0", 520+len(s)+len(md)))
}

func TestApk(t *testing.T) {
	one := "C:Q1abc=\nP:musl\nV:1.2.2-r3\nA:x86_64\nF:lib\nR:libc.so\na:0:0:755\nZ:Q1x=\nF:\nR:top\n\n"
	two := "P:more\nV:3\nF:usr/share\nR:more\nR:musl\n\n"
	for _, dir := range []string{"lib/apk/db", "usr/lib/apk/db"} {
		m := read(t,
			synth.Layer{sized("lib/libc.so", 600), sized("top", 5), synth.File(dir+"/installed", one)},
			synth.Layer{sized("usr/share/more", 30), sized("usr/share/mine", 7), synth.File(dir+"/installed", two+one)},
		)
		expect(t, m, fmt.Sprintf("none %d", 7+len(one+two)), "apk more 3 30 1", "apk musl 1.2.2-r3 605 0")
	}
}

func TestPython(t *testing.T) {
	const site = "usr/lib/python3/site-packages/"
	meta := func(name, version string) string {
		return fmt.Sprintf("Metadata-Version: 2.1\nName: %s\nVersion: %s\n\nName: not this\n", name, version)
	}
	record := "six.py,sha256=abc,100\n\"odd,\"\"name\"\".py\",,\n../../../bin/six,sha256=x,5\nsix-1.dist-info/METADATA,,\nsix-1.dist-info/RECORD,,\n__pycache__/six.cpython-311.pyc,,\n"
	inner := "inner/__init__.py,,\n"
	eggs := "../egg/__init__.py\nPKG-INFO\n"
	m := read(t, synth.Layer{
		sized(site+"six.py", 100), sized(site+`odd,"name".py`, 50), sized("usr/bin/six", 5),
		sized(site+"__pycache__/six.cpython-311.pyc", 70), sized(site+"__pycache__/other.pyc", 9),
		synth.File(site+"six-1.dist-info/METADATA", meta("six", "1")),
		synth.File(site+"six-1.dist-info/RECORD", record),
		sized(site+"six-1.dist-info/licenses/LICENSE", 11),

		// what a package vendors is its own, though that lists it too
		sized(site+"outer/_vendor/inner/__init__.py", 300),
		synth.File(site+"outer-2.dist-info/METADATA", meta("outer", "2")),
		synth.File(site+"outer-2.dist-info/RECORD", "outer/_vendor/inner/__init__.py,,\n"),
		synth.File(site+"outer/_vendor/inner-3.dist-info/METADATA", meta("inner", "3")),
		synth.File(site+"outer/_vendor/inner-3.dist-info/RECORD", inner),

		sized(site+"egg/__init__.py", 40),
		synth.File(site+"egg-4.egg-info/PKG-INFO", meta("egg", "4")),
		synth.File(site+"egg-4.egg-info/installed-files.txt", eggs),
		synth.File(site+"single-5.egg-info", meta("single", "5")),
		synth.File(site+"zipped-6-py3.egg/EGG-INFO/PKG-INFO", meta("zipped", "6")),
		sized(site+"zipped-6-py3.egg/zipped.py", 60),

		synth.File(site+"bad-7.dist-info/METADATA", "Name: bad\n"),
		synth.File(site+"worse-8.dist-info/METADATA", meta("worse", "8")),
		synth.File(site+"worse-8.dist-info/RECORD", "worse.py,,\nworse2.py,sha"),
		sized(site+"worse.py", 80),
	})
	n := func(s string) int { return len(s) }
	expect(t, m,
		fmt.Sprintf("none %d", 9+n("Name: bad\n")+80),
		fmt.Sprintf("python egg 4 %d 0", 40+n(meta("egg", "4"))+n(eggs)),
		fmt.Sprintf("python inner 3 %d 0", n(meta("inner", "3"))+n(inner)),
		fmt.Sprintf("python outer 2 %d 0", 300+n(meta("outer", "2"))+n("outer/_vendor/inner/__init__.py,,\n")),
		fmt.Sprintf("python single 5 %d 0", n(meta("single", "5"))),
		fmt.Sprintf("python six 1 %d 0", 100+50+5+70+11+n(meta("six", "1"))+n(record)),
		fmt.Sprintf("python worse 8 %d 0", n(meta("worse", "8"))+n("worse.py,,\nworse2.py,sha")),
		fmt.Sprintf("python zipped 6 %d 0", 60+n(meta("zipped", "6"))),
		"unread "+site+"bad-7.dist-info/METADATA 0: it has no name or no version",
		"unread "+site+"worse-8.dist-info/RECORD 0: a line of it hasn't three fields",
	)
}

func TestNpm(t *testing.T) {
	pkg := func(name, version string) string { return fmt.Sprintf(`{"name": %q, "version": %q}`, name, version) }
	const at = "app/node_modules/"
	m := read(t,
		synth.Layer{
			synth.File("app/package.json", pkg("app", "0")), // not installed by npm
			sized("app/index.js", 1),
			synth.File(at+"a/package.json", pkg("a", "1.0.0")), sized(at+"a/lib/x.js", 100),
			synth.File(at+"a/lib/package.json", `{"type": "module"}`),
			synth.File(at+"a/test/package.json", pkg("fixture", "9")), // in a, not installed
			synth.File(at+"a/node_modules/b/package.json", pkg("b", "2.0.0")), sized(at+"a/node_modules/b/y.js", 20),
			sized(at+"a/node_modules/.cache/z", 3),
			synth.File(at+"@scope/c/package.json", "\ufeff"+pkg("@scope/c", "3.0.0")), sized(at+"@scope/c/c.js", 30),
			synth.File(at+"@scope/package.json", pkg("none", "1")),
			synth.File(at+"alias/package.json", pkg("real", "4.0.0")),
			synth.File(at+"nameless/package.json", `{"version": "1.0.0", "name": 5}`),
			synth.File(at+"broken/package.json", `{"name": "broken",`),
			sized(at+".package-lock.json", 8),
		},
		synth.Layer{ // chown -R
			synth.File(at+"a/package.json", pkg("a", "1.0.0"), synth.Owner(1, 1)), sized(at+"a/lib/x.js", 100),
			synth.File(at+"alias/package.json", pkg("real", "4.0.1")),
		},
	)
	n := func(s string) int { return len(s) }
	expect(t, m,
		fmt.Sprintf("none %d", n(pkg("app", "0"))+1+n(pkg("none", "1"))+n(`{"version": "1.0.0", "name": 5}`)+n(`{"name": "broken",`)+8),
		fmt.Sprintf("npm @scope/c 3.0.0 %d 0", 30+3+n(pkg("@scope/c", "3.0.0"))),
		fmt.Sprintf("npm a 1.0.0 %d 0", 100+3+n(pkg("a", "1.0.0"))+n(`{"type": "module"}`)+n(pkg("fixture", "9"))),
		fmt.Sprintf("npm b 2.0.0 %d 0", 20+n(pkg("b", "2.0.0"))),
		fmt.Sprintf("npm real 4.0.1 %d 1", n(pkg("real", "4.0.1"))),
		"unread "+at+"broken/package.json 0: it isn't JSON: unexpected end of JSON input",
	)
}

func TestGems(t *testing.T) {
	const home = "usr/local/bundle/"
	stub := "# -*- encoding: utf-8 -*-\n# stub: nokogiri 1.15.4 x86_64-linux lib\n\nGem::Specification.new do |s|\n  s.name = \"other\".freeze\nend\n"
	plain := "Gem::Specification.new do |s|\n  s.name = \"rake\".freeze\n  s.version = Gem::Version.new(\"13.0\")\nend\n"
	m := read(t, synth.Layer{
		synth.File(home+"specifications/nokogiri-1.15.4-x86_64-linux.gemspec", stub),
		sized(home+"gems/nokogiri-1.15.4-x86_64-linux/lib/n.so", 1000),
		sized(home+"extensions/x86_64-linux/3.2.0/nokogiri-1.15.4-x86_64-linux/n.so", 200),
		sized(home+"cache/nokogiri-1.15.4-x86_64-linux.gem", 30),
		sized(home+"doc/nokogiri-1.15.4-x86_64-linux/ri/x", 4),
		synth.File(home+"specifications/default/rake-13.0.gemspec", plain),
		sized(home+"gems/rake-13.0/lib/rake.rb", 50),
		sized(home+"gems/unknown-1/lib/x.rb", 7),
		synth.File(home+"specifications/odd-1.gemspec", "Gem::Specification.new { |s| s.name = name }\n"),
		synth.File("src/mine.gemspec", plain), // a source, not installed
	})
	expect(t, m,
		fmt.Sprintf("none %d", 7+len("Gem::Specification.new { |s| s.name = name }\n")+len(plain)),
		fmt.Sprintf("gem nokogiri 1.15.4 %d 0", 1234+len(stub)),
		fmt.Sprintf("gem rake 13.0 %d 0", 50+len(plain)),
		"unread "+home+"specifications/odd-1.gemspec 0: it doesn't give a name and a version as RubyGems writes them",
	)
}

// TestClaims has files that several packages claim.
func TestClaims(t *testing.T) {
	const site = "usr/lib/python3/dist-packages/"
	meta := "Name: six\nVersion: 1\n"
	db := status("python3-six", "1-1")
	list := "/" + site + "six.py\n/" + site + "six-1.egg-info/PKG-INFO\n"
	json := `{"name":"n","version":"1"}`
	m := read(t, synth.Layer{
		// Debian's own Python package
		sized(site+"six.py", 100), synth.File(site+"six-1.egg-info/PKG-INFO", meta),
		synth.File("var/lib/dpkg/status", db), synth.File("var/lib/dpkg/info/python3-six.list", list),
		// a copy with two links, the later of which npm claims, the first nobody
		sized("a/first", 40), synth.Hardlink("node_modules/n/second", "a/first"),
		synth.File("node_modules/n/package.json", json),
		// one that npm and dpkg claim by other links
		sized("node_modules/n/shared", 9), synth.Hardlink(site+"shared", "node_modules/n/shared"),
	}, synth.Layer{synth.File("var/lib/dpkg/info/python3-six.list", list+"/"+site+"shared\n")})
	expect(t, m,
		fmt.Sprintf("none %d", len(db)),
		fmt.Sprintf("dpkg python3-six 1-1 %d 0", 100+len(meta)+len(list+"/"+site+"shared\n")+9),
		"python six 1 0 0",
		fmt.Sprintf("npm n 1 %d 0", 40+len(json)),
	)
}

// TestLinkedMetadata has a package.json that is another file's hard link, as
// pnpm's store makes them.
func TestLinkedMetadata(t *testing.T) {
	json := `{"name":"n","version":"1"}`
	m := read(t, synth.Layer{synth.File("store/ab/cd", json), synth.Hardlink("node_modules/n/package.json", "store/ab/cd")})
	expect(t, m, fmt.Sprintf("none %d", len(json)), "unread node_modules/n/package.json 0: it is a hard link to a file of another name")

	m = read(t, synth.Layer{synth.File("node_modules/n/package.json", json), synth.Hardlink("x/node_modules/n/package.json", "node_modules/n/package.json")})
	expect(t, m, "none 0", fmt.Sprintf("npm n 1 %d 0", len(json)), "npm n 1 0 0")
}

// TestUnread has databases that can't be read, which is told, and the rest goes
// on.
func TestUnread(t *testing.T) {
	apk := "P:musl\nV:1\nF:lib\nR:libc\n\n"
	m := read(t, synth.Layer{
		sized("lib/libc", 5),
		synth.File("lib/apk/db/installed", apk),
		synth.File("usr/lib/apk/db/installed", "P:x\nnonsense\n"),
		synth.File("var/lib/dpkg/status", "Package: x\nVersion 1\n"),
		synth.File("var/lib/dpkg/info/x.list", "/etc/x"),
		synth.File("var/lib/dpkg/diversions", "/a\n/b\n"),
		synth.File("var/lib/rpm/Packages", "what is this"),
		synth.File("var/lib/rpm/Packages.db", "RpmP\x01\x00\x00\x00"+strings.Repeat("\x00", 100)),
		synth.File("var/lib/rpm/rpmdb.sqlite", "SQLite format 3\x00"+strings.Repeat("\x00", 100)),
		synth.Body("node_modules/n/package.json", 5<<20, 1),
	})
	got := rows(m)[1:]
	for i, want := range []string{
		"apk musl 1 5 0",
		"unread node_modules/n/package.json 0: 5242880 bytes are more than the 4194304 that are read",
		"unread usr/lib/apk/db/installed 0: a line of it is no field",
		"unread var/lib/dpkg/diversions 0: it has 2 lines, not three for each diversion",
		"unread var/lib/dpkg/info/x.list 0: it is cut short: its last line has no end",
		"unread var/lib/dpkg/status 0: a line of it is no field",
		"unread var/lib/rpm/Packages 0: it is of no format that is known",
		"unread var/lib/rpm/Packages.db 0: it is of version 1 of its format, not 0",
		"unread var/lib/rpm/rpmdb.sqlite 0: ",
	} {
		if i >= len(got) || !strings.HasPrefix(got[i], want) {
			t.Errorf("row %d isn't %q: %q", i, want, got)
		}
	}
}

// TestLog has databases of rpm with a write-ahead log beside them.
func TestLog(t *testing.T) {
	const db = "var/lib/rpm/rpmdb.sqlite"
	raw, empty := rpmDatabase(t, "one"), synth.File(db+"-wal", "")
	one, two := synth.File(db, raw), synth.File(db, rpmDatabase(t, "one", "two"))
	expect(t, read(t, synth.Layer{one, empty}, synth.Layer{two, empty}),
		fmt.Sprintf("none %d", len(rpmDatabase(t, "one", "two"))), "rpm one 1 0 0", "rpm two 1 0 1")
	expect(t, read(t, synth.Layer{one, synth.File(db+"-wal", "x")}, synth.Layer{two, empty}),
		fmt.Sprintf("none %d", len(rpmDatabase(t, "one", "two"))), "rpm one 1 0 -1", "rpm two 1 0 -1",
		"unread "+db+" 0: its write-ahead log (-wal) wasn't merged into it")
	expect(t, read(t, synth.Layer{one, synth.File(db+"-wal", "x")}),
		fmt.Sprintf("none %d", len(raw)+1), "unread "+db+" 0: its write-ahead log (-wal) wasn't merged into it")
}

// rpmDatabase returns an rpm database of packages without files.
func rpmDatabase(t *testing.T, names ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rpmdb.sqlite")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	statements := []string{"CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)"}
	for _, name := range names {
		// Two strings: the tags of name and version, of type 6.
		header := fmt.Sprintf("\x00\x00\x00\x02\x00\x00\x00%c\x00\x00\x03\xe8\x00\x00\x00\x06\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x03\xe9\x00\x00\x00\x06\x00\x00\x00%c\x00\x00\x00\x01%s\x001\x00",
			len(name)+3, len(name)+1, name)
		statements = append(statements, fmt.Sprintf("INSERT INTO Packages (blob) VALUES (x'%x')", header))
	}
	for _, s := range statements {
		if _, err := db.Exec(s); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	body, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// TestCancelled has nobody waiting for an answer.
func TestCancelled(t *testing.T) {
	m := read(t, synth.Layer{synth.File("lib/apk/db/installed", "P:a\nV:1\nF:lib\nR:x\n\n"), sized("lib/x", 1)})
	ctx, cancel := context.WithCancel(context.Background())
	blob := synth.Layer{synth.File("lib/apk/db/installed", "P:a\nV:1\nF:lib\nR:x\n\n"), sized("lib/x", 1)}.Open(synth.None)
	defer blob.Close()
	_, said, err := packages.NewReader().Read(ctx, blob, layer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if r, err := packages.Find(ctx, m.Tree, []*packages.Layer{said}); !errors.Is(err, context.Canceled) || r != nil {
		t.Errorf("%+v, error %v", r, err)
	}
}

// TestFixtures reads other projects' images.
func TestFixtures(t *testing.T) {
	n := 0
	for _, f := range fixture.Listed(t) {
		m, err := analyze.Analyze(context.Background(), f.Path, analyze.Options{Packages: true})
		if err != nil {
			continue // analyze's own test tells of these
		}
		addsUp(t, m)
		for _, u := range m.Packages.Unread {
			t.Logf("%s: %s: %v", f.Name, m.Tree.Path(u.Path), u.Why)
		}
		n += len(m.Packages.Packages)
	}
	if n < 14 {
		t.Errorf("%d packages in all images", n)
	}
}
