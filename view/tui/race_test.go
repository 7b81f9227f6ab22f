//go:build race

package tui

// raceDetector makes drawing some twenty times slower.
const raceDetector = true
