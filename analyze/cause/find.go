package cause

import (
	"slices"

	"github.com/layerscope/layerscope/analyze/layer"
	"github.com/layerscope/layerscope/analyze/packages"
	"github.com/layerscope/layerscope/analyze/tree"
	"github.com/layerscope/layerscope/analyze/waste"
	"github.com/layerscope/layerscope/analyze/waste/disposable"
)

// Find finds what each copy is stored for. A copy of several hard links goes by
// the first of its paths, and by the one package that owns it. It takes some
// passes over the image's paths.
func Find(m Image) *Report {
	f := &finder{
		Image: m, report: &Report{of: m.Tree.NewNumbers()}, numbers: map[Of]int32{},
		tools: map[*packages.Package]string{}, rules: slices.Concat(databases(), toolchains(), sources()),
	}
	f.dead()
	f.disposables()
	f.byPath()
	waste.Image{Tree: m.Tree, Compressed: make([]bool, m.Tree.Layers())}.LiveCopies(f.live)
	f.order()
	return f.report
}

// finder finds what copies are stored for.
type finder struct {
	Image
	report  *Report
	sums    []Part       // in the order of report.names
	numbers map[Of]int32 // places in report.names

	rules   []rule
	matched []uint8                      // by node, the place in rules of the first that matches the path, plus one
	waste   *tree.Numbers                // by copy, the place in Disposable.Classes, plus one
	tools   map[*packages.Package]string // toolchains that packages are of
	top     tree.Node                    // that was met last, in the root or the root
}

// add says what a copy is stored for.
func (f *finder) add(r tree.Ref, size int64, of Of) {
	i, ok := f.numbers[of]
	if !ok {
		i = int32(len(f.sums))
		f.numbers[of] = i
		f.sums = append(f.sums, Part{Of: of})
	}
	f.sums[i].Bytes += size
	f.sums[i].Copies++
	f.report.of.Set(r, i+1)
}

func (f *finder) dead() {
	for _, c := range f.Dead.Copies {
		f.add(c.Ref, c.Bytes, Of{Dead, c.Reason.String()})
	}
}

func (f *finder) disposables() {
	f.waste = f.Tree.NewNumbers()
	for i, c := range f.Disposable.Classes {
		for _, file := range c.Files {
			f.waste.Set(file.Ref, int32(i+1))
		}
	}
}

// byPath matches the paths with the rules.
func (f *finder) byPath() {
	f.matched = make([]uint8, f.Tree.Len())
	rules := make([]*disposable.Rule, len(f.rules))
	for i := range f.rules {
		rules[i] = &f.rules[i].Rule
	}
	disposable.Match(waste.Image{Tree: f.Tree}, rules, func(n tree.Node, rule int) { f.matched[n] = uint8(rule + 1) })
}

// live takes in a live copy. They come in the order of their paths.
func (f *finder) live(c waste.Copy, _ *layer.Entry) {
	of := f.own(c)
	if f.Base[c.Ref.Layer] {
		of = Of{Base, of.Kind.String()}
	}
	f.add(c.Ref, c.Bytes, of)
}

// own returns what a live copy is stored for, if it didn't come from the base.
func (f *finder) own(c waste.Copy) Of {
	owner := f.Packages.Owner(c.Ref)
	program := owner != nil && owner.Ecosystem == packages.Go
	var r *rule
	if i := f.matched[c.Path]; i > 0 {
		r = &f.rules[i-1]
	}
	if owner != nil {
		if tool := f.tool(owner); tool != "" {
			return Of{Toolchain, tool}
		}
	}
	class := f.waste.Of(c.Ref)
	switch {
	case r != nil && r.kind == Toolchain && (owner == nil || program):
		return Of{Toolchain, r.ID}
	case class > 0:
		return Of{Disposable, f.Disposable.Classes[class-1].Rule.ID}
	case owner != nil && !program:
		return Of{Packages, string(owner.Ecosystem)}
	case r != nil && r.kind != Toolchain && owner == nil:
		return Of{r.kind, r.ID}
	}
	return Of{Application, f.topOf(c.Path)}
}

// tool returns the toolchain that a package is of, "" if of none.
func (f *finder) tool(p *packages.Package) string {
	tool, ok := f.tools[p]
	if !ok {
		tool = toolchainOf(p.Ecosystem, p.Name)
		f.tools[p] = tool
	}
	return tool
}

// topOf returns the top directory that a path is in: "/" for the root itself.
func (f *finder) topOf(n tree.Node) string {
	if n == tree.Root {
		return "/"
	}
	for f.top == tree.Root || n >= f.Tree.End(f.top) {
		if f.top == tree.Root {
			f.top++
		} else {
			f.top = f.Tree.End(f.top)
		}
	}
	if n == f.top {
		return "/"
	}
	return "/" + f.Tree.Name(f.top)
}

// order puts the report into its order.
func (f *finder) order() {
	r := f.report
	for _, p := range f.sums {
		r.names = append(r.names, p.Of)
	}
	r.Parts = f.sums
	slices.SortFunc(r.Parts, Part.Compare)
}
