package demo

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/layerscope/layerscope/analyze/synth"
)

// deb is a Debian package.
type deb struct {
	name, version, arch, section string

	size  int64  // of its .deb, if apt-get fetched it
	files string // patterns of what it has besides its copyright
	about string
}

// names are the packages' names, as [family] takes them.
func names(debs []deb) string {
	var ns []string
	for _, d := range debs {
		ns = append(ns, d.name)
	}
	return strings.Join(ns, " ")
}

// unpacked is a package with what a layer has of it.
type unpacked struct {
	deb
	members []member
}

// unpack finds the files of packages in the layer that installed them. Bytecode
// is compiled by the packages' scripts, and stands in no list.
func unpack(l synth.Layer, debs []deb) []unpacked {
	var us []unpacked
	for _, d := range debs {
		ms := members(l, d.files+" usr/share/doc/"+d.name+"/")
		us = append(us, unpacked{d, slices.DeleteFunc(ms, func(m member) bool { return path.Ext(m.path) == ".pyc" })})
	}
	return us
}

const dpkgDir = "var/lib/dpkg/"

// info is what dpkg keeps of each package that was installed: the list of its
// paths. There are no MD5 sums, which would make the demo a fifth slower to open.
func info(us []unpacked) synth.Layer {
	var l synth.Layer
	for _, u := range us {
		name := dpkgDir + "info/" + u.name
		if u.multiArch() {
			name += ":" + u.arch
		}
		l = append(l, synth.File(name+".list", u.list()))
	}
	return l
}

// multiArch tells whether the package may be installed for several
// architectures at once.
func (d deb) multiArch() bool {
	return d.section == "libs" || strings.HasPrefix(d.name, "libpython")
}

// list is the package's paths, directories among them.
func (u unpacked) list() string {
	paths := map[string]bool{"/.": true}
	for _, m := range u.members {
		for p := "/" + m.path; p != "/"; p = path.Dir(p) {
			paths[p] = true
		}
	}
	return strings.Join(slices.Sorted(maps.Keys(paths)), "\n") + "\n"
}

// status is dpkg's database with all of these packages installed.
func status(installed ...[]unpacked) synth.Entry {
	all := slices.Concat(installed...)
	slices.SortFunc(all, func(a, b unpacked) int { return cmp.Compare(a.name, b.name) })
	var b strings.Builder
	for _, u := range all {
		b.WriteString(u.paragraph())
	}
	return synth.File(dpkgDir+"status", b.String())
}

// paragraph is the package in dpkg's database.
func (u unpacked) paragraph() string {
	var bytes int64
	for _, m := range u.members {
		if h := m.body.Header(); h.Name == m.path { // not another name of a file
			bytes += h.Size
		}
	}
	multi := ""
	if u.multiArch() {
		multi = "Multi-Arch: same\n"
	}
	return fmt.Sprintf("Package: %s\nStatus: install ok installed\nPriority: optional\nSection: %s\nInstalled-Size: %d\n"+
		"Maintainer: Demo Maintainers <maintainers@example.org>\nArchitecture: %s\n%sVersion: %s\nDescription: %s\n\n",
		u.name, u.section, (bytes+1023)/1024, u.arch, multi, u.version, u.about)
}

// The modules that Python can't do without, and the others, as Debian has them.
const (
	minimal = pyLib + "/[a-cefh-prz]*.py " + pyLib + "/datet*.py " + pyLib + "/s[o-u]*.py " + pyLib + "/t[e-y]*.py " +
		pyLib + "/email/"
	standard = pyLib + "/datac*.py " + pyLib + "/gzip.py " + pyLib + "/shutil.py " + pyLib + "/tarfile.py " + pyLib + "/uuid.py " +
		pyLib + "/asyncio/ " + pyLib + "/json/"
)

