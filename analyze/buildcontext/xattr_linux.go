package buildcontext

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// fileAttrs returns the extended attributes of an open file.
func fileAttrs(f *os.File) ([]attr, error) {
	fd := int(f.Fd())
	return readAttrs(
		func(buf []byte) (int, error) { return unix.Flistxattr(fd, buf) },
		func(name string, buf []byte) (int, error) { return unix.Fgetxattr(fd, name, buf) },
	)
}

// attrsIn returns the extended attributes of what has a name in an open
// directory, without opening or following it.
func attrsIn(dir *os.File, name string) ([]attr, error) {
	path := fmt.Sprintf("/proc/self/fd/%d/%s", dir.Fd(), name)
	return readAttrs(
		func(buf []byte) (int, error) { return unix.Llistxattr(path, buf) },
		func(name string, buf []byte) (int, error) { return unix.Lgetxattr(path, name, buf) },
	)
}

// readAttrs reads attributes with calls that say how much room they need if
// given none. What can't be had isn't there, to BuildKit as well.
func readAttrs(list func([]byte) (int, error), get func(string, []byte) (int, error)) ([]attr, error) {
	names, err := readGrowing(list)
	switch {
	case err == nil:
	case errors.Is(err, unix.ENOTSUP), errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES), errors.Is(err, unix.ENOENT):
		return nil, nil
	default:
		return nil, err
	}
	var attrs []attr
	for name := range strings.SplitSeq(string(names), "\x00") {
		if name == "" {
			continue
		}
		if value, err := readGrowing(func(buf []byte) (int, error) { return get(name, buf) }); err == nil {
			attrs = append(attrs, attr{name, string(value)})
		}
	}
	return attrs, nil
}

// readGrowing calls read with room enough. What grows between two calls is
// tried again a few times.
func readGrowing(read func([]byte) (int, error)) ([]byte, error) {
	for range 8 {
		n, err := read(nil)
		if n <= 0 || err != nil {
			return nil, err
		}
		buf := make([]byte, n)
		if n, err = read(buf); err == nil {
			return buf[:n], nil
		} else if !errors.Is(err, unix.ERANGE) {
			return nil, err
		}
	}
	return nil, unix.ERANGE
}
