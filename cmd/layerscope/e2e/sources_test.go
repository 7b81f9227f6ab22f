//go:build linux

package e2e

import (
	"os"
	"testing"
)

// place is where an image is read from.
type place struct {
	name  string
	args  []string // which end with the reference
	host  string   // an engine other than the lab's
	stdin string   // the file to read on standard input
}

// call calls layerscope on the place's image.
func (p place) call(t *testing.T, l *lab, command ...string) result {
	t.Helper()
	c := call{args: append(command, p.args...)}
	if p.host != "" {
		c.env = []string{"DOCKER_HOST=" + p.host}
	}
	if p.stdin != "" {
		f, err := os.Open(p.stdin)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		c.stdin = f
	}
	return l.run(t, c)
}

func (p place) report(t *testing.T, l *lab) *report {
	t.Helper()
	return p.call(t, l, "report", "--format", "json").report(t)
}

// places returns where the image that a builder made in the engine can be read
// from: the engine itself, what docker makes of it, and what skopeo does.
func (l *lab) places(t *testing.T, builder string) []place {
	t.Helper()
	name, pushed, saved := l.built(t, builder), l.pushed(t, builder), l.saved(t, builder)
	return append([]place{
		{name: "engine", args: []string{"docker://" + name}},
		{name: "engine, bare name", args: []string{name}},
		{name: "registry", args: []string{"registry://" + pushed}},
		{name: "docker save", args: []string{saved}},
		{name: "docker save, named", args: []string{"docker-archive:" + saved}},
		{name: "docker save on stdin", args: []string{"-"}, stdin: saved},
		{name: "docker save, gzip", args: []string{l.packed(t, saved, "gzip", ".gz")}},
		{name: "docker save, gzip, on stdin", args: []string{"-"}, stdin: saved + ".gz"},
		{name: "docker save, zstd", args: []string{l.packed(t, saved, "zstd", ".zst")}},
	}, l.copies(t, builder)...)
}

// packed compresses a file and returns the compressed one's path.
func (l *lab) packed(t *testing.T, path, tool, extension string) string {
	t.Helper()
	return once(t, tool+" "+path, func() (string, error) {
		out := path + extension
		_, err := l.output("sh", "-c", `"$0" -c <"$1" >"$2"`, tool, path, out)
		return out, err
	})
}

// copies has skopeo copy an image to every format it writes.
func (l *lab) copies(t *testing.T, builder string) (places []place) {
	t.Helper()
	saved := l.saved(t, builder)
	for _, c := range []struct{ name, to, tag, compression string }{
		{"oci layout, gzip", "oci:", "1", "gzip"},
		{"oci layout, zstd", "oci:", "1", "zstd"},
		{"oci-archive, gzip", "oci-archive:", "1", "gzip"},
		{"oci-archive, zstd", "oci-archive:", "1", "zstd"},
		{"docker-archive", "docker-archive:", l.built(t, builder), "gzip"}, // which it doesn't do there
	} {
		ref := once(t, c.name+" "+builder, func() (string, error) {
			ref := c.to + l.path(builder+" "+c.name)
			_, err := l.output(skopeo, "copy", "--dest-compress-format", c.compression, "docker-archive:"+saved, ref+":"+c.tag)
			return ref, err
		})
		places = append(places, place{name: "skopeo " + c.name, args: []string{ref}})
	}
	return places
}

// An image is the same image wherever it is read from: the same files, the
// same bytes stored, live and dead, in all, by layer and by step.
func TestSources(t *testing.T) {
	l := open(t, engine, registry, skopeo, podman, zstd)
	for _, builder := range []string{classic, buildkit} {
		places := append(l.places(t, builder), l.inPodman(t, builder))
		l.samePlaces(t, builder, places)
	}
}

// samePlaces checks that all places have the image that the first of them has.
func (l *lab) samePlaces(t *testing.T, name string, places []place) {
	t.Helper()
	want, tree := factsOf(places[0].report(t, l)), places[0].call(t, l, "tree", "--format", "json").tree(t)
	for _, p := range places[1:] {
		t.Run(name+"/"+p.name, func(t *testing.T) {
			same(t, want, factsOf(p.report(t, l)))
			sameFiles(t, tree, p.call(t, l, "tree", "--format", "json").tree(t))
		})
	}
}

// facts are what doesn't depend on where an image is read from.
type facts struct {
	Totals Sums
	Files  int
	Layers []layerFacts
	Steps  []stepFacts
}

type layerFacts struct {
	Sums
	DiffID        string
	Entries, Step int
}

type stepFacts struct {
	Sums
	Text, CreatedBy, Created string
	Layer                    int // -1: none
}

func factsOf(r *report) facts {
	f := facts{Totals: r.Totals.Sums, Files: r.Totals.Files}
	for _, l := range r.Layers {
		f.Layers = append(f.Layers, layerFacts{l.Sums, l.DiffID, l.Entries, l.Step})
	}
	for _, s := range r.Steps {
		layer := -1
		if s.Layer != nil {
			layer = *s.Layer
		}
		f.Steps = append(f.Steps, stepFacts{s.Sums, s.Text, s.CreatedBy, s.Created.String(), layer})
	}
	return f
}
