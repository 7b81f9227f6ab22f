package packages

import (
	"errors"
	"slices"
	"strings"

	"github.com/layerscope/layerscope/analyze/layer"
	"github.com/layerscope/layerscope/analyze/tree"
)

// This file finds the packages of operating systems.

// id tells packages of a database apart: several architectures of one package
// may be installed, and several versions of a kernel.
type id struct{ name, version, arch string }

func (r *record) id() id { return id{r.name, r.version, r.arch} }

// database adds the packages of a database that are there, and returns their
// numbers by record. What two databases both have is one package.
func (f *finder) database(eco Ecosystem, m metadata, have map[id]int32) map[*record]int32 {
	installed := f.history(m)
	numbers := map[*record]int32{}
	for _, rec := range m.records {
		if rec.gone {
			continue
		}
		pkg, ok := have[rec.id()]
		if !ok {
			pkg = f.add(Package{
				Ecosystem: eco, Name: rec.name, Version: rec.version, Arch: rec.arch,
				Metadata: m.node, Layer: installed[rec.id()],
			})
			have[rec.id()] = pkg
		}
		numbers[rec] = pkg
	}
	return numbers
}

// history follows a database through the layers and returns the layer that
// installed each package that it has in the end.
func (f *finder) history(m metadata) map[id]int {
	installed := map[id]int{}
	lost := false // the database that was there before can't be read
	before := tree.Implied
	for k := range f.layers {
		st, ok := f.t.StateAt(m.node, k)
		if !ok {
			installed, lost, before = map[id]int{}, false, tree.Implied
			continue
		}
		if st.Inode == before {
			continue
		}
		before = st.Inode
		db := f.databaseAt(st.Inode, m, k)
		if db.err != nil {
			f.unread(m.node, k, db.err)
			lost = true
			continue
		}
		installed, lost = next(installed, db, k, lost), false
	}
	return installed
}

// next returns which layer installed the packages of a database that layer k
// has, given those of the database before.
func next(before map[id]int, db *file, k int, lost bool) map[id]int {
	now := map[id]int{}
	if lost {
		k = UnknownLayer
	}
	for _, rec := range db.records {
		was, ok := before[rec.id()]
		switch {
		case rec.gone:
		case ok:
			now[rec.id()] = was
		default:
			now[rec.id()] = k
		}
	}
	return now
}

// logSuffix is what SQLite adds to a database's name for the log of what isn't in
// it yet (sqlite.org/wal.html). rpm leaves one of no bytes.
const logSuffix = "-wal"

var errLog = errors.New("its write-ahead log (" + logSuffix + ") wasn't merged into it")

// databaseAt returns the database that stood at m's path after layer k.
func (f *finder) databaseAt(inode tree.Ref, m metadata, k int) *file {
	switch db, e := f.at(inode), f.entry(inode); {
	case f.hasLog(m, k):
		return &file{err: errLog}
	case e != nil && e.Type == layer.File && e.Size == 0:
		return new(file)
	case db == nil || db.kind != m.kind:
		return &file{err: errors.New("it wasn't a file, or one of another name")}
	default:
		return db
	}
}

func (f *finder) entry(r tree.Ref) *layer.Entry {
	e, _ := f.t.Entry(r)
	return e
}

// hasLog tells whether an rpm database had, after layer k, a log beside it.
func (f *finder) hasLog(m metadata, k int) bool {
	if m.kind != rpmDatabase {
		return false
	}
	dir, base := cutBase(m.path)
	dirNode, err := f.final.Resolve(dir)
	if err != nil {
		return false
	}
	n, ok := f.final.Child(dirNode, base+logSuffix)
	if !ok {
		return false
	}
	st, ok := f.t.StateAt(n, k)
	return ok && f.entry(st.Inode) != nil && f.entry(st.Inode).Size > 0
}

func (f *finder) apk() {
	have := map[id]int32{}
	for m := range f.all(apkInstalled) {
		f.claimRecords(f.database(Apk, m, have), m)
	}
}

func (f *finder) rpm() {
	have := map[id]int32{}
	last := f.t.Layers() - 1
	for m := range f.all(rpmDatabase) {
		if f.hasLog(m, last) {
			st, _ := f.t.StateAt(m.node, last)
			f.unread(m.node, int(st.Inode.Layer), errLog)
			continue
		}
		f.claimRecords(f.database(Rpm, m, have), m)
	}
}

