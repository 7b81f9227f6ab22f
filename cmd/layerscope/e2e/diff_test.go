//go:build linux

package e2e

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// diffReport is what "diff --format json" writes, as far as it is checked here.
type diffReport struct {
	Old, New  struct{ Totals totals }
	Identical bool
	Layers    diffLayers
	Base      struct{ Old, New *struct{ ID, Version string } }
	Steps     []struct {
		Old, New           *int
		State              string
		BytesOld, BytesNew *int64
	}
	Files struct {
		Added, Removed, Modified, Metadata, Moved, TypeChanged diffFiles

		Unchanged, Dead bytesOf
	}
	Packages struct {
		Added, Removed, Upgraded, Downgraded, Changed diffPackages

		Unchanged, Unowned, Dead bytesOf
	}
	Config []struct {
		Key      string
		Old, New []string
	}
	Causes []struct {
		Cause    string
		Old, New int64
	}
}

type bytesOf struct{ BytesOld, BytesNew int64 }

func (b bytesOf) plus(os ...bytesOf) bytesOf {
	for _, o := range os {
		b.BytesOld, b.BytesNew = b.BytesOld+o.BytesOld, b.BytesNew+o.BytesNew
	}
	return b
}

type diffLayers struct {
	Shared, SameContent, OnlyOld, OnlyNew []diffLayer

	DeltaPull struct {
		Bytes, Reverse, Chain, ReverseChain *int64
	}
}

type diffLayer struct {
	Old, New             *int
	State                string
	DiffIDOld, DiffIDNew *string
	BytesOld, BytesNew   *int64
}

type diffFiles struct {
	bytesOf
	Count int
	Items []struct {
		bytesOf
		Path string
		From *string
		What []string
	}
}

type diffPackages struct {
	bytesOf
	Count int
	Items []struct {
		bytesOf
		Ecosystem, Name        string
		VersionOld, VersionNew *string
	}
}

// diff compares two images, and checks that all tables add up to what the two
// store.
func (l *lab) diff(t *testing.T, args ...string) *diffReport {
	t.Helper()
	var d diffReport
	out := l.layerscope(t, append([]string{"diff", "--format", "json", "--all"}, args...)...).ok(t)
	if err := json.Unmarshal([]byte(out), &d); err != nil {
		t.Fatal(err)
	}
	want := d.New.Totals.Stored - d.Old.Totals.Stored
	add := func(table string, b bytesOf) {
		t.Helper()
		if got := b.BytesNew - b.BytesOld; got != want {
			t.Errorf("%v: the difference of the %s is %d bytes, that of what is stored %d", args, table, got, want)
		}
	}
	known := func(n *int64) int64 {
		if n == nil {
			return 0
		}
		return *n
	}
	var layers, steps, causes bytesOf
	for _, x := range slices.Concat(d.Layers.Shared, d.Layers.SameContent, d.Layers.OnlyOld, d.Layers.OnlyNew) {
		layers = layers.plus(bytesOf{known(x.BytesOld), known(x.BytesNew)})
	}
	for _, x := range d.Steps {
		steps = steps.plus(bytesOf{known(x.BytesOld), known(x.BytesNew)})
	}
	for _, x := range d.Causes {
		causes = causes.plus(bytesOf{x.Old, x.New})
	}
	add("layers", layers)
	add("steps", steps)
	add("causes", causes)
	f, p := &d.Files, &d.Packages
	add("files", f.Unchanged.plus(f.Dead, f.Added.bytesOf, f.Removed.bytesOf, f.Modified.bytesOf, f.Metadata.bytesOf, f.Moved.bytesOf, f.TypeChanged.bytesOf))
	add("packages", p.Unchanged.plus(p.Unowned, p.Dead, p.Added.bytesOf, p.Removed.bytesOf, p.Upgraded.bytesOf, p.Downgraded.bytesOf, p.Changed.bytesOf))
	return &d
}

