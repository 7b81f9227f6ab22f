package stages

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/analyzetest"
	"github.com/layerscope/layerscope/analyze/buildcontext"
	"github.com/layerscope/layerscope/analyze/cascade"
	"github.com/layerscope/layerscope/analyze/dockerfile"
	"github.com/layerscope/layerscope/analyze/synth"
	"github.com/layerscope/layerscope/analyze/tree"
)

// files is an image of a few files: 1 byte in /out/app, 20 in /out/lib/a.so, 300
// in /out/lib/b.so, 4000 in /src/main.go, which are dead, 50000 in /etc/x.
func files(t *testing.T, env ...string) *analyze.Image {
	return analyzetest.ImageWith(t, synth.Image{
		Config: v1.Config{Env: env},
		Steps: []synth.Step{
			{CreatedBy: "base", Layer: synth.Layer{
				synth.Dir("etc"), synth.Body("etc/x", 50000, 1), synth.Dir("src"), synth.Body("src/main.go", 4000, 2),
			}},
			{CreatedBy: "RUN make", Layer: synth.Layer{
				synth.Dir("out"), synth.Body("out/app", 1, 3), synth.Symlink("out/link", "app"), synth.Dir("out/lib"),
				synth.Body("out/lib/a.so", 20, 4), synth.Body("out/lib/b.so", 300, 5), synth.Hardlink("out/lib/b.so.1", "out/lib/b.so"),
				synth.Whiteout("src/main.go"),
			}},
		},
	}, analyze.Options{Packages: true})
}

