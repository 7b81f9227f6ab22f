package demo

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/dustin/go-humanize"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/layerscope/layerscope/analyze/synth"
)

var update = flag.Bool("update", false, "rewrite config.json and manifest.json")

// TestKept holds the kept config and manifest to what the image really is.
func TestKept(t *testing.T) {
	img, err := Image().V1()
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Image(img); err != nil {
		t.Errorf("invalid: %v", err)
	}
	c, err := img.RawConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	m, err := img.RawManifest()
	if err != nil {
		t.Fatal(err)
	}
	for _, kept := range []struct {
		name      string
		got, want []byte
	}{{"config.json", config, c}, {"manifest.json", manifest, m}} {
		if *update {
			if err := os.WriteFile(kept.name, kept.want, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if d := cmp.Diff(string(kept.want), string(kept.got)); d != "" {
			t.Errorf("%s is out of date, run the test with -update (-image +kept):\n%s", kept.name, d)
		}
	}
}

// TestStory works out the numbers with the model and finds them in the package
// comment's table.
func TestStory(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	m := &model{paths: map[string]*stored{}, dirs: map[string]bool{}}
	rows := []sums{}
	for i, l := range layers() {
		rc := l.Open(synth.None)
		es := entriesOf(t, rc)
		rc.Close()
		m.apply(t, i, es)
		rows = append(rows, sums{entries: len(es)})
	}
	var total sums
	for _, c := range m.copies {
		rows[c.layer].add(c)
		total.add(c)
	}
	var want []string
	for i, s := range rows {
		if s.stored != s.live+s.dead() {
			t.Errorf("layer %d: %d bytes stored, %d live, %d dead", i, s.stored, s.live, s.dead())
		}
		if dead := humanize.Comma(s.dead()); !strings.Contains(string(doc), dead) {
			t.Errorf("doc.go's story lacks the %s dead bytes of layer %d", dead, i)
		}
		total.entries += s.entries
		want = append(want, s.row(fmt.Sprint(i)))
	}
	want = append(want, total.row("all"))
	got := regexp.MustCompile(`(?m)^//\t +(?:\d+|all)(?: +\d+){7}$`).FindAllString(string(doc), -1)
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("table in doc.go (-model +doc):\n%s\nas it should be:\n%s", d, strings.Join(want, "\n"))
	}
}

// row is a line of the table.
func (s sums) row(layer string) string {
	return fmt.Sprintf("//\t%5s %7d %9d %9d %11d %9d %8d %8d",
		layer, s.entries, s.stored, s.live, s.overwritten, s.rewritten, s.deleted, s.replaced)
}

// TestDockerfileFitsHistory writes down what BuildKit would for each
// instruction and finds it, in order, above the base.
func TestDockerfileFitsHistory(t *testing.T) {
	var want []string
	for _, line := range instructions(Dockerfile)[1:] {
		word, rest, _ := strings.Cut(line, " ")
		switch word {
		case "RUN":
			line = "RUN " + args + "/bin/sh -c " + rest + " # buildkit"
		case "COPY":
			line += " # buildkit"
		case "LABEL":
			rest = strings.ReplaceAll(rest, "$VERSION", "1.4.2")
			line = "LABEL " + strings.Join(strings.Fields(rest), " ")
		case "EXPOSE":
			line = "EXPOSE [" + rest + "/tcp]"
		case "CMD", "ENTRYPOINT":
			line = strings.ReplaceAll(line, `", "`, `" "`)
		}
		want = append(want, line)
	}
	var got []string
	for _, s := range ownSteps() {
		got = append(got, s.CreatedBy)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("history (-Dockerfile +image):\n%s", d)
	}
}

// instructions joins continued lines as Dockerfiles do: what follows the
// backslash is kept as it is.
func instructions(dockerfile string) []string {
	dockerfile = regexp.MustCompile(`(?m)^#.*\n`).ReplaceAllString(dockerfile, "")
	dockerfile = strings.ReplaceAll(dockerfile, "\\\n", "")
	var all []string
	for line := range strings.Lines(dockerfile) {
		if line = strings.TrimSpace(line); line != "" {
			all = append(all, line)
		}
	}
	return all
}

// TestContext checks that what the Dockerfile copies is in the context.
func TestContext(t *testing.T) {
	for _, name := range []string{"requirements.txt", "deploy/settings.toml", "Dockerfile", "herbarium/__init__.py"} {
		if _, err := fs.Stat(Context(), name); err != nil {
			t.Error(err)
		}
	}
	if b, _ := fs.ReadFile(Context(), "Dockerfile"); string(b) != Dockerfile {
		t.Error("the context's Dockerfile is another one")
	}
}
