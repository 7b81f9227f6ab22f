package packages

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"path"
	"slices"
	"strings"

	"github.com/layerscope/layerscope/analyze/layer"
	"github.com/layerscope/layerscope/analyze/tree"
)

// Find puts together what was read of the layers of an image, of which each has
// its own or, if it is there twice, shares one. The error is that of ctx.
func Find(ctx context.Context, t *tree.Tree, layers []*Layer) (*Report, error) {
	f := &finder{
		ctx: ctx, t: t, layers: layers, final: t.Finder(t.Layers() - 1),
		owner: slices.Repeat([]int32{noOwner}, t.Len()), report: &Report{owners: t.NewNumbers()},
		programs: map[tree.Ref]bool{},
	}
	f.gather()
	for _, find := range []func(){f.dpkg, f.apk, f.rpm, f.python, f.npm, f.gems, f.distribution} {
		if find(); ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	f.share()
	f.order()
	return f.report, nil
}

// noOwner is the owner of what no package owns.
const noOwner = -1

// finder finds the packages of an image.
type finder struct {
	ctx    context.Context
	t      *tree.Tree
	layers []*Layer
	final  *tree.Finder
	report *Report

	found []metadata // in the order of their paths
	// owner holds, by node, the number in report.Packages of the package
	// whose database lists the path.
	owner []int32
	// roots are the folders, and files, that belong to packages with all
	// below them.
	roots    []root
	programs map[tree.Ref]bool // that are packages already, by another link

	// The directory that was looked up last.
	dir     string
	dirNode tree.Node
	dirOK   bool
}

// metadata is a file of the final image that says something of packages.
type metadata struct {
	*file
	node tree.Node
	path string
}

// root is where a package's own folder begins.
type root struct {
	node tree.Node
	pkg  int32
}

// at returns what is known of an inode; nil if it says nothing.
func (f *finder) at(r tree.Ref) *file {
	if r == tree.Implied {
		return nil
	}
	return f.layers[r.Layer].files[int(r.Row)]
}

// gather collects the files of the final image that say something, and reports
// those that can't be read.
func (f *finder) gather() {
	for n, st := range f.t.Standing(f.t.Layers() - 1) {
		m := f.at(st.Inode)
		if m == nil && st.Entry == st.Inode {
			continue // most files
		}
		p := f.t.Path(n)
		k := kindOf(p)
		if k == osRelease || k == debianVersion {
			continue // what their names lead to counts: see distribution
		}
		switch {
		case m != nil && m.kind == goProgram && k == nothing:
			if f.programs[st.Inode] {
				continue
			}
			f.programs[st.Inode] = true
		case m != nil && m.kind == k:
		default:
			// One body has one kind: that of the path it was stored at.
			if e, _ := f.t.Entry(st.Inode); k != nothing && e != nil && e.Type == layer.File && e.Size > 0 {
				f.unread(n, int(st.Entry.Layer), errors.New("it is a hard link to a file of another name"))
			}
			continue
		}
		if m.err != nil {
			f.unread(n, int(st.Inode.Layer), m.err)
		}
		f.found = append(f.found, metadata{m, n, p})
	}
}

func (f *finder) unread(n tree.Node, k int, why error) {
	f.report.Unread = append(f.report.Unread, Unread{n, k, why})
}

// all yields the metadata of a kind that could be read.
func (f *finder) all(k kind) iter.Seq[metadata] {
	return func(yield func(metadata) bool) {
		for _, m := range f.found {
			if m.kind == k && m.err == nil && !yield(m) {
				return
			}
		}
	}
}

// one returns the metadata at a path, if it could be read.
func (f *finder) one(p string) (metadata, bool) {
	i, ok := slices.BinarySearchFunc(f.found, p, func(m metadata, p string) int { return comparePaths(m.path, p) })
	if !ok || f.found[i].err != nil {
		return metadata{}, false
	}
	return f.found[i], true
}

// comparePaths compares paths as the tree orders them, component by component.
func comparePaths(a, b string) int {
	return slices.Compare(strings.Split(a, "/"), strings.Split(b, "/"))
}

// add adds a package and returns its number.
func (f *finder) add(p Package) int32 {
	f.report.Packages = append(f.report.Packages, &p)
	return int32(len(f.report.Packages) - 1)
}

// resolve returns the node of a path; a link in the last place isn't followed.
func (f *finder) resolve(p string) (tree.Node, bool) {
	dir, base := path.Split(strings.TrimSuffix(p, "/"))
	if dir != f.dir || f.dir == "" {
		n, err := f.final.Resolve(dir)
		f.dir, f.dirNode, f.dirOK = dir, n, err == nil
	}
	if !f.dirOK || base == "" || base == "." || base == ".." {
		return 0, false
	}
	return f.final.Child(f.dirNode, base)
}

// claim gives a package the paths that its database lists. What an earlier
// package listed stays with that.
func (f *finder) claim(pkg int32, paths iter.Seq[string]) {
	for p := range paths {
		if f.ctx.Err() != nil {
			return
		}
		if n, ok := f.resolve(p); ok && f.owner[n] == noOwner {
			f.owner[n] = pkg
		}
	}
}

// claimRoot gives a package all that stands at a path and below it, but what a
// database lists.
func (f *finder) claimRoot(pkg int32, n tree.Node) { f.roots = append(f.roots, root{n, pkg}) }

// share gives each live copy to its owner.
func (f *finder) share() {
	slices.SortStableFunc(f.roots, func(a, b root) int { return cmp.Compare(a.node, b.node) })
	programs := f.addPrograms()
	linked := map[tree.Ref]int32{} // owners of copies with several links
	var open []root
	roots := f.roots
	for n, st := range f.t.Standing(f.t.Layers() - 1) {
		for len(open) > 0 && n >= f.t.End(open[len(open)-1].node) {
			open = open[:len(open)-1]
		}
		for len(roots) > 0 && roots[0].node <= n {
			if roots[0].node == n {
				open = append(open, roots[0])
			}
			roots = roots[1:]
		}
		e, _ := f.t.Entry(st.Inode)
		if e == nil || e.Type != layer.File || e.Size == 0 {
			continue
		}
		pkg := f.ownerOf(n, open)
		if pkg == noOwner {
			pkg = programs.of(st.Inode)
		}
		if f.t.LiveRefs(st.Inode) > 1 {
			if was, ok := linked[st.Inode]; !ok || was == noOwner || pkg != noOwner && pkg < was {
				linked[st.Inode] = pkg
			}
			continue
		}
		f.give(pkg, st.Inode, e.Size)
	}
	for r, pkg := range linked {
		e, _ := f.t.Entry(r)
		f.give(pkg, r, e.Size)
	}
}

// ownerOf returns the owner of a path, of which open are the folders of packages
// that it stands in. Of several that begin at the same folder the first has it.
func (f *finder) ownerOf(n tree.Node, open []root) int32 {
	if pkg := f.owner[n]; pkg != noOwner || len(open) == 0 {
		return pkg
	}
	i := len(open) - 1
	for i > 0 && open[i-1].node == open[i].node {
		i--
	}
	return open[i].pkg
}

func (f *finder) give(pkg int32, r tree.Ref, size int64) {
	sum := &f.report.Unowned
	if pkg != noOwner {
		sum = &f.report.Packages[pkg].Sum
		f.report.owners.Set(r, pkg+1)
	}
	sum.add(int(r.Layer), size)
}

// programs are the packages that programs are, by inode.
type programs map[tree.Ref]int32

func (p programs) of(r tree.Ref) int32 {
	if pkg, ok := p[r]; ok {
		return pkg
	}
	return noOwner
}

// addPrograms adds the Go programs, after all others.
func (f *finder) addPrograms() programs {
	ps := programs{}
	for m := range f.all(goProgram) {
		st, _ := f.t.StateAt(m.node, f.t.Layers()-1)
		ps[st.Inode] = f.add(Package{
			Ecosystem: Go, Name: m.name, Version: m.version,
			Metadata: m.node, Layer: f.t.Since(m.node), Modules: m.modules,
		})
	}
	return ps
}

// order puts the report into its order.
func (f *finder) order() {
	r := f.report
	r.numbered = slices.Clone(r.Packages)
	slices.SortFunc(r.Packages, func(a, b *Package) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(a.Ecosystem, b.Ecosystem), cmp.Compare(a.Name, b.Name),
			cmp.Compare(a.Version, b.Version), cmp.Compare(a.Arch, b.Arch), cmp.Compare(a.Metadata, b.Metadata))
	})
	slices.SortFunc(r.Unread, func(a, b Unread) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Layer, b.Layer))
	})
	for _, p := range r.Packages {
		p.Sum.sort()
	}
	r.Unowned.sort()
}

func (s *Sum) sort() {
	slices.SortFunc(s.Layers, func(a, b LayerBytes) int { return cmp.Compare(a.Layer, b.Layer) })
}
