package source

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// checkArchive returns an error if a file doesn't begin like an archive.
func checkArchive(f io.ReaderAt) (compression, error) {
	head := make([]byte, tarBlock)
	n, err := f.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return plain, err
	}
	return checkHead(head[:n])
}

// checkLayout returns an error if a directory holds no image.
func checkLayout(dir string) error {
	for _, name := range []string{"index.json", "manifest.json", "repositories"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			return nil
		}
	}
	return &HintError{
		Err:  errors.New("not an image layout: the directory has no index.json or manifest.json"),
		Hint: "OCI layouts are made by skopeo copy to oci:DIR, and by buildx with --output type=oci,tar=false",
	}
}

// openArchive opens an image archive, compressed or not, of the kind that t
// says, or of whatever kind if t is Bare. A plain tar in a file is indexed by
// seeking and its layers are read in parallel; anything else is read as a
// stream.
func openArchive(ctx context.Context, t Transport, path string, opts Options) (Image, error) {
	form := archiveForm
	form.only = t
	img, err := openArchiveFile(ctx, path, form, opts)
	if err != nil {
		return nil, archiveError("opening", path, err)
	}
	return &namedImage{img, path}, nil
}

func openArchiveFile(ctx context.Context, path string, form form, opts Options) (Image, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	img, err := openFile(ctx, f, form, opts)
	if err != nil {
		f.Close()
		return nil, err
	}
	return img, nil
}

// openFile opens the archive in f, which the image then owns.
func openFile(ctx context.Context, f *os.File, form form, opts Options) (Image, error) {
	st, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case st.IsDir():
		return nil, &HintError{errors.New("it is a directory"), "open a layout as oci:DIR"}
	case !st.Mode().IsRegular():
		return newStream(f, f, 0, form, opts), nil
	}
	c, err := checkArchive(f)
	if err != nil {
		return nil, err
	}
	if c != plain {
		return newStream(f, f, st.Size(), form, opts), nil
	}
	t, err := indexTar(ctx, f, st.Size())
	if errors.Is(err, errSparse) {
		return newStream(f, f, st.Size(), form, opts), nil
	}
	if err != nil {
		return nil, err
	}
	return openStored(t, form, opts)
}

// tarFile is a plain tar whose members have been found.
type tarFile struct {
	*members
	f *os.File
}

// errSparse is met in an archive that can only be read as a stream.
var errSparse = errors.New("a member is sparse")

// indexTar finds the members of a tar by seeking from header to header. A
// member that ends beyond the file's end is an error; that the end-of-archive
// blocks are missing isn't.
func indexTar(ctx context.Context, f *os.File, size int64) (*tarFile, error) {
	t := &tarFile{newMembers(), f}
	section := io.NewSectionReader(f, 0, size)
	tr := tar.NewReader(section)
	last := ""
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		hdr, err := tr.Next()
		if err == io.EOF {
			return t, nil
		}
		if err != nil {
			return nil, memberError(last, err)
		}
		if isSparse(hdr) {
			return nil, errSparse
		}
		// tar.Reader reads no further than the header.
		offset, err := section.Seek(0, io.SeekCurrent)
		if err != nil {
			return nil, err
		}
		if last, _, err = t.add(hdr, offset); err != nil {
			return nil, err
		}
	}
}

func (t *tarFile) readFile(name string) ([]byte, error) {
	key, size, ok := t.find(name)
	if !ok {
		return nil, noFile(name)
	}
	return readMetadata(key, io.NewSectionReader(t.f, t.files[key].offset, size), size)
}

func (t *tarFile) open(key string) (io.ReadCloser, error) {
	m, ok := t.files[key]
	if !ok {
		return nil, noFile(key)
	}
	return io.NopCloser(io.NewSectionReader(t.f, m.offset, m.size)), nil
}

func (t *tarFile) Close() error { return t.f.Close() }

// namedImage gives the errors of an archive's image the archive's name.
type namedImage struct {
	Image
	path string
}

func (n *namedImage) Read(ctx context.Context, req Request) (*Description, error) {
	d, err := n.Image.Read(ctx, req)
	if err != nil {
		return nil, archiveError("reading", n.path, err)
	}
	return d, nil
}

// archiveError says which archive or layout err is about. What the file system
// says of the path itself is said once, and a cancelled read is not the
// archive's fault.
func archiveError(doing, path string, err error) error {
	var pathErr *fs.PathError
	switch {
	case isCancelled(err):
		return err
	case errors.As(err, &pathErr) && pathErr.Path == path:
		err = pathErr.Err
	}
	return fmt.Errorf("%s %q: %w", doing, path, err)
}

var _ storage = (*tarFile)(nil)
