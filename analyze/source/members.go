package source

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
)

// Bounds on what is remembered of an archive's members. An image has at most
// some hundred layers; a tar of many small files is something else.
const (
	maxMembers    = 1 << 17
	maxMemberName = 4 << 10
	maxLinkHops   = 16
)

// member is a regular file of an archive.
type member struct {
	offset int64 // of the body, if the archive is indexed by seeking
	size   int64
}

// members are the names of an archive: its files, and its symbolic and hard
// links, which docker save makes of layers that stand in it twice.
type members struct {
	files map[string]member
	links map[string]string // target, clean
}

func newMembers() *members {
	return &members{files: map[string]member{}, links: map[string]string{}}
}

// memberName returns the name under which a file of an archive or directory is
// known: relative and without dots, so that "./a", "/a", "../a" and "a" are
// one and none leads out.
func memberName(name string) string { return path.Clean("/" + name)[1:] }

// add records a member; what is neither file nor link is left out. Of two
// members of one name the first stands, as a stream can't take back what it
// has handed out. It says whether the member is a file to be read.
func (m *members) add(hdr *tar.Header, offset int64) (name string, file bool, err error) {
	if len(hdr.Name) > maxMemberName || len(hdr.Linkname) > maxMemberName {
		return "", false, notImage("a member's name is %d bytes long", max(len(hdr.Name), len(hdr.Linkname)))
	}
	if len(m.files)+len(m.links) >= maxMembers {
		return "", false, notImage("it has more than %d members", maxMembers)
	}
	name = memberName(hdr.Name)
	if m.has(name) {
		return name, false, nil
	}
	switch hdr.Typeflag {
	case tar.TypeReg, tar.TypeCont, tar.TypeGNUSparse:
		m.files[name] = member{offset, hdr.Size}
		return name, true, nil
	case tar.TypeSymlink:
		m.links[name] = symlinkTarget(name, hdr.Linkname)
	case tar.TypeLink:
		m.links[name] = memberName(hdr.Linkname)
	}
	return name, false, nil
}

func (m *members) has(name string) bool {
	_, file := m.files[name]
	_, link := m.links[name]
	return file || link
}

// find follows links from a name, clean or not, to a file.
func (m *members) find(name string) (key string, size int64, ok bool) {
	key = memberName(name)
	for range maxLinkHops {
		if f, ok := m.files[key]; ok {
			return key, f.size, true
		}
		target, ok := m.links[key]
		if !ok {
			break
		}
		key = target
	}
	return "", 0, false
}

// symlinkTarget returns the clean name that a symbolic link leads to.
func symlinkTarget(name, link string) string {
	if strings.HasPrefix(link, "/") {
		return memberName(link)
	}
	return memberName(path.Join("/", path.Dir(name), link))
}

// isSparse says whether a member's body in the tar is not its contents byte by
// byte.
func isSparse(hdr *tar.Header) bool {
	if hdr.Typeflag == tar.TypeGNUSparse {
		return true
	}
	for k := range hdr.PAXRecords {
		if strings.HasPrefix(k, "GNU.sparse.") {
			return true
		}
	}
	return false
}

// memberError says where reading an archive failed: in the body of the last
// member or in the header after it. last is "" if there was none yet.
func memberError(last string, err error) error {
	cut := errors.Is(err, io.ErrUnexpectedEOF)
	switch {
	case cut && last == "":
		return fmt.Errorf("the archive is cut short: %w", err)
	case cut:
		return fmt.Errorf("the archive is cut short at member %q: %w", last, err)
	case last == "":
		return notImage("%v", err)
	}
	return fmt.Errorf("reading on from member %q: %w", last, err)
}

// notImage is the error for what can be read, but isn't an image archive.
func notImage(format string, args ...any) error {
	return &HintError{
		Err:  fmt.Errorf("not an image archive: "+format, args...),
		Hint: "archives are made by docker save, or by skopeo copy to docker-archive: or oci-archive:",
	}
}
