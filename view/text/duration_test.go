package text

import (
	"testing"
	"time"
)

func TestDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-1: "–", 0: "0.0s", 49 * time.Millisecond: "0.0s", 50 * time.Millisecond: "0.1s", 9_940 * time.Millisecond: "9.9s",
		9_950 * time.Millisecond: "10s", 42*time.Second + 400*time.Millisecond: "42s", 59_499 * time.Millisecond: "59s",
		59_500 * time.Millisecond: "1m00s", 192 * time.Second: "3m12s", 3599_499 * time.Millisecond: "59m59s",
		3599_500 * time.Millisecond: "1h00m", 62 * time.Minute: "1h02m", 30 * time.Hour: "30h00m", 1<<63 - 1: "2562047h47m",
	} {
		if got := Duration(d); got != want {
			t.Errorf("%d: %s, want %s", d, got, want)
		}
	}
}
