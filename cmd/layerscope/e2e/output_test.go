//go:build linux

package e2e

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The types below are what docs/json.md promises, as far as these tests go.

type report struct {
	Image struct {
		Source string
		ID     string
		Digest *string
		Tags   []string
		Base   baseInfo
	}
	Totals totals
	Layers []struct {
		Sums
		Base       bool
		DiffID     string
		Digest     *string
		TarSize    int64
		Entries    int
		Step       int
		Compressed *int64
	}
	Steps []struct {
		Sums
		CreatedBy string
		Comment   string
		Created   time.Time
		Text      string
		Layer     *int
		Line      *struct{ Start, End int }
		Match     *string
	}
}

// baseInfo is what is known of a base; "" is null.
type baseInfo struct {
	How, Name, Digest string
	Layers, Steps     int
}

// Sums are bytes of files.
type Sums struct{ Stored, Live, Dead int64 }

type totals struct {
	Sums
	Base, Own     Sums
	Files, Layers int
	TarSize       int64
	Compressed    *int64
}

// report reads what "report --format json" wrote.
func (r result) report(t *testing.T) *report {
	t.Helper()
	out := &report{}
	if err := json.Unmarshal([]byte(r.ok(t)), out); err != nil {
		t.Fatalf("%q: %v", r.args, err)
	}
	return out
}

// report reports on an image.
func (l *lab) report(t *testing.T, args ...string) *report {
	t.Helper()
	return l.layerscope(t, append([]string{"report", "--format", "json"}, args...)...).report(t)
}

// file is one path of a filesystem.
type file struct {
	Type     string // as layerscope names it
	Mode     int64  // permission bits, octal
	UID, GID int
	Size     int64
	Link     string // a symbolic link's target
	ModTime  int64  // in seconds since 1970; 0 but for files and symbolic links
}

// files are a filesystem by path, from the root.
type files map[string]file

// tree reads what "tree --format json" wrote.
func (r result) tree(t *testing.T) files {
	t.Helper()
	var list struct {
		Entries []struct {
			Path       string
			PathBase64 *string
			Type       string
			Size       int64
			Mode       string
			UID, GID   int
			Mtime      *time.Time
			Link       *string
		}
	}
	if err := json.Unmarshal([]byte(r.ok(t)), &list); err != nil {
		t.Fatalf("%q: %v", r.args, err)
	}
	fs := files{}
	for _, e := range list.Entries {
		path := e.Path
		if e.PathBase64 != nil {
			b, err := base64.StdEncoding.DecodeString(*e.PathBase64)
			if err != nil {
				t.Fatal(err)
			}
			path = string(b)
		}
		mode, err := strconv.ParseInt(e.Mode, 8, 64)
		if err != nil {
			t.Fatal(err)
		}
		f := file{Type: e.Type, Mode: mode, UID: e.UID, GID: e.GID, Size: e.Size}
		if e.Link != nil {
			f.Link = *e.Link
		}
		if e.Mtime != nil && (f.Type == "file" || f.Type == "symlink") {
			f.ModTime = e.Mtime.Unix()
		}
		if path = strings.Trim(path, "/"); path != "" {
			fs[path] = f
		}
	}
	return fs
}

// tree lists the files of an image.
func (l *lab) tree(t *testing.T, args ...string) files {
	t.Helper()
	return l.layerscope(t, append([]string{"tree", "--format", "json"}, args...)...).tree(t)
}

// sameFiles checks that two filesystems are equal, path by path.
func sameFiles(t *testing.T, want, got files) {
	t.Helper()
	paths := maps.Clone(want)
	maps.Copy(paths, got)
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		w, wanted := want[path]
		g, is := got[path]
		switch {
		case !is:
			t.Errorf("%q isn't there; want %+v", path, w)
		case !wanted:
			t.Errorf("%q is there: %+v", path, g)
		case g != w:
			t.Errorf("%q is\n\t%+v; want\n\t%+v", path, g, w)
		}
	}
}
