package cases

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/layerscope/layerscope/analyze/dockerfile"
)

func all(t *testing.T) []*Case {
	t.Helper()
	cases, err := All()
	if err != nil {
		t.Fatal(err)
	}
	return cases
}

// Each case is a Dockerfile that BuildKit's parser takes, for builders that
// there are, and says what it is for.
func TestCases(t *testing.T) {
	count := map[string]int{}
	for _, c := range all(t) {
		if _, err := dockerfile.Parse(c.Name, c.Dockerfile); err != nil {
			t.Error(err)
		}
		if c.About == "" {
			t.Errorf("%s doesn't say what it is there for", c.Name)
		}
		for _, b := range c.Builders {
			count[b]++
		}
	}
	if count["buildkit"] < 28 || count["classic"] < 16 || count["buildah"] < 16 || len(count) != 3 {
		t.Errorf("cases by builder: %v", count)
	}
}

// A case that is written twice is the same, and has what it lists.
func TestWrite(t *testing.T) {
	for _, c := range all(t) {
		first, second := t.TempDir(), t.TempDir()
		if err := errors.Join(c.Write(first), c.Write(second)); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(list(t, first), list(t, second)); diff != "" {
			t.Errorf("%s: %s", c.Name, diff)
		}
		for _, f := range c.Files {
			path := filepath.Join(first, f.Path)
			info, err := os.Lstat(path)
			if err != nil {
				t.Fatal(err)
			}
			if info.Mode() != f.Mode {
				t.Errorf("%s: %s has mode %v, want %v", c.Name, f.Path, info.Mode(), f.Mode)
			}
			if f.Mode.IsRegular() {
				if body, err := os.ReadFile(path); err != nil || !bytes.Equal(body, f.Body) {
					t.Errorf("%s: %s is %q, %v", c.Name, f.Path, body, err)
				}
			}
		}
		if body, err := os.ReadFile(c.DockerfilePath(first)); err != nil || !bytes.Equal(body, c.Dockerfile) {
			t.Errorf("%s: the Dockerfile is %q, %v", c.Name, body, err)
		}
		for name := range c.Contexts {
			if path := c.ContextPath(first, name); path != "" {
				if info, err := os.Stat(path); err != nil || !info.IsDir() {
					t.Errorf("%s: context %s: %v", c.Name, name, err)
				}
			}
		}
	}
}

func list(t *testing.T, dir string) (found []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		rel, _ := filepath.Rel(dir, path)
		line := rel + " " + info.Mode().String()
		if e.Type()&fs.ModeSymlink == 0 {
			line += " " + info.ModTime().UTC().String()
		}
		found = append(found, line)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestParseErrors(t *testing.T) {
	for text, want := range map[string]string{
		"builders: buildkit\n":                                             "case x: there is no Dockerfile, or no builder of it",
		"-- Dockerfile --\nFROM a\n":                                       "case x: there is no Dockerfile, or no builder of it",
		"nonsense\n-- Dockerfile --\nFROM a\n":                             `case x: "nonsense" isn't "key: value"`,
		"what: ever\n-- Dockerfile --\nFROM a\n":                           "case x: what: there is no such key",
		"arg: A\n-- Dockerfile --\nFROM a\n":                               `case x: arg: there is no = in "A"`,
		"mode: context/a=0600\n-- Dockerfile --\nFROM a\n":                 "case x: mode: there is no context/a",
		"builders: buildkit\n-- Dockerfile --\nFROM a\n-- ../escaped --\n": `case x: "../escaped" is no name of a file`,
	} {
		if _, err := Parse("x", []byte(text)); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}
