//go:build linux

package e2e

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"maps"
	"os/exec"
	"strings"
	"testing"
)

// export is what the engine gives of an image's filesystem.
type export struct {
	files  files
	bodies map[string]string // content of the regular files, by every path to it
	bytes  int64             // of the regular files, each hard-linked one once
}

// engineAdds are the paths that the engine puts into every container
// (moby/moby, daemon/initlayer). What the image has there too is held to it.
var engineAdds = map[string]bool{
	".dockerenv": true,
	"dev":        true, "dev/console": true, "dev/pts": true, "dev/shm": true,
	"etc": true, "etc/hostname": true, "etc/hosts": true, "etc/mtab": true, "etc/resolv.conf": true,
	"proc": true, "sys": true,
}

// container has the engine make a container of an image, which never runs, and
// returns its ID.
func (l *lab) container(t *testing.T, image string) string {
	t.Helper()
	id := strings.TrimSpace(string(l.tool(t, l.Docker, "create", "--network", "none", image, "nothing")))
	t.Cleanup(func() { l.tool(t, l.Docker, "rm", id) })
	return id
}

// export has the engine export the files of a container of an image.
func (l *lab) export(t *testing.T, image string) export {
	t.Helper()
	e, err := readExport(bytes.NewReader(l.tool(t, l.Docker, "export", l.container(t, image))))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// tarTypes are the types' names in layerscope's words.
var tarTypes = map[byte]string{
	tar.TypeReg: "file", tar.TypeDir: "dir", tar.TypeSymlink: "symlink",
	tar.TypeChar: "char", tar.TypeBlock: "block", tar.TypeFifo: "fifo",
}

// readExport reads a tar of a filesystem. Hard links become the files that
// they are.
func readExport(r io.Reader) (export, error) {
	e := export{files: files{}, bodies: map[string]string{}}
	for tr := tar.NewReader(r); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return e, nil
		}
		if err != nil {
			return e, err
		}
		path := strings.Trim(h.Name, "/")
		if h.Typeflag == tar.TypeLink {
			e.files[path], e.bodies[path] = e.files[h.Linkname], e.bodies[h.Linkname]
			continue
		}
		f := file{Type: tarTypes[h.Typeflag], Mode: h.Mode & 0o7777, UID: h.Uid, GID: h.Gid, Size: h.Size, Link: h.Linkname}
		if f.Type == "file" || f.Type == "symlink" {
			f.ModTime = h.ModTime.Unix()
		}
		if f.Type == "file" {
			body, err := io.ReadAll(tr)
			if err != nil {
				return e, err
			}
			e.bodies[path] = string(body)
			e.bytes += h.Size
		}
		e.files[path] = f
	}
}

// imageOnly returns what the image itself has of what the engine exported,
// given all that layerscope says it has.
func (e export) imageOnly(image files) files {
	fs := maps.Clone(e.files)
	maps.DeleteFunc(fs, func(path string, _ file) bool {
		_, isImages := image[path]
		return engineAdds[path] && !isImages
	})
	return fs
}

// The final files are those the engine makes of the layers.
func TestExport(t *testing.T) {
	l := open(t, engine)
	for _, builder := range []string{classic, buildkit} {
		t.Run(builder, func(t *testing.T) {
			name := l.built(t, builder)
			e := l.export(t, name)
			got := l.tree(t, "docker://"+name)
			sameFiles(t, e.imageOnly(got), got)

			r := l.report(t, "docker://"+name)
			if r.Totals.Live != e.bytes {
				t.Errorf("%d bytes live, the engine exports %d", r.Totals.Live, e.bytes)
			}
			if r.Totals.Stored-r.Totals.Live != r.Totals.Dead {
				t.Errorf("%+v: stored isn't live and dead", r.Totals)
			}
			if n := nonDirs(got); r.Totals.Files != n {
				t.Errorf("%d files, the engine exports %d", r.Totals.Files, n)
			}
		})
	}
}

func nonDirs(fs files) (n int) {
	for _, f := range fs {
		if f.Type != "dir" {
			n++
		}
	}
	return n
}

// So are the files as of each step: the engine's own builder keeps an image of
// each.
func TestExportAsOfEachStep(t *testing.T) {
	l := open(t, engine)
	name := l.built(t, classic)
	archive := l.saved(t, classic)
	for i, record := range l.history(t, name) {
		e := l.export(t, record.ID)
		got := l.tree(t, "--step", itoa(i), archive)
		sameFiles(t, e.imageOnly(got), got)
		if t.Failed() {
			t.Fatalf("as of step %d: %s", i, record.CreatedBy)
		}
	}
}

