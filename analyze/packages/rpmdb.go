package packages

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// readRpm reads rpm's database, of whichever format it is. rpm has had three:
// Berkeley DB up to 4.15, SQLite since 4.16, and its own, "ndb", which SUSE
// uses. Each holds the packages' headers.
//
// github.com/knqyf263/go-rpmdb reads them too, and the tests compare with it.
// It isn't used here since it trusts its input: in goroutines of its own, where
// nobody can recover, it indexes by what the file says, it follows pages in
// circles, allocates what lengths claim, and prints.
func readRpm(ctx context.Context, r *Reader, body []byte) ([]*record, error) {
	var recs []*record
	each := func(header []byte) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		rec, err := r.record(header, parseRpmHeader)
		if err == nil {
			recs = append(recs, rec)
		}
		return err
	}
	if err := eachHeader(ctx, body, each); err != nil {
		return nil, err
	}
	return recs, nil
}

// eachHeader calls each for the headers in a database, which are valid until it
// returns.
func eachHeader(ctx context.Context, body []byte, each func([]byte) error) error {
	switch {
	case bytes.HasPrefix(body, []byte(sqliteMagic)):
		return eachSqlite(ctx, body, each)
	case bytes.HasPrefix(body, []byte(ndbMagic)):
		return eachNdb(body, each)
	case isBdb(body):
		return eachBdb(body, each)
	}
	return errors.New("it is of no format that is known: not SQLite, ndb or a Berkeley DB hash")
}

// The head of an SQLite database (sqlite.org/fileformat.html, §1.3).
const (
	sqliteMagic        = "SQLite format 3\x00"
	sqliteHeader       = 100
	sqliteWriteVersion = 18
	sqliteReadVersion  = 19
	sqliteRollback     = 1 // 2: there may be a write-ahead log
	sqlitePageSize     = 16
	sqlitePages        = 28
)

var errCutShort = errors.New("it is cut short")

// eachSqlite calls each for the headers in an SQLite database. The database is
// a stranger's: its schema may call for any computation. Only a plain table's
// plain column is asked for, so that nothing but stored bytes is read.
func eachSqlite(ctx context.Context, body []byte, each func([]byte) error) (err error) {
	if len(body) < sqliteHeader {
		return errCutShort
	}
	size := uint64(binary.BigEndian.Uint16(body[sqlitePageSize:]))
	if size == 1 { // stands for what doesn't fit 16 bits
		size = 64 << 10
	}
	if size*uint64(binary.BigEndian.Uint32(body[sqlitePages:])) > uint64(len(body)) {
		return errCutShort
	}
	// In memory there is no log. One that the image has is looked for apart.
	body = bytes.Clone(body)
	body[sqliteWriteVersion], body[sqliteReadVersion] = sqliteRollback, sqliteRollback

	db, err := sql.Open("sqlite", ":memory:?_pragma=trusted_schema(0)&_pragma=cell_size_check(1)&_pragma=mmap_size(0)")
	if err != nil {
		return fmt.Errorf("opening SQLite: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	conn, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("opening SQLite: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	err = conn.Raw(func(c any) error {
		d, ok := c.(interface{ Deserialize([]byte) error })
		if !ok {
			return errors.New("the driver can't read from memory")
		}
		return d.Deserialize(body)
	})
	if err != nil {
		return fmt.Errorf("opening the database: %w", err)
	}
	if err := isPlainTable(ctx, conn); err != nil {
		return err
	}
	return eachRow(ctx, conn, len(body), each)
}

// isPlainTable returns an error unless the database has a plain table Packages
// with a plain column blob.
func isPlainTable(ctx context.Context, conn *sql.Conn) error {
	var n int
	err := conn.QueryRowContext(ctx, `
		SELECT count(*) FROM pragma_table_list AS t, pragma_table_xinfo('Packages') AS c
		WHERE t.schema = 'main' AND t.name = 'Packages' AND t.type = 'table' AND c.name = 'blob' AND c.hidden = 0`).Scan(&n)
	switch {
	case err != nil:
		return fmt.Errorf("reading its schema: %w", err)
	case n != 1:
		return errors.New("it has no table of packages")
	}
	return nil
}

// eachRow calls each for the rows of the table, which hold no more bytes than
// the database does.
func eachRow(ctx context.Context, conn *sql.Conn, limit int, each func([]byte) error) (err error) {
	rows, err := conn.QueryContext(ctx, "SELECT blob FROM main.Packages NOT INDEXED")
	if err != nil {
		return fmt.Errorf("reading its packages: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for size := 0; rows.Next(); {
		var header sql.RawBytes
		if err := rows.Scan(&header); err != nil {
			return fmt.Errorf("reading a package: %w", err)
		}
		if size += len(header) + 1; size > limit {
			return errors.New("its packages have more bytes than it has")
		}
		if err := each(header); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("reading its packages: %w", err)
	}
	return nil
}

// The layout of rpm's own format (rpm, lib/backend/ndb/rpmpkg.c). All is
// little-endian, in units of 16 bytes.
const (
	ndbMagic     = "RpmP"
	ndbSlotMagic = "Slot"
	ndbBlobMagic = "BlbS"
	ndbUnit      = 16
	ndbPage      = 4096
	ndbFirst     = 2 // the slots that the header takes
)

// eachNdb calls each for the headers in an ndb database.
func eachNdb(body []byte, each func([]byte) error) error {
	if len(body) < ndbFirst*ndbUnit {
		return errCutShort
	}
	if v := binary.LittleEndian.Uint32(body[4:]); v != 0 {
		return fmt.Errorf("it is of version %d of its format, not 0", v)
	}
	size := uint64(binary.LittleEndian.Uint32(body[12:])) * ndbPage
	if size == 0 || size > uint64(len(body)) {
		return errCutShort
	}
	for at := ndbFirst * ndbUnit; at < int(size); at += ndbUnit {
		slot := body[at : at+ndbUnit]
		if string(slot[:4]) != ndbSlotMagic {
			return errors.New("a slot of it is corrupt")
		}
		index := binary.LittleEndian.Uint32(slot[4:])
		if index == 0 {
			continue // free
		}
		header, err := ndbBlob(body, index, binary.LittleEndian.Uint32(slot[8:]))
		if err != nil {
			return err
		}
		if err := each(header); err != nil {
			return err
		}
	}
	return nil
}

// ndbBlob returns the header of package index, at an offset in units.
func ndbBlob(body []byte, index, offset uint32) ([]byte, error) {
	at := uint64(offset) * ndbUnit
	if at+ndbUnit > uint64(len(body)) {
		return nil, errCutShort
	}
	head, rest := body[at:at+ndbUnit], body[at+ndbUnit:]
	if string(head[:4]) != ndbBlobMagic || binary.LittleEndian.Uint32(head[4:]) != index {
		return nil, errors.New("a package of it is corrupt")
	}
	n := uint64(binary.LittleEndian.Uint32(head[12:]))
	if n > uint64(len(rest)) {
		return nil, errCutShort
	}
	return rest[:n], nil
}