// baseDebs are Debian's packages of the base, those that have something in it.
var baseDebs = []deb{
	{"adduser", "3.134", "all", "admin", 0, "", "add and remove users and groups"},
	{"apt", "2.6.1", "amd64", "admin", 0, "usr/bin/apt-get usr/share/locale/*/LC_MESSAGES/apt.mo", "commandline package manager"},
	{"base-files", "12.4+deb12u4", "amd64", "admin", 0, "etc/debian_version etc/os-release usr/lib/os-release", "Debian base system miscellaneous files"},
	{"bash", "5.2.15-2+b2", "amd64", "shells", 0, "etc/bash.bashrc usr/bin/bash usr/share/man/man1/bash.1.gz", "GNU Bourne Again SHell"},
	{"coreutils", "9.1-1", "amd64", "utils", 0, "usr/bin/cat usr/bin/cp usr/bin/ls usr/bin/sort usr/share/man/man1/cat.1.gz usr/share/man/man1/ls.1.gz", "GNU core utilities"},
	{"dash", "0.5.12-2", "amd64", "shells", 0, "usr/bin/dash usr/bin/sh", "POSIX-compliant shell"},
	{"debconf", "1.5.82", "all", "admin", 0, "", "Debian configuration management system"},
	{"dpkg", "1.21.22", "amd64", "admin", 0, "usr/bin/dpkg* usr/share/man/man1/dpkg.1.gz", "Debian package management system"},
	{"findutils", "4.9.0-4", "amd64", "utils", 0, "usr/bin/find", "utilities for finding files--find, xargs"},
	{"gpgv", "2.2.40-1.1", "amd64", "utils", 0, "usr/bin/gpgv", "GNU privacy guard - signature verification tool"},
	{"grep", "3.8-5", "amd64", "utils", 0, "usr/bin/grep usr/share/man/man1/grep.1.gz", "GNU grep, egrep and fgrep"},
	{"gzip", "1.12-1", "amd64", "utils", 0, "", "GNU compression utilities"},
	{"libacl1", "2.3.1-3", "amd64", "libs", 0, libs + "/libacl.*", "access control list - shared library"},
	{"libapt-pkg6.0", "2.6.1", "amd64", "libs", 0, libs + "/libapt-pkg.*", "package management runtime library"},
	{"libc6", "2.36-9+deb12u3", "amd64", "libs", 0, libs + "/ld-linux-* " + libs + "/lib[cm].so.*", "GNU C Library: Shared libraries"},
	{"libgnutls30", "3.7.9-2+deb12u1", "amd64", "libs", 0, libs + "/libgnutls.*", "GNU TLS library - main runtime library"},
	{"libstdc++6", "12.2.0-14", "amd64", "libs", 0, libs + "/libstdc++.*", "GNU Standard C++ Library v3"},
	{"libsystemd0", "252.19-1~deb12u1", "amd64", "libs", 0, libs + "/libsystemd.*", "systemd utility library"},
	{"libzstd1", "1.5.4+dfsg2-5", "amd64", "libs", 0, libs + "/libzstd.*", "fast lossless compression algorithm"},
	{"login", "1:4.13+dfsg1-1+b1", "amd64", "admin", 0, "", "system login tools"},
	{"perl-base", "5.36.0-7+deb12u1", "amd64", "perl", 0, "usr/bin/perl* " + libs + "/perl-base/", "minimal Perl system"},
	{"sed", "4.9-1", "amd64", "utils", 0, "usr/bin/sed", "GNU stream editor for filtering/transforming text"},
	{"tar", "1.34+dfsg-1.2", "amd64", "utils", 0, "usr/bin/tar usr/share/man/man1/tar.1.gz", "GNU version of the tar archiving utility"},
	{"tzdata", "2023c-5+deb12u1", "all", "localization", 0, "usr/share/zoneinfo/", "time zone and daylight-saving time data"},
	{"util-linux", "2.38.1-5+b1", "amd64", "utils", 0, "usr/bin/su", "miscellaneous system utilities"},
	{"zlib1g", "1:1.2.13.dfsg-1", "amd64", "libs", 0, libs + "/libz.*", "compression library - runtime"},
}

// addedDebs are those that apt-get installs.
var addedDebs = []deb{
	{"ca-certificates", "20230311", "all", "misc", 155_260, "", "Common CA certificates"},
	{"curl", "7.88.1-10+deb12u5", "amd64", "web", 315_444, "usr/bin/curl usr/share/man/man1/curl.1.gz", "command line tool for transferring data with URL syntax"},
	{"libcurl4", "7.88.1-10+deb12u5", "amd64", "libs", 390_296, libs + "/libcurl.*", "easy-to-use client-side URL transfer library (OpenSSL flavour)"},
	{"libnghttp2-14", "1.52.0-1+deb12u1", "amd64", "libs", 73_056, libs + "/libnghttp2.*", "library implementing HTTP/2 protocol (shared library)"},
	{"libpython3-stdlib", "3.11.2-1+b1", "amd64", "python", 9_312, "", "interactive high-level object-oriented language (default python3 version)"},
	{"libpython3.11-minimal", "3.11.2-6", "amd64", "python", 813_884, minimal, "Minimal subset of the Python language (version 3.11)"},
	{"libpython3.11-stdlib", "3.11.2-6", "amd64", "python", 1_796_744, standard, "Interactive high-level object-oriented language (standard library, version 3.11)"},
	{"libssl3", "3.0.11-1~deb12u2", "amd64", "libs", 2_018_452, libs + "/libcrypto.* " + libs + "/libssl.*", "Secure Sockets Layer toolkit - shared libraries"},
	{"openssl", "3.0.11-1~deb12u2", "amd64", "utils", 1_418_896, "etc/ssl/openssl.cnf usr/share/man/man1/openssl.1.gz", "Secure Sockets Layer toolkit - cryptographic utility"},
	{"python3-minimal", "3.11.2-1+b1", "amd64", "python", 26_256, "usr/bin/python3", "minimal subset of the Python language (default python3 version)"},
	{"python3-pip", "23.0.1+dfsg-1", "all", "python", 1_325_240, "usr/bin/pip3* usr/share/man/man1/pip3.1.gz " + distPackages + "pip/ " + distPackages + "pip-23.0.1.dist-info/", "Python package installer"},
	{"python3.11-minimal", "3.11.2-6", "amd64", "python", 2_064_016, "usr/bin/python3.11 usr/share/man/man1/python3.11.1.gz", "Minimal subset of the Python language (version 3.11)"},
	{"python3.11", "3.11.2-6", "amd64", "python", 572_508, "", "Interactive high-level object-oriented language (version 3.11)"},
	{"python3", "3.11.2-1+b1", "amd64", "python", 26_320, "", "interactive high-level object-oriented language (default python3 version)"},
}
