//go:build linux

package conformance

import (
	"os"
	"testing"

	"github.com/layerscope/layerscope/analyze/cascade/conformance/lab"
)

func TestMain(m *testing.M) { os.Exit(lab.Main(m)) }
