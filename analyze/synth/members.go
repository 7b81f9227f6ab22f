package synth

import (
	"archive/tar"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// member is one file, link or directory of an archive or layout.
type member struct {
	name  string // a directory's ends in a slash
	link  string // target of a symlink
	size  int64
	write func(io.Writer) error
}

// members is an archive or layout before it is written, in order.
type members []member

// file adds a file unless it is there already: blobs are shared.
func (ms *members) file(name string, size int64, write func(io.Writer) error) {
	ms.add(member{name: name, size: size, write: write})
}

func (ms *members) bytes(name string, b []byte) {
	ms.file(name, int64(len(b)), bytesBlob(b, "").write)
}

func (ms *members) add(m member) {
	if !ms.has(m.name) {
		*ms = append(*ms, m)
	}
}

func (ms members) has(name string) bool {
	return slices.ContainsFunc(ms, func(m member) bool { return m.name == name })
}

// blob adds a blob where an OCI layout has it and returns its path.
func (ms *members) blob(d v1.Descriptor, write func(io.Writer) error) string {
	name := path.Join("blobs", d.Digest.Algorithm, d.Digest.Hex)
	ms.file(name, d.Size, write)
	return name
}

func (ms *members) bytesBlob(b []byte) string {
	bl := bytesBlob(b, "")
	return ms.blob(bl.desc, bl.write)
}

// sorted returns the members as a walk over a directory finds them, the
// directories themselves included.
func (ms members) sorted() members {
	all := slices.Clone(ms)
	for _, m := range ms {
		for d := path.Dir(m.name); d != "."; d = path.Dir(d) {
			all.add(member{name: d + "/"})
		}
	}
	slices.SortFunc(all, func(a, b member) int { return strings.Compare(a.name, b.name) })
	return all
}

// writeTar writes the members as a tar with every time at 1970, as docker and
// podman do.
func (ms members) writeTar(w io.Writer) error {
	tw := tar.NewWriter(w)
	for _, m := range ms {
		if err := m.writeTo(tw); err != nil {
			return err
		}
	}
	return tw.Close()
}

func (m member) writeTo(tw *tar.Writer) error {
	h := &tar.Header{Name: m.name, Typeflag: tar.TypeReg, Mode: 0o644, Size: m.size, ModTime: time.Unix(0, 0)}
	switch {
	case m.link != "":
		h.Typeflag, h.Linkname, h.Mode = tar.TypeSymlink, m.link, 0o777
	case strings.HasSuffix(m.name, "/"):
		h.Typeflag, h.Mode = tar.TypeDir, 0o755
	}
	if err := tw.WriteHeader(h); err != nil {
		return err
	}
	if m.write == nil {
		return nil
	}
	return m.write(tw)
}

// writeDir writes the members, which are all files, below dir.
func (ms members) writeDir(dir string) error {
	for _, m := range ms {
		if err := m.writeFile(filepath.Join(dir, filepath.FromSlash(m.name))); err != nil {
			return err
		}
	}
	return nil
}

func (m member) writeFile(name string) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := m.write(f); err != nil {
		return err
	}
	return f.Close()
}
