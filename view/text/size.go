package text

import (
	"strconv"
	"time"

	"github.com/dustin/go-humanize"
)

// Unknown is what stands for a number that isn't known.
const Unknown = "–"

// Size returns a number of bytes for people: SI, kB = 1000 ("1.2 MB"). A
// negative number is unknown.
func Size(n int64) string {
	if n < 0 {
		return Unknown
	}
	return humanize.Bytes(uint64(n))
}

// Bytes returns a number of bytes as an integer. A negative number is unknown.
func Bytes(n int64) string {
	if n < 0 {
		return Unknown
	}
	return strconv.FormatInt(n, 10)
}

// Change returns by how many bytes something grew, of say, which writes a number
// of bytes: with a plus, with a minus if it shrank, without a sign if it did
// neither.
func Change(n int64, say func(int64) string) string {
	switch {
	case n > 0:
		return "+" + say(n)
	case n < 0:
		return "−" + say(-n)
	}
	return say(0)
}

// Count returns a count with thousands set apart ("12,345").
func Count(n int) string { return humanize.Comma(int64(n)) }

// Plural returns a count of things: "1 layer", "1,234 files".
func Plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return Count(n) + " " + thing + "s"
}

// Time returns a time to the second in UTC, "" for none.
func Time(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}

// Percent returns part of whole in percent with one digit ("12.3%"); of nothing
// or of an unknown whole, Unknown.
func Percent(part, whole int64) string {
	if whole <= 0 || part < 0 {
		return Unknown
	}
	return strconv.FormatFloat(100*float64(part)/float64(whole), 'f', 1, 64) + "%"
}
