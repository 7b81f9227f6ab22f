//go:build linux

package e2e

import (
	"encoding/json"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// record is a line of docker history.
type record struct {
	ID, CreatedBy, Comment string
	CreatedAt              string
	Size                   string // bytes
}

// history returns docker's history of an image, the oldest record first.
func (l *lab) history(t *testing.T, image string) (records []record) {
	t.Helper()
	out := l.tool(t, l.Docker, "history", "--no-trunc", "--human=false", "--format", "{{json .}}", image)
	for line := range strings.Lines(string(out)) {
		var r record
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		records = append(records, r)
	}
	slices.Reverse(records)
	return records
}

// The steps are docker history's records, wherever the image is read from.
func TestHistory(t *testing.T) {
	l := open(t, engine, registry, skopeo)
	for _, builder := range []string{classic, buildkit} {
		name := l.built(t, builder)
		want := l.history(t, name)
		for _, place := range l.places(t, builder) {
			t.Run(builder+"/"+place.name, func(t *testing.T) {
				steps := place.report(t, l).Steps
				if len(steps) != len(want) {
					t.Fatalf("%d steps, docker history has %d", len(steps), len(want))
				}
				for i, s := range steps {
					if s.CreatedBy != want[i].CreatedBy || s.Comment != want[i].Comment {
						t.Errorf("step %d is %q (%q), docker history has %q (%q)", i, s.CreatedBy, s.Comment, want[i].CreatedBy, want[i].Comment)
					}
					if at := s.Created.Format(time.RFC3339); at != want[i].CreatedAt {
						t.Errorf("step %d is of %s, docker history has %s", i, at, want[i].CreatedAt)
					}
				}
			})
		}
	}
}

// With BuildKit, what the engine says a step added is what it stored. (The
// classic builder counts symbolic links too.)
func TestHistorySizes(t *testing.T) {
	l := open(t, engine)
	name := l.built(t, buildkit)
	steps := l.report(t, "docker://"+name).Steps
	for i, record := range l.history(t, name) {
		if got := itoa(steps[i].Stored); got != record.Size {
			t.Errorf("step %d (%s) stored %s, docker history has %s", i, record.CreatedBy, got, record.Size)
		}
	}
}

// layerNames returns the names of an archive's layers, the lowest first.
func layerNames(t *testing.T, archive string) []string {
	t.Helper()
	out, err := exec.Command("tar", "xOf", archive, "manifest.json").Output()
	if err != nil {
		t.Fatal(err)
	}
	var images []struct{ Layers []string }
	if err := json.Unmarshal(out, &images); err != nil || len(images) != 1 {
		t.Fatalf("manifest.json with %d images: %v", len(images), err)
	}
	return images[0].Layers
}

func itoa[T int | int64](n T) string { return strconv.FormatInt(int64(n), 10) }

func atoi(t *testing.T, s string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
