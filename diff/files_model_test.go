package diff

import (
	"archive/tar"
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/synth"
	"github.com/layerscope/layerscope/analyze/synth/fixture"
	"github.com/layerscope/layerscope/analyze/tree"
	"github.com/layerscope/layerscope/analyze/tree/naive"
)

// This file holds the comparison of files against a second one, which is as simple
// as can be and costs the square of everything: filesystems are maps by path, made
// by package naive, and all is looked for by going through all.

// object is what stands at a path of the naive filesystem.
type object struct {
	kind     byte // of tar.Header
	inode    string
	size     int64
	fill     int // what a file's body is made of
	target   string
	device   [2]int64
	mode     int64
	owner    [2]int
	xattrs   string
	mtime    time.Time // zero if it isn't known
	bytes    int64     // of the copy that counts here
	linkedTo string    // the paths of the same inode, of those that have one type in both images
}

type objects map[string]object

func isDir(o object) bool { return o.kind == tar.TypeDir }

// applied returns the final filesystem of an image as package naive has it, and
// the headers by the objects' IDs.
func applied(layers [][]tar.Header) (naive.FS, map[string]tar.Header) {
	fs := naive.New()
	for k, l := range layers {
		fs.Apply(k, l)
	}
	headers := map[string]tar.Header{}
	for k, l := range layers {
		for row, m := range l {
			headers[naive.ID(k, row)] = m
		}
	}
	return fs, headers
}

// flatten returns the final filesystem of an image.
func flatten(layers [][]tar.Header) objects {
	fs, headers := applied(layers)
	all := objects{}
	for p, o := range fs {
		m, ok := headers[o.ID]
		if !ok {
			all[p] = object{kind: tar.TypeDir, mode: 0o755, inode: p}
			continue
		}
		n := object{
			kind: m.Typeflag, inode: o.ID, size: o.Size, mode: m.Mode, owner: [2]int{m.Uid, m.Gid},
			xattrs: fmt.Sprintf("%q", m.PAXRecords), mtime: m.ModTime, // in the order of the names
		}
		if len(m.PAXRecords) == 0 {
			n.xattrs = ""
		}
		switch m.Typeflag {
		case tar.TypeReg:
			if o.Size > 0 {
				n.fill = int(o.Fill)
			}
		case tar.TypeSymlink:
			n.target, n.mode = m.Linkname, 0
		case tar.TypeLink:
			n.target = naive.Clean(m.Linkname)
		case tar.TypeChar, tar.TypeBlock:
			n.device = [2]int64{m.Devmajor, m.Devminor}
		}
		all[p] = n
	}
	return all
}

// attribute sets the bytes and links of a filesystem's objects, which is compared
// with another.
func attribute(fs, other objects) {
	inodes := map[string][]string{}
	for _, p := range sortedPaths(fs) {
		inodes[fs[p].inode] = append(inodes[fs[p].inode], p)
	}
	for _, paths := range inodes {
		home := paths[0]
		if i := slices.IndexFunc(paths, func(p string) bool { return fs[p].kind == tar.TypeReg && other[p].kind == tar.TypeReg }); i >= 0 {
			home = paths[i]
		}
		var linked []string
		for _, p := range paths {
			if o, ok := other[p]; ok && o.kind == fs[p].kind {
				linked = append(linked, p)
			}
		}
		for _, p := range paths {
			o := fs[p]
			if p == home {
				o.bytes = o.size
			}
			if slices.Contains(linked, p) {
				o.linkedTo = fmt.Sprintf("%q", linked)
			}
			fs[p] = o
		}
	}
}

func byComponent(a, b string) int {
	return slices.Compare(strings.Split(a, "/"), strings.Split(b, "/"))
}

func sortedPaths(fs objects) []string { return slices.SortedFunc(maps.Keys(fs), byComponent) }

// images is two images as they are and as both models see them.
type images struct {
	oldLayers, newLayers [][]tar.Header
	old, new             objects
	files                *Files
	strict               bool
}

// path returns the paths of a change.
func (m *images) path(c File) (old, new string) {
	if c.Old != NoNode {
		old = m.files.old.Path(c.Old)
	}
	if c.New != NoNode {
		new = m.files.new.Path(c.New)
	}
	return old, new
}

