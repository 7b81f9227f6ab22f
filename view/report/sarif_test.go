package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/layerscope/layerscope/analyze"
	"github.com/layerscope/layerscope/analyze/analyzetest"
	"github.com/layerscope/layerscope/analyze/dockerfile"
	"github.com/layerscope/layerscope/analyze/gate"
	"github.com/layerscope/layerscope/analyze/secret"
	"github.com/layerscope/layerscope/analyze/synth"
	"github.com/layerscope/layerscope/analyze/waste"
	"github.com/layerscope/layerscope/analyze/waste/disposable"
	"github.com/layerscope/layerscope/view/text"
)

// validSARIF checks a log against OASIS' own schema and returns its run.
// (testdata has it as published with errata 01, from the module
// github.com/owenrumney/go-sarif/v3 v3.3.1.)
func validSARIF(t *testing.T, log []byte) sarifRun {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	schema, err := c.Compile(filepath.Join("testdata", "sarif-schema-2.1.0.json"))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(log))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(doc); err != nil {
		t.Error(err)
	}
	var parsed sarifLog
	if err := json.Unmarshal(log, &parsed); err != nil || len(parsed.Runs) != 1 {
		t.Fatalf("%d runs: %v", len(parsed.Runs), err)
	}
	for _, r := range parsed.Runs[0].Results {
		if rule := parsed.Runs[0].Tool.Driver.Rules[r.RuleIndex]; rule.ID != r.RuleID || rule.Default.Level != r.Level {
			t.Errorf("result of rule %s, %s: rule %d is %s, %s", r.RuleID, r.Level, r.RuleIndex, rule.ID, rule.Default.Level)
		}
	}
	return parsed.Runs[0]
}

// sarifOf writes a subject as SARIF.
func sarifOf(t *testing.T, s Subject) sarifRun {
	t.Helper()
	var b bytes.Buffer
	if err := SARIF(&b, s, Tool{"layerscope", "v1"}); err != nil {
		t.Fatal(err)
	}
	return validSARIF(t, b.Bytes())
}

// wasteful is an image on a base, of which every finding is known, and its
// Dockerfile.
func wasteful(sum string) (synth.Image, string) {
	return synth.Image{Tags: []string{"app:1.0"}, Steps: []synth.Step{
		{CreatedBy: "# debian.sh --arch 'amd64' out/ 'bookworm' '@1'", Comment: "debuerreotype 0.15", Layer: synth.Layer{
			synth.Body("base/gone", 1000, 1), synth.Body("base/one", 2000, 2), synth.Body("base/two", 2000, 2)}},
		{CreatedBy: "/bin/sh -c #(nop) COPY dir:" + strings.Repeat(sum, 64) + " in /srv ", Layer: synth.Layer{
			synth.Body("srv/a", 100, 3), synth.Body("srv/b", 200, 4), synth.Body("srv/c", 300, 5), synth.Body("srv/d", 400, 6), synth.Body("srv/stays", 500, 7)}},
		{CreatedBy: "/bin/sh -c rm /srv/a /srv/b base/gone", Layer: synth.Layer{
			synth.Whiteout("srv/a"), synth.Whiteout("srv/b"), synth.Whiteout("base/gone")}},
		{CreatedBy: "/bin/sh -c chmod 600 /srv/c     && make", Layer: synth.Layer{
			synth.Body("srv/c", 300, 5, synth.Mode(0o600)), synth.Body("srv/d", 401, 8), synth.Body("srv/again", 500, 7)}},
	}}, "FROM debian\nCOPY . /srv\nRUN rm /srv/a /srv/b base/gone\n\nRUN chmod 600 /srv/c \\\n    && make\n"
}

