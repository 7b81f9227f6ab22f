package packages_test

import (
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/layerscope/layerscope/analyze/packages"
	"github.com/layerscope/layerscope/analyze/synth"
)

func TestDistribution(t *testing.T) {
	const etc, lib = "etc/os-release", "usr/lib/os-release"
	of := func(path, id string) synth.Entry { return synth.File(path, "ID="+id+"\nVERSION_ID=1\n") }
	is := func(id string) *packages.Distribution { return &packages.Distribution{ID: id, Version: "1"} }
	point := func(id, p string) *packages.Distribution { d := is(id); d.Point = p; return d }
	link := synth.Symlink(etc, "../usr/lib/os-release")
	for _, tt := range []struct {
		name   string
		layers []synth.Layer
		want   *packages.Distribution
		unread string
	}{
		{"none", []synth.Layer{{sized("x", 1)}}, nil, ""},
		{"etc", []synth.Layer{{of(etc, "a")}}, is("a"), ""},
		{"lib", []synth.Layer{{of(lib, "a")}}, is("a"), ""},
		{"etc before lib", []synth.Layer{{of(lib, "a"), of(etc, "b")}}, is("b"), ""},
		{"a link", []synth.Layer{{of(lib, "a"), link}}, is("a"), ""},
		{"a link that leads nowhere", []synth.Layer{{of(lib, "a"), synth.Symlink(etc, "/x")}}, is("a"), ""},
		{"a link to itself", []synth.Layer{{of(lib, "a"), synth.Symlink(etc, "os-release")}}, is("a"), ""},
		{"a link to another name", []synth.Layer{{of(lib, "a"), of("x", "b"), synth.Symlink(etc, "/x")}}, nil,
			"x 0: it leads to a file of another name, which isn't read"},
		{"a link within etc", []synth.Layer{{of("etc/static/os-release-x", "a"), synth.Symlink(etc, "static/os-release-x")}}, is("a"), ""},
		{"a link out of the image", []synth.Layer{{of(lib, "a"), synth.Symlink(etc, "../../../../usr/lib/os-release")}}, is("a"), ""},
		{"a linked directory", []synth.Layer{{synth.Symlink("usr", "opt"), of("opt/lib/os-release", "a")}}, is("a"), ""},
		{"a hard link", []synth.Layer{{of(lib, "a"), synth.Hardlink(etc, lib)}}, is("a"), ""},
		{"a later layer", []synth.Layer{{of(lib, "a"), link}, {of(lib, "b")}}, is("b"), ""},
		{"only touched", []synth.Layer{{of(lib, "a"), link}, {sized("x", 1)}}, is("a"), ""},
		{"deleted", []synth.Layer{{of(lib, "a")}, {synth.Whiteout(lib)}}, nil, ""},
		{"etc's deleted", []synth.Layer{{of(lib, "a"), of(etc, "b")}, {synth.Whiteout(etc)}}, is("a"), ""},
		{"empty", []synth.Layer{{of(lib, "a"), synth.File(etc, "")}}, nil, ""},
		{"names nothing", []synth.Layer{{of(lib, "a"), synth.File(etc, "NAME=x\n")}}, nil, ""},
		{"a directory", []synth.Layer{{of(lib, "a"), synth.Dir(etc)}}, is("a"), ""},
		{"too large", []synth.Layer{{synth.File(etc, "ID=a\n"+strings.Repeat("#\n", 40_000))}}, nil,
			"etc/os-release 0: 80005 bytes are more than the 65536 that are read"},
		{"one that nothing leads to", []synth.Layer{{of("opt/os-release", "a"), sized("opt/os-release.tar", 100_000)}}, nil, ""},
		{"a point release", []synth.Layer{{of(etc, "debian"), synth.File("etc/debian_version", "1.5\n")}}, point("debian", "1.5"), ""},
		{"of another release", []synth.Layer{{of(etc, "debian"), synth.File("etc/debian_version", "12.5\n")}}, is("debian"), ""},
		{"of another distribution", []synth.Layer{{of(etc, "ubuntu"), synth.File("etc/debian_version", "1.5\n")}}, is("ubuntu"), ""},
	} {
		m := read(t, tt.layers...)
		if diff := gocmp.Diff(tt.want, m.Packages.Distribution); diff != "" {
			t.Errorf("%s: -want +got\n%s", tt.name, diff)
		}
		if got := strings.TrimPrefix(strings.Join(rows(m)[1:], "\n"), "unread "); got != tt.unread {
			t.Errorf("%s: unread is %q, want %q", tt.name, got, tt.unread)
		}
	}
}