// Every file's bytes are those the engine exports, under every name it has.
func TestCat(t *testing.T) {
	l := open(t, engine)
	name := l.built(t, classic)
	archive := l.saved(t, classic)
	for path, body := range l.export(t, name).bodies {
		if engineAdds[path] {
			continue
		}
		if got := l.layerscope(t, "cat", archive, "/"+path).ok(t); got != body {
			t.Errorf("cat %q: %d bytes, not the %d the engine exports", path, len(got), len(body))
		}
	}
	for _, path := range []string{"/data/payload.bin", "/links/two", "/etc/app.conf"} {
		got := l.layerscope(t, "cat", "docker://"+name, path).ok(t)
		if want := l.copied(t, name, path); got != want {
			t.Errorf("cat %s from the engine: %d bytes, docker cp gives %d", path, len(got), len(want))
		}
	}
}

// copied returns what docker cp copies out of an image.
func (l *lab) copied(t *testing.T, image, path string) string {
	t.Helper()
	e, err := readExport(bytes.NewReader(l.tool(t, l.Docker, "cp", l.container(t, image)+":"+path, "-")))
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range e.bodies {
		return body
	}
	t.Fatalf("docker cp copies no file for %s", path)
	return ""
}

// What was overwritten, deleted or replaced is still there as of the step that
// wrote it, as the build context had it.
func TestCatEarlierStep(t *testing.T) {
	l := open(t, engine)
	name := l.built(t, buildkit)
	step := map[string]int{}
	for i, record := range l.history(t, name) {
		if verb, _, ok := strings.Cut(record.CreatedBy, " "); ok && verb == "COPY" {
			step[strings.Fields(record.CreatedBy)[1]] = i
		}
	}
	for _, test := range []struct{ copied, path, source string }{
		{"rootfs/", "/etc/app.conf", "rootfs/etc/app.conf"},
		{"payload.bin", "/data/payload.bin", "payload.bin"},
		{"tree/", "/srv/gone/file", "tree/gone/file"},
		{"tree/", "/srv/gone/folder/deep/b", "tree/gone/folder/deep/b"},
		{"tree/", "/srv/opaque/sub/b", "tree/opaque/sub/b"},
		{"tree/", "/srv/folder2file/x", "tree/folder2file/x"},
		{"tree/", "/srv/file2folder", "tree/file2folder"},
		{"tree/", "/srv/keep/cut", "tree/keep/cut"},
		{"tree/", "/srv/link", "tree/keep/plain"}, // a symbolic link at the time
	} {
		got := l.layerscope(t, "cat", "--step", itoa(step[test.copied]), "docker://"+name, test.path).ok(t)
		if want := contextFiles[test.source]; got != want {
			t.Errorf("cat --step %d %s: %d bytes, not the %d of %s", step[test.copied], test.path, len(got), len(want), test.source)
		}
	}
	r := l.layerscope(t, "cat", "docker://"+name, "/srv/gone/file")
	r.failed(t, "/srv/gone/file", "--step")
}

// The engine and the tar standard agree on what a layer stores.
func TestStoredPerLayer(t *testing.T) {
	l := open(t, engine)
	for _, builder := range []string{classic, buildkit} {
		t.Run(builder, func(t *testing.T) {
			r := l.report(t, l.saved(t, builder))
			var sum int64
			for i, layer := range layersOf(t, l.saved(t, builder)) {
				if got := r.Layers[i].Stored; got != layer {
					t.Errorf("layer %d stores %d bytes, its tar has %d in files", i, got, layer)
				}
				sum += layer
			}
			if r.Totals.Stored != sum {
				t.Errorf("%d bytes stored, the layers' tars have %d", r.Totals.Stored, sum)
			}
		})
	}
}

// layersOf returns the bytes of the regular files in each layer of an archive,
// read by GNU tar.
func layersOf(t *testing.T, archive string) (sizes []int64) {
	t.Helper()
	for _, name := range layerNames(t, archive) {
		cmd := exec.Command("sh", "-c", `tar xOf "$0" "$1" | tar tvf - --numeric-owner --quoting-style=escape`, archive, name)
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		var sum int64
		for _, line := range strings.Split(string(out), "\n") {
			// -rw-r--r-- 0/0   22 2026-11-23 08:31 etc/passwd
			if strings.HasPrefix(line, "-") {
				sum += atoi(t, strings.Fields(line)[2])
			}
		}
		sizes = append(sizes, sum)
	}
	return sizes
}
