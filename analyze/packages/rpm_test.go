package packages

import (
	"bytes"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	rpmdb "github.com/knqyf263/go-rpmdb/pkg"
)

// distributions are the databases of real ones that come with go-rpmdb, for its
// own tests: Berkeley DB of both byte orders and two versions, SQLite, ndb.
func distributions(t testing.TB) []string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/knqyf263/go-rpmdb").Output()
	if err != nil {
		t.Fatal(err)
	}
	dbs, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(out)), "pkg", "testdata", "*", "*"))
	if err != nil || len(dbs) < 14 {
		t.Fatalf("%d databases, error %v", len(dbs), err)
	}
	return dbs
}

// TestDistributions compares with go-rpmdb.
func TestDistributions(t *testing.T) {
	for _, path := range distributions(t) {
		t.Run(filepath.Base(filepath.Dir(path)), func(t *testing.T) {
			body, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			got, left := map[string][]string{}, 0
			err = eachHeader(t.Context(), body, func(b []byte) error {
				r, err := parseRpmHeader(b)
				if err != nil {
					return err
				}
				h, _ := newRpmHeader(b)
				paths, err := h.paths() // go-rpmdb doesn't know that some weren't installed
				left += len(paths) - len(r.files)
				got[r.name+" "+r.version+" "+r.arch] = paths
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			want := theirs(t, path)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-go-rpmdb +got\n%.4000s", diff)
			}
			t.Logf("%d packages, %d files left out on installing", len(got), left)
		})
	}
}

// theirs returns what go-rpmdb reads: paths by name, version and architecture.
func theirs(t *testing.T, path string) map[string][]string {
	db, err := rpmdb.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	pkgs, err := db.ListPackages()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{}
	for _, p := range pkgs {
		files, err := p.InstalledFileNames()
		if err != nil {
			t.Fatal(err)
		}
		version := p.Version + "-" + p.Release
		if p.Epoch != nil {
			version = fmt.Sprintf("%d:%s", *p.Epoch, version)
		}
		want[p.Name+" "+version+" "+p.Arch] = files
	}
	return want
}

// header is a package's header, put together as rpm does.
type header struct {
	tags []byte
	data []byte
	n    uint32
}

func (h *header) add(tag, typ, count uint32, value []byte) {
	if typ == rpmInt32Type {
		h.data = append(h.data, make([]byte, -len(h.data)&3)...)
	}
	for _, n := range []uint32{tag, typ, uint32(len(h.data)), count} {
		h.tags = binary.BigEndian.AppendUint32(h.tags, n)
	}
	h.data = append(h.data, value...)
	h.n++
}

func (h *header) str(tag uint32, s string) { h.add(tag, rpmStringType, 1, append([]byte(s), 0)) }

func (h *header) strs(tag uint32, ss ...string) {
	h.add(tag, rpmStringArrayType, uint32(len(ss)), []byte(strings.Join(ss, "\x00")+"\x00"))
}

func (h *header) numbers(tag uint32, ns ...uint32) {
	var b []byte
	for _, n := range ns {
		b = binary.BigEndian.AppendUint32(b, n)
	}
	h.add(tag, rpmInt32Type, uint32(len(ns)), b)
}

func (h *header) bytes() []byte {
	b := binary.BigEndian.AppendUint32(nil, h.n)
	b = binary.BigEndian.AppendUint32(b, uint32(len(h.data)))
	return slices.Concat(b, h.tags, h.data)
}

// example is a header with all that is read.
func example() *header {
	h := new(header)
	h.str(rpmName, "bash")
	h.str(rpmVersion, "5.1")
	h.str(rpmRelease, "2.el9")
	h.numbers(rpmEpoch, 1)
	h.str(rpmArch, "x86_64")
	h.strs(rpmBaseNames, "bash", "sh", "gone", "bashrc")
	h.numbers(rpmDirIndexes, 0, 0, 0, 1)
	h.strs(rpmDirNames, "/usr/bin/", "/etc/")
	h.add(rpmFileStates, 1, 4, []byte{0, 0, rpmNotInstalled, 0})
	return h
}

func TestRpmHeader(t *testing.T) {
	rec, err := parseRpmHeader(example().bytes())
	if err != nil {
		t.Fatal(err)
	}
	want := &record{name: "bash", version: "1:5.1-2.el9", arch: "x86_64", files: []string{"/usr/bin/bash", "/usr/bin/sh", "/etc/bashrc"}}
	if diff := cmp.Diff(want, rec, cmp.AllowUnexported(record{})); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	for name, edit := range map[string]func(*header){
		"no name":          func(h *header) { h.str(rpmName, "") },
		"a name no string": func(h *header) { h.numbers(rpmName, 1) },
		"a directory that isn't there": func(h *header) {
			h.numbers(rpmDirIndexes, 0, 0, 0, 2)
		},
		"too few indexes":        func(h *header) { h.numbers(rpmDirIndexes, 0, 0) },
		"more names than bytes":  func(h *header) { h.add(rpmBaseNames, rpmStringArrayType, 1<<31, []byte("x\x00")) },
		"a name without an end":  func(h *header) { h.add(rpmArch, rpmStringType, 1, []byte("x86_64")) },
		"more numbers than data": func(h *header) { h.add(rpmDirIndexes, rpmInt32Type, 1<<31, nil) },
		"more states than data":  func(h *header) { h.add(rpmFileStates, 1, 1<<31, nil) },
	} {
		h := example()
		edit(h) // the later of two entries counts
		if rec, err := parseRpmHeader(h.bytes()); err == nil {
			t.Errorf("a header with %s is read as %+v", name, rec)
		}
	}
	whole := example().bytes()
	for n := range whole {
		if _, err := parseRpmHeader(whole[:n]); err == nil {
			t.Errorf("%d bytes of %d are read as a header", n, len(whole))
		}
	}
	// What stands behind a header is none of its business.
	if _, err := parseRpmHeader(append(whole, "more"...)); err != nil {
		t.Error(err)
	}
}

// TestRpmPathsBomb has a header whose paths take far more than itself.
func TestRpmPathsBomb(t *testing.T) {
	const n = 20_000
	h := new(header)
	h.str(rpmName, "bomb")
	h.strs(rpmBaseNames, slices.Repeat([]string{"f"}, n)...)
	h.numbers(rpmDirIndexes, make([]uint32, n)...)
	h.strs(rpmDirNames, "/"+strings.Repeat("x", 100_000)+"/")
	if _, err := parseRpmHeader(h.bytes()); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("error %v", err)
	}
}

