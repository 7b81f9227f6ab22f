//go:build linux

package conformance

import (
	"cmp"
	"os"
	"strconv"
	"testing"

	"github.com/layerscope/layerscope/analyze/cascade/conformance/lab"
)

// The tests against real builders run only if they are asked for, in full or
// by a sample.
const (
	askedEnv  = "LAYERSCOPE_CONFORMANCE"        // "full" or "sample"
	seedEnv   = "LAYERSCOPE_CONFORMANCE_SEED"   // of the sample; 1 if not set
	recordEnv = "LAYERSCOPE_CONFORMANCE_RECORD" // "1": what a full run sees replaces the records
)

// records is where what real builders did is kept.
const records = "record/testdata"

func TestMain(m *testing.M) {
	if os.Getenv(askedEnv) == "" {
		os.Exit(m.Run())
	}
	os.Exit(lab.Main(m))
}

// asked returns whether all is asked for, or a sample of a seed. The test is
// skipped if neither is.
func asked(t *testing.T) (full bool, seed uint64) {
	t.Helper()
	seed, err := strconv.ParseUint(cmp.Or(os.Getenv(seedEnv), "1"), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	switch os.Getenv(askedEnv) {
	case "full":
		return true, seed
	case "sample":
		return false, seed
	}
	t.Skip("run make conformance")
	return false, 0
}
