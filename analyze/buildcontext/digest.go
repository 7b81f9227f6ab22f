package buildcontext

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io/fs"
	"strconv"
)

// Digest stands for what selections take of a tree. It is comparable with those
// of other trees, by the same [Rules], and with nothing else.
type Digest [sha256.Size]byte

// String returns the digest in hex.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// Rules are what counts to a builder. The zero Rules are BuildKit's.
type Rules struct {
	// Names tells that files count by their whole path in the context, and
	// links as what they lead to.
	Names bool
	// Root tells that it counts whether root owns a file, and which group root's
	// is; setuid and setgid don't count. See buildahLeaf.
	Root bool
}

// chain tells whether the rules are those of a builder that hashes each source
// by itself, in the order of the instruction.
func (r Rules) chain() bool { return r.Names || r.Root }

// The builders' rules.
var (
	BuildKit = Rules{}
	Classic  = Rules{Names: true} // builder/dockerfile/copy.go of the Docker Engine 20.10
	Buildah  = Rules{Root: true}  // add.go and copier of buildah 1.28
)

// Digest returns the digest of what the selections of one input take. Two
// digests are equal exactly if the builder's would be. What a selection takes
// is read, if it wasn't before. A selection that takes nothing is a
// [*NoMatchError]; but to BuildKit a pattern may match nothing, and it copies
// nothing then. A link that leads round in a circle is
// [ErrLinks].
func (t *Tree) Digest(ctx context.Context, sels []Selection, r Rules) (Digest, error) {
	if r.chain() {
		return t.chainDigest(ctx, sels, r)
	}
	taken, err := t.take(normal(sels))
	if err != nil {
		return Digest{}, err
	}
	var unread []*Entry
	for _, s := range taken {
		for _, it := range s.items {
			unread = it.unread(unread)
		}
	}
	if err := loadAll(ctx, unread); err != nil {
		return Digest{}, err
	}
	h := sha256.New()
	for _, s := range taken {
		d := s.digest()
		h.Write(d[:])
	}
	return Digest(h.Sum(nil)), nil
}

// taken is what one selection takes.
type taken struct {
	items  []item
	single bool
}

// take returns what each selection takes.
func (t *Tree) take(sels []Selection) ([]taken, error) {
	all := make([]taken, len(sels))
	for i := range sels {
		var err error
		if all[i].items, all[i].single, err = t.items(&sels[i]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// digest is contenthash's Checksum. All must have been loaded.
func (s *taken) digest() Digest {
	if s.single {
		return s.items[0].digest()
	}
	var l list
	for _, it := range s.items {
		key := it.key
		if key == "" {
			key = "/" // the directory that the selection is of
		}
		l.add(key, it.digest())
	}
	return l.sum()
}

// list is a digest of names and digests. As BuildKit, it says nothing of what
// made it: a directory's and a selection's are equal if what they list is.
type list struct{ h hash.Hash }

func (l *list) add(name string, d Digest) {
	if l.h == nil {
		l.h = sha256.New()
	}
	l.h.Write([]byte(name))
	l.h.Write([]byte{0})
	l.h.Write(d[:])
}

func (l *list) sum() Digest {
	if l.h == nil {
		return sha256.Sum256(nil)
	}
	return Digest(l.h.Sum(nil))
}

// unread appends the entries that a digest needs and that weren't read.
func (it *item) unread(entries []*Entry) []*Entry {
	switch {
	case it.n == nil:
		return entries
	case it.deep:
		return it.n.unread(entries)
	case it.n.entry.loaded():
		return entries
	}
	return append(entries, it.n.entry)
}

func (n *node) unread(entries []*Entry) []*Entry {
	if n.entry.IsDir() && n.sum.Load() != nil {
		return entries
	}
	if !n.entry.loaded() {
		entries = append(entries, n.entry)
	}
	for _, k := range n.kids {
		entries = k.unread(entries)
	}
	return entries
}

func (it *item) digest() Digest {
	switch {
	case it.n == nil:
		return sha256.Sum256([]byte("broken link"))
	case it.deep:
		return it.n.digest()
	}
	return it.n.leaf()
}

// digest returns the digest of a node and all that is below it.
func (n *node) digest() Digest {
	if !n.entry.IsDir() {
		return n.leaf()
	}
	if d := n.sum.Load(); d != nil {
		return *d
	}
	var l list
	l.add("/", n.leaf())
	for _, k := range n.kids {
		l.add("/"+k.name, k.digest())
	}
	d := l.sum()
	n.sum.Store(&d)
	return d
}

// leaf returns the digest of a node without what is below it. The root has
// none of its own; but that of an empty context BuildKit finds on its own disk,
// as a directory of 0755.
func (n *node) leaf() Digest {
	if n.entry.Path == "" && (len(n.kids) > 0 || n.entry == emptied) {
		return sha256.Sum256(nil)
	}
	e := n.entry
	b := e.header(make([]byte, 0, 128))
	if e.body != nil {
		for _, a := range e.body.attrs {
			b = strconv.AppendQuote(b, a.name)
			b = strconv.AppendQuote(b, a.value)
		}
		if e.Mode.IsRegular() || e.body.edited {
			b = append(b, e.body.id[:]...)
		}
	}
	return sha256.Sum256(b)
}

// header appends what counts of an entry beside its body.
func (e *Entry) header(b []byte) []byte {
	b = append(b, e.kind())
	number := func(n uint64) { b = append(strconv.AppendUint(b, n, 10), ' ') }
	number(uint64(e.Mode.Perm()))
	for _, bit := range [...]fs.FileMode{fs.ModeSetuid, fs.ModeSetgid, fs.ModeSticky} {
		number(uint64(e.Mode & bit))
	}
	number(uint64(e.Size))
	number(e.device)
	return strconv.AppendQuote(b, e.Link)
}

// kind returns a letter for an entry's type.
func (e *Entry) kind() byte {
	switch m := e.Mode; {
	case m.IsDir():
		return 'd'
	case m&fs.ModeSymlink != 0:
		return 'l'
	case m&fs.ModeNamedPipe != 0:
		return 'p'
	case m&fs.ModeCharDevice != 0:
		return 'c'
	case m&fs.ModeDevice != 0:
		return 'b'
	}
	return 'f'
}