// take sets the fields of o that differ to those of n.
func take(o *object, n object, what What) {
	for _, f := range []struct {
		what What
		take func()
	}{
		{Content, func() { o.size, o.fill = n.size, n.fill }},
		{Target, func() { o.target = n.target }},
		{Device, func() { o.device = n.device }},
		{Mode, func() { o.mode = n.mode }},
		{Owner, func() { o.owner = n.owner }},
		{Xattrs, func() { o.xattrs = n.xattrs }},
		{Links, func() { o.linkedTo = n.linkedTo }},
		{Mtime, func() { o.mtime = n.mtime }},
	} {
		if what&f.what != 0 {
			f.take()
		}
	}
}

// fields returns the bits of the fields in which two objects of a type differ.
func (m *images) fields(o, n object) What {
	what := What(0)
	for bit := Content; bit <= Mtime; bit <<= 1 {
		with := o
		take(&with, n, bit)
		if with == o || bit == Mtime && (!m.strict || o.mtime.IsZero() || n.mtime.IsZero()) {
			continue
		}
		what |= bit
	}
	return what
}

// checkApplied applies the changes to OLD's tree, which must become NEW's: what is
// gone is deleted, and of NEW no more is looked at than what a change says came or
// differs.
func (m *images) checkApplied(t *testing.T) {
	t.Helper()
	fs := maps.Clone(m.old)
	for _, c := range m.files.Changes { // first, as things move to where others were
		if old, new := m.path(c); c.State == FileRemoved || c.State == FileMoved {
			if new == old {
				t.Errorf("%s moved to itself", old)
			}
			delete(fs, old)
		}
	}
	for _, c := range m.files.Changes {
		old, new := m.path(c)
		switch c.State {
		case FileAdded, FileTypeChanged:
			fs[new] = m.new[new]
		case FileMoved:
			o := m.old[old]
			take(&o, m.new[new], c.What)
			fs[new] = o
		case FileModified, FileMetadata:
			o := fs[new]
			take(&o, m.new[new], c.What)
			fs[new] = o
		}
	}
	// What a change doesn't tell: names of inodes, and where bytes count, which
	// checkChanges sees to; times unless they are compared.
	plain := func(fs objects) objects {
		out := objects{}
		for p, o := range fs {
			o.inode, o.bytes = "", 0
			if !m.strict || m.old[p].mtime.IsZero() && isDir(m.old[p]) || m.new[p].mtime.IsZero() {
				o.mtime = time.Time{}
			}
			if o.kind == tar.TypeReg {
				if _, stood := m.old[p]; !stood {
					o.linkedTo = "" // moved or added: linked as in NEW
				}
			}
			out[p] = o
		}
		return out
	}
	if diff := gocmp.Diff(plain(m.new), plain(fs), gocmp.AllowUnexported(object{})); diff != "" {
		t.Errorf("the changes applied to OLD (-NEW +applied):\n%s", diff)
	}
}

