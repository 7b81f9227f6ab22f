package main

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/layerscope/layerscope/analyze/synth"
)

// mkimage is a script command: mkimage KIND PATH makes an image of a kind at a
// path.
func mkimage(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: mkimage KIND PATH")
	}
	kind, ok := kinds[args[0]]
	if !ok {
		ts.Fatalf("unknown kind of image %q", args[0])
	}
	ts.Check(kind(ts.MkAbs(args[1])))
}

// kinds are the images that scripts ask for.
var kinds = map[string]func(path string) error{
	"app":    archive(dockerArchive(example)),
	"oci":    archive(ociArchive(example)),
	"layout": func(path string) error { return synth.OCILayout(path, example) },
	"two": archive(func(w io.Writer) error {
		return synth.DockerArchive(w, example, synth.Image{Tags: []string{"tools:2"}, Steps: example.Steps[:1]})
	}),
	"platforms": archive(ociArchive(synth.Index{Tags: []string{"app:1.0"}, Attest: true, Images: []synth.Image{
		forPlatform("amd64", ""), forPlatform("arm", "v7"),
	}})),
	"base":       archive(dockerArchive(base)),
	"other-base": archive(dockerArchive(synth.Image{Tags: []string{"base:2"}, Steps: example.Steps[3:4]})),
	"base-platforms": archive(ociArchive(synth.Index{Tags: []string{"base:1"}, Images: []synth.Image{
		onPlatform(base, "amd64", ""), onPlatform(base, "arm", "v7"),
	}})),
	"s390x":        archive(ociArchive(onPlatform(example, "s390x", ""))),
	"attested":     archive(ociArchive(attested(synth.Provenance{Max: true, From: "docker-image://docker.io/library/debian:12", FromLayers: 1}))),
	"scratch":      archive(ociArchive(attested(synth.Provenance{Max: true}))),
	"hostile-base": archive(ociArchive(hostileBase())),

	"hostile": archive(dockerArchive(hostile())),
	"empty":   archive(dockerArchive(synth.Image{})),
	"links":   archive(dockerArchive(links)),
	"names":   archive(dockerArchive(names)),
	"bomb":    archive(ociArchive(bomb)),
	"long":    archive(dockerArchive(long)),
	"many":    archive(dockerArchive(many)),
	"leaky":   archive(dockerArchive(leaky)),

	"whiteouts": archive(dockerArchive(whiteouts)),

	"packages":         archive(dockerArchive(installed)),
	"hostile-packages": archive(dockerArchive(hostilePackages())),
	"many-packages":    archive(dockerArchive(manyPackages)),

	"release-1":       archive(ociArchive(release(1))),
	"release-2":       archive(ociArchive(release(2))),
	"release-arm":     archive(ociArchive(onPlatform(release(2), "arm", "v7"))),
	"retouched":       archive(ociArchive(retouched(release(1)))),
	"recompressed":    archive(ociArchive(recompressed(release(1)))),
	"hostile-2":       archive(dockerArchive(hostileNext())),
	"hostile-release": archive(dockerArchive(hostileDistribution())),

	"no-history":    archive(dockerArchive(withHistory(func(h []v1.History) []v1.History { return nil }))),
	"short-history": archive(dockerArchive(withHistory(func(h []v1.History) []v1.History { return h[:2] }))),
	"long-history":  archive(dockerArchive(withHistory(func(h []v1.History) []v1.History { return append(h, h...) }))),

	"cut":            cut,
	"missing-blob":   mangle(func(b []byte) []byte { return nil }),
	"wrong-blob":     mangle(func(b []byte) []byte { b[len(b)-1] ^= 1; return b }),
	"cut-blob":       mangle(func(b []byte) []byte { return b[:len(b)/2] }),
	"unknown-type":   archive(ociArchive(unknownType())),
	"no-images":      archive(files("manifest.json", "[]")),
	"bad-manifest":   archive(files("manifest.json", `[{"Config":`)),
	"bad-config":     archive(files("manifest.json", `[{"Config":"c.json","Layers":[]}]`, "c.json", `{"architecture":`)),
	"missing-layer":  archive(files("manifest.json", `[{"Config":"c.json","Layers":["gone.tar"]}]`, "c.json", `{"rootfs":{"type":"layers","diff_ids":["sha256:`+strings.Repeat("0", 64)+`"]}}`)),
	"no-image":       archive(files("readme.txt", "just a tar")),
	"cut-zstd-layer": mangleZstd,
}

