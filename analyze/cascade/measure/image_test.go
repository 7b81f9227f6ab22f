package measure

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/analyzetest"
	"github.com/layerscope/layerscope/analyze/cascade"
	"github.com/layerscope/layerscope/analyze/dockerfile"
	"github.com/layerscope/layerscope/analyze/source"
	"github.com/layerscope/layerscope/analyze/synth"
	"github.com/layerscope/layerscope/analyze/synth/fixture"
)

// sizes lists the lines that have bytes, or a word on them.
func sizes(g *cascade.Graph, m cascade.Measures) (all []string) {
	for i, s := range g.Steps {
		one := m[i]
		switch {
		case one.Bytes != nil && one.Compressed != nil:
			all = append(all, fmt.Sprintf("%s %d/%d %s", s.Lines, *one.Bytes, *one.Compressed, one.How))
		case one.Bytes != nil:
			all = append(all, fmt.Sprintf("%s %d %s", s.Lines, *one.Bytes, one.How))
		case one.How != "":
			all = append(all, fmt.Sprintf("%s – %s", s.Lines, one.How))
		}
	}
	return all
}

// TestAttested gives layers to lines by what a real BuildKit attests. The
// layers, bottom first, are of lines 3-4, 20 to 24, 25-26 and so on, read off the
// Dockerfile.
func TestAttested(t *testing.T) {
	archive, err := txtar.ParseFile("../../provenance/testdata/attested.txtar")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range archive.Files {
		files[f.Name] = string(f.Data)
	}
	m := &analyze.Image{}
	for line := range strings.Lines(files["layers"]) {
		h, err := v1.NewHash(strings.TrimSpace(line))
		if err != nil {
			t.Fatal(err)
		}
		n := int64(len(m.Layers) + 1)
		m.Layers = append(m.Layers, analyze.Layer{Layer: source.Layer{Digest: h}, Sums: analyze.Sums{Stored: n * 100, Compressed: n}})
	}
	g := graph(t, files["Dockerfile"], cascade.Options{})
	r, err := FromImage(g, m, [][]byte{[]byte("{}"), []byte(files["v1.json"])})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range sizes(g, r.Measures) {
		if !strings.Contains(s, cascade.HowNotExported) {
			got = append(got, s)
		}
	}
	var want []string
	for i, lines := range []string{"3-4", "", "21", "22", "23", "24", "25-26", "29-30", "31-32", "33-37", "38", "39", "40-42"} {
		if lines != "" { // the second layer is of the trigger of line 5, which stands on no line of its own
			want = append(want, fmt.Sprintf("%s %d/%d provenance", lines, 100*(i+1), i+1))
		}
	}
	if diff := cmp.Diff(want, got); diff != "" || r.How != cascade.HowProvenance || r.Known != len(want) {
		t.Errorf("how %q, %d known, -want +got\n%s", r.How, r.Known, diff)
	}
	// Of another Dockerfile it tells nothing: then only the history could.
	other := graph(t, files["Dockerfile"]+"RUN more\n", cascade.Options{})
	if _, err := FromImage(other, m, [][]byte{[]byte(files["v1.json"])}); err == nil {
		t.Error("an image without a history is taken for another Dockerfile's")
	}
}

const web = `FROM debian AS build
COPY src /src
RUN make
FROM debian
RUN apt-get update
WORKDIR /app
COPY --from=build /out /app
CMD ["/app"]
`

// webImage is an image of web, as BuildKit writes its history.
func webImage() synth.Image {
	const comment = "buildkit.dockerfile.v0"
	return synth.Image{Tags: []string{"web:1"}, Steps: []synth.Step{
		{CreatedBy: "debian.sh --arch amd64", Comment: "debuerreotype", Layer: synth.Layer{synth.Body("bin/sh", 5000, 1)}},
		{CreatedBy: "RUN /bin/sh -c apt-get update # buildkit", Comment: comment, Layer: synth.Layer{synth.Body("var/lists", 300, 2)}},
		{CreatedBy: "WORKDIR /app", Comment: comment, Layer: synth.Layer{synth.Dir("app")}},
		{CreatedBy: "COPY /out /app # buildkit", Comment: comment, Layer: synth.Layer{synth.Body("app/x", 70, 3)}},
		{CreatedBy: `CMD ["/app"]`, Comment: comment},
	}}
}

