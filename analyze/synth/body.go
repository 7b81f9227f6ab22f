package synth

import (
	"encoding/binary"
	"io"
	"math/rand/v2"
)

// Body is a regular file of size pseudo-random bytes that compress to about a
// third, as programs do. Equal sizes and seeds give equal bodies.
func Body(name string, size int64, seed uint64, opts ...Option) Entry {
	return Stream(name, size, func() io.Reader { return &body{left: size, seed: seed, fresh: chunkLen / 4} }, opts...)
}

// Noise is like Body, but its bytes don't compress, as those of archives and
// pictures don't.
func Noise(name string, size int64, seed uint64, opts ...Option) Entry {
	return Stream(name, size, func() io.Reader { return &body{left: size, seed: seed, fresh: chunkLen} }, opts...)
}

// chunkLen is how many bytes of a body are made at a time.
const chunkLen = 4096

// body is an endless pseudo-random stream cut off after left bytes. Each chunk
// starts with fresh random bytes and then repeats them.
type body struct {
	left  int64
	seed  uint64
	fresh int // 8 ≤ fresh ≤ chunkLen, a divisor of it

	n     uint64 // chunks made
	chunk [chunkLen]byte
	rest  []byte // what of the chunk isn't read yet
}

func (b *body) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, io.EOF
	}
	if len(b.rest) == 0 {
		b.next()
	}
	n := copy(p[:min(int64(len(p)), b.left)], b.rest)
	b.rest = b.rest[n:]
	b.left -= int64(n)
	return n, nil
}

// next makes the next chunk.
func (b *body) next() {
	rng := rand.NewPCG(b.seed, b.n)
	b.n++
	for i := 0; i < b.fresh; i += 8 {
		binary.LittleEndian.PutUint64(b.chunk[i:], rng.Uint64())
	}
	for i := b.fresh; i < chunkLen; i += b.fresh {
		copy(b.chunk[i:], b.chunk[:b.fresh])
	}
	b.rest = b.chunk[:]
}
