package demo

import (
	"io/fs"
	"slices"

	"github.com/layerscope/layerscope/analyze/synth"
)

const srv = "srv/app/"

// samples are the pictures an operator's own replace.
var samples = []sized{
	{"aster.jpg", 181_220}, {"betula.jpg", 240_316}, {"carex.jpg", 164_907}, {"drosera.jpg", 307_118},
	{"erica.jpg", 198_664}, {"fagus.jpg", 221_093}, {"gentiana.jpg", 275_841}, {"hedera.jpg", 190_052},
}

// app is the build context with nothing ignored: version control, tests and
// what a file manager leaves behind come along.
func app(opts ...synth.Option) synth.Layer {
	return slices.Concat(
		dirs(opts, "", ".git", ".git/hooks", ".git/objects", ".git/objects/pack", "deploy", "herbarium",
			"herbarium/assets", "samples", "static", "static/img", "tests", "tests/data"),
		synth.Layer{body(srv+".DS_Store", 6_148, opts...)},
		bodies(srv+".git", []sized{
			{"HEAD", 23}, {"config", 265}, {"hooks/pre-commit.sample", 1_643}, {"hooks/pre-push.sample", 1_374}, {"index", 3_417},
		}, opts...),
		synth.Layer{
			body(srv+".git/objects/pack/pack-6e1f0c9a.idx", 38_844, opts...),
			noise(srv+".git/objects/pack/pack-6e1f0c9a.pack", 1_744_209, opts...),
		},
		contextFiles(opts),
		synth.Layer{
			body(appJS, 92_604, opts...),
			noise(logo, 48_211, opts...),
			same(srv+"herbarium/assets/plex.ttf", font, 200_500, opts...),
			same(srv+"static/app.js", appJS, 92_604, opts...),
			body(srv+"static/app.js.map", 311_872, opts...),
			same(srv+"static/img/logo.png", logo, 48_211, opts...),
		},
		pictures(opts),
	)
}

// Files that are in the image under other names too.
const (
	font  = "usr/share/fonts/plex/Sans-Regular.ttf"
	appJS = srv + "herbarium/assets/app.js"
	logo  = srv + "herbarium/assets/logo.png"
)

func dirs(opts []synth.Option, names ...string) synth.Layer {
	var l synth.Layer
	for _, name := range names {
		l = append(l, synth.Dir(srv+name, opts...))
	}
	return l
}

func pictures(opts []synth.Option) synth.Layer {
	var l synth.Layer
	for _, f := range samples {
		l = append(l, noise(srv+"samples/"+f.name, f.size, opts...))
	}
	return append(l,
		noise(srv+"tests/data/blank.jpg", 11_204, opts...),
		noise(srv+"tests/data/huge.jpg", 402_337, opts...))
}

// contextFiles are the files of [Context] where COPY . . puts them.
func contextFiles(opts []synth.Option) synth.Layer {
	var l synth.Layer
	for _, name := range contextNames() {
		l = append(l, contextFile(name, name, opts...))
	}
	return l
}

// contextFile is the context's file of as below the working directory.
func contextFile(name, of string, opts ...synth.Option) synth.Entry {
	content, err := fs.ReadFile(Context(), of)
	if err != nil {
		panic(err) // it is embedded
	}
	return synth.File(srv+name, string(content), opts...)
}

// contextNames are the paths of the context's files, in order.
func contextNames() []string {
	var names []string
	// Embedded files can be walked without error.
	_ = fs.WalkDir(Context(), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, name)
		}
		return err
	})
	return names
}

// chown writes the whole application again for the sake of its owner.
func chown() synth.Layer {
	return slices.Concat(
		synth.Layer{
			synth.File("etc/group", group+"app:x:999:\n"),
			synth.File("etc/passwd", passwd+"app:x:999:999::/home/app:/bin/sh\n"),
			synth.File("etc/shadow", shadow+"app:!:19724::::::\n", synth.Mode(0o640), synth.Owner(0, 42)),
			synth.Dir("srv"),
		},
		app(synth.Owner(999, 999)),
	)
}

// rebuild replaces a directory by one of the same name.
func rebuild() synth.Layer {
	return synth.Layer{
		synth.Dir(srv),
		body(srv+"herbarium/__pycache__/build.cpython-311.pyc", 1_874),
		synth.Dir(srv + "static"),
		synth.Opaque(srv + "static"),
		same(srv+"static/app-3b0c99e1.js", appJS, 92_604),
		same(srv+"static/logo-d1f6a27c.png", logo, 48_211),
		same(srv+"static/plex-70ae5d02.ttf", font, 200_500),
	}
}

// tidy removes one of two names of a file, which frees nothing, and puts a
// link where a directory was.
func tidy() synth.Layer {
	return synth.Layer{
		synth.Symlink(srv+"samples", "/data/samples"),
		synth.Whiteout("usr/bin/perl5.36.0"),
	}
}
