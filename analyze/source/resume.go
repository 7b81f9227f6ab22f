package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"time"
)

// maxResumes is how often in a row a blob is asked for again without a byte
// of it arriving.
const maxResumes = 5

// Times between attempts: the first pause, which then doubles, the longest,
// and how long a body may yield nothing before its connection is taken for
// dead. Variables for the tests.
var (
	firstPause   = 250 * time.Millisecond
	longestPause = 30 * time.Second
	stallLimit   = 60 * time.Second
)

// pause waits before attempt n, 1 or more, is made again: longer each time,
// and not as long as everyone else.
func pause(ctx context.Context, n int) error {
	d := min(firstPause<<(n-1), longestPause)
	return sleep(ctx, d/2+rand.N(d/2+1))
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// openAt opens a blob at an offset. A server that doesn't do ranges gives the
// whole: start is where the body begins, at most off.
type openAt func(off int64) (body io.ReadCloser, start int64, err error)

// resumer reads a blob of a known size and, where the connection is cut, opens
// it again where it broke off. Errors of open are final: requests have retries
// of their own.
type resumer struct {
	open  openAt
	wait  func(attempt int) error
	size  int64
	body  io.ReadCloser // nil before the first byte and after a cut
	off   int64
	fails int // cuts since the last byte
}

// newResumer returns a reader of a blob of size bytes. It gives up when ctx
// does.
func newResumer(ctx context.Context, size int64, open openAt) *resumer {
	return &resumer{
		open: open,
		size: size,
		wait: func(n int) error { return pause(ctx, n) },
	}
}

// Read implements io.Reader.
func (r *resumer) Read(p []byte) (int, error) {
	for r.off < r.size {
		n, err := r.read(p[:min(int64(len(p)), r.size-r.off)])
		if n > 0 {
			r.fails = 0
		}
		if err != nil && r.off < r.size {
			err = r.cut(err)
		}
		if n > 0 || err != nil || len(p) == 0 {
			return n, err
		}
	}
	return 0, io.EOF
}

// read reads from the body; it opens one at r.off if there is none.
func (r *resumer) read(p []byte) (int, error) {
	if r.body == nil {
		body, start, err := r.open(r.off)
		if err != nil {
			return 0, finalError{err}
		}
		r.body = body
		if _, err := io.CopyN(io.Discard, body, r.off-start); err != nil {
			return 0, err
		}
	}
	n, err := r.body.Read(p)
	r.off += int64(n)
	return n, err
}

// finalError is an error that another attempt won't mend.
type finalError struct{ error }

// cut drops the body and waits, unless there is no use in going on: then it
// returns why.
func (r *resumer) cut(err error) error {
	r.Close()
	if f, ok := err.(finalError); ok {
		return f.error
	}
	if r.fails++; r.fails > maxResumes {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return fmt.Errorf("after %d of %d bytes: %w", r.off, r.size, err)
	}
	return r.wait(r.fails)
}

// Close closes the connection, if there is one.
func (r *resumer) Close() error {
	if r.body == nil {
		return nil
	}
	err := r.body.Close()
	r.body = nil
	return err
}

var errStalled = errors.New("the connection stalled")

// stallBody is the body of a response that is given up if a read of it waits
// too long. Only the waiting counts: who reads may take their time.
type stallBody struct {
	io.ReadCloser
	cancel context.CancelFunc
}

func (b *stallBody) Read(p []byte) (int, error) {
	t := time.AfterFunc(stallLimit, b.cancel)
	n, err := b.ReadCloser.Read(p)
	if !t.Stop() && err != nil && err != io.EOF {
		err = errStalled
	}
	return n, err
}

func (b *stallBody) Close() error {
	b.cancel()
	return b.ReadCloser.Close()
}
