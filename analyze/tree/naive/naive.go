// Package naive is a second model of stacked layers for tests to hold the first
// against. It is as simple as can be: a filesystem is a map from path to object,
// a layer is applied by the rules of design §5 with string prefixes, and nothing
// is shared between layers. It costs the square of everything.
package naive

import (
	"archive/tar"
	"fmt"
	"maps"
	"path"
	"strings"
)

// Object is what stands at a path of the naive filesystem.
type Object struct {
	Dir, Reg bool
	ID       string // "layer/row" of the inode, "implied" for an implied directory
	Size     int64
	Mode     int64
	Fill     byte // of which a regular file's body is made; see [Index]
}

// FS is a filesystem by path, the root being "".
type FS map[string]Object

// New returns a filesystem of nothing but the root.
func New() FS { return FS{"": {Dir: true, ID: "implied", Mode: 0o755}} }

// Clone returns a copy.
func (fs FS) Clone() FS { return maps.Clone(fs) }

func (fs FS) removeBelow(dir string) {
	for p := range fs {
		if p != "" && (dir == "" || strings.HasPrefix(p, dir+"/")) {
			delete(fs, p)
		}
	}
}

func (fs FS) makeParents(p string) {
	for i, c := range p {
		if c == '/' && !fs[p[:i]].Dir {
			fs[p[:i]] = Object{Dir: true, ID: "implied", Mode: 0o755}
		}
	}
}

// Clean returns a tar name as a path from the root.
func Clean(name string) string { return strings.TrimPrefix(path.Clean("/"+name), "/") }

// WhiteoutOf returns what a name deletes: a path, or all below a directory.
func WhiteoutOf(name string) (target string, opaque, ok bool) {
	dir, base := path.Split(Clean(name))
	switch {
	case base == ".wh..wh..opq":
		return strings.TrimSuffix(dir, "/"), true, true
	case strings.HasPrefix(base, ".wh..wh.") || base == ".wh." || base == ".wh.." || base == ".wh...":
		return "", false, false
	case strings.HasPrefix(base, ".wh."):
		return dir + strings.TrimPrefix(base, ".wh."), false, true
	}
	return "", false, false
}

// IsCopy tells whether a member is a regular file that is stored: reserved names
// aren't.
func IsCopy(m tar.Header) bool {
	return m.Typeflag == tar.TypeReg && !strings.HasPrefix(path.Base("/"+Clean(m.Name)), ".wh.")
}

// ID returns the ID of the object that entry row of layer k makes.
func ID(k, row int) string { return fmt.Sprintf("%d/%d", k, row) }

// Apply stacks layer k.
func (fs FS) Apply(k int, members []tar.Header) {
	fs.Delete(members)
	for row, m := range members {
		fs.Put(k, row, m)
	}
}

// Delete does what the whiteouts of a layer do, which comes first.
func (fs FS) Delete(members []tar.Header) {
	for _, m := range members {
		if target, opaque, ok := WhiteoutOf(m.Name); ok {
			fs.removeBelow(target)
			if !opaque {
				delete(fs, target)
			}
		}
	}
}

// Put does what a member of layer k does that isn't a whiteout.
func (fs FS) Put(k, row int, m tar.Header) {
	p := Clean(m.Name)
	if strings.HasPrefix(path.Base("/"+p), ".wh.") {
		if _, _, ok := WhiteoutOf(m.Name); ok {
			fs.makeParents(p)
		}
		return
	}
	o := Object{ID: ID(k, row), Mode: m.Mode}
	switch m.Typeflag {
	case tar.TypeDir:
		o.Dir = true
	case tar.TypeReg:
		o.Reg, o.Size, o.Fill = true, m.Size, fill(m)
	case tar.TypeLink:
		if target, ok := fs[Clean(m.Linkname)]; ok && !target.Dir {
			o = target
		}
	}
	if p == "" {
		if o.Dir {
			fs[""] = o
		}
		return
	}
	fs.makeParents(p)
	if fs[p].Dir && !o.Dir {
		fs.removeBelow(p)
	}
	fs[p] = o
}
