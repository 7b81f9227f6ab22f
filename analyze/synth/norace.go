//go:build !race

package synth

// RaceDetector tells whether the race detector is at work, which makes tests
// some ten times slower.
const RaceDetector = false