// diffInEngine compares two images of the engine's and checks all that the
// engine's own tools tell of them.
func (l *lab) diffInEngine(t *testing.T, old, new string, args ...string) (d *diffReport, was, is exports) {
	t.Helper()
	d = l.diff(t, append([]string{"docker://" + old, "docker://" + new}, args...)...)
	was, is = l.exported(t, old), l.exported(t, new)
	for _, side := range []struct {
		image string
		got   totals
		files exports
	}{{old, d.Old.Totals, was}, {new, d.New.Totals, is}} {
		var stored int64
		for _, n := range layersOf(t, l.savedAs(t, side.image)) {
			stored += n
		}
		if live := side.files.bytes(); side.got.Stored != stored || side.got.Live != live || side.got.Dead != stored-live {
			t.Errorf("%s: %+v; its layers' tars have %d bytes, and the engine exports %d", side.image, side.got.Sums, stored, live)
		}
	}
	l.checkLayers(t, d, old, new)
	checkFiles(t, d, was, is, slices.Contains(args, "--strict"))
	return d, was, is
}

// checkLayers holds the shared layers to the diffIDs that the engine gives.
func (l *lab) checkLayers(t *testing.T, d *diffReport, old, new string) {
	t.Helper()
	left := map[string]int{}
	shared := 0
	for _, id := range l.rootLayers(t, old) {
		left[id]++
	}
	for _, id := range l.rootLayers(t, new) {
		if left[id] > 0 {
			left[id]--
			shared++
		}
	}
	if len(d.Layers.Shared) != shared {
		t.Errorf("%d layers are shared, docker image inspect has %d in common", len(d.Layers.Shared), shared)
	}
}

// checkSteps holds the steps' bytes to docker history, of images that BuildKit
// built: see [TestHistorySizes].
func (l *lab) checkSteps(t *testing.T, d *diffReport, old, new string) {
	t.Helper()
	was, is := l.history(t, old), l.history(t, new)
	seenOld, seenNew := 0, 0
	for _, s := range d.Steps {
		if s.Old != nil {
			seenOld++
			if s.BytesOld == nil || itoa(*s.BytesOld) != was[*s.Old].Size {
				t.Errorf("step %d of %s has %v bytes, docker history %s", *s.Old, old, s.BytesOld, was[*s.Old].Size)
			}
		}
		if s.New != nil {
			seenNew++
			if s.BytesNew == nil || itoa(*s.BytesNew) != is[*s.New].Size {
				t.Errorf("step %d of %s has %v bytes, docker history %s", *s.New, new, s.BytesNew, is[*s.New].Size)
			}
		}
		same := s.Old != nil && s.New != nil && was[*s.Old].CreatedBy == is[*s.New].CreatedBy
		if (s.State == "same" || s.State == "rebuilt" || s.State == "changed") && !same {
			t.Errorf("steps %v and %v are %s, docker history has other texts", s.Old, s.New, s.State)
		}
	}
	if seenOld != len(was) || seenNew != len(is) {
		t.Errorf("%d and %d steps, docker history has %d and %d", seenOld, seenNew, len(was), len(is))
	}
}

// exported is a path that the engine exports.
type exported struct {
	file
	mtime int64 // also of a folder
	sum   [sha256.Size]byte
	first string // of a file with hard links the path that comes first, of any other its own
}

// exports are what the engine exports of an image, by path.
type exports map[string]exported

// bytes adds up the files, each of several links once.
func (e exports) bytes() (sum int64) {
	for path, x := range e {
		if x.Type == "file" && x.first == path {
			sum += x.Size
		}
	}
	return sum
}

// exported has the engine export an image's files.
func (l *lab) exported(t *testing.T, image string) exports {
	t.Helper()
	cmd := exec.Command(l.Docker, "export", l.container(t, image))
	cmd.Env = l.env()
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	e, err := readExports(out)
	if err = errors.Join(err, cmd.Wait()); err != nil {
		t.Fatalf("docker export %s: %v", image, err)
	}
	return e
}

