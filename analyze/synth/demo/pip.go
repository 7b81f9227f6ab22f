package demo

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/layerscope/layerscope/analyze/synth"
)

// usrLocal is where pip installs, and site what Python finds there.
const (
	usrLocal = "usr/local/"
	site     = usrLocal + "lib/python3.11/dist-packages"
)

// pip is what pip install leaves: the packages, bytecode and its cache.
func pip() synth.Layer {
	files := pipFiles()
	return slices.Concat(
		synth.Layer{
			noise("root/.cache/pip/http/4/b/e/2/9/4be29f0c7d2f3a6e0b1c5d8e9f7a", 4_470_338, synth.Mode(0o600)),
			noise("root/.cache/pip/http/9/0/d/a/1/90da17b3c2e4f5a6978d0c1b2a3f", 133_281, synth.Mode(0o600)),
			body("root/.cache/pip/selfcheck/fe300af6f7d708c14827daac3afc81fbb8306b73de8dd6e3f1f8ea3b", 131),
		},
		files,
		distInfo(files),
	)
}

// pipFiles are what was in the wheels, and the bytecode compiled of it.
func pipFiles() synth.Layer {
	return slices.Concat(
		synth.Layer{body(usrLocal+"bin/flask", 233, synth.Mode(0o755))},
		python(site+"/PIL", "ExifTags Image ImageChops ImageColor ImageDraw ImageFile ImageFilter ImageFont JpegImagePlugin PngImagePlugin TiffImagePlugin", 3_000, 88_000),
		bodies(site+"/PIL", []sized{{"_imaging.cpython-311-x86_64-linux-gnu.so", 752_472}, {"_imagingft.cpython-311-x86_64-linux-gnu.so", 301_208}}, synth.Mode(0o755)),
		bodies(site+"/pillow.libs", []sized{{"libfreetype-be14bf51.so.6.20.1", 1_422_625}, {"libjpeg-77ae51ab.so.62.4.0", 781_193}, {"libtiff-58b54e4b.so.6.0.2", 736_297}}, synth.Mode(0o755)),
		python(site+"/click", "core decorators exceptions parser termui types utils", 8_000, 60_000),
		python(site+"/flask", "app blueprints cli config ctx globals helpers json sessions templating testing views wrappers", 3_000, 56_000),
		python(site+"/jinja2", "compiler environment ext filters lexer loaders nodes parser runtime utils", 4_000, 50_000),
		python(site+"/werkzeug", "exceptions formparser http local routing security serving test urls utils wsgi", 6_000, 51_000),
	)
}

// wheels are the packages that pip installed, with the folders, and the
// program, that each has in /usr/local.
var wheels = []struct{ name, version, about, files string }{
	{"click", "8.1.7", "Composable command line interface toolkit", site + "/click/"},
	{"flask", "3.0.0", "A simple framework for building complex web applications.", usrLocal + "bin/flask " + site + "/flask/"},
	{"jinja2", "3.1.2", "A very fast and expressive template engine.", site + "/jinja2/"},
	{"pillow", "10.2.0", "Python Imaging Library (Fork)", site + "/PIL/ " + site + "/pillow.libs/"},
	{"werkzeug", "3.0.1", "The comprehensive WSGI web application library.", site + "/werkzeug/"},
}

// metadata is how a Python package names itself.
func metadata(name, version, about string) string {
	return fmt.Sprintf("Metadata-Version: 2.1\nName: %s\nVersion: %s\nSummary: %s\n\n%s\n%s\n\n%s\n",
		name, version, about, name, strings.Repeat("=", len(name)), about)
}

// distInfo is what pip wrote down of the wheels with files of l.
func distInfo(l synth.Layer) synth.Layer {
	var out synth.Layer
	for _, w := range wheels {
		dir := fmt.Sprintf("%s/%s-%s.dist-info", site, w.name, w.version)
		meta := synth.File(dir+"/METADATA", metadata(w.name, w.version, w.about))
		files := append(members(l, w.files), member{dir + "/METADATA", meta})
		out = append(out, meta, record(dir+"/RECORD", files))
	}
	return out
}

// record is a package's RECORD, which leaves bytecode and itself without a sum
// (PyPA, "Recording installed projects").
func record(name string, files []member) synth.Entry {
	return summed(name, wheelSum, func(sum sumFunc) string {
		var b strings.Builder
		for _, f := range files {
			p, ok := strings.CutPrefix(f.path, site+"/")
			if !ok {
				p = "../../../" + strings.TrimPrefix(f.path, usrLocal)
			}
			if path.Ext(p) == ".pyc" {
				fmt.Fprintf(&b, "%s,,\n", p)
				continue
			}
			fmt.Fprintf(&b, "%s,%s,%d\n", p, sum(f), f.body.Header().Size)
		}
		return b.String() + strings.TrimPrefix(name, site+"/") + ",,\n"
	})
}

// wheelSum is a file's sum as a RECORD has it.
func wheelSum(m member) string {
	return "sha256=" + base64.RawURLEncoding.EncodeToString(m.digest(sha256.New()))
}
