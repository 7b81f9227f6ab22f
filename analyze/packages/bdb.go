package packages

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// The layout of a Berkeley DB hash (libdb, src/dbinc/db_page.h). Its numbers
// are in the order of the machine that wrote it.
const (
	bdbHashMagic  = 0x061561
	bdbMeta       = 72 // bytes of the first page's head that are read
	bdbMagicAt    = 12
	bdbPageSizeAt = 20
	bdbCryptAt    = 24
	bdbLastPageAt = 32

	bdbPageHeader = 26
	bdbNextAt     = 16
	bdbEntriesAt  = 20
	bdbUsedAt     = 22 // of an overflow page: bytes on it
	bdbTypeAt     = 25

	bdbUnsortedHash = 2  // page types
	bdbHash         = 13 // sorted, since 4.6
	bdbOverflow     = 7

	bdbKeyData = 1 // item types: the bytes themselves,
	bdbOffPage = 3 // or the overflow page where they begin
)

// bdb is a Berkeley DB hash.
type bdb struct {
	body  []byte
	order binary.ByteOrder
	page  int // bytes
	left  int // overflow pages that may still be read: each belongs to one value
}

// bdbOrder returns the byte order of a Berkeley DB hash, nil if it is none.
func bdbOrder(body []byte) binary.ByteOrder {
	if len(body) >= bdbMeta {
		for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
			if order.Uint32(body[bdbMagicAt:]) == bdbHashMagic {
				return order
			}
		}
	}
	return nil
}

func isBdb(body []byte) bool { return bdbOrder(body) != nil }

// eachBdb calls each for the headers in a Berkeley DB hash.
func eachBdb(body []byte, each func([]byte) error) error {
	db := bdb{body: body, order: bdbOrder(body)}
	size := db.order.Uint32(body[bdbPageSizeAt:])
	switch {
	case size < 512 || size > 64<<10 || size&(size-1) != 0:
		return fmt.Errorf("its pages are of %d bytes, which Berkeley DB has none of", size)
	case body[bdbCryptAt] != 0:
		return errors.New("it is encrypted")
	}
	db.page = int(size)
	db.left = len(body) / db.page
	if len(body)%db.page != 0 || uint64(db.order.Uint32(body[bdbLastPageAt:])) >= uint64(db.left) {
		return errCutShort
	}
	for page := range slices.Chunk(body, db.page) {
		if t := page[bdbTypeAt]; t != bdbHash && t != bdbUnsortedHash {
			continue
		}
		if err := db.values(page, each); err != nil {
			return err
		}
	}
	return nil
}

var errBdb = errors.New("a page of it is corrupt")

// values calls each for the values of a page of pairs. Their items grow from
// the page's end down; their offsets stand after its head.
func (db *bdb) values(page []byte, each func([]byte) error) error {
	n := int(db.order.Uint16(page[bdbEntriesAt:]))
	if n%2 != 0 || bdbPageHeader+2*n > len(page) {
		return errBdb
	}
	end := len(page)
	for i := range n {
		at := int(db.order.Uint16(page[bdbPageHeader+2*i:]))
		if at >= end || at < bdbPageHeader+2*n {
			return errBdb
		}
		item := page[at:end]
		end = at
		if i%2 == 0 {
			continue // a key
		}
		value, err := db.value(item)
		if err != nil {
			return err
		}
		if len(value) < rpmIntro+rpmEntry {
			continue // the count of packages, which stands among them
		}
		if err := each(value); err != nil {
			return err
		}
	}
	return nil
}

// value returns an item's value.
func (db *bdb) value(item []byte) ([]byte, error) {
	switch item[0] {
	case bdbKeyData:
		return item[1:], nil
	case bdbOffPage:
		if len(item) < 12 {
			return nil, errBdb
		}
		return db.overflow(db.order.Uint32(item[4:]), db.order.Uint32(item[8:]))
	}
	return nil, fmt.Errorf("it holds a value of a type that isn't known, %d", item[0])
}

// overflow returns a value of size bytes that begins on overflow page no.
func (db *bdb) overflow(no, size uint32) ([]byte, error) {
	if uint64(size) > uint64(len(db.body)) {
		return nil, errCutShort
	}
	value := make([]byte, 0, size)
	for no != 0 {
		at := uint64(no) * uint64(db.page)
		if at >= uint64(len(db.body)) {
			return nil, errCutShort
		}
		if db.left--; db.left < 0 {
			return nil, errors.New("its pages lead in circles")
		}
		page := db.body[at:][:db.page]
		used := int(db.order.Uint16(page[bdbUsedAt:]))
		if page[bdbTypeAt] != bdbOverflow || used > db.page-bdbPageHeader {
			return nil, errBdb
		}
		value = append(value, page[bdbPageHeader:][:used]...)
		no = db.order.Uint32(page[bdbNextAt:])
	}
	if len(value) != int(size) {
		return nil, errors.New("a value of it isn't as long as it should be")
	}
	return value, nil
}
