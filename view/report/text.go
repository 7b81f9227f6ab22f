package report

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/history"
	"github.com/layerscope/layerscope/view/text"
)

// Text writes a report to be read: what the image is, its steps with their
// bytes, its largest files, and what it could do without.
func Text(w io.Writer, subject Subject, opts TextOptions) error {
	if err := subject.check(); err != nil {
		return err
	}
	s := style{opts}
	return writeAll(w, func(w *bufio.Writer) {
		s.header(w, subject.Image)
		s.steps(w, subject.Image)
		s.largest(w, subject.Image)
		s.waste(w, subject, fewRows)
	})
}

// header writes what the image is and its totals.
func (s style) header(w *bufio.Writer, m *analyze.Image) {
	fmt.Fprintln(w, s.cut(s.name(m.Reference)))
	fmt.Fprintln(w)
	row := func(label, value string) {
		if value != "" {
			fmt.Fprintln(w, s.cut(fmt.Sprintf("  %-11s %s", label, value)))
		}
	}
	if m.Name != m.Reference {
		row("name", s.name(m.Name))
	}
	row("tags", s.tags(m))
	row("id", hash(m.ID))
	row("digest", hash(m.Digest))
	row("platform", s.name(m.Platform.String()))
	row("created", text.Time(m.Created))
	row("source", s.name(m.Source))
	s.totals(m, row)
	s.base(m, row)
	row("history", fitText[m.Fit])
	if n := m.Tree.BrokenHardlinks(); n > 0 {
		row("links", text.Plural(n, "hard link")+" without a target")
	}
	if n := m.Tree.DanglingWhiteouts(); n > 0 {
		row("whiteouts", text.Plural(n, "whiteout")+" of what isn't there")
	}
	if n := len(m.Attestations); n > 0 {
		row("attached", text.Plural(n, "attestation"))
	}
}

// fitText says how a history doesn't fit the layers.
var fitText = map[history.Fit]string{
	history.Missing: "the image has none: the steps are its layers",
	history.Short:   "doesn't fit the layers, too few records: which made which isn't known",
	history.Long:    "doesn't fit the layers, too many records: which made which isn't known",
}

// tags returns the tags that the image's name and reference don't show.
func (s style) tags(m *analyze.Image) string {
	var tags []string
	for _, t := range m.Tags {
		if t != m.Reference && m.Name != t && !strings.HasSuffix(m.Name, "/"+t) && !strings.HasSuffix(m.Name, ":"+t) {
			tags = append(tags, s.name(t))
		}
	}
	return strings.Join(tags, " ")
}

// totals gives row the sums of bytes.
func (s style) totals(m *analyze.Image, row func(label, value string)) {
	t := m.Totals
	sizes := []string{s.size(t.Stored), s.size(t.Live), s.size(t.Dead), s.size(t.Compressed)}
	width := 0
	for _, size := range sizes {
		width = max(width, text.Width(size))
	}
	for i, label := range []string{"stored", "live", "dead", "compressed"} {
		note := [...]string{
			fmt.Sprintf("in %s", text.Plural(t.Layers, "layer")),
			fmt.Sprintf("in %s, efficiency %s", text.Plural(t.Files, "file"), efficiency(t)),
			"",
			"",
		}[i]
		row(label, strings.TrimRight(text.PadLeft(sizes[i], width)+gap+note, " "))
	}
}

// efficiency returns the share of live bytes.
func efficiency(t analyze.Totals) string {
	return strconv.FormatFloat(100*t.Efficiency(), 'f', 1, 64) + "%"
}

// base gives row what the base is, where it ends and how that is known, and
// the bytes of it and of the rest.
func (s style) base(m *analyze.Image, row func(label, value string)) {
	b := m.Base
	name := s.name(b.Name)
	switch {
	case b.How == "" && name != "":
		row("base", name+", where it ends isn't known")
	case b.How == "" && m.Fit == history.Exact && len(m.Steps) > 0:
		row("base", s.unknown())
	case b.How == "":
	case b.Layers == 0 && b.Steps == 0:
		row("base", "none ("+b.How+")")
	default:
		if name != "" {
			name += ", "
		}
		row("base", name+baseSteps(m)+" ("+b.How+")")
		row("in base", s.sums(m.Totals.Base))
		row("own", s.sums(m.Totals.Own))
	}
}

// baseSteps says which steps are the base's, or, if they aren't the first ones,
// as where the history doesn't fit the layers, which layers.
func baseSteps(m *analyze.Image) string {
	if m.Fit != history.Exact {
		return firstOf("layer", m.Base.Layers)
	}
	return firstOf("step", m.Base.Steps)
}

// firstOf names the first n of things that are counted from 0.
func firstOf(thing string, n int) string {
	if n == 1 {
		return thing + " 0"
	}
	return fmt.Sprintf("%ss 0 to %d", thing, n-1)
}

// sums says what became of bytes.
func (s style) sums(b analyze.Sums) string {
	line := fmt.Sprintf("%s stored, %s live, %s dead", s.size(b.Stored), s.size(b.Live), s.size(b.Dead))
	if b.Compressed != analyze.Unknown {
		line += fmt.Sprintf(", %s compressed", s.size(b.Compressed))
	}
	return line
}

// hash returns a digest, "" for none.
func hash(h v1.Hash) string {
	if h == (v1.Hash{}) {
		return ""
	}
	return h.String()
}