// sqliteFile returns an SQLite database of these statements.
func sqliteFile(t testing.TB, statements ...string) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rpmdb.sqlite")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range statements {
		if _, err := db.Exec(s); err != nil {
			t.Fatal(s, err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	body, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

const rpmTable = "CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)"

// TestHostileSqlite has databases whose schemas compute what nobody stored.
func TestHostileSqlite(t *testing.T) {
	row := fmt.Sprintf("INSERT INTO Packages (blob) VALUES (x'%x')", example().bytes())
	for name, tt := range map[string]struct {
		statements []string
		edit       func([]byte) []byte
		want       string // error, "" for none
	}{
		"fine":   {statements: []string{rpmTable, row}},
		"a log":  {statements: []string{"PRAGMA journal_mode = WAL", rpmTable, row}},
		"a view": {statements: []string{"CREATE VIEW Packages AS WITH RECURSIVE n(blob) AS (SELECT 1 UNION ALL SELECT blob + 1 FROM n) SELECT blob FROM n"}, want: "no table"},
		"a generated column": {statements: []string{
			"CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob BLOB GENERATED ALWAYS AS (zeroblob(1000000000)))", "INSERT INTO Packages (hnum) VALUES (1)",
		}, want: "no table"},
		"no table":       {statements: []string{"CREATE TABLE packets (x)"}, want: "no table"},
		"no blob":        {statements: []string{"CREATE TABLE Packages (x)"}, want: "no table"},
		"a wrong header": {statements: []string{rpmTable, "INSERT INTO Packages (blob) VALUES ('x')"}, want: "corrupt"},
		"cut":            {statements: []string{rpmTable, row}, edit: func(b []byte) []byte { return b[:len(b)-512] }, want: "cut short"},
		"a head":         {statements: []string{rpmTable, row}, edit: func(b []byte) []byte { return b[:50] }, want: "cut short"},
		"zeros": {statements: []string{rpmTable, row}, edit: func(b []byte) []byte {
			clear(b[200:])
			return b
		}, want: "schema"},
	} {
		t.Run(name, func(t *testing.T) {
			body := sqliteFile(t, tt.statements...)
			if tt.edit != nil {
				body = tt.edit(body)
			}
			recs, err := readRpm(t.Context(), NewReader(), body)
			switch {
			case tt.want == "" && (err != nil || len(recs) != 1):
				t.Errorf("%d packages, error %v", len(recs), err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

// ndbFile returns an ndb database of one page of slots.
func ndbFile(headers ...[]byte) []byte {
	b := make([]byte, ndbPage)
	copy(b, ndbMagic)
	binary.LittleEndian.PutUint32(b[12:], 1)
	for at := ndbFirst * ndbUnit; at < ndbPage; at += ndbUnit {
		copy(b[at:], ndbSlotMagic)
	}
	for i, h := range headers {
		slot := b[(ndbFirst+i)*ndbUnit:]
		binary.LittleEndian.PutUint32(slot[4:], uint32(i+1))
		binary.LittleEndian.PutUint32(slot[8:], uint32(len(b)/ndbUnit))
		b = append(b, ndbBlobMagic...)
		for _, n := range []int{i + 1, 0, len(h)} {
			b = binary.LittleEndian.AppendUint32(b, uint32(n))
		}
		b = append(b, h...)
		b = append(b, make([]byte, -len(b)&(ndbUnit-1))...)
	}
	return b
}

// bdbFile returns a Berkeley DB hash of pages of 512 bytes: head, pairs,
// overflow pages.
func bdbFile(order binary.ByteOrder, headers ...[]byte) []byte {
	const size = 512
	meta, pairs := make([]byte, size), make([]byte, size)
	order.PutUint32(meta[bdbMagicAt:], bdbHashMagic)
	order.PutUint32(meta[bdbPageSizeAt:], size)
	meta[bdbTypeAt] = 8
	pairs[bdbTypeAt] = bdbHash
	var overflow []byte
	end, n := size, 0
	item := func(b []byte) {
		end -= copy(pairs[end-len(b):], b)
		order.PutUint16(pairs[bdbPageHeader+2*n:], uint16(end))
		n++
		order.PutUint16(pairs[bdbEntriesAt:], uint16(n))
	}
	item([]byte{bdbKeyData, 0, 0, 0, 0})
	item([]byte{bdbKeyData, 1, 0, 0, 0}) // the count
	for i, h := range headers {
		item([]byte{bdbKeyData, byte(i + 1), 0, 0, 0})
		off := make([]byte, 12)
		off[0] = bdbOffPage
		order.PutUint32(off[4:], uint32(2+len(overflow)/size))
		order.PutUint32(off[8:], uint32(len(h)))
		item(off)
		for len(h) > 0 {
			page := make([]byte, size)
			page[bdbTypeAt] = bdbOverflow
			used := copy(page[bdbPageHeader:], h)
			h = h[used:]
			order.PutUint16(page[bdbUsedAt:], uint16(used))
			if len(h) > 0 {
				order.PutUint32(page[bdbNextAt:], uint32(3+len(overflow)/size))
			}
			overflow = append(overflow, page...)
		}
	}
	order.PutUint32(meta[bdbLastPageAt:], uint32(1+len(overflow)/size))
	return slices.Concat(meta, pairs, overflow)
}

// TestRpmFormats reads small databases of ours, whole and with what may be
// wrong with them.
func TestRpmFormats(t *testing.T) {
	big := example()
	big.str(1004, strings.Repeat("a summary ", 200))
	headers := [][]byte{example().bytes(), big.bytes()}
	files := map[string][]byte{
		"ndb":         ndbFile(headers...),
		"bdb":         bdbFile(binary.LittleEndian, headers...),
		"bdb swapped": bdbFile(binary.BigEndian, headers...),
	}
	for name, whole := range files {
		recs, err := readRpm(t.Context(), NewReader(), whole)
		if err != nil || len(recs) != 2 || recs[0].name != "bash" {
			t.Errorf("%s: %d packages, error %v", name, len(recs), err)
		}
		for n := 4; n < len(whole); n += 16 {
			if recs, err := readRpm(t.Context(), NewReader(), whole[:n]); err == nil {
				t.Errorf("%s: %d of %d bytes are read as %d packages", name, n, len(whole), len(recs))
			}
		}
	}
	circle := bytes.Clone(files["bdb"])
	for page := range slices.Chunk(circle, 512) {
		if page[bdbTypeAt] == bdbOverflow {
			binary.LittleEndian.PutUint32(page[bdbNextAt:], 2)
		}
	}
	if _, err := readRpm(t.Context(), NewReader(), circle); err == nil || !strings.Contains(err.Error(), "circles") {
		t.Errorf("pages in a circle give error %v", err)
	}
}

// TestRecordsOnce reads a database twice, as two layers have it.
func TestRecordsOnce(t *testing.T) {
	r := NewReader()
	a, errA := readRpm(t.Context(), r, ndbFile(example().bytes()))
	b, errB := readRpm(t.Context(), r, bdbFile(binary.BigEndian, example().bytes()))
	if err := errors.Join(errA, errB); err != nil || a[0] != b[0] {
		t.Errorf("two records of one package, error %v", err)
	}
}

// TestKeepsNoMore has a reader that is full.
func TestKeepsNoMore(t *testing.T) {
	r := NewReader()
	r.kept.Store(maxKept - 300)
	if _, err := readRpm(t.Context(), r, ndbFile(example().bytes())); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("error %v", err)
	}
	l := &tap{ctx: t.Context(), reader: r, files: map[int]*file{}}
	l.Open(1, "var/lib/dpkg/info/x.list", 3)
	l.Write([]byte("/x\n"))
	l.Close()
	if f := l.files[1]; f.err != nil || f.list != "/x\n" {
		t.Errorf("what still fits is %+v", f)
	}
	l.Open(2, "var/lib/dpkg/info/y.list", 300)
	l.Write([]byte(strings.Repeat("/y\n", 100)))
	l.Close()
	if f := l.files[2]; f.err == nil || f.list != "" {
		t.Errorf("what doesn't fit is %+v", f)
	}
}

// FuzzRpm reads anything as a database. It may be wrong, but nothing else.
func FuzzRpm(f *testing.F) {
	f.Add(ndbFile(example().bytes()))
	f.Add(bdbFile(binary.LittleEndian, example().bytes()))
	f.Add(bdbFile(binary.BigEndian, example().bytes()))
	f.Add(sqliteFile(f, "PRAGMA page_size = 512", rpmTable, fmt.Sprintf("INSERT INTO Packages (blob) VALUES (x'%x')", example().bytes())))
	f.Fuzz(func(t *testing.T, body []byte) {
		recs, err := readRpm(t.Context(), NewReader(), body)
		if err != nil && recs != nil {
			t.Error("both packages and an error")
		}
		for _, r := range recs {
			if r.name == "" {
				t.Error("a package without a name")
			}
		}
	})
}

// FuzzRpmHeader reads anything as a header.
func FuzzRpmHeader(f *testing.F) {
	f.Add(example().bytes())
	f.Fuzz(func(t *testing.T, body []byte) {
		rec, err := parseRpmHeader(body)
		if err == nil && rec.name == "" {
			t.Error("a package without a name")
		}
	})
}
