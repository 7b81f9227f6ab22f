package record

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/layerscope/layerscope/analyze/cascade"
)

func TestRoundTrip(t *testing.T) {
	want := []Build{
		{Seen: Seen{{"build", 2, 3, false}: Ran, {"build", 3, 3, true}: Cached, {"", 12, 12, false}: Skipped}},
		{Edit: "a", Line: 7, Patch: &Patch{2, 1, []string{"<RUN> \r\n"}}, Args: map[string]string{"A": "1"}, Failed: true},
		{Edit: "bytes", Path: "a/b"},
		{Edit: "no arguments", Args: map[string]string{}},
	}
	dir := t.TempDir()
	if err := Write(dir, "buildkit", "case", want); err != nil {
		t.Fatal(err)
	}
	got, err := Read(dir, "buildkit", "case")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if none, err := Read(dir, "buildkit", "another"); err != nil || none != nil {
		t.Errorf("records of nothing: %v, %v", none, err)
	}
}

// A patch makes the edited text of the first, whatever the edit.
func TestPatch(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	text := func() []byte {
		var b strings.Builder
		for range r.IntN(6) {
			b.WriteString([]string{"a", "b", "b\n", "c\n", "d\r\n"}[r.IntN(5)])
		}
		return []byte(b.String())
	}
	for range 5000 {
		before, after := text(), text()
		p := NewPatch(before, after)
		if got, err := p.Apply(before); err != nil || string(got) != string(after) {
			t.Fatalf("%q to %q by %+v: %q, %v", before, after, p, got, err)
		}
	}
	if _, err := (&Patch{From: 3, Cut: 1}).Apply([]byte("a\nb\n")); err == nil {
		t.Error("an edit of another text was made")
	}
}

type someImages struct{}

func (someImages) Image(reference, platform string) *cascade.Image {
	if strings.HasPrefix(reference, "none") {
		return nil
	}
	return &cascade.Image{Digest: reference, Platform: platform, Env: []string{"A=1"}}
}

func TestImages(t *testing.T) {
	dir := t.TempDir()
	if err := Write(dir, "buildkit", "case", nil); err != nil {
		t.Fatal(err)
	}
	im := Knowing(someImages{})
	im.Image("a", "linux/amd64")
	im.Image("none", "linux/amd64")
	if err := im.Write(dir, "buildkit"); err != nil {
		t.Fatal(err)
	}
	again, err := ReadImages(dir, "buildkit")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(someImages{}.Image("a", "linux/amd64"), again.Image("a", "linux/amd64")); diff != "" {
		t.Error(diff)
	}
	if again.Image("none", "linux/amd64") != nil || again.Image("b", "linux/amd64") != nil {
		t.Error("an image is known that wasn't")
	}
}
