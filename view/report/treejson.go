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
	SchemaVersion string    `json:"schemaVersion"`
	Tool          Tool      `json:"tool"`
	Image         imageName `json:"image"`
	Step          *int      `json:"step"`
	Changes       bool      `json:"changes"`
	pathJSON
	Entries []entryJSON `json:"entries"`
}

type imageName struct {
	Reference string   `json:"reference"`
	ID        *v1.Hash `json:"id"`
}

type entryJSON struct {
	pathJSON
	Type           string      `json:"type"`
	Size           int64       `json:"size"`
	Total          int64       `json:"total"`
	Removed        int64       `json:"removed"`
	Files          int         `json:"files"`
	Mode           string      `json:"mode"`
	UID            uint32      `json:"uid"`
	GID            uint32      `json:"gid"`
	Mtime          *string     `json:"mtime"`
	Link           *string     `json:"link"`
	LinkBase64     *string     `json:"linkBase64,omitempty"`
	Hardlink       *string     `json:"hardlink"`
	HardlinkBase64 *string     `json:"hardlinkBase64,omitempty"`
	Inode          *inodeJSON  `json:"inode"`
	Device         *deviceJSON `json:"device"`
	Xattrs         []string    `json:"xattrs"`
	XXH3           *string     `json:"xxh3"`
	Change         *string     `json:"change"`
	Step           *int        `json:"step"`
}

// inodeJSON names the tar entry that a path leads to.
type inodeJSON struct {
	Layer int32 `json:"layer"`
	Entry int32 `json:"entry"`
}

type deviceJSON struct {
	Major int64 `json:"major"`
	Minor int64 `json:"minor"`
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
	b, err := encode(treeReport{
		SchemaVersion: schemaVersion,
		Tool:          tool,
		Image:         imageName{l.Image.Reference, nullable(l.Image.ID)},
		Step:          nullIndex(l.Step),
		Changes:       l.Changes,
		pathJSON:      newPathJSON(l.path(l.View.At(l.Item))),
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

func (l *Listing) entry(it tree.Item) entryJSON {
	out := entryJSON{
		pathJSON: newPathJSON(l.path(it)),
		Type:     it.Type.String(),
		Size:     it.Size,
		Total:    it.Total,
		Removed:  it.Removed,
		Files:    it.Files,
		Mode:     mode(tree.ImpliedMode),
		Xattrs:   []string{},
		Step:     nullIndex(l.step(it)),
	}
	if l.Changes {
		out.Change = nullable(it.Change.String())
	}
	out.inode(l.View.Tree(), it)
	out.hardlink(l.View.Tree(), it)
	return out
}

// inode fills in what the entry says that holds type, metadata and bytes.
func (out *entryJSON) inode(t *tree.Tree, it tree.Item) {
	e, x := t.Entry(it.State.Inode)
	if e == nil {
		return
	}
	out.Mode, out.UID, out.GID, out.Mtime = mode(e.Mode), e.UID, e.GID, nullTime(e.ModTime())
	out.Inode = &inodeJSON{it.State.Inode.Layer, it.State.Inode.Row}
	out.Xattrs = list(x.Xattrs(e))
	switch e.Type {
	case layer.Symlink, layer.Hardlink:
		link := x.Link(e)
		out.Link, out.LinkBase64 = &link, nullBase64(link)
	case layer.Char, layer.Block:
		major, minor := x.Device(e)
		out.Device = &deviceJSON{major, minor}
	case layer.File:
		if e.Size > 0 {
			out.XXH3 = nullable(e.Hash.String())
		}
	}
}

// hardlink fills in what the path is a hard link to, if it is one.
func (out *entryJSON) hardlink(t *tree.Tree, it tree.Item) {
	e, x := t.Entry(it.State.Entry)
	if e == nil || e.Type != layer.Hardlink {
		return
	}
	target := "/" + x.Link(e)
	out.Hardlink, out.HardlinkBase64 = &target, nullBase64(target)
}

// mode returns permission bits in octal, as chmod takes them.
func mode(m uint32) string { return fmt.Sprintf("%04o", m) }
