package conformance

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// figuresEnv names a folder that figures are written to.
const figuresEnv = "LAYERSCOPE_CONFORMANCE_FIGURES"

// figures writes a row of the table in docs/cascade.md, if that is asked for:
// what was compared, of how many cases, and what came of it. Rows stand in the
// order of their files' names.
func figures(t *testing.T, file, what string, cases int, tally *Tally, started time.Time) {
	t.Helper()
	row := fmt.Sprintf("| %s | %d | %d | %d | %d | %.1f %% | %d of %d | %.0f s |\n", what, cases, tally.Builds, tally.Verdicts, tally.Wrong,
		tally.MayMissPercent(), tally.Settled, tally.MayMisses, time.Since(started).Seconds())
	t.Log(row)
	if dir := os.Getenv(figuresEnv); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(row), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