func reportOf(t *testing.T, text string, opt Options, images map[int]*analyze.Image) *Report {
	t.Helper()
	f, err := dockerfile.Parse("Dockerfile", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	p, err := Read(f, opt)
	if err != nil {
		t.Fatal(err)
	}
	r, err := p.Report(t.Context(), images)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// told writes what a report says of each stage, to be compared.
func told(r *Report) string {
	var b strings.Builder
	for _, s := range r.All {
		fmt.Fprintf(&b, "%d stored %d", s.Index, s.Stored)
		for _, is := range []struct {
			it   bool
			what string
		}{{s.Needed, "needed"}, {s.Target, "target"}, {s.Empty, "empty"}, {s.Known, "known"}} {
			if is.it {
				fmt.Fprint(&b, " ", is.what)
			}
		}
		fmt.Fprintf(&b, " shipped %d taken %v left %d/%d heirs %v\n", s.Shipped, s.Taken, s.Left.Bytes, s.Left.Copies, s.Heirs)
		for _, k := range s.Takes {
			fmt.Fprintf(&b, "  line %s by %d %s %v", k.Step.Lines, k.By, k.Role, k.Sum)
			if k.Err != nil {
				fmt.Fprintf(&b, " %v", k.Err)
			}
			fmt.Fprintln(&b)
		}
	}
	return b.String()
}

const all = 50000 + 4000 + 1 + 20 + 300

func TestReport(t *testing.T) {
	const stagesOf = "FROM golang AS build\nRUN make\n"
	tests := []struct {
		name, text string
		opt        Options
		unknown    []int // stages without an image
		want       string
	}{
		{
			"copies of what overlaps", stagesOf + "FROM scratch\nCOPY --from=build /out/lib /lib\nCOPY --from=BUILD /out/lib/*.so /out/link /\nCOPY --from=0 out/app /\n", Options{}, nil, `
0 stored 54321 needed known shipped 0 taken {4 321} left 54000/2 heirs []
  line 4 by 1 copy {3 320}
  line 5 by 1 copy {3 321}
  line 6 by 1 copy {1 1}
1 stored 54321 needed target known shipped 54321 taken {0 0} left 0/0 heirs []
`,
		},
		{
			"a stage that another is from", "FROM golang AS base\nFROM base AS build\nRUN make\nFROM scratch\nCOPY --from=base /etc /etc\nCOPY --from=build /out/app /\n", Options{}, nil, `
0 stored 54321 needed known shipped 54321 taken {0 0} left 0/0 heirs [1]
  line 5 by 2 copy {1 50000}
1 stored 54321 needed known shipped 0 taken {1 1} left 54320/4 heirs []
  line 6 by 2 copy {1 1}
2 stored 54321 needed target known shipped 54321 taken {0 0} left 0/0 heirs []
`,
		},
		{
			"a stage that isn't needed", stagesOf + "FROM build AS test\nRUN test\nFROM scratch\nCOPY --from=build /out/app /\n", Options{}, nil, `
0 stored 54321 needed known shipped 0 taken {1 1} left 54320/4 heirs []
  line 6 by 2 copy {1 1}
1 stored 54321 known shipped 0 taken {0 0} left 54321/5 heirs []
2 stored 54321 needed target known shipped 54321 taken {0 0} left 0/0 heirs []
`,
		},
		{
			"another target", stagesOf + "FROM build AS test\nRUN test\nFROM scratch\nCOPY --from=build /out/app /\n", Options{Target: "test"}, []int{2}, `
0 stored 54321 needed known shipped 54321 taken {0 0} left 0/0 heirs [1]
1 stored 54321 needed target known shipped 54321 taken {0 0} left 0/0 heirs []
2 stored -1 shipped 0 taken {0 0} left 0/0 heirs []
`,
		},
		{
			"mounts", stagesOf + "FROM alpine\nRUN --mount=from=build,source=/out,target=/x --mount=type=cache,target=/c --mount=type=tmpfs,target=/t cp /x/app /\n", Options{}, nil, `
0 stored 54321 needed known shipped 0 taken {0 0} left 54321/5 heirs []
  line 4 by 1 mount {5 321}
1 stored 54321 needed target known shipped 54321 taken {0 0} left 0/0 heirs []
`,
		},
		{
			"what is left out", stagesOf + "FROM scratch\nCOPY --from=build --exclude=**/*.so /out /\nCOPY --from=build --parents /out/./lib/*.so /x/\n", Options{}, nil, `
0 stored 54321 needed known shipped 0 taken {5 321} left 54000/2 heirs []
  line 4 by 1 copy {3 301}
  line 5 by 1 copy {2 320}
1 stored 54321 needed target known shipped 54321 taken {0 0} left 0/0 heirs []
`,
		},
		{
			"an image and a heredoc are no stages", stagesOf + "FROM scratch\nCOPY --from=nginx /etc /\nCOPY <<EOF /x\ntext\nEOF\nCOPY . /\nCOPY --from=build /out/app /\n", Options{}, nil, `
0 stored 54321 needed known shipped 0 taken {1 1} left 54320/4 heirs []
  line 9 by 1 copy {1 1}
1 stored 54321 needed target known shipped 54321 taken {0 0} left 0/0 heirs []
`,
		},
		{
			"what isn't there", stagesOf + "FROM scratch\nCOPY --from=build /gone /\nCOPY --from=build /gone/* /\n", Options{}, nil, `
0 stored 54321 needed shipped 0 taken {0 0} left 0/0 heirs []
  line 4 by 1 copy {0 0} "/gone" isn't in the image
  line 5 by 1 copy {0 0} "gone" isn't in the image
1 stored 54321 needed target known shipped 54321 taken {0 0} left 0/0 heirs []
`,
		},
		{
			"a pattern that matches nothing", stagesOf + "FROM scratch\nCOPY --from=build /out/*.zip /out/app /\n", Options{}, nil, `
0 stored 54321 needed known shipped 0 taken {1 1} left 54320/4 heirs []
  line 4 by 1 copy {1 1}
1 stored 54321 needed target known shipped 54321 taken {0 0} left 0/0 heirs []
`,
		},
		{
			"an unknown stage", stagesOf + "FROM scratch\nCOPY --from=build /out/app /\n", Options{}, []int{0}, `
0 stored -1 needed shipped 0 taken {0 0} left 0/0 heirs []
  line 4 by 1 copy {0 0} the stage's image isn't known
1 stored 54321 needed target known shipped 54321 taken {0 0} left 0/0 heirs []
`,
		},
		{
			"a variable of the build", "ARG DIR=/out\n" + stagesOf + "FROM scratch\nARG DIR\nARG FILE=nothing\nENV AT=$DIR/lib\nCOPY --from=build $AT/$FILE /\n", Options{Args: map[string]string{"FILE": "a.so"}}, nil, `
0 stored 54321 needed known shipped 0 taken {1 20} left 54301/4 heirs []
  line 8 by 1 copy {1 20}
1 stored 54321 needed target known shipped 54321 taken {0 0} left 0/0 heirs []
`,
		},
		{
			"a variable of the image", stagesOf + "FROM alpine\nCOPY --from=build $OUT/lib /\n", Options{}, nil, `
0 stored 54321 needed known shipped 0 taken {3 320} left 54001/3 heirs []
  line 4 by 1 copy {3 320}
1 stored 54321 needed target known shipped 54321 taken {0 0} left 0/0 heirs []
`,
		},
		{
			"a variable of an image that isn't known", stagesOf + "FROM alpine\nCOPY --from=build $OUT/lib /\nENV OUT=/out\nCOPY --from=build $OUT/app /\nARG X=$HOME/out\nCOPY --from=build $X /\nCOPY --from=build ${PATH} /\n", Options{}, []int{1}, `
0 stored 54321 needed shipped 0 taken {0 0} left 0/0 heirs []
  line 4 by 1 copy {0 0} its paths have variables of an image that isn't known
  line 6 by 1 copy {1 1}
  line 8 by 1 copy {0 0} its paths have variables of an image that isn't known
  line 9 by 1 copy {0 0} its paths have variables of an image that isn't known
1 stored -1 needed target shipped 0 taken {0 0} left 0/0 heirs []
`,
		},
		{
			"a variable that the stage sets by itself", stagesOf + "FROM alpine\nENV OUT=$OUT/lib\nCOPY --from=build $OUT /\nENV OUT=/out/app\nCOPY --from=build $OUT /\n", Options{}, nil, `
0 stored 54321 needed shipped 0 taken {0 0} left 0/0 heirs []
  line 5 by 1 copy {0 0} its paths have variables of an image that isn't known
  line 7 by 1 copy {1 1}
1 stored 54321 needed target known shipped 54321 taken {0 0} left 0/0 heirs []
`,
		},
		{
			"ONBUILD", stagesOf + "FROM alpine AS base\nONBUILD COPY --from=build /out/app /\nFROM base\n", Options{}, nil, `
0 stored 54321 needed known shipped 0 taken {1 1} left 54320/4 heirs []
  line 5 by 2 copy {1 1}
1 stored 54321 needed known shipped 54321 taken {0 0} left 0/0 heirs [2]
2 stored 54321 needed target known shipped 54321 taken {0 0} left 0/0 heirs []
`,
		},
		{
			"stages of nothing", "FROM scratch AS no\nFROM no AS labels\nLABEL a=b\nFROM scratch\nCOPY --from=no / /\nCOPY --from=labels /x* /\nCOPY --from=no /x /\n", Options{}, []int{0, 1}, `
0 stored 0 needed empty known shipped 0 taken {0 0} left 0/0 heirs [1]
  line 5 by 2 copy {0 0}
  line 7 by 2 copy {0 0} "/x" isn't in the image
1 stored 0 needed empty known shipped 0 taken {0 0} left 0/0 heirs []
  line 6 by 2 copy {0 0}
2 stored 54321 needed target known shipped 54321 taken {0 0} left 0/0 heirs []
`,
		},
		{
			"a stage that an argument chooses", "ARG KIND=a\nFROM golang AS build-a\nFROM golang AS build-b\nFROM build-${KIND} AS build\nFROM scratch\nCOPY --from=build /out/app /\n", Options{Args: map[string]string{"KIND": "b"}}, nil, `
0 stored 54321 known shipped 0 taken {0 0} left 54321/5 heirs []
1 stored 54321 needed known shipped 54321 taken {0 0} left 0/0 heirs [2]
2 stored 54321 needed known shipped 0 taken {1 1} left 54320/4 heirs []
  line 6 by 3 copy {1 1}
3 stored 54321 needed target known shipped 54321 taken {0 0} left 0/0 heirs []
`,
		},
	}
	m := files(t, "OUT=/out", "PATH=/bin")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			images := map[int]*analyze.Image{}
			for i := range 5 {
				images[i] = m
			}
			for _, i := range tt.unknown {
				delete(images, i)
			}
			f, err := dockerfile.Parse("Dockerfile", []byte(tt.text))
			if err != nil {
				t.Fatal(err)
			}
			for i := range images {
				if i >= len(f.Stages) {
					delete(images, i)
				}
			}
			r := reportOf(t, tt.text, tt.opt, images)
			if diff := cmp.Diff(strings.TrimPrefix(tt.want, "\n"), told(r)); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
			for _, s := range r.All {
				if s.Known && s.Stored != analyze.Unknown && s.Stored != s.Shipped+s.Taken.Bytes+s.Left.Bytes {
					t.Errorf("stage %d stores %d: %d shipped, %d taken, %d left", s.Index, s.Stored, s.Shipped, s.Taken.Bytes, s.Left.Bytes)
				}
			}
		})
	}
	if m.Totals.Stored != all {
		t.Errorf("the image stores %d, want %d", m.Totals.Stored, all)
	}
}

