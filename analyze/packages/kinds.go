package packages

import (
	"slices"
	"strings"
)

// kind is what a file says of packages.
type kind uint8

const (
	nothing kind = iota
	dpkgStatus
	dpkgList       // the paths of one package
	dpkgDiversions // paths that one package moved out of the way of another
	dpkgStatusD    // status of one package, as distroless images have it
	dpkgSums       // paths and MD5 sums of one of those
	apkInstalled
	rpmDatabase
	pythonMetadata
	pythonRecord
	pythonFiles
	npmPackage
	gemSpec
	goProgram
	osRelease     // the distribution, wherever /etc/os-release links to
	debianVersion // Debian's point release
)

// limit returns the most bytes a file of the kind may have. They are held in
// memory while they are read: at most one file a layer that is being read.
func (k kind) limit() int64 {
	switch k {
	case rpmDatabase:
		return 128 << 20 // CentOS 7 with a thousand packages: 33 MB
	case dpkgStatus, apkInstalled:
		return 64 << 20
	case dpkgList, dpkgSums, pythonRecord, pythonFiles:
		return 32 << 20
	case osRelease, debianVersion:
		return 64 << 10 // usually half a kilobyte
	}
	return 4 << 20
}

const (
	osReleaseName     = "os-release"
	debianVersionName = "debian_version"
)

const (
	dpkgDir    = "var/lib/dpkg/"
	dpkgInfo   = dpkgDir + "info/"
	statusDir  = dpkgDir + "status.d/"
	listSuffix = ".list"
	sumsSuffix = ".md5sums"
)

// rpmDirs are where distributions keep rpm's database.
var rpmDirs = []string{"var/lib/rpm", "usr/lib/sysimage/rpm", "usr/share/rpm"}

// kindOf says what the file at a path, clean and relative to the root, says of
// packages.
func kindOf(path string) kind {
	dir, base := cutBase(path)
	switch base {
	case "package.json":
		if isModuleDir(dir) {
			return npmPackage
		}
	case "METADATA":
		if strings.HasSuffix(dir, ".dist-info") {
			return pythonMetadata
		}
	case "RECORD":
		if strings.HasSuffix(dir, ".dist-info") {
			return pythonRecord
		}
	case "PKG-INFO":
		if strings.HasSuffix(dir, ".egg-info") || strings.HasSuffix(dir, ".egg/EGG-INFO") {
			return pythonMetadata
		}
	case "installed-files.txt":
		if strings.HasSuffix(dir, ".egg-info") {
			return pythonFiles
		}
	case "installed":
		if dir == "lib/apk/db" || dir == "usr/lib/apk/db" {
			return apkInstalled
		}
	case "Packages", "Packages.db", "rpmdb.sqlite":
		if slices.Contains(rpmDirs, dir) {
			return rpmDatabase
		}
	case debianVersionName:
		if dir == "etc" {
			return debianVersion
		}
	}
	switch {
	case strings.Contains(base, osReleaseName):
		return osRelease // Fedora's is a link to os-release-fedora, NixOS's to a hash and etc-os-release
	case strings.HasPrefix(path, dpkgDir):
		return dpkgKind(path[len(dpkgDir):])
	case strings.HasSuffix(base, ".gemspec"):
		if _, parent := cutBase(strings.TrimSuffix(dir, "/default")); parent == "specifications" {
			return gemSpec
		}
	case strings.HasSuffix(base, ".egg-info"):
		return pythonMetadata // distutils wrote a file and no folder
	}
	return nothing
}

// dpkgKind is kindOf for what is below dpkg's folder.
func dpkgKind(path string) kind {
	dir, base := cutBase(path)
	switch {
	case path == "status":
		return dpkgStatus
	case path == "diversions":
		return dpkgDiversions
	case dir == "info" && strings.HasSuffix(base, listSuffix):
		return dpkgList
	case dir == "status.d" && strings.HasSuffix(base, sumsSuffix):
		return dpkgSums
	case dir == "status.d":
		return dpkgStatusD
	}
	return nothing
}

// isModuleDir tells whether a folder is one that npm installs a package into:
// node_modules/NAME or node_modules/@SCOPE/NAME.
func isModuleDir(dir string) bool {
	dir, name := cutBase(dir)
	if name == "" || name[0] == '.' || name[0] == '@' {
		return false // @SCOPE alone is none
	}
	if up, scope := cutBase(dir); strings.HasPrefix(scope, "@") {
		dir = up
	}
	_, base := cutBase(dir)
	return base == "node_modules"
}

// cutBase cuts a clean path before its last component.
func cutBase(path string) (dir, base string) {
	i := strings.LastIndexByte(path, '/')
	return path[:max(i, 0)], path[i+1:]
}