// example is an image of which every number is known: 1,050 bytes in the base,
// 8,000 installed of which 3,000 are deleted, a file of 10 written twice.
var example = synth.Image{
	Tags: []string{"app:1.0"},
	Config: v1.Config{
		User:         "app",
		Env:          []string{"PATH=/usr/bin", "MODE=a<b>&c"},
		Entrypoint:   []string{"/usr/bin/app"},
		ExposedPorts: map[string]struct{}{"8080/tcp": {}, "443/tcp": {}},
		Volumes:      map[string]struct{}{"/data": {}},
		Labels:       map[string]string{"b": "2", "a": "1"},
		WorkingDir:   "/srv",
	},
	Steps: []synth.Step{
		{CreatedBy: "# debian.sh --arch 'amd64' out/ 'bookworm' '@1702857600'", Comment: "debuerreotype 0.15", Created: baseTime, Layer: synth.Layer{
			synth.Dir("etc"),
			synth.File("etc/os-release", "ID=example\nVERSION=1\n"),
			synth.File("etc/passwd", "root:x:0:0:root:/root:/bin/sh"),
			synth.Dir("usr"),
			synth.Dir("usr/bin"),
			synth.Body("usr/bin/sh", 1000, 1, synth.Mode(0o755)),
			synth.Symlink("bin", "usr/bin"),
		}},
		{CreatedBy: `CMD ["sh"]`, Comment: "debuerreotype 0.15", Created: baseTime},
		{CreatedBy: "ENV MODE=a<b>&c", Comment: buildkit},
		{CreatedBy: "RUN |1 V=1 /bin/sh -c install   app && \\\n    true # buildkit", Comment: buildkit, Layer: synth.Layer{
			synth.Dir("usr"),
			synth.Dir("usr/lib"),
			synth.Body("usr/lib/libapp.so.1", 5000, 2, synth.Mode(0o755)),
			synth.Hardlink("usr/lib/libapp.so", "usr/lib/libapp.so.1"),
			synth.Dir("var"),
			synth.Dir("var/cache"),
			synth.Noise("var/cache/app.pkg", 3000, 3),
		}},
		{CreatedBy: "COPY app.conf /etc/app.conf # buildkit", Comment: buildkit, Layer: synth.Layer{
			synth.Dir("etc"),
			synth.File("etc/app.conf", "debug = 1\n"),
		}},
		{CreatedBy: "RUN /bin/sh -c rm -rf /var/cache/* && chmod 600 /etc/app.conf # buildkit", Comment: buildkit, Layer: synth.Layer{
			synth.Dir("etc"),
			synth.File("etc/app.conf", "debug = 1\n", synth.Mode(0o600)),
			synth.Dir("var"),
			synth.Dir("var/cache"),
			synth.Whiteout("var/cache/app.pkg"),
		}},
		{CreatedBy: `ENTRYPOINT ["/usr/bin/app"]`, Comment: buildkit},
	},
}

const buildkit = "buildkit.dockerfile.v0"

var baseTime = time.Date(2023, 12, 18, 0, 0, 0, 0, time.UTC)

// evil are pieces of text that a terminal, a reader or a parser could trip
// over: escapes, C1, bidi, zero-width, tags, bytes that aren't UTF-8.
var evil = []string{
	"esc\x1b[31mred\x1b]0;title\a", "bel\a", "c1\u009b31m", "bidi\u202egnp.exe", "isolate\u2066x\u2069",
	"zero\u200bwidth", "line\nbreak", "cr\rover", "tab\tbed", "[red]tag[-:-:-]", "bad\xff\xfeutf8", "del\x7f",
	"raw-c1\x9b31m", "\u2028ls", "wide字ち", "back\\slash\\x1b", "quote\"'`<b>",
}

// hostile is an image in which every piece of text is evil.
func hostile() synth.Image { return hostileOf(evil) }

// hostileNext is hostile with other texts, some of them the same.
func hostileNext() synth.Image {
	next := slices.Clone(evil)
	for i := range next {
		if i%3 > 0 {
			next[i] += "next"
		}
	}
	return hostileOf(next)
}

