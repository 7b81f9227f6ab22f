package buildlog

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"io"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
)

// naiveRawJSON computes the states of a rawjson log's steps: every moment at
// which anything begins or ends, and between two of them whether the vertex was
// being worked on.
func naiveRawJSON(log string) map[string][]string {
	type event = map[string]any
	events, order := map[string][]event{}, []string{}
	for _, line := range strings.Split(log, "\n") {
		var status map[string]any
		if json.Unmarshal([]byte(line), &status) != nil || status["vertexes"] == nil {
			continue
		}
		for _, v := range status["vertexes"].([]any) {
			e := v.(event)
			digest := e["digest"].(string)
			if events[digest] == nil {
				order = append(order, digest)
			}
			events[digest] = append(events[digest], e)
		}
	}
	at := func(e event, key string) int64 {
		s, ok := e[key].(string)
		if !ok {
			return 0
		}
		t, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			panic(err)
		}
		return t.UnixNano()
	}
	out := map[string][]string{}
	for _, digest := range order {
		state, name := "unknown", events[digest][0]["name"].(string)
		var moments []int64
		for _, e := range events[digest] {
			moments = append(moments, at(e, "started"), at(e, "completed"))
		}
		sort.Slice(moments, func(i, j int) bool { return moments[i] < moments[j] })
		var sum int64
		for i := 1; i < len(moments); i++ {
			for _, e := range events[digest] {
				if start := at(e, "started"); start > 0 && start <= moments[i-1] && at(e, "completed") >= moments[i] {
					sum += moments[i] - moments[i-1]
					break
				}
			}
		}
		if sum > 0 {
			state = time.Duration(sum).String()
		}
		for _, e := range events[digest] {
			if e["cached"] == true {
				state = "cached"
			}
			if e["error"] != nil {
				state = "failed: " + e["error"].(string)
			}
		}
		out[name] = append(out[name], state)
	}
	return out
}

// naivePlain does it for plain output: the first line with a number names, the
// last one that says how it ended counts.
func naivePlain(log string) map[string][]string {
	log = regexp.MustCompile(`(?m)^2026-\S+Z `).ReplaceAllString(log, "")
	out := map[string][]string{}
	for n := 1; n < 100; n++ {
		name, state := "", "unknown"
		for _, line := range strings.Split(log, "\n") {
			rest, ok := strings.CutPrefix(line, "#"+strconv.Itoa(n)+" ")
			if !ok {
				continue
			}
			if name == "" {
				name = rest
			}
			if s, ok := strings.CutPrefix(rest, "DONE "); ok {
				d, err := time.ParseDuration(s)
				if err != nil {
					panic(err)
				}
				state = d.String()
			} else if rest == "CACHED" {
				state = "cached"
			} else if s, ok := strings.CutPrefix(rest, "ERROR: "); ok {
				state = "failed: " + s
			}
		}
		if name != "" {
			out[name] = append(out[name], state)
		}
	}
	return out
}

// naiveSerial does it for the other builders, whose steps follow each other: a
// time of the given form before each line. What RUN wrote looks like a step
// only with numbers that no build has.
func naiveSerial(form string) func(log string) map[string][]string {
	return func(log string) map[string][]string {
		at := func(line string) time.Duration {
			switch form[0] {
			case '[':
				d, err := time.ParseDuration(strings.Trim(line[:len(form)], "[ ]") + "s")
				if err != nil {
					panic(err)
				}
				return d
			}
			if strings.Contains(form, ":") {
				t, err := time.Parse(form, line[:len(form)])
				if err != nil {
					panic(err)
				}
				return time.Duration(t.UnixNano())
			}
			us, err := strconv.ParseInt(strings.Replace(line[:len(form)], ".", "", 1), 10, 64)
			if err != nil {
				panic(err)
			}
			return time.Duration(us) * time.Microsecond
		}
		out := map[string][]string{}
		lines := slices.DeleteFunc(strings.Split(log, "\n"), func(l string) bool { return len(l) < len(form) })
		begins := regexp.MustCompile(`^ (?:Step \d+/14 : |(?:\[./3\] )?STEP ./[256]: )(.*)$`)
		ends := regexp.MustCompile(`^ (?:Successfully built|\[3/3\] COMMIT|The command '.*' returned)`)
		for i, line := range lines {
			m := begins.FindStringSubmatch(line[len(form):])
			if m == nil {
				continue
			}
			state, ended := "unknown", time.Duration(0)
			for _, next := range lines[i+1:] {
				rest := next[len(form):]
				if begins.MatchString(rest) || ends.MatchString(rest) {
					// Of the last step of a stage buildah says when it is done.
					if ended == 0 || !strings.Contains(rest, "STEP 1/") {
						ended = at(next)
					}
					state = (ended - at(line)).String()
					if strings.HasPrefix(rest, " The command") {
						state = "failed: " + rest[1:]
					}
					break
				}
				if strings.HasPrefix(rest, " --> ") {
					ended = at(next)
				}
			}
			if i+1 < len(lines) && strings.Contains(lines[i+1], "-> Using cache") {
				state = "cached"
			}
			out[m[1]] = append(out[m[1]], state)
		}
		return out
	}
}

// file is one of an archive.
type file struct{ name, content string }

func tarOf(t testing.TB, files ...file) string {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range files {
		if err := w.WriteHeader(&tar.Header{Name: f.name, Size: int64(len(f.content)), Mode: 0o644, Format: tar.FormatUSTAR}); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, f.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func decompressed(t testing.TB, b []byte) string {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}
