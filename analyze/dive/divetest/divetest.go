// Package divetest makes the random images that the numbers of package dive are
// tested with, there against a second implementation and end to end against
// dive itself. Equal seeds give equal images.
package divetest

import (
	"archive/tar"
	"fmt"
	"math/rand/v2"
	"path"
	"strings"

	"github.com/layerscope/layerscope/analyze/synth"
)

// Image returns the image of a seed, of one to seven layers. A third of them is
// as builders write them; the others hold what tars can: names that are not
// clean or lead above the root, whiteouts of all kinds in odd places, headers
// with sizes that nothing has. No two layers are equal: docker's archives before
// version 25 say that in a way that dive takes for an empty layer.
func Image(seed uint64) synth.Image {
	g := &generator{r: rand.New(rand.NewPCG(seed, 3)), hostile: seed%3 != 0}
	img := synth.Image{Tags: []string{fmt.Sprintf("random:%d", seed)}}
	for k := range 1 + g.r.IntN(7) {
		l := g.layer()
		// What makes layers different.
		l = append(l, synth.File(fmt.Sprintf("var/log/layer%d", k), strings.Repeat("l", g.r.IntN(9))))
		if !g.hostile || g.r.IntN(4) == 0 {
			l = l.WithParents()
		}
		img.Steps = append(img.Steps, synth.Step{CreatedBy: fmt.Sprintf("RUN step %d", k), Layer: l})
	}
	return img
}

type generator struct {
	r       *rand.Rand
	hostile bool
	paths   []string // of the image so far, as the tars name them
}

// The names are few, so that layers often mean the same path.
var (
	usual = []string{
		"bin/sh", "etc/passwd", "etc/apt/sources.list", "etc/ssl/certs/ca-certificates.crt",
		"var/lib/dpkg/status", "var/lib/dpkg/info/libc6:amd64.list", "var/lib/apt/lists/lock", "var/cache/apt/pkgcache.bin",
		"usr/bin/perl5.36.0", "usr/lib/x86_64-linux-gnu/libc.so.6", "usr/share/doc/libc6/copyright", "usr/lib/g++/c++",
		"root/.cache/pip/http/0/1/2", "root/.npmrc", "app/node_modules/.bin/tsc", "app/node_modules/@types/node/index.d.ts",
		"app/main.py", "app/__pycache__/main.cpython-312.pyc", "opt/größe/ä b", "tmp/x",
	}
	components = []string{"a", "b", "c", "+q", ".wh", "e f", "[x]", "\xff", "z", "..."}
	// odd are names that dive or layerscope treats apart, whole or below
	// another.
	odd = []string{
		".wh.", ".wh..", ".wh...", ".wh.a", ".wh.+q", ".wh..wh.plnk", ".wh..wh.a", ".wh..wh..opq", ".wh..wh..a", ".wh.wh.a",
		".wh.a/b", ".wh.a/.wh.b", ".wh.b/.wh..wh..opq", ".wh..wh..opq/a", ".wh..wh.a/b", "a/.wh.", "a/b/.wh.", "a/.wh..wh.plnk",
	}
	whole = []string{".", "/", "./", "..", "../", "../..", "../../a", "/..", "a/..", "a/../..", "../.wh.a", "../.wh...", "../.wh.", "../a/.wh.b", "../.wh..wh..opq"}
)

func (g *generator) pick(names []string) string { return names[g.r.IntN(len(names))] }

// path returns a name for an entry: one that was there before as often as not.
func (g *generator) path() string {
	var p string
	switch {
	case len(g.paths) > 0 && g.r.IntN(2) == 0:
		p = g.pick(g.paths)
		if g.r.IntN(4) == 0 {
			p = path.Dir(p)
		}
	case !g.hostile || g.r.IntN(3) == 0:
		p = g.pick(usual)
	default:
		parts := make([]string, 1+g.r.IntN(4))
		for i := range parts {
			parts[i] = g.pick(components)
		}
		p = strings.Join(parts, "/")
	}
	if p == "." || p == "/" {
		p = "a"
	}
	g.paths = append(g.paths, p)
	return p
}

// unclean returns another name of a path, or of one above the root.
func (g *generator) unclean(p string) string {
	return g.pick([]string{"./", "/", "../", "../../", "a/../", "a/../../", ".//", "/../", "b/.//../"}) + p
}

func (g *generator) layer() synth.Layer {
	l := synth.Layer{}
	for range g.r.IntN(30) {
		p := g.path()
		if g.hostile {
			switch g.r.IntN(12) {
			case 0:
				p = path.Join(p, g.pick(odd))
			case 1:
				p = g.pick(odd)
			case 2:
				p = g.unclean(p)
			case 3:
				p = g.pick(whole)
			}
		}
		l = append(l, g.entry(p))
	}
	return l
}

func (g *generator) entry(p string) synth.Entry {
	if strings.HasSuffix(p, "/") { // archive/tar writes nothing else of such a name
		return synth.Dir(p, g.header())
	}
	switch g.r.IntN(20) {
	case 0, 1, 2, 3:
		return synth.Whiteout(g.removable(p))
	case 4, 5, 6:
		return synth.Dir(p, g.header())
	case 7:
		return synth.Symlink(p, "a", g.header())
	case 8, 9:
		return synth.Hardlink(p, g.path(), g.header())
	case 10:
		return synth.Opaque(p)
	case 11:
		return synth.Fifo(p, g.header())
	}
	return g.file(p)
}

// removable returns a path or a directory above it.
func (g *generator) removable(p string) string {
	for g.r.IntN(3) == 0 && strings.Contains(strings.Trim(p, "/"), "/") {
		p = path.Dir(p)
	}
	if path.Base(p) == "." { // a whiteout of nothing, which odd has
		return "a"
	}
	return p
}

func (g *generator) file(p string) synth.Entry {
	sizes := []int64{0, 1, 10, 100, int64(g.r.IntN(1000)), int64(g.r.IntN(5000))}
	mode := synth.Mode(0o644)
	if g.hostile && g.r.IntN(10) == 0 {
		mode = synth.Mode(0o040755) // S_IFDIR: a file, and dive takes it for a directory
	}
	return synth.Body(p, sizes[g.r.IntN(len(sizes))], g.r.Uint64N(3), mode)
}

// header claims a size for what has none, in some hostile images.
func (g *generator) header() synth.Option {
	size := int64(0)
	if g.hostile && g.r.IntN(6) == 0 {
		size = int64(g.r.IntN(4000))
	}
	return func(h *tar.Header) { h.Size = size }
}

// ManyWhiteouts is an image of 20,000 files in 30 layers. Each layer but the
// lowest removes files of the one below it, 1,000 in all: dive takes half a minute
// for it, since for every whiteout it stacks all layers below.
func ManyWhiteouts() synth.Image {
	const files, layers, whiteouts = 20_000, 30, 1_000
	name := func(i int) string { return fmt.Sprintf("usr/share/pkg%04d/file%05d", i/50, i) }
	img := synth.Image{Tags: []string{"many:whiteouts"}}
	for k := range layers {
		var l synth.Layer
		for i := k * files / layers; i < (k+1)*files/layers; i++ {
			l = append(l, synth.Body(name(i), 100, uint64(i)))
		}
		if k > 0 { // of the layer below, every tenth
			for i := range k*whiteouts/(layers-1) - (k-1)*whiteouts/(layers-1) {
				l = append(l, synth.Whiteout(name((k-1)*files/layers+10*i)))
			}
		}
		img.Steps = append(img.Steps, synth.Step{CreatedBy: fmt.Sprintf("RUN step %d", k), Layer: l.WithParents()})
	}
	return img
}