func withDockerfile(t *testing.T, m *analyze.Image, name, text string) *analyze.Image {
	t.Helper()
	f, err := dockerfile.Parse(name, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	m, err = m.WithDockerfile(f, "")
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// brief is what matters of a result.
type brief struct {
	Rule, Level, Lines string
	Bytes              int64
	Related            []string
}

func briefs(run sarifRun) (bs []brief) {
	lines := func(l sarifLocation) string {
		switch {
		case l.Physical == nil:
			return l.Logical[0].Name
		case l.Physical.Region == nil:
			return l.Physical.Artifact.URI
		}
		return fmt.Sprintf("%s:%d-%d", l.Physical.Artifact.URI, l.Physical.Region.StartLine, l.Physical.Region.EndLine)
	}
	for _, r := range run.Results {
		b := brief{Rule: r.RuleID, Level: r.Level, Lines: lines(r.Locations[0])}
		if r.Properties.Bytes != nil {
			b.Bytes = *r.Properties.Bytes
		}
		for _, l := range r.Related {
			b.Related = append(b.Related, lines(l))
		}
		bs = append(bs, b)
	}
	return bs
}

func TestSARIF(t *testing.T) {
	img, df := wasteful("a")
	m := analyzetest.Image(t, img)
	run := sarifOf(t, About(withDockerfile(t, m, filepath.FromSlash("./docker files/Dockerfile"), df)))
	file := "docker%20files/Dockerfile"
	want := []brief{ // none of the base
		{"dead-bytes", "warning", file + ":2-2", 1000, []string{file + ":5-6", file + ":3-3"}},
		{"duplicate-files", "note", file + ":5-6", 500, []string{file + ":2-2"}},
	}
	if diff := cmp.Diff(want, briefs(run)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	message := run.Results[0].Message.Text
	for _, part := range []string{
		"Step 1 (COPY dir:aaaaaaaaaaaa in /srv) stores 1.0 kB in 4 files", "/srv/d (400 B), /srv/c (300 B), /srv/b (200 B) and 1 more",
		"Step 3 overwrites 1 file of step 1", "Step 3 stores 1 file of step 1 again", "Step 2 removes 2 files of step 1",
	} {
		if !strings.Contains(message, part) {
			t.Errorf("no %q in %s", part, message)
		}
	}

	// Without a Dockerfile there are steps, and no places.
	run = sarifOf(t, About(m))
	want = []brief{
		{"dead-bytes", "warning", "step 1", 1000, []string{"step 3", "step 2"}},
		{"duplicate-files", "note", "step 3", 500, []string{"step 1"}},
	}
	if diff := cmp.Diff(want, briefs(run)); diff != "" {
		t.Errorf("without a Dockerfile, -want +got\n%s", diff)
	}

	// Where no base is known, all findings are the image's own. Lines of the
	// steps that the Dockerfile hasn't aren't known.
	img.Steps[0].CreatedBy, img.Steps[0].Comment = "/bin/sh -c base", ""
	run = sarifOf(t, About(withDockerfile(t, analyzetest.Image(t, img), "Dockerfile", df+"USER nobody\n")))
	want = []brief{
		{"dead-bytes", "warning", "Dockerfile", 1000, []string{"Dockerfile:3-3"}},
		{"dead-bytes", "warning", "Dockerfile:2-2", 1000, []string{"Dockerfile:5-6", "Dockerfile:3-3"}},
		{"duplicate-files", "note", "Dockerfile", 2000, nil},
		{"duplicate-files", "note", "Dockerfile:5-6", 500, []string{"Dockerfile:2-2"}},
	}
	if diff := cmp.Diff(want, briefs(run)); diff != "" {
		t.Errorf("without a base, -want +got\n%s", diff)
	}
}

// TestSARIFOfAll makes every kind of finding, those of classes and secrets by
// hand.
func TestSARIFOfAll(t *testing.T) {
	img, df := wasteful("a")
	s := About(withDockerfile(t, analyzetest.Image(t, img), "Dockerfile", df))
	dead := s.Findings.Dead.Copies // base/gone, srv/d, srv/c, srv/b, srv/a
	rule := &disposable.Rule{ID: "odd-files", Title: "odd files", What: "Files that are odd.", Why: "Nobody asks for them.", Fix: "Leave them out."}
	tally := waste.Image{Tree: s.Image.Tree}.NewTally()
	class := disposable.Class{Rule: rule, Tally: tally, Origins: make([]waste.Sum, len(tally.Layers))}
	for _, c := range dead[:3] {
		class.Files = append(class.Files, disposable.File{Copy: c.Copy, Origin: int(c.Ref.Layer)})
		class.Origins[c.Ref.Layer].Add(c.Copy)
		class.Add(c.Copy)
	}
	s.Findings.Disposable = &disposable.Report{Classes: []disposable.Class{class}}
	s.Findings.SecretFiles = []secret.File{{DeadCopy: dead[0], Kind: "of the base"}, {DeadCopy: dead[3], Kind: "private key"}}
	s.Findings.SecretValues = []secret.Value{{Step: 0, In: "ARG", Name: "BASE"}, {Step: 3, In: "RUN", Name: "TOKEN", Masked: "gh****"}}
	var b bytes.Buffer
	if err := writeJSON(&b, newSARIF(s, Tool{"layerscope", "v1"}, []*disposable.Rule{rule})); err != nil {
		t.Fatal(err)
	}
	run := validSARIF(t, b.Bytes())
	want := []brief{
		{"leaked-file", "error", "Dockerfile:2-2", 200, []string{"Dockerfile:3-3"}},
		{"secret-value", "error", "Dockerfile:5-6", 0, nil},
		{"dead-bytes", "warning", "Dockerfile:2-2", 1000, []string{"Dockerfile:5-6", "Dockerfile:3-3"}},
		{"odd-files", "note", "Dockerfile:2-2", 700, nil},
		{"duplicate-files", "note", "Dockerfile:5-6", 500, []string{"Dockerfile:2-2"}},
	}
	if diff := cmp.Diff(want, briefs(run)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if got, want := run.Results[1].Message.Text, "The history of step 3 has a value that looks secret: RUN TOKEN=gh****. "; !strings.HasPrefix(got, want) {
		t.Errorf("got %s", got)
	}
	if r := run.Tool.Driver.Rules[6]; r.Help.Text != "Nobody asks for them. Leave them out." || r.HelpURI != project+"/blob/main/docs/rules/odd-files.md" {
		t.Errorf("rule %+v", r)
	}
	docs, err := os.ReadFile(filepath.Join("..", "..", "docs", "sarif.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range run.Tool.Driver.Rules[:6] {
		if r.HelpURI != project+"/blob/main/docs/sarif.md#"+r.ID || !strings.Contains(string(docs), "\n### "+r.ID+"\n") {
			t.Errorf("docs/sarif.md doesn't tell of %s, where %s leads to", r.ID, r.HelpURI)
		}
	}
}

// TestSARIFFingerprints builds the image again with another checksum: the
// findings are the same ones. Within an image no two are.
func TestSARIFFingerprints(t *testing.T) {
	prints := func(sum string) (all []string) {
		img, _ := wasteful(sum)
		img.Steps = append(img.Steps, img.Steps[1:]...) // the same instructions twice
		for _, r := range sarifOf(t, About(analyzetest.Image(t, img))).Results {
			all = append(all, r.RuleID+" "+r.Fingerprints["primaryLocationLineHash"])
		}
		return all
	}
	one, other := prints("a"), prints("b")
	if diff := cmp.Diff(one, other); diff != "" {
		t.Errorf("another build, -one +other\n%s", diff)
	}
	seen := map[string]bool{}
	for _, p := range one {
		if seen[p] {
			t.Errorf("two findings are %s", p)
		}
		seen[p] = true
	}
	if len(one) < 4 {
		t.Errorf("only %d findings", len(one))
	}
}

// TestSARIFAddsUp holds results to the report: what is dead of the image's own
// is what its findings are about.
func TestSARIFAddsUp(t *testing.T) {
	m := sample(t)
	s := About(m)
	sums := map[string]int64{}
	for _, r := range sarifOf(t, s).Results {
		sums[r.RuleID] += *r.Properties.Bytes
		if step := r.Properties.Step; step == nil || *step < 0 || *step >= len(m.Steps) {
			t.Errorf("a finding of step %v", step)
		}
	}
	if sums["dead-bytes"] != m.Totals.Dead || sums["duplicate-files"] != s.Findings.Duplicates.Bytes || m.Totals.Dead == 0 {
		t.Errorf("sums %v, dead %d, duplicate %d", sums, m.Totals.Dead, s.Findings.Duplicates.Bytes)
	}
}

// TestSARIFGates has a result for each limit that the image isn't within.
func TestSARIFGates(t *testing.T) {
	l := &gate.Limits{}
	l.Set(gate.Size, gate.Fail, &gate.Number{Unit: gate.Bytes, Whole: 1})
	l.Set(gate.Layers, gate.Warn, &gate.Number{Unit: gate.Count, Whole: 2})
	l.Set(gate.Leaks, gate.Fail, &gate.Number{Unit: gate.Count})
	l.ForbidFail, l.ForbidWarn = globs(t, "/d1"), globs(t, "link")
	s := gated(sample(t), "", l)
	var got []string
	for _, r := range sarifOf(t, s).Results {
		if r.Properties.Step == nil {
			got = append(got, r.RuleID+": "+r.Message.Text)
		}
	}
	want := []string{
		"limit-exceeded: size is " + text.Size(s.Image.Totals.Stored) + ", the limit 1 B.",
		"limit-warned: layers is 3, the limit 2.",
		"limit-exceeded: forbid: /d1 (step 0), /d0/link (step 1).",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("results of limits (-want +got):\n%s", diff)
	}
}

// TestSARIFHostile writes names that could do something to a terminal or to a
// reader of messages.
func TestSARIFHostile(t *testing.T) {
	evil := "x\x1b[31m\u202e\xff\n[click](http://evil.example) {0}" + strings.Repeat("long", 500)
	img := synth.Image{Steps: []synth.Step{
		{CreatedBy: "/bin/sh -c " + evil, Layer: synth.Layer{synth.Body(evil, 100, 1), synth.Body("twin", 100, 1), synth.Body("triplet", 100, 1)}},
		{CreatedBy: "/bin/sh -c rm", Layer: synth.Layer{synth.Whiteout(evil)}},
	}}
	var b bytes.Buffer
	if err := SARIF(&b, About(analyzetest.Image(t, img)), Tool{"layerscope", "v1"}); err != nil {
		t.Fatal(err)
	}
	if out := strings.ReplaceAll(b.String(), "\n", ""); text.Printable(out) != out {
		t.Error("the output isn't printable")
	}
	run := validSARIF(t, b.Bytes())
	if len(run.Results) != 2 {
		t.Errorf("%d results, want 2", len(run.Results))
	}
	for _, r := range run.Results {
		m := r.Message.Text
		if text.Printable(m) != m || strings.Contains(strings.ReplaceAll(m, `\]`, ""), "](") || len(m) > 2000 {
			t.Errorf("message %q", m)
		}
	}
}

func TestFileURI(t *testing.T) {
	tests := map[string]string{
		"Dockerfile": "Dockerfile", "./Dockerfile": "Dockerfile", "a//b/../Dockerfile": "a/Dockerfile", "../Dockerfile": "../Dockerfile",
		"a b/D%41?#": "a%20b/D%2541%3F%23", "x:y": "./x:y", "ü\xff": "%C3%BC%FF",
	}
	if runtime.GOOS != "windows" {
		tests["/srv/Dockerfile"] = "file:///srv/Dockerfile"
	}
	for name, want := range tests {
		if got := fileURI(filepath.FromSlash(name)); got != want {
			t.Errorf("%q is %q, want %q", name, got, want)
		}
	}
}