func readExports(r io.Reader) (exports, error) {
	e := exports{}
	for tr := tar.NewReader(r); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return e, nil
		}
		if err != nil {
			return nil, err
		}
		path := strings.Trim(h.Name, "/")
		if h.Typeflag == tar.TypeLink {
			e[path] = e[strings.Trim(h.Linkname, "/")]
			continue
		}
		sum := sha256.New()
		if _, err := io.Copy(sum, tr); err != nil {
			return nil, err
		}
		e[path] = exported{
			file:  file{Type: tarTypes[h.Typeflag], Mode: h.Mode & 0o7777, UID: h.Uid, GID: h.Gid, Size: h.Size, Link: h.Linkname},
			mtime: h.ModTime.Unix(), sum: [sha256.Size]byte(sum.Sum(nil)), first: path,
		}
	}
}

// checkFiles holds the files that differ to what the engine exports.
func checkFiles(t *testing.T, d *diffReport, old, new exports, strict bool) {
	t.Helper()
	want := map[string]string{}
	for path := range maps.Keys(old) {
		if _, ok := new[path]; !ok {
			want[path] = "gone"
		}
	}
	for path, is := range new {
		was, ok := old[path]
		switch {
		case !ok:
			want[path] = "come"
		case was.Type != is.Type:
			want[path] = "typeChanged"
		case was.sum != is.sum || was.Link != is.Link:
			want[path] = "modified"
		case was.file != is.file || was.first != is.first || strict && was.mtime != is.mtime:
			want[path] = "metadata"
		}
	}
	got := map[string]string{}
	for state, files := range map[string]diffFiles{
		"come": d.Files.Added, "gone": d.Files.Removed, "modified": d.Files.Modified,
		"metadata": d.Files.Metadata, "typeChanged": d.Files.TypeChanged, "moved": d.Files.Moved,
	} {
		if files.Count != len(files.Items) {
			t.Errorf("%s: %d files, and %d are listed", state, files.Count, len(files.Items))
		}
		for _, f := range files.Items {
			path := strings.Trim(f.Path, "/")
			if state != "moved" {
				got[path] = state
				continue
			}
			from := strings.Trim(*f.From, "/")
			got[path], got[from] = "come", "gone"
			if old[from].sum != new[path].sum {
				t.Errorf("%s is said to be moved to %s, but the bytes differ", from, path)
			}
		}
	}
	// What the engine puts into every container isn't the image's, unless an
	// image is made of one.
	for path := range engineAdds {
		delete(want, path)
		if got[path] != "come" || new[path].Size > 0 {
			delete(got, path)
		}
	}
	for path := range got {
		if engineAdds[path] {
			delete(got, path)
		}
	}
	delete(got, "")
	same(t, want, got)
}

// cause returns what the two images store for a cause.
func (d *diffReport) cause(name string) bytesOf {
	for _, c := range d.Causes {
		if c.Cause == name {
			return bytesOf{c.Old, c.New}
		}
	}
	return bytesOf{-1, -1}
}

// below adds up the files below a folder.
func (e exports) below(dir string) (sum int64) {
	for path, x := range e {
		if x.Type == "file" && x.first == path && strings.HasPrefix(path, dir+"/") {
			sum += x.Size
		}
	}
	return sum
}

// What a second stage buys a Go program is its toolchain, the caches and the
// sources.
func TestDiffStages(t *testing.T) {
	l := open(t, engine, registry, skopeo)
	single, multi := l.goImages(t)
	d, was, is := l.diffInEngine(t, single, multi)
	l.checkSteps(t, d, single, multi)
	for _, want := range []struct {
		cause string
		bytes bytesOf
	}{
		{"toolchain", bytesOf{was.below("usr/local/go"), 0}},
		{"disposable", bytesOf{was.below("root/.cache"), 0}},
		{"sources", bytesOf{was.below("src"), 0}},
		// The shell, the program, and what the go command counts of itself.
		{"application", bytesOf{was.below("app") + was.below("bin") + was.below("root/.config"), is.below("app") + is.below("bin")}},
		{"packages", bytesOf{}},
		{"dead", bytesOf{}},
	} {
		if got := d.cause(want.cause); got != want.bytes {
			t.Errorf("%s: %+v, the engine exports %+v", want.cause, got, want.bytes)
		}
	}
	l.samePull(t, l.dockerHost(t), l.pushedAs(t, single), l.pushedAs(t, multi))
}