func hostileOf(evil []string) synth.Image {
	all := strings.Join(evil, " ")
	img := synth.Image{
		Tags:   []string{"hostile:1"},
		Config: v1.Config{User: all, WorkingDir: all, Env: evil, Cmd: evil, Entrypoint: evil, Labels: map[string]string{}},
	}
	img.EditConfig = func(c *v1.ConfigFile) { c.Author, c.Variant, c.Architecture = all, all, all }
	for i, e := range evil {
		img.Config.Labels[e] = e
		img.Steps = append(img.Steps, synth.Step{CreatedBy: "RUN /bin/sh -c " + e, Comment: e, Author: e, Layer: synth.Layer{
			synth.Dir("d" + e),
			synth.Body("d"+e+"/"+e, int64(100+i), uint64(i)),
			synth.Symlink("link"+e, e),
			synth.Hardlink("broken"+e, "gone"+e),
			synth.Fifo("fifo" + e),
			synth.CharDevice("dev"+e, 1, 3),
		}})
	}
	return img
}

// links is an image of links that lead in circles, nowhere and out.
var links = synth.Image{
	Tags: []string{"links:1"},
	Steps: []synth.Step{{CreatedBy: "COPY . / # buildkit", Comment: buildkit, Layer: synth.Layer{
		synth.Symlink("self", "self"),
		synth.Symlink("a", "b"), synth.Symlink("b", "/a"),
		synth.Symlink("out", "../../../../../../etc/secret"),
		synth.Dir("etc"),
		synth.File("etc/secret", "of the image\n"),
		synth.Symlink("nowhere", "gone"),
		synth.Hardlink("hard", "etc/secret"),
		synth.Hardlink("broken", "gone"),
		synth.Fifo("pipe"),
		synth.CharDevice("null", 1, 3), synth.BlockDevice("disk", 8, 0),
		synth.File("escape", "\x1b]0;title\a"),
		synth.File("windows", "two\r\nlines\r\n"),
		synth.File("binary", "\x00\x01\x02"),
	}}},
}

// names is an image of paths that lead out of it, or are none.
var names = synth.Image{
	Tags: []string{"names:1"},
	Steps: []synth.Step{{CreatedBy: "COPY . / # buildkit", Comment: buildkit, Layer: synth.Layer{
		synth.File("../../up", "1"),
		synth.File("/absolute", "22"),
		synth.File("./dot//slashes/../file", "333"),
		synth.File("long/"+strings.Repeat("x", 4096), "4444"),
		synth.File("bad\xffname", "55555"),
	}}},
}

// installed is an image with packages of which every byte is known, and a
// database that can't be read.
var installed = synth.Image{
	Tags: []string{"installed:1"},
	Steps: []synth.Step{
		{CreatedBy: "RUN apt-get install one", Layer: synth.Layer{
			synth.Symlink("lib", "usr/lib"),
			synth.Body("usr/lib/one.so", 10_000, 1),
			synth.File("var/lib/dpkg/status", dpkgRecord("one", "1.0-1")),
			synth.File("var/lib/dpkg/info/one.list", "/lib/one.so\n"),
		}},
		{CreatedBy: "RUN apt-get install two && npm install", Layer: synth.Layer{
			synth.Body("usr/bin/two", 4_000, 2),
			synth.File("var/lib/dpkg/status", dpkgRecord("one", "1.0-1")+dpkgRecord("two", "2:2.0")),
			synth.File("var/lib/dpkg/info/two.list", "/usr/bin/two\n"),
			synth.File("app/node_modules/left-pad/package.json", `{"name":"left-pad","version":"1.3.0"}`),
			synth.Body("app/node_modules/left-pad/index.js", 700, 3),
			synth.Body("app/app.js", 5_000, 4),
			synth.File("var/lib/rpm/rpmdb.sqlite", "not a database"),
		}},
		{CreatedBy: "RUN patch /usr/lib/one.so", Layer: synth.Layer{synth.Body("usr/lib/one.so", 9_000, 5)}},
	},
}

func dpkgRecord(name, version string) string {
	return fmt.Sprintf("Package: %s\nStatus: install ok installed\nArchitecture: amd64\nVersion: %s\n\n", name, version)
}

