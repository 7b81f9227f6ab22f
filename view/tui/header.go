package tui

import (
	"fmt"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/history"
	"github.com/layerscope/layerscope/analyze/progress"
	"github.com/layerscope/layerscope/view/text"
)

// reference returns what is being looked at, as the user named it.
func (u *ui) reference() string {
	if u.opts.Reference == "" && u.news.image != nil {
		return u.news.image.Reference
	}
	return u.opts.Reference
}

// nameLine returns the header's first line: which image this is, and at its
// right what is wrong with it.
func (u *ui) nameLine() (name []span, note span) {
	name = []span{{u.reference(), roleStrong}}
	m := u.news.image
	if m == nil {
		return name, span{}
	}
	if full := imageName(m); full != "" && full != u.reference() {
		name = append(name, span{"  " + full, roleText})
	}
	name = append(name, span{"  " + u.look.join(m.Platform.String(), m.Source), roleDim})
	if m.Fit != history.Exact {
		note = span{fitNote(m.Fit), roleWarning}
	}
	return name, note
}

// imageName returns the image's own name, "" if it has none.
func imageName(m *analyze.Image) string {
	if m.Name != "" {
		return m.Name
	}
	if len(m.Tags) > 0 {
		return m.Tags[0]
	}
	return ""
}

func fitNote(f history.Fit) string {
	if f == history.Missing {
		return "no history"
	}
	return "history doesn't fit the layers"
}

// sumLine returns the header's second line.
func (u *ui) sumLine(width int) []span {
	switch u.state() {
	case complete:
		return []span{{u.look.fitting(totals(u.look, u.news.image), width), roleText}}
	case reading:
		return []span{{progressText(u.look, u.news.progress), roleText}}
	case stopped:
		return []span{{"stopped: " + layersRead(u.news.image), roleWarning}}
	}
	return []span{{"failed: " + layersRead(u.news.image) + "; " + unverified + ", not complete", roleError}}
}

// totals returns the image's sums, the most telling first.
func totals(k *look, m *analyze.Image) []string {
	t := m.Totals
	parts := []string{
		bytesText(k, t.Sums),
		fmt.Sprintf("%.1f%% efficient", 100*t.Efficiency()),
		text.Plural(t.Layers, "layer"),
		text.Plural(t.Files, "file"),
	}
	if t.Compressed != analyze.Unknown {
		parts = append(parts, k.size(t.Compressed)+" compressed")
	}
	return parts
}

// progressText says how far a job is.
func progressText(k *look, p progress.Snapshot) string {
	phase := p.Phase
	if phase == "" {
		phase = "reading"
	}
	layers, bytes := "", ""
	if p.Layers > 0 {
		layers = fmt.Sprintf("%d of %s", p.LayersDone, text.Plural(p.Layers, "layer"))
	}
	switch {
	case p.Total > 0:
		bytes = k.size(p.Bytes) + " of " + k.size(p.Total)
	case p.Bytes > 0:
		bytes = k.size(p.Bytes)
	}
	bar := ""
	if p.Total > 0 {
		const cells = 12
		bar = text.Pad(k.bar(min(p.Bytes, p.Total), 0, p.Total, cells), cells) + " " + text.Percent(min(p.Bytes, p.Total), p.Total)
	}
	return k.join(phase, layers, bytes, bar)
}

// layersRead says what of an incomplete image there is.
func layersRead(m *analyze.Image) string {
	if m == nil {
		return "nothing read"
	}
	n := 0
	for _, l := range m.Layers {
		if l.Index != nil {
			n++
		}
	}
	return fmt.Sprintf("%d of %s read", n, text.Plural(len(m.Layers), "layer"))
}