// checkChanges holds each change, and that there is none for all else, against the
// objects; and moves against the contents that are gone and have come.
func (m *images) checkChanges(t *testing.T) {
	t.Helper()
	type told struct {
		State FileState
		What  What
		Bytes Bytes
	}
	want, got := map[string]told{}, map[string]told{}
	unchanged := Sum{}
	all := maps.Clone(m.old)
	maps.Copy(all, m.new)
	for p := range all {
		o, was := m.old[p]
		n, is := m.new[p]
		b := Bytes{o.bytes, n.bytes}
		switch what := m.fields(o, n); {
		case !was:
			want[p] = told{FileAdded, 0, b}
		case !is:
			want[p] = told{FileRemoved, 0, b}
		case o.kind != n.kind:
			want[p] = told{FileTypeChanged, Type, b}
		case what&(Content|Target|Device) != 0:
			want[p] = told{FileModified, what, b}
		case what != 0:
			want[p] = told{FileMetadata, what, b}
		default:
			unchanged.Add(b)
			if b.Old != b.New {
				t.Errorf("%q has %d bytes and then %d, and is unchanged", p, b.Old, b.New)
			}
		}
	}
	type content struct {
		size int64
		fill int
	}
	gone, came, moved := map[content]int{}, map[content]int{}, map[content]int{}
	for p, w := range want {
		if o := m.old[p]; w.State == FileRemoved && o.kind == tar.TypeReg && o.size > 0 {
			gone[content{o.size, o.fill}]++
		}
		if n := m.new[p]; w.State == FileAdded && n.kind == tar.TypeReg && n.size > 0 {
			came[content{n.size, n.fill}]++
		}
	}
	var sums [NumFileStates]Sum
	last := ""
	for i, c := range m.files.Changes {
		old, new := m.path(c)
		at := new
		if c.New == NoNode {
			at = old
		}
		if i > 0 && byComponent(last, at) >= 0 {
			t.Errorf("%q stands after %q", at, last)
		}
		last = at
		sums[c.State].Add(c.Bytes)
		if c.State != FileMoved {
			got[at] = told{c.State, c.What, c.Bytes}
			continue
		}
		o, n := m.old[old], m.new[new]
		moved[content{n.size, n.fill}]++
		if what := m.fields(o, n) &^ Links; what != c.What {
			t.Errorf("%q moved to %q with %q differing, want %q", old, new, c.What.Names(), what.Names())
		}
		got[old] = told{FileRemoved, 0, Bytes{c.Bytes.Old, 0}}
		got[new] = told{FileAdded, 0, Bytes{0, c.Bytes.New}}
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("changes (-naive +got):\n%s", diff)
	}
	for c, n := range gone {
		if n := min(n, came[c]); n > 0 {
			gone[c] = n
		} else {
			delete(gone, c)
		}
	}
	if diff := gocmp.Diff(gone, moved, gocmp.AllowUnexported(content{})); diff != "" {
		t.Errorf("moved files by content (-want +got):\n%s", diff)
	}
	if sums != m.files.Sums || unchanged != m.files.Unchanged {
		t.Errorf("sums are %v and %v unchanged, want %v and %v", m.files.Sums, m.files.Unchanged, sums, unchanged)
	}
}

// stored and live add up an image's bytes.
func stored(layers [][]tar.Header) (n int64) {
	for _, l := range layers {
		for _, m := range l {
			if naive.IsCopy(m) {
				n += m.Size
			}
		}
	}
	return n
}

func live(fs objects) (n int64) {
	inodes := map[string]bool{}
	for _, o := range fs {
		if o.kind == tar.TypeReg && !inodes[o.inode] {
			n += o.size
			inodes[o.inode] = true
		}
	}
	return n
}

// checkSums holds the sums of all states to what the images store and what of it
// is live.
func (m *images) checkSums(t *testing.T) {
	t.Helper()
	sum := m.files.Unchanged.Bytes
	for _, s := range m.files.Sums {
		sum = sum.Plus(s.Bytes)
	}
	if want := (Bytes{live(m.old), live(m.new)}); sum != want || m.files.Dirs[0].Bytes != want {
		t.Errorf("sums are %v, the root's bytes %v; live are %v", sum, m.files.Dirs[0].Bytes, want)
	}
	if sum, want := sum.Plus(m.files.Dead), (Bytes{stored(m.oldLayers), stored(m.newLayers)}); sum != want {
		t.Errorf("with the dead bytes sums are %v, stored are %v", sum, want)
	}
}

// naiveDir is a [Dir] by its path.
type naiveDir struct {
	Path     string
	Old, New bool
	Bytes    Bytes
	Changed  int
	Churn    int64
	Depth    int
	Below    []string // the directories up to its end
}

