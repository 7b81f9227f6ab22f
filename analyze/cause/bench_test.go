package cause

import (
	"fmt"
	"testing"

	"github.com/layerscope/layerscope/analyze/packages"
)

// BenchmarkToolchainOf tells the toolchains of packages that have none, which
// takes longest.
func BenchmarkToolchainOf(b *testing.B) {
	names := make([]string, 1000)
	for i := range names {
		names[i] = fmt.Sprintf("libsomething-of-perl%d-common", i)
	}
	for b.Loop() {
		for _, name := range names {
			toolchainOf(packages.Dpkg, name)
		}
	}
	b.ReportMetric(float64(b.N)*float64(len(names))/b.Elapsed().Seconds(), "names/s")
}
