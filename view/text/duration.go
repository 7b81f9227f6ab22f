package text

import (
	"fmt"
	"time"
)

// Duration returns a time that work took, for people: "0.4s", "42s", "3m12s",
// "1h02m".
func Duration(d time.Duration) string {
	const tenth = time.Second / 10
	switch {
	case d < 0:
		return Unknown
	case d < 10*time.Second-tenth/2:
		d = d.Round(tenth)
		return fmt.Sprintf("%d.%ds", d/time.Second, d%time.Second/tenth)
	case d < time.Minute-time.Second/2:
		return fmt.Sprintf("%ds", d.Round(time.Second)/time.Second)
	case d < time.Hour-time.Second/2:
		d = d.Round(time.Second)
		return fmt.Sprintf("%dm%02ds", d/time.Minute, d%time.Minute/time.Second)
	}
	d = d.Round(time.Minute)
	return fmt.Sprintf("%dh%02dm", d/time.Hour, d%time.Hour/time.Minute)
}