// hostilePackages is an image of packages whose every text is evil.
func hostilePackages() synth.Image {
	img := synth.Image{Tags: []string{"hostile:1"}}
	for i, e := range evil {
		line := strings.Map(func(r rune) rune {
			if r == '\n' {
				return -1
			}
			return r
		}, e)
		j, _ := json.Marshal(map[string]string{"name": e, "version": e})
		img.Steps = append(img.Steps, synth.Step{CreatedBy: "RUN " + e, Layer: synth.Layer{
			synth.File("d"+e+"/node_modules/"+e+"/package.json", string(j)),
			synth.File("d"+e+"/node_modules/bad/package.json", e),
			synth.File(fmt.Sprintf("var/lib/dpkg/status.d/%d", i), fmt.Sprintf("Package: %s\nVersion: %s\nArchitecture: %s\n", line, line, line)),
		}})
	}
	return img
}

// hostileDistribution is an image whose os-release is evil.
func hostileDistribution() synth.Image {
	return synth.Image{Steps: []synth.Step{{CreatedBy: "RUN os-release", Layer: synth.Layer{
		synth.File("etc/os-release", "ID=evil\nPRETTY_NAME='"+strings.ReplaceAll(strings.Join(evil, " "), "'", "")+"'\n"),
	}}}}
}

// manyPackages is an image of more packages than are listed.
var manyPackages = synth.Image{
	Tags: []string{"many:1"},
	Steps: []synth.Step{{CreatedBy: "RUN npm install", Layer: synth.Layer{synth.Many(40, func(i int) synth.Entry {
		return synth.File(fmt.Sprintf("node_modules/p%02d/package.json", i), fmt.Sprintf(`{"name":"p%02d","version":"1","x":"%s"}`, i, strings.Repeat("x", 1000-i)))
	})}}},
}

// release is an image of a first or a second release, which differ in everything
// that can differ.
func release(n int) synth.Image {
	of := func(first, second string) string { return []string{first, second}[n-1] }
	img := synth.Image{
		Tags: []string{fmt.Sprintf("app:%d", n)},
		Config: v1.Config{
			Env:          []string{"PATH=/usr/bin", "DB_PASSWORD=" + of("hunter2secret", "hunter3secret"), "MODE=" + of("slow", "fast")},
			Cmd:          []string{"app", of("--one", "--two")},
			Labels:       map[string]string{"version": strconv.Itoa(n)},
			ExposedPorts: map[string]struct{}{"80/tcp": {}, of("8080/tcp", "8443/tcp"): {}},
		},
		Steps: []synth.Step{
			{CreatedBy: "# debian.sh --arch 'amd64' out/ '" + of("bullseye", "bookworm") + "' '@1702857600'", Comment: "debuerreotype 0.15", Created: baseTime, Layer: synth.Layer{
				synth.File("etc/os-release", fmt.Sprintf("ID=debian\nVERSION_ID=%d\nPRETTY_NAME=\"Debian %[1]d\"\n", 10+n)),
				synth.Body("usr/bin/sh", int64(100_000*n), uint64(n), synth.Mode(0o755)),
			}},
			{CreatedBy: `CMD ["bash"]`, Comment: "debuerreotype 0.15", Created: baseTime},
			{CreatedBy: "ENV PATH=/usr/bin", Comment: buildkit},
			{CreatedBy: "COPY shared /srv/shared # buildkit", Comment: buildkit, Layer: synth.Layer{
				synth.Body("srv/shared", 40_000, 3), synth.Body("srv/private", 7_000, 4), synth.Symlink("srv/link", "shared"),
				synth.Body("srv/media/a/b/one", 20_000, 5), synth.Body("srv/media/a/b/two", 10_000, 6),
			}},
			{CreatedBy: "WORKDIR /srv", Comment: buildkit, Layer: synth.Layer{synth.Dir("srv")}},
		},
	}
	install := synth.Step{CreatedBy: "RUN /bin/sh -c apt-get install " + of("one two", "one three") + " # buildkit", Comment: buildkit, Layer: synth.Layer{
		synth.Body("usr/lib/one.so", int64(20_000*n), uint64(10+n)),
		synth.File("var/lib/dpkg/info/one.list", "/usr/lib/one.so\n"),
		synth.Body("usr/lib/"+of("two", "three")+".so", 50_000, uint64(12+n)),
		synth.File("var/lib/dpkg/info/"+of("two", "three")+".list", "/usr/lib/"+of("two", "three")+".so\n"),
		synth.File("var/lib/dpkg/status", dpkgRecord("one", of("1.0-1", "1.1-1"))+dpkgRecord(of("two", "three"), "3.0")),
	}}
	img.Steps = append(img.Steps, install)
	if n == 1 {
		build := synth.Layer{synth.Body("src/main.c", 3_000, 20), synth.Body("src/app.o", 90_000, 21), synth.Body("usr/bin/app", 60_000, 22)}
		img.Steps = append(img.Steps,
			synth.Step{CreatedBy: "RUN /bin/sh -c make # buildkit", Comment: buildkit, Layer: build},
			synth.Step{CreatedBy: "RUN /bin/sh -c rm src/app.o # buildkit", Comment: buildkit, Layer: synth.Layer{synth.Whiteout("src/app.o")}})
		return img
	}
	img.Steps = append(img.Steps,
		synth.Step{CreatedBy: "COPY /out/app /usr/bin/app # buildkit", Comment: buildkit, Layer: synth.Layer{synth.Body("usr/bin/app", 60_000, 23)}},
		synth.Step{CreatedBy: "RUN /bin/sh -c mv media assets # buildkit", Comment: buildkit, Layer: synth.Layer{
			synth.Body("srv/assets/a/b/one", 20_000, 5), synth.Body("srv/assets/a/b/two", 10_000, 6), synth.Whiteout("srv/media"),
			synth.Body("srv/private", 7_000, 4, synth.Mode(0o600)), synth.Symlink("srv/link", "private"),
			synth.Symlink("src", "srv"),
		}})
	return img
}

