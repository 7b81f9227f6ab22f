package packages

import (
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestKinds(t *testing.T) {
	for path, want := range map[string]kind{
		"":                                              nothing,
		"status":                                        nothing,
		"var/lib/dpkg/status":                           dpkgStatus,
		"var/lib/dpkg/status-old":                       nothing,
		"rootfs/var/lib/dpkg/status":                    nothing,
		"var/lib/dpkg/info/a:b.list":                    dpkgList,
		"var/lib/dpkg/info/a.md5sums":                   nothing,
		"var/lib/dpkg/info/x/a.list":                    nothing,
		"var/lib/dpkg/status.d/base":                    dpkgStatusD,
		"var/lib/dpkg/status.d/base.md5sums":            dpkgSums,
		"var/lib/dpkg/diversions":                       dpkgDiversions,
		"lib/apk/db/installed":                          apkInstalled,
		"usr/lib/apk/db/installed":                      apkInstalled,
		"etc/apk/db/installed":                          nothing,
		"var/lib/rpm/Packages":                          rpmDatabase,
		"usr/lib/sysimage/rpm/Packages.db":              rpmDatabase,
		"usr/share/rpm/rpmdb.sqlite":                    rpmDatabase,
		"usr/share/rpm/rpmdb.sqlite-wal":                nothing,
		"srv/repo/Packages":                             nothing,
		"package.json":                                  nothing,
		"node_modules/package.json":                     nothing,
		"node_modules/a/package.json":                   npmPackage,
		"x/node_modules/@s/a/package.json":              npmPackage,
		"x/node_modules/@s/package.json":                nothing,
		"x/node_modules/a/lib/package.json":             nothing,
		"x/node_modules/.pnpm/package.json":             nothing,
		"x/mynode_modules/a/package.json":               nothing,
		"a-1.dist-info/METADATA":                        pythonMetadata,
		"lib/a-1.dist-info/RECORD":                      pythonRecord,
		"lib/a-1.egg-info":                              pythonMetadata,
		"lib/a-1.egg-info/PKG-INFO":                     pythonMetadata,
		"lib/a-1.egg-info/installed-files.txt":          pythonFiles,
		"lib/a-1.egg/EGG-INFO/PKG-INFO":                 pythonMetadata,
		"lib/METADATA":                                  nothing,
		"gems/specifications/a-1.gemspec":               gemSpec,
		"gems/specifications/default/a-1.gemspec":       gemSpec,
		"gems/gems/a-1/a.gemspec":                       nothing,
		"var/lib/dpkg/info/node_modules/a/package.json": npmPackage,
		"etc/os-release":                                osRelease,
		"usr/lib/os.release.d/os-release-fedora":        osRelease,
		"nix/store/0-etc-os-release":                    osRelease,
		"etc/lsb-release":                               nothing,
		"etc/debian_version":                            debianVersion,
		"debian_version":                                nothing,
	} {
		if got := kindOf(path); got != want {
			t.Errorf("%q is of kind %d, want %d", path, got, want)
		}
	}
}

func TestRecordPaths(t *testing.T) {
	list := "a/b.py,sha256=x,1\r\n\"c,\"\"d\"\"\",,\n\n\"open,,\n,,\nlast,,"
	if diff := cmp.Diff([]string{"a/b.py", `c,"d"`, "last"}, slices.Collect(recordPaths(list))); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	for _, bad := range []string{"a\n", "a,b\n", "a,b,c,d\n", "\"a,b,c\n", "\"a\"x,b,c\n"} {
		if _, err := readPythonRecord([]byte(bad)); err == nil {
			t.Errorf("%q is taken for a RECORD", bad)
		}
	}
}

func TestSumPaths(t *testing.T) {
	got := slices.Collect(sumPaths("00  usr/a b\n11 *bin\n\n22\n"))
	if diff := cmp.Diff([]string{"usr/a b", "bin"}, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// FuzzFiles reads anything as a file of any kind: what it says, or that it can't
// be read, and never a panic, which read would turn into an error.
func FuzzFiles(f *testing.F) {
	for k, s := range map[kind]string{
		dpkgStatus: "Package: a\nVersion: 1\nDescription: x\n y\n\nPackage: b\n", dpkgList: "/.\n/etc\n",
		dpkgSums: "00  usr/a\n", dpkgDiversions: "/a\n/b\np\n", apkInstalled: "P:a\nV:1\nF:lib\nR:x\n\n",
		pythonMetadata: "Name: a\nVersion: 1\n\n", pythonRecord: "a,b,1\n\"c\"\"\",,\n", pythonFiles: "../a\n",
		npmPackage: `{"name":"a","version":"1"}`, gemSpec: "# stub: a 1 ruby lib\ns.name = 'a'\ns.version = '1'\n",
	} {
		f.Add(uint8(k), []byte(s))
		f.Add(uint8(k), []byte(strings.TrimSuffix(s, "\n")))
	}
	f.Fuzz(func(t *testing.T, k uint8, body []byte) {
		if kind(k) == rpmDatabase || kind(k) == osRelease {
			return // FuzzRpm's, FuzzOSRelease's
		}
		got := (&tap{ctx: t.Context(), reader: NewReader()}).read(kind(k), body)
		if got.err != nil {
			if strings.HasPrefix(got.err.Error(), "reading it failed") {
				t.Error(got.err)
			}
			if got.name != "" || got.list != "" || got.records != nil {
				t.Errorf("both an error and %+v", got)
			}
			return
		}
		for _, r := range got.records {
			if r.name == "" {
				t.Error("a package without a name")
			}
		}
		var paths []string
		for _, of := range []iter.Seq[string]{recordPaths(got.list), sumPaths(got.list), lines(got.list)} {
			paths = slices.AppendSeq(paths, of)
		}
		if slices.Contains(paths, "") || len(paths) > 3*len(got.list) {
			t.Errorf("%d bytes give %d paths: %q", len(got.list), len(paths), paths)
		}
		if ds, err := readDiversions(got.list); err == nil && 3*len(ds) > len(paths) {
			t.Errorf("%d diversions in %q", len(ds), got.list)
		}
	})
}
