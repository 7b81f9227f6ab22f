package synth

// Rounds returns how many of n rounds a test plays that makes up images: all of
// them, or with the race detector, which looks for something else, a tenth.
func Rounds(n int) int {
	if RaceDetector {
		return max(1, n/10)
	}
	return n
}
