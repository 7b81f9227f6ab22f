package layer

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"maps"
	"testing"
	"time"
)

// oneMember is what both readers must agree on.
type oneMember struct {
	name, link   string
	flag         byte
	mode         int64
	uid, gid     int64
	size         int64
	claimed      int64
	mtime        int64
	nsec         int
	major, minor int64
	pax          map[string]string
	body         string
}

// Bodies larger than maxBody end the comparison: a sparse file's may go on for
// years.
const maxBody = 1 << 20

var errBody = errors.New("large body")

// ours reads a tar with members, standard with archive/tar. Both stop at the
// first error.
func ours(data []byte) (all []oneMember, err error) {
	t := &members{r: bytes.NewReader(data)}
	for {
		m, err := t.next()
		if err != nil {
			return all, err
		}
		if m.size > maxBody {
			return all, errBody
		}
		body, err := io.ReadAll(m.body)
		if err == nil && isFile(m.flag) && int64(len(body)) < m.size {
			err = io.ErrUnexpectedEOF // as the builder has it
		}
		if err != nil {
			return all, err
		}
		all = append(all, oneMember{string([]byte(m.name)), string([]byte(m.link)), m.flag, m.mode, m.uid, m.gid, m.size, m.claimed, m.mtime, m.mtimeNsec, m.major, m.minor, m.pax, string(body)})
	}
}

func standard(data []byte) (all []oneMember, err error) {
	t := tar.NewReader(bytes.NewReader(data))
	for {
		h, err := t.Next()
		if err != nil {
			return all, err
		}
		if h.Size > maxBody {
			return all, errBody
		}
		body, err := io.ReadAll(t)
		if err != nil {
			return all, err
		}
		all = append(all, oneMember{h.Name, h.Linkname, h.Typeflag, h.Mode, int64(h.Uid), int64(h.Gid), h.Size, h.Size, h.ModTime.Unix(), h.ModTime.Nanosecond(), h.Devmajor, h.Devminor, h.PAXRecords, string(body)})
	}
}

// compare fails unless both read the same members and both end well or both
// don't.
func compare(t *testing.T, data []byte) {
	t.Helper()
	got, gotErr := ours(data)
	want, wantErr := standard(data)
	if (gotErr == io.EOF) != (wantErr == io.EOF) {
		t.Fatalf("error %v, archive/tar has %v", gotErr, wantErr)
	}
	if errors.Is(gotErr, io.ErrUnexpectedEOF) != errors.Is(wantErr, io.ErrUnexpectedEOF) {
		t.Fatalf("error %v, archive/tar has %v", gotErr, wantErr)
	}
	if len(got) != len(want) {
		t.Fatalf("%d members, archive/tar reads %d", len(got), len(want))
	}
	for i := range got {
		g, w := got[i], want[i]
		if !isFile(w.flag) {
			g.size, w.size = 0, 0 // only a file's counts
		}
		if !maps.Equal(g.pax, w.pax) {
			t.Fatalf("member %d: records %v, archive/tar has %v", i, g.pax, w.pax)
		}
		g.pax, w.pax = nil, nil
		if !sameMember(g, w) {
			t.Fatalf("member %d:\n%+v\narchive/tar:\n%+v", i, g, w)
		}
	}
}

func isFile(flag byte) bool { return typeOf(flag) == File }

func sameMember(a, b oneMember) bool {
	return a.name == b.name && a.link == b.link && a.flag == b.flag && a.mode == b.mode && a.uid == b.uid && a.gid == b.gid &&
		a.size == b.size && a.claimed == b.claimed && a.mtime == b.mtime && a.nsec == b.nsec && a.major == b.major && a.minor == b.minor && a.body == b.body
}

