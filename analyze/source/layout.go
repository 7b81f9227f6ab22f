package source

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
)

// openLayout opens an image in a directory: an OCI image layout, what skopeo
// writes to dir:, or an unpacked archive.
func openLayout(ctx context.Context, dir string, opts Options) (Image, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	img, err := openDirectory(dir, opts)
	if err != nil {
		return nil, archiveError("opening", dir, err)
	}
	return &namedImage{img, dir}, nil
}

func openDirectory(dir string, opts Options) (Image, error) {
	st, err := os.Stat(dir)
	switch {
	case err != nil:
		return nil, err
	case !st.IsDir():
		return nil, &HintError{errors.New("it is not a directory"), "open a file as docker-archive:PATH or oci-archive:PATH"}
	}
	if err := checkLayout(dir); err != nil {
		return nil, err
	}
	return openStored(directory(dir), layoutForm, opts)
}

// directory is a folder that holds an image. Links in it are followed wherever
// they lead: tools link blobs to their caches, and what is taken of a blob has
// the digest it should have.
type directory string

func (d directory) path(name string) string {
	return filepath.Join(string(d), filepath.FromSlash(memberName(name)))
}

func (d directory) find(name string) (key string, size int64, ok bool) {
	st, err := os.Stat(d.path(name))
	if err != nil || !st.Mode().IsRegular() {
		return "", 0, false
	}
	return memberName(name), st.Size(), true
}

func (d directory) readFile(name string) ([]byte, error) {
	key, size, ok := d.find(name)
	if !ok {
		return nil, noFile(name)
	}
	f, err := os.Open(d.path(key))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readMetadata(key, f, size)
}

func (d directory) open(key string) (io.ReadCloser, error) {
	if _, _, ok := d.find(key); !ok {
		return nil, noFile(key)
	}
	return os.Open(d.path(key))
}

func (d directory) Close() error { return nil }

var _ storage = directory("")