func TestMatched(t *testing.T) {
	m := analyzetest.Image(t, webImage())
	g := graph(t, web, cascade.Options{})
	r, err := FromImage(g, m, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range sizes(g, r.Measures) {
		// Of a compressed size the test knows nothing.
		head, how, _ := strings.Cut(s, " ")
		n, how, _ := strings.Cut(how, " ")
		n, _, _ = strings.Cut(n, "/")
		got = append(got, head+" "+n+" "+how)
	}
	want := []string{"2 – not exported", "3 – not exported", "5 300 matched", "6 0 matched", "7 70 matched", "8 0 matched"}
	if diff := cmp.Diff(want, got); diff != "" || r.Known != 3 || r.How != cascade.HowMatched {
		t.Errorf("%d known, how %q, -want +got\n%s", r.Known, r.How, diff)
	}
}

func TestForeignImage(t *testing.T) {
	m := analyzetest.Image(t, webImage())
	for _, text := range []string{
		"FROM alpine\nRUN apk add x\nCOPY a /b\n",
		// That CMD and WORKDIR are alike says little.
		"FROM alpine\nRUN apk add x\nCOPY a /b\nRUN y\nRUN z\nWORKDIR /app\nCMD [\"/app\"]\n",
	} {
		_, err := FromImage(graph(t, text, cascade.Options{}), m, nil)
		if e, ok := errors.AsType[*ForeignError](err); !ok || e.Reason() == "" {
			t.Errorf("%q: %v", text, err)
		}
	}
	// An edited one is still its own.
	edited := strings.Replace(web, "RUN apt-get update", "RUN apt-get update && apt-get install x", 1)
	if _, err := FromImage(graph(t, edited, cascade.Options{}), m, nil); err != nil {
		t.Error(err)
	}
}

func TestMerge(t *testing.T) {
	n := func(i int64) *int64 { return &i }
	a := cascade.Measures{{Bytes: n(1), How: "matched"}, {}}
	b := cascade.Measures{{How: cascade.HowNotExported}, {Bytes: n(2), How: "matched"}}
	got := Merge(Merge(nil, a), b)
	if got[0].Bytes != nil || got[0].How != cascade.HowNotExported || *got[1].Bytes != 2 {
		t.Errorf("%+v", got)
	}
}

// TestCarry gives costs to an edited file's instructions.
func TestCarry(t *testing.T) {
	before := graph(t, "FROM a AS x\nRUN 1\nRUN 2\nCOPY 3 /\nRUN 4\nFROM x\nRUN 5\n", cascade.Options{})
	m := make(cascade.Measures, len(before.Steps))
	for i := range m {
		n := int64(i)
		m[i] = cascade.Measure{Bytes: &n, How: cascade.HowMatched}
	}
	for _, tt := range []struct{ name, text, want string }{
		{"the same", "FROM a AS x\nRUN 1\nRUN 2\nCOPY 3 /\nRUN 4\nFROM x\nRUN 5\n", "0 1 2 3 4 5 6"},
		{"one edited", "FROM a AS x\nRUN 1\nRUN two\nCOPY 3 /\nRUN 4\nFROM x\nRUN 5\n", "0 1 2 3 4 5 6"},
		{"one more", "FROM a AS x\nRUN 1\nRUN new\nRUN 2\nCOPY 3 /\nRUN 4\nFROM x\nRUN 5\n", "0 1 - 2 3 4 5 6"},
		{"one less", "FROM a AS x\nRUN 1\nCOPY 3 /\nRUN 4\nFROM x\nRUN 5\n", "0 1 3 4 5 6"},
		{"another kind", "FROM a AS x\nRUN 1\nWORKDIR /w\nCOPY 3 /\nRUN 4\nFROM x\nRUN 5\n", "0 1 - 3 4 5 6"},
		{"a stage between", "FROM a AS x\nRUN 1\nRUN 2\nCOPY 3 /\nRUN 4\nFROM b AS new\nRUN 9\nFROM x\nRUN 5\n", "0 1 2 3 4 - - 5 6"},
	} {
		after := graph(t, tt.text, cascade.Options{})
		var got []string
		for _, one := range Carry(before, m, after) {
			s := "-"
			if one.Bytes != nil {
				s = fmt.Sprint(*one.Bytes)
			}
			got = append(got, s)
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

// TestStrangers holds one image to other projects' Dockerfiles: it isn't theirs.
func TestStrangers(t *testing.T) {
	m := analyzetest.Image(t, webImage())
	held := 0
	for _, d := range fixture.Dockerfiles(t) {
		f, err := dockerfile.Read(d.Path)
		if err != nil {
			continue
		}
		g, err := cascade.New(f, cascade.Options{})
		if err != nil {
			continue
		}
		works := 0
		for _, s := range g.Steps {
			if s.Works() {
				works++
			}
		}
		held++
		r, err := FromImage(g, m, nil)
		if _, foreign := errors.AsType[*ForeignError](err); err != nil && !foreign {
			t.Errorf("%s: %v", d.Name, err)
		}
		if err == nil && r.Known > 1 {
			t.Errorf("%s: %d of %d instructions are taken to be the image's", d.Name, r.Known, works)
		}
	}
	t.Logf("%d Dockerfiles", held)
	if held < 1000 {
		t.Error("that are too few")
	}
}
