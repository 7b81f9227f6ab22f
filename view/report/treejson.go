package report

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/layerscope/layerscope/analyze/layer"
	"github.com/layerscope/layerscope/analyze/tree"
)

// The types below are docs/json.md, "tree", in its order.

type treeReport struct {
	SchemaVersion string      `json:"schemaVersion"`
	Tool          Tool        `json:"tool"`
	Image         imageName   `json:"image"`
	Step          *int        `json:"step"`
	Changes       bool        `json:"changes"`
	Path          string      `json:"path"`
	PathBase64    *string     `json:"pathBase64,omitempty"`
	Entries       []entryJSON `json:"entries"`
}

type imageName struct {
	Reference string   `json:"reference"`
	ID        *v1.Hash `json:"id"`
}

type entryJSON struct {
	Path       string  `json:"path"`
	PathBase64 *string `json:"pathBase64,omitempty"`
	Type       string  `json:"type"`
	Size       int64   `json:"size"`
	Total      int64   `json:"total"`
	Removed    int64   `json:"removed"`
	Files      int     `json:"files"`
	Mode       string  `json:"mode"`
	UID        uint32  `json:"uid"`
	GID        uint32  `json:"gid"`
	Mtime      *string `json:"mtime"`
	Link       *string `json:"link"`
	LinkBase64 *string `json:"linkBase64,omitempty"`
	Change     *string `json:"change"`
	Step       *int    `json:"step"`
}

// TreeJSON writes the listing that docs/json.md describes, one entry a line.
func TreeJSON(w io.Writer, l Listing, tool Tool) error {
	if !l.Image.Complete {
		return ErrIncomplete
	}
	head, tail, err := l.frame(tool)
	if err != nil {
		return err
	}
	var failed error
	err = writeAll(w, func(w *bufio.Writer) {
		w.Write(head)
		failed = l.writeEntries(w)
		w.Write(tail)
	})
	return errors.Join(failed, err)
}

// frame returns what stands before the entries, which may be a million and are
// written one by one, and what stands after them.
func (l *Listing) frame(tool Tool) (head, tail []byte, err error) {
	path := l.path(l.View.At(l.Item))
	b, err := encode(treeReport{
		SchemaVersion: schemaVersion,
		Tool:          tool,
		Image:         imageName{l.Image.Reference, nullable(l.Image.ID)},
		Step:          nullIndex(l.Step),
		Changes:       l.Changes,
		Path:          path,
		PathBase64:    nullBase64(path),
		Entries:       []entryJSON{},
	}, "  ")
	if err != nil {
		return nil, nil, err
	}
	end := bytes.LastIndexByte(b, ']')
	return b[:end], append(b[end:], '\n'), nil
}

func (l *Listing) writeEntries(w io.Writer) error {
	separator := "\n    "
	for r := range l.rows() {
		b, err := encode(l.entry(l.View.At(r.item)), "")
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "%s%s", separator, b); err != nil {
			return nil // the writer has it too
		}
		separator = ",\n    "
	}
	_, _ = io.WriteString(w, "\n  ")
	return nil
}

// impliedMode is the mode of directories without an entry of their own.
const impliedMode = 0o755

func (l *Listing) entry(it tree.Item) entryJSON {
	path := l.path(it)
	out := entryJSON{
		Path:       path,
		PathBase64: nullBase64(path),
		Type:       it.Type.String(),
		Size:       it.Size,
		Total:      it.Total,
		Removed:    it.Removed,
		Files:      it.Files,
		Mode:       mode(impliedMode),
		Step:       nullIndex(l.step(it)),
	}
	if l.Changes {
		out.Change = nullable(it.Change.String())
	}
	e, x := l.View.Tree().Entry(it.State.Inode)
	if e == nil {
		return out
	}
	out.Mode, out.UID, out.GID, out.Mtime = mode(e.Mode), e.UID, e.GID, nullTime(e.ModTime())
	if it.Type == layer.Symlink || it.Type == layer.Hardlink {
		link := x.Link(e)
		out.Link, out.LinkBase64 = &link, nullBase64(link)
	}
	return out
}

// mode returns permission bits in octal, as chmod takes them.
func mode(m uint32) string { return fmt.Sprintf("%04o", m) }
