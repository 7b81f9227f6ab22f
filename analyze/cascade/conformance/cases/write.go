package cases

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// written is when all files of a case were last changed: builders and
// predictions must not go by it.
var written = time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC)

// tar packs a folder of the case.
func (c *Case) tar(folder string, compress bool) ([]byte, error) {
	var buf bytes.Buffer
	var w io.WriteCloser = nopCloser{&buf}
	if compress {
		w = gzip.NewWriter(&buf)
	}
	t := tar.NewWriter(w)
	for _, f := range c.Files {
		name, ok := strings.CutPrefix(f.Path, folder+"/")
		if !ok {
			continue
		}
		h := &tar.Header{Name: name, Mode: int64(f.Mode.Perm()), Size: int64(len(f.Body)), ModTime: written}
		if err := t.WriteHeader(h); err != nil {
			return nil, err
		}
		if _, err := t.Write(f.Body); err != nil {
			return nil, err
		}
	}
	return buf.Bytes(), errors.Join(t.Close(), w.Close())
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

// DockerfilePath is where [Case.Write] puts the Dockerfile below dir.
func (c *Case) DockerfilePath(dir string) string {
	if c.Inside {
		return filepath.Join(dir, "context", "Dockerfile")
	}
	return filepath.Join(dir, "Dockerfile")
}

// ContextPath is where the context of a name is below dir, "" for the build's;
// "" for one that is no folder.
func (c *Case) ContextPath(dir, name string) string {
	folder := "context"
	if name != "" {
		folder = c.Contexts[name]
		if strings.Contains(folder, "://") {
			return ""
		}
	}
	return filepath.Join(dir, filepath.FromSlash(folder))
}

// Write writes the case below dir: the Dockerfile, the context in "context",
// named contexts beside it. It is the same each time, times included.
func (c *Case) Write(dir string) error {
	if err := os.MkdirAll(filepath.Join(dir, "context"), 0o755); err != nil {
		return fmt.Errorf("writing case %s: %w", c.Name, err)
	}
	for _, f := range c.Files {
		if err := f.write(filepath.Join(dir, filepath.FromSlash(f.Path))); err != nil {
			return fmt.Errorf("writing case %s: %w", c.Name, err)
		}
	}
	if err := c.WriteDockerfile(dir, c.Dockerfile); err != nil {
		return err
	}
	return settle(dir)
}

// WriteDockerfile puts another Dockerfile where the case has its own.
func (c *Case) WriteDockerfile(dir string, text []byte) error {
	if err := os.WriteFile(c.DockerfilePath(dir), text, 0o644); err != nil {
		return fmt.Errorf("writing case %s: %w", c.Name, err)
	}
	return nil
}

func (f *File) write(path string) error {
	if f.Mode.IsDir() {
		return os.MkdirAll(path, 0o755)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if f.Mode&fs.ModeSymlink != 0 {
		return os.Symlink(f.Link, path)
	}
	if err := os.WriteFile(path, f.Body, f.Mode); err != nil {
		return err
	}
	return os.Chmod(path, f.Mode) // whatever the umask is
}

// settle gives all below dir one time, and folders one mode.
func settle(dir string) error {
	return filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.Type()&fs.ModeSymlink != 0 {
			return err
		}
		if e.IsDir() {
			if err := os.Chmod(path, 0o755); err != nil {
				return err
			}
		}
		return os.Chtimes(path, written, written)
	})
}
