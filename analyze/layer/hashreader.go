package layer

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"sync"
	"sync/atomic"
)

// hashReader reads blocks ahead from r, gives them to a goroutine that hashes
// them and to its own reader at once, and recycles a block when both are done:
// the bytes are copied once, out of the block.
type hashReader struct {
	r       io.Reader
	onBlock func(n int) // called for each block when it is read; may be nil
	n       int64       // bytes read from r

	block *block // being consumed
	off   int    // consumed of it
	err   error  // of r, to be returned after block

	hash   hash.Hash
	queue  chan *block
	done   chan struct{}
	once   sync.Once
	blocks sync.Pool
}

// block is a piece of the stream that two readers share.
type block struct {
	buf  []byte
	n    int
	refs atomic.Int32
}

// queued is how many blocks the hash may lag behind.
const queued = 4

func newHashReader(r io.Reader, blockSize int) *hashReader {
	h := &hashReader{
		r:     r,
		hash:  sha256.New(),
		queue: make(chan *block, queued),
		done:  make(chan struct{}),
	}
	h.blocks.New = func() any { return &block{buf: make([]byte, blockSize)} }
	go h.run()
	return h
}

func (h *hashReader) run() {
	defer close(h.done)
	for b := range h.queue {
		h.hash.Write(b.buf[:b.n])
		h.release(b)
	}
}

func (h *hashReader) release(b *block) {
	if b.refs.Add(-1) == 0 {
		h.blocks.Put(b)
	}
}

// Read implements io.Reader.
func (h *hashReader) Read(p []byte) (int, error) {
	if h.block == nil {
		if err := h.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, h.block.buf[h.off:h.block.n])
	h.off += n
	if h.off == h.block.n {
		h.release(h.block)
		h.block = nil
	}
	return n, nil
}

// next reads a block, filled up: nobody waits for a part of it, and handing over
// the small pieces that a network gives would cost more than hashing them.
func (h *hashReader) next() error {
	if h.err != nil {
		return h.err
	}
	b := h.blocks.Get().(*block)
	for b.n = 0; b.n < len(b.buf) && h.err == nil; {
		var n int
		n, h.err = h.r.Read(b.buf[b.n:])
		b.n += n
	}
	if b.n == 0 {
		h.blocks.Put(b)
		return h.err
	}
	h.n += int64(b.n)
	if h.onBlock != nil {
		h.onBlock(b.n)
	}
	b.refs.Store(2)
	h.queue <- b
	h.block, h.off = b, 0
	return nil
}

// pos returns how many bytes have been consumed.
func (h *hashReader) pos() int64 {
	if h.block == nil {
		return h.n
	}
	return h.n - int64(h.block.n-h.off)
}

// stop ends the goroutine; sum and stop may be called in any order and again.
func (h *hashReader) stop() {
	h.once.Do(func() { close(h.queue) })
	<-h.done
}

// sum returns the SHA-256 of all bytes read from r, in hex.
func (h *hashReader) sum() string {
	h.stop()
	return hex.EncodeToString(h.hash.Sum(nil))
}

// paddedSum returns what sum would be had zeros filled up the last record.
func (h *hashReader) paddedSum(record int64) string {
	h.stop()
	sum, err := h.hash.(hash.Cloner).Clone()
	if err != nil {
		return "" // crypto/sha256 has none
	}
	sum.Write(make([]byte, (record-h.n%record)%record))
	return hex.EncodeToString(sum.Sum(nil))
}