func TestBuild(t *testing.T) {
	const text = "# syntax=x\nFROM scratch AS a\nCOPY a /\n\nFROM scratch\nCOPY <<EOF /b\nFROM here\nEOF\nFROM scratch AS twice\nFROM scratch AS Twice\nCOPY c /\nFROM scratch AS last\nCOPY d /\n"
	f, err := dockerfile.Parse("Dockerfile", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	p, err := Read(f, Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := []struct{ target, end string }{{"a", ""}, {"", "EOF\n"}, {"", "AS twice\n"}, {"", "COPY c /\n"}, {"", ""}}
	for i, s := range p.Stages {
		target, short := p.Build(s)
		if target != want[i].target || (want[i].end == "") != (short == nil) {
			t.Errorf("stage %d: target %q, %q", i, target, short)
		}
		if short != nil && (!strings.HasPrefix(text, string(short)) || !strings.HasSuffix(string(short), want[i].end)) {
			t.Errorf("stage %d: %q", i, short)
		}
	}
}

// Errors that a path of a hostile image may give, in time.
func TestDeepPath(t *testing.T) {
	deep := strings.Repeat("d/", 16_000)
	m := analyzetest.Image(t, synth.Image{Steps: []synth.Step{{CreatedBy: "x", Layer: synth.Layer{
		synth.Dir("out"), synth.Body("out/"+deep+"f", 7, 1), synth.Symlink("out/loop", "loop"),
	}}}})
	l := newLedger(m)
	sum, err := l.take(t.Context(), []buildcontext.Selection{{Path: "/", FollowLinks: true}}, true)
	if want := (Sum{2, 7}); err != nil || sum != want {
		t.Errorf("%+v, %v", sum, err)
	}
	if _, err := l.take(t.Context(), []buildcontext.Selection{{Path: "/out", Exclude: []string{"x"}}}, true); !errors.Is(err, errLongPath) {
		t.Errorf("error %v", err)
	}
	if _, err := l.take(t.Context(), []buildcontext.Selection{{Path: "/out/l*", Wildcard: true}}, true); !errors.Is(err, tree.ErrLoop) {
		t.Errorf("error %v", err)
	}
	if _, err := l.take(t.Context(), []buildcontext.Selection{{Path: "/out", Exclude: []string{"\xff"}}}, true); err == nil {
		t.Error("a pattern that isn't UTF-8 is taken")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.take(ctx, []buildcontext.Selection{{Path: "/"}}, true); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// What is wrong with a Dockerfile is told by its line.
func TestReadErrors(t *testing.T) {
	for text, line := range map[string]int{
		"FROM a AS x\nCOPY --from=$y /a /b\n":             2,
		"FROM a AS x\nCOPY --from=7 /a /b\n":              2,
		"FROM a AS x\nCOPY --from=y /a /b\nFROM x AS y\n": 2,
	} {
		f, err := dockerfile.Parse("Dockerfile", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		_, err = Read(f, Options{})
		if e, ok := errors.AsType[*cascade.Error](err); !ok || e.Line != line {
			t.Errorf("%q: error %v, want one of line %d", text, err, line)
		}
	}
}

func TestEmpty(t *testing.T) {
	f, err := dockerfile.Parse("Dockerfile", []byte("FROM scratch AS a\nLABEL a=b\nONBUILD RUN x\nFROM a AS b\nFROM b AS c\n"+
		"FROM scratch AS d\nENV A=b\nFROM d AS e\nFROM e AS f\nCOPY x /\nFROM f AS g\nFROM debian AS h\nFROM scratch\nWORKDIR /x\n"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := Read(f, Options{})
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	for _, s := range p.Stages {
		if p.Empty(s) {
			got += s.Name
		}
	}
	if want := "ade"; got != want { // what b is from has it run something
		t.Errorf("%s are empty, want %s", got, want)
	}
}

// BenchmarkRead reads a Dockerfile of which each stage is from the one above it.
func BenchmarkRead(b *testing.B) {
	var text strings.Builder
	text.WriteString("FROM scratch AS s0\n")
	for i := range 10000 {
		fmt.Fprintf(&text, "FROM s%d AS s%d\n", i, i+1)
	}
	f, err := dockerfile.Parse("Dockerfile", []byte(text.String()))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		p, err := Read(f, Options{})
		if err != nil {
			b.Fatal(err)
		}
		for _, s := range p.Stages {
			if !p.Empty(s) {
				b.Fatalf("stage %d has files", s.Index)
			}
		}
	}
}
