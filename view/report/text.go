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
	row("base", s.base(m))
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

// base says where the base ends.
func (s style) base(m *analyze.Image) string {
	n, size := 0, int64(0)
	for _, st := range m.Steps {
		if st.Base {
			n++
			size += max(st.Stored, 0)
		}
	}
	switch {
	case m.Fit != history.Exact, len(m.Steps) == 0:
		return ""
	case n == 0:
		return s.unknown()
	case n == 1:
		return fmt.Sprintf("step 0, %s (%s)", s.size(size), s.name(m.BaseHow))
	}
	return fmt.Sprintf("steps 0 to %d, %s (%s)", n-1, s.size(size), s.name(m.BaseHow))
}

// hash returns a digest, "" for none.
func hash(h v1.Hash) string {
	if h == (v1.Hash{}) {
		return ""
	}
	return h.String()
}
