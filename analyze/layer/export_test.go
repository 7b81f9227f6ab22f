package layer

import "unsafe"

// MemSize returns the bytes of memory the index holds, names included.
func (x *Index) MemSize() int64 {
	n := int64(0)
	for _, p := range x.pages {
		n += int64(cap(p)) * int64(unsafe.Sizeof(Entry{}))
	}
	n += int64(cap(x.dirs)) * int64(unsafe.Sizeof(dir{}))
	for _, c := range x.arena {
		n += int64(cap(c))
	}
	n += int64(cap(x.extras)) * int64(unsafe.Sizeof(extra{}))
	return n
}
