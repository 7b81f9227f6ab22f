package buildlog

import (
	"bufio"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// utf16Reader returns text that begins with a byte order mark without it, in
// UTF-8.
func utf16Reader(r *bufio.Reader) io.Reader {
	return transform.NewReader(r, unicode.BOMOverride(encoding.Nop.NewDecoder()))
}

// stamp is the time in front of a line.
type stamp struct {
	time  time.Time
	shape int           // which of the shapes it has, from 1; 0 for no time
	unit  time.Duration // of its last digit
}

// dated tells whether a stamp says the day.
func (s stamp) dated() bool { return s.shape > 0 && shapes[s.shape-1].dated }

// shapes are the times that CI systems and tools such as ts write in front of
// lines. Each is followed by one space or nothing.
var shapes = []struct {
	pattern *regexp.Regexp // the time, then the digits of its fraction
	dated   bool
	parse   func(s, fraction string) (time.Time, bool)
}{
	// RFC 3339, as CI systems write it: 2024-01-02T03:04:05.1234567Z. GitLab
	// adds the stream that the line is of: 00O and a space, or + where a line
	// goes on.
	{regexp.MustCompile(`^\[?([0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.,]([0-9]{1,9}))?(?: ?(?:Z|UTC|[+-][0-9]{2}:?[0-9]{2}))?)\]?(?: [0-9a-f]{2}[OE][ +]|[ \t]|$)`), true, parseDate},
	// Seconds since 1970, as ts %.s and date +%s.%N write them.
	{regexp.MustCompile(`^\[?([0-9]{10}(?:\.([0-9]{1,9}))?)\]?(?: |$)`), true, parseSeconds},
	// Seconds since the start: [    1.234567], as the kernel's, or ts -s %.s.
	{regexp.MustCompile(`^\[ *([0-9]{1,8}\.([0-9]{1,9}))\](?: |$)`), false, parseSeconds},
	{regexp.MustCompile(`^([0-9]{1,8}\.([0-9]{1,9}))(?: |$)`), false, parseSeconds},
	// The time of the day or since the start: 03:04:05.678.
	{regexp.MustCompile(`^\[?([0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:[.,]([0-9]{1,9}))?)\]?(?: |$)`), false, parseClock},
	// ts without a format: Jan 02 03:04:05.
	{regexp.MustCompile(`^\[?([A-Z][a-z]{2} [ 0-9][0-9] [0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.([0-9]{1,9}))?)\]?(?: |$)`), false, layouts(time.Stamp, "Jan 02 15:04:05")},
	// date, and date -R. What a zone's name stands for isn't known.
	{regexp.MustCompile(`^\[?([A-Z][a-z]{2} [A-Z][a-z]{2} [ 0-9][0-9] [0-9]{2}:[0-9]{2}:[0-9]{2}(?: [AP]M)? [A-Z]{1,5}() [0-9]{4})\]?(?: |$)`), false, layouts(time.UnixDate, "Mon Jan _2 03:04:05 PM MST 2006")},
	{regexp.MustCompile(`^\[?([A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2}() [+-][0-9]{4})\]?(?: |$)`), true, layouts(time.RFC1123Z)},
}

func parseDate(s, _ string) (time.Time, bool) {
	s = strings.Replace(strings.Replace(s, " ", "T", 1), ",", ".", 1)
	s = strings.Replace(strings.ReplaceAll(s, " ", ""), "UTC", "Z", 1)
	return layouts("2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05")(s, "")
}

func parseSeconds(s, fraction string) (time.Time, bool) {
	whole, _, _ := strings.Cut(s, ".")
	sec, err := strconv.ParseInt(whole, 10, 64)
	nsec, ferr := strconv.ParseInt((fraction + "000000000")[:9], 10, 64)
	return time.Unix(sec, nsec).UTC(), err == nil && ferr == nil
}

// parseClock parses a time of the day, or since the start.
func parseClock(s, fraction string) (time.Time, bool) {
	parts := strings.SplitN(s, ":", 3)
	hours, err := strconv.Atoi(parts[0])
	minutes, merr := strconv.Atoi(parts[1])
	seconds, ok := parseSeconds(strings.Replace(parts[2], ",", ".", 1), fraction)
	ok = ok && err == nil && merr == nil && hours < 100 && minutes < 60
	return seconds.Add(time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute), ok
}

func layouts(all ...string) func(s, fraction string) (time.Time, bool) {
	return func(s, _ string) (time.Time, bool) {
		for _, layout := range all {
			if t, err := time.Parse(layout, s); err == nil {
				return t.UTC(), true
			}
		}
		return time.Time{}, false
	}
}

// clock cuts times off lines. It knows when the last line was: a time of the day
// that is far before it is the next day's.
type clock struct {
	last stamp
	days time.Duration
}

// cut takes the time off a line. "gh run view --log" puts the names of a job and
// a step before it, each with a tab.
func (c *clock) cut(s string) (stamp, string) {
	if at, rest, ok := c.stamp(strings.TrimPrefix(s, "\ufeff")); ok {
		return at, rest
	}
	if _, tail, ok := strings.Cut(s[:min(len(s), maxPrefix)], "\t"); ok {
		if job, _, ok := strings.Cut(tail, "\t"); ok {
			rest := s[len(s[:min(len(s), maxPrefix)])-len(tail)+len(job)+1:]
			if at, rest, ok := c.stamp(strings.TrimPrefix(rest, "\ufeff")); ok {
				return at, rest
			}
		}
	}
	return stamp{}, s
}

// maxPrefix is how long the names before a time may be.
const maxPrefix = 512

func (c *clock) stamp(s string) (stamp, string, bool) {
	if s == "" || s[0] != '[' && (s[0] < '0' || s[0] > '9') && (s[0] < 'A' || s[0] > 'Z') {
		return stamp{}, s, false
	}
	for i, shape := range shapes {
		m := shape.pattern.FindStringSubmatch(s)
		if m == nil {
			continue
		}
		t, ok := shape.parse(m[1], m[2])
		if !ok || !inRange(t) && shape.dated {
			continue
		}
		at := stamp{time: t, shape: i + 1, unit: time.Second}
		for range len(m[2]) {
			at.unit /= 10
		}
		if shape.dated {
			return at, s[len(m[0]):], true
		}
		if at.shape == c.last.shape && t.Add(c.days).Before(c.last.time.Add(-12*time.Hour)) {
			c.days += 24 * time.Hour
		}
		at.time = t.Add(c.days)
		c.last = at
		return at, s[len(m[0]):], true
	}
	return stamp{}, s, false
}
