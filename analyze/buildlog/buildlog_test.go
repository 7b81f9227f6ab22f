package buildlog

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/layerscope/layerscope/analyze/synth"
)

// realLogs returns the logs of real builders by their names.
func realLogs(t testing.TB) map[string]string {
	t.Helper()
	archive, err := txtar.ParseFile("testdata/logs.txtar")
	if err != nil {
		t.Fatal(err)
	}
	logs := map[string]string{}
	for _, f := range archive.Files {
		logs[f.Name] = string(f.Data)
	}
	return logs
}

func parseString(t testing.TB, text string) *Log {
	t.Helper()
	log, err := Parse(t.Context(), strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return log
}

// state is what is known of a step: "cached", "failed: why", "unknown" or its
// duration.
func (s *Step) state() string {
	switch {
	case s.Timed && (s.Cached || s.Failed), !s.Timed && s.Duration != 0, s.Cached && s.Failed:
		return fmt.Sprintf("a contradiction: %+v", s)
	case s.Timed:
		return s.Duration.String()
	case s.Cached:
		return "cached"
	case s.Failed:
		return "failed: " + s.Err
	}
	return "unknown"
}

// states are the states of steps by their names, in the order of the log where
// several have the same.
func states(steps []Step) map[string][]string {
	m := map[string][]string{}
	for i := range steps {
		m[steps[i].Name] = append(m[steps[i].Name], steps[i].state())
	}
	return m
}

// forger is the RUN that writes what looks like builders' own lines; buildah's
// and the classic builder's Dockerfile has one line more in it.
const (
	forged = `RUN echo '#3 DONE 9.9s';     echo 'Step 4/15 : RUN forged'; printf '\n#1 [internal] forged\n\n#3 CACHED\nSTEP 9/9: RUN forged\n ---> Using cache\n'; ` +
		`    sleep 0.3`
	hello = `RUN sleep 0.4 && echo "hello $WHO" > hello`
)

var forger = strings.Replace(forged, `cache\n'`, `cache\n--> Using cache 0123\n'`, 1)

// TestReal reads the logs of real builders. What is expected is computed from
// them a second time, as simply as can be, or written down here.
func TestReal(t *testing.T) {
	logs := realLogs(t)
	for _, tt := range []struct {
		name   string
		format Format
		unit   time.Duration
		want   func(log string) map[string][]string
	}{
		{"rawjson", RawJSON, 1, naiveRawJSON},
		{"rawjson-cached", RawJSON, 1, naiveRawJSON},
		{"rawjson-history", RawJSON, 1, naiveRawJSON},
		{"rawjson-bake", RawJSON, 1, naiveRawJSON},
		{"rawjson-failed", RawJSON, 1, naiveRawJSON},
		{"plain", Plain, time.Second / 10, naivePlain},
		{"plain-cached", Plain, time.Second / 10, naivePlain},
		{"plain-history", Plain, time.Second / 10, naivePlain},
		{"plain-bake", Plain, time.Second / 10, naivePlain},
		{"plain-failed", Plain, time.Second / 10, naivePlain},
		{"plain-platforms", Plain, time.Second / 10, naivePlain},
		{"plain-engine", Plain, time.Second / 10, naivePlain},
		{"classic", Classic, 100, naiveSerial("2006-01-02T15:04:05.0000000Z")},
		{"classic-cached", Classic, 1000, naiveSerial("1795447083.666307")},
		{"classic-failed", Classic, time.Millisecond, naiveSerial("15:04:05.000")},
		{"buildah", Buildah, 1000, naiveSerial("[    0.000116]")},
		{"buildah-cached", Buildah, 1000, naiveSerial("1795447083.666307")},
		{"buildah-failed", Buildah, 1000, wantStates(map[string]string{
			// The final stage waits for the other, whose lines may be either's.
			"FROM scratch AS base":        "109µs",
			"COPY bin /bin":               "cached",
			"LABEL a=b":                   "cached",
			"COPY hello.txt /hello.txt":   "cached",
			"COPY --from=build /src /src": "unknown",
			"ARG WHO":                     "unknown",
			"WORKDIR /src":                "unknown",
			"RUN sleep 0.1; false":        "failed: exit status 1",
			"FROM be5cc45ee16b82f9c76b75f0e7d1e2c5c34d441ed2d7081bc4f16e0fce00b8f8":          "12.543ms",
			"FROM be5cc45ee16b82f9c76b75f0e7d1e2c5c34d441ed2d7081bc4f16e0fce00b8f8 AS build": "10.727ms",
		})},
		{"buildah-waiting", Buildah, 1000, wantStates(map[string]string{
			"FROM scratch AS base":        "100µs",
			"COPY bin /bin":               "117.343ms",
			"LABEL a=b":                   "53.074ms",
			"COPY hello.txt /hello.txt":   "265.597ms",
			"COPY --from=build /src /src": "unknown", // it waits
			"ARG WHO":                     "64.085ms",
			"WORKDIR /src":                "181.813ms",
			hello:                         "failed: exit status 1",
			"FROM d0aa4dfd5899eb85bdfb8f1a8a5a8909f01c38e0b53f2e8646986bce35808b7c":          "35.064ms",
			"FROM d0aa4dfd5899eb85bdfb8f1a8a5a8909f01c38e0b53f2e8646986bce35808b7c AS build": "4.444ms",
		})},
		{"buildah-unlayered", Buildah, 100, wantStates(map[string]string{
			"FROM scratch AS base":        "95µs",
			"COPY bin /bin":               "562.831ms",
			"ARG WHO":                     "204µs",
			"WORKDIR /src":                "70.779ms",
			hello:                         "1.491509s",
			forger:                        "unknown", // no line says that the stage is done
			"LABEL a=b":                   "1.066ms",
			"COPY hello.txt /hello.txt":   "174.051ms",
			"COPY --from=build /src /src": "unknown",
			"RUN sleep 0.25":              "648.128ms",
			`CMD ["/bin/sh"]`:             "136µs",
			"FROM 71247da8776c69d87d802dc4010cd9c9d5418b1becd200f2fd050d5a27ff9bc4":          "13.652ms",
			"FROM 71247da8776c69d87d802dc4010cd9c9d5418b1becd200f2fd050d5a27ff9bc4 AS build": "95.369ms",
		})},
		{"buildah-jobs", Buildah, 1000, wantStates(map[string]string{
			"FROM scratch AS base":        "94µs",
			"COPY bin /bin":               "166.954ms",
			"RUN sleep 0.8":               "1.539212s",
			"RUN sleep 0.3":               "1.000758s",
			"ARG WHO":                     "55.962ms",
			"WORKDIR /src":                "178.33ms",
			hello:                         "1.13108s",
			forger:                        "unknown",
			"LABEL a=b":                   "29.851ms",
			"COPY hello.txt /hello.txt":   "375.238ms",
			"COPY --from=build /src /src": "unknown",
			"RUN sleep 0.25":              "719.244ms",
			`CMD ["/bin/sh"]`:             "170µs",
			"FROM 3361aae2a5a173454b0c4f224b5078899e505e533c9ee8af258055b75eb6b0dd":          "27.342ms",
			"FROM 3361aae2a5a173454b0c4f224b5078899e505e533c9ee8af258055b75eb6b0dd AS build": "32.597ms",
		})},
	} {
		t.Run(tt.name, func(t *testing.T) {
			log := parseString(t, logs[tt.name])
			if log.Format != tt.format || log.Builds != 1 || log.Resolution != tt.unit || log.Truncated {
				t.Errorf("%s, %d builds, in %v, truncated: %v", log.Format, log.Builds, log.Resolution, log.Truncated)
			}
			if diff := cmp.Diff(tt.want(logs[tt.name]), states(log.Steps)); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func wantStates(want map[string]string) func(string) map[string][]string {
	return func(string) map[string][]string {
		m := map[string][]string{}
		for name, state := range want {
			m[name] = []string{state}
		}
		return m
	}
}

// Some rows in full, so that what both computations leave out shows.
func TestSteps(t *testing.T) {
	logs := realLogs(t)
	for _, tt := range []struct {
		log   string
		steps int
		want  Step
	}{
		{"rawjson", 16, Step{
			Name:     "[build 4/4] RUN <<EOF (sleep 0.2...)",
			Position: Position{Stage: "build", Index: 4, Total: 4, Text: "RUN <<EOF (sleep 0.2...)"},
			Digest:   "sha256:627002",
			Duration: 725397470, Timed: true,
		}},
		{"rawjson", 16, Step{
			Name:     "[stage-2 1/4] LINK COPY --link hello.txt /hello.txt",
			Position: Position{Stage: "stage-2", Index: 1, Total: 4, Text: "COPY --link hello.txt /hello.txt", Link: true},
			Digest:   "sha256:97fac1",
			Duration: 122867317, Timed: true, // twice, once without its inputs
		}},
		{"rawjson-bake", 8, Step{
			Name:     "[two base 1/2] COPY bin /bin",
			Position: Position{Target: "two", Stage: "base", Index: 1, Total: 2, Text: "COPY bin /bin"},
			Digest:   "sha256:",
			Cached:   true,
		}},
		{"rawjson-failed", 10, Step{
			Name:     "[build 2/3] RUN sleep 0.1; false",
			Position: Position{Stage: "build", Index: 2, Total: 3, Text: "RUN sleep 0.1; false"},
			Digest:   "sha256:",
			Failed:   true, Err: `process "/bin/sh -c sleep 0.1; false" did not complete successfully: exit code: 1`,
		}},
		{"plain-platforms", 10, Step{
			Name:     "[linux/arm64 stage-1 2/2] WORKDIR /x",
			Position: Position{Platform: "linux/arm64", Stage: "stage-1", Index: 2, Total: 2, Text: "WORKDIR /x"},
			Timed:    true,
		}},
		{"plain-engine", 11, Step{
			Name:     "[build 3/3] " + forger,
			Position: Position{Stage: "build", Index: 3, Total: 3, Text: forger},
			Duration: 700 * time.Millisecond, Timed: true,
		}},
		{"classic", 14, Step{
			Name:     forger,
			Position: Position{Stage: "build", Index: 8, Total: 14, Text: forger},
			Duration: 1107567 * time.Microsecond, Timed: true,
		}},
		{"classic", 14, Step{
			Name:     `CMD ["/bin/sh"]`,
			Position: Position{Stage: "stage-2", Index: 14, Total: 14, Text: `CMD ["/bin/sh"]`},
			Duration: 388989 * time.Microsecond, Timed: true,
		}},
		{"classic", 14, Step{
			Name:     "ARG WHO=world",
			Position: Position{Index: 1, Total: 14, Text: "ARG WHO=world"},
			Duration: 12 * time.Microsecond, Timed: true,
		}},
		{"buildah", 13, Step{
			Name:     forger,
			Position: Position{Stage: "build", Index: 5, Total: 5, Text: forger},
			Duration: 937747 * time.Microsecond, Timed: true,
		}},
	} {
		t.Run(tt.log+" "+tt.want.Name, func(t *testing.T) {
			log := parseString(t, logs[tt.log])
			if len(log.Steps) != tt.steps {
				t.Errorf("%d steps, want %d", len(log.Steps), tt.steps)
			}
			for _, s := range log.Steps {
				if s.Name != tt.want.Name {
					continue
				}
				if !strings.HasPrefix(s.Digest, tt.want.Digest) {
					t.Errorf("digest %s", s.Digest)
				}
				s.Digest = tt.want.Digest
				if diff := cmp.Diff(tt.want, s); diff != "" {
					t.Errorf("-want +got\n%s", diff)
				}
				return
			}
			t.Error("there is no such step")
		})
	}
}

// The same build in three formats: as its log came, as the history has it, and
// exported.
func TestSameBuild(t *testing.T) {
	logs := realLogs(t)
	live, history, plain := parseString(t, logs["rawjson"]), parseString(t, logs["rawjson-history"]), parseString(t, logs["plain-history"])
	bundle, err := Read(t.Context(), "testdata/build.dockerbuild")
	if err != nil {
		t.Fatal(err)
	}
	if bundle.Format != DockerBuild || bundle.Truncated || len(bundle.Provenance) != 1 {
		t.Errorf("%s, truncated: %v, %d statements", bundle.Format, bundle.Truncated, len(bundle.Provenance))
	}
	byDigest := func(l *Log) map[string]string {
		m := map[string]string{}
		for i := range l.Steps {
			m[l.Steps[i].Digest] = l.Steps[i].Name + ": " + l.Steps[i].state()
		}
		return m
	}
	want := byDigest(live)
	if len(want) != 16 {
		t.Fatalf("%d digests", len(want))
	}
	for _, other := range []*Log{history, bundle} {
		if diff := cmp.Diff(want, byDigest(other)); diff != "" {
			t.Errorf("%s: -want +got\n%s", other.Format, diff)
		}
	}
	// Plain output is rounded, and has the copy and the merge of a --link as one.
	exact := map[string]time.Duration{}
	for _, s := range live.Steps {
		exact[s.Name] = max(exact[s.Name], s.Duration)
	}
	linked := exact["[stage-2 1/4] LINK COPY --link hello.txt /hello.txt"] + exact["[stage-2 1/4] COPY --link hello.txt /hello.txt"]
	if len(plain.Steps) != len(live.Steps)-1 {
		t.Errorf("%d steps in plain output", len(plain.Steps))
	}
	for _, s := range plain.Steps {
		d := exact[s.Name]
		if strings.Contains(s.Name, "--link") {
			if !s.Timed || s.Duration > linked {
				t.Errorf("%s: %v in plain output, exactly at most %v", s.Name, s.Duration, linked)
			}
			continue // of each, only what was done last is in it
		}
		if off := (d - s.Duration).Abs(); !s.Timed || off > 50*time.Millisecond {
			t.Errorf("%s: %v in plain output, exactly %v", s.Name, s.Duration, d)
		}
	}
}

// The lines of a .dockerbuild's steps are those that the Dockerfile in the
// statement has them on.
func TestLines(t *testing.T) {
	log, err := Read(t.Context(), "testdata/build.dockerbuild")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, s := range log.Steps {
		if !s.Lines.IsZero() {
			got[s.Lines.String()] += s.Text + "\n"
		}
	}
	link := "COPY --link hello.txt /hello.txt\n"
	want := map[string]string{
		"3": "COPY bin /bin\n", "8": "WORKDIR /src\n", "9": "RUN sleep 0.4 && echo \"hello world\" > hello\n",
		"10-13": forged + "\n", "14-17": "RUN <<EOF (sleep 0.2...)\n", "21": link + link,
		"22": "COPY --from=build /src /src\n", "23-27": "COPY <<-A <<-B /in/\n", "28": "RUN sleep 0.25\n",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// TestVertices makes up what BuildKit says of one vertex, event by event.
func TestVertices(t *testing.T) {
	at := func(sec int) string { return fmt.Sprintf("2024-01-02T03:04:%02d.5Z", sec) }
	event := func(start, end int, more string) string {
		s := `{"vertexes":[{"digest":"sha256:1","name":"[1/2] RUN a"`
		if start > 0 {
			s += `,"started":"` + at(start) + `"`
		}
		if end > 0 {
			s += `,"completed":"` + at(end) + `"`
		}
		return s + more + "}]}\n"
	}
	const inputs, cached, failed = `,"inputs":["sha256:2"]`, `,"cached":true`, `,"error":"bad"`
	for _, tt := range []struct {
		name   string
		events []string
		want   string
		open   bool
	}{
		{"never run", []string{event(0, 0, inputs)}, "unknown", false},
		{"run", []string{event(1, 0, inputs), event(1, 4, inputs)}, "3s", false},
		{"said twice", []string{event(1, 4, inputs), event(1, 4, inputs)}, "3s", false},
		{"not done", []string{event(1, 0, inputs)}, "unknown", true},
		{"done, then begun again", []string{event(1, 4, inputs), event(5, 0, inputs)}, "unknown", true},
		{"two parts", []string{event(1, 4, ""), event(7, 9, "")}, "5s", false},
		{"two parts that overlap", []string{event(5, 9, ""), event(1, 6, ""), event(2, 3, "")}, "8s", false},
		{"two parts that touch", []string{event(1, 4, ""), event(4, 6, "")}, "5s", false},
		{"no time at all", []string{event(3, 3, inputs)}, "0s", false},
		{"a clock set back", []string{event(4, 1, inputs)}, "unknown", true},
		{"an end alone", []string{event(0, 4, inputs)}, "unknown", false},
		{"cached", []string{event(1, 0, inputs+cached), event(1, 2, inputs+cached)}, "cached", false},
		{"cached, then fetched", []string{event(1, 1, inputs+cached), event(2, 0, ""), event(2, 9, "")}, "cached", false},
		{"resolved, then cached", []string{event(1, 2, ""), event(3, 3, cached)}, "cached", false},
		{"run, then found by another target", []string{event(1, 5, inputs), event(7, 7, inputs+cached)}, "4s", false},
		{"failed", []string{event(1, 0, inputs), event(1, 5, inputs+failed)}, "failed: bad", false},
		{"failed, then tried again", []string{event(1, 5, inputs+failed), event(6, 9, inputs)}, "7s", false},
		{"a year that is none", []string{strings.ReplaceAll(event(1, 4, inputs), "2024", "9999")}, "unknown", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			log := parseString(t, strings.Join(tt.events, ""))
			if got := log.Steps[0].state(); got != tt.want || log.Truncated != tt.open {
				t.Errorf("%s, truncated: %v; want %s, %v", got, log.Truncated, tt.want, tt.open)
			}
		})
	}
}

// What several builds in one log tell.
func TestSeveralBuilds(t *testing.T) {
	logs := realLogs(t)
	run := `[build 2/4] RUN sleep 0.4 && echo "hello world" > hello`
	for _, tt := range []struct {
		name   string
		logs   []string
		builds int
		step   string
		want   string
	}{
		{"cached, then run", []string{"rawjson-cached", "rawjson"}, 2, run, "631.773032ms"},
		{"run, then cached", []string{"rawjson", "rawjson-cached"}, 2, run, "631.773032ms"},
		{"the same twice", []string{"rawjson-cached", "rawjson-cached"}, 1, run, "cached"},
		{"plain, run, then cached", []string{"plain", "plain-cached"}, 2, run, "600ms"},
		{"plain, cached, then run", []string{"plain-cached", "plain"}, 2, run, "600ms"},
		{"plain, cached twice", []string{"plain-cached", "plain-cached"}, 2, run, "cached"},
		{"plain, run, then failed", []string{"plain-engine", "plain-failed"}, 2, "[build 1/3] WORKDIR /src", "100ms"},
		{"classic, run, then cached", []string{"classic", "classic-cached"}, 2, hello, "1.594864s"},
		{"classic, failed, then run", []string{"classic-failed", "classic"}, 2, hello, "1.594864s"},
		{"classic, failed twice", []string{"classic-failed", "classic-failed"}, 2, "RUN sleep 0.1; false",
			"failed: The command '/bin/sh -c sleep 0.1; false' returned a non-zero code: 1"},
		{"buildah, one after the other", []string{"buildah", "buildah-jobs", "buildah"}, 3, hello, "1.313969s"},
		{"buildah, the last failed", []string{"buildah-jobs", "buildah-waiting"}, 2, hello, "1.13108s"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var text strings.Builder
			for _, name := range tt.logs {
				text.WriteString("some other tool's output\n\n" + logs[name])
			}
			log := parseString(t, text.String())
			if log.Builds != tt.builds || log.Truncated {
				t.Errorf("%d builds, want %d; truncated: %v", log.Builds, tt.builds, log.Truncated)
			}
			got := states(log.Steps)[tt.step]
			if diff := cmp.Diff([]string{tt.want}, got); diff != "" {
				t.Errorf("%s: -want +got\n%s", tt.step, diff)
			}
		})
	}
}

// A build that wrote another's output is one build, and its step took as long as
// that says.
func TestBuildInBuild(t *testing.T) {
	logs := realLogs(t)
	inner := logs["classic"]
	before, after, _ := strings.Cut(inner, "2026-11-23T15:17:59.3482951Z #3 DONE 9.9s\n")
	log := parseString(t, before+inner+logs["plain"]+logs["rawjson"]+after)
	if log.Format != Classic && log.Format != RawJSON {
		t.Fatal(log.Format)
	}
	log = parseString(t, before+inner+after)
	if diff := cmp.Diff(parseString(t, inner).Steps, log.Steps); diff != "" || log.Builds != 1 || log.Truncated {
		t.Errorf("%d builds, truncated: %v, -want +got\n%s", log.Builds, log.Truncated, diff)
	}
}

// Whatever stands in front of the lines or around them, the steps are the same.
func TestDecorated(t *testing.T) {
	lines := func(f func(line string) string) func(string) []byte {
		return func(s string) []byte {
			var b strings.Builder
			for _, line := range strings.Split(strings.TrimSuffix(s, "\n"), "\n") {
				b.WriteString(f(line) + "\n")
			}
			return []byte(b.String())
		}
	}
	for how, f := range map[string]func(string) []byte{
		"CR LF":  lines(func(l string) string { return l + "\r" }),
		"colour": lines(func(l string) string { return "\x1b[36m" + l + "\x1b[0m\x1b]0;title\x07" }),
		"other output": func(s string) []byte {
			noise := "+ docker build .\n{\"id\": 1}\nStep 1: log in\n#!/bin/sh\n# 1\n[1/3] fetching\n12:00 STEP\nError: none\n"
			return []byte(noise + s + "\n" + noise)
		},
		"UTF-16": func(s string) []byte {
			b := []byte{0xff, 0xfe}
			for _, c := range s {
				b = append(b, byte(c), byte(c>>8))
			}
			return b
		},
		"a byte order mark": func(s string) []byte { return []byte("\ufeff" + s) },
		"gzip":              func(s string) []byte { return synth.Gzip.Bytes([]byte(s)) },
		"zstd":              func(s string) []byte { return synth.Zstd.Bytes([]byte(s)) },
		"no newline at the end": func(s string) []byte {
			return []byte(strings.TrimSuffix(s, "\n"))
		},
	} {
		t.Run(how, func(t *testing.T) {
			for name, text := range realLogs(t) {
				want := parseString(t, text)
				got, err := Parse(t.Context(), bytes.NewReader(f(text)))
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s: -want +got\n%s", name, diff)
				}
			}
		})
	}
}

// Times in front of BuildKit's lines change nothing of the steps.
func TestStamped(t *testing.T) {
	start := time.Date(2024, 1, 2, 23, 59, 58, 0, time.UTC)
	for how, stamp := range map[string]func(time.Time) string{
		"GitHub": func(t time.Time) string { return t.Format("2006-01-02T15:04:05.0000000Z ") },
		"gh run view": func(t time.Time) string {
			return "build\tRun docker build\t\ufeff" + t.Format("2006-01-02T15:04:05.0000000Z ")
		},
		"GitLab":         func(t time.Time) string { return t.Format("2006-01-02T15:04:05.000000Z ") + "00O " },
		"GitLab, go on":  func(t time.Time) string { return t.Format("2006-01-02T15:04:05.000000Z ") + "01E+" },
		"Jenkins":        func(t time.Time) string { return t.Format("[2006-01-02T15:04:05.000Z] ") },
		"a zone":         func(t time.Time) string { return t.Format("2006-01-02 15:04:05.000 +0000 ") },
		"a comma":        func(t time.Time) string { return t.Format("2006-01-02 15:04:05,000 ") },
		"date -Is":       func(t time.Time) string { return t.Format("2006-01-02T15:04:05+00:00 ") },
		"date":           func(t time.Time) string { return t.Format("Mon Jan _2 15:04:05 UTC 2006 ") },
		"date in 12 h":   func(t time.Time) string { return t.Format("Mon Jan _2 03:04:05 PM UTC 2006 ") },
		"date -R":        func(t time.Time) string { return t.Format("Mon, 02 Jan 2006 15:04:05 +0000 ") },
		"ts":             func(t time.Time) string { return t.Format("Jan 02 15:04:05 ") },
		"ts %.s":         func(t time.Time) string { return fmt.Sprintf("%.6f ", float64(t.UnixMicro())/1e6) },
		"ts -s":          func(at time.Time) string { return time.Time{}.Add(at.Sub(start)).Format("15:04:05 ") },
		"ts -s %.s":      func(at time.Time) string { return fmt.Sprintf("%.6f ", at.Sub(start).Seconds()) },
		"kernel":         func(at time.Time) string { return fmt.Sprintf("[%12.6f] ", at.Sub(start).Seconds()) },
		"time of day":    func(t time.Time) string { return t.Format("15:04:05.000 ") },
		"in brackets":    func(t time.Time) string { return t.Format("[15:04:05] ") },
		"date and tab":   func(t time.Time) string { return t.Format("2006-01-02T15:04:05Z\t") },
		"seconds, whole": func(t time.Time) string { return fmt.Sprintf("%d ", t.Unix()) },
	} {
		t.Run(how, func(t *testing.T) {
			put := func(s string, every time.Duration) string {
				at := start
				var b strings.Builder
				for _, line := range strings.Split(strings.TrimSuffix(s, "\n"), "\n") {
					b.WriteString(stamp(at) + line + "\n")
					at = at.Add(every)
				}
				return b.String()
			}
			for name, text := range realLogs(t) {
				if !strings.HasPrefix(name, "plain") && !strings.HasPrefix(name, "rawjson") || name == "plain-engine" {
					continue
				}
				if diff := cmp.Diff(parseString(t, text).Steps, parseString(t, put(text, time.Second)).Steps); diff != "" {
					t.Errorf("%s: -want +got\n%s", name, diff)
				}
			}
			// Of the others they are what tells the time: here past midnight.
			log := parseString(t, put(strings.Join([]string{
				"Step 1/3 : FROM scratch", " ---> ", "Step 2/3 : COPY a /", " ---> 0123456789ab",
				"Step 3/3 : RUN b", " ---> Running in 0123456789ab", "Step 1/3 : FROM forged", "", "", "Successfully built 0123456789ab",
			}, "\n"), 3*time.Second))
			want := map[string][]string{"FROM scratch": {"6s"}, "COPY a /": {"6s"}, "RUN b": {"15s"}}
			if diff := cmp.Diff(want, states(log.Steps)); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func TestErrors(t *testing.T) {
	dir := t.TempDir()
	bundle, err := os.ReadFile("testdata/build.dockerbuild")
	if err != nil {
		t.Fatal(err)
	}
	lost := `{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","size":1,"digest":"sha256:` + strings.Repeat("0", 64) + `"}]}`
	not := "not a log of BuildKit (rawjson or plain), the classic builder or buildah, nor a .dockerbuild export"
	for name, tt := range map[string]struct {
		content, want string
	}{
		"empty":              {"", not},
		"text":               {"hello\nworld\n", not},
		"binary":             {"\x7fELF\x02\x01\x01\x00\x00", not},
		"JSON":               {`{"stream":"Step 1/2 : FROM x\n"}` + "\n", not},
		"output alone":       {"#5 0.123 hello\n#5 DONE 0.1s\n", not},
		"no step":            {`{"logs":[{"vertex":"sha256:1","data":"aGk="}]}` + "\n", "the log has no step"},
		"a tar of something": {tarOf(t, file{"a", "b"}), not},
		"an image":           {tarOf(t, file{"index.json", `{"schemaVersion":2,"manifests":[]}`}), not},
		"a broken index":     {tarOf(t, file{"index.json", `{`}), "reading the index: "},
		"cut gzip":           {"\x1f\x8b\x08", "gzip: "},
		"no index yet":       {decompressed(t, bundle)[:20000], "the archive is cut short before its index.json"},
		"a lost blob":        {tarOf(t, file{"index.json", lost}), "the archive lacks sha256:0000"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(dir, "log")
			if err := os.WriteFile(path, []byte(tt.content), 0o666); err != nil {
				t.Fatal(err)
			}
			_, err := Read(t.Context(), path)
			if want := "reading the build log " + path + ": " + tt.want; err == nil || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("got %v\nwant %s", err, want)
			}
			if e, ok := errors.AsType[NotLogError](err); ok != (tt.want == not) || ok && e.Advice() == "" {
				t.Errorf("%T", err)
			}
		})
	}
	for path, want := range map[string]string{
		filepath.Join(dir, "none"): "reading the build log: open " + dir,
		dir:                        "reading the build log: read " + dir,
	} {
		if _, err := Read(t.Context(), path); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Parse(ctx, strings.NewReader(realLogs(t)["plain"])); !errors.Is(err, context.Canceled) {
		t.Errorf("after cancelling: %v", err)
	}
}

// Of a log that is cut short anywhere, what is complete is as in the whole, and
// if a step is missing or has no end, that is said.
func TestCutShort(t *testing.T) {
	for name, text := range realLogs(t) {
		t.Run(name, func(t *testing.T) {
			whole := states(parseString(t, text).Steps)
			told := 0
			for n := 0; n < len(text); n += 1 + len(text)/150 {
				log, err := Parse(t.Context(), strings.NewReader(text[:n]))
				if errors.Is(err, ErrNoSteps) || errors.As(err, new(NotLogError)) {
					continue
				}
				if err != nil {
					t.Fatalf("after %d bytes: %v", n, err)
				}
				told++
				for i := range log.Steps {
					s := &log.Steps[i]
					if !s.Timed || s.Index == 0 || s.Link || strings.Contains(s.Text, "--link") {
						continue // these are gone on with
					}
					if whole[s.Name] != nil && whole[s.Name][0] != s.state() && !strings.HasPrefix(whole[s.Name][0], "unknown") {
						t.Errorf("after %d bytes %s is %s, not %s", n, s.Name, s.state(), whole[s.Name])
					}
				}
			}
			if told < 50 && strings.Count(text, "\n") > 1 {
				t.Errorf("only %d of the beginnings are logs", told)
			}
		})
	}
}

func TestTruncated(t *testing.T) {
	logs := realLogs(t)
	bundle, err := os.ReadFile("testdata/build.dockerbuild")
	if err != nil {
		t.Fatal(err)
	}
	cut := func(s, before string) string {
		t.Helper()
		head, _, ok := strings.Cut(s, before)
		if !ok {
			t.Fatalf("no %q", before)
		}
		return head
	}
	plainTar := decompressed(t, bundle)
	for name, tt := range map[string]struct {
		text  string
		steps int
	}{
		"a line of JSON": {strings.TrimSuffix(logs["rawjson"], "}\n"), 15},
		"in a step":      {cut(logs["plain"], "#10 DONE"), 10},
		"classic":        {cut(logs["classic"], "2026-11-23T15:18:00.0111961Z Step 9"), 8},
		"gzip":           {string(synth.Gzip.Bytes([]byte(logs["plain"]))[:400]), 5},
		"a .dockerbuild": {cut(plainTar, "oci-layout") + "oci", 16},
		"its status log": {cut(indexFirst(t, plainTar), "exporting to oci image format"), 10},
	} {
		t.Run(name, func(t *testing.T) {
			log, err := Parse(t.Context(), strings.NewReader(tt.text))
			if err != nil {
				t.Fatal(err)
			}
			if !log.Truncated || len(log.Steps) < tt.steps {
				t.Errorf("%d steps, truncated: %v; want %d", len(log.Steps), log.Truncated, tt.steps)
			}
		})
	}
}

// indexFirst returns a .dockerbuild with its index and manifest first and its
// status log last.
func indexFirst(t *testing.T, text string) string {
	t.Helper()
	var first, last []file
	for r := tar.NewReader(strings.NewReader(text)); ; {
		h, err := r.Next()
		if err == io.EOF {
			return tarOf(t, append(first, last...)...)
		}
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if f := (file{h.Name, string(b)}); strings.HasPrefix(f.content, "{") {
			first = append(first, f)
		} else {
			last = append(last, f)
		}
	}
}

// Lines of any length are read past, and what is kept is bounded.
func TestBounds(t *testing.T) {
	logs := realLogs(t)
	long := io.MultiReader(strings.NewReader(logs["plain"]+"\n#15 [stage-2 4/5] RUN long\n#15 0.1 "), io.LimitReader(endless('x'), 64<<20), strings.NewReader("\n#15 DONE 4.0s\n"))
	log, err := Parse(t.Context(), long)
	if err != nil {
		t.Fatal(err)
	}
	if got := states(log.Steps)["[stage-2 4/5] RUN long"]; len(got) != 1 || got[0] != "4s" {
		t.Errorf("the step with a long line: %v", got)
	}
	json := io.MultiReader(strings.NewReader(`{"vertexes":[{"digest":"`), io.LimitReader(endless('x'), 64<<20), strings.NewReader("\"}]}\n"+logs["rawjson"]))
	if log, err = Parse(t.Context(), json); err != nil || !log.Truncated || len(log.Steps) != 16 {
		t.Errorf("after a long line: %v, %+v", err, log)
	}
	var many strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&many, `{"vertexes":[{"digest":"sha256:%d","name":"[internal] %d"}]}`+"\n", i, i)
	}
	if _, err := Parse(t.Context(), strings.NewReader(many.String())); err == nil || !strings.Contains(err.Error(), "too many steps") {
		t.Errorf("a hundred thousand steps: %v", err)
	}
}

type endless byte

func (e endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(e)
	}
	return len(p), nil
}

func BenchmarkParse(b *testing.B) {
	logs := realLogs(b)
	output := strings.Repeat("#14 0.123 some line that npm or apt-get or whoever it is writes while it is at work\n", 10_000)
	for _, name := range []string{"plain", "classic", "rawjson"} {
		text := logs[name] + output
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				parseString(b, text)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range realLogs(f) {
		f.Add([]byte(text[:min(len(text), 1500)]))
	}
	bundle, err := os.ReadFile("testdata/build.dockerbuild")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(bundle)
	f.Fuzz(func(t *testing.T, text []byte) {
		log, err := Parse(t.Context(), bytes.NewReader(text))
		if err != nil {
			return
		}
		if len(log.Steps) == 0 || log.Builds == 0 || log.Format == "" || log.Resolution < 0 {
			t.Fatalf("%+v", log)
		}
		for i := range log.Steps {
			s := &log.Steps[i]
			if s.Duration < 0 || strings.HasPrefix(s.state(), "a contradiction") {
				t.Fatalf("%+v", s)
			}
		}
	})
}

func FuzzStatus(f *testing.F) {
	f.Add([]byte{2, 0, 0, 0, 0x0a, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		var g graph
		rec := &record{}
		if _, err := g.status(rec, b); err == nil {
			g.flush(rec)
		}
	})
}