// What apt-get did is what dpkg-query says.
func TestDiffPackages(t *testing.T) {
	l := open(t, engine, registry, skopeo, dpkg, apt)
	before, after := l.debian(t)
	d, was, is := l.diffInEngine(t, before, after)
	l.checkSteps(t, d, before, after)
	release := l.copied(t, after, "/usr/lib/os-release")
	for _, distribution := range []*struct{ ID, Version string }{d.Base.Old, d.Base.New} {
		if distribution == nil || !strings.Contains(release, "\nID="+distribution.ID+"\n") || !strings.Contains(release, `VERSION_ID="`+distribution.Version+`"`) {
			t.Errorf("the distribution is %+v, os-release says\n%s", distribution, release)
		}
	}
	want := map[string]change{}
	old, new := l.dpkgSays(t, before, was), l.dpkgSays(t, after, is)
	for _, name := range slices.Concat(slices.Collect(maps.Keys(old)), slices.Collect(maps.Keys(new))) {
		c := change{versions: [2]string{old[name].Version, new[name].Version}, bytes: bytesOf{old[name].Bytes, new[name].Bytes}}
		switch {
		case c.versions[0] == "":
			c.state = "added"
		case c.versions[1] == "":
			c.state = "removed"
		case c.versions[0] != c.versions[1]:
			c.state = "upgraded" // there is nothing older to be had
		default:
			continue
		}
		want[name] = c
	}
	got := map[string]change{}
	for state, list := range map[string]diffPackages{
		"added": d.Packages.Added, "removed": d.Packages.Removed, "upgraded": d.Packages.Upgraded, "downgraded": d.Packages.Downgraded,
	} {
		for _, p := range list.Items {
			c := change{state: state, bytes: p.bytesOf}
			for i, v := range []*string{p.VersionOld, p.VersionNew} {
				if v != nil {
					c.versions[i] = *v
				}
			}
			got[p.Name] = c
		}
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(change{})); diff != "" || len(want) != 4 {
		t.Errorf("%d packages differ; -dpkg-query +layerscope\n%s", len(want), diff)
	}
	l.samePull(t, l.dockerHost(t), l.pushedAs(t, before), l.pushedAs(t, after))
}

// change is what became of a package.
type change struct {
	state    string
	versions [2]string
	bytes    bytesOf
}

// dpkgSays returns what dpkg-query says of an image's packages: the bytes are of
// the files that it lists and of what dpkg keeps of them.
func (l *lab) dpkgSays(t *testing.T, image string, files exports) map[string]owned {
	t.Helper()
	dir := t.TempDir()
	l.tool(t, l.Docker, "cp", l.container(t, image)+":/var/lib/dpkg", dir)
	query := func(args ...string) string {
		return string(l.tool(t, "dpkg-query", append([]string{"--admindir=" + dir + "/dpkg"}, args...)...))
	}
	packages := map[string]owned{}
	for line := range strings.Lines(query("--show", "--showformat=${Package} ${Version} ${db:Status-Status}\n")) {
		f := strings.Fields(line)
		if f[2] == "not-installed" || f[2] == "config-files" {
			continue
		}
		p := owned{Version: f[1]}
		for path := range strings.Lines(query("--listfiles", f[0])) {
			path = strings.Trim(strings.TrimSpace(path), "/")
			if files[path].Type == "file" {
				p.Bytes += files[path].Size
			}
		}
		for path, x := range files {
			if strings.HasPrefix(path, "var/lib/dpkg/info/"+f[0]+".") {
				p.Bytes += x.Size
			}
		}
		packages[f[0]] = p
	}
	return packages
}

