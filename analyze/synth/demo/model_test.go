package demo

import (
	"archive/tar"
	"crypto/sha256"
	"fmt"
	"io"
	"path"
	"strings"
	"testing"
)

// This file works out what the demo stores and what of it is dead, with maps
// and loops alone: a second implementation of design's "What the numbers must
// equal", for images as tame as this one.

// stored is a copy: the bytes of one regular file of one layer.
type stored struct {
	layer  int
	size   int64
	sum    [32]byte
	refs   int
	reason string // why the last reference went
}

// model is a filesystem: what stands at each path. Directories and special
// files have a nil copy.
type model struct {
	paths  map[string]*stored
	dirs   map[string]bool
	copies []*stored
}

// end takes away what stands at p.
func (m *model) end(p, reason string) {
	if c := m.paths[p]; c != nil {
		c.refs--
		if c.refs == 0 {
			c.reason = reason
		}
	}
	delete(m.paths, p)
	delete(m.dirs, p)
}

// endBelow takes away what stands below dir.
func (m *model) endBelow(dir, reason string) {
	for p := range m.paths {
		if strings.HasPrefix(p, dir+"/") {
			m.end(p, reason)
		}
	}
}

type entry struct {
	tar.Header
	sum [32]byte
}

// apply stacks a layer: first what it deletes, then what it holds.
func (m *model) apply(t *testing.T, layer int, entries []entry) {
	for _, e := range entries {
		dir, base := path.Split(path.Clean(e.Name))
		if base == ".wh..wh..opq" {
			m.endBelow(path.Clean(dir), "deleted")
		} else if name, ok := strings.CutPrefix(base, ".wh."); ok {
			if _, ok := m.paths[dir+name]; !ok {
				t.Errorf("layer %d deletes %s, which isn't there", layer, dir+name)
			}
			m.endBelow(dir+name, "deleted")
			m.end(dir+name, "deleted")
		}
	}
	for _, e := range entries {
		if !strings.HasPrefix(path.Base(e.Name), ".wh.") {
			m.put(t, layer, e)
		}
	}
}

func (m *model) put(t *testing.T, layer int, e entry) {
	p := path.Clean(e.Name)
	if parent := path.Dir(p); parent != "." && !m.dirs[parent] {
		t.Errorf("layer %d: %s isn't in a directory", layer, p)
	}
	var c *stored
	switch e.Typeflag {
	case tar.TypeDir:
		if m.dirs[p] {
			return
		}
	case tar.TypeLink:
		if c = m.paths[e.Linkname]; c == nil || c.layer != layer {
			t.Fatalf("layer %d: %s links to %s, which isn't in the layer", layer, p, e.Linkname)
		}
		c.refs++
	case tar.TypeReg:
		c = &stored{layer: layer, size: e.Size, sum: e.sum, refs: 1}
		m.copies = append(m.copies, c)
	}
	if m.dirs[p] {
		m.endBelow(p, "replaced")
	}
	m.end(p, m.reason(p, c))
	m.paths[p] = c
	m.dirs[p] = e.Typeflag == tar.TypeDir
}

// reason says why the copy at p ends when c comes.
func (m *model) reason(p string, c *stored) string {
	old := m.paths[p]
	switch {
	case c == nil || old == nil:
		return "replaced"
	case old.size == c.size && old.sum == c.sum:
		return "rewritten"
	}
	return "overwritten"
}

// entriesOf reads a layer with archive/tar.
func entriesOf(t *testing.T, r io.Reader) []entry {
	t.Helper()
	var es []entry
	for tr := tar.NewReader(r); ; {
		h, err := tr.Next()
		if err == io.EOF {
			return es
		}
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.New()
		if _, err := io.Copy(sum, tr); err != nil {
			t.Fatal(err)
		}
		es = append(es, entry{*h, [32]byte(sum.Sum(nil))})
	}
}

// sums are the numbers of one layer or of all.
type sums struct {
	entries                                   int
	stored, live                              int64
	overwritten, rewritten, deleted, replaced int64
}

func (s *sums) add(c *stored) {
	s.stored += c.size
	if c.refs > 0 {
		s.live += c.size
		return
	}
	switch c.reason {
	case "overwritten":
		s.overwritten += c.size
	case "rewritten":
		s.rewritten += c.size
	case "deleted":
		s.deleted += c.size
	case "replaced":
		s.replaced += c.size
	default:
		panic(fmt.Sprintf("reason %q", c.reason))
	}
}

func (s sums) dead() int64 { return s.overwritten + s.rewritten + s.deleted + s.replaced }