// claimRecords gives the packages of a database the paths that it lists.
func (f *finder) claimRecords(numbers map[*record]int32, m metadata) {
	for _, rec := range m.records {
		if pkg, ok := numbers[rec]; ok {
			f.claim(pkg, slices.Values(rec.files))
		}
	}
}

func (f *finder) dpkg() {
	d := dpkgFinder{finder: f, lists: map[string]metadata{}, listed: map[string]int32{}}
	for m := range f.all(dpkgList) {
		d.lists[strings.TrimSuffix(m.path[len(dpkgInfo):], listSuffix)] = m
	}
	if m, ok := f.one(dpkgDir + "diversions"); ok {
		var err error
		if d.diversions, err = readDiversions(m.list); err != nil {
			f.unread(m.node, f.t.Since(m.node), err)
		}
	}
	if m, ok := f.one(dpkgDir + "status"); ok {
		d.status(m)
	}
	d.rest()
	d.control()
	d.single()
}

// dpkgFinder finds dpkg's packages.
type dpkgFinder struct {
	*finder
	lists      map[string]metadata // by name in the info folder: PACKAGE or PACKAGE:ARCH
	listed     map[string]int32    // packages by that name
	diversions map[string]diversion
}

// status adds the packages of the status file.
func (d *dpkgFinder) status(m metadata) {
	numbers := d.database(Dpkg, m, map[id]int32{})
	for _, rec := range m.records {
		pkg, ok := numbers[rec]
		if !ok {
			continue
		}
		for _, name := range []string{rec.name + ":" + rec.arch, rec.name} {
			if _, taken := d.listed[name]; taken {
				continue
			}
			if _, ok := d.lists[name]; ok {
				d.list(name, pkg, rec.name)
				break
			}
		}
	}
}

// list gives a package the paths of a list.
func (d *dpkgFinder) list(name string, pkg int32, pkgName string) {
	d.listed[name] = pkg
	d.claim(pkg, func(yield func(string) bool) {
		for p := range lines(d.lists[name].list) {
			if moved, ok := d.diversions[p]; ok && moved.by != pkgName {
				p = moved.to
			}
			if !yield(p) {
				return
			}
		}
	})
}

// rest adds the packages that have a list of paths and stand in no status file:
// one that can't be read, or that was removed to save room. Their versions
// aren't known.
func (d *dpkgFinder) rest() {
	for m := range d.all(dpkgList) {
		name := strings.TrimSuffix(m.path[len(dpkgInfo):], listSuffix)
		if _, ok := d.listed[name]; ok {
			continue
		}
		p := Package{Ecosystem: Dpkg, Metadata: m.node, Layer: d.t.Since(m.node)}
		p.Name, p.Arch, _ = strings.Cut(name, ":")
		d.list(name, d.add(p), p.Name)
	}
}

// control gives packages what dpkg itself keeps of them: info/NAME.postinst and
// the like.
func (d *dpkgFinder) control() {
	dir, err := d.final.Resolve(dpkgInfo)
	if err != nil {
		return
	}
	for n := range d.children(dir) {
		name := d.t.Name(n)
		if pkg, ok := d.listed[name[:max(strings.LastIndexByte(name, '.'), 0)]]; ok && d.owner[n] == noOwner {
			d.owner[n] = pkg
		}
	}
}

// single adds the packages of distroless images, each with a status file of its
// own and a list of sums beside it.
func (d *dpkgFinder) single() {
	for m := range d.all(dpkgStatusD) {
		sums, hasSums := d.one(m.path + sumsSuffix)
		for _, rec := range m.records {
			if rec.gone {
				continue
			}
			pkg := d.add(Package{
				Ecosystem: Dpkg, Name: rec.name, Version: rec.version, Arch: rec.arch,
				Metadata: m.node, Layer: d.t.Since(m.node),
			})
			d.claim(pkg, slices.Values([]string{m.path}))
			if hasSums {
				d.claim(pkg, slices.Values([]string{sums.path}))
				d.claim(pkg, sumPaths(sums.list))
			}
		}
	}
}