func (m *images) checkDirs(t *testing.T) {
	t.Helper()
	var want, got []naiveDir
	paths := map[string]bool{}
	for p, o := range m.old {
		paths[p] = paths[p] || isDir(o)
	}
	for p, o := range m.new {
		paths[p] = paths[p] || isDir(o)
	}
	all := slices.SortedFunc(maps.Keys(paths), byComponent)
	for _, dir := range all {
		if d := m.naiveDir(dir); paths[dir] && (d.Changed > 0 || dir == "") {
			want = append(want, d)
		}
	}
	for i := range want {
		for _, d := range want[i+1:] {
			if below(want[i].Path, d.Path) {
				want[i].Below = append(want[i].Below, d.Path)
			}
		}
	}
	for i, d := range m.files.Dirs {
		n := naiveDir{m.files.Path(d.Old, d.New), d.Old != NoNode, d.New != NoNode, d.Bytes, d.Changed, d.Churn, d.Depth, nil}
		for _, b := range m.files.Dirs[i+1 : d.End] {
			n.Below = append(n.Below, m.files.Path(b.Old, b.New))
		}
		got = append(got, n)
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("directories (-naive +got):\n%s", diff)
		return
	}
	var notable []int
	for i := range want {
		if isNotable(want, i) {
			notable = append(notable, i)
		}
	}
	if got := m.files.Notable(1000); !slices.Equal(got, notable) {
		t.Errorf("notable directories are %v of %v, want %v", got, want, notable)
	}
	few := m.files.Notable(3)
	for _, i := range notable {
		if shown := slices.Contains(few, i); len(few) != min(3, len(notable)) || !slices.IsSorted(few) ||
			!shown && slices.ContainsFunc(few, func(f int) bool { return want[f].Churn < want[i].Churn }) {
			t.Errorf("the most notable directories are %v of %v", few, want)
		}
	}
}

// isNotable tells whether [Files.Notable] has directory i, if there is room.
func isNotable(dirs []naiveDir, i int) bool {
	heirOf := func(a, b int) bool { // a is shown in place of b
		return dirs[a].Churn > 0 && dirs[a].Depth == dirs[b].Depth+1 && slices.Contains(dirs[b].Below, dirs[a].Path) &&
			100*dirs[a].Churn >= dirs[0].Churn && 100*dirs[a].Churn >= 95*dirs[b].Churn
	}
	if dirs[i].Churn == 0 || 100*dirs[i].Churn < dirs[0].Churn {
		return false
	}
	for j := range dirs {
		if heirOf(j, i) {
			return false
		}
	}
	byHeirs := true // i is shown in place of what is above it
	for child, j := i, i-1; j >= 0; j-- {
		if !slices.Contains(dirs[j].Below, dirs[i].Path) {
			continue
		}
		byHeirs = byHeirs && heirOf(child, j)
		if !byHeirs && (!dirs[j].Old || !dirs[j].New) {
			return false // inside one that only one image has
		}
		child = j
	}
	return true
}

func below(dir, p string) bool { return p != dir && (dir == "" || strings.HasPrefix(p, dir+"/")) }

// naiveDir adds up what is at and below a path.
func (m *images) naiveDir(dir string) naiveDir {
	o, was := m.old[dir]
	n, is := m.new[dir]
	d := naiveDir{Path: dir, Old: was && isDir(o), New: is && isDir(n)}
	if dir != "" {
		d.Depth = 1 + strings.Count(dir, "/")
	}
	all := maps.Clone(m.old)
	maps.Copy(all, m.new)
	for p := range all {
		if p != dir && !below(dir, p) {
			continue
		}
		o, was := m.old[p]
		n, is := m.new[p]
		d.Bytes = d.Bytes.Plus(Bytes{o.bytes, n.bytes})
		what := m.fields(o, n)
		if was && is && o.kind == n.kind && what == 0 {
			continue
		}
		d.Changed++
		switch {
		case was && is && o.kind == n.kind && what&Content != 0:
			d.Churn += o.bytes + n.bytes
		case o.bytes > n.bytes:
			d.Churn += o.bytes - n.bytes
		default:
			d.Churn += n.bytes - o.bytes
		}
	}
	return d
}

