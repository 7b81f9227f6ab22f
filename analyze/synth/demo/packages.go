package demo

import (
	"fmt"
	"slices"

	"github.com/layerscope/layerscope/analyze/synth"
)

// install is what apt-get leaves: the packages, their .deb files, the lists
// and apt's own caches.
func install() synth.Layer {
	files := installFiles()
	debs := unpack(files, addedDebs)
	return slices.Concat(
		synth.Layer{
			synth.Whiteout("etc/apt/apt.conf.d/docker-clean"),
			changed("etc/ld.so.cache", 8_617),
			body("etc/ssl/certs/ca-certificates.crt", 213_777),
		},
		files,
		archives(),
		synth.Layer{
			body("var/cache/apt/pkgcache.bin", 2_871_301),
			body("var/cache/apt/srcpkgcache.bin", 2_846_928),
			changed("var/cache/debconf/config.dat", 7_415),
		},
		lists(),
		info(debs),
		synth.Layer{
			status(unpack(debianFiles(), baseDebs), debs),
			body("var/log/apt/history.log", 2_108),
			body("var/log/apt/term.log", 21_403, synth.Mode(0o640), synth.Owner(0, 4)),
			changed("var/log/dpkg.log", 151_206),
		},
	)
}

// installFiles are what the packages have, and the bytecode that was compiled
// of them.
func installFiles() synth.Layer {
	return slices.Concat(
		synth.Layer{body("etc/ssl/openssl.cnf", 12_332)},
		bodies("usr/bin", []sized{{"curl", 305_496}, {"python3.11", 6_839_896}}, synth.Mode(0o755)),
		synth.Layer{
			synth.Symlink("usr/bin/python3", "python3.11"),
			body("usr/bin/pip3", 217, synth.Mode(0o755)),
			synth.Hardlink("usr/bin/pip3.11", "usr/bin/pip3", synth.Mode(0o755)),
		},
		stdlib(),
		synth.Layer{synth.File(distPackages+"pip-23.0.1.dist-info/METADATA", metadata("pip", "23.0.1",
			"The PyPA recommended tool for installing Python packages."))},
		bodies(libs, []sized{
			{"libcrypto.so.3", 4_709_272}, {"libcurl.so.4.8.0", 727_712}, {"libnghttp2.so.14.24.1", 178_240}, {"libssl.so.3", 692_256},
		}),
		synth.Layer{synth.Symlink(libs+"/libcurl.so.4", "libcurl.so.4.8.0")},
		family("usr/share/doc/*/copyright", names(addedDebs), 1_200, 58_000),
		family("usr/share/man/man1/*.1.gz", "curl openssl pip3 python3.11", 900, 19_000),
	)
}

// Where Debian has Python's library, and packages for Python.
const (
	pyLib        = "usr/lib/python3.11"
	distPackages = "usr/lib/python3/dist-packages/"
)

// stdlib is Python's library.
func stdlib() synth.Layer {
	return slices.Concat(
		python(pyLib, "abc argparse ast base64 codecs contextlib copy csv dataclasses datetime enum functools gzip hashlib "+
			"inspect io locale operator os pathlib pickle random re shutil socket ssl string subprocess tarfile "+
			"tempfile threading tokenize traceback types typing uuid zipfile", 4_000, 62_000),
		python(pyLib+"/asyncio", "base_events events futures locks queues runners streams tasks", 6_000, 52_000),
		python(pyLib+"/email", "charset generator header message parser policy utils", 5_000, 39_000),
		python(pyLib+"/json", "decoder encoder scanner tool", 2_000, 16_000),
		python(distPackages+"pip/_internal", "build_env cache configuration exceptions main pyproject self_outdated_check", 5_000, 25_000),
	)
}

// archives are the packages as they were fetched.
func archives() synth.Layer {
	var l synth.Layer
	for _, d := range addedDebs {
		l = append(l, noise(fmt.Sprintf("var/cache/apt/archives/%s_%s_%s.deb", d.name, d.version, d.arch), d.size))
	}
	return append(l, synth.File("var/cache/apt/archives/lock", "", synth.Mode(0o640)))
}

// aptLists is the folder apt-get update fills.
const aptLists = "var/lib/apt/lists/"

// fetched are the lists themselves.
var fetched = []sized{
	{"deb.debian.org_debian-security_dists_bookworm-security_InRelease", 47_961},
	{"deb.debian.org_debian-security_dists_bookworm-security_main_binary-amd64_Packages.lz4", 268_712},
	{"deb.debian.org_debian_dists_bookworm-updates_InRelease", 52_119},
	{"deb.debian.org_debian_dists_bookworm-updates_main_binary-amd64_Packages.lz4", 24_308},
	{"deb.debian.org_debian_dists_bookworm_InRelease", 151_082},
	{"deb.debian.org_debian_dists_bookworm_main_binary-amd64_Packages.lz4", 5_117_306},
}

func lists() synth.Layer {
	var l synth.Layer
	for _, f := range fetched {
		l = append(l, noise(aptLists+f.name, f.size))
	}
	return append(l,
		synth.Dir(aptLists+"auxfiles"),
		synth.File(aptLists+"lock", "", synth.Mode(0o640)),
		synth.Dir(aptLists+"partial", synth.Owner(42, 0), synth.Mode(0o700)))
}

// download is a tarball and what was in it.
func download() synth.Layer {
	l := synth.Layer{noise("tmp/plex.tar.gz", 4_231_907)}
	for _, f := range []sized{
		{"LICENSE.txt", 4_461}, {"Mono-Regular.ttf", 134_100}, {"Sans-Bold.ttf", 201_084}, {"Sans-Italic.ttf", 214_728},
		{"Sans-Regular.ttf", 200_500}, {"SansJP-Regular.otf", 2_934_572}, {"Serif-Italic.ttf", 174_940}, {"Serif-Regular.ttf", 166_412},
	} {
		l = append(l, body("usr/share/fonts/plex/"+f.name, f.size))
	}
	return l
}

// cleanup deletes, a layer too late, what two others stored.
func cleanup() synth.Layer {
	l := synth.Layer{synth.Whiteout("tmp/plex.tar.gz")}
	for _, f := range fetched {
		l = append(l, synth.Whiteout(aptLists+f.name))
	}
	return append(l,
		synth.Whiteout(aptLists+"auxfiles"),
		synth.Whiteout(aptLists+"lock"),
		synth.Whiteout(aptLists+"partial"))
}
