package report

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/packages"
	"github.com/layerscope/layerscope/analyze/tree"
	"github.com/layerscope/layerscope/view/text"
)

// ErrNoPackages says that an image was analyzed without
// [analyze.Options.Packages].
var ErrNoPackages = errors.New("the image was read without its packages")

// AllPackages is the limit of a list that has none.
const AllPackages = -1

// Packages writes what packages own of an image: at most limit of them, the
// most bytes first, then what the others add up to and what none owns, so that
// the rows add up to the live bytes.
func Packages(w io.Writer, m *analyze.Image, limit int, opts TextOptions) error {
	if err := hasPackages(m); err != nil {
		return err
	}
	s := packagesText{style{opts}, m, limit}
	return writeAll(w, func(w *bufio.Writer) {
		fmt.Fprintln(w, s.cut(s.name(m.Reference)))
		fmt.Fprintln(w)
		s.table(w)
		s.unread(w)
	})
}

func hasPackages(m *analyze.Image) error {
	switch {
	case !m.Complete:
		return ErrIncomplete
	case m.Packages == nil:
		return ErrNoPackages
	}
	return nil
}

type packagesText struct {
	style
	*analyze.Image
	limit int
}

// table writes the rows.
func (s packagesText) table(w *bufio.Writer) {
	t := table{style: s.style, cutLast: text.TruncateMiddle}
	t.columns = []column{{title: "BYTES"}, {title: "STEP"}, {title: "ECOSYSTEM", left: true}, {title: "VERSION", left: true}, {title: "PACKAGE", left: true}}
	all := s.Packages.Packages
	shown := all[:s.shown(len(all))]
	for _, p := range shown {
		t.add(s.size(p.Bytes), s.step(p.Layer), string(p.Ecosystem), s.version(p.Version), s.label(p))
	}
	row := func(bytes int64, what string) {
		t.add(s.size(bytes), "", "", "", what)
	}
	if rest := all[len(shown):]; len(rest) > 0 {
		var sum int64
		for _, p := range rest {
			sum += p.Bytes
		}
		row(sum, fmt.Sprintf("(%s; --all lists them)", text.Plural(len(rest), "more package")))
	}
	row(s.Packages.Unowned.Bytes, fmt.Sprintf("(no package: %s)", text.Plural(s.Packages.Unowned.Copies, "file")))
	row(s.Totals.Live, fmt.Sprintf("(all that is live, in %s)", text.Plural(len(all), "package")))
	t.write(w)
}

// shown returns how many of n are listed.
func (s packagesText) shown(n int) int {
	if s.limit == AllPackages {
		return n
	}
	return min(n, s.limit)
}

// step returns the step that made a layer.
func (s packagesText) step(k int) string {
	if k == packages.UnknownLayer {
		return s.unknown()
	}
	return strconv.Itoa(s.Layers[k].Step)
}

// maxVersion is the most cells a version takes on a line of limited width: a
// commit's time and hash, as Go has them, make 37.
const maxVersion = 20

func (s packagesText) version(v string) string {
	if v == "" {
		return s.unknown()
	}
	return s.shorten(s.name(v), maxVersion, text.Truncate)
}

// label returns a package's name, with the place of what there may be several
// of.
func (s packagesText) label(p *packages.Package) string {
	name := s.name(p.Name)
	switch p.Ecosystem {
	case packages.Dpkg, packages.Apk, packages.Rpm:
		return name
	}
	return fmt.Sprintf("%s (%s)", name, s.path(packagePlace(s.Tree, p)))
}

// packagePlace returns the folder that a language's package says it is in; of a
// program the program.
func packagePlace(t *tree.Tree, p *packages.Package) tree.Node {
	if p.Ecosystem == packages.Go {
		return p.Metadata
	}
	return t.Parent(p.Metadata)
}

func (s packagesText) path(n tree.Node) string { return s.name(rooted(s.Tree, n)) }

// unread writes what couldn't be read.
func (s packagesText) unread(w *bufio.Writer) {
	all := s.Packages.Unread
	if len(all) == 0 {
		return
	}
	fmt.Fprintln(w, s.cut("\nNot read, so that what these tell of is no package's:"))
	shown := all[:s.shown(len(all))]
	for _, u := range shown {
		fmt.Fprintln(w, s.cut(fmt.Sprintf("  %s (step %s): %s", s.path(u.Path), s.step(u.Layer), s.foreign(u.Why.Error()))))
	}
	if n := len(all) - len(shown); n > 0 {
		fmt.Fprintln(w, s.cut(fmt.Sprintf("  (%d more; --all lists them)", n)))
	}
}