// checkSwapped holds the comparison of NEW with OLD to that of OLD with NEW.
func (m *images) checkSwapped(t *testing.T) {
	t.Helper()
	back := filesOf(t, m.files.new, m.files.old, Options{Strict: m.strict})
	state := func(s FileState) FileState {
		switch s {
		case FileAdded:
			return FileRemoved
		case FileRemoved:
			return FileAdded
		}
		return s
	}
	swap := func(b Bytes) Bytes { return Bytes{b.New, b.Old} }
	byNodes := func(a, b File) int { return cmp.Or(cmp.Compare(a.Old, b.Old), cmp.Compare(a.New, b.New)) }
	want := slices.Clone(m.files.Changes)
	for i, c := range want {
		want[i] = File{state(c.State), c.What, c.New, c.Old, swap(c.Bytes)}
	}
	slices.SortFunc(want, byNodes)
	got := slices.SortedFunc(slices.Values(back.Changes), byNodes)
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("changes from NEW to OLD (-want +got):\n%s", diff)
	}
	dirs := slices.Clone(m.files.Dirs)
	for i, d := range dirs {
		dirs[i].Old, dirs[i].New, dirs[i].Bytes = d.New, d.Old, swap(d.Bytes)
	}
	if diff := gocmp.Diff(dirs, back.Dirs); diff != "" {
		t.Errorf("directories from NEW to OLD (-want +got):\n%s", diff)
	}
	for s, sum := range m.files.Sums {
		if got, want := back.Sums[state(FileState(s))], (Sum{sum.Count, swap(sum.Bytes)}); got != want {
			t.Errorf("%s from NEW to OLD: %v, want %v", state(FileState(s)), got, want)
		}
	}
	if want := swap(m.files.Dead); back.Dead != want || !slices.Equal(m.files.Notable(8), back.Notable(8)) {
		t.Errorf("from NEW to OLD: %v dead, want %v; notable %v, want %v", back.Dead, want, back.Notable(8), m.files.Notable(8))
	}
}

// checkMovedDirs holds the moves put together to the moves.
func (m *images) checkMovedDirs(t *testing.T) {
	t.Helper()
	sum := Sum{}
	for _, d := range m.files.MovedDirs() {
		sum.Count += d.Count
		sum.Bytes = sum.Bytes.Plus(d.Bytes)
		n := 0
		for _, c := range m.files.Changes {
			if c.State != FileMoved {
				continue
			}
			old, new := m.path(c)
			from, to := m.files.old.Path(d.Old), m.files.new.Path(d.New)
			oldRest, okOld := strings.CutPrefix(old+"/", from+"/")
			newRest, okNew := strings.CutPrefix(new+"/", to+"/")
			if okOld && okNew && oldRest == newRest {
				n++
			}
		}
		if n < d.Count {
			t.Errorf("%d files moved from %q to %q, which says %d", n, m.files.old.Path(d.Old), m.files.new.Path(d.New), d.Count)
		}
	}
	if sum != m.files.Sums[FileMoved] {
		t.Errorf("moves put together are %v, all moves %v", sum, m.files.Sums[FileMoved])
	}
}

// checkImages compares two images in all ways and tells whether all is well.
func checkImages(t *testing.T, oldLayers, newLayers [][]tar.Header) bool {
	t.Helper()
	oldTree, newTree := naive.Tree(t, oldLayers), naive.Tree(t, newLayers)
	for _, strict := range []bool{false, true} {
		m := &images{
			oldLayers: oldLayers, newLayers: newLayers, strict: strict,
			old: flatten(oldLayers), new: flatten(newLayers),
			files: filesOf(t, oldTree, newTree, Options{Strict: strict}),
		}
		attribute(m.old, m.new)
		attribute(m.new, m.old)
		for _, check := range []func(*testing.T){
			m.checkApplied, m.checkChanges, m.checkSums, m.checkDirs, m.checkSwapped, m.checkMovedDirs,
		} {
			if check(t); t.Failed() {
				t.Logf("strict: %v\nOLD:\n%sNEW:\n%s", strict, describe(oldLayers), describe(newLayers))
				return false
			}
		}
	}
	return true
}

func describe(layers [][]tar.Header) string {
	var b strings.Builder
	for k, l := range layers {
		for row, m := range l {
			fmt.Fprintf(&b, "%d/%d %c %o %q -> %q %d bytes, owner %d:%d, device %d, %v, %v\n",
				k, row, m.Typeflag, m.Mode, m.Name, m.Linkname, m.Size, m.Uid, m.Gid, m.Devminor, m.PAXRecords, m.ModTime.Unix())
		}
	}
	return b.String()
}

func TestAgainstNaiveFiles(t *testing.T) {
	for seed := range uint64(synth.Rounds(800)) {
		if oldLayers, newLayers := randomPair(rand.New(rand.NewPCG(seed, 5))); !checkImages(t, oldLayers, newLayers) {
			t.Fatalf("seed %d", seed)
		}
	}
}

func FuzzFiles(f *testing.F) {
	f.Add(uint64(0), uint64(0))
	f.Fuzz(func(t *testing.T, a, b uint64) {
		oldLayers, newLayers := randomPair(rand.New(rand.NewPCG(a, b)))
		checkImages(t, oldLayers, newLayers)
	})
}

