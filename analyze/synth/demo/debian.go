package demo

import (
	"slices"

	"github.com/layerscope/layerscope/analyze/synth"
)

// libs is where Debian has its shared libraries.
const libs = "usr/lib/x86_64-linux-gnu"

// debian is the base layer.
func debian() synth.Layer {
	return slices.Concat(debianFiles(), debianVar()).WithParents()
}

// debianFiles are what the base's packages have, and the folders beside them.
func debianFiles() synth.Layer {
	return slices.Concat(
		synth.Layer{
			synth.Symlink("bin", "usr/bin"),
			synth.Dir("boot"),
			synth.Dir("dev"),
		},
		debianEtc(),
		synth.Layer{
			synth.Dir("home"),
			synth.Symlink("lib", "usr/lib"),
			synth.Symlink("lib64", "usr/lib64"),
			synth.Dir("proc"),
			synth.Dir("root", synth.Mode(0o700)),
			synth.Dir("run"),
			synth.Symlink("sbin", "usr/sbin"),
			synth.Dir("srv"),
			synth.Dir("sys"),
			synth.Dir("tmp", synth.Mode(0o1777)),
		},
		debianBin(),
		debianLib(),
		debianShare(),
	)
}

func debianEtc() synth.Layer {
	return synth.Layer{
		synth.File("etc/apt/apt.conf.d/docker-clean", "DPkg::Post-Invoke { \"rm -f /var/cache/apt/archives/*.deb || true\"; };\n"),
		body("etc/bash.bashrc", 1994),
		synth.File("etc/debian_version", "12.4\n"),
		synth.File("etc/group", group),
		body("etc/ld.so.cache", 5041),
		synth.Symlink("etc/os-release", "../usr/lib/os-release"),
		synth.File("etc/passwd", passwd),
		synth.File("etc/shadow", shadow, synth.Mode(0o640), synth.Owner(0, 42)),
	}
}

// The account files; useradd appends to them.
const (
	passwd = "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
	group  = "root:x:0:\nshadow:x:42:\nnogroup:x:65534:\n"
	shadow = "root:*:19709:0:99999:7:::\nnobody:*:19709:0:99999:7:::\n"
)

func debianBin() synth.Layer {
	exec := synth.Mode(0o755)
	return slices.Concat(
		bodies("usr/bin", []sized{
			{"apt-get", 51_592}, {"bash", 1_265_648}, {"cat", 44_016}, {"cp", 151_152}, {"dash", 125_640},
			{"dpkg", 318_176}, {"dpkg-deb", 187_632}, {"find", 224_848}, {"gpgv", 293_448}, {"grep", 203_152},
			{"ls", 151_344}, {"perl", 3_803_696},
		}, exec),
		synth.Layer{synth.Hardlink("usr/bin/perl5.36.0", "usr/bin/perl", exec)},
		bodies("usr/bin", []sized{{"sed", 126_424}, {"sort", 113_960}, {"tar", 531_984}}, exec),
		synth.Layer{
			synth.Symlink("usr/bin/sh", "dash"),
			body("usr/bin/su", 72_000, synth.Mode(0o4755)),
		},
	)
}

func debianLib() synth.Layer {
	return slices.Concat(
		synth.Layer{synth.File("usr/lib/os-release", "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\nVERSION_ID=\"12\"\n")},
		bodies(libs, []sized{
			{"ld-linux-x86-64.so.2", 210_968}, {"libacl.so.1.1.2301", 34_888}, {"libapt-pkg.so.6.0.0", 2_022_104},
			{"libc.so.6", 1_922_136}, {"libgnutls.so.30.34.3", 2_113_152},
			{"libm.so.6", 907_784}, {"libstdc++.so.6.0.30", 2_190_440},
			{"libsystemd.so.0.35.0", 834_096}, {"libz.so.1.2.13", 121_280}, {"libzstd.so.1.5.4", 755_456},
		}),
		synth.Layer{
			synth.Symlink(libs+"/libstdc++.so.6", "libstdc++.so.6.0.30"),
			synth.Symlink(libs+"/libz.so.1", "libz.so.1.2.13"),
		},
		family(libs+"/perl-base/*.pm", "Carp Config Cwd Exporter Fcntl POSIX Socket constant integer overload strict utf8 vars warnings", 900, 42_000),
	)
}

func debianShare() synth.Layer {
	return slices.Concat(
		family("usr/share/doc/*/copyright", names(baseDebs), 1_200, 46_000),
		family("usr/share/locale/*/LC_MESSAGES/apt.mo", "de es fr it ja ko nl pl pt_BR ru uk zh_CN", 14_000, 58_000),
		family("usr/share/man/man1/*.1.gz", "bash cat dpkg grep ls tar", 900, 12_000),
		bodies("usr/share/zoneinfo", []sized{{"Asia/Tokyo", 309}, {"Etc/UTC", 114}, {"Europe/Berlin", 2_298}}),
		synth.Layer{
			synth.Hardlink("usr/share/zoneinfo/Japan", "usr/share/zoneinfo/Asia/Tokyo"),
			synth.Hardlink("usr/share/zoneinfo/UTC", "usr/share/zoneinfo/Etc/UTC"),
		},
	)
}

func debianVar() synth.Layer {
	debs := unpack(debianFiles(), baseDebs)
	return slices.Concat(
		synth.Layer{
			body("var/cache/debconf/config.dat", 6_132),
			synth.Dir("var/lib/apt/lists"),
		},
		info(debs),
		synth.Layer{
			status(debs),
			body("var/log/dpkg.log", 118_322),
			synth.Symlink("var/run", "/run"),
		},
	)
}
