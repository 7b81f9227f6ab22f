package layer

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/zeebo/xxh3"
)

// ErrBody says that a body isn't the one the index was made of: the layer has
// changed since, or isn't the same.
var ErrBody = errors.New("the body isn't the one that was indexed")

// Body reads the layer again from r, plain or compressed, and writes the body
// of entry row of index x to w as it streams past; it reads no further. The
// entry must be a File. The body's size and hash are compared with the
// index's: on ErrBody, which shows at the end, w may have got other bytes than
// the entry's.
//
// An error of w is returned wrapped, as are those of r. Options are as for
// [Read].
func Body(ctx context.Context, w io.Writer, r io.Reader, x *Index, row int, opts Options) error {
	s, err := open(ctx, r, opts.MaxSize)
	if err != nil {
		return err
	}
	defer s.Close()
	m, err := nth(&members{r: s}, row)
	if err != nil {
		return err
	}
	e := x.At(row)
	if err := copyBody(w, m, e); err != nil {
		return fmt.Errorf("reading tar entry %q: %w", x.Path(e), err)
	}
	return ctx.Err()
}

// nth returns member row, counted as [Index.At] does.
func nth(members *members, row int) (*member, error) {
	for i := 0; ; {
		m, err := members.next()
		if err == io.EOF {
			return nil, fmt.Errorf("finding tar entry %d of %d: %w", row, i, ErrBody)
		}
		if err != nil {
			return nil, fmt.Errorf("reading tar entry %d: %w", i, tarError(err))
		}
		if m.flag == tar.TypeXGlobalHeader {
			continue
		}
		if i == row {
			return m, nil
		}
		i++
	}
}

// copyBody copies a member's body and holds it to its entry.
func copyBody(w io.Writer, m *member, e *Entry) error {
	if m.size != e.Size {
		return ErrBody
	}
	if e.Size == 0 {
		return nil
	}
	hash := xxh3.New()
	n, err := io.Copy(w, io.TeeReader(m.body, hash))
	if err != nil {
		return tarError(err)
	}
	if n != e.Size {
		return io.ErrUnexpectedEOF
	}
	if sum := hash.Sum128(); e.Hash != (Hash{Hi: sum.Hi, Lo: sum.Lo}) {
		return ErrBody
	}
	return nil
}
