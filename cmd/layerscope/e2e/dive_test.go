//go:build linux

package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/layerscope/layerscope/analyze/dive"
	"github.com/layerscope/layerscope/analyze/dive/divetest"
	"github.com/layerscope/layerscope/analyze/synth"
)

// diveCommand is the part that the go command gets, of the version that the
// numbers are held to. Only these tests want it, and it takes a minute to
// build, so they get it.
const diveCommand = "dive"

// dive returns the path of the dive command.
func (l *lab) dive(t *testing.T) string {
	t.Helper()
	dir := l.path("dive")
	cmd := exec.Command("go", "install", "github.com/wagoodman/dive/cmd/dive@"+dive.Version)
	cmd.Env = append(os.Environ(), "GOBIN="+dir, "GOFLAGS=", "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		l.Missing[diveCommand] = fmt.Sprintf("%v: %s", err, out)
	}
	open(t, diveCommand)
	return filepath.Join(dir, "dive")
}

// diveNumbers are the keys of a report's dive.
type diveNumbers struct {
	EfficiencyScore   float64
	WastedBytes       uint64
	UserWastedPercent *float64
}

// reportedDive returns what layerscope reports of an archive.
func (l *lab) reportedDive(t *testing.T, archive string) diveNumbers {
	t.Helper()
	var report struct{ Dive *diveNumbers }
	if err := json.Unmarshal([]byte(l.layerscope(t, "report", "--format", "json", archive).ok(t)), &report); err != nil {
		t.Fatal(err)
	}
	if report.Dive == nil {
		t.Fatal("the report has no dive")
	}
	return *report.Dive
}

// diveJSON returns what dive writes of an archive with --json, and the
// percentage that makes, which isn't in it.
func (l *lab) diveJSON(t *testing.T, command, archive string) (n diveNumbers, err error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "dive.json")
	if _, err := l.output(command, "--source", "docker-archive", "--json", path, archive); err != nil {
		return n, err
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out struct {
		Layer []struct{ SizeBytes uint64 }
		Image struct {
			InefficientBytes uint64
			EfficiencyScore  float64
		}
	}
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	n = diveNumbers{EfficiencyScore: out.Image.EfficiencyScore, WastedBytes: out.Image.InefficientBytes}
	var user uint64
	for i, layer := range out.Layer {
		if i > 0 {
			user += layer.SizeBytes
		}
	}
	if user > 0 {
		percent := float64(n.WastedBytes) / float64(user)
		n.UserWastedPercent = &percent
	}
	return n, nil
}

var divePercent = regexp.MustCompile(`(?m)^ *userWastedPercent: +(\S+) %`)

// diveGate returns the percentage that dive shows when it checks its limits.
func (l *lab) diveGate(t *testing.T, command, archive string) string {
	t.Helper()
	cmd := exec.Command(command, "--source", "docker-archive", "--ci", archive)
	cmd.Env = l.env()
	out, _ := cmd.Output() // fails as the image does by the default limits
	m := divePercent.FindSubmatch(out)
	if m == nil {
		t.Fatalf("dive --ci %s shows no percentage:\n%s", archive, out)
	}
	return string(m[1])
}

// shown is the percentage as dive shows it.
func (n diveNumbers) shown() string {
	switch {
	case n.WastedBytes == 0:
		return "0"
	case n.UserWastedPercent == nil:
		return "+Inf"
	}
	return fmt.Sprintf("%.2f", 100**n.UserWastedPercent)
}

const (
	randomArchives = 200
	// diveMayFail is of how many of them dive may have no numbers, or none
	// that it has again.
	diveMayFail = 4
)

// dive's three numbers are dive's.
func TestDive(t *testing.T) {
	l := open(t)
	command := l.dive(t)
	formats := []func(io.Writer, ...synth.Image) error{synth.DockerArchive, synth.DockerArchiveOCI, synth.PodmanArchive}
	noted, wasted := 0, 0
	for seed := range uint64(randomArchives) {
		archive := filepath.Join(t.TempDir(), fmt.Sprintf("random%d.tar", seed))
		writeArchive(t, archive, formats[seed/3%3], divetest.Image(seed))
		want, err := l.diveJSON(t, command, archive)
		if err != nil {
			t.Logf("seed %d: dive fails: %v", seed, err)
			noted++
			continue
		}
		got := l.reportedDive(t, archive)
		if why := differ(want, got); why != "" {
			if again, err := l.diveJSON(t, command, archive); err != nil || differ(want, again) != "" {
				t.Logf("seed %d: dive doesn't say the same twice", seed)
				noted++
				continue
			}
			t.Errorf("seed %d: %s", seed, why)
		}
		if shown := l.diveGate(t, command, archive); got.shown() != shown {
			t.Errorf("seed %d: %s %% wasted, dive shows %s", seed, got.shown(), shown)
		}
		if got.WastedBytes > 0 {
			wasted++
		}
	}
	t.Logf("dive %s: %d archives, %d with waste, %d without numbers of dive's to compare", dive.Version, randomArchives, wasted, noted)
	if noted > diveMayFail {
		t.Errorf("dive has no numbers for %d of %d archives", noted, randomArchives)
	}
	if wasted < randomArchives/4 {
		t.Errorf("only %d of %d archives waste anything", wasted, randomArchives)
	}
}

// differ says how two sets of numbers differ; "" if they don't.
func differ(want, got diveNumbers) string {
	percent := func(p *float64) string {
		if p == nil {
			return "null"
		}
		return fmt.Sprint(*p)
	}
	var why []string
	if want.EfficiencyScore != got.EfficiencyScore {
		why = append(why, fmt.Sprintf("efficiencyScore %v, dive says %v", got.EfficiencyScore, want.EfficiencyScore))
	}
	if want.WastedBytes != got.WastedBytes {
		why = append(why, fmt.Sprintf("wastedBytes %d, dive says %d", got.WastedBytes, want.WastedBytes))
	}
	if w, g := percent(want.UserWastedPercent), percent(got.UserWastedPercent); w != g {
		why = append(why, fmt.Sprintf("userWastedPercent %s, dive has %s", g, w))
	}
	return strings.Join(why, "; ")
}

func writeArchive(t *testing.T, path string, format func(io.Writer, ...synth.Image) error, img synth.Image) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := format(f, img); err != nil {
		t.Fatal(err)
	}
}