// An image built again is the same but for its times, which are seen if they are
// asked for.
func TestDiffRebuilt(t *testing.T) {
	l := open(t, engine)
	first, again := l.rebuilt(t)
	d, _, _ := l.diffInEngine(t, first, again)
	l.checkSteps(t, d, first, again)
	layers := len(l.rootLayers(t, first))
	if n := len(d.Layers.Shared) + len(d.Layers.SameContent); n != layers || len(d.Layers.SameContent) == 0 {
		t.Errorf("of %d layers %d are shared and %d of the same content", layers, len(d.Layers.Shared), len(d.Layers.SameContent))
	}
	for _, s := range d.Layers.SameContent {
		if s.State != "retouched" {
			t.Errorf("layer %v is %s, want retouched", s.New, s.State)
		}
	}
	for _, s := range d.Steps {
		if s.State != "same" && s.State != "rebuilt" {
			t.Errorf("steps %v and %v are %s", s.Old, s.New, s.State)
		}
	}
	if d.Files.Metadata.Count != 0 {
		t.Errorf("%d files differ", d.Files.Metadata.Count)
	}
	if strict, _, _ := l.diffInEngine(t, first, again, "--strict"); strict.Files.Metadata.Count == 0 {
		t.Error("with --strict no times differ")
	}
}

// The same layers under another compression are the same content, all of which a
// host must fetch that finds layers by digest.
func TestDiffZstd(t *testing.T) {
	l := open(t, engine, registry, skopeo)
	image := l.built(t, buildkit)
	gzip, zstd := l.pushedAs(t, image), l.inZstd(t, image)
	d := l.diff(t, "registry://"+l.Registry+"/"+gzip, "registry://"+l.Registry+"/"+zstd)
	for _, s := range d.Layers.SameContent {
		if s.State != "recompressed" || *s.DiffIDOld != *s.DiffIDNew {
			t.Errorf("layer %v is %s", s.New, s.State)
		}
	}
	if n, all := len(d.Layers.SameContent), len(l.rootLayers(t, image)); n != all {
		t.Errorf("of %d layers %d are of the same content", all, n)
	}
	f := d.Files
	if n := f.Added.Count + f.Removed.Count + f.Modified.Count + f.Metadata.Count + f.Moved.Count + f.TypeChanged.Count; n > 0 {
		t.Errorf("%d files differ", n)
	}
	for from, to := range map[string]string{gzip: zstd, zstd: gzip} {
		sizes := map[string]int64{}
		for _, layer := range l.manifest(t, l.Registry+"/"+to).Layers {
			sizes[layer.Digest] = layer.Size
		}
		var want int64
		for _, n := range sizes {
			want += n
		}
		if got := l.layerDiff(t, from, to).DeltaPull.Bytes; got == nil || *got != want {
			t.Errorf("%s: %v bytes to fetch, the layers of its manifest have %d", to, got, want)
		}
	}
}

// An image squashed has what is live of the other, in one layer.
func TestDiffSquashed(t *testing.T) {
	l := open(t, engine)
	image := l.built(t, buildkit)
	squashed := l.squashed(t, image)
	d, _, _ := l.diffInEngine(t, image, squashed)
	if d.New.Totals.Stored != d.Old.Totals.Live || d.New.Totals.Dead != 0 {
		t.Errorf("squashed it stores %d bytes, %d of them dead; before, %d were live", d.New.Totals.Stored, d.New.Totals.Dead, d.Old.Totals.Live)
	}
	if got, want := d.cause("dead"), (bytesOf{d.Old.Totals.Dead, 0}); got != want {
		t.Errorf("dead bytes: %+v, want %+v", got, want)
	}
	f := d.Files
	if n := f.Removed.Count + f.Modified.Count + f.Metadata.Count + f.Moved.Count + f.TypeChanged.Count; n > 0 {
		t.Errorf("%d files aren't as they were", n)
	}
	for _, added := range f.Added.Items {
		if !engineAdds[strings.Trim(added.Path, "/")] {
			t.Errorf("%s is new", added.Path)
		}
	}
}
