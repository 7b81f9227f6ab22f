package packages_test

import (
	"fmt"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/layer"
	"github.com/layerscope/layerscope/analyze/packages"
	"github.com/layerscope/layerscope/analyze/synth"
	"github.com/layerscope/layerscope/analyze/tree"
)

// This file holds the owners against a second model, as simple as can be: who
// owns a copy is looked up path by path, link by link, package by package.

// claims are what the packages of a random image claim: dpkg's by lists of
// paths, npm's by folders.
type claims struct {
	lists   map[string][]string // by package
	folders map[string]string   // package by folder
}

// random makes an image of files, links and packages in a few folders, so that
// they meet.
func random(r *rand.Rand) ([]synth.Layer, claims) {
	c := claims{map[string][]string{}, map[string]string{}}
	dirs := []string{"usr/lib", "usr/lib/node_modules/a", "usr/lib/node_modules/a/node_modules/b", "usr/lib/node_modules/c/x", "opt/d", "opt"}
	others := []string{"lib", "usr/../lib", "opt/to", "usr/lib//."} // ways to the same folders
	file := func() string { return fmt.Sprintf("%s/f%d", dirs[r.IntN(len(dirs))], r.IntN(5)) }
	var layers []synth.Layer
	for k := range 1 + r.IntN(3) {
		l := synth.Layer{}
		if k == 0 {
			l = append(l, synth.Symlink("lib", "usr/lib"), synth.Symlink("opt/to", "../usr/lib/node_modules"))
		}
		var stored []string
		for range 20 {
			switch p := file(); r.IntN(8) {
			case 0:
				l = append(l, synth.Whiteout(p))
			case 1:
				l = append(l, synth.Symlink(p, "f1"))
			case 2, 3:
				if len(stored) > 0 {
					l = append(l, synth.Hardlink(p, stored[r.IntN(len(stored))]))
				}
			default:
				l = append(l, synth.Body(p, 1+r.Int64N(1000), r.Uint64()))
				stored = append(stored, p)
			}
		}
		layers = append(layers, l)
	}
	last := &layers[len(layers)-1]
	db := ""
	for i := range 4 {
		name := fmt.Sprintf("p%d", i)
		db += status(name, "1")
		for range 12 {
			p := file()
			if r.IntN(3) == 0 {
				p = path.Join("/", others[r.IntN(len(others))]) + "/" + path.Base(p)
			}
			c.lists[name] = append(c.lists[name], "/"+strings.TrimPrefix(p, "/"))
		}
		*last = append(*last, synth.File("var/lib/dpkg/info/"+name+".list", strings.Join(c.lists[name], "\n")+"\n"))
	}
	*last = append(*last, synth.File("var/lib/dpkg/status", db))
	for folder, name := range map[string]string{"usr/lib/node_modules/a": "a", "usr/lib/node_modules/a/node_modules/b": "b", "usr/lib/node_modules/c": "c"} {
		if r.IntN(4) > 0 {
			c.folders[folder] = name
			*last = append(*last, synth.File(folder+"/package.json", fmt.Sprintf(`{"name":%q,"version":"1"}`, name)))
		}
	}
	return layers, c
}

// naive returns the bytes of each package, and of none by "".
func naive(m *analyze.Image, c claims) map[string]int64 {
	type inode struct {
		paths []string
		size  int64
	}
	inodes := map[tree.Ref]*inode{}
	for n, st := range m.Tree.Standing(m.Tree.Layers() - 1) {
		if e, _ := m.Tree.Entry(st.Inode); e != nil && e.Type == layer.File {
			i := inodes[st.Inode]
			if i == nil {
				i = &inode{size: e.Size}
				inodes[st.Inode] = i
			}
			i.paths = append(i.paths, m.Tree.Path(n))
		}
	}
	owner := func(paths []string) string {
		for _, name := range []string{"p0", "p1", "p2", "p3"} {
			for _, p := range paths {
				if p == "var/lib/dpkg/info/"+name+".list" || slices.ContainsFunc(c.lists[name], func(listed string) bool {
					dir, err := m.Tree.Resolve(path.Dir(listed), m.Tree.Layers()-1)
					return err == nil && path.Join(m.Tree.Path(dir), path.Base(listed)) == p
				}) {
					return name
				}
			}
		}
		for _, name := range []string{"b", "a", "c"} { // in the order of the paths of their package.json
			for _, p := range paths {
				best := ""
				for folder := range c.folders {
					if strings.HasPrefix(p, folder+"/") && len(folder) > len(best) {
						best = folder
					}
				}
				if c.folders[best] == name {
					return name
				}
			}
		}
		return ""
	}
	sums := map[string]int64{}
	for _, i := range inodes {
		sums[owner(i.paths)] += i.size
	}
	return sums
}

func TestAgainstNaiveModel(t *testing.T) {
	shared, owned := 0, 0
	for seed := range uint64(300) {
		layers, c := random(rand.New(rand.NewPCG(seed, 1)))
		m := read(t, layers...)
		got := map[string]int64{}
		for _, p := range m.Packages.Packages {
			if p.Bytes > 0 {
				got[p.Name] = p.Bytes
				owned++
			}
			if p.Ecosystem == packages.Npm && p.Copies > 1 {
				shared++
			}
		}
		got[""] = m.Packages.Unowned.Bytes
		if diff := gocmp.Diff(naive(m, c), got); diff != "" {
			t.Fatalf("seed %d: -naive +got\n%s", seed, diff)
		}
	}
	if shared < 100 || owned < 1000 {
		t.Errorf("%d packages own something, %d folders: the images are too poor", owned, shared)
	}
}
