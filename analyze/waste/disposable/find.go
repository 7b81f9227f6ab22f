package disposable

import (
	"cmp"
	"slices"
	"strings"

	"github.com/layerscope/layerscope/analyze/layer"
	"github.com/layerscope/layerscope/analyze/tree"
	"github.com/layerscope/layerscope/analyze/waste"
)

// finder gathers the copies of each class.
type finder struct {
	image   waste.Image
	classes []Class // by the table's order
	linked  map[tree.Ref]*links
}

// links are the paths of a copy of several that matched.
type links struct {
	rule  int // of the first
	first tree.Node
	n     int
}

func newFinder(m waste.Image, rules []*Rule) *finder {
	f := &finder{image: m, linked: map[tree.Ref]*links{}}
	for _, r := range rules {
		f.classes = append(f.classes, Class{Rule: r, Tally: m.NewTally(), Origins: make([]waste.Sum, m.Tree.Layers())})
	}
	return f
}

// visit takes in a path that patterns match.
func (f *finder) visit(d *dir, n tree.Node, name string, st tree.State, found []int32) {
	e, _ := f.image.Tree.Entry(st.Inode)
	if e == nil || e.Type != layer.File || e.Size == 0 {
		return
	}
	in := d.matching(name, e, found)
	if in == 0 {
		return
	}
	if f.image.Tree.LiveRefs(st.Inode) == 1 {
		f.add(in.first(), st.Inode, n)
		return
	}
	l := f.linked[st.Inode]
	if l == nil {
		l = &links{rule: in.first(), first: n}
		f.linked[st.Inode] = l
	}
	l.n++
}

// matching returns the rules that match a file of the directory, the first of
// them certainly among them.
func (d *dir) matching(name string, e *layer.Entry, found []int32) ruleSet {
	m, kept := d.w.m, d.kept
	for _, s := range found {
		if p := m.pattern(s); p.keep {
			kept |= 1 << p.rule
		}
	}
	in := d.in &^ kept
	for _, s := range found {
		p := m.pattern(s)
		if p.keep || kept.has(p.rule) || in != 0 && in.first() <= p.rule {
			continue
		}
		if p.cond == nil || p.cond.file(d, name, e) {
			in |= 1 << p.rule
		}
	}
	return in
}

func (f *finder) add(rule int, r tree.Ref, path tree.Node) {
	c, file := &f.classes[rule], File{f.image.Copy(r, path), f.image.Tree.Since(path)}
	c.Add(file.Copy)
	c.Origins[file.Origin].Add(file.Copy)
	c.Files = append(c.Files, file)
}

// report puts the classes together once all paths were visited.
func (f *finder) report() *Report {
	for r, l := range f.linked {
		if l.n == f.image.Tree.LiveRefs(r) {
			f.add(l.rule, r, l.first)
		}
	}
	report := &Report{Tally: f.image.NewTally()}
	for _, c := range f.classes {
		if len(c.Files) == 0 {
			continue
		}
		slices.SortFunc(c.Files, func(a, b File) int {
			return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(a.Path, b.Path))
		})
		for _, file := range c.Files {
			report.Add(file.Copy)
		}
		report.Classes = append(report.Classes, c)
	}
	slices.SortFunc(report.Classes, func(a, b Class) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), strings.Compare(a.Rule.ID, b.Rule.ID))
	})
	return report
}
