package secret

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/layerscope/layerscope/analyze/history"
	"github.com/layerscope/layerscope/analyze/synth/fixture"
)

var (
	continued   = regexp.MustCompile(`\\[ \t]*\r?\n(?:[ \t]*#.*\n)*`)
	instruction = regexp.MustCompile(`^\s*(?i:ARG|ENV|RUN|COPY|ADD|LABEL|CMD|ENTRYPOINT|HEALTHCHECK)\s`)
)

// stepsOf makes steps of a Dockerfile's lines, much as a history has them.
func stepsOf(dockerfile string) []history.Step {
	var steps []history.Step
	for line := range strings.Lines(continued.ReplaceAllString(dockerfile, " ")) {
		if word := instruction.FindString(line); word != "" {
			steps = append(steps, history.Step{Instruction: strings.ToUpper(strings.TrimSpace(word)), Text: strings.TrimSpace(line)})
		}
	}
	return steps
}

// TestDockerfiles reads other projects' Dockerfiles: what is found in them was
// looked at, and each is a value written out, though one is only for a build.
func TestDockerfiles(t *testing.T) {
	files, names := 0, map[string]int{}
	err := filepath.WalkDir(filepath.Join(fixture.Dir(t), "dockerfiles"), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files++
		for _, v := range Values(stepsOf(string(data))) {
			names[v.Name]++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d Dockerfiles", files)
	if diff := cmp.Diff([]string{"LICENSE_KEY", "MYSQL_PASSWD", "SECRET_KEY"}, slices.Sorted(maps.Keys(names))); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
