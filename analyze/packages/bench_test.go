package packages_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/layerscope/layerscope/analyze/layer"
	"github.com/layerscope/layerscope/analyze/packages"
	"github.com/layerscope/layerscope/analyze/synth"
	"github.com/layerscope/layerscope/analyze/tree"
)

// installed is a layer of n files, half of dpkg's packages of a hundred files,
// a quarter of npm's of fifty, a quarter of no package; and one directory with
// as many files as a hundred packages.
func installed(n int) synth.Layer {
	var db strings.Builder
	l := synth.Layer{synth.Symlink("lib", "usr/lib")}
	for p := range n / 200 {
		var list strings.Builder
		for i := range 100 {
			dir := fmt.Sprintf("/lib/p%d", p)
			if p < 100 {
				dir = "/lib/all"
			}
			fmt.Fprintf(&list, "%s/%d-%d\n", dir, p, i)
			l = append(l, synth.Body(fmt.Sprintf("usr%s/%d-%d", dir, p, i), 100, uint64(i)))
		}
		db.WriteString(status(fmt.Sprintf("p%d", p), "1"))
		l = append(l, synth.File(fmt.Sprintf("var/lib/dpkg/info/p%d.list", p), list.String()))
	}
	for p := range n / 200 {
		dir := fmt.Sprintf("srv/node_modules/n%d", p)
		l = append(l, synth.File(dir+"/package.json", fmt.Sprintf(`{"name":"n%d","version":"1"}`, p)))
		for i := range 50 {
			l = append(l, synth.Body(fmt.Sprintf("%s/lib/%d", dir, i), 100, uint64(i)), synth.Body(fmt.Sprintf("data/%d/%d", p, i), 100, uint64(i)))
		}
	}
	return append(l, synth.File("var/lib/dpkg/status", db.String()))
}

// BenchmarkFind finds the owners of files, of which it reports how many a
// second.
func BenchmarkFind(b *testing.B) {
	for _, n := range []int{100_000, 400_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			r := installed(n).Open(synth.None)
			x, said, err := packages.NewReader().Read(context.Background(), r, layer.Options{})
			r.Close()
			if err != nil {
				b.Fatal(err)
			}
			t, err := tree.Build(context.Background(), []*layer.Index{x}, tree.Options{})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := packages.Find(context.Background(), t, []*packages.Layer{said}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(t.Files())*float64(b.N)/b.Elapsed().Seconds(), "files/s")
		})
	}
}
