package cascade

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
)

// hasher makes keys: strings go in with their lengths, so that no two lists of
// strings are the same to it.
type hasher struct{ hash.Hash }

func newHash() hasher { return hasher{sha256.New()} }

func (h hasher) num(n int) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], uint64(n))
	h.Write(b[:])
}

func (h hasher) str(s string) {
	h.num(len(s))
	h.Write([]byte(s)) // never fails
}

func (h hasher) sum() (sum [sha256.Size]byte) {
	h.Hash.Sum(sum[:0])
	return sum
}

// seal computes a node's key, and what it is with all that it reads.
func (n *Node) seal() {
	h := newHash()
	h.str(string(n.Kind))
	h.num(len(n.In))
	h.num(len(n.Parts))
	for _, p := range n.Parts {
		h.str(p.Name)
		h.str(p.Value)
	}
	if n.env != nil {
		h.Write(n.env.sum[:])
	}
	sum := h.sum()
	n.key = string(sum[:])

	h = newHash()
	h.str(n.key)
	for i := range n.In {
		h.str(n.In[i].From.sig)
		h.str(n.In[i].Selector)
	}
	sum = h.sum()
	n.sig = string(sum[:])
}
