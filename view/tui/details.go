package tui

import (
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/layer"
	"github.com/layerscope/layerscope/analyze/tree"
	"github.com/layerscope/layerscope/view/text"
)

// stepLines returns the two lines below the panes about step i.
func stepLines(k *look, m *analyze.Image, i, width int) [][]span {
	s := &m.Steps[i]
	return [][]span{
		{{text.OneLine(s.Text), roleStrong}},
		{{k.fitting(stepFacts(k, m, i), width), roleText}},
	}
}

// stepFacts returns what is to be said of a step in a few words each.
func stepFacts(k *look, m *analyze.Image, i int) []string {
	s := &m.Steps[i]
	facts := []string{fmt.Sprintf("step %d", i)}
	if s.Base {
		facts = append(facts, "base image")
	}
	switch {
	case s.Layer < 0 && s.Stored == analyze.Unknown:
		return append(facts, "layer unknown")
	case s.Layer < 0:
		return append(facts, "no layer")
	case s.Stored == analyze.Unknown:
		return append(facts, fmt.Sprintf("layer %d", s.Layer), "not read")
	}
	if s.Stored == 0 {
		return append(facts, "nothing stored")
	}
	facts = append(facts, bytesText(k, s.Sums))
	if m.Totals.Stored > 0 {
		facts = append(facts, text.Percent(s.Stored, m.Totals.Stored)+" of the image")
	}
	if s.Compressed != analyze.Unknown {
		facts = append(facts, k.size(s.Compressed)+" compressed")
	}
	return facts
}

// bytesText says what is stored and what became of it.
func bytesText(k *look, s analyze.Sums) string {
	if s.Live == analyze.Unknown {
		return k.size(s.Stored) + " stored"
	}
	return k.size(s.Stored) + " stored = " + k.size(s.Live) + " live + " + k.size(s.Dead) + " dead"
}

// stepPage has all that is known of a step.
func stepPage(u *ui, i int) *page {
	return newPage(u, fmt.Sprintf("Step %d", i), func() []field {
		if m := u.news.image; i < len(m.Steps) {
			return stepFields(u.look, m, i)
		}
		return nil
	})
}

func stepFields(k *look, m *analyze.Image, i int) []field {
	s := &m.Steps[i]
	var f fields
	f.add("instruction", s.Text)
	for _, a := range s.Args {
		f.add("argument", a.Name+"="+a.Value)
	}
	f.add("bytes", k.join(stepFacts(k, m, i)...))
	if s.Layer >= 0 {
		f.layer(k, m, s.Layer)
	}
	f.add("created", text.Time(s.Created))
	f.add("author", s.Author)
	f.add("comment", s.Comment)
	f.add("builder", s.Builder.String())
	if s.Base {
		f.add("base", text.OneLine(baseText(m)))
	}
	if s.Synthetic {
		f.add("history", "has no record of this layer")
	}
	f.add("as recorded", s.CreatedBy)
	return f
}

// baseText says of which image a step is part that came from the base.
func baseText(m *analyze.Image) string {
	s := "part of the base image"
	if m.Base.Name != "" {
		s += " " + m.Base.Name
	}
	return s + " (" + m.Base.How + ")"
}

// fields are a page being put together.
type fields []field

// add adds a text, unless there is none.
func (f *fields) add(label, s string) {
	if s != "" {
		*f = append(*f, field{label: label, text: s})
	}
}

// layer adds what names a layer.
func (f *fields) layer(k *look, m *analyze.Image, i int) {
	l := &m.Layers[i]
	f.add("layer", k.join(fmt.Sprintf("%d of %s", i, text.Plural(len(m.Layers), "layer")), entriesText(l)))
	f.add("diffID", hashText(l.DiffID))
	f.add("digest", hashText(l.Digest))
	f.add("media type", string(l.MediaType))
}

func entriesText(l *analyze.Layer) string {
	if l.Index == nil {
		return "not read"
	}
	if l.Entries == 1 {
		return "1 entry"
	}
	return text.Count(l.Entries) + " entries"
}

// hashText returns a digest, "" for none.
func hashText(h v1.Hash) string {
	if h == (v1.Hash{}) {
		return ""
	}
	return h.String()
}

// filePage has all that is known of a file of a listing.
func filePage(u *ui, l *listing, it tree.Item) *page {
	return newPage(u, "File", func() []field { return fileFields(u, l, it) })
}

func fileFields(u *ui, l *listing, it tree.Item) []field {
	k, t := u.look, l.view.Tree()
	e, x := t.Entry(it.State.Inode)
	var f fields
	f.add("path", "/"+t.Path(it.Node))
	switch kind, target := linkOf(t, it); kind {
	case symbolic:
		f.add("link to", target)
	case hard:
		f.add("hard link to", target)
	}
	f.add("type", it.Type.String())
	f.add("change", changeWord(it))
	f.add("size", itemSize(k, it))
	f.add("mode", fmt.Sprintf("%s (%04o)", modeOf(t, it), modeBits(e)))
	f.add("owner", ownerOf(t, it))
	if e == nil {
		f.add("entry", "none: the directory is implied by what is in it")
		return f
	}
	f.add("modified", text.Time(e.ModTime()))
	if major, minor := x.Device(e); it.Type == layer.Char || it.Type == layer.Block {
		f.add("device", fmt.Sprintf("%d, %d", major, minor))
	}
	for _, name := range x.Xattrs(e) {
		f.add("attribute", name)
	}
	if e.Size > 0 {
		f.add("xxh3", e.Hash.String())
	}
	f.writer(u.news.image, l, it)
	return f
}

func modeBits(e *layer.Entry) uint32 {
	if e == nil {
		return tree.ImpliedMode
	}
	return e.Mode
}

// itemSize says what an item's bytes are, and what was removed of it.
func itemSize(k *look, it tree.Item) string {
	if it.Change == tree.Removed {
		return k.size(it.Removed) + " removed"
	}
	s := k.size(it.Total)
	if it.Total >= 1000 && !k.bytes {
		s += " (" + text.Bytes(it.Total) + " bytes)"
	}
	if it.Removed > 0 {
		s = k.join(s, k.size(it.Removed)+" removed")
	}
	return s
}

// stepText names a step.
func stepText(m *analyze.Image, i int) string {
	return fmt.Sprintf("step %d: %s", i, m.Steps[i].Text)
}

// writer adds the step that put the item there, and the one that removed it.
func (f *fields) writer(m *analyze.Image, l *listing, it tree.Item) {
	k := int(it.State.Entry.Layer)
	if l.partial() {
		k = l.subject.layer
	}
	if k < 0 || k >= len(m.Layers) {
		return
	}
	f.add("written by", stepText(m, m.Layers[k].Step))
	if it.Change == tree.Removed {
		f.add("removed by", stepText(m, m.Layers[l.subject.layer].Step))
	}
}
