package diff

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/zeebo/xxh3"

	"github.com/layerscope/layerscope/analyze/synth"
)

// bulk is files below a directory.
type bulk struct {
	dir     string
	kB      int    // in all, where a real image has MB
	files   int    // that share these
	release string // files of one release are the same in all images
}

// layerOf makes the files.
func layerOf(bulks ...[]bulk) synth.Layer {
	var l synth.Layer
	for _, b := range slices.Concat(bulks...) {
		for i := range b.files {
			name := fmt.Sprintf("%s/%d", b.dir, i)
			if strings.HasSuffix(b.dir, "*") { // in directories of their own
				name = fmt.Sprintf("%s%d/file", strings.TrimSuffix(b.dir, "*"), i)
			}
			l = append(l, synth.Body(name, int64(b.kB*1000/b.files), xxh3.HashString(b.release+name)))
		}
	}
	return l
}

// debian is a slim Debian of about 80 MB, in kB.
func debian(release string) []bulk {
	arch := "usr/lib/x86_64-linux-gnu"
	return []bulk{
		{"etc", 1, 20, release},
		{"usr/bin", 18, 60, release}, {"usr/sbin", 4, 20, release},
		{arch, 25, 50, release}, {arch + "/gconv", 8, 40, release}, {arch + "/perl-base", 4, 10, release},
		{"usr/share/doc/pkg*", 4, 40, "same"}, {"usr/share/perl5", 3, 10, release}, {"usr/share/zoneinfo", 3, 50, "same"},
		{"usr/share/locale/l*", 3, 40, release},
		{"var/lib/dpkg", 1, 2, release}, {"var/lib/dpkg/info", 5, 60, release},
	}
}

// golang is what the image golang has on top of that: a toolchain and what it
// needs. The build is a program's, its modules and its compiler's cache.
var (
	golang = []bulk{
		{"usr/local/go/bin", 20, 2, ""}, {"usr/local/go/pkg/tool", 100, 20, ""}, {"usr/local/go/src/pkg*", 60, 50, ""}, {"usr/local/go/test", 20, 100, ""},
		{"usr/lib/gcc/x86_64-linux-gnu/12", 120, 20, ""}, {"usr/lib/git-core", 20, 20, ""}, {"usr/include/linux", 6, 50, ""}, {"usr/lib/x86_64-linux-gnu/dev*", 60, 30, ""},
	}
	build = []bulk{
		{"go/pkg/mod/github.com/org*", 80, 40, ""}, {"go/pkg/mod/cache/download/m*", 30, 40, ""}, {"go/bin", 1, 1, ""},
		{"root/.cache/go-build/*", 190, 256, ""}, {"src", 2, 20, ""}, {"src/cmd", 1, 4, ""},
	}
	program = []bulk{{"app", 12, 1, ""}}
)

func TestNotable(t *testing.T) {
	python := func(version string) []bulk {
		lib := "usr/local/lib/python" + version
		return []bulk{
			{lib, 30, 40, version}, {lib + "/site-packages/pip", 10, 30, version}, {lib + "/test", 20, 60, version},
			{"usr/local/include/python" + version, 2, 20, version}, {"usr/local/bin", 1, 4, version},
		}
	}
	for _, test := range []struct {
		name     string
		old, new []bulk
		n        int
		want     []string
	}{
		{"nothing", debian("12"), debian("12"), 12, nil},
		{
			"single-stage to scratch", slices.Concat(debian("12"), golang, build, program), program, 20,
			[]string{
				"/ 801 -> 12",
				"/go/pkg/mod 110 -> 0",
				"/root/.cache/go-build 190 -> 0",
				"/usr 478 -> 0", "/usr/bin 18 -> 0",
				"/usr/lib 237 -> 0", "/usr/lib/gcc/x86_64-linux-gnu/12 120 -> 0", "/usr/lib/git-core 20 -> 0", "/usr/lib/x86_64-linux-gnu 97 -> 0",
				"/usr/local/go 200 -> 0",
				"/usr/share 13 -> 0",
			},
		},
		{
			"single-stage to multi-stage on the same base", slices.Concat(debian("12"), golang, build, program), slices.Concat(debian("12"), program), 20,
			[]string{
				"/ 801 -> 91",
				"/go/pkg/mod 110 -> 0", "/root/.cache/go-build 190 -> 0",
				"/usr 478 -> 72",
				"/usr/lib 237 -> 37", "/usr/lib/gcc/x86_64-linux-gnu/12 120 -> 0", "/usr/lib/git-core 20 -> 0", "/usr/lib/x86_64-linux-gnu 97 -> 37",
				"/usr/local/go 200 -> 0",
			},
		},
		{
			"few rows", slices.Concat(debian("12"), golang, build, program), program, 5,
			[]string{"/ 801 -> 12", "/root/.cache/go-build 190 -> 0", "/usr 478 -> 0", "/usr/lib 237 -> 0", "/usr/local/go 200 -> 0"},
		},
		{
			"Debian 11 to 12", debian("11"), debian("12"), 20,
			[]string{
				"/ 79 -> 79", "/etc 1 -> 1",
				"/usr 72 -> 72", "/usr/bin 18 -> 18",
				"/usr/lib/x86_64-linux-gnu 37 -> 37", "/usr/lib/x86_64-linux-gnu/gconv 8 -> 8", "/usr/lib/x86_64-linux-gnu/perl-base 4 -> 4",
				"/usr/sbin 4 -> 4", "/usr/share 13 -> 13", "/usr/share/locale 3 -> 3", "/usr/share/perl5 3 -> 3",
				"/var/lib/dpkg 6 -> 6", "/var/lib/dpkg/info 5 -> 5",
			},
		},
		{
			"Python 3.11 to 3.12", slices.Concat(debian("12"), python("3.11")), slices.Concat(debian("12"), python("3.12")), 20,
			[]string{
				"/usr/local/bin 1 -> 1",
				"/usr/local/include 2 -> 2", "/usr/local/include/python3.11 2 -> 0", "/usr/local/include/python3.12 0 -> 2",
				"/usr/local/lib 60 -> 60", "/usr/local/lib/python3.11 60 -> 0", "/usr/local/lib/python3.12 0 -> 60",
			},
		},
		{
			"one directory less", slices.Concat(debian("12"), []bulk{{"usr/lib/python3/dist-packages/m*", 412, 200, ""}}), debian("12"), 20,
			[]string{"/usr/lib/python3/dist-packages 412 -> 0"},
		},
		{
			"nearly all in a directory that has too little", []bulk{{"srv/x", 9900, 2, ""}, {"data/sub", 96, 2, ""}, {"data", 4, 1, ""}}, nil, 20,
			[]string{"/data 100 -> 0", "/srv/x 9900 -> 0"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := filesOf(t, stacked(t, layerOf(test.old)), stacked(t, layerOf(test.new)), Options{})
			var got []string
			kB := func(n int64) int { return int(math.Round(float64(n) / 1000)) }
			for _, i := range f.Notable(test.n) {
				d := f.Dirs[i]
				got = append(got, fmt.Sprintf("/%s %d -> %d", f.Path(d.Old, d.New), kB(d.Bytes.Old), kB(d.Bytes.New)))
			}
			if diff := gocmp.Diff(test.want, got); diff != "" {
				t.Errorf("notable directories (-want +got):\n%s", diff)
			}
		})
	}
}
