package edit

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// folder makes a context: a name in "/" is a directory, one with "-> " a link.
func folder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, d := range []string{"sub", "out"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{
		"a": "hello\n", "empty": "", "sub/b": "b\n", "out/c": "c\n", ".dockerignore": "out",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, target := range map[string]string{"link": "a", "out/link": "c"} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// listing tells a folder's entries by path: type, mode, bytes or target.
func listing(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries := map[string]string{}
	err := filepath.WalkDir(dir, func(p string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		text := ""
		switch {
		case e.Type().IsRegular():
			var dt []byte
			dt, err = os.ReadFile(p)
			text = string(dt)
		case e.Type()&fs.ModeSymlink != 0:
			text, err = os.Readlink(p)
		}
		rel, _ := filepath.Rel(dir, p)
		entries[rel] = fmt.Sprintf("%v %q", info.Mode(), text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

func TestContextChanges(t *testing.T) {
	before := listing(t, folder(t))
	tests := []struct {
		kind, path string
		want       map[string]string // what is other; "" for what is gone
	}{
		{"bytes", "a", map[string]string{"a": `-rw-r--r-- "helmo\n"`}},
		{"bytes", "empty", map[string]string{"empty": `-rw-r--r-- "x"`}},
		{"append", "sub/b", map[string]string{"sub/b": `-rw-r--r-- "b\nmore\n"`}},
		{"rewritten", "a", nil},
		{"mode", "a", map[string]string{"a": `-rw-r-xr-x "hello\n"`}},
		{"mtime", "a", nil},
		{"removed", "sub", map[string]string{"sub": "", "sub/b": ""}},
		{"renamed", "a", map[string]string{"a": "", "a-x": `-rw-r--r-- "hello\n"`}},
		{"copied", "a", map[string]string{"copy-of-a": `-rw-r--r-- "hello\n"`}},
		{"to-link", "a", map[string]string{"a": `Lrwxrwxrwx "a.real"`, "a.real": `-rw-r--r-- "hello\n"`}},
		{"to-directory", "a", map[string]string{"a": `drwxr-xr-x ""`}},
		{"link-target", "link", map[string]string{"link": `Lrwxrwxrwx "a-x"`}},
		{"new-file", "sub", map[string]string{"sub/new-file": `-rw-r--r-- "new\n"`}},
		{"new-directory", ".", map[string]string{"new-directory": `drwxr-xr-x ""`}},
		{"ignored-append", "out/c", map[string]string{"out/c": `-rw-r--r-- "c\nmore\n"`}},
		{"ignored-link-target", "out/link", map[string]string{"out/link": `Lrwxrwxrwx "c-x"`}},
		{"ignore-comment", ".dockerignore", map[string]string{".dockerignore": `-rw-r--r-- "out\n# a note\n"`}},
	}
	for _, tt := range tests {
		t.Run(tt.kind+" "+tt.path, func(t *testing.T) {
			dir := folder(t)
			changes := Context(dir)
			i := slices.IndexFunc(changes, func(c Change) bool { return c.Kind == tt.kind && c.Path == tt.path })
			if i < 0 {
				t.Fatal("there is no such change")
			}
			if err := changes[i].Apply(dir); err != nil {
				t.Fatal(err)
			}
			want := maps.Clone(before)
			for p, entry := range tt.want {
				if want[p] = entry; entry == "" {
					delete(want, p)
				}
			}
			if diff := cmp.Diff(want, listing(t, dir)); diff != "" {
				t.Errorf("the context after it (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEveryContextKindIsMade(t *testing.T) {
	made := map[string]bool{}
	for _, c := range Context(folder(t)) {
		made[c.Kind] = true
		dir := folder(t)
		if err := c.Apply(dir); err != nil && (c.Kind != "owner" && c.Kind != "ignored-owner" || os.Geteuid() == 0) {
			t.Errorf("%s of %s: %v", c.Kind, c.Path, err)
		}
	}
	for _, k := range ContextKinds() {
		if !made[k] {
			t.Errorf("no change of kind %s", k)
		}
	}
}