// randomPair makes two images of which one often comes of the other.
func randomPair(r *rand.Rand) (oldLayers, newLayers [][]tar.Header) {
	g := pairs{r}
	oldLayers = g.image()
	switch r.IntN(7) {
	case 0:
		newLayers = g.image()
	case 6:
		oldLayers, newLayers = g.linked(), g.linked()
	case 1: // on top of it
		newLayers = append(slices.Clone(oldLayers), g.image()...)
	case 2: // the same, but for a few members
		newLayers = g.edit(oldLayers)
	case 3: // squashed, perhaps, and edited
		newLayers = g.edit([][]tar.Header{squash(oldLayers)})
	case 4: // squashed both, and a directory renamed
		oldLayers = [][]tar.Header{squash(oldLayers)}
		newLayers = g.edit(g.rename(oldLayers))
	case 5:
		newLayers = g.rename([][]tar.Header{squash(oldLayers)})
	}
	if r.IntN(2) == 0 {
		oldLayers, newLayers = newLayers, oldLayers
	}
	return oldLayers, newLayers
}

// pairs makes pairs of images.
type pairs struct{ *rand.Rand }

// image makes random layers with more to them than package naive cares for. Of
// files' owners only the group is anybody's: bodies are made of the user.
func (r pairs) image() [][]tar.Header {
	layers := naive.RandomLayers(r.Rand, 4)
	for _, l := range layers {
		for i := range l {
			r.vary(&l[i])
		}
	}
	return layers
}

func (r pairs) vary(m *tar.Header) {
	if strings.Contains(m.Name, ".wh.") {
		return
	}
	m.Gid = max(r.IntN(5)-3, 0)
	m.ModTime = time.Unix(int64(1000+r.IntN(2)), 0)
	if r.IntN(8) == 0 {
		m.PAXRecords = map[string]string{"SCHILY.xattr.user." + []string{"a", "b"}[r.IntN(2)]: strconv.Itoa(r.IntN(2))}
	}
	switch m.Typeflag {
	case tar.TypeSymlink:
		m.Linkname = []string{"anywhere", "elsewhere"}[r.IntN(2)]
	case tar.TypeReg:
		if m.Size == 0 && r.IntN(3) == 0 {
			m.Typeflag = []byte{tar.TypeChar, tar.TypeBlock, tar.TypeFifo}[r.IntN(3)]
			if m.Typeflag != tar.TypeFifo {
				m.Devmajor, m.Devminor = 1, int64(r.IntN(2))
			}
		}
	}
}

// edit changes a few members: their metadata, body, name, type; leaves some out.
func (r pairs) edit(layers [][]tar.Header) [][]tar.Header {
	var out [][]tar.Header
	for _, l := range layers {
		var edited []tar.Header
		for _, m := range l {
			edit := r.IntN(30)
			if strings.HasSuffix(m.Name, "/") && edit > 4 {
				edit = 0 // no name of anything else than a directory
			}
			if m.Devmajor > 0 {
				m.Devminor ^= int64(r.IntN(2))
			}
			switch edit {
			case 0:
				continue
			case 1:
				m.Mode ^= 0o11
			case 2:
				m.Gid ^= 1
			case 3:
				m.ModTime = time.Unix(1005, 0)
			case 4:
				m.PAXRecords = map[string]string{"SCHILY.xattr.user.c": "1"}
			case 5:
				m.Name = path.Join(path.Dir(m.Name), "new")
			case 6:
				m.Name = path.Join("new", m.Name)
			case 7:
				m = tar.Header{Name: m.Name, Typeflag: tar.TypeDir, Mode: 0o755, ModTime: m.ModTime}
			case 8:
				m = tar.Header{Name: m.Name, Typeflag: tar.TypeReg, Mode: 0o644, Size: 100, ModTime: m.ModTime}
			case 9:
				if len(edited) > 0 {
					m = tar.Header{Name: m.Name, Typeflag: tar.TypeLink, Linkname: edited[r.IntN(len(edited))].Name, ModTime: m.ModTime}
				}
			}
			edited = append(edited, m)
		}
		out = append(out, edited)
	}
	if len(out) == 1 && r.IntN(2) == 0 { // as two layers
		cut := r.IntN(len(out[0]) + 1)
		out = [][]tar.Header{out[0][:cut], out[0][cut:]}
	}
	return out
}

