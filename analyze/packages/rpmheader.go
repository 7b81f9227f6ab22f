package packages

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// The tags of a package's header that matter here, and the types of their
// values (rpm, include/rpm/rpmtag.h).
const (
	rpmName         = 1000
	rpmVersion      = 1001
	rpmRelease      = 1002
	rpmEpoch        = 1003
	rpmArch         = 1022
	rpmOldFileNames = 1027
	rpmFileStates   = 1029
	rpmDirIndexes   = 1116
	rpmBaseNames    = 1117
	rpmDirNames     = 1118

	rpmInt8Type        = 2 // and char, 1
	rpmInt32Type       = 4
	rpmStringType      = 6
	rpmStringArrayType = 8
	rpmI18NStringType  = 9
)

// The states of files that aren't there for this package (rpm, rpmfiles.h):
// another package replaced it, or it was left out.
const (
	rpmReplaced     = 1
	rpmNotInstalled = 2
	rpmWrongColor   = 4
)

var errHeader = errors.New("a package's header is corrupt")

// rpmHeader is a package's header as rpm keeps it: a count of entries, a count
// of bytes, the entries, the bytes that they point into, all big-endian (rpm,
// docs/manual/format_header.md).
type rpmHeader struct {
	entries []byte
	data    []byte
}

const (
	rpmIntro = 8
	rpmEntry = 16
)

func newRpmHeader(b []byte) (rpmHeader, error) {
	if len(b) < rpmIntro {
		return rpmHeader{}, errHeader
	}
	n, size := uint64(binary.BigEndian.Uint32(b)), uint64(binary.BigEndian.Uint32(b[4:]))
	if n == 0 || rpmIntro+n*rpmEntry+size > uint64(len(b)) {
		return rpmHeader{}, errHeader
	}
	data := rpmIntro + n*rpmEntry
	return rpmHeader{b[rpmIntro:data], b[data : data+size]}, nil
}

// find returns the value of a tag from its first byte to the header's last, with
// its type and count; false if there is none. Of two entries the later counts:
// what rpm adds on installing stands behind what the package came with.
func (h rpmHeader) find(tag uint32) (value []byte, typ, count uint32, ok bool) {
	for e := h.entries; len(e) > 0; e = e[rpmEntry:] {
		if binary.BigEndian.Uint32(e) != tag {
			continue
		}
		typ, count = binary.BigEndian.Uint32(e[4:]), binary.BigEndian.Uint32(e[12:])
		offset := uint64(binary.BigEndian.Uint32(e[8:]))
		value, ok = h.data[min(offset, uint64(len(h.data))):], true
	}
	return value, typ, count, ok
}

// str returns the string of a tag, "" if there is none.
func (h rpmHeader) str(tag uint32) (string, error) {
	b, typ, _, ok := h.find(tag)
	if !ok {
		return "", nil
	}
	s, _, ended := bytes.Cut(b, []byte{0})
	if !ended || typ != rpmStringType && typ != rpmI18NStringType {
		return "", errHeader
	}
	return string(s), nil
}

// strs returns the strings of a tag.
func (h rpmHeader) strs(tag uint32) ([]string, error) {
	b, typ, count, ok := h.find(tag)
	if !ok {
		return nil, nil
	}
	if typ != rpmStringArrayType && typ != rpmStringType || uint64(count) > uint64(len(b)) {
		return nil, errHeader
	}
	out := make([]string, count)
	for i := range out {
		s, rest, ended := bytes.Cut(b, []byte{0})
		if !ended {
			return nil, errHeader
		}
		out[i], b = string(s), rest
	}
	return out, nil
}

// numbers returns the 32-bit numbers of a tag.
func (h rpmHeader) numbers(tag uint32) ([]uint32, error) {
	b, typ, count, ok := h.find(tag)
	if !ok {
		return nil, nil
	}
	if typ != rpmInt32Type || uint64(count)*4 > uint64(len(b)) {
		return nil, errHeader
	}
	out := make([]uint32, count)
	for i := range out {
		out[i] = binary.BigEndian.Uint32(b[4*i:])
	}
	return out, nil
}

// states returns the states of a package's files, nil if all are as they should
// be.
func (h rpmHeader) states() ([]byte, error) {
	b, typ, count, ok := h.find(rpmFileStates)
	if !ok {
		return nil, nil
	}
	if typ > rpmInt8Type || uint64(count) > uint64(len(b)) {
		return nil, errHeader
	}
	return b[:count], nil
}

// parseRpmHeader reads what a package's header says.
func parseRpmHeader(b []byte) (*record, error) {
	h, err := newRpmHeader(b)
	if err != nil {
		return nil, err
	}
	rec := new(record)
	var release string
	for _, s := range []struct {
		tag  uint32
		into *string
	}{{rpmName, &rec.name}, {rpmVersion, &rec.version}, {rpmRelease, &release}, {rpmArch, &rec.arch}} {
		if *s.into, err = h.str(s.tag); err != nil {
			return nil, err
		}
	}
	if rec.name == "" {
		return nil, errNoName
	}
	if release != "" {
		rec.version += "-" + release
	}
	epoch, err := h.numbers(rpmEpoch)
	if err != nil {
		return nil, err
	}
	if len(epoch) > 0 {
		rec.version = fmt.Sprintf("%d:%s", epoch[0], rec.version)
	}
	rec.files, err = h.files()
	return rec, err
}

// files returns the paths of a package's files that are there.
func (h rpmHeader) files() ([]string, error) {
	paths, err := h.paths()
	if err != nil {
		return nil, err
	}
	states, err := h.states()
	if err != nil {
		return nil, err
	}
	out := paths[:0]
	for i, p := range paths {
		if i < len(states) && (states[i] == rpmReplaced || states[i] == rpmNotInstalled || states[i] == rpmWrongColor) {
			continue
		}
		out = append(out, p)
	}
	return out, nil
}

// maxPaths is the most bytes that the paths of a package may have: directories
// are stored once, so a small header could hold very many.
const maxPaths = 64 << 20

// paths returns the paths of a package's files.
func (h rpmHeader) paths() ([]string, error) {
	bases, err := h.strs(rpmBaseNames)
	if err != nil {
		return nil, err
	}
	if bases == nil {
		return h.strs(rpmOldFileNames) // rpm 3 stored whole paths
	}
	dirs, err := h.strs(rpmDirNames)
	if err != nil {
		return nil, err
	}
	indexes, err := h.numbers(rpmDirIndexes)
	if err != nil {
		return nil, err
	}
	if len(indexes) != len(bases) {
		return nil, errHeader
	}
	size := 0
	for i, base := range bases {
		if uint64(indexes[i]) >= uint64(len(dirs)) {
			return nil, errHeader
		}
		dir := dirs[indexes[i]]
		if size += len(dir) + len(base); size > maxPaths {
			return nil, fmt.Errorf("the paths of a package have more than %d bytes", maxPaths)
		}
		bases[i] = dir + base
	}
	return bases, nil
}
