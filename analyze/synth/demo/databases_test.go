package demo

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/layerscope/layerscope/analyze/synth"
)

// This file reads the packages' databases out of the layers' tars and holds them
// to the files there.

// bodiesOf returns the files of a layer by path; of links and directories the
// path alone. A hard link has the body of the other name.
func bodiesOf(t *testing.T, l synth.Layer) map[string][]byte {
	t.Helper()
	rc := l.Open(synth.None)
	defer rc.Close()
	files := map[string][]byte{}
	for tr := tar.NewReader(rc); ; {
		h, err := tr.Next()
		if err == io.EOF {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(tr)
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag == tar.TypeLink {
			body = files[h.Linkname]
		}
		files[path.Clean(h.Name)] = body
	}
}

// TestDpkg checks that each program, library and document of the base and of
// apt-get's step is in the list of one package, that the packages with lists are
// those of the database, and that the base's packages are still there after the
// step.
func TestDpkg(t *testing.T) {
	all := layers()
	base, step := bodiesOf(t, all[0]), bodiesOf(t, all[1])
	var before []string
	for _, files := range []map[string][]byte{base, step} {
		text := string(files["var/lib/dpkg/status"])
		after := strings.Split(strings.TrimSuffix(text, "\n\n"), "\n\n")
		if !strings.HasSuffix(text, "\n\n") || len(after) <= len(before) {
			t.Errorf("%d packages after %d, or the last is cut", len(after), len(before))
		}
		var added []string
		for _, p := range after {
			if !slices.Contains(before, p) {
				added = append(added, infoName(t, p))
			}
		}
		for _, p := range before {
			if !slices.Contains(after, p) {
				t.Errorf("gone, or changed:\n%s", p)
			}
		}
		if d := cmp.Diff(slices.Sorted(slices.Values(added)), checkLists(t, files)); d != "" {
			t.Errorf("packages (-status +lists):\n%s", d)
		}
		before = after
	}
}

// infoName returns the name that a package's list has, as its paragraph says.
func infoName(t *testing.T, paragraph string) string {
	t.Helper()
	fields := map[string]string{}
	for line := range strings.Lines(paragraph + "\n") {
		name, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		if !ok || value == "" || fields[name] != "" {
			t.Errorf("field %q", line)
		}
		fields[name] = value
	}
	if fields["Status"] != "install ok installed" || fields["Version"] == "" {
		t.Errorf("not installed:\n%s", paragraph)
	}
	if fields["Multi-Arch"] == "same" {
		return fields["Package"] + ":" + fields["Architecture"]
	}
	return fields["Package"]
}

// checkLists holds the lists of a layer to its files and returns their names.
func checkLists(t *testing.T, files map[string][]byte) []string {
	var names []string
	owners := map[string]string{}
	for p, body := range files {
		name, ok := strings.CutSuffix(strings.TrimPrefix(p, "var/lib/dpkg/info/"), ".list")
		if !ok {
			continue
		}
		names = append(names, name)
		for line := range strings.Lines(string(body)) {
			listed := strings.TrimPrefix(strings.TrimSuffix(line, "\n"), "/")
			if _, ok := files[listed]; !ok && listed != "." {
				t.Errorf("%s lists /%s, which isn't in the layer", name, listed)
			}
			if len(files[listed]) > 0 && owners[listed] != "" {
				t.Errorf("%s and %s list /%s", name, owners[listed], listed)
			}
			owners[listed] = name
		}
	}
	for p := range files {
		if strings.HasPrefix(p, "usr/") && owners[p] == "" && path.Ext(p) != ".pyc" && path.Base(p) != "__pycache__" {
			t.Errorf("no package lists /%s", p)
		}
	}
	slices.Sort(names)
	return names
}

// TestRecords checks that each file that pip installed is in one RECORD, with
// its size and its sum.
func TestRecords(t *testing.T) {
	const site = "usr/local/lib/python3.11/dist-packages"
	files := bodiesOf(t, layers()[6])
	seen := map[string]bool{}
	for p, body := range files {
		if path.Base(p) != "RECORD" {
			continue
		}
		for line := range strings.Lines(string(body)) {
			name, sums, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ",")
			listed := path.Join(site, name)
			content, ok := files[listed]
			if !ok || seen[listed] {
				t.Errorf("%s: %s isn't there, or not only there", p, name)
			}
			seen[listed] = true
			sum := sha256.Sum256(content)
			want := fmt.Sprintf("sha256=%s,%d", base64.RawURLEncoding.EncodeToString(sum[:]), len(content))
			if path.Ext(name) == ".pyc" || listed == p {
				want = ","
			}
			if sums != want {
				t.Errorf("%s has %q of %s, want %q", p, sums, name, want)
			}
		}
		meta := files[path.Join(path.Dir(p), "METADATA")]
		name, version, _ := strings.Cut(strings.TrimSuffix(path.Base(path.Dir(p)), ".dist-info"), "-")
		if !bytes.Contains(meta, []byte("\nName: "+name+"\nVersion: "+version+"\n")) {
			t.Errorf("%s says\n%s", path.Dir(p), meta)
		}
	}
	for p, body := range files {
		if len(body) > 0 && strings.HasPrefix(p, "usr/") && !seen[p] {
			t.Errorf("no RECORD lists %s", p)
		}
	}
}