// linked makes an image of little else than hard links among the same few paths.
func (r pairs) linked() [][]tar.Header {
	layers := make([][]tar.Header, 1+r.IntN(2))
	var names []string
	for _, k := range []int{0, len(layers) - 1} {
		for i := range 6 {
			m := tar.Header{Name: fmt.Sprintf("%d/%d", i%2, i), Typeflag: tar.TypeReg, Mode: 0o644, Size: 100}
			switch {
			case r.IntN(12) == 0:
				m.Typeflag, m.Linkname, m.Size = tar.TypeSymlink, "anywhere", 0
			case len(names) > 0 && r.IntN(3) > 0:
				m.Typeflag, m.Linkname, m.Size = tar.TypeLink, names[r.IntN(len(names))], 0
			case r.IntN(4) == 0:
				m.Uid = 1
			}
			if r.IntN(8) > 0 {
				layers[k], names = append(layers[k], m), append(names, m.Name)
			}
		}
	}
	return layers
}

// rename renames a top directory, or what else is there.
func (r pairs) rename(layers [][]tar.Header) [][]tar.Header {
	from := []string{"a", "b"}[r.IntN(2)]
	name := func(p string) string {
		if p == from || below(from, p) {
			return "renamed" + strings.TrimPrefix(p, from)
		}
		return p
	}
	out := make([][]tar.Header, len(layers))
	for k, l := range layers {
		for _, m := range l {
			m.Name = name(m.Name)
			if m.Typeflag == tar.TypeLink {
				m.Linkname = name(m.Linkname)
			}
			out[k] = append(out[k], m)
		}
	}
	return out
}

// squash returns one layer that makes the same final filesystem.
func squash(layers [][]tar.Header) []tar.Header {
	fs, headers := applied(layers)
	first := map[string]string{}
	var out []tar.Header
	for _, p := range slices.SortedFunc(maps.Keys(fs), byComponent) {
		m, ok := headers[fs[p].ID]
		if !ok || p == "" {
			continue
		}
		m.Name = p
		if at, ok := first[fs[p].ID]; ok {
			m = tar.Header{Name: p, Typeflag: tar.TypeLink, Linkname: at, ModTime: m.ModTime}
		}
		first[fs[p].ID] = p
		out = append(out, m)
	}
	return out
}

// TestFixtureFiles compares other projects' images with one another: each with the
// next, and with itself.
func TestFixtureFiles(t *testing.T) {
	var trees []*tree.Tree
	for _, f := range fixture.Listed(t) {
		if m, err := analyze.Analyze(context.Background(), f.Path, analyze.Options{}); err == nil && m.Complete {
			trees = append(trees, m.Tree)
		}
	}
	if len(trees) < 2 {
		t.Fatal("no images to compare")
	}
	for i, old := range trees {
		new := trees[(i+1)%len(trees)]
		f := filesOf(t, old, new, Options{Strict: true})
		sum := f.Unchanged.Bytes.Plus(f.Dead)
		count := f.Unchanged.Count
		for _, n := range f.Sums {
			sum = sum.Plus(n.Bytes)
			count += n.Count
		}
		if want := (Bytes{storedOf(old), storedOf(new)}); sum != want || f.Dirs[0].Bytes != (Bytes{old.Final().At(0).Total, new.Final().At(0).Total}) {
			t.Errorf("image %d: sums are %v, stored are %v", i, sum, want)
		}
		if was, is := count-f.Sums[FileAdded].Count, count-f.Sums[FileRemoved].Count; was != old.Final().Len() || is != new.Final().Len() {
			t.Errorf("image %d: %d paths, then %d; want %d and %d", i, was, is, old.Final().Len(), new.Final().Len())
		}
		if f := filesOf(t, old, old, Options{Strict: true}); len(f.Changes) > 0 || len(f.Dirs) != 1 {
			t.Errorf("image %d differs from itself: %v", i, told(f))
		}
	}
}

func storedOf(t *tree.Tree) (n int64) {
	for k := range t.Layers() {
		n += t.Sums(k).Stored
	}
	return n
}