func makeTar(t testing.TB, headers ...tar.Header) []byte {
	t.Helper()
	var buf bytes.Buffer
	tw := tar.NewWriter(&buf)
	for _, h := range headers {
		if err := tw.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := tw.Write(bytes.Repeat([]byte{'b'}, int(h.Size))); err != nil {
			t.Fatal(err)
		}
	}
	if err := tw.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// tarSamples are tars of every kind that is parsed here or delegated.
func tarSamples(t testing.TB) map[string][]byte {
	long := string(bytes.Repeat([]byte("dir/"), 60)) + "file"
	when := time.Unix(1700000000, 123456789)
	ustar := makeTar(t,
		tar.Header{Name: "d/", Typeflag: tar.TypeDir, Mode: 0o755},
		tar.Header{Name: "d/f", Typeflag: tar.TypeReg, Size: 700, Mode: 0o4644, Uid: 10, Gid: 20, ModTime: time.Unix(1700000000, 0)},
		tar.Header{Name: "d/s", Typeflag: tar.TypeSymlink, Linkname: "../f"},
		tar.Header{Name: "d/h", Typeflag: tar.TypeLink, Linkname: "d/f"},
		tar.Header{Name: "d/c", Typeflag: tar.TypeChar, Devmajor: 1, Devminor: 3},
		tar.Header{Name: "d/p", Typeflag: tar.TypeFifo},
		tar.Header{Name: string(bytes.Repeat([]byte("p/"), 70)) + "name", Typeflag: tar.TypeReg, Size: 512},
	)
	return map[string][]byte{
		"empty":        {},
		"ustar":        ustar,
		"no end":       ustar[:len(ustar)-1024],
		"one zero":     ustar[:len(ustar)-512],
		"cut header":   ustar[:600],
		"cut body":     ustar[:1500],
		"cut padding":  ustar[:2500],
		"pax":          makeTar(t, tar.Header{Name: "é/" + long, Size: 5, Format: tar.FormatPAX, ModTime: when, PAXRecords: map[string]string{"SCHILY.xattr.user.a": "v"}}, tar.Header{Name: "after", Size: 3}),
		"gnu":          makeTar(t, tar.Header{Name: long, Linkname: long, Typeflag: tar.TypeSymlink, Format: tar.FormatGNU}, tar.Header{Name: "f", Size: 513, Format: tar.FormatGNU, Uid: 1 << 30}),
		"gnu times":    makeTar(t, tar.Header{Name: "f", Size: 1, Format: tar.FormatGNU, AccessTime: when, ChangeTime: when}),
		"global":       makeTar(t, tar.Header{Typeflag: tar.TypeXGlobalHeader, PAXRecords: map[string]string{"comment": "c"}}, tar.Header{Name: "f", Size: 1}),
		"not a tar":    bytes.Repeat([]byte("this is no tar. "), 64),
		"zero, then":   append(make([]byte, 512), ustar...),
		"link's size":  withSize(ustar, 5*512-0, "00000001000"),
		"dir's size":   withSize(ustar, 0, "00000000777"),
		"bad number":   withSize(ustar, 0, "0000000x000"),
		"bad checksum": append([]byte{'X'}, ustar[1:]...),
	}
}

// withSize rewrites the size of the header at off and its checksum.
func withSize(data []byte, off int, size string) []byte {
	data = bytes.Clone(data)
	copy(data[off+fieldSize.off:], size)
	fixSum(data[off : off+blockSize])
	return data
}

func fixSum(block []byte) {
	copy(block[fieldSum.off:fieldSum.end], "        ")
	sum := 0
	for _, c := range block {
		sum += int(c)
	}
	for i := range 6 {
		block[fieldSum.off+5-i] = byte('0' + sum>>(3*i)&7)
	}
	block[fieldSum.off+6] = 0
}

func TestMembersAsArchiveTar(t *testing.T) {
	for name, data := range tarSamples(t) {
		t.Run(name, func(t *testing.T) { compare(t, data) })
	}
}

// TestMembersParsesPlainHeaders guards the point of the parser: that plain
// headers don't go to archive/tar.
func TestMembersParsesPlainHeaders(t *testing.T) {
	for _, format := range []tar.Format{tar.FormatUSTAR, tar.FormatGNU} {
		data := makeTar(t, tar.Header{Name: "usr/bin/go", Size: 100, Mode: 0o755, ModTime: time.Unix(1700000000, 0), Format: format})
		m := &members{r: bytes.NewReader(data)}
		if _, err := m.next(); err != nil {
			t.Fatal(err)
		}
		if m.taken != nil {
			t.Errorf("a plain %v header was left to archive/tar", format)
		}
	}
}

func FuzzMembers(f *testing.F) {
	for _, data := range tarSamples(f) {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		compare(t, data)
		// Most mutations only break a checksum; mend the first few so that
		// what lies behind it is compared too.
		for off := 0; off+blockSize <= min(len(data), 4*blockSize); off += blockSize {
			fixSum(data[off : off+blockSize])
		}
		compare(t, data)
	})
}

func TestSparseReaderHasALimit(t *testing.T) {
	m := &members{taken: &counter{n: 1024}}
	s := &sparseReader{r: zeroReader{}, t: m}
	if _, err := s.Read(make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	m.holes = maxHoles // of the files before
	if _, err := s.Read(make([]byte, 924)); err != nil {
		t.Errorf("no bytes of holes are too many: %v", err)
	}
	if _, err := s.Read(make([]byte, 100)); err == nil {
		t.Error("no error beyond maxHoles")
	}
}

type zeroReader struct{}

func (zeroReader) Read(p []byte) (int, error) { clear(p); return len(p), nil }
