package packages

import (
	"cmp"
	"iter"
	"slices"
	"strings"

	"github.com/layerscope/layerscope/analyze/tree"
)

// This file finds the packages of languages, which keep what they say of
// themselves in files of their own.

// addOwn adds the package that a file of its own speaks of.
func (f *finder) addOwn(eco Ecosystem, m metadata) int32 {
	return f.add(Package{Ecosystem: eco, Name: m.name, Version: m.version, Metadata: m.node, Layer: f.t.Since(m.node)})
}

func (f *finder) python() {
	ms := slices.Collect(f.all(pythonMetadata))
	// What a package brings along of others belongs to it, and it stands
	// less deep.
	slices.SortStableFunc(ms, func(a, b metadata) int {
		return cmp.Compare(strings.Count(a.path, "/"), strings.Count(b.path, "/"))
	})
	for _, m := range ms {
		pkg := f.addOwn(Python, m)
		dir, base := cutBase(m.path)
		if base != "METADATA" && base != "PKG-INFO" { // a file NAME.egg-info
			f.claim(pkg, slices.Values([]string{m.path}))
			continue
		}
		site, _ := cutBase(dir)
		if strings.HasSuffix(dir, ".egg/EGG-INFO") {
			f.claimRoot(pkg, f.t.Parent(f.t.Parent(m.node)))
			continue
		}
		f.claimRoot(pkg, f.t.Parent(m.node))
		if r, ok := f.one(dir + "/RECORD"); ok {
			f.claim(pkg, below(site, recordPaths(r.list)))
		}
		if r, ok := f.one(dir + "/installed-files.txt"); ok {
			f.claim(pkg, below(dir, lines(r.list)))
		}
	}
}

// below yields paths that are relative to a folder from the image's root.
func below(dir string, paths iter.Seq[string]) iter.Seq[string] {
	return func(yield func(string) bool) {
		for p := range paths {
			if !strings.HasPrefix(p, "/") {
				p = dir + "/" + p
			}
			if !yield(p) {
				return
			}
		}
	}
}

func (f *finder) npm() {
	for m := range f.all(npmPackage) {
		if m.name != "" {
			f.claimRoot(f.addOwn(Npm, m), f.t.Parent(m.node))
		}
	}
}

// gems adds the gems. What RubyGems installs of one stands in folders beside
// that of the specifications, under the name of the specification's file.
func (f *finder) gems() {
	homes := map[string]map[string][]tree.Node{}
	for m := range f.all(gemSpec) {
		pkg := f.addOwn(Gem, m)
		f.claimRoot(pkg, m.node)
		dir, base := cutBase(m.path)
		full := strings.TrimSuffix(base, ".gemspec")
		home, _ := cutBase(strings.TrimSuffix(dir, "/default"))
		for _, p := range []string{"/gems/" + full, "/doc/" + full, "/cache/" + full + ".gem", "/build_info/" + full + ".info"} {
			if n, ok := f.resolve(home + p); ok {
				f.claimRoot(pkg, n)
			}
		}
		if _, ok := homes[home]; !ok {
			homes[home] = f.extensions(home)
		}
		for _, n := range homes[home][full] {
			f.claimRoot(pkg, n)
		}
	}
}

// extensions returns by name what was compiled of gems: it stands in
// extensions/PLATFORM/ABI/NAME.
func (f *finder) extensions(home string) map[string][]tree.Node {
	found := map[string][]tree.Node{}
	top, ok := f.resolve(home + "/extensions")
	if !ok {
		return found
	}
	for platform := range f.children(top) {
		for abi := range f.children(platform) {
			for n := range f.children(abi) {
				found[f.t.Name(n)] = append(found[f.t.Name(n)], n)
			}
		}
	}
	return found
}

// children yields what was ever in a directory.
func (f *finder) children(dir tree.Node) iter.Seq[tree.Node] {
	return func(yield func(tree.Node) bool) {
		for n := dir + 1; n < f.t.End(dir); n = f.t.End(n) {
			if !yield(n) {
				return
			}
		}
	}
}
