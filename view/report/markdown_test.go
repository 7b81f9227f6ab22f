package report

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/layerscope/layerscope/analyze/analyzetest"
	"github.com/layerscope/layerscope/analyze/gate"
	"github.com/layerscope/layerscope/analyze/synth"
)

// TestMarkdownGates names the first of the paths that shouldn't be there.
func TestMarkdownGates(t *testing.T) {
	m := analyzetest.Image(t, synth.Image{Steps: []synth.Step{{CreatedBy: "COPY . / # buildkit", Layer: synth.Layer{
		synth.File("a`b/x", "x"), synth.File("b/x", "x"), synth.File("c/x", "x"), synth.File("d/x", "x"),
	}}}})
	var b bytes.Buffer
	if err := Markdown(&b, gated(m, "", &gate.Limits{ForbidFail: globs(t, "x")}), TextOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"**4 B** stored in 1 layer, none of it dead.\n",
		"- fail: forbid: `` /a`b/x `` (step 0), ` /b/x ` (step 0), ` /c/x ` (step 0) and 1 more\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("there is no %q in\n%s", want, b.String())
		}
	}
}

// TestMarkdownFits writes a report on an image with too much of everything: it
// stays under 60 lines, and no name of the image is more than a name.
func TestMarkdownFits(t *testing.T) {
	hostile := "`` ` | **bold** <script> \x1b[31m\n# title \u202e [x](y) " + strings.Repeat("long", 40)
	img := synth.Image{Tags: []string{"app:1.0"}}
	for i := range 100 {
		run := fmt.Sprintf("RUN %d %s # buildkit", i, hostile)
		img.Steps = append(img.Steps, synth.Step{CreatedBy: run, Layer: synth.Layer{
			synth.Body(fmt.Sprintf("%d/.ssh/id_rsa", i), 100, uint64(i)),
			synth.Body(fmt.Sprintf("%d/%s", i, hostile), 1000, uint64(i)),
			synth.Body(fmt.Sprintf("var/cache/apt/archives/%d.deb", i), 1000, uint64(i)),
			synth.Body(fmt.Sprintf("root/.cache/pip/%d", i), 1000, uint64(i)),
		}})
		img.Steps = append(img.Steps, synth.Step{CreatedBy: "RUN rm", Layer: synth.Layer{synth.Whiteout(fmt.Sprint(i))}})
		img.Steps = append(img.Steps, synth.Step{CreatedBy: fmt.Sprintf("ENV TOKEN_%d=secretsecret", i)})
	}
	m := analyzetest.Image(t, img)
	m.Base.How = "guessed"
	l := &gate.Limits{ForbidFail: globs(t, "id_rsa", "*.deb")}
	for _, r := range gate.Rules() {
		l.Set(r, gate.Fail, &gate.Number{Unit: r.Unit()})
	}
	for _, ascii := range []bool{false, true} {
		var b bytes.Buffer
		if err := Markdown(&b, gated(m, "", l), TextOptions{ASCII: ascii}); err != nil {
			t.Fatal(err)
		}
		for _, l := range checkComment(t, b.String(), ascii) {
			if cells := strings.Count(strings.ReplaceAll(l, `\|`, ""), "|"); strings.HasPrefix(l, "|") && cells != 5 && cells != 4 && cells != 8 {
				t.Errorf("a row has %d bars: %q", cells, l)
			}
		}
	}
}

// checkComment holds a report in Markdown to 60 lines, and the names in it, which
// are of **bold** and <script>, to their code spans. It returns the lines.
func checkComment(t *testing.T, report string, ascii bool) []string {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(report, "\n"), "\n")
	if len(lines) >= 60 {
		t.Errorf("%d lines", len(lines))
	}
	checkLines(t, report, TextOptions{ASCII: ascii})
	for _, l := range lines {
		if outside := outsideCode(l); strings.Contains(outside, "bold") || strings.Contains(outside, "<script>") {
			t.Errorf("a name gets out of its code span: %q", l)
		}
	}
	return lines
}

// outsideCode returns a line without its code spans, as CommonMark finds them
// (spec 0.31, §6.1): a run of backticks up to the next run of the same length.
func outsideCode(line string) string {
	var out strings.Builder
	for line != "" {
		start := strings.IndexByte(line, '`')
		if start < 0 {
			out.WriteString(line)
			break
		}
		out.WriteString(line[:start])
		rest := strings.TrimLeft(line[start:], "`")
		fence := len(line) - start - len(rest)
		end := closing(rest, fence)
		if end < 0 {
			out.WriteString(line[start : start+fence])
			line = rest
			continue
		}
		line = rest[end:]
	}
	return out.String()
}

// closing returns where a run of n backticks ends in s, -1 if there is none.
func closing(s string, n int) int {
	for i := 0; i < len(s); {
		if s[i] != '`' {
			i++
			continue
		}
		run := len(s[i:]) - len(strings.TrimLeft(s[i:], "`"))
		if i += run; run == n {
			return i
		}
	}
	return -1
}