// retouched is an image of the same content made a day later.
func retouched(img synth.Image) synth.Image {
	for i, s := range img.Steps {
		img.Steps[i].Layer = nil
		for _, e := range s.Layer {
			h := e.Header()
			h.ModTime = baseTime.Add(24 * time.Hour)
			body, err := io.ReadAll(e.Open())
			if err != nil {
				panic(err) // it is read from memory
			}
			img.Steps[i].Layer = append(img.Steps[i].Layer, synth.Header(h, string(body)))
		}
	}
	return img
}

// recompressed is an image whose layers are compressed otherwise.
func recompressed(img synth.Image) synth.Image {
	img.Compression = synth.Zstd
	return img
}

// long is an image with a path that is too long to be any file's.
var long = synth.Image{
	Tags: []string{"long:1"},
	Steps: []synth.Step{{CreatedBy: "COPY . / # buildkit", Layer: synth.Layer{
		synth.File(strings.Repeat("x/", 30_000)+"x", "1"),
	}}},
}

// many is an image of a hundred files that are deleted, f1 the largest, of 100
// bytes, and one of 100 that stays.
var many = synth.Image{
	Tags: []string{"many:1"},
	Steps: []synth.Step{
		{CreatedBy: "COPY . / # buildkit", Layer: synth.Layer{
			synth.Many(100, func(i int) synth.Entry { return synth.Body(fmt.Sprintf("d/f%d", i+1), int64(100-i), uint64(i)) }),
			synth.Body("keep", 100, 1000),
		}},
		{CreatedBy: "RUN rm -rf /d # buildkit", Layer: synth.Layer{synth.Whiteout("d")}},
	},
}

// whiteouts is an image that deletes what isn't there, and what it adds.
var whiteouts = synth.Image{
	Tags: []string{"whiteouts:1"},
	Steps: []synth.Step{
		{CreatedBy: "COPY . / # buildkit", Layer: synth.Layer{synth.Body("a", 100, 1), synth.Body("c", 100, 2)}},
		{CreatedBy: "RUN odd # buildkit", Layer: synth.Layer{
			synth.Whiteout("a"), synth.Body("a", 100, 3), synth.Whiteout("b"), synth.Whiteout("no/such"),
		}},
	},
}

// leaky is an image that gives a token and a key away.
var leaky = synth.Image{
	Tags:   []string{"leaky:1"},
	Config: v1.Config{Env: []string{"NPM_TOKEN=hunter2secret"}, Cmd: []string{"app", "--token", "hunter2secret"}},
	Steps: []synth.Step{
		{CreatedBy: "ARG NPM_TOKEN=hunter2secret", Comment: buildkit},
		{CreatedBy: "RUN |1 NPM_TOKEN=hunter2secret /bin/sh -c npm ci # buildkit", Comment: buildkit, Layer: synth.Layer{
			synth.File("root/.ssh/id_rsa", "a key\n"),
			synth.File("app", "app\n"),
		}},
		{CreatedBy: "RUN |1 NPM_TOKEN=hunter2secret /bin/sh -c rm -r /root/.ssh # buildkit", Comment: buildkit, Layer: synth.Layer{
			synth.Whiteout("root/.ssh"),
		}},
		{CreatedBy: `CMD ["app" "--token" "hunter2secret"]`, Comment: buildkit},
	},
}

// bomb is 64 MB of zeros in a few kB.
var bomb = synth.Image{
	Tags: []string{"bomb:1"},
	Steps: []synth.Step{{CreatedBy: "COPY bomb / # buildkit", Layer: synth.Layer{
		synth.Stream("bomb", 64e6, func() io.Reader { return io.LimitReader(zeros{}, 64e6) }),
	}}},
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// base is what example was built on: its first steps, the last of which only
// its own history tells.
var base = synth.Image{Tags: []string{"base:1"}, Steps: example.Steps[:3]}

// attested is example with a provenance.
func attested(p synth.Provenance) synth.Index {
	return synth.Index{Tags: example.Tags, Images: []synth.Image{example}, Attest: true, Provenance: p}
}

// hostileBase is an image whose base has an evil name.
func hostileBase() synth.Image {
	return synth.Image{
		Steps: []synth.Step{{Layer: synth.Layer{synth.File("a", "a")}}},
		EditManifest: func(m *v1.Manifest) {
			m.Annotations = map[string]string{"org.opencontainers.image.base.name": strings.Join(evil, " ")}
		},
	}
}

func forPlatform(arch, variant string) synth.Image { return onPlatform(example, arch, variant) }

func onPlatform(img synth.Image, arch, variant string) synth.Image {
	img.Platform = v1.Platform{OS: "linux", Architecture: arch, Variant: variant}
	return img
}

func withHistory(edit func([]v1.History) []v1.History) synth.Image {
	img := example
	img.EditConfig = func(c *v1.ConfigFile) { c.History = edit(c.History) }
	return img
}

func unknownType() synth.Image {
	img := example
	img.EditManifest = func(m *v1.Manifest) { m.Layers[1].MediaType = "application/x-unheard-of" }
	return img
}

// archive makes a file of what write writes.
func archive(write func(io.Writer) error) func(path string) error {
	return func(path string) error {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			return err
		}
		return os.WriteFile(path, b.Bytes(), 0o666)
	}
}

func dockerArchive(img synth.Image) func(io.Writer) error {
	return func(w io.Writer) error { return synth.DockerArchive(w, img) }
}

func ociArchive(ref synth.Ref) func(io.Writer) error {
	return func(w io.Writer) error { return synth.OCIArchive(w, ref) }
}

// files writes a tar of files, each a name and a content.
func files(namesAndContents ...string) func(io.Writer) error {
	return func(w io.Writer) error {
		tw := tar.NewWriter(w)
		for i := 0; i < len(namesAndContents); i += 2 {
			name, content := namesAndContents[i], namesAndContents[i+1]
			if err := tw.WriteHeader(&tar.Header{Name: name, Size: int64(len(content)), Mode: 0o644}); err != nil {
				return err
			}
			if _, err := io.WriteString(tw, content); err != nil {
				return err
			}
		}
		return tw.Close()
	}
}

// cut makes an archive that ends in its middle.
func cut(path string) error {
	if err := archive(dockerArchive(example))(path); err != nil {
		return err
	}
	return os.Truncate(path, 9000)
}

// mangle makes a layout whose largest blob, a layer, is not as it should be;
// nil for not there.
func mangle(edit func([]byte) []byte) func(path string) error {
	return func(path string) error { return mangleLayout(path, example, edit) }
}

func mangleZstd(path string) error {
	img := example
	img.Compression = synth.Zstd
	return mangleLayout(path, img, func(b []byte) []byte { return b[:len(b)/2] })
}

func mangleLayout(path string, img synth.Image, edit func([]byte) []byte) error {
	if err := synth.OCILayout(path, img); err != nil {
		return err
	}
	blobs, err := filepath.Glob(filepath.Join(path, "blobs", "sha256", "*"))
	if err != nil || len(blobs) == 0 {
		return errors.Join(err, fmt.Errorf("no blobs in %s", path))
	}
	var largest []byte
	name := ""
	for _, b := range blobs {
		raw, err := os.ReadFile(b)
		if err != nil {
			return err
		}
		if len(raw) > len(largest) {
			largest, name = raw, b
		}
	}
	if largest = edit(largest); largest == nil {
		return os.Remove(name)
	}
	return os.WriteFile(name, largest, 0o666)
}
